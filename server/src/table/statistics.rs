//! Live item counts and sizes of a table or a secondary index.

use std::sync::atomic::{AtomicI64, Ordering};

/// Count and size of what one keyspace holds: `ItemCount` and `TableSizeBytes` (`IndexSizeBytes`).
///
/// DynamoDB brings these figures up to date about every six hours (API reference,
/// `TableDescription`); here they follow every write. They are two atomic additions per keyspace
/// and write, nothing more.
#[derive(Debug, Default)]
pub struct Statistics {
    item_count: AtomicI64,
    size_bytes: AtomicI64,
}

impl Statistics {
    /// Figures that start at `item_count` items of `size_bytes` bytes.
    pub fn new(item_count: i64, size_bytes: i64) -> Self {
        Self {
            item_count: AtomicI64::new(item_count),
            size_bytes: AtomicI64::new(size_bytes),
        }
    }

    /// Takes a committed write into account: `items` more (or fewer), `bytes` more (or fewer).
    pub fn add(&self, items: i64, bytes: i64) {
        if items != 0 {
            self.item_count.fetch_add(items, Ordering::Relaxed);
        }
        if bytes != 0 {
            self.size_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Number of items. Never negative, even while a recount after a crash is under way.
    pub fn item_count(&self) -> i64 {
        self.item_count.load(Ordering::Relaxed).max(0)
    }

    /// Size of all items in DynamoDB's bytes. Never negative.
    pub fn size_bytes(&self) -> i64 {
        self.size_bytes.load(Ordering::Relaxed).max(0)
    }
}
