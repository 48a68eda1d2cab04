//! A change from one version to the next, and its bytes.
//!
//! An edit is a sequence of fields, each a tag (u8) and what the tag says. Integers are varints
//! unless stated. A reader that meets a tag it does not know refuses the manifest: it was written
//! by a newer engine, and to leave something out would be to guess.
//!
//! | tag | content |
//! |---|---|
//! | 1 | file added: level, file id, size, CRC-32 of the file (u32 little-endian), [`Properties`] |
//! | 2 | file removed: level, file id |
//! | 3 | flushed sequence number: all up to it are in SSTables |
//! | 4 | next file id: no file had this id or a higher one |
//! | 5 | keyspace limit: no keyspace had this id or a higher one |
//! | 6 | keyspace dropped: id, sequence number of the drop |
//! | 7 | dropped keyspace gone, as nothing of it is stored: id |
//! | 8 | epoch: all commits of the WAL of this epoch, and of earlier ones, are in SSTables |
//! | 9 | time sample: sequence number, milliseconds since 1970-01-01 UTC |
//! | 10 | retention window: keyspace, its length in milliseconds (0 ends it), its floor |
//! | 11 | pin: its id, keyspace, sequence number |
//! | 12 | pin ended: its id |
//! | 13 | another time sample: what both numbers have more than those of the one before it in the edit |
//! | 14 | a range of keyspaces that are gone: the first id, how many more |
//! | 15 | fork, or more of it copied: keyspace, source, sequence number of the source, sequence number at which it was made, the last copied key without keyspace id (its length before it) |
//! | 16 | fork copied out, or read by nobody: keyspace |

use super::histories::HistoryChange;
use crate::key::KeyspaceId;
use crate::sstable::{FileMeta, Properties};
use crate::varint::{Cursor, push_varint};

// Do not change: they are on disk.
const ADDED: u8 = 1;
const REMOVED: u8 = 2;
const FLUSHED_SEQUENCE: u8 = 3;
const NEXT_FILE_ID: u8 = 4;
const KEYSPACE_LIMIT: u8 = 5;
const DROPPED: u8 = 6;
const GONE: u8 = 7;
const EPOCH: u8 = 8;
const TIME: u8 = 9;
const NEXT_TIME: u8 = 13;
const GONE_RANGE: u8 = 14;

/// What an edit gives, or a description of what in it is wrong.
pub(super) type Fit<T> = std::result::Result<T, String>;

/// A change of the state. Fields that are absent stay as they are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct VersionEdit {
    /// Files added, with their level. A file that is also removed from another level moves.
    pub(crate) added: Vec<(usize, FileMeta)>,
    /// Files removed: level, file id.
    pub(crate) removed: Vec<(usize, u64)>,
    /// All commits up to this sequence number are in SSTables: the WAL is not needed for them.
    pub(crate) flushed_sequence: Option<u64>,
    /// Filled in by the version set.
    pub(crate) next_file_id: Option<u64>,
    /// Keyspace ids below this one may be in use.
    pub(crate) keyspace_limit: Option<u32>,
    /// Keyspaces dropped, each with the sequence number of its drop.
    pub(crate) dropped: Vec<(KeyspaceId, u64)>,
    /// Dropped keyspaces of which nothing is stored any more: the first and the last id of ranges.
    pub(crate) gone: Vec<(u32, u32)>,
    /// All commits of the WAL of this epoch, and of earlier ones, are in SSTables.
    pub(crate) epoch: Option<u64>,
    /// Samples of (sequence number, milliseconds since 1970).
    pub(crate) times: Vec<(u64, u64)>,
    /// Windows, pins and forks: in this order.
    pub(crate) histories: Vec<HistoryChange>,
}

impl VersionEdit {
    /// Appends the bytes.
    pub(crate) fn encode(&self, bytes: &mut Vec<u8>) {
        for (level, file) in &self.added {
            bytes.push(ADDED);
            push_varint(bytes, *level as u64);
            push_varint(bytes, file.file_id);
            push_varint(bytes, file.size);
            bytes.extend_from_slice(&file.checksum.to_le_bytes());
            file.properties.encode(bytes);
        }
        for (level, file_id) in &self.removed {
            bytes.push(REMOVED);
            push_varint(bytes, *level as u64);
            push_varint(bytes, *file_id);
        }
        let keyspace_limit = self.keyspace_limit.map(u64::from);
        for (tag, number) in [
            (FLUSHED_SEQUENCE, self.flushed_sequence),
            (NEXT_FILE_ID, self.next_file_id),
            (KEYSPACE_LIMIT, keyspace_limit),
            (EPOCH, self.epoch),
        ] {
            if let Some(number) = number {
                bytes.push(tag);
                push_varint(bytes, number);
            }
        }
        for (keyspace, sequence) in &self.dropped {
            bytes.push(DROPPED);
            push_varint(bytes, u64::from(keyspace.0));
            push_varint(bytes, *sequence);
        }
        for (first, last) in &self.gone {
            let more = last.saturating_sub(*first);
            bytes.push(if more == 0 { GONE } else { GONE_RANGE });
            push_varint(bytes, u64::from(*first));
            if more > 0 {
                push_varint(bytes, u64::from(more));
            }
        }
        let mut before: Option<(u64, u64)> = None;
        for (sequence, time_ms) in &self.times {
            let more = before.and_then(|(last_sequence, last_time)| {
                let sequence = sequence.checked_sub(last_sequence)?;
                Some((sequence, time_ms.checked_sub(last_time)?))
            });
            bytes.push(if more.is_some() { NEXT_TIME } else { TIME });
            let (sequence_field, time_field) = more.unwrap_or((*sequence, *time_ms));
            push_varint(bytes, sequence_field);
            push_varint(bytes, time_field);
            before = Some((*sequence, *time_ms));
        }
        for change in &self.histories {
            change.encode(bytes);
        }
    }

    /// Decodes; the error says what was found instead.
    pub(super) fn decode(bytes: &[u8]) -> Fit<VersionEdit> {
        let mut edit = VersionEdit::default();
        let mut cursor = Cursor::new(bytes);
        while let Some(tag) = cursor.u8() {
            match edit.decode_field(tag, &mut cursor) {
                Some(true) => {}
                Some(false) => return Err(format!("a field with the unknown tag {tag}")),
                None => return Err(format!("an incomplete field with tag {tag}")),
            }
        }
        Ok(edit)
    }

    /// `Some(false)` for a tag that is not known, `None` for a field that is not whole.
    fn decode_field(&mut self, tag: u8, cursor: &mut Cursor<'_>) -> Option<bool> {
        match tag {
            ADDED => {
                let level = cursor.varint_usize()?;
                let file = FileMeta {
                    file_id: cursor.varint()?,
                    size: cursor.varint()?,
                    checksum: cursor.u32()?,
                    properties: Properties::decode(cursor)?,
                };
                self.added.push((level, file));
            }
            REMOVED => self
                .removed
                .push((cursor.varint_usize()?, cursor.varint()?)),
            FLUSHED_SEQUENCE => self.flushed_sequence = Some(cursor.varint()?),
            NEXT_FILE_ID => self.next_file_id = Some(cursor.varint()?),
            KEYSPACE_LIMIT => self.keyspace_limit = Some(cursor.varint_u32()?),
            DROPPED => {
                self.dropped
                    .push((KeyspaceId(cursor.varint_u32()?), cursor.varint()?));
            }
            GONE => {
                let keyspace = cursor.varint_u32()?;
                self.gone.push((keyspace, keyspace));
            }
            GONE_RANGE => {
                let first = cursor.varint_u32()?;
                self.gone
                    .push((first, first.checked_add(cursor.varint_u32()?)?));
            }
            EPOCH => self.epoch = Some(cursor.varint()?),
            TIME => self.times.push((cursor.varint()?, cursor.varint()?)),
            NEXT_TIME => {
                let (sequence, time_ms) = *self.times.last()?;
                let sequence = sequence.checked_add(cursor.varint()?)?;
                self.times
                    .push((sequence, time_ms.checked_add(cursor.varint()?)?));
            }
            _ => match HistoryChange::decode(tag, cursor)? {
                Some(change) => self.histories.push(change),
                None => return Some(false),
            },
        }
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::{Overlay, Window};
    use super::*;

    fn edit() -> VersionEdit {
        let properties = Properties {
            smallest: Bytes::from_static(b"a"),
            largest: Bytes::from_static(b"b"),
            entries: 3,
            ..Properties::default()
        };
        let file = FileMeta {
            file_id: 300,
            size: 1 << 25,
            checksum: 0xDEAD_BEEF,
            properties,
        };
        VersionEdit {
            added: vec![(0, file.clone()), (6, file)],
            removed: vec![(2, 7), (0, u64::MAX)],
            flushed_sequence: Some(1 << 50),
            next_file_id: Some(301),
            keyspace_limit: Some(u32::MAX),
            dropped: vec![(KeyspaceId(8), 99)],
            gone: vec![(3, 3), (5, 9), (u32::MAX, u32::MAX)],
            epoch: Some(2),
            times: vec![(10, 1_700_000_000_000), (700, 1_700_000_001_001), (9, 3)],
            histories: histories(),
        }
    }

    fn histories() -> Vec<HistoryChange> {
        let window = Window {
            length_ms: 86_400_000,
            floor: 77,
        };
        let overlay = Overlay {
            source: KeyspaceId(8),
            at: 90,
            created: 300,
            copied: Bytes::from_static(b"key"),
        };
        vec![
            HistoryChange::Window(KeyspaceId(8), window),
            HistoryChange::Pin(u64::MAX, KeyspaceId(9), 90),
            HistoryChange::Unpin(3),
            HistoryChange::Overlay(KeyspaceId(1030), overlay),
            HistoryChange::OverlayEnd(KeyspaceId(1030)),
        ]
    }

    #[test]
    fn comes_back() {
        for edit in [edit(), VersionEdit::default()] {
            let mut bytes = Vec::new();
            edit.encode(&mut bytes);
            assert_eq!(VersionEdit::decode(&bytes), Ok(edit));
        }
    }

    #[test]
    fn cuts_and_unknown_tags_never_panic() {
        let mut bytes = Vec::new();
        edit().encode(&mut bytes);
        for cut in 0..bytes.len() {
            // A cut between two fields is a shorter edit: the record's checksum guards the length.
            if let Ok(shorter) = VersionEdit::decode(&bytes[..cut]) {
                assert_ne!(shorter, edit());
            }
        }
        assert_eq!(
            VersionEdit::decode(&[77]).unwrap_err(),
            "a field with the unknown tag 77"
        );
    }
}
