//! Which keyspaces were dropped, and when.

use std::sync::Arc;

use super::user::KeyspaceId;

/// Dropped keyspaces of which something may still be stored, each with the sequence number of its
/// drop: readers at or behind that see nothing of it, and compaction discards it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DroppedKeyspaces {
    /// In order of id.
    drops: Vec<(KeyspaceId, u64)>,
}

impl DroppedKeyspaces {
    fn find(&self, keyspace: KeyspaceId) -> Result<usize, usize> {
        self.drops
            .binary_search_by_key(&keyspace, |(keyspace, _)| *keyspace)
    }

    /// Notes a drop. Of two drops of one keyspace the first counts.
    pub(crate) fn insert(&mut self, keyspace: KeyspaceId, sequence: u64) {
        match self.find(keyspace) {
            Err(place) => self.drops.insert(place, (keyspace, sequence)),
            Ok(place) => {
                if let Some((_, first)) = self.drops.get_mut(place) {
                    *first = sequence.min(*first);
                }
            }
        }
    }

    /// Forgets a drop, once nothing of the keyspace is stored any more.
    pub(crate) fn remove(&mut self, keyspace: KeyspaceId) {
        if let Ok(place) = self.find(keyspace) {
            self.drops.remove(place);
        }
    }

    /// Those that were dropped up to a sequence number.
    pub(crate) fn until(self: &Arc<Self>, sequence: u64) -> Arc<DroppedKeyspaces> {
        if self.drops.iter().all(|(_, dropped)| *dropped <= sequence) {
            return Arc::clone(self);
        }
        let drops = self
            .drops
            .iter()
            .filter(|(_, dropped)| *dropped <= sequence);
        Arc::new(DroppedKeyspaces {
            drops: drops.copied().collect(),
        })
    }

    /// The sequence number at which a keyspace was dropped.
    pub(crate) fn dropped_at(&self, keyspace: KeyspaceId) -> Option<u64> {
        // Mostly there are none.
        if self.drops.is_empty() {
            return None;
        }
        let place = self.find(keyspace).ok()?;
        self.drops.get(place).map(|(_, sequence)| *sequence)
    }

    /// Whether a reader at `sequence` sees nothing of a keyspace.
    pub(crate) fn hides(&self, keyspace: KeyspaceId, sequence: u64) -> bool {
        self.dropped_at(keyspace)
            .is_some_and(|dropped| dropped <= sequence)
    }

    /// Number of keyspaces.
    pub(crate) fn len(&self) -> usize {
        self.drops.len()
    }

    /// All, in order of id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (KeyspaceId, u64)> + '_ {
        self.drops.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_from_the_drop_on() {
        let mut dropped = DroppedKeyspaces::default();
        dropped.insert(KeyspaceId(5), 10);
        dropped.insert(KeyspaceId(2), 20);
        dropped.insert(KeyspaceId(5), 30);
        assert!(!dropped.hides(KeyspaceId(5), 9));
        assert!(dropped.hides(KeyspaceId(5), 10));
        assert!(!dropped.hides(KeyspaceId(3), u64::MAX));
        assert_eq!(
            dropped.iter().collect::<Vec<_>>(),
            [(KeyspaceId(2), 20), (KeyspaceId(5), 10)]
        );
        dropped.remove(KeyspaceId(2));
        dropped.remove(KeyspaceId(2));
        assert_eq!(dropped.len(), 1);
    }
}
