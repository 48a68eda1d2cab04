//! What of the past is kept beside what live snapshots see: retention windows and pins.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::key::KeyspaceId;
use crate::varint::{Cursor, push_varint};

// Do not change: they are on disk, as tags of an edit's fields.
const WINDOW: u8 = 10;
const PIN: u8 = 11;
const UNPIN: u8 = 12;

/// How much of the past of a keyspace is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    /// Milliseconds.
    pub(crate) length_ms: u64,
    /// The oldest sequence number that may be read as of: what only readers below it saw may be
    /// gone. It only ever rises.
    pub(crate) floor: u64,
}

/// The windows and pins of one version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Histories {
    windows: BTreeMap<KeyspaceId, Window>,
    /// By the pin's id and the keyspace: the sequence number.
    pins: BTreeMap<(u64, KeyspaceId), u64>,
}

/// A change of [`Histories`], a field of an edit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum HistoryChange {
    /// The window of a keyspace, new or another one, or with a higher floor. A length of 0 ends it.
    Window(KeyspaceId, Window),
    /// A pin, by its id, keeps a keyspace as it is at a sequence number.
    Pin(u64, KeyspaceId, u64),
    /// The pin of this id ends, in all keyspaces.
    Unpin(u64),
}

impl HistoryChange {
    /// Appends the field, with its tag.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        let mut push = |tag: u8, numbers: &[u64]| {
            bytes.push(tag);
            numbers
                .iter()
                .for_each(|number| push_varint(bytes, *number));
        };
        match self {
            HistoryChange::Window(keyspace, Window { length_ms, floor }) => {
                push(WINDOW, &[u64::from(keyspace.0), *length_ms, *floor]);
            }
            HistoryChange::Pin(pin, keyspace, sequence) => {
                push(PIN, &[*pin, u64::from(keyspace.0), *sequence]);
            }
            HistoryChange::Unpin(pin) => push(UNPIN, &[*pin]),
        }
    }

    /// Decodes what follows a tag: `Some(None)` for the tag of another field, `None` for a field
    /// that is not whole.
    pub(super) fn decode(tag: u8, cursor: &mut Cursor<'_>) -> Option<Option<HistoryChange>> {
        let keyspace = |cursor: &mut Cursor<'_>| cursor.varint_u32().map(KeyspaceId);
        Some(Some(match tag {
            WINDOW => HistoryChange::Window(
                keyspace(cursor)?,
                Window {
                    length_ms: cursor.varint()?,
                    floor: cursor.varint()?,
                },
            ),
            PIN => HistoryChange::Pin(cursor.varint()?, keyspace(cursor)?, cursor.varint()?),
            UNPIN => HistoryChange::Unpin(cursor.varint()?),
            _ => return Some(None),
        }))
    }
}

impl Histories {
    /// The retention window of a keyspace.
    #[cfg(test)]
    pub(crate) fn window(&self, keyspace: KeyspaceId) -> Option<Window> {
        self.windows.get(&keyspace).copied()
    }

    /// All windows, in order of keyspace.
    pub(crate) fn windows(&self) -> impl Iterator<Item = (KeyspaceId, Window)> + '_ {
        self.windows
            .iter()
            .map(|(keyspace, window)| (*keyspace, *window))
    }

    /// Milliseconds of the longest window; 0 if there is none.
    pub(super) fn longest_window_ms(&self) -> u64 {
        let lengths = self.windows.values().map(|window| window.length_ms);
        lengths.max().unwrap_or(0)
    }

    /// All pins: id, keyspace and sequence number, in this order.
    pub(crate) fn pins(&self) -> impl Iterator<Item = (u64, KeyspaceId, u64)> + '_ {
        let pins = self.pins.iter();
        pins.map(|((pin, keyspace), sequence)| (*pin, *keyspace, *sequence))
    }

    /// Dropped keyspaces, from the first to the last id, are gone: their windows end.
    pub(super) fn forget(self: &mut Arc<Self>, first: u32, last: u32) {
        let gone = KeyspaceId(first)..=KeyspaceId(last);
        if self.windows.range(gone.clone()).next().is_some() {
            let windows = &mut Arc::make_mut(self).windows;
            windows.retain(|keyspace, _| !gone.contains(keyspace));
        }
    }

    /// Makes a change.
    pub(super) fn apply(&mut self, change: &HistoryChange) {
        match change {
            HistoryChange::Window(keyspace, window) if window.length_ms == 0 => {
                self.windows.remove(keyspace);
            }
            HistoryChange::Window(keyspace, window) => {
                let entry = self.windows.entry(*keyspace).or_insert(*window);
                entry.length_ms = window.length_ms;
                entry.floor = entry.floor.max(window.floor);
            }
            HistoryChange::Pin(pin, keyspace, sequence) => {
                self.pins.insert((*pin, *keyspace), *sequence);
            }
            HistoryChange::Unpin(pin) => self.pins.retain(|(id, _), _| id != pin),
        }
    }

    /// The changes that make this of nothing.
    pub(super) fn to_changes(&self) -> Vec<HistoryChange> {
        let windows = self.windows();
        let windows = windows.map(|(keyspace, window)| HistoryChange::Window(keyspace, window));
        let pins = self.pins();
        let pins = pins.map(|(pin, keyspace, at)| HistoryChange::Pin(pin, keyspace, at));
        windows.chain(pins).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: KeyspaceId = KeyspaceId(1);
    const TWO: KeyspaceId = KeyspaceId(2);

    fn apply(histories: &mut Histories, changes: &[HistoryChange]) {
        changes.iter().for_each(|change| histories.apply(change));
    }

    fn window(length_ms: u64, floor: u64) -> HistoryChange {
        HistoryChange::Window(ONE, Window { length_ms, floor })
    }

    #[test]
    fn changes_make_it_and_make_it_again() {
        let mut histories = Histories::default();
        let changes = [
            window(1000, 5),
            HistoryChange::Pin(7, ONE, 4),
            HistoryChange::Pin(7, TWO, 4),
            HistoryChange::Pin(8, ONE, 6),
        ];
        apply(&mut histories, &changes);
        let pins: Vec<_> = histories.pins().collect();
        assert_eq!(pins, [(7, ONE, 4), (7, TWO, 4), (8, ONE, 6)]);
        let mut again = Histories::default();
        apply(&mut again, &histories.to_changes());
        assert_eq!(again, histories);
        let ends = [
            window(0, 0),
            HistoryChange::Unpin(7),
            HistoryChange::Unpin(8),
        ];
        apply(&mut again, &ends);
        assert_eq!(again, Histories::default());
    }

    #[test]
    fn a_floor_never_falls() {
        let mut histories = Histories::default();
        apply(&mut histories, &[window(1000, 5), window(9000, 2)]);
        let expected = Window {
            length_ms: 9000,
            floor: 5,
        };
        assert_eq!(histories.window(ONE), Some(expected));
    }
}
