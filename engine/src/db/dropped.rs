//! The dropped keyspaces as readers see them: those of the manifest, and those whose drop is still
//! in a memtable.

use std::sync::Arc;

use crate::key::{DroppedKeyspaces, KeyspaceId};
use crate::sync::ArcSwap;

/// Few, and rarely changed: replaced as a whole.
pub(super) struct Dropped {
    current: ArcSwap<DroppedKeyspaces>,
}

impl Dropped {
    /// With what the manifest knows.
    pub(super) fn new(known: Arc<DroppedKeyspaces>) -> Self {
        Dropped {
            current: ArcSwap::new(known),
        }
    }

    /// Adds those of one commit.
    pub(super) fn add(&self, keyspaces: &[KeyspaceId], sequence: u64) {
        if keyspaces.is_empty() {
            return;
        }
        self.change(|dropped| {
            keyspaces
                .iter()
                .for_each(|keyspace| dropped.insert(*keyspace, sequence));
        });
    }

    /// Nothing is left of them.
    pub(super) fn set_gone(&self, keyspaces: &[KeyspaceId]) {
        if keyspaces.is_empty() {
            return;
        }
        self.change(|dropped| {
            keyspaces
                .iter()
                .for_each(|keyspace| dropped.set_gone(keyspace.0, keyspace.0))
        });
    }

    fn change(&self, change: impl Fn(&mut DroppedKeyspaces)) {
        self.current.rcu(|current| {
            let mut dropped = DroppedKeyspaces::clone(current);
            change(&mut dropped);
            dropped
        });
    }

    /// All of them.
    pub(super) fn load(&self) -> Arc<DroppedKeyspaces> {
        self.current.load_full()
    }

    /// Whether a reader at a sequence number sees nothing in a keyspace.
    pub(super) fn hides(&self, keyspace: KeyspaceId, sequence: u64) -> bool {
        self.current.load().hides(keyspace, sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyspace_is_hidden_from_the_commit_on_that_dropped_it() {
        let (one, two) = (KeyspaceId(1), KeyspaceId(2));
        let dropped = Dropped::new(Arc::default());
        dropped.add(&[one], 5);
        dropped.add(&[one, two], 9);
        assert!(!dropped.hides(one, 4));
        assert!(dropped.hides(one, 5));
        assert!(!dropped.hides(two, 8));
        assert!(dropped.hides(two, 9));
        dropped.set_gone(&[one]);
        dropped.add(&[one], 12);
        assert!(dropped.hides(one, 0));
        assert!(dropped.hides(two, 100));
    }
}
