//! What a run writes.

use stator_engine::{AsOf, Commit, Error, FIRST_CREATED_KEYSPACE, Key, KeyspaceId, ReadMode};

use super::{Run, Waiting, first_keyspace};
use crate::check::{Checked, differs};
use crate::model::Change;
use crate::script::KeyNumber;

impl Run {
    pub(super) fn write(&mut self, change: Change, wait: bool) -> Checked {
        let committed = self.db()?.write(change.to_batch());
        self.committed(committed, change, wait)
    }

    pub(super) fn committed(
        &mut self,
        committed: stator_engine::Result<Commit>,
        change: Change,
        wait: bool,
    ) -> Checked {
        // A call that fails had no effect.
        let Some(commit) = self.expect("a commit", committed)? else {
            return match self.tolerant {
                true => Ok(()),
                false => self.idle(),
            };
        };
        self.model.apply(commit.sequence(), change);
        self.past
            .made(commit.sequence(), self.simulation.env().clock.now_ms());
        let behind = self.acknowledged;
        self.waiting.push(Waiting { commit, behind });
        match wait {
            true => self.await_all(),
            false => Ok(()),
        }
    }

    pub(super) fn await_all(&mut self) -> Checked {
        for Waiting { commit, behind } in std::mem::take(&mut self.waiting) {
            let sequence = commit.sequence();
            if self
                .expect("waiting for a commit", commit.wait())?
                .is_some()
            {
                self.acknowledged = self.acknowledged.max(sequence);
                self.sealed = self.sealed.max(behind);
                self.past.acknowledged(sequence, self.now_ms());
            }
        }
        Ok(())
    }

    pub(super) fn transaction(
        &mut self,
        number: usize,
        keys: &[(KeyNumber, bool)],
        abandon: bool,
        wait: bool,
    ) -> Checked {
        let locked: Vec<Key> = keys.iter().map(|(key, _)| self.key(*key)).collect();
        let db = self.db()?;
        let opened = db.transaction(&locked, ReadMode::Blocking);
        let Some(mut transaction) = self.expect("locks", opened)? else {
            return Ok(());
        };
        let mut change = Change::default();
        for (index, (key, (_, write))) in locked.iter().zip(keys).enumerate() {
            let expected = change
                .get(key)
                .unwrap_or_else(|| self.model.get(key, u64::MAX));
            let found = self.expect("a read under a lock", transaction.get(key))?;
            if let Some(found) = found
                && found != expected
            {
                return Err(differs(
                    &format!("{key:?} under its lock"),
                    &found,
                    &expected,
                ));
            }
            if *write {
                let value = self.value(number, index, 24);
                transaction.put(key.clone(), value.clone());
                change.write(key.clone(), Some(value));
            } else if index % 3 == 2 {
                transaction.delete(key.clone());
                change.write(key.clone(), None);
            }
        }
        if abandon {
            return Ok(());
        }
        let committed = transaction.commit();
        if change.is_empty() {
            let waited = committed.and_then(Commit::wait);
            return self
                .expect("a transaction that wrote nothing", waited)
                .map(drop);
        }
        self.committed(committed, change, wait)
    }

    /// Of a kind that a slot may have.
    pub(super) fn create_keyspace(&mut self, slot: u8) -> Checked<Option<KeyspaceId>> {
        let is_log = first_keyspace(slot).is_log();
        let created = match is_log {
            true => self.db()?.create_log(),
            false => self.db()?.create_keyspace(),
        };
        let Some(created) = self.expect("a new keyspace", created)? else {
            return Ok(None);
        };
        if created.is_log() != is_log {
            return Err(format!("{created:?} is of another kind than was asked for"));
        }
        if created < FIRST_CREATED_KEYSPACE || !self.created.insert(created.0) {
            return Err(format!("{created:?} was given out before"));
        }
        Ok(Some(created))
    }

    pub(super) fn drop_keyspace(&mut self, slot: u8) -> Checked {
        let Some(fresh) = self.create_keyspace(slot)? else {
            return Ok(());
        };
        let Some(dropped) = self.slots.get(usize::from(slot)).copied() else {
            return Ok(());
        };
        let mut change = Change::default();
        change.drop_keyspace(dropped);
        let before = self.model.last();
        self.write(change, false)?;
        if self.model.last() > before
            && let Some(slot) = self.slots.get_mut(usize::from(slot))
        {
            *slot = fresh;
            self.dropped.push(dropped);
        }
        Ok(())
    }

    /// Forks the keyspace of one slot, as of now or some commits before, into another slot, or the same
    /// one. What was there lives on without a slot.
    pub(super) fn fork(&mut self, (source, to): (u8, u8), back: u8) -> Checked {
        let db = self.db()?;
        let created = db.durable_sequence();
        let at = match back {
            0 => AsOf::Now,
            _ => AsOf::Sequence(created.saturating_sub(u64::from(back))),
        };
        let source = self.key((source, 0, 0)).keyspace();
        let forked = match db.fork(source, at) {
            // Sixteen of each other, or one that was dropped and is in its slot still.
            Err(Error::NotKept { .. } | Error::InvalidArgument(_)) => return Ok(()),
            forked => self.expect("a fork", forked)?,
        };
        let Some(fork) = forked else {
            return Ok(());
        };
        if fork < FIRST_CREATED_KEYSPACE || !self.created.insert(fork.0) {
            return Err(format!("{fork:?} was given out before"));
        }
        let at = created.saturating_sub(u64::from(back));
        self.model.fork(fork, source, at, created);
        // What a fork is made of has to outlive what is synced by the clock.
        self.floor = self.floor.max(created);
        if let Some(slot) = self.slots.get_mut(usize::from(to)) {
            *slot = fork;
        }
        Ok(())
    }

    /// Writes to one of the keyspaces that were dropped: nobody sees it, whenever that is.
    pub(super) fn write_late(&mut self, number: usize, key: KeyNumber) -> Checked {
        let (back, partition, sort) = key;
        let dropped = self.dropped.iter().rev().nth(usize::from(back));
        let Some(keyspace) = dropped.copied() else {
            return Ok(());
        };
        let mut change = Change::default();
        let key = Key::new(keyspace, &[partition], &[sort]);
        change.write(key, Some(self.value(number, 0, 20)));
        self.write(change, false)
    }
}
