//! Which sequence numbers somebody still reads at.

use std::collections::BTreeMap;

use super::watermark::Durable;

use crate::sync::Mutex;

/// The live snapshots.
#[derive(Default)]
pub(super) struct SnapshotRegistry {
    /// How many there are of each sequence number.
    live: Mutex<BTreeMap<u64, usize>>,
}

impl SnapshotRegistry {
    /// Registers a snapshot of all that is durable. Under the lock, so that a compaction that lists
    /// the snapshots either sees it or has no newer durable version than it to go by.
    pub(super) fn register(&self, durable: &Durable) -> u64 {
        let mut live = self.live.lock();
        let sequence = durable.sequence();
        *live.entry(sequence).or_default() += 1;
        sequence
    }

    pub(super) fn release(&self, sequence: u64) {
        let mut live = self.live.lock();
        if let Some(count) = live.get_mut(&sequence) {
            *count -= 1;
            if *count == 0 {
                live.remove(&sequence);
            }
        }
    }

    /// The sequence numbers of the live snapshots, rising, and the one up to which all is durable
    /// now: the next snapshot will not be below it.
    pub(super) fn boundaries(&self, durable: &Durable) -> (Vec<u64>, u64) {
        let live = self.live.lock();
        (live.keys().copied().collect(), durable.sequence())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.live.lock().values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_the_live_snapshots_and_the_present() {
        let (registry, durable) = (SnapshotRegistry::default(), Durable::new(5));
        assert_eq!(registry.boundaries(&durable), (vec![], 5));
        assert_eq!(registry.register(&durable), 5);
        assert_eq!(registry.register(&durable), 5);
        durable.publish(9);
        assert_eq!(registry.register(&durable), 9);
        durable.publish(12);
        assert_eq!(registry.boundaries(&durable), (vec![5, 9], 12));
        registry.release(5);
        assert_eq!(registry.boundaries(&durable), (vec![5, 9], 12));
        registry.release(5);
        assert_eq!(registry.boundaries(&durable), (vec![9], 12));
        assert_eq!(registry.count(), 1);
    }
}
