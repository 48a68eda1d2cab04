//! The memtable: recent versions of keys, in memory, in key order.
//!
//! A skip list that is only ever inserted into: every version is an entry of its own, an overwrite
//! or a deletion is a newer entry, and the whole list is dropped once it is in an SSTable. Nothing
//! is removed from it, which spares readers the garbage of `crossbeam-epoch`. Any number of threads
//! insert and read at the same time.
//!
//! Going backward costs a search per entry, since the list has no back links.

mod iter;

use std::ops::Bound;
use std::sync::Arc;

use crossbeam_skiplist::SkipMap;

pub(crate) use iter::MemtableIter;

use crate::Value;
use crate::key::{InternalKey, InternalKeyRef, InternalOrd, KeyspaceId, Kind};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// What an entry costs beside the bytes of its key and value: the list's node with its tower (two
/// levels on average), the boxes' and the allocator's headers.
const ENTRY_OVERHEAD: usize = 112;

type Map = SkipMap<InternalKey, Value>;

/// A set of versions in memory.
#[derive(Default)]
pub(crate) struct Memtable {
    map: Map,
    bytes: AtomicUsize,
    /// Keyspaces dropped by commits of this memtable, each with the commit's sequence number.
    dropped: Mutex<Vec<(KeyspaceId, u64)>>,
}

/// The newest version of a key that a reader may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    pub(crate) value: Value,
}

impl Memtable {
    /// Adds a version. No two may have the same key and sequence number.
    pub(crate) fn insert(&self, key: InternalKey, value: Value) {
        let bytes = key.as_bytes().len() + value.len() + ENTRY_OVERHEAD;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.map.insert(key, value);
    }

    /// Notes that a keyspace was dropped.
    pub(crate) fn drop_keyspace(&self, keyspace: KeyspaceId, sequence: u64) {
        self.bytes
            .fetch_add(size_of::<(KeyspaceId, u64)>(), Ordering::Relaxed);
        self.dropped.lock().push((keyspace, sequence));
    }

    /// The keyspaces dropped by commits of this memtable.
    pub(crate) fn dropped(&self) -> Vec<(KeyspaceId, u64)> {
        self.dropped.lock().clone()
    }

    /// The newest version of a key up to a sequence number, be it a value or a tombstone.
    pub(crate) fn get(&self, user_key: &[u8], sequence: u64) -> Option<Found> {
        let target = InternalKeyRef::seek(user_key, sequence);
        let entry = self
            .map
            .lower_bound(Bound::Included(&target as &dyn InternalOrd))?;
        let key = entry.key().as_ref();
        if key.user != user_key {
            return None;
        }
        Some(Found {
            sequence: key.sequence(),
            kind: key.kind()?,
            value: entry.value().clone(),
        })
    }

    /// An iterator over all versions. It sees what is inserted meanwhile, if it comes past it.
    pub(crate) fn iter(self: &Arc<Self>) -> MemtableIter {
        MemtableIter::new(Arc::clone(self))
    }

    /// Bytes of memory that it takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether nothing was ever written to it.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes() == 0
    }
}

#[cfg(test)]
mod tests;
