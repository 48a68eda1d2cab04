//! What is known about an SSTable without reading it: kept in its properties block, and once more
//! in the manifest.

use bytes::Bytes;

use crate::key::{InternalKeyRef, KeyspaceId, Kind, keyspace_of};
use crate::varint::{Cursor, push_bytes, push_varint};

/// What one keyspace has in an SSTable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeyspaceUse {
    pub(crate) keyspace: KeyspaceId,
    /// Versions, tombstones included.
    pub(crate) entries: u64,
    /// Bytes of keys and values, before compression.
    pub(crate) bytes: u64,
}

/// Properties of the contents of an SSTable.
///
/// Encoding: the fields in the order of their declaration; byte strings with their length before
/// them, integers as varints; `keyspaces` as its count and, for each, the difference of its id to
/// the one before (the first: its id), entries and bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Properties {
    /// The first user key.
    pub(crate) smallest: Bytes,
    /// The last user key.
    pub(crate) largest: Bytes,
    pub(crate) min_sequence: u64,
    pub(crate) max_sequence: u64,
    /// Versions, tombstones included.
    pub(crate) entries: u64,
    pub(crate) tombstones: u64,
    /// Bytes of user keys, each in full.
    pub(crate) key_bytes: u64,
    /// Bytes of values before compression.
    pub(crate) value_bytes: u64,
    pub(crate) data_blocks: u64,
    /// What is in here of which keyspace, in order of id, each once.
    pub(crate) keyspaces: Vec<KeyspaceUse>,
}

impl Properties {
    /// Counts a version that is behind all that were counted. `largest` and `data_blocks` are the
    /// caller's to set in the end.
    pub(super) fn count(&mut self, key: InternalKeyRef<'_>, value_len: usize) {
        if self.entries == 0 {
            self.smallest = Bytes::copy_from_slice(key.user);
            self.min_sequence = key.sequence();
        }
        let bytes = (key.user.len() + value_len) as u64;
        self.entries += 1;
        self.tombstones += u64::from(key.kind() == Some(Kind::Delete));
        self.min_sequence = self.min_sequence.min(key.sequence());
        self.max_sequence = self.max_sequence.max(key.sequence());
        self.key_bytes += key.user.len() as u64;
        self.value_bytes += value_len as u64;
        let Some(keyspace) = keyspace_of(key.user) else {
            return;
        };
        match self.keyspaces.last_mut() {
            Some(last) if last.keyspace == keyspace => {
                last.entries += 1;
                last.bytes += bytes;
            }
            _ => self.keyspaces.push(KeyspaceUse {
                keyspace,
                entries: 1,
                bytes,
            }),
        }
    }

    /// Appends the encoding.
    pub(crate) fn encode(&self, bytes: &mut Vec<u8>) {
        push_bytes(bytes, &self.smallest);
        push_bytes(bytes, &self.largest);
        for field in [
            self.min_sequence,
            self.max_sequence,
            self.entries,
            self.tombstones,
            self.key_bytes,
            self.value_bytes,
            self.data_blocks,
            self.keyspaces.len() as u64,
        ] {
            push_varint(bytes, field);
        }
        let mut last = 0;
        for keyspace in &self.keyspaces {
            push_varint(bytes, u64::from(keyspace.keyspace.0.wrapping_sub(last)));
            push_varint(bytes, keyspace.entries);
            push_varint(bytes, keyspace.bytes);
            last = keyspace.keyspace.0;
        }
    }

    /// Decodes; `None` if the bytes cannot be properties.
    pub(crate) fn decode(cursor: &mut Cursor<'_>) -> Option<Properties> {
        let mut properties = Properties {
            smallest: Bytes::copy_from_slice(cursor.bytes()?),
            largest: Bytes::copy_from_slice(cursor.bytes()?),
            min_sequence: cursor.varint()?,
            max_sequence: cursor.varint()?,
            entries: cursor.varint()?,
            tombstones: cursor.varint()?,
            key_bytes: cursor.varint()?,
            value_bytes: cursor.varint()?,
            data_blocks: cursor.varint()?,
            keyspaces: Vec::new(),
        };
        let count = cursor.varint_usize()?;
        // Each takes three bytes at least: a wrong count does not make us allocate.
        if count > cursor.remaining() / 3 {
            return None;
        }
        properties.keyspaces.reserve_exact(count);
        let mut last: Option<u32> = None;
        for _ in 0..count {
            let delta = cursor.varint_u32()?;
            if last.is_some() && delta == 0 {
                return None;
            }
            let id = last.unwrap_or(0).checked_add(delta)?;
            last = Some(id);
            properties.keyspaces.push(KeyspaceUse {
                keyspace: KeyspaceId(id),
                entries: cursor.varint()?,
                bytes: cursor.varint()?,
            });
        }
        (properties.smallest <= properties.largest).then_some(properties)
    }
}

/// An SSTable as the manifest knows it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct FileMeta {
    /// Never used twice.
    pub(crate) file_id: u64,
    /// Bytes of the file.
    pub(crate) size: u64,
    /// CRC-32 (IEEE) of the whole file, for verification and copies; reads do not need it.
    pub(crate) checksum: u32,
    pub(crate) properties: Properties,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties() -> Properties {
        let keyspace = |id, entries, bytes| KeyspaceUse {
            keyspace: KeyspaceId(id),
            entries,
            bytes,
        };
        Properties {
            smallest: Bytes::from_static(b"a"),
            largest: Bytes::from_static(b"zz"),
            min_sequence: 3,
            max_sequence: u64::MAX,
            entries: 100,
            tombstones: 7,
            key_bytes: 300,
            value_bytes: 1 << 40,
            data_blocks: 2,
            keyspaces: vec![
                keyspace(0, 1, 10),
                keyspace(5, 2, 1 << 33),
                keyspace(u32::MAX, 97, 0),
            ],
        }
    }

    #[test]
    fn comes_back() {
        let mut bytes = Vec::new();
        properties().encode(&mut bytes);
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(Properties::decode(&mut cursor), Some(properties()));
        assert_eq!(cursor.remaining(), 0);
    }

    #[test]
    fn every_cut_is_refused() {
        let mut bytes = Vec::new();
        properties().encode(&mut bytes);
        for cut in 0..bytes.len() {
            assert_eq!(
                Properties::decode(&mut Cursor::new(&bytes[..cut])),
                None,
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn a_keyspace_twice_is_refused() {
        let mut twice = properties();
        twice.keyspaces[1].keyspace = KeyspaceId(0);
        let mut bytes = Vec::new();
        twice.encode(&mut bytes);
        assert_eq!(Properties::decode(&mut Cursor::new(&bytes)), None);
    }
}
