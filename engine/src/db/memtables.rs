//! The memtables of the moment: one that is written to, and those that wait to be written out.

use std::sync::Arc;

use crate::memtable::Memtable;
use crate::sync::{ArcSwap, Guard};

/// What readers see. Replaced as a whole.
pub(super) struct Memtables {
    pub(super) active: Arc<Memtable>,
    /// Newest first.
    pub(super) immutable: Vec<Immutable>,
}

/// A full memtable.
#[derive(Clone)]
pub(super) struct Immutable {
    pub(super) memtable: Arc<Memtable>,
    /// Of the last commit that went into it, or may still be on its way into it.
    pub(super) last_sequence: u64,
}

/// Holds the memtables. Changed under the lock of the commit queue, or to take a flushed one away.
pub(super) struct MemtableSet {
    current: ArcSwap<Memtables>,
}

impl MemtableSet {
    pub(super) fn new() -> Self {
        let memtables = Memtables {
            active: Arc::default(),
            immutable: Vec::new(),
        };
        MemtableSet {
            current: ArcSwap::from_pointee(memtables),
        }
    }

    pub(super) fn load(&self) -> Guard<Arc<Memtables>> {
        self.current.load()
    }

    pub(super) fn load_full(&self) -> Arc<Memtables> {
        self.current.load_full()
    }

    /// Puts an empty memtable in the place of the active one.
    pub(super) fn rotate(&self, last_sequence: u64) {
        let fresh: Arc<Memtable> = Arc::default();
        self.current.rcu(|memtables| {
            let memtable = Arc::clone(&memtables.active);
            let mut immutable = vec![Immutable {
                memtable,
                last_sequence,
            }];
            immutable.extend_from_slice(&memtables.immutable);
            Memtables {
                active: Arc::clone(&fresh),
                immutable,
            }
        });
    }

    /// Forgets a memtable that is in an SSTable now, and in a version that readers can see.
    pub(super) fn remove(&self, flushed: &Arc<Memtable>) {
        self.current.rcu(|memtables| {
            let mut immutable = memtables.immutable.clone();
            immutable.retain(|waiting| !Arc::ptr_eq(&waiting.memtable, flushed));
            Memtables {
                active: Arc::clone(&memtables.active),
                immutable,
            }
        });
    }
}

impl Memtables {
    /// All of them, newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Memtable>> {
        let immutable = self.immutable.iter().map(|waiting| &waiting.memtable);
        std::iter::once(&self.active).chain(immutable)
    }

    /// Bytes in all of them.
    pub(super) fn bytes(&self) -> usize {
        self.iter().map(|memtable| memtable.bytes()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::key::{InternalKey, Kind};

    #[test]
    fn full_ones_wait_newest_first_until_removed() {
        let set = MemtableSet::new();
        for sequence in 1..=3 {
            let key = InternalKey::new(b"key", sequence, Kind::Put);
            set.load().active.insert(key, Value::from("value"));
            set.rotate(sequence);
        }
        let before = set.load_full();
        let waiting = |set: &Memtables| -> Vec<u64> {
            set.immutable
                .iter()
                .map(|immutable| immutable.last_sequence)
                .collect()
        };
        assert_eq!(waiting(&before), [3, 2, 1]);
        assert!(before.active.is_empty());
        set.remove(&before.immutable[2].memtable);
        assert_eq!(waiting(&set.load()), [3, 2]);
        assert_eq!(
            waiting(&before),
            [3, 2, 1],
            "a reader keeps what it has loaded"
        );
        assert!(before.bytes() > set.load().bytes());
    }
}
