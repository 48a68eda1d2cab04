//! Which keyspaces were dropped, and when; and which are gone for good.

use std::sync::Arc;

use super::user::KeyspaceId;

/// Dropped keyspaces of which something may still be stored, each with the sequence number of its
/// drop: readers at or behind that see nothing of it, and compaction discards it. And the *gone* ones:
/// those of which nothing is stored any more, and of which nobody ever sees anything again.
///
/// Ids are given out in order and never again, so that the gone ones lie between those in use: what is
/// remembered of them is about as much as there are keyspaces, however many there have been.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct DroppedKeyspaces {
    /// In order of id.
    drops: Vec<(KeyspaceId, u64)>,
    /// The first and the last id of ranges of gone ones, in order. No two touch.
    gone: Vec<(u32, u32)>,
}

impl DroppedKeyspaces {
    fn find(&self, keyspace: KeyspaceId) -> Result<usize, usize> {
        self.drops
            .binary_search_by_key(&keyspace, |(keyspace, _)| *keyspace)
    }

    /// Notes a drop. Of two drops of one keyspace the first counts; a gone one stays so.
    pub(crate) fn insert(&mut self, keyspace: KeyspaceId, sequence: u64) {
        if self.is_gone(keyspace) {
            return;
        }
        match self.find(keyspace) {
            Err(place) => self.drops.insert(place, (keyspace, sequence)),
            Ok(place) => {
                if let Some((_, first)) = self.drops.get_mut(place) {
                    *first = sequence.min(*first);
                }
            }
        }
    }

    /// Some keyspaces, from the first to the last id, are gone: when they were dropped need not be
    /// known any more.
    pub(crate) fn set_gone(&mut self, first: u32, last: u32) {
        self.drops
            .retain(|(keyspace, _)| !(first..=last).contains(&keyspace.0));
        // Those that overlap or touch become one.
        let from = self
            .gone
            .partition_point(|(_, end)| end.checked_add(1).is_some_and(|next| next < first));
        let until = self
            .gone
            .partition_point(|(start, _)| *start <= last.saturating_add(1));
        let joined = self.gone.get(from..until).unwrap_or_default();
        let joined = joined.iter().fold((first, last), |(low, high), range| {
            (low.min(range.0), high.max(range.1))
        });
        self.gone.splice(from..until.max(from), [joined]);
    }

    fn is_gone(&self, keyspace: KeyspaceId) -> bool {
        let place = self.gone.partition_point(|(_, last)| *last < keyspace.0);
        let range = self.gone.get(place);
        range.is_some_and(|(first, _)| *first <= keyspace.0)
    }

    /// The first and the last id of ranges of gone keyspaces, in order.
    pub(crate) fn gone(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.gone.iter().copied()
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
            gone: self.gone.clone(),
        })
    }

    /// The sequence number at which a keyspace was dropped; 0 if it is gone.
    pub(crate) fn dropped_at(&self, keyspace: KeyspaceId) -> Option<u64> {
        if self.is_gone(keyspace) {
            return Some(0);
        }
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

    /// Number of keyspaces that are not gone.
    pub(crate) fn len(&self) -> usize {
        self.drops.len()
    }

    /// All that are not gone, in order of id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (KeyspaceId, u64)> + '_ {
        self.drops.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

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
        dropped.set_gone(2, 2);
        dropped.set_gone(2, 2);
        assert_eq!(dropped.len(), 1);
        dropped.insert(KeyspaceId(2), 40);
        assert_eq!(dropped.len(), 1, "it stays gone");
        assert!(dropped.hides(KeyspaceId(2), 0));
    }

    proptest! {
        #[test]
        fn the_gone_are_a_set(ranges in prop::collection::vec((0u32..40, 0u32..6, any::<bool>()), 0..30)) {
            let mut dropped = DroppedKeyspaces::default();
            let mut model = BTreeSet::new();
            for (start, more, high) in ranges {
                let first = if high { u32::MAX - start } else { start };
                let last = first.saturating_add(more);
                dropped.set_gone(first, last);
                model.extend(first..=last);
            }
            let set: BTreeSet<u32> = dropped.gone().flat_map(|(first, last)| first..=last).collect();
            prop_assert_eq!(&set, &model);
            let apart = dropped.gone.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0);
            prop_assert!(apart, "{:?}", dropped.gone);
            for id in (0..50).chain(u32::MAX - 50..=u32::MAX) {
                prop_assert_eq!(dropped.is_gone(KeyspaceId(id)), model.contains(&id));
            }
        }
    }
}
