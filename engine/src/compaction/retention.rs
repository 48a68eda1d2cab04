//! Which versions must be kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::key::{DroppedKeyspaces, InternalKeyRef, KeyspaceId, Kind, Trailer, keyspace_of};
use crate::manifest::{Histories, Overlay, Run, Version};
use crate::mutants::{Mutant, is_on};
use crate::sstable::Properties;

/// Who may read: the sequence numbers at which versions must stay visible.
///
/// Readers that come later are at or above `visible`, so it must be taken before the job starts
/// and, by a reader, after the version of the manifest: see [`Retention::new`].
#[derive(Clone, Debug)]
pub(crate) struct Retention {
    /// Those of the live snapshots, and `visible`: rising, each once. Not empty.
    boundaries: Arc<[u64]>,
    dropped: Arc<DroppedKeyspaces>,
    /// What else is kept of single keyspaces.
    kept: Arc<BTreeMap<KeyspaceId, Kept>>,
}

/// What is kept of a keyspace beside what snapshots see.
#[derive(Clone, Debug, Default)]
struct Kept {
    /// Sequence numbers of pins, and of forks of it. In no order.
    held: Vec<u64>,
    /// The floor of its window: every sequence number from there on may be read as of.
    floor: Option<u64>,
    /// It is a fork that is read over another keyspace.
    overlay: Option<Overlay>,
}

/// Who reads one keyspace.
#[derive(Clone, Debug)]
struct Readers {
    /// Rising, each once.
    boundaries: Arc<[u64]>,
    /// Whether readers come at any sequence number above the last boundary.
    later: bool,
    /// What they read it over.
    overlay: Option<Overlay>,
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
        let snapshots = snapshots.into_iter();
        Retention {
            boundaries: boundaries(snapshots.filter(|at| *at <= visible).chain([visible])),
            dropped,
            kept: Arc::default(),
        }
    }

    /// With what is kept of single keyspaces beside, and how far each window goes back now: its
    /// floor in the version or a higher one.
    pub(crate) fn with_histories(
        mut self,
        histories: &Histories,
        floors: impl IntoIterator<Item = (KeyspaceId, u64)>,
    ) -> Retention {
        let mut kept: BTreeMap<KeyspaceId, Kept> = BTreeMap::new();
        for (keyspace, sequence) in histories.held() {
            if is_on(Mutant::Held) {
                break;
            }
            kept.entry(keyspace).or_default().held.push(sequence);
        }
        for (keyspace, floor) in floors {
            kept.entry(keyspace).or_default().floor = Some(floor);
        }
        self.kept = Arc::new(kept);
        self
    }

    /// With the forks of the version that the job reads: what of them is copied out is in its SSTables,
    /// and a later version's need not be.
    pub(crate) fn with_forks(mut self, histories: &Histories) -> Retention {
        for (keyspace, overlay) in histories.overlays() {
            let kept = Arc::make_mut(&mut self.kept);
            kept.entry(keyspace).or_default().overlay = Some(overlay.clone());
        }
        self
    }

    /// For the job that copies a fork out up to a key, without its keyspace id, or to the end: in what
    /// it writes, nothing up to there is looked for in the source.
    pub(super) fn copying(mut self, keyspace: KeyspaceId, until: Option<&Bytes>) -> Retention {
        if let Some(kept) = Arc::make_mut(&mut self.kept).get_mut(&keyspace) {
            match (until, &mut kept.overlay) {
                (Some(until), Some(overlay)) => overlay.copied = until.clone(),
                (_, overlay) => *overlay = None,
            }
        }
        self
    }

    /// Whether a keyspace is dropped, or will be for all readers to come.
    pub(super) fn has_ended(&self, keyspace: KeyspaceId) -> bool {
        self.dropped.dropped_at(keyspace).is_some()
    }

    /// Who reads a keyspace.
    fn readers(&self, keyspace: KeyspaceId) -> Readers {
        let kept = self.kept.get(&keyspace);
        let visible = self.boundaries.last().copied().unwrap_or(0);
        let dropped = self.dropped.dropped_at(keyspace);
        // A drop that not all readers to come will see is none yet.
        let dropped = dropped.filter(|dropped| *dropped <= visible);
        let floor = kept.and_then(|kept| kept.floor);
        let floor = floor.filter(|floor| *floor < visible);
        if kept.is_none() && dropped.is_none() {
            return Readers {
                boundaries: Arc::clone(&self.boundaries),
                later: true,
                overlay: None,
            };
        }
        let held = kept.map_or(&[][..], |kept| &kept.held);
        let all = self.boundaries.iter().chain(held).copied();
        Readers {
            boundaries: match dropped {
                Some(dropped) => boundaries(all.filter(|at| *at < dropped)),
                None => {
                    let last = floor.unwrap_or(visible);
                    boundaries(all.filter(|at| *at <= last).chain([last]))
                }
            },
            later: dropped.is_none(),
            overlay: kept.and_then(|kept| kept.overlay.clone()),
        }
    }

    /// Whether all of an SSTable that will ever be invisible is so now: nobody reads below its
    /// newest version, and nothing that it deletes is in another keyspace.
    pub(super) fn is_settled(&self, properties: &Properties) -> bool {
        let snapshots = self.boundaries.first().copied().unwrap_or(0);
        properties.max_sequence <= snapshots
            && properties.keyspaces.iter().all(|used| {
                let readers = self.readers(used.keyspace);
                let oldest = readers.boundaries.first();
                readers.overlay.is_none()
                    && oldest.is_none_or(|oldest| properties.max_sequence <= *oldest)
            })
    }

    /// Whether no reader sees anything of a keyspace, now or later.
    pub(crate) fn is_dropped(&self, keyspace: KeyspaceId) -> bool {
        if self.dropped.dropped_at(keyspace).is_none() {
            return false;
        }
        let readers = self.readers(keyspace);
        readers.boundaries.is_empty() && !readers.later
    }

    /// Number of dropped keyspaces of which something may be stored.
    pub(super) fn dropped_count(&self) -> usize {
        self.dropped.len()
    }
}

fn boundaries(sequences: impl Iterator<Item = u64>) -> Arc<[u64]> {
    let mut boundaries: Vec<u64> = sequences.collect();
    boundaries.sort_unstable();
    boundaries.dedup();
    boundaries.into()
}

impl Readers {
    /// Whether a key may have a value in the keyspace that this one is read over.
    fn may_be_below(&self, user_key: &[u8]) -> bool {
        let overlay = self.overlay.as_ref();
        let overlay = overlay.filter(|_| !is_on(Mutant::ForkTombstones));
        overlay.is_some_and(|overlay| overlay.needs_source(user_key))
    }

    /// The readers that see a version unless a newer one hides it: those from this boundary on.
    /// `None` if they are all above the last boundary.
    fn first(&self, sequence: u64) -> Option<usize> {
        let place = self
            .boundaries
            .partition_point(|boundary| *boundary < sequence);
        (place < self.boundaries.len()).then_some(place)
    }
}

/// Decides, version by version in order, what is kept.
///
/// A tombstone of which nothing is below hides only what this very job keeps of its key: it is put
/// aside, and needed if an older value turns out to be kept.
pub(super) struct VersionFilter {
    retention: Retention,
    bottom: Bottom,
    /// The user key looked at last; empty at the start.
    user_key: Vec<u8>,
    sequence: u64,
    /// First reader of the version of it that was kept last.
    first_reader: Option<usize>,
    /// A tombstone of it that was put aside.
    aside: Option<Trailer>,
    /// The keyspace looked at last, and its readers.
    keyspace: Option<(KeyspaceId, Readers)>,
}

impl VersionFilter {
    pub(super) fn new(retention: Retention, bottom: Bottom) -> VersionFilter {
        VersionFilter {
            retention,
            bottom,
            user_key: Vec::new(),
            sequence: 0,
            first_reader: None,
            aside: None,
            keyspace: None,
        }
    }

    /// Whether a version is kept. Versions come in the order of internal keys. If it is, what
    /// [`VersionFilter::take_aside`] gives is kept too, before it.
    pub(super) fn keeps(&mut self, key: InternalKeyRef<'_>) -> bool {
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
            self.aside = None;
        }
        self.sequence = sequence;

        self.enter_keyspace(key.user);
        let Some((_, readers)) = &self.keyspace else {
            return true;
        };
        match readers.first(sequence) {
            // Nobody sees it, or everybody sees a newer one.
            None if !readers.later => return false,
            Some(first_reader) if self.first_reader == Some(first_reader) => return false,
            // Above the last boundary it hides nothing from anyone there.
            first_reader => self.first_reader = first_reader,
        }
        if key.kind() == Some(Kind::Delete)
            && !readers.may_be_below(key.user)
            && self.bottom.is_bottom_for(key.user)
        {
            self.aside = Some(key.trailer);
            return false;
        }
        true
    }

    /// The tombstone that hides an older version from newer readers than those which it is kept for.
    pub(super) fn take_aside(&mut self) -> Option<Trailer> {
        self.aside.take()
    }

    /// Looks up who reads the keyspace of a key, if the last key was in another.
    fn enter_keyspace(&mut self, user_key: &[u8]) {
        let keyspace = keyspace_of(user_key).unwrap_or(KeyspaceId(u32::MAX));
        let last = self.keyspace.as_ref();
        if last.is_none_or(|(last, _)| *last != keyspace) {
            self.keyspace = Some((keyspace, self.retention.readers(keyspace)));
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
        let mut kept = Vec::new();
        for (sequence, kind) in versions {
            if filter.keeps(InternalKey::new(key.as_bytes(), *sequence, *kind).as_ref()) {
                kept.extend(filter.take_aside().map(Trailer::sequence));
                kept.push(*sequence);
            }
        }
        kept
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
