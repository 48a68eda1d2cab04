//! What of the past is kept beside what live snapshots see: retention windows, pins, and what forks
//! are read over.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::edit::Fit;
use crate::key::KeyspaceId;
use crate::varint::{Cursor, push_bytes, push_varint};

// Do not change: they are on disk, as tags of an edit's fields.
const WINDOW: u8 = 10;
const PIN: u8 = 11;
const UNPIN: u8 = 12;
const OVERLAY: u8 = 15;
const OVERLAY_END: u8 = 16;

/// How much of the past of a keyspace is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    /// Milliseconds.
    pub(crate) length_ms: u64,
    /// The oldest sequence number that may be read as of: what only readers below it saw may be
    /// gone. It only ever rises.
    pub(crate) floor: u64,
}

/// A fork that is not copied out: a keyspace that is read over another one, its source, as that was at
/// one sequence number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Overlay {
    /// The keyspace below. Its id is lower, so that no chain of them comes back to where it began.
    pub(crate) source: KeyspaceId,
    /// What of the source is seen: its commits up to this one.
    pub(crate) at: u64,
    /// When it was made: readers below see nothing in it, and what is copied into it has this
    /// sequence number. Its own commits are above.
    pub(crate) created: u64,
    /// Keys up to this one, without the keyspace id that they begin with, are copied, and are not
    /// looked for in the source any more. Empty at the start.
    pub(crate) copied: Bytes,
}

impl Overlay {
    /// Whether a user key of the fork may still be in the source.
    pub(crate) fn needs_source(&self, user_key: &[u8]) -> bool {
        let suffix = user_key.get(size_of::<KeyspaceId>()..);
        suffix.is_none_or(|suffix| self.copied.is_empty() || *suffix > *self.copied)
    }
}

/// The windows, pins and overlays of one version.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Histories {
    windows: BTreeMap<KeyspaceId, Window>,
    /// By the pin's id and the keyspace: the sequence number.
    pins: BTreeMap<(u64, KeyspaceId), u64>,
    overlays: BTreeMap<KeyspaceId, Overlay>,
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
    /// A keyspace is a fork from now on, or more of it is copied.
    Overlay(KeyspaceId, Overlay),
    /// All of a fork is copied, or nobody can read it any more.
    OverlayEnd(KeyspaceId),
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
            HistoryChange::Overlay(keyspace, overlay) => {
                let (upper, lower) = (u64::from(keyspace.0), u64::from(overlay.source.0));
                push(OVERLAY, &[upper, lower, overlay.at, overlay.created]);
                push_bytes(bytes, &overlay.copied);
            }
            HistoryChange::OverlayEnd(keyspace) => push(OVERLAY_END, &[u64::from(keyspace.0)]),
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
            OVERLAY => HistoryChange::Overlay(
                keyspace(cursor)?,
                Overlay {
                    source: keyspace(cursor)?,
                    at: cursor.varint()?,
                    created: cursor.varint()?,
                    copied: Bytes::copy_from_slice(cursor.bytes()?),
                },
            ),
            OVERLAY_END => HistoryChange::OverlayEnd(keyspace(cursor)?),
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

    /// What a keyspace is read over, if it is a fork that is not copied out.
    pub(crate) fn overlay(&self, keyspace: KeyspaceId) -> Option<&Overlay> {
        // Mostly there are none.
        if self.overlays.is_empty() {
            return None;
        }
        self.overlays.get(&keyspace)
    }

    /// All forks that are not copied out, in order of keyspace.
    pub(crate) fn overlays(&self) -> impl Iterator<Item = (KeyspaceId, &Overlay)> + '_ {
        let overlays = self.overlays.iter();
        overlays.map(|(keyspace, overlay)| (*keyspace, overlay))
    }

    /// The sequence numbers at which pins and forks keep something: for each the keyspace.
    pub(crate) fn held(&self) -> impl Iterator<Item = (KeyspaceId, u64)> + '_ {
        let pins = self.pins();
        let pins = pins.map(|(_, keyspace, sequence)| (keyspace, sequence));
        let sources = self.overlays.values();
        pins.chain(sources.map(|overlay| (overlay.source, overlay.at)))
    }

    /// The highest sequence number that anything here names. The commits up to it were on the disk
    /// before it was named.
    pub(crate) fn newest_sequence(&self) -> u64 {
        let floors = self.windows.values().map(|window| window.floor);
        let created = self.overlays.values().map(|overlay| overlay.created);
        let held = self.held().map(|(_, sequence)| sequence);
        floors.chain(created).chain(held).max().unwrap_or(0)
    }

    /// Dropped keyspaces, from the first to the last id, are gone: their windows end.
    pub(super) fn forget(self: &mut Arc<Self>, first: u32, last: u32) {
        let gone = KeyspaceId(first)..=KeyspaceId(last);
        if self.windows.range(gone.clone()).next().is_some() {
            let windows = &mut Arc::make_mut(self).windows;
            windows.retain(|keyspace, _| !gone.contains(keyspace));
        }
    }

    /// Makes a change; the error says what in it cannot be.
    pub(super) fn apply(&mut self, change: &HistoryChange) -> Fit<()> {
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
            HistoryChange::Overlay(keyspace, overlay) => self.lay(*keyspace, overlay)?,
            HistoryChange::OverlayEnd(keyspace) => {
                self.overlays.remove(keyspace);
            }
        }
        Ok(())
    }

    fn lay(&mut self, keyspace: KeyspaceId, overlay: &Overlay) -> Fit<()> {
        let (source, at, created) = (overlay.source, overlay.at, overlay.created);
        if source >= keyspace {
            return Err(format!("fork {keyspace} of {source}, which is not older"));
        }
        if at > created {
            return Err(format!(
                "fork {keyspace} made at {created} as of {at}, which is later"
            ));
        }
        if let Some(before) = self.overlays.get(&keyspace) {
            let same = (before.source, before.at, before.created) == (source, at, created);
            if !same || before.copied > overlay.copied {
                return Err(format!("fork {keyspace}, which was another one before"));
            }
        }
        self.overlays.insert(keyspace, overlay.clone());
        Ok(())
    }

    /// The changes that make this of nothing.
    pub(super) fn to_changes(&self) -> Vec<HistoryChange> {
        let windows = self.windows();
        let windows = windows.map(|(keyspace, window)| HistoryChange::Window(keyspace, window));
        let pins = self.pins();
        let pins = pins.map(|(pin, keyspace, at)| HistoryChange::Pin(pin, keyspace, at));
        let overlays = self.overlays();
        let overlays =
            overlays.map(|(keyspace, overlay)| HistoryChange::Overlay(keyspace, overlay.clone()));
        windows.chain(pins).chain(overlays).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: KeyspaceId = KeyspaceId(1);
    const TWO: KeyspaceId = KeyspaceId(2);

    fn overlay(source: KeyspaceId, at: u64, copied: &'static [u8]) -> Overlay {
        Overlay {
            source,
            at,
            created: 9,
            copied: Bytes::from_static(copied),
        }
    }

    fn apply(histories: &mut Histories, changes: &[HistoryChange]) -> Fit<()> {
        changes
            .iter()
            .try_for_each(|change| histories.apply(change))
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
            HistoryChange::Overlay(TWO, overlay(ONE, 3, b"")),
            HistoryChange::Overlay(TWO, overlay(ONE, 3, b"k")),
        ];
        apply(&mut histories, &changes).unwrap();
        let held: Vec<_> = histories.held().collect();
        assert_eq!(held, [(ONE, 4), (TWO, 4), (ONE, 6), (ONE, 3)]);
        assert_eq!(histories.newest_sequence(), 9);
        let mut again = Histories::default();
        apply(&mut again, &histories.to_changes()).unwrap();
        assert_eq!(again, histories);
        let ends = [
            window(0, 0),
            HistoryChange::Unpin(7),
            HistoryChange::Unpin(8),
            HistoryChange::OverlayEnd(TWO),
        ];
        apply(&mut again, &ends).unwrap();
        assert_eq!(again, Histories::default());
    }

    #[test]
    fn a_floor_never_falls() {
        let mut histories = Histories::default();
        apply(&mut histories, &[window(1000, 5), window(9000, 2)]).unwrap();
        let expected = Window {
            length_ms: 9000,
            floor: 5,
        };
        assert_eq!(histories.window(ONE), Some(expected));
    }

    #[test]
    fn what_is_copied_is_not_looked_for_below() {
        let mut over = overlay(ONE, 3, b"");
        assert!(over.needs_source(&[0, 0, 0, 2]));
        over.copied = Bytes::from_static(b"k");
        assert!(!over.needs_source(&[0, 0, 0, 2, b'k']));
        assert!(over.needs_source(&[0, 0, 0, 2, b'k', 0]));
    }

    #[test]
    fn overlays_that_cannot_be_are_refused() {
        for (keyspace, wrong) in [
            (ONE, overlay(ONE, 3, b"")),
            (ONE, overlay(TWO, 3, b"")),
            (TWO, overlay(ONE, 10, b"")),
        ] {
            let change = HistoryChange::Overlay(keyspace, wrong);
            assert!(Histories::default().apply(&change).is_err(), "{change:?}");
        }
        let mut histories = Histories::default();
        let first = HistoryChange::Overlay(TWO, overlay(ONE, 3, b"k"));
        apply(&mut histories, &[first]).unwrap();
        for other in [overlay(ONE, 4, b"k"), overlay(ONE, 3, b"a")] {
            assert!(
                histories
                    .apply(&HistoryChange::Overlay(TWO, other))
                    .is_err()
            );
        }
    }
}
