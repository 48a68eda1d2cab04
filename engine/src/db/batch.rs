//! A batch: what one commit does, all of it or nothing.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::key::{Key, KeyspaceId, Kind};
use crate::wal::{Record, RecordBuilder};
use crate::{Value, memtable::Memtable};

/// Bytes of keys and values that one batch may have. Far beyond what a request needs; it keeps a WAL
/// group within its length field, and one commit from filling the memory.
const MAX_BATCH_SIZE: usize = 256 << 20;

/// Puts, deletions and drops of keyspaces that are committed together, across keyspaces.
///
/// Of several operations on one key, the last one counts.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// A value, or a deletion.
    writes: BTreeMap<Key, Option<Value>>,
    /// Values under keys that get their sequence number at the commit.
    stamped: BTreeMap<Key, Value>,
    dropped: Vec<KeyspaceId>,
    /// Of the keys and values that were ever put in: what was overwritten within the batch counts.
    size: usize,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a key.
    pub fn put(&mut self, key: Key, value: impl Into<Value>) {
        let value = value.into();
        self.size += key.as_bytes().len() + value.len();
        self.writes.insert(key, Some(value));
    }

    /// Removes a key, whether it exists or not.
    pub fn delete(&mut self, key: Key) {
        self.size += key.as_bytes().len();
        self.writes.insert(key, None);
    }

    /// Sets the value of a key that is made when the batch is committed: its sort part is the sequence
    /// number of the commit, u64 big-endian, and then `suffix`. Nothing else tells writers that do not
    /// know of each other which of them comes first. A second value for the same suffix under the same
    /// partition takes the place of the first, as with [`Self::put`].
    pub fn put_stamped(
        &mut self,
        keyspace: KeyspaceId,
        partition: &[u8],
        suffix: &[u8],
        value: impl Into<Value>,
    ) {
        let (key, value) = (Key::stamped(keyspace, partition, suffix), value.into());
        self.size += key.as_bytes().len() + value.len();
        self.stamped.insert(key, value);
    }

    /// Drops a keyspace with all that is in it, in constant time. Its id is never used again, so
    /// that what is later written to it, also by this batch, is never seen.
    pub fn drop_keyspace(&mut self, keyspace: KeyspaceId) {
        self.size += size_of::<KeyspaceId>();
        self.dropped.push(keyspace);
    }

    /// Whether it does nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.stamped.is_empty() && self.dropped.is_empty()
    }

    /// Bytes of its keys and values.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// What the batch does to a key, if anything: its new value, or `None` for a deletion.
    pub(super) fn get(&self, key: &Key) -> Option<Option<Value>> {
        self.writes.get(key).cloned()
    }

    /// The keyspaces it drops.
    pub(super) fn dropped(&self) -> &[KeyspaceId] {
        &self.dropped
    }

    /// What goes into the log.
    pub(super) fn encode(&self) -> Result<Record> {
        let too_large = || Error::invalid("a batch of more than 256 MiB");
        if self.size > MAX_BATCH_SIZE {
            return Err(too_large());
        }
        let operations = self.writes.len() + self.stamped.len() + self.dropped.len();
        let mut record = RecordBuilder::new(operations, self.size);
        for keyspace in &self.dropped {
            record.drop_keyspace(*keyspace);
        }
        for (key, value) in &self.writes {
            match value {
                Some(value) => record.put(key.as_bytes(), value),
                None => record.delete(key.as_bytes()),
            }
        }
        for (key, value) in &self.stamped {
            record.put_stamped(key.as_bytes(), value);
        }
        record.finish().ok_or_else(too_large)
    }

    /// Puts it into a memtable.
    pub(super) fn apply(self, sequence: u64, memtable: &Memtable) {
        for keyspace in self.dropped {
            memtable.drop_keyspace(keyspace, sequence);
        }
        for (key, value) in self.writes {
            match value {
                Some(value) => memtable.insert(key.into_internal(sequence, Kind::Put), value),
                None => memtable.insert(key.into_internal(sequence, Kind::Delete), Value::new()),
            }
        }
        for (mut key, value) in self.stamped {
            key.stamp(sequence);
            memtable.insert(key.into_internal(sequence, Kind::Put), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_stamped_values_with_one_suffix_the_last_is_kept() {
        let mut batch = Batch::new();
        for (suffix, value) in [(b"a", "first"), (b"b", "other"), (b"a", "last")] {
            batch.put_stamped(KeyspaceId(1), b"partition", suffix, value);
        }
        let values: Vec<_> = batch.stamped.values().map(|value| value.to_vec()).collect();
        assert_eq!(values, [b"last".to_vec(), b"other".to_vec()]);
    }

    fn key(sort: &str) -> Key {
        Key::new(KeyspaceId(1), b"partition", sort.as_bytes())
    }

    #[test]
    fn the_last_operation_on_a_key_counts() {
        let mut batch = Batch::new();
        assert!(batch.is_empty());
        batch.put(key("a"), "1");
        batch.delete(key("a"));
        batch.delete(key("b"));
        batch.put(key("b"), "2");
        assert_eq!(batch.get(&key("a")), Some(None));
        assert_eq!(batch.get(&key("b")), Some(Some(Value::from("2"))));
        assert_eq!(batch.get(&key("c")), None);
        let memtable = Memtable::default();
        batch.apply(7, &memtable);
        assert_eq!(
            memtable.get(key("a").as_bytes(), 7).unwrap().kind,
            Kind::Delete
        );
        assert_eq!(memtable.get(key("b").as_bytes(), 7).unwrap().value, "2");
        assert_eq!(memtable.get(key("b").as_bytes(), 6), None);
    }

    #[test]
    fn a_batch_beyond_the_bound_is_refused() {
        let mut batch = Batch::new();
        let value = Value::from(vec![0; 64 << 20]);
        for name in ["a", "b", "c"] {
            batch.put(key(name), value.clone());
        }
        assert!(batch.encode().is_ok());
        batch.put(key("d"), value);
        assert!(matches!(batch.encode(), Err(Error::InvalidArgument(_))));
    }
}
