//! The bytes of a stream record.
//!
//! ```text
//! record := form u8 = 1 | flags u8 | time u64 BE | part*
//! flags  := event (2 bits: 1 insert, 2 modify, 3 remove) | 04 by the service
//!         | 08 keys follow | 10 the new image follows | 20 the old image follows
//! part   := length u32 BE | item
//! ```
//!
//! The keys are there if no image is: an image has them. What else DynamoDB says of a record follows
//! from the stream and the key under which it stands.
//!
//! This form is on disk: do not change it.

use bytes::{Buf as _, Bytes};
use thiserror::Error;

use crate::item::Item;

const FORM: u8 = 1;
const EVENT: u8 = 0x03;
const BY_SERVICE: u8 = 0x04;
const KEYS: u8 = 0x08;
const NEW: u8 = 0x10;
const OLD: u8 = 0x20;

/// Bytes of a record before its items.
const HEADER_BYTES: usize = 10;

/// `eventName`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// There was no item.
    Insert,
    /// The item became another one.
    Modify,
    /// The item went.
    Remove,
}

impl Event {
    /// DynamoDB's name of the event.
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Modify => "MODIFY",
            Self::Remove => "REMOVE",
        }
    }
}

/// What is kept of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// What happened.
    pub event: Event,
    /// Whether the service did it, because the item had expired.
    pub by_service: bool,
    /// When: Unix milliseconds.
    pub time_ms: u64,
    /// The attributes of the primary key, if there is no image.
    pub keys: Option<Item>,
    /// The item after the change, if the stream's view has it.
    pub new: Option<Item>,
    /// The item before the change, if the stream's view has it.
    pub old: Option<Item>,
}

/// Bytes that are no stream record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a stream record has no valid {what}")]
pub struct CorruptRecord {
    what: &'static str,
}

impl ChangeRecord {
    /// The bytes to store.
    pub fn encode(&self) -> Vec<u8> {
        let parts = [(KEYS, &self.keys), (NEW, &self.new), (OLD, &self.old)];
        let parts = parts.map(|(flag, item)| (flag, item.as_ref().map(Item::as_ref)));
        let items = parts.iter().filter_map(|(_, item)| *item);
        let size: usize = items.map(|item| 4 + item.as_bytes().len()).sum();
        let mut bytes = Vec::with_capacity(HEADER_BYTES + size);
        let event = match self.event {
            Event::Insert => 1,
            Event::Modify => 2,
            Event::Remove => 3,
        };
        let service = if self.by_service { BY_SERVICE } else { 0 };
        let present = parts.iter().filter(|(_, item)| item.is_some());
        let flags = present.fold(event | service, |flags, (flag, _)| flags | flag);
        bytes.extend_from_slice(&[FORM, flags]);
        bytes.extend_from_slice(&self.time_ms.to_be_bytes());
        for item in parts.into_iter().filter_map(|(_, item)| item) {
            // An item is far smaller than that.
            let length = u32::try_from(item.as_bytes().len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(item.as_bytes());
        }
        bytes
    }

    /// The record in `bytes`. Its items share them.
    pub fn decode(mut bytes: Bytes) -> Result<Self, CorruptRecord> {
        let wrong = |what| CorruptRecord { what };
        if bytes.try_get_u8() != Ok(FORM) {
            return Err(wrong("form"));
        }
        let flags = bytes.try_get_u8().map_err(|_| wrong("flags"))?;
        if flags & !(EVENT | BY_SERVICE | KEYS | NEW | OLD) != 0 {
            return Err(wrong("flags"));
        }
        let event = match flags & EVENT {
            1 => Event::Insert,
            2 => Event::Modify,
            3 => Event::Remove,
            _ => return Err(wrong("event")),
        };
        let time_ms = bytes.try_get_u64().map_err(|_| wrong("time"))?;
        let mut part = |flag| {
            (flags & flag != 0)
                .then(|| take_item(&mut bytes))
                .transpose()
        };
        let record = Self {
            event,
            by_service: flags & BY_SERVICE != 0,
            time_ms,
            keys: part(KEYS)?,
            new: part(NEW)?,
            old: part(OLD)?,
        };
        if !bytes.is_empty() {
            return Err(wrong("end"));
        }
        Ok(record)
    }
}

fn take_item(bytes: &mut Bytes) -> Result<Item, CorruptRecord> {
    let wrong = CorruptRecord { what: "item" };
    let length = bytes.try_get_u32().map_err(|_| wrong)? as usize;
    if length > bytes.len() {
        return Err(wrong);
    }
    Item::from_stored(bytes.split_to(length)).map_err(|_| wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{ItemBuilder, Value};

    fn item(text: &str) -> Item {
        ItemBuilder::new().with("a", Value::string(text)).build()
    }

    fn record() -> ChangeRecord {
        ChangeRecord {
            event: Event::Modify,
            by_service: true,
            time_ms: 1_700_000_000_000,
            keys: None,
            new: Some(item("new")),
            old: Some(item("old")),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for event in [Event::Insert, Event::Modify, Event::Remove] {
            for parts in 0..8 {
                let part = |bit: u8, text| (parts & bit != 0).then(|| item(text));
                let record = ChangeRecord {
                    event,
                    by_service: parts == 3,
                    keys: part(1, "keys"),
                    new: part(2, "new"),
                    old: part(4, "old"),
                    ..record()
                };
                assert_eq!(ChangeRecord::decode(record.encode().into()), Ok(record));
            }
        }
    }

    #[test]
    fn other_bytes_are_no_record() {
        let good = record().encode();
        for length in 0..good.len() {
            let cut = Bytes::copy_from_slice(&good[..length]);
            assert!(ChangeRecord::decode(cut).is_err(), "cut at {length}");
        }
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            ChangeRecord::decode(bytes.into())
        };
        assert!(with(0, 2).is_err(), "another form");
        assert!(with(1, 0x40 | 2).is_err(), "an unknown flag");
        assert!(with(1, NEW | OLD).is_err(), "no event");
        assert!(with(1, NEW | 2).is_err(), "bytes behind the end");
        assert!(with(10, 0xFF).is_err(), "a length beyond the end");
    }
}
