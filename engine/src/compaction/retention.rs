//! Which versions must be kept.

use std::sync::Arc;

use crate::key::{DroppedKeyspaces, InternalKeyRef, KeyspaceId, Kind, keyspace_of};
use crate::manifest::{Run, Version};

/// Who may read: the sequence numbers at which versions must stay visible.
///
/// Readers that come later are at or above `visible`, so it must be taken before the job starts
/// and, by a reader, after the version of the manifest: see [`Retention::new`].
#[derive(Clone, Debug)]
pub(crate) struct Retention {
    /// Rising, each once. Not empty.
    boundaries: Arc<[u64]>,
    dropped: Arc<DroppedKeyspaces>,
}

impl Retention {
    /// For the sequence numbers of live snapshots, in any order, and the sequence number up to
    /// which readers without a snapshot see now.
    ///
    /// A reader without a snapshot must take its view of memtables and SSTables first and its
    /// sequence number after: then that is not below the `visible` of any job whose result is in
    /// the view, and nothing it may see is missing.
    pub(crate) fn new(
        snapshots: impl IntoIterator<Item = u64>,
        visible: u64,
        dropped: Arc<DroppedKeyspaces>,
    ) -> Retention {
        let mut boundaries: Vec<u64> = snapshots
            .into_iter()
            .filter(|sequence| *sequence <= visible)
            .collect();
        boundaries.push(visible);
        boundaries.sort_unstable();
        boundaries.dedup();
        Retention {
            boundaries: boundaries.into(),
            dropped,
        }
    }

    /// No reader is or will be below this sequence number.
    pub(crate) fn oldest(&self) -> u64 {
        self.boundaries.first().copied().unwrap_or(0)
    }

    /// Whether no reader sees anything of a keyspace, now or later.
    pub(crate) fn is_dropped(&self, keyspace: KeyspaceId) -> bool {
        self.dropped.hides(keyspace, self.oldest())
    }

    /// Number of dropped keyspaces of which something may be stored.
    pub(super) fn dropped_count(&self) -> usize {
        self.dropped.len()
    }

    /// The readers that see a version unless a newer one hides it: those from this boundary on.
    /// `None` if it is newer than all that anyone sees yet.
    fn first_reader(&self, sequence: u64) -> Option<usize> {
        let place = self
            .boundaries
            .partition_point(|boundary| *boundary < sequence);
        (place < self.boundaries.len()).then_some(place)
    }
}

/// Decides, version by version in order, what is kept.
pub(super) struct VersionFilter {
    retention: Retention,
    bottom: Bottom,
    /// The user key looked at last; empty at the start.
    user_key: Vec<u8>,
    sequence: u64,
    /// First reader of the version of it that was kept last.
    first_reader: Option<usize>,
    /// The keyspace looked at last, and whether it is dropped.
    keyspace: Option<(KeyspaceId, bool)>,
}

impl VersionFilter {
    pub(super) fn new(retention: Retention, bottom: Bottom) -> VersionFilter {
        VersionFilter {
            retention,
            bottom,
            user_key: Vec::new(),
            sequence: 0,
            first_reader: None,
            keyspace: None,
        }
    }

    /// Whether a version is kept. Versions come in the order of internal keys.
    pub(super) fn keeps(&mut self, key: InternalKeyRef<'_>) -> bool {
        if self.is_in_dropped_keyspace(key.user) {
            return false;
        }
        let sequence = key.sequence();
        if self.user_key == key.user {
            // The same version twice: from a file and from the log that was replayed over it.
            if self.sequence == sequence {
                return false;
            }
        } else {
            self.user_key.clear();
            self.user_key.extend_from_slice(key.user);
            self.first_reader = None;
        }
        self.sequence = sequence;

        // Newer than all that anyone sees: kept, and it hides nothing from anyone yet.
        let Some(first_reader) = self.retention.first_reader(sequence) else {
            return true;
        };
        if self.first_reader == Some(first_reader) {
            // Whoever could see this one sees the newer one.
            return false;
        }
        self.first_reader = Some(first_reader);
        // A tombstone hides what is below it. If nothing is, there and from this very job (all
        // readers see the tombstone, so older versions are dropped), it is not needed.
        let needless = key.kind() == Some(Kind::Delete)
            && first_reader == 0
            && self.bottom.is_bottom_for(key.user);
        !needless
    }

    fn is_in_dropped_keyspace(&mut self, user_key: &[u8]) -> bool {
        let Some(keyspace) = keyspace_of(user_key) else {
            return false;
        };
        match self.keyspace {
            Some((last, dropped)) if last == keyspace => dropped,
            _ => {
                let dropped = self.retention.is_dropped(keyspace);
                self.keyspace = Some((keyspace, dropped));
                dropped
            }
        }
    }
}

/// What lies below the output of a job: the runs that may hold older versions of its keys.
pub(super) struct Bottom {
    /// Each with the number of the first SSTable that may still matter: keys come in order.
    runs: Vec<(Run, usize)>,
    /// Whether older versions may be anywhere.
    unknown: bool,
}

impl Bottom {
    /// Below a level of a version. The output of a rewrite within L0 may have anything below it.
    pub(super) fn below_level(version: &Version, level: usize, within_l0: bool) -> Bottom {
        let deeper = (level + 1..crate::manifest::LEVELS).map(|level| version.level(level).clone());
        Bottom {
            runs: deeper
                .filter(|run| !run.is_empty())
                .map(|run| (run, 0))
                .collect(),
            unknown: within_l0,
        }
    }

    /// Below a flush: all that is in SSTables.
    pub(super) fn below_flush(version: &Version) -> Bottom {
        Bottom {
            runs: version.runs().map(|run| (run.clone(), 0)).collect(),
            unknown: false,
        }
    }

    /// Whether nothing below has the key. Keys come in rising order.
    fn is_bottom_for(&mut self, user_key: &[u8]) -> bool {
        !self.unknown
            && self.runs.iter_mut().all(|(run, next)| {
                let tables = run.tables();
                while tables
                    .get(*next)
                    .is_some_and(|table| table.largest() < user_key)
                {
                    *next += 1;
                }
                tables
                    .get(*next)
                    .is_none_or(|table| table.smallest() > user_key)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{InternalKey, Key};

    /// Which of the versions (sequence number, kind) of one key are kept, at the bottom.
    fn kept(snapshots: &[u64], visible: u64, versions: &[(u64, Kind)]) -> Vec<u64> {
        let retention = Retention::new(snapshots.iter().copied(), visible, Arc::default());
        let bottom = Bottom {
            runs: Vec::new(),
            unknown: false,
        };
        let mut filter = VersionFilter::new(retention, bottom);
        let key = Key::new(KeyspaceId(1), b"p", b"s");
        let versions = versions.iter().filter(|(sequence, kind)| {
            filter.keeps(InternalKey::new(key.as_bytes(), *sequence, *kind).as_ref())
        });
        versions.map(|(sequence, _)| *sequence).collect()
    }

    use Kind::{Delete, Put};

    #[test]
    fn without_snapshots_the_newest_visible_is_kept() {
        assert_eq!(kept(&[], 10, &[(9, Put), (5, Put), (1, Put)]), [9]);
    }

    #[test]
    fn what_nobody_sees_yet_is_kept_with_what_is_seen_now() {
        assert_eq!(
            kept(&[], 6, &[(9, Put), (7, Delete), (5, Put), (1, Put)]),
            [9, 7, 5]
        );
    }

    #[test]
    fn each_snapshot_keeps_what_it_sees() {
        let versions = [(9, Put), (8, Put), (5, Put), (4, Put), (1, Put)];
        assert_eq!(kept(&[4, 5, 6], 10, &versions), [9, 5, 4]);
        assert_eq!(kept(&[0], 10, &versions), [9]);
    }

    #[test]
    fn a_tombstone_goes_when_it_hides_nothing() {
        assert_eq!(kept(&[], 10, &[(9, Delete), (5, Put)]), []);
        assert_eq!(kept(&[5], 10, &[(9, Delete), (5, Put)]), [9, 5]);
        assert_eq!(kept(&[5], 10, &[(9, Put), (4, Delete), (1, Put)]), [9]);
    }

    #[test]
    fn the_same_version_twice_is_kept_once() {
        assert_eq!(kept(&[], 1, &[(9, Put), (9, Put)]), [9]);
    }

    #[test]
    fn a_snapshot_before_the_drop_keeps_the_keyspace() {
        let mut dropped = DroppedKeyspaces::default();
        dropped.insert(KeyspaceId(1), 7);
        let dropped = Arc::new(dropped);
        assert!(Retention::new([], 7, Arc::clone(&dropped)).is_dropped(KeyspaceId(1)));
        assert!(!Retention::new([6], 9, Arc::clone(&dropped)).is_dropped(KeyspaceId(1)));
        assert!(!Retention::new([], 9, dropped).is_dropped(KeyspaceId(2)));
    }
}
