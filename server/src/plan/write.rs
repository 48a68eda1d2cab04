//! Write plans: what becomes of puts, updates, deletes and condition checks.
//!
//! A plan holds any number of writes, over any number of tables, of which no two name the same item.
//! It is executed as one: all items are locked (the store takes the locks in one order, so that two
//! plans cannot wait for each other), their newest versions are read, each write is computed, and if
//! none is refused, all items and all index entries go into one atomic batch.
//!
//! A lock holder sees versions that are applied and not yet durable. Whatever is answered from such a
//! version, a refusal included, is answered only when it is durable: [`run`] waits for that.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::{
    expression::{BoundCondition, BoundUpdate, ExpressionError},
    item::{Item, MAX_ITEM_SIZE},
    mutants::{Mutant, is_on},
    plan::{
        capacity::{Units, Usage},
        collection::{self, Collection},
        expiry,
        index::{self, Change},
        key::{self, Origin},
        rejection::Rejection,
        stored_item,
        stream::Recorder,
    },
    stopwatch::{Stage, during},
    store::{Commit, EngineError, Fault, Key, ReadMode, Store, Transaction, durable},
    table::Table,
    wire::error::Error,
};

/// On whose behalf a plan is executed. Streams tell the two apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A client's.
    Client,
    /// The service's own, that deletes what has expired (time to live).
    TimeToLive,
}

/// One write of a plan.
#[derive(Debug)]
pub struct Write {
    /// The table, as it was when the write was planned.
    pub table: Arc<Table>,
    /// Where the item stands.
    pub key: Key,
    /// What has to hold of the item before, if anything.
    pub condition: Option<BoundCondition>,
    /// What is done to it.
    pub action: Action,
}

/// What a write does to its item.
#[derive(Debug)]
pub enum Action {
    /// The item becomes this one.
    Put(Item),
    /// The item is changed, or made from its key (`key`) if it does not exist.
    Update {
        /// The attributes of the primary key.
        key: Item,
        /// The change.
        update: BoundUpdate,
        /// Whether it makes the item if there is none. An update that only removes does not.
        creates: bool,
        /// In whose words it is refused.
        origin: Origin,
    },
    /// The item goes.
    Delete,
    /// The item goes if it still expires at this Unix second (time to live), and stays otherwise.
    Expire(u64),
    /// Nothing: only the condition counts.
    Check,
}

/// What a write did.
#[derive(Debug)]
pub struct Written {
    /// The table, as it was when the write was done: [`Usage`] counts its indexes.
    pub table: Arc<Table>,
    /// The item before.
    pub old: Option<Item>,
    /// The item after.
    pub new: Option<Item>,
    /// What an update wrote, for `ReturnValues: UPDATED_NEW`; `None` if it wrote nothing.
    pub updated_new: Option<Item>,
    /// What it consumed.
    pub usage: Usage,
    changes: Vec<Change>,
    /// What became of the item collection, in a table that has them.
    pub(super) collection: Option<Collection>,
}

impl Written {
    /// The size of the item's collection afterwards, in bytes; `None` if the table has none, and of
    /// what only checks.
    pub fn collection_size(&self) -> Option<u64> {
        self.collection.as_ref().map(Collection::size)
    }

    /// What it does to the indexes.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The size that the write is charged by: that of the larger of the item before and after.
    pub fn size(&self) -> usize {
        larger(self.old.as_ref(), self.new.as_ref())
    }
}

/// Why a write cannot be done.
#[derive(Debug)]
pub enum Refusal {
    /// The condition does not hold. The item as it is.
    ConditionFailed(Option<Item>),
    /// The update does not fit the item.
    Expression(ExpressionError),
    /// The result is no valid item.
    Rejected(Rejection),
    /// The item collection would be too large.
    CollectionFull,
}

/// The words for an item collection that would be too large (API reference,
/// `TransactionCanceledException`).
pub const COLLECTION_FULL: &str = "Collection size exceeded.";

impl Refusal {
    /// The error that a single write is answered with; `with_item` if it shall show the item
    /// (`ReturnValuesOnConditionCheckFailure: ALL_OLD`).
    pub fn into_error(self, with_item: bool) -> Error {
        match self {
            Self::ConditionFailed(item) => Error::ConditionalCheckFailed {
                item: item.filter(|_| with_item),
            },
            Self::Expression(error) => Error::validation(error.to_string()),
            Self::Rejected(rejection) => rejection.into(),
            Self::CollectionFull => Error::ItemCollectionSizeLimitExceeded(COLLECTION_FULL.into()),
        }
    }
}

/// One result per write of a plan, in order; unless all of them are `Ok`, nothing was written.
pub type Results = Vec<Result<Written, Refusal>>;

/// Executes a plan and waits until everything that was read and written is durable.
pub async fn run(store: &Store, writes: Arc<[Write]>, actor: Actor) -> Result<Results, Error> {
    let (results, commit) = store
        .run(move |store, mode| execute(store, &writes, actor, mode))
        .await?;
    if !is_on(Mutant::AnswerDurable) {
        durable(commit).await?;
    }
    Ok(results)
}

/// Executes a plan. Nothing has happened if it fails; if all that it lacks is leave to wait for the
/// disk or for a lock ([`ReadMode`]), it can be executed again. Nothing may be answered before the
/// commit is durable.
pub fn execute(
    store: &Store,
    writes: &[Write],
    actor: Actor,
    mode: ReadMode,
) -> Result<(Results, Commit), Fault> {
    let mut transaction = during(Stage::KeyLock, || lock(store, writes, mode))?;
    let results = evaluate(&transaction, writes)?;
    let complete = results.iter().all(Result::is_ok);
    let staged = complete
        .then(|| stage(store, &mut transaction, writes, &results, actor))
        .transpose()?;
    let commit = during(Stage::Commit, || transaction.commit())?;
    drop(staged);
    if complete {
        count(writes, &results);
    }
    Ok((results, commit))
}

/// Takes the locks of all items, and of what is kept about their collections.
pub(super) fn lock(
    store: &Store,
    writes: &[Write],
    mode: ReadMode,
) -> Result<Transaction, EngineError> {
    let collections = collection::rows(writes);
    let items = writes.iter().map(|write| &write.key);
    store.transaction(items.chain(&collections), mode)
}

/// What each write makes of its item, whose lock `transaction` holds. Nothing is written yet.
///
/// The tables' definitions are looked up here and not before: see [`Table::current`].
pub(super) fn evaluate(transaction: &Transaction, writes: &[Write]) -> Result<Results, Fault> {
    let mut tables = CurrentTables::default();
    let mut results = writes
        .iter()
        .map(|write| {
            let table = tables.of(&write.table)?;
            let old = during(Stage::EngineRead, || transaction.get(&write.key))?;
            let old = old.map(stored_item).transpose()?;
            let unfilled = unfilled(transaction, &table, old.as_ref())?;
            Ok(compute(write, table, old, &unfilled))
        })
        .collect::<Result<Results, Fault>>()?;
    collection::measure(transaction, writes, &mut results)?;
    Ok(results)
}

/// The current definitions of a plan's tables, each looked up once. Most plans are about one.
#[derive(Default)]
struct CurrentTables(SmallVec<[Arc<Table>; 1]>);

impl CurrentTables {
    fn of(&mut self, planned: &Table) -> Result<Arc<Table>, Error> {
        let same = |known: &&Arc<Table>| known.keyspace() == planned.keyspace();
        if let Some(known) = self.0.iter().find(same) {
            return Ok(Arc::clone(known));
        }
        let current = planned
            .current()
            .ok_or_else(|| Error::ResourceNotFound("Requested resource not found".into()))?;
        self.0.push(Arc::clone(&current));
        Ok(current)
    }
}

/// The positions of those indexes that are being filled and have not got the entry of `old` yet.
fn unfilled(
    transaction: &Transaction,
    table: &Table,
    old: Option<&Item>,
) -> Result<Vec<usize>, Fault> {
    let mut unfilled = Vec::new();
    for (position, index) in table.indexes().iter().enumerate() {
        if index.is_filling()
            && let Some(entry) = old.and_then(|old| index::entry(table, index, old))
            && transaction.get(&entry.key)?.is_none()
        {
            unfilled.push(position);
        }
    }
    Ok(unfilled)
}

/// What a write makes of an item. A pure function.
fn compute(
    write: &Write,
    table: Arc<Table>,
    old: Option<Item>,
    unfilled: &[usize],
) -> Result<Written, Refusal> {
    let holds = write
        .condition
        .as_ref()
        .is_none_or(|condition| condition.evaluate(old.as_ref().map(Item::as_ref)));
    if !holds {
        return Err(Refusal::ConditionFailed(old));
    }
    let (new, updated_new) = match &write.action {
        Action::Put(item) => {
            if !Arc::ptr_eq(&table, &write.table) {
                // It was checked against the indexes that there were.
                key::check_index_keys(&table, item.as_ref(), None, Origin::Put)
                    .map_err(Refusal::Rejected)?;
            }
            (Some(item.clone()), None)
        }
        Action::Delete => (None, None),
        Action::Expire(expires_at) => {
            let expires = |item: &Item| expiry::expires_at(&table, item) == Some(*expires_at);
            (old.clone().filter(|item| !expires(item)), None)
        }
        Action::Check => (old.clone(), None),
        Action::Update {
            key,
            update,
            creates,
            origin,
        } => {
            if old.is_none() && !creates {
                (None, None)
            } else {
                apply(&table, key, update, *origin, old.as_ref())?
            }
        }
    };
    let changes = match &write.action {
        Action::Check => Vec::new(),
        _ => index::changes(&table, old.as_ref(), new.as_ref(), unfilled),
    };
    let usage = usage(old.as_ref(), new.as_ref(), &changes);
    Ok(Written {
        table,
        old,
        new,
        updated_new,
        usage,
        changes,
        collection: None,
    })
}

/// Applies an update and checks what it made: the item after it, and what it wrote.
fn apply(
    table: &Table,
    key: &Item,
    update: &BoundUpdate,
    origin: Origin,
    old: Option<&Item>,
) -> Result<(Option<Item>, Option<Item>), Refusal> {
    let before = old.map(Item::as_ref);
    let result = update
        .apply(before, key.as_ref())
        .map_err(Refusal::Expression)?;
    if result.item.size() > MAX_ITEM_SIZE {
        return Err(Refusal::Rejected(Rejection::UpdatedItemSize));
    }
    key::check_index_keys(table, result.item.as_ref(), before, origin)
        .map_err(Refusal::Rejected)?;
    Ok((Some(result.item), result.updated_new))
}

/// A write costs by the larger of the item before and after (developer guide, "Write capacity
/// units": UpdateItem; the same holds for a put that replaces an item).
fn usage(old: Option<&Item>, new: Option<&Item>, changes: &[Change]) -> Usage {
    let mut usage = Usage::new();
    usage.charge_table(Units::write(larger(old, new) as u64));
    for change in changes {
        usage.charge_index(change.position, change.units);
    }
    usage
}

fn larger(old: Option<&Item>, new: Option<&Item>) -> usize {
    old.map_or(0, Item::size).max(new.map_or(0, Item::size))
}

/// The writes that change anything, with what they do. One that puts the same item again does not,
/// and its index entries stay the same too.
fn changed<'a>(
    writes: &'a [Write],
    results: &'a [Result<Written, Refusal>],
) -> impl Iterator<Item = (&'a Write, &'a Written)> {
    writes
        .iter()
        .zip(results.iter().flatten())
        .filter(|(_, written)| written.old != written.new)
}

/// Puts into the batch what the writes change. That may be nothing: then the commit is that of what
/// was read. What this returns is to be dropped once the batch is committed.
pub(super) fn stage<'a>(
    store: &'a Store,
    transaction: &mut Transaction,
    writes: &[Write],
    results: &'a [Result<Written, Refusal>],
    actor: Actor,
) -> Result<Recorder<'a>, Fault> {
    let streams = results
        .iter()
        .flatten()
        .filter_map(|written| written.table.stream());
    let mut recorder = Recorder::new(store, streams, actor, transaction.mode())?;
    for (write, written) in changed(writes, results) {
        if !is_on(Mutant::CountMarked) {
            written.table.statistics().mark(transaction);
        }
        match &written.new {
            Some(item) => transaction.put(write.key.clone(), item.clone().into_bytes()),
            None => transaction.delete(write.key.clone()),
        }
        let (old, new) = (written.old.as_ref(), written.new.as_ref());
        expiry::stage(transaction, &written.table, &write.key, old, new);
        if let Some(collection) = &written.collection {
            collection.stage(transaction);
        }
        for change in &written.changes {
            if let Some(index) = written.table.indexes().get(change.position) {
                index.statistics().mark(transaction);
            }
            if let Some(key) = &change.delete
                && !is_on(Mutant::IndexDelete)
            {
                transaction.delete(key.clone());
            }
            if let Some(entry) = &change.put
                && !is_on(Mutant::IndexPut)
            {
                transaction.put(entry.key.clone(), entry.item.clone().into_bytes());
            }
        }
        if let Some(stream) = written.table.stream() {
            let (old, new) = (written.old.as_ref(), written.new.as_ref());
            recorder.record(transaction, stream, &write.key, old, new)?;
        }
    }
    Ok(recorder)
}

/// Brings the live figures of tables and indexes up to date with a batch that was committed.
pub(super) fn count(writes: &[Write], results: &[Result<Written, Refusal>]) {
    let size = |item: &Option<Item>| item.as_ref().map_or(0, |item| item.size() as i64);
    for (_, written) in changed(writes, results) {
        let items = i64::from(written.new.is_some()) - i64::from(written.old.is_some());
        written
            .table
            .statistics()
            .add(items, size(&written.new) - size(&written.old));
        expiry::note(&written.table, written.new.as_ref());
        for change in &written.changes {
            if let Some(index) = written.table.indexes().get(change.position) {
                index.statistics().add(change.count, change.bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests;
