//! A commit as bytes: its operations in the order of their keys.
//!
//! ```text
//! record    = length u32 (of what follows) | number of operations u32 | operation …
//! operation = kind u8 | key length u32 | value length u32 | key | value
//! kind      = 0 delete | 1 put | 2 drop keyspace (the key is its id, u32 big-endian)
//!           | 3 stamped put (the sort part of the key begins with eight zeros, which stand for the
//!             commit's sequence number, u64 big-endian)
//! ```

use bytes::{Buf as _, Bytes};

use crate::key::{KeyspaceId, is_stampable};

const DELETE: u8 = 0;
const PUT: u8 = 1;
const DROP_KEYSPACE: u8 = 2;
const STAMPED_PUT: u8 = 3;

/// Bytes of a record beside its operations.
const RECORD_HEADER: usize = 8;

/// Bytes of an operation beside its key and value.
const OPERATION_HEADER: usize = 9;

/// An encoded commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record(Vec<u8>);

impl Record {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Encodes a commit, one operation after the other.
pub(crate) struct RecordBuilder {
    bytes: Vec<u8>,
    operations: u32,
}

impl RecordBuilder {
    /// With room for operations whose keys and values are this long in sum.
    pub(crate) fn new(operations: usize, bytes: usize) -> Self {
        let capacity = RECORD_HEADER + operations * OPERATION_HEADER + bytes;
        let mut buffer = Vec::with_capacity(capacity);
        buffer.resize(RECORD_HEADER, 0);
        RecordBuilder {
            bytes: buffer,
            operations: 0,
        }
    }

    pub(crate) fn put(&mut self, key: &[u8], value: &[u8]) {
        self.push(PUT, key, value);
    }

    pub(crate) fn put_stamped(&mut self, key: &[u8], value: &[u8]) {
        self.push(STAMPED_PUT, key, value);
    }

    pub(crate) fn delete(&mut self, key: &[u8]) {
        self.push(DELETE, key, &[]);
    }

    pub(crate) fn drop_keyspace(&mut self, keyspace: KeyspaceId) {
        self.push(DROP_KEYSPACE, &keyspace.0.to_be_bytes(), &[]);
    }

    /// `None` if the record has outgrown its length field.
    pub(crate) fn finish(mut self) -> Option<Record> {
        let len = u32::try_from(self.bytes.len() - 4).ok()?;
        let header = self.bytes.first_chunk_mut::<RECORD_HEADER>()?;
        let [a, b, c, d] = len.to_le_bytes();
        let [e, f, g, h] = self.operations.to_le_bytes();
        *header = [a, b, c, d, e, f, g, h];
        Some(Record(self.bytes))
    }

    fn push(&mut self, kind: u8, key: &[u8], value: &[u8]) {
        // Lengths past u32 can't be decoded, but then neither does the record's own length fit, and
        // `finish` refuses.
        self.bytes.push(kind);
        self.bytes
            .extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.bytes
            .extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
        self.operations += 1;
    }
}

/// A decoded operation. Keys and values are parts of the buffer that was decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Delete(Bytes),
    Put(Bytes, Bytes),
    DropKeyspace(KeyspaceId),
    /// The key has room for the stamp and is still without it.
    StampedPut(Bytes, Bytes),
}

/// Takes the next record off the payload of a group. `None` if it is not one.
pub(super) fn decode(payload: &mut Bytes) -> Option<Vec<Operation>> {
    let len = payload.try_get_u32_le().ok()? as usize;
    if len > payload.len() {
        return None;
    }
    let mut record = payload.split_to(len);
    let count = record.try_get_u32_le().ok()? as usize;
    // The count comes from the disk: it must not size an allocation by itself.
    if count > record.len() / OPERATION_HEADER {
        return None;
    }
    let mut operations = Vec::with_capacity(count);
    for _ in 0..count {
        operations.push(decode_operation(&mut record)?);
    }
    record.is_empty().then_some(operations)
}

fn decode_operation(record: &mut Bytes) -> Option<Operation> {
    let kind = record.try_get_u8().ok()?;
    let key_len = record.try_get_u32_le().ok()? as usize;
    let value_len = record.try_get_u32_le().ok()? as usize;
    if key_len.checked_add(value_len)? > record.len() {
        return None;
    }
    let key = record.split_to(key_len);
    let value = record.split_to(value_len);
    match kind {
        DELETE if value.is_empty() => Some(Operation::Delete(key)),
        PUT => Some(Operation::Put(key, value)),
        DROP_KEYSPACE if value.is_empty() => {
            let id = <[u8; 4]>::try_from(key.as_ref()).ok()?;
            Some(Operation::DropKeyspace(KeyspaceId(u32::from_be_bytes(id))))
        }
        STAMPED_PUT if is_stampable(&key) => Some(Operation::StampedPut(key, value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::Key;

    fn encode(operations: &[Operation]) -> Vec<u8> {
        let mut builder = RecordBuilder::new(0, 0);
        for operation in operations {
            match operation {
                Operation::Delete(key) => builder.delete(key),
                Operation::Put(key, value) => builder.put(key, value),
                Operation::DropKeyspace(keyspace) => builder.drop_keyspace(*keyspace),
                Operation::StampedPut(key, value) => builder.put_stamped(key, value),
            }
        }
        builder.finish().unwrap().0
    }

    fn operation() -> impl Strategy<Value = Operation> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from);
        prop_oneof![
            bytes().prop_map(Operation::Delete),
            (bytes(), bytes()).prop_map(|(key, value)| Operation::Put(key, value)),
            any::<u32>().prop_map(|id| Operation::DropKeyspace(KeyspaceId(id))),
            (bytes(), bytes(), bytes()).prop_map(|(partition, suffix, value)| {
                let key = Key::stamped(KeyspaceId(1), &partition, &suffix);
                Operation::StampedPut(Bytes::copy_from_slice(key.as_bytes()), value)
            }),
        ]
    }

    proptest! {
        #[test]
        fn records_follow_each_other(
            first in prop::collection::vec(operation(), 0..10),
            second in prop::collection::vec(operation(), 0..10),
        ) {
            let mut payload = Bytes::from([encode(&first), encode(&second)].concat());
            prop_assert_eq!(decode(&mut payload), Some(first));
            prop_assert_eq!(decode(&mut payload), Some(second));
            prop_assert!(payload.is_empty());
        }

        #[test]
        fn damaged_records_do_not_panic(
            operations in prop::collection::vec(operation(), 0..10),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        ) {
            let mut bytes = encode(&operations);
            for (index, byte) in changes {
                let index = index.index(bytes.len());
                bytes[index] = byte;
            }
            let _any_answer = decode(&mut Bytes::from(bytes));
        }
    }

    #[test]
    fn what_is_no_operation_is_refused() {
        let valid = encode(&[Operation::Put(Bytes::from("key"), Bytes::from("value"))]);
        assert!(decode(&mut Bytes::from(valid.clone())).is_some());
        for (at, byte, what) in [
            (8, 4, "an unknown kind"),
            (8, 3, "a stamped put of a key without room for the stamp"),
            (8, 0, "a delete with a value"),
            (8, 2, "a keyspace of three bytes"),
            (9, 99, "a key beyond the end"),
            (9, 2, "bytes behind the last operation"),
            (4, 2, "an operation too few"),
            (7, 0xFF, "four billion operations"),
            (0, 0, "a length short of the contents"),
        ] {
            let mut damaged = valid.clone();
            damaged[at] = byte;
            assert_eq!(decode(&mut Bytes::from(damaged)), None, "{what}");
        }
    }
}
