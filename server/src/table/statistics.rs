//! Live item counts and sizes, and how they outlive a restart and a crash.
//!
//! DynamoDB brings `ItemCount` and the sizes up to date about every six hours (API reference,
//! `TableDescription`); here they follow every write. In memory that is two atomic additions per
//! keyspace and write. On disk there is one small record per keyspace, which is rewritten when the
//! store is closed, and which says whether it is exact. The first write to a table after that puts
//! "no longer exact" into its own batch, so that the mark is durable whenever the write is. After a
//! crash exactly the tables that were written to are inexact, and those are counted anew in the
//! background from the state that was opened: see [`super::recount`]. Meanwhile they show what they
//! had at the last close, plus what was written since.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use crate::store::{Batch, KeyspaceId, Transaction, system};

/// Count and size of what one keyspace holds: `ItemCount` and `TableSizeBytes` (`IndexSizeBytes`).
#[derive(Debug)]
pub struct Statistics {
    keyspace: KeyspaceId,
    item_count: AtomicI64,
    size_bytes: AtomicI64,
    /// Whether the record on disk says that it is exact. Cleared once, by the first write.
    exact_on_disk: AtomicBool,
    /// The figures as they were found on disk.
    opened: (i64, i64),
    /// Whether those are wrong, until a recount corrects what came of them.
    awaits_recount: AtomicBool,
}

impl Statistics {
    /// Figures of a keyspace that was just created: nothing, and nothing on disk.
    pub fn new(keyspace: KeyspaceId) -> Arc<Self> {
        Self::with(
            keyspace,
            Record {
                item_count: 0,
                size_bytes: 0,
                exact: true,
            },
            false,
        )
    }

    /// Figures as they were found on disk: exact ones, or ones that await a recount.
    pub(super) fn load(keyspace: KeyspaceId, found: Option<Record>) -> Arc<Self> {
        // A keyspace without a record was created after the last close, and written to or not.
        let none = Record {
            item_count: 0,
            size_bytes: 0,
            exact: false,
        };
        let record = found.unwrap_or(none);
        Self::with(keyspace, record, !record.exact)
    }

    fn with(keyspace: KeyspaceId, record: Record, awaits_recount: bool) -> Arc<Self> {
        Arc::new(Self {
            keyspace,
            item_count: AtomicI64::new(record.item_count),
            size_bytes: AtomicI64::new(record.size_bytes),
            exact_on_disk: AtomicBool::new(record.exact),
            opened: (record.item_count, record.size_bytes),
            awaits_recount: AtomicBool::new(awaits_recount),
        })
    }

    /// Must be called in every transaction that writes to the keyspace, before it commits: what is
    /// on disk is then no longer exact. Almost always this is one load of an atomic.
    pub fn mark(&self, transaction: &mut Transaction) {
        if self.exact_on_disk.load(Ordering::Acquire) {
            transaction.put(
                system::statistics(self.keyspace),
                self.record(false).encode(),
            );
        }
    }

    /// Takes a committed write into account: `items` more (or fewer), `bytes` more (or fewer).
    /// Must be called after every commit of a transaction that called [`Statistics::mark`].
    pub fn add(&self, items: i64, bytes: i64) {
        // Only now: whoever skips the mark commits later than the batch that has it.
        if self.exact_on_disk.load(Ordering::Relaxed) {
            self.exact_on_disk.store(false, Ordering::Release);
        }
        if items != 0 {
            self.item_count.fetch_add(items, Ordering::Relaxed);
        }
        if bytes != 0 {
            self.size_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Number of items. Never negative, even while a recount is under way.
    pub fn item_count(&self) -> i64 {
        self.item_count.load(Ordering::Relaxed).max(0)
    }

    /// Size of all items in DynamoDB's bytes. Never negative.
    pub fn size_bytes(&self) -> i64 {
        self.size_bytes.load(Ordering::Relaxed).max(0)
    }

    /// The keyspace that is counted.
    pub(super) fn keyspace(&self) -> KeyspaceId {
        self.keyspace
    }

    /// Whether the figures are wrong until a recount corrects them.
    pub(super) fn awaits_recount(&self) -> bool {
        self.awaits_recount.load(Ordering::Acquire)
    }

    /// Corrects the figures by what was `counted` in the state that was opened. What has been added
    /// since stays.
    pub(super) fn correct(&self, counted: (i64, i64)) {
        self.item_count
            .fetch_add(counted.0 - self.opened.0, Ordering::Relaxed);
        self.size_bytes
            .fetch_add(counted.1 - self.opened.1, Ordering::Relaxed);
        self.awaits_recount.store(false, Ordering::Release);
    }

    /// Puts the figures into `batch`, if they differ from what is on disk. Only for the moment
    /// between the last write and the end: they are exact then, unless a recount has not ended.
    pub(super) fn save(&self, batch: &mut Batch) {
        if !self.exact_on_disk.load(Ordering::Acquire) {
            let exact = !self.awaits_recount();
            batch.put(
                system::statistics(self.keyspace),
                self.record(exact).encode(),
            );
        }
    }

    /// What is written when the keyspace is created.
    pub(super) fn save_new(&self, batch: &mut Batch) {
        batch.put(
            system::statistics(self.keyspace),
            self.record(true).encode(),
        );
    }

    fn record(&self, exact: bool) -> Record {
        Record {
            item_count: self.item_count.load(Ordering::Relaxed),
            size_bytes: self.size_bytes.load(Ordering::Relaxed),
            exact,
        }
    }
}

/// The figures on disk: form (1), exact (0 or 1), item count and size as i64, big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    item_count: i64,
    size_bytes: i64,
    exact: bool,
}

/// Form of [`Record`]. On disk: do not change.
const FORM: u8 = 1;

impl Record {
    fn encode(self) -> Vec<u8> {
        let mut bytes = vec![FORM, u8::from(self.exact)];
        bytes.extend_from_slice(&self.item_count.to_be_bytes());
        bytes.extend_from_slice(&self.size_bytes.to_be_bytes());
        bytes
    }

    /// `None` if the bytes are not of that form: they are then as good as missing, since a recount
    /// puts them right.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[FORM, exact @ (0 | 1)], numbers) = bytes.split_first_chunk::<2>()? else {
            return None;
        };
        let (item_count, numbers) = numbers.split_first_chunk::<8>()?;
        let size_bytes = <[u8; 8]>::try_from(numbers).ok()?;
        Some(Self {
            item_count: i64::from_be_bytes(*item_count),
            size_bytes: i64::from_be_bytes(size_bytes),
            exact: exact == 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(item_count: i64, size_bytes: i64, exact: bool) {
            let record = Record { item_count, size_bytes, exact };
            prop_assert_eq!(Record::decode(&record.encode()), Some(record));
        }

        #[test]
        fn other_bytes_are_no_record(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let valid = bytes.len() == 18 && bytes[0] == FORM && bytes[1] < 2;
            prop_assert_eq!(Record::decode(&bytes).is_some(), valid);
        }
    }

    #[test]
    fn a_recount_keeps_what_was_added_meanwhile() {
        let found = Record {
            item_count: 7,
            size_bytes: 70,
            exact: false,
        };
        let statistics = Statistics::load(KeyspaceId(20), Some(found));
        assert!(statistics.awaits_recount());
        statistics.add(2, 20);
        statistics.correct((100, 1000));
        assert_eq!(
            (statistics.item_count(), statistics.size_bytes()),
            (102, 1020)
        );
        assert!(!statistics.awaits_recount());
    }
}
