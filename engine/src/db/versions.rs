//! The past: retention windows, pins, reading as of a moment, and forks.

use std::sync::Arc;
use std::time::Duration;

use super::Db;
use super::shared::Shared;
use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::key::KeyspaceId;
use crate::manifest::{HistoryChange, Overlay, VersionEdit, Window};
use crate::mutants::{Mutant, is_on};

/// Keyspaces that are read over one another, at most: each is one more place where a key that is not
/// found is looked for. Those that are copied out do not count.
const MAX_OVERLAYS: usize = 16;

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// With all that is durable now.
    Now,
    /// With all commits up to this one, which is durable.
    Sequence(u64),
    /// With all commits up to a wall-clock time, in milliseconds since 1970, that is not in the
    /// future. Nothing is seen that was written later, and nothing is missing that was written in
    /// an earlier second, as far back as the longest retention window goes; before that, times are
    /// known to a fraction of a percent of their age.
    TimeMs(u64),
}

/// How much of its past a keyspace keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// How far back it is kept.
    pub window: Duration,
    /// The oldest sequence number that it can be read as of. It may rise at any time, but not above
    /// what the window asks for.
    pub oldest_sequence: u64,
    /// The oldest time, in milliseconds since 1970, that it can be read as of; `None` if nothing was
    /// written yet.
    pub oldest_time_ms: Option<u64>,
}

/// What [`Db::pin`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pin {
    /// The pin's id; of one id there may be several, one for each keyspace.
    pub id: u64,
    /// What is kept.
    pub keyspace: KeyspaceId,
    /// As of when.
    pub sequence: u64,
}

/// A fork that is not copied out yet: what it has not written itself it shares with its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fork {
    /// The fork.
    pub keyspace: KeyspaceId,
    /// What it was made of.
    pub source: KeyspaceId,
    /// As of when.
    pub sequence: u64,
    /// About how many bytes of SSTables are still to be copied.
    pub uncopied_size: u64,
}

impl Db {
    /// Keeps all versions of a keyspace that were current at any moment of a window that ends now and
    /// moves with the clock, from now on; with `None`, no more than what snapshots and pins see.
    /// A longer window keeps more from now on, a shorter one lets go at once what it does not cover.
    /// Durable on return; blocks. Dropping the keyspace ends its window.
    ///
    /// Fails with `InvalidArgument` if the keyspace is dropped.
    pub fn set_retention(&self, keyspace: KeyspaceId, window: Option<Duration>) -> Result<()> {
        let shared = &self.handle.shared;
        let length_ms = window.map_or(0, |window| {
            u64::try_from(window.as_millis()).unwrap_or(u64::MAX).max(1)
        });
        let _turn = shared.history_changes.lock();
        shared.check_exists(keyspace, u64::MAX)?;
        let before = shared.snapshots.window(keyspace);
        if before.is_none() && length_ms == 0 {
            return Ok(());
        }
        // The manifest must not name a floor that a power cut takes back.
        let set = || {
            shared
                .snapshots
                .set_window(keyspace, length_ms, &shared.durable)
        };
        let change = |window| vec![HistoryChange::Window(keyspace, window)];
        if length_ms == 0 {
            let ended = Window {
                length_ms,
                floor: 0,
            };
            shared.change_histories(change(ended))?;
            set();
            return Ok(());
        }
        let window = set();
        let made = shared
            .make_synced(window.floor)
            .and_then(|()| shared.change_histories(change(window)));
        made.inspect_err(|_| shared.snapshots.restore_window(keyspace, before))
    }

    /// How much of its past a keyspace keeps; `None` without a window.
    #[must_use]
    pub fn retention(&self, keyspace: KeyspaceId) -> Option<Retention> {
        let shared = &self.handle.shared;
        let window = shared.snapshots.window(keyspace)?;
        if shared.dropped.hides(keyspace, u64::MAX) {
            return None;
        }
        // Jobs raise it when they begin; what a job that began now would keep is what can be
        // counted on.
        let oldest_sequence = window.floor.max(shared.window_floor(window.length_ms));
        Some(Retention {
            window: Duration::from_millis(window.length_ms),
            oldest_sequence,
            oldest_time_ms: shared.time_of(oldest_sequence),
        })
    }

    /// A view of the past. It holds on to what it sees for as long as it lives.
    ///
    /// Fails with `InvalidArgument` for a moment that is still to come. Whether a keyspace kept that
    /// moment is found when it is read: with `NotKept` if not. A keyspace keeps what its retention
    /// window, its pins and other live snapshots cover; without a window it may also still have
    /// more, as long as nothing was written out since.
    pub fn snapshot_at(&self, at: AsOf) -> Result<Snapshot> {
        let shared = &self.handle.shared;
        let sequence = match at {
            AsOf::Now => return Ok(self.snapshot()),
            AsOf::Sequence(sequence) => Some(sequence),
            AsOf::TimeMs(time_ms) => shared.sequence_of(time_ms),
        };
        match sequence {
            Some(sequence) if sequence <= shared.durable.sequence() => {
                Ok(Snapshot::past(Arc::clone(shared), sequence))
            }
            _ => Err(Error::invalid("a moment that is still to come")),
        }
    }

    /// Keeps keyspaces as they were at one moment, in whatever becomes of them, until
    /// [`Db::unpin`]: for a backup. Answers the sequence number. Durable on return; blocks.
    ///
    /// Fails with `InvalidArgument` if there is a pin of that id already, or if a keyspace had been
    /// dropped by then; with `NotKept` if a keyspace has not kept that moment.
    pub fn pin(&self, id: u64, keyspaces: &[KeyspaceId], at: AsOf) -> Result<u64> {
        let shared = &self.handle.shared;
        let _turn = shared.history_changes.lock();
        let current = shared.versions.current();
        if current.histories().pins().any(|(pin, ..)| pin == id) {
            return Err(Error::invalid(format!("there is a pin {id} already")));
        }
        // It keeps what is pinned until the manifest does.
        let snapshot = self.snapshot_at(at)?;
        let sequence = snapshot.sequence();
        for keyspace in keyspaces {
            snapshot.check(*keyspace)?;
            shared.check_exists(*keyspace, sequence)?;
        }
        shared.make_synced(sequence)?;
        if is_on(Mutant::PinDurable) {
            return Ok(sequence);
        }
        let pins = keyspaces.iter();
        let pins = pins.map(|keyspace| HistoryChange::Pin(id, *keyspace, sequence));
        shared.change_histories(pins.collect())?;
        Ok(sequence)
    }

    /// Lets go what a pin has kept. Durable on return; blocks. There need not be one.
    pub fn unpin(&self, id: u64) -> Result<()> {
        let shared = &self.handle.shared;
        let _turn = shared.history_changes.lock();
        let current = shared.versions.current();
        match current.histories().pins().any(|(pin, ..)| pin == id) {
            true => shared.change_histories(vec![HistoryChange::Unpin(id)]),
            false => Ok(()),
        }
    }

    /// All pins, by id and keyspace.
    #[must_use]
    pub fn pins(&self) -> Vec<Pin> {
        let current = self.handle.shared.versions.current();
        let pins = current
            .histories()
            .pins()
            .map(|(id, keyspace, sequence)| Pin {
                id,
                keyspace,
                sequence,
            });
        pins.collect()
    }

    /// A new keyspace with what another one had in it at a moment, at once and whatever its size: what
    /// the fork has not written itself is read from the source, which may go on changing, or be dropped.
    /// In the background it is copied out, part by part, and then shares nothing any more; until then
    /// what is shared takes its room once, and is kept for as long as the fork is.
    ///
    /// Readers as of an earlier commit than the call find nothing in it. It has no retention window yet.
    /// Durable on return; blocks.
    ///
    /// Fails with `InvalidArgument` if the source had been dropped by then, if the moment is still to
    /// come, or if the source is the last of sixteen forks, each of the one before, none of which is
    /// copied out; with `NotKept` if the source has not kept that moment.
    pub fn fork(&self, source: KeyspaceId, at: AsOf) -> Result<KeyspaceId> {
        let shared = &self.handle.shared;
        let _turn = shared.history_changes.lock();
        // It keeps what is forked until the manifest does.
        let snapshot = self.snapshot_at(at)?;
        let at = snapshot.sequence();
        snapshot.check(source)?;
        shared.check_exists(source, at)?;
        let current = shared.versions.current();
        let below = |keyspace: &KeyspaceId| {
            let overlay = current.histories().overlay(*keyspace);
            overlay.map(|overlay| overlay.source)
        };
        if std::iter::successors(Some(source), below).count() > MAX_OVERLAYS {
            let message = format!("a fork of {MAX_OVERLAYS} forks, none of which is copied out");
            return Err(Error::invalid(message));
        }
        // What is copied will have this sequence number: the fork's own commits are above it.
        let created = shared.durable.sequence();
        shared.make_synced(created)?;
        let keyspace = shared.create_keyspace(source.is_log())?;
        if source >= keyspace {
            let message = format!("a fork of keyspace {source}, which was never created");
            return Err(Error::invalid(message));
        }
        let overlay = Overlay {
            source,
            at,
            created,
            copied: bytes::Bytes::new(),
        };
        shared.change_histories(vec![HistoryChange::Overlay(keyspace, overlay)])?;
        Ok(keyspace)
    }

    /// The forks that are not copied out yet, in order of keyspace; those among them which are dropped
    /// but still needed.
    #[must_use]
    pub fn forks(&self) -> Vec<Fork> {
        let current = self.handle.shared.versions.current();
        let forks = current.histories().overlays();
        let forks = forks.map(|(keyspace, overlay)| Fork {
            keyspace,
            source: overlay.source,
            sequence: overlay.at,
            uncopied_size: current
                .uncopied(keyspace)
                .iter()
                .map(|piece| piece.size)
                .sum(),
        });
        forks.collect()
    }

    /// The newest commit known to have been written at or before a wall-clock time, in milliseconds
    /// since 1970; as exact as [`AsOf::TimeMs`]. `None` if there is none.
    #[must_use]
    pub fn sequence_at(&self, time_ms: u64) -> Option<u64> {
        self.handle.shared.sequence_at(time_ms)
    }

    /// The newest wall-clock time that the database is known to have been written at, in
    /// milliseconds since 1970. `None` if nothing ever was.
    #[must_use]
    pub fn newest_time_ms(&self) -> Option<u64> {
        let newest = self.handle.shared.recent.newest_ms();
        (newest > 0).then_some(newest)
    }
}

impl Shared {
    /// The last durable commit of a time; `None` if it is still to come.
    fn sequence_of(&self, time_ms: u64) -> Option<u64> {
        let durable = self.durable.sequence();
        let by_then = self.sequence_at(time_ms).unwrap_or(0).min(durable);
        (time_ms <= self.env.clock.now_ms()).then_some(by_then)
    }

    fn sequence_at(&self, time_ms: u64) -> Option<u64> {
        // In this order: what a flush moves from one to the other is in at least one.
        let recent = self.recent.sequence_at(time_ms);
        recent.or_else(|| self.versions.current().times().sequence_at(time_ms))
    }

    fn time_of(&self, sequence: u64) -> Option<u64> {
        let recent = self.recent.time_of(sequence);
        let written_out = self.versions.current().times().time_of(sequence);
        written_out.or(recent)
    }

    /// The oldest sequence number that a window of this length has to keep now.
    pub(super) fn window_floor(&self, length_ms: u64) -> u64 {
        let Some(oldest) = self.env.clock.now_ms().checked_sub(length_ms) else {
            return 0;
        };
        // The manifest must not name a floor that a power cut takes back.
        let synced = self.synced.load(std::sync::atomic::Ordering::Acquire);
        self.sequence_at(oldest).unwrap_or(0).min(synced)
    }

    fn check_exists(&self, keyspace: KeyspaceId, sequence: u64) -> Result<()> {
        match self.dropped.hides(keyspace, sequence) {
            true => Err(Error::invalid(format!("keyspace {keyspace} is dropped"))),
            false => Ok(()),
        }
    }

    fn change_histories(&self, histories: Vec<HistoryChange>) -> Result<()> {
        self.health.check()?;
        let edit = VersionEdit {
            histories,
            ..VersionEdit::default()
        };
        self.apply(edit).inspect_err(|error| {
            // A manifest that can't be appended to is not appended to again.
            if !error.is_no_room() {
                self.fail(error);
            }
        })
    }
}
