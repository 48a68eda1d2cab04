//! How far compaction is behind: what it acts on, and what writes are slowed down by.

use super::levels::{LAST_LEVEL, Targets};
use crate::manifest::Version;
use crate::options::Options;

/// How far compaction is behind.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Pressure {
    /// Sublevels of L0 as a part of the number that starts a compaction.
    pub(crate) l0_score: f64,
    /// Bytes that have to be compacted until no level is above its size.
    pub(crate) debt_bytes: u64,
    /// The largest level: whether the debt is large is a question of how much there is.
    pub(crate) largest_level: u64,
}

/// How far compaction is behind for a version. All of it is what [`pick`](super::pick) acts on. No
/// SSTable changes it by more than its size: the debt does not jump.
pub(crate) fn pressure(version: &Version, options: &Options) -> Pressure {
    let targets = Targets::new(version, options);
    let l0_score = l0_score(version, options);
    // The part of L0 that is above what starts a compaction, and what of the levels is above theirs.
    let l0 = version.level_size(0) as f64 * (1.0 - 1.0 / l0_score.max(1.0));
    let mut debt_bytes = l0 as u64;
    for level in targets.base..LAST_LEVEL {
        debt_bytes += version
            .level_size(level)
            .saturating_sub(targets.size(level));
    }
    Pressure {
        l0_score,
        debt_bytes,
        largest_level: version.largest_level_size(),
    }
}

/// How full L0 is, as a part of what starts a compaction.
pub(super) fn l0_score(version: &Version, options: &Options) -> f64 {
    let threshold = options.l0_compaction_threshold.max(1);
    let by_sublevels = version.sublevels().len() as f64 / threshold as f64;
    // Files that do not overlap cost a read nothing, but they must not pile up without bound.
    let by_size = version.level_size(0) as f64 / (2 * options.base_level_size.max(1)) as f64;
    by_sublevels.max(by_size)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::cache::BlockCache;
    use crate::io::MemoryFs;
    use crate::manifest::{VersionEdit, VersionSet};
    use crate::sstable::{FileMeta, Properties};

    const UNIT: u64 = 1000;

    /// The pressure of SSTables that all have the same keys: level and size in units.
    fn of(tables: &[(usize, u64)]) -> Pressure {
        let added = tables.iter().enumerate().map(|(number, (level, size))| {
            let properties = Properties {
                smallest: Bytes::from_static(b"a"),
                largest: Bytes::from_static(b"b"),
                max_sequence: number as u64,
                ..Properties::default()
            };
            let meta = FileMeta {
                file_id: 1 + number as u64,
                size: size * UNIT,
                properties,
                ..FileMeta::default()
            };
            (*level, meta)
        });
        let cache = Arc::new(BlockCache::new(0, 1));
        let fs = Arc::new(MemoryFs::new());
        let set = VersionSet::open(fs, Path::new("/db"), cache, 1 << 20).unwrap();
        let options = Options {
            sstable_size: UNIT,
            base_level_size: 20 * UNIT,
            l0_compaction_threshold: 2,
            level_fanout: 10,
            ..Options::default()
        };
        let edit = VersionEdit {
            added: added.collect(),
            ..VersionEdit::default()
        };
        pressure(&set.apply(edit).unwrap(), &options)
    }

    #[test]
    fn it_grows_with_what_is_to_do() {
        assert_eq!(of(&[]), Pressure::default());
        let half = of(&[(0, 1)]);
        assert_eq!((half.l0_score, half.debt_bytes), (0.5, 0));
        // L5 may have ten.
        let deep = of(&[(6, 100), (5, 13)]);
        assert_eq!(
            (deep.debt_bytes, deep.largest_level),
            (3 * UNIT, 100 * UNIT)
        );
    }

    #[test]
    fn the_debt_does_not_jump() {
        let mut tables = vec![(6, 1000)];
        let mut last = of(&tables).debt_bytes;
        for _ in 0..20 {
            tables.push((0, 1));
            let debt = of(&tables).debt_bytes;
            assert!((last..=last + 2 * UNIT).contains(&debt), "{last} {debt}");
            last = debt;
        }
        assert_eq!(last, 18 * UNIT);
    }
}
