//! Dropped keyspaces: which, and since which commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::key::KeyspaceId;

/// The keyspaces of which something may be left in memtables or SSTables although they were dropped.
/// Few, and rarely changed: replaced as a whole.
#[derive(Default)]
pub(super) struct DroppedKeyspaces {
    current: ArcSwap<BTreeMap<KeyspaceId, u64>>,
}

impl DroppedKeyspaces {
    /// With what the manifest knows.
    pub(super) fn new(known: BTreeMap<KeyspaceId, u64>) -> Self {
        DroppedKeyspaces {
            current: ArcSwap::from_pointee(known),
        }
    }

    /// Adds those of one commit. The first drop of a keyspace counts.
    pub(super) fn add(&self, keyspaces: &[KeyspaceId], sequence: u64) {
        if keyspaces.is_empty() {
            return;
        }
        self.current.rcu(|current| {
            let mut dropped = BTreeMap::clone(current);
            for keyspace in keyspaces {
                let since = dropped.entry(*keyspace).or_insert(sequence);
                *since = sequence.min(*since);
            }
            dropped
        });
    }

    /// Nothing is left of them.
    pub(super) fn forget(&self, keyspaces: &[KeyspaceId]) {
        if keyspaces.is_empty() {
            return;
        }
        self.current.rcu(|current| {
            let mut dropped = BTreeMap::clone(current);
            dropped.retain(|keyspace, _| !keyspaces.contains(keyspace));
            dropped
        });
    }

    /// Since which commit each is dropped.
    pub(super) fn load(&self) -> Arc<BTreeMap<KeyspaceId, u64>> {
        self.current.load_full()
    }

    /// Whether a reader at a sequence number sees nothing in a keyspace.
    pub(super) fn hides(&self, keyspace: KeyspaceId, sequence: u64) -> bool {
        let dropped = self.current.load();
        !dropped.is_empty()
            && dropped
                .get(&keyspace)
                .is_some_and(|since| *since <= sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyspace_is_hidden_from_the_commit_on_that_dropped_it() {
        let (one, two) = (KeyspaceId(1), KeyspaceId(2));
        let dropped = DroppedKeyspaces::new(BTreeMap::from([(one, 5)]));
        dropped.add(&[one, two], 9);
        assert!(!dropped.hides(one, 4));
        assert!(dropped.hides(one, 5));
        assert!(!dropped.hides(two, 8));
        assert!(dropped.hides(two, 9));
        dropped.forget(&[one]);
        assert!(!dropped.hides(one, 100));
        assert!(dropped.hides(two, 100));
    }
}
