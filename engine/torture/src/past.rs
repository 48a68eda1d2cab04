//! The past in the model: windows and pins, which of them may be there after a crash, and when commits
//! were made.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use stator_engine::{Db, KeyspaceId, Snapshot};

use crate::check::Checked;
use crate::model::Model;

/// A snapshot that is held, and what it has to see.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) snapshot: Snapshot,
    /// Of the past: only these keyspaces have to be readable. `None` for all.
    kept: Option<BTreeSet<KeyspaceId>>,
}

impl Held {
    /// A snapshot of the present.
    pub(crate) fn whole(snapshot: Snapshot) -> Self {
        Held {
            snapshot,
            kept: None,
        }
    }

    /// One of the past, for which these keyspaces were kept.
    pub(crate) fn past(snapshot: Snapshot, kept: BTreeSet<KeyspaceId>) -> Self {
        Held {
            snapshot,
            kept: Some(kept),
        }
    }

    /// Whether it is one of what was the present when it was taken.
    pub(crate) fn is_present(&self) -> bool {
        self.kept.is_none()
    }

    /// Whether it may say that it does not see a keyspace.
    pub(crate) fn may_miss(&self, keyspace: KeyspaceId) -> bool {
        let kept = self.kept.as_ref();
        kept.is_some_and(|kept| !kept.contains(&keyspace))
    }
}

/// A retention window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) length: Duration,
    /// It began at this commit or an earlier one.
    pub(crate) floor: u64,
    /// When it was set, in milliseconds since 1970.
    pub(crate) since_ms: u64,
}

/// A pin: the keyspaces, and as of when.
pub(crate) type Pinned = (BTreeSet<KeyspaceId>, u64);

/// A change of what is kept.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    Window(KeyspaceId, Option<Window>),
    Pin(u64, Option<Pinned>),
}

/// What is kept of the past, and when commits were made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    windows: BTreeMap<KeyspaceId, Window>,
    pins: BTreeMap<u64, Pinned>,
    /// Changes that were answered with an error: the next opening says whether they were made.
    open: Vec<Kept>,
    /// When each commit was made, and when somebody knew that it was written.
    times: BTreeMap<u64, (u64, Option<u64>)>,
}

impl Past {
    /// A commit was given its place.
    pub(crate) fn made(&mut self, sequence: u64, at_ms: u64) {
        self.times.insert(sequence, (at_ms, None));
    }

    /// It was acknowledged.
    pub(crate) fn acknowledged(&mut self, sequence: u64, at_ms: u64) {
        if let Some((_, known)) = self.times.get_mut(&sequence) {
            known.get_or_insert(at_ms);
        }
    }

    /// A change was made.
    pub(crate) fn apply(&mut self, change: Kept) {
        let same = |open: &Kept| match (open, &change) {
            (Kept::Window(one, _), Kept::Window(other, _)) => one == other,
            (Kept::Pin(one, _), Kept::Pin(other, _)) => one == other,
            _ => false,
        };
        self.open.retain(|open| !same(open));
        match change {
            Kept::Window(keyspace, Some(window)) => {
                self.windows.insert(keyspace, window);
            }
            Kept::Window(keyspace, None) => {
                self.windows.remove(&keyspace);
            }
            Kept::Pin(id, Some(pinned)) => {
                self.pins.insert(id, pinned);
            }
            Kept::Pin(id, None) => {
                self.pins.remove(&id);
            }
        }
    }

    /// A change may have been made.
    pub(crate) fn leave_open(&mut self, change: Kept) {
        self.open.push(change);
    }

    /// The window of a keyspace, if it is known to have one.
    pub(crate) fn window(&self, keyspace: KeyspaceId) -> Option<Window> {
        let unsure = |open: &Kept| matches!(open, Kept::Window(of, _) if *of == keyspace);
        let window = self.windows.get(&keyspace).copied();
        window.filter(|_| !self.open.iter().any(unsure))
    }

    /// The ids of the pins that are known to be there.
    pub(crate) fn pins(&self) -> Vec<u64> {
        self.pins.keys().copied().collect()
    }

    /// Whether a keyspace has to be readable as of a commit.
    pub(crate) fn keeps(&self, db: &Db, keyspace: KeyspaceId, sequence: u64) -> bool {
        let unsure = |id: u64| {
            let mut open = self.open.iter();
            open.any(|open| matches!(open, Kept::Pin(of, _) if *of == id))
        };
        let pinned = self.pins.iter().any(|(id, (keyspaces, at))| {
            *at == sequence && keyspaces.contains(&keyspace) && !unsure(*id)
        });
        let windowed = || {
            let retention = self.window(keyspace).and_then(|_| db.retention(keyspace));
            retention.is_some_and(|retention| sequence >= retention.oldest_sequence)
        };
        pinned || windowed()
    }

    /// The newest commit that may have been written at or before a time.
    fn newest_by(&self, time_ms: u64) -> u64 {
        let mut by_then = self.times.iter().rev();
        let newest = by_then.find(|(_, (made, _))| *made <= time_ms);
        newest.map_or(0, |(sequence, _)| *sequence)
    }

    /// The newest commit that is known to have been written in a second before that of a time.
    fn newest_before_second_of(&self, time_ms: u64) -> u64 {
        let mut before = self.times.iter().rev();
        let newest =
            before.find(|(_, (_, known))| known.is_some_and(|known| known / 1000 < time_ms / 1000));
        newest.map_or(0, |(sequence, _)| *sequence)
    }

    /// What a snapshot as of a time may be: commits up to one in this range.
    pub(crate) fn as_of(&self, model: &Model, time_ms: u64, now_ms: u64) -> (u64, u64) {
        let covers = |(keyspace, window): (&KeyspaceId, &Window)| {
            let back_to = now_ms.saturating_sub(window.length.as_millis() as u64);
            self.window(*keyspace).is_some()
                && !model.is_dropped(*keyspace)
                && time_ms >= back_to.max(window.since_ms + 1000)
        };
        let exact = self.windows.iter().any(covers);
        let least = match exact {
            true => self.newest_before_second_of(time_ms),
            false => 0,
        };
        (least, self.newest_by(time_ms))
    }

    /// The commit that a window goes back to at the least.
    pub(crate) fn oldest(&self, window: &Window, now_ms: u64) -> u64 {
        let begins = now_ms.saturating_sub(window.length.as_millis() as u64);
        window.floor.max(self.newest_by(begins))
    }

    /// Every window is there, and covers what it has to.
    pub(crate) fn check_windows(&self, db: &Db, model: &Model, now_ms: u64) -> Checked {
        for keyspace in self.windows.keys() {
            let Some(window) = self.window(*keyspace) else {
                continue;
            };
            let retention = db.retention(*keyspace);
            if model.is_dropped(*keyspace) {
                match retention {
                    None => continue,
                    Some(_) => return Err(format!("{keyspace} is dropped and has a window")),
                }
            }
            let Some(retention) = retention else {
                return Err(format!("{keyspace} has lost its window"));
            };
            let oldest = self.oldest(&window, now_ms);
            if retention.window != window.length || retention.oldest_sequence > oldest {
                return Err(format!(
                    "{keyspace} has {retention:?}, and its window {window:?} goes back to {oldest}"
                ));
            }
        }
        Ok(())
    }

    /// Whether the database has the pins that it has to have, and the windows.
    pub(crate) fn check(&self, db: &Db, model: &Model, now_ms: u64) -> Checked {
        self.clone().learn(db, model, now_ms)
    }

    /// Learns from an opened database which changes were made that nobody knows of; all others have
    /// to be as they were acknowledged.
    pub(crate) fn learn(&mut self, db: &Db, model: &Model, now_ms: u64) -> Checked {
        let mut found: BTreeMap<u64, Pinned> = BTreeMap::new();
        for pin in db.pins() {
            let (keyspaces, sequence) = found.entry(pin.id).or_default();
            keyspaces.insert(pin.keyspace);
            *sequence = pin.sequence;
        }
        for open in std::mem::take(&mut self.open) {
            let is_so = match &open {
                Kept::Pin(id, pinned) => found.get(id) == pinned.as_ref(),
                Kept::Window(keyspace, window) => {
                    let length = db.retention(*keyspace).map(|retention| retention.window);
                    length == window.map(|window| window.length)
                }
            };
            if is_so {
                self.apply(open);
            }
        }
        if found != self.pins {
            return Err(format!(
                "the pins are {found:?}, and have to be {:?}",
                self.pins
            ));
        }
        self.times.split_off(&(model.last() + 1));
        self.check_windows(db, model, now_ms)
    }
}
