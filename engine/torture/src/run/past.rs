//! Windows, pins, and reading as of a moment.

use std::collections::BTreeSet;
use std::time::Duration;

use stator_engine::{AsOf, Error, KeyRange, KeyspaceId};

use super::Run;
use crate::check::Checked;
use crate::past::{Held, Kept, Window};
use crate::script::{KeyNumber, Moment};

/// Pins that a run has at a time.
const MOST_PINS: usize = 4;

impl Run {
    /// Sets the window of the keyspace in a slot, or ends it.
    pub(super) fn set_window(&mut self, slot: u8, length: Option<Duration>) -> Checked {
        let (db, keyspace) = (self.db()?, self.key((slot, 0, 0)).keyspace());
        let durable = db.durable_sequence();
        let before = self.past.window(keyspace);
        let set = db.set_retention(keyspace, length);
        let window = length.map(|length| Window {
            length,
            // A longer one keeps what the one before has kept; a new one begins now.
            floor: before.map_or(db.durable_sequence(), |before| {
                self.past.oldest(&before, self.now_ms())
            }),
            since_ms: self.now_ms(),
        });
        let change = Kept::Window(keyspace, window);
        match self.expect_unless_dropped("a window", set, &[keyspace], u64::MAX)? {
            Some(()) => {
                if window.is_some() && before.is_none() {
                    // What the manifest names does not go any more.
                    self.floor = self.floor.max(durable);
                }
                self.past.apply(change);
                self.count("windows set or ended");
            }
            None => self.past.leave_open(change),
        }
        self.past.check_windows(&db, &self.model, self.now_ms())
    }

    /// Pins the keyspaces in some slots, as of a moment.
    pub(super) fn pin(&mut self, number: usize, slots: u8, at: Moment) -> Checked {
        if self.past.pins().len() >= MOST_PINS {
            self.unpin(0)?;
        }
        let db = self.db()?;
        let keyspaces: BTreeSet<KeyspaceId> = (0..8)
            .filter(|slot| slots & (1 << slot) != 0)
            .filter_map(|slot| self.slots.get(slot).copied())
            .collect();
        let listed: Vec<KeyspaceId> = keyspaces.iter().copied().collect();
        let sequence = self.sequence_back(at)?;
        let kept = |keyspace: &KeyspaceId| self.past.keeps(&db, *keyspace, sequence);
        let all_kept = listed.iter().all(kept) || sequence == db.durable_sequence();
        let id = number as u64;
        let pinned = match db.pin(id, &listed, AsOf::Sequence(sequence)) {
            Err(Error::NotKept { .. }) if !all_kept => {
                self.count("pasts that were not kept");
                return Ok(());
            }
            pinned => pinned,
        };
        match self.expect_unless_dropped("a pin", pinned, &listed, sequence)? {
            Some(pinned) if pinned != sequence => {
                return Err(format!("a pin as of {sequence} is one as of {pinned}"));
            }
            Some(_) => {
                self.floor = self.floor.max(sequence);
                self.past.apply(Kept::Pin(id, Some((keyspaces, sequence))));
                self.count("pins");
            }
            None => self
                .past
                .leave_open(Kept::Pin(id, Some((keyspaces, sequence)))),
        }
        Ok(())
    }

    /// Ends a pin.
    pub(super) fn unpin(&mut self, place: u8) -> Checked {
        let pins = self.past.pins();
        let Some(id) = pins.get(usize::from(place) % pins.len().max(1)).copied() else {
            return Ok(());
        };
        let unpinned = self.db()?.unpin(id);
        match self.expect("an end of a pin", unpinned)? {
            Some(()) => self.past.apply(Kept::Pin(id, None)),
            None => self.past.leave_open(Kept::Pin(id, None)),
        }
        Ok(())
    }

    /// Looks at the past, and holds on to it if asked to.
    pub(super) fn read_as_of(&mut self, key: KeyNumber, at: Moment, hold: bool) -> Checked {
        let db = self.db()?;
        self.past.check_windows(&db, &self.model, self.now_ms())?;
        let sequence = match at {
            Moment::Commit(_) => self.sequence_back(at)?,
            Moment::Time(back_ms) => {
                let now = self.now_ms();
                let time = now.saturating_sub(u64::from(back_ms));
                let snapshot = self.expect("the past", db.snapshot_at(AsOf::TimeMs(time)))?;
                let Some(sequence) = snapshot.map(|snapshot| snapshot.sequence()) else {
                    return Ok(());
                };
                let (least, most) = self.past.as_of(&self.model, time, now);
                if sequence < least || sequence > most {
                    return Err(format!(
                        "{back_ms} ms ago it was commit {sequence}, and not one of {least} to {most}"
                    ));
                }
                sequence
            }
        };
        let used = self.model.keys().map(|key| key.keyspace());
        let used: BTreeSet<KeyspaceId> = used.chain(self.slots.iter().copied()).collect();
        let sees = |of: &Held| of.snapshot.sequence() == sequence && of.is_present();
        let kept = |keyspace: &KeyspaceId| {
            self.past.keeps(&db, *keyspace, sequence) || self.snapshots.iter().any(sees)
        };
        let kept: BTreeSet<KeyspaceId> = used.iter().copied().filter(kept).collect();
        let snapshot = db.snapshot_at(AsOf::Sequence(sequence));
        let Some(snapshot) = self.expect("the past", snapshot)? else {
            return Ok(());
        };
        let past = Held::past(snapshot, kept);
        let keyspace = self.key(key).keyspace();
        let kept = !past.may_miss(keyspace);
        self.check_range_in(&past, &KeyRange::keyspace(keyspace))?;
        self.count(match kept {
            true => "reads of a past that is kept",
            false => "reads of a past that may be gone",
        });
        if hold {
            self.hold(past);
        }
        Ok(())
    }

    /// The commit that is so far back.
    fn sequence_back(&self, at: Moment) -> Checked<u64> {
        let durable = self.db()?.durable_sequence();
        Ok(match at {
            Moment::Commit(back) => durable.saturating_sub(u64::from(back)),
            Moment::Time(_) => durable,
        })
    }

    /// [`Run::expect`], where a keyspace may have been dropped by then.
    fn expect_unless_dropped<T>(
        &self,
        what: &str,
        result: stator_engine::Result<T>,
        keyspaces: &[KeyspaceId],
        sequence: u64,
    ) -> Checked<Option<T>> {
        let dropped = |keyspace: &KeyspaceId| self.model.is_dropped_at(*keyspace, sequence);
        match result {
            Err(Error::InvalidArgument(_)) if keyspaces.iter().any(dropped) => Ok(None),
            result => self.expect(what, result),
        }
    }
}
