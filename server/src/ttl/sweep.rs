//! Going through what is due in one table.

use std::sync::Arc;

use crate::{
    mutants::{Mutant, is_on},
    plan::write::{self, Action, Actor, Write},
    store::{Commit, Direction, EngineError, Fault, Key, KeyRange, ReadMode, Step, Store, layout},
    table::{ExpiryIndex, Table},
};

/// How often a batch is tried anew whose locks are held, or whose items have to be read from the
/// disk: that is done without the locks.
const ATTEMPTS: usize = 8;

/// What is due in one table, from where it has come to.
pub(super) struct Sweep {
    table: Arc<Table>,
    index: Arc<ExpiryIndex>,
    rest: KeyRange,
    /// The second of the first entry that is left.
    from: u64,
}

impl Sweep {
    /// Begins to sweep what expires before the second `end`, and not before `window`. `None` if there
    /// is nothing.
    pub(super) fn begin(table: Arc<Table>, window: u64, end: u64) -> Option<Self> {
        let index = Arc::clone(table.expiry()?);
        let from = index.begin_sweep(end)?.max(window);
        let rest = layout::expiry_range(index.keyspace(), from, end);
        Some(Self {
            table,
            index,
            rest,
            from,
        })
    }

    /// The next items that are due, `limit` of them at most, which it is the caller's to delete or to
    /// [leave](Due::leave). `None` if there are no more.
    pub(super) fn next(&mut self, store: &Store, limit: usize) -> Result<Option<Due>, Fault> {
        let entries = self.entries(store, limit)?;
        let entries: Vec<_> = match is_on(Mutant::SweepAll) {
            true => entries.into_iter().skip(1).collect(),
            false => entries,
        };
        let (Some((first, _)), Some((second, item))) = (entries.first(), entries.last()) else {
            return Ok(None);
        };
        let first = *first;
        let last = layout::expiry_key(self.index.keyspace(), *second, item);
        self.from = first;
        self.rest = self.rest.clone().after(&last);
        let write = |(expires_at, key)| Write {
            table: Arc::clone(&self.table),
            key,
            condition: None,
            action: Action::Expire(expires_at),
        };
        Ok(Some(Due {
            index: Arc::clone(&self.index),
            first,
            writes: entries.into_iter().map(write).collect(),
        }))
    }

    /// Leaves what is left to a later sweep.
    pub(super) fn abandon(&self) {
        self.index.note(self.from);
    }

    /// The next entries: each the second and the key of the item.
    fn entries(&self, store: &Store, limit: usize) -> Result<Vec<(u64, Key)>, Fault> {
        let snapshot = store.snapshot();
        let range = self.rest.clone();
        let mut entries = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
        let mut due = Vec::with_capacity(limit);
        while due.len() < limit {
            match entries.next()? {
                Step::Entry { key, .. } => match layout::expiry_entry(key, self.table.keyspace()) {
                    Some(entry) => due.push(entry),
                    None => tracing::error!("{key:?} is no entry of an expiry index"),
                },
                Step::Paused(..) => {}
                Step::End => break,
            }
        }
        Ok(due)
    }
}

/// Items that are due.
pub(super) struct Due {
    index: Arc<ExpiryIndex>,
    /// The second of the first of them.
    first: u64,
    writes: Vec<Write>,
}

impl Due {
    /// Deletes them as far as they still expire.
    ///
    /// Transactions in progress are not asked: one that is about to write an item finds it gone, as
    /// if that had happened before it began.
    pub(super) fn delete(&self, store: &Store, mode: ReadMode) -> Result<Commit, Fault> {
        let (_, commit) = write::execute(store, &self.writes, Actor::TimeToLive, mode)?;
        Ok(commit)
    }

    /// Deletes them so that their locks are not held while the disk is waited for, unless memory does
    /// not even hold what is in use.
    pub(super) fn delete_gently(&self, store: &Store) -> Result<Commit, Fault> {
        for _ in 0..ATTEMPTS {
            match self.delete(store, ReadMode::CachedOnly) {
                Err(Fault::Store(EngineError::WouldBlock)) => {
                    for write in &self.writes {
                        store.get(&write.key, ReadMode::Blocking)?;
                    }
                }
                outcome => return outcome,
            }
        }
        self.delete(store, ReadMode::Blocking)
    }

    /// Leaves them to a later sweep.
    pub(super) fn leave(&self) {
        self.index.note(self.first);
    }
}
