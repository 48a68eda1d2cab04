//! Filling an index that was added to a table in use: a secondary one, or that of what expires.
//!
//! Every write goes by the new definition before this begins ([`Table::current`]), so that what is
//! missing are the entries of items that were there before. The table is walked through in the order
//! of its keys; an item that has an entry is looked at again under its lock, in its newest version,
//! and the entry is written if it is not there. So an entry can never replace a newer one, whatever
//! is written meanwhile, and nothing is wrong if an item is visited twice.
//!
//! Each step takes a snapshot of its own, since nothing depends on the steps seeing the same state,
//! and then writes down how far it came. After a restart filling goes on from there. It takes no more
//! than half of one processor, and never has more than one step's entries on the way to the disk.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{
    expiry,
    index::{self, Change, Entry},
    stored_item,
};
use crate::{
    item::Item,
    mutants::{Mutant, is_on},
    store::{
        Batch, Commit, Direction, EngineError, Fault, Key, KeyRange, KeyRef, KeyspaceId, Next,
        Priority, ReadMode, Step, Store, Task, Transaction, system,
    },
    table::{ExpiryIndex, SecondaryIndex, Table},
};

/// Items that one step looks at.
const STEP_ITEMS: usize = 128;
/// Bytes of items after which a step ends: large ones are written in small steps too.
const STEP_BYTES: usize = 256 * 1024;
/// How often a step looks at an item again whose lock is held, or that has to be read from the disk.
const ATTEMPTS: usize = 8;
/// After so many steps that got no further, one waits for lock and disk at the same time. That holds
/// up whoever wants the item, and is needed only where memory does not even hold what is in use.
const PATIENCE: u32 = 16;
/// Time between two looks at whether something has happened.
const POLL: Duration = Duration::from_millis(1);
/// Time between two attempts when the store takes no more for now, or fails.
const BACK_OFF: Duration = Duration::from_millis(50);
const RETRY: Duration = Duration::from_secs(10);

/// Begins to fill the index whose entries are in `keyspace`, or goes on with it. It runs on by
/// itself, and ends early if the index or its table is deleted, or the store is closed.
pub fn begin(store: &Store, table: &Arc<Table>, keyspace: KeyspaceId) -> Result<(), EngineError> {
    let task = Backfill::new(store, table, keyspace)?;
    // It takes the engine's locks as writers do, if for a moment: it must not be kept from giving
    // them back by everything else that runs.
    store
        .env()
        .scheduler
        .spawn("backfill", Priority::Flush, Box::new(task))?;
    Ok(())
}

/// Fills the index to its end: blocks. It does not matter if a task is at it too.
///
/// # Errors
/// Failures of the store. What was filled in stays, and the index counts as lacking entries still.
pub fn complete(store: &Store, table: &Arc<Table>, keyspace: KeyspaceId) -> Result<(), Fault> {
    let mut backfill = Backfill::new(store, table, keyspace)?;
    while !backfill.is_complete {
        if backfill.advance()? == Next::Done {
            return Ok(());
        }
        if let Some(commit) = backfill.on_the_way.take() {
            commit.wait()?;
        }
    }
    backfill.finish();
    Ok(())
}

struct Backfill {
    store: Store,
    /// Any view of the table.
    table: Arc<Table>,
    keyspace: KeyspaceId,
    /// The last item that needs no more looking at.
    cursor: Option<Key>,
    /// The last commit, until it is durable.
    on_the_way: Option<Commit>,
    /// The last commit says that the index has all its entries.
    is_complete: bool,
    /// Steps one after the other that got no further.
    fruitless: u32,
}

impl Task for Backfill {
    fn step(&mut self) -> Next {
        let result = match self.is_durable() {
            Ok(false) => return Next::After(POLL),
            Ok(true) if self.is_complete => {
                self.finish();
                return Next::Done;
            }
            Ok(true) => self.advance(),
            Err(error) => Err(error.into()),
        };
        match result {
            Ok(next) => next,
            Err(Fault::Store(EngineError::Closed | EngineError::ReadOnly { .. })) => Next::Done,
            Err(Fault::Store(EngineError::Throttled)) => Next::After(BACK_OFF),
            Err(fault) => {
                let table = self.table.name();
                tracing::error!("an index of {table} could not be filled: {fault:?}");
                Next::After(RETRY)
            }
        }
    }
}

impl Backfill {
    fn new(store: &Store, table: &Arc<Table>, keyspace: KeyspaceId) -> Result<Self, EngineError> {
        let row = store.get(&system::backfill(keyspace), ReadMode::Blocking)?;
        Ok(Self {
            store: store.clone(),
            table: Arc::clone(table),
            keyspace,
            cursor: row.as_deref().and_then(KeyRef::parse).map(Key::from),
            on_the_way: None,
            is_complete: false,
            fruitless: 0,
        })
    }

    /// The index has all its entries, and that is durable.
    fn finish(&self) {
        if let Some(table) = self.table.current()
            && let Some(filling) = table.filling(self.keyspace)
        {
            filling.finish();
            let name = table.index_in(self.keyspace).map(SecondaryIndex::name);
            let name = name.unwrap_or("time to live");
            tracing::info!("index {name} of {} is filled", table.name());
        }
    }

    /// Whether the last commit is durable. It must not be waited for: who makes it durable may be
    /// driven by this thread.
    fn is_durable(&mut self) -> Result<bool, EngineError> {
        let Some(commit) = &mut self.on_the_way else {
            return Ok(true);
        };
        match Pin::new(commit).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Ok(false),
            Poll::Ready(outcome) => {
                self.on_the_way = None;
                outcome.map(|()| true)
            }
        }
    }

    /// Fills in some entries.
    fn advance(&mut self) -> Result<Next, Fault> {
        let Some((table, target)) = self.current() else {
            return Ok(Next::Done);
        };
        let began = self.store.env().clock.monotonic();
        let mut range = KeyRange::keyspace(table.keyspace());
        if let Some(cursor) = &self.cursor {
            range = range.after(cursor);
        }
        let snapshot = self.store.snapshot();
        let mut items = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
        let (mut seen, mut bytes, mut last) = (0, 0, None);
        let mut at_end = false;
        let mut is_held_up = false;
        while seen < STEP_ITEMS && bytes < STEP_BYTES {
            seen += 1;
            let (key, item) = match items.next()? {
                Step::Entry { key, value } => (Key::from(key), value),
                Step::Paused(..) => continue,
                Step::End => {
                    at_end = true;
                    break;
                }
            };
            bytes += item.len();
            let item = stored_item(item)?;
            let is_left_out = last.is_none() && is_on(Mutant::BackfillAll);
            let place = target.place(&table, &key, &item);
            if place.is_some() && !is_left_out && !self.fill(&key)? {
                is_held_up = true;
                break;
            }
            last = Some(key);
        }
        self.fruitless = match last {
            None if is_held_up => self.fruitless + 1,
            _ => 0,
        };
        self.note(last, at_end)?;
        let took = self.store.env().clock.monotonic().saturating_sub(began);
        Ok(Next::After(if is_held_up { took.max(POLL) } else { took }))
    }

    /// The table as it is now, and which of its indexes is to be filled.
    fn current(&self) -> Option<(Arc<Table>, Target)> {
        let table = self.table.current()?;
        let same = |index: &SecondaryIndex| index.keyspace() == self.keyspace;
        let position = table.indexes().iter().position(same);
        let expiry = table
            .expiry()
            .filter(|index| index.keyspace() == self.keyspace);
        let target = position
            .map(Target::Secondary)
            .or_else(|| expiry.map(|index| Target::Expiry(Arc::clone(index))))?;
        Some((table, target))
    }

    /// Writes down how far it came.
    fn note(&mut self, last: Option<Key>, at_end: bool) -> Result<(), Fault> {
        let row = system::backfill(self.keyspace);
        let mut batch = Batch::new();
        if at_end {
            batch.delete(row);
        } else if let Some(last) = &last {
            batch.put(row, last.as_bytes().to_vec());
        } else {
            return Ok(());
        }
        self.on_the_way = Some(self.store.write(batch)?);
        self.is_complete = at_end;
        self.cursor = last.or_else(|| self.cursor.take());
        Ok(())
    }

    /// Gives the index the entry of the item at `key`. Answers whether it came to it.
    fn fill(&self, key: &Key) -> Result<bool, Fault> {
        for _ in 0..ATTEMPTS {
            match self.try_fill(key, ReadMode::CachedOnly) {
                Err(fault) if fault.would_block() => self.warm(key)?,
                outcome => return outcome.map(|()| true),
            }
        }
        if self.fruitless < PATIENCE {
            return Ok(false);
        }
        self.try_fill(key, ReadMode::Blocking).map(|()| true)
    }

    /// Reads what filling reads, without the lock: from the disk, if need be.
    fn warm(&self, key: &Key) -> Result<(), Fault> {
        let Some((table, target)) = self.current() else {
            return Ok(());
        };
        let item = self.store.get(key, ReadMode::Blocking)?;
        if let Some(item) = item.map(stored_item).transpose()?
            && let Some(place) = target.place(&table, key, &item)
        {
            self.store.get(&place, ReadMode::Blocking)?;
        }
        Ok(())
    }

    /// Does it for the newest version of the item, by the newest definition, under the lock.
    fn try_fill(&self, key: &Key, mode: ReadMode) -> Result<(), Fault> {
        let mut transaction = self.store.transaction([key], mode)?;
        let Some((table, target)) = self.current() else {
            return Ok(());
        };
        let Some(item) = transaction.get(key)?.map(stored_item).transpose()? else {
            return Ok(());
        };
        match target {
            Target::Secondary(position) => fill_secondary(transaction, &table, position, &item),
            Target::Expiry(index) => {
                let second = expiry::fill(&mut transaction, &index, key, &item);
                drop(transaction.commit()?);
                if let Some(second) = second {
                    index.note(second);
                }
                Ok(())
            }
        }
    }
}

/// Which index of a table is to be filled.
enum Target {
    /// The secondary one at this position.
    Secondary(usize),
    /// That of what expires.
    Expiry(Arc<ExpiryIndex>),
}

impl Target {
    /// Where the entry of `item`, which is at `key`, stands, if it has one.
    fn place(&self, table: &Table, key: &Key, item: &Item) -> Option<Key> {
        match self {
            Self::Secondary(position) => {
                let index = table.indexes().get(*position)?;
                index::entry(table, index, item).map(|entry| entry.key)
            }
            Self::Expiry(index) => expiry::place(index, key, item),
        }
    }
}

/// Gives a secondary index the entry of `item`, whose lock `transaction` holds, if it is not there.
fn fill_secondary(
    mut transaction: Transaction,
    table: &Table,
    position: usize,
    item: &Item,
) -> Result<(), Fault> {
    let Some(index) = table.indexes().get(position) else {
        return Ok(());
    };
    let Some(Entry { key: place, .. }) = index::entry(table, index, item) else {
        return Ok(());
    };
    let existing = transaction.get(&place)?.map(stored_item).transpose()?;
    let existing = existing.map(|item| Entry { key: place, item });
    let Some(Change {
        put: Some(entry),
        count,
        bytes,
        ..
    }) = index::fill(table, position, item, existing)
    else {
        return Ok(());
    };
    index.statistics().mark(&mut transaction);
    transaction.put(entry.key, entry.item.into_bytes());
    // What says how far it came is written later, and durable later.
    drop(transaction.commit()?);
    index.statistics().add(count, bytes);
    Ok(())
}
