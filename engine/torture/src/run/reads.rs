//! What a run reads, and what has to be found.

use stator_engine::{Direction, Error, KeyRange, ReadMode};

use super::Run;
use crate::check::{Checked, check_entries, differs, read};
use crate::past::Held;
use crate::script::KeyNumber;

impl Run {
    pub(super) fn check_get(&mut self, number: KeyNumber, snapshot: u8) -> Checked {
        let key = self.key(number);
        let db = self.db()?;
        let sequence = db.durable_sequence();
        let expected = self.model.get(&key, sequence);
        let found = self.expect("a get", db.get(&key, ReadMode::Blocking))?;
        if let Some(found) = found
            && found != expected
        {
            return Err(differs(
                &format!("{key:?} at {sequence}"),
                &found,
                &expected,
            ));
        }
        match db.get(&key, ReadMode::CachedOnly) {
            Err(Error::WouldBlock) => {}
            found => {
                let found = self.expect("a get from memory", found)?;
                if let Some(found) = found
                    && found != expected
                {
                    return Err(differs(&format!("{key:?} in memory"), &found, &expected));
                }
            }
        }
        if let Some(snapshot) = self.snapshots.get(usize::from(snapshot)) {
            let expected = self.model.get(&key, snapshot.snapshot.sequence());
            let found = snapshot.snapshot.get(&key, ReadMode::Blocking);
            let found = self.expect_seen("a get of a snapshot", snapshot, found)?;
            if let Some(found) = found
                && found != expected
            {
                let of = format!(
                    "{key:?} in the snapshot at {}",
                    snapshot.snapshot.sequence()
                );
                return Err(differs(&of, &found, &expected));
            }
        }
        Ok(())
    }

    pub(super) fn check_range(&mut self, number: KeyNumber, shape: u8, snapshot: u8) -> Checked {
        let key = self.key(number);
        let (keyspace, partition) = (key.keyspace(), [number.1]);
        let range = match shape {
            0 => KeyRange::keyspace(keyspace),
            1 => KeyRange::partition(keyspace, &partition),
            2 => KeyRange::sort_prefix(keyspace, &partition, &[0]),
            3 => KeyRange::segment(keyspace, u32::from(number.2) % 3, 3),
            4 => KeyRange::keyspace(keyspace).after(&key),
            _ => KeyRange::keyspace(keyspace).before(&key),
        };
        let fresh = Held::whole(self.db()?.snapshot());
        let snapshot = self.snapshots.get(usize::from(snapshot)).unwrap_or(&fresh);
        self.check_range_in(snapshot, &range)
    }

    /// What a snapshot shows of a range, both ways.
    pub(super) fn check_range_in(&self, snapshot: &Held, range: &KeyRange) -> Checked {
        for direction in [Direction::Forward, Direction::Backward] {
            let found = read(&snapshot.snapshot, range, direction);
            if let Some(found) = self.expect_seen("a range", snapshot, found)? {
                check_entries(&self.model, &snapshot.snapshot, range, direction, &found)?;
            }
        }
        Ok(())
    }

    /// [`Run::expect`], for what a snapshot need not see.
    fn expect_seen<T>(
        &self,
        what: &str,
        snapshot: &Held,
        result: stator_engine::Result<T>,
    ) -> Checked<Option<T>> {
        match result {
            Err(Error::NotKept { keyspace, .. }) if snapshot.may_miss(keyspace) => Ok(None),
            result => self.expect(what, result),
        }
    }
}
