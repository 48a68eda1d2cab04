//! How large each level may be.

use crate::manifest::{LEVELS, Run, Version};
use crate::options::Options;

/// In a small database SSTables are this part of its largest level, so that one job, which takes a
/// file and the ten or so that it overlaps, is a small part of all, and what it needs for a while
/// beside its inputs is too.
const SSTABLES_PER_LEVEL: u64 = 128;

/// But no smaller than this part of their full size: each costs a sync and an open file.
const SMALLEST_PART: u64 = 8;

/// A flush is cut into at most so many SSTables.
const FLUSH_PIECES: u64 = 8;

/// The last level.
pub(super) const LAST_LEVEL: usize = LEVELS - 1;

/// Sizes that levels may have, for one version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Targets {
    /// The level that L0 is compacted into: the first below L0 that is used. All levels between
    /// are empty.
    pub(super) base: usize,
    /// Bytes that each level may have before it is compacted into the next.
    sizes: [u64; LEVELS],
    /// Bytes at which an SSTable is cut.
    pub(super) sstable_size: u64,
}

impl Targets {
    /// The targets for a version.
    ///
    /// The last level may be as large as it is, and each level above it smaller by the fanout, up
    /// to the one that would get below `base_level_size`: that one is the base. So nearly all data
    /// is in the last level, whatever there is of it, and little space is taken by old versions.
    pub(super) fn new(version: &Version, options: &Options) -> Targets {
        let fanout = options.level_fanout.max(2);
        let largest = version.largest_level_size();
        let first_used = (1..LEVELS).find(|level| !version.level(*level).is_empty());
        let first_used = first_used.unwrap_or(LAST_LEVEL);

        // What the first level with data gets as its share of the largest, and what the levels
        // above it would get.
        let depth = (LAST_LEVEL - first_used) as u32;
        let mut base_size = largest / fanout.saturating_pow(depth);
        let mut base = first_used;
        while base > 1 && base_size > options.base_level_size {
            base -= 1;
            base_size /= fanout;
        }
        let full = options.sstable_size.max(1);
        let sstable_size =
            (largest / SSTABLES_PER_LEVEL).clamp((full / SMALLEST_PART).max(1), full);
        let mut size = base_size.max(options.base_level_size / fanout);
        let mut sizes = [u64::MAX; LEVELS];
        for slot in sizes.iter_mut().take(LAST_LEVEL).skip(base) {
            *slot = size;
            size = size.saturating_mul(fanout);
        }
        Targets {
            base,
            sizes,
            sstable_size,
        }
    }

    /// Bytes that a level may have; for L0 and the last level there is no bound here.
    pub(super) fn size(&self, level: usize) -> u64 {
        self.sizes.get(level).copied().unwrap_or(u64::MAX)
    }
}

/// The user keys behind which a flush ends an SSTable, in order: ends of SSTables in the first level
/// below L0, so that what is flushed can go down in jobs that have nothing to do with each other.
pub(super) fn flush_splits(version: &Version) -> Vec<Vec<u8>> {
    let below = (1..LEVELS).map(|level| version.level(level));
    let Some(below) = below.into_iter().find(|run| !run.is_empty()) else {
        return Vec::new();
    };
    splits(below)
}

fn splits(run: &Run) -> Vec<Vec<u8>> {
    let piece = run.size_without_logs() / FLUSH_PIECES;
    let mut splits = Vec::new();
    let mut size = 0;
    // Logs are cut in their own way.
    for table in run.tables().iter().filter(|table| !table.is_log_piece()) {
        size += table.meta().size;
        if size >= piece {
            splits.push(table.largest().to_vec());
            size = 0;
        }
    }
    // Nothing is behind the last one but what is new.
    splits
}
