//! The catalog: which tables there are.
//!
//! In memory it is a map from (account, Region, name) to the current view of each table; on disk it
//! is one record per table. A change is written, waited for, and only then visible, so that what was
//! shown cannot be lost.
//!
//! The map is cut into stripes by the table's name. Changes of one table come one after the other;
//! changes of different tables share the syncs of the log. Both hold because a change takes its stripe's
//! lock, and waits for the disk with it. That is why [`Catalog::change`] blocks, and runs on threads that
//! may. Each change replaces the list of its stripe as a whole. So a request that looks for its table takes
//! no lock, and writes to no memory that other cores look at.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parking_lot::Mutex;
use thiserror::Error;

use super::{
    Census, Filling, KeyType, Namespace, Record, Statistics, Table,
    admission::Admission,
    index::{Found, TableIndex},
    record::{LatestStream, RecordError},
    recount, statistics,
};
use crate::{
    store::{
        Batch, Direction, EngineError, Fault, Key, KeyspaceId, ReadMode, Snapshot, Step, Store,
        system,
    },
    streams::{NewStream, Stream, StreamName, Streams},
};

/// Why the catalog could not be read.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] EngineError),
    /// A definition is not one.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A table writes to a stream that there is not.
    #[error("the table {table:?} has a stream that is not there")]
    Stream {
        /// Name of the table.
        table: String,
    },
}

/// Which tables there are.
pub struct Catalog {
    store: Store,
    collection_limit: u64,
    streams: Arc<Streams>,
    tables: TableIndex,
    /// One for each stripe of the index. Two tables that share one only wait for each other's sync.
    changes: Box<[Mutex<()>]>,
    admission: Admission,
}

/// What becomes of a table.
pub enum Change {
    /// It is created, or its definition is replaced.
    Put {
        /// The new definition.
        record: Box<Record>,
        /// Keyspaces that the new definition no longer has.
        dropped: Vec<KeyspaceId>,
    },
    /// It is gone, with all its keyspaces.
    Remove,
    /// It stays as it is.
    Nothing,
}

impl Catalog {
    /// Reads the catalog of `store`, and begins to count what a crash left uncounted. Item collections
    /// may have up to `collection_limit` bytes.
    pub fn load(
        store: Store,
        streams: Arc<Streams>,
        collection_limit: u64,
    ) -> Result<Self, CatalogError> {
        let now_ms = store.now_ms();
        let snapshot = store.snapshot();
        let mut tables: Vec<Arc<Table>> = Vec::new();
        let mut gone = Batch::new();
        let mut all_statistics = Vec::new();
        let mut records = snapshot.range(
            system::table_definitions(),
            Direction::Forward,
            ReadMode::Blocking,
        );
        loop {
            let (key, record) = match records.next()? {
                Step::Entry { key, value } => (Key::from(key), Record::decode(&value)?),
                Step::Paused(..) => continue,
                Step::End => break,
            };
            if record.state.is_gone(now_ms) {
                // Its keyspaces went when it was deleted; the record stayed to be shown as DELETING.
                gone.delete(key);
                continue;
            }
            let mut failed = None;
            let stream = match record.enabled_stream() {
                None => None,
                Some(latest) => {
                    let stream = streams.find(&stream_name(&record, &latest.label), now_ms);
                    let missing = || CatalogError::Stream {
                        table: record.name.clone(),
                    };
                    Some(stream.ok_or_else(missing)?)
                }
            };
            let table = Table::new(record, |keyspace| {
                let found = snapshot.get(&system::statistics(keyspace), ReadMode::Blocking);
                let found = found.unwrap_or_else(|error| {
                    failed = Some(error);
                    None
                });
                let found = found.and_then(|value| statistics::Record::decode(&value));
                let statistics = Statistics::load(keyspace, found);
                all_statistics.push(Arc::clone(&statistics));
                statistics
            })?;
            if let Some(error) = failed {
                return Err(error.into());
            }
            let table = table
                .with_collection_limit(collection_limit)
                .with_stream(stream)
                .succeed(None);
            table.publish();
            tables.push(table);
        }
        let fillings = tables.iter().flat_map(|table| table.fillings());
        settle_backfills(&snapshot, fillings, &mut gone)?;
        recount::begin(&store, all_statistics.into_iter())?;
        if !gone.is_empty() {
            // Nothing depends on it: if it is lost, it is done again.
            drop(store.write_upkeep(gone)?);
        }
        let changes = (0..TableIndex::STRIPES).map(|_| Mutex::new(())).collect();
        Ok(Self {
            store,
            collection_limit,
            streams,
            tables: TableIndex::new(tables),
            changes,
            admission: Admission::default(),
        })
    }

    /// The indexes that are being filled, each with its table.
    pub fn filling(&self) -> Vec<(Arc<Table>, KeyspaceId)> {
        let mut filling = Vec::new();
        self.tables.for_each(|table| {
            let pending = table.fillings().filter(|(_, filling)| filling.is_pending());
            filling.extend(pending.map(|(keyspace, _)| (Arc::clone(table), keyspace)));
        });
        filling
    }

    /// The table `name` in `namespace`, in whatever state it is at `now_ms`.
    pub fn find(&self, namespace: &Namespace, name: &str, now_ms: u64) -> Option<Arc<Table>> {
        self.look_up(namespace, name, now_ms)
            .map(|found| Arc::clone(&found))
    }

    /// The same, for as long as a request takes and no longer: without counting a reference to the
    /// table, which would be one place that all cores write to.
    pub fn look_up(&self, namespace: &Namespace, name: &str, now_ms: u64) -> Option<Found> {
        let found = self.tables.find(namespace, name)?;
        (!found.is_gone(now_ms)).then_some(found)
    }

    /// Names of tables in `namespace` at `now_ms`, sorted by their bytes: those behind `after`, at
    /// most `limit`. The second value tells whether there are more.
    pub fn names(
        &self,
        namespace: &Namespace,
        after: Option<&str>,
        limit: usize,
        now_ms: u64,
    ) -> (Vec<String>, bool) {
        let mut names = Vec::new();
        self.tables.for_each(|table| {
            let behind = after.is_none_or(|after| table.name() > after);
            if behind && table.namespace() == namespace && !table.is_gone(now_ms) {
                names.push(table.name().to_owned());
            }
        });
        names.sort_unstable();
        let more = names.len() > limit;
        names.truncate(limit);
        (names, more)
    }

    /// How many tables `namespace` has at `now_ms`, in all and in certain states.
    pub fn census(&self, namespace: &Namespace, now_ms: u64) -> Census {
        let mut census = Census::default();
        self.tables.for_each(|table| {
            if table.namespace() == namespace && !table.is_gone(now_ms) {
                census = census.plus(Census::of(table, now_ms));
            }
        });
        census
    }

    /// Namespaces in which there is a table `name` at `now_ms`. Slow: for messages to people.
    pub fn namespaces_with(&self, name: &str, now_ms: u64) -> Vec<Namespace> {
        let mut with = Vec::new();
        self.tables.for_each(|table| {
            if table.name() == name && !table.is_gone(now_ms) {
                with.push(table.namespace().clone());
            }
        });
        with
    }

    /// The tables where time to live is on.
    pub fn expiring(&self) -> Vec<Arc<Table>> {
        let mut expiring = Vec::new();
        self.tables.for_each(|table| {
            if expires(table) {
                expiring.push(Arc::clone(table));
            }
        });
        expiring
    }

    /// Whether there are any.
    pub fn has_expiring(&self) -> bool {
        let mut any = false;
        self.tables.for_each(|table| any = any || expires(table));
        any
    }

    /// Changes the table `name` in `namespace`, and waits until the change is durable, and until no
    /// write goes by the definition before any more: blocks.
    ///
    /// `decide` is given the table as it is and says what becomes of it. Nobody else changes that
    /// table meanwhile. Returns the table before and after, and what `decide` had to say.
    ///
    /// # Errors
    /// What `decide` refuses with, and failures of the store; the table has not changed then. (If
    /// the disk failed, the change may be there after a restart.)
    pub fn change<T>(
        &self,
        namespace: &Namespace,
        name: &str,
        now_ms: u64,
        decide: impl FnOnce(Option<&Arc<Table>>) -> Result<(Change, T), Fault>,
    ) -> Result<Changed<T>, Fault> {
        self.change_within(namespace, name, now_ms, |_, _| Ok(()), decide)
    }

    /// The same, if `admit` agrees: it is asked once it is known what becomes of the table, with what
    /// the namespace has by then, changes of others that are not done yet included, and what it would
    /// have more. Between that and the change nobody else is admitted to the same room.
    ///
    /// # Errors
    /// Also what `admit` refuses with.
    pub fn change_within<T>(
        &self,
        namespace: &Namespace,
        name: &str,
        now_ms: u64,
        admit: impl FnOnce(Census, Census) -> Result<(), Fault>,
        decide: impl FnOnce(Option<&Arc<Table>>) -> Result<(Change, T), Fault>,
    ) -> Result<Changed<T>, Fault> {
        let stripe = TableIndex::stripe(name);
        let _guard = self.changes.get(stripe).map(Mutex::lock);
        let before = self.find(namespace, name, now_ms);
        let (change, outcome) = decide(before.as_ref())?;
        let after = match change {
            Change::Nothing => before.clone(),
            Change::Put { record, dropped } => {
                let before = before.as_ref();
                Some(self.put(namespace, before, *record, &dropped, now_ms, admit)?)
            }
            Change::Remove => {
                self.remove(namespace, name, before.as_ref(), now_ms)?;
                None
            }
        };
        Ok(Changed {
            before,
            after,
            outcome,
        })
    }

    /// Puts the live statistics of all tables on disk: between the last write and the end.
    pub fn save_statistics(&self) -> Result<(), EngineError> {
        let mut batch = Batch::new();
        self.tables.for_each(|table| {
            let all = table.all_statistics();
            all.for_each(|statistics| statistics.save(&mut batch));
        });
        if batch.is_empty() {
            Ok(())
        } else {
            self.store.write_upkeep(batch)?.wait()
        }
    }

    fn put(
        &self,
        namespace: &Namespace,
        before: Option<&Arc<Table>>,
        record: Record,
        dropped: &[KeyspaceId],
        now_ms: u64,
        admit: impl FnOnce(Census, Census) -> Result<(), Fault>,
    ) -> Result<Arc<Table>, Fault> {
        let name: Box<str> = record.name.as_str().into();
        let key = system::table_definition(&namespace.account, &namespace.region, &name);
        let mut batch = Batch::new();
        batch.put(key, record.encode().map_err(internal)?);
        let kept: HashMap<KeyspaceId, &Arc<Statistics>> = before
            .iter()
            .flat_map(|table| table.all_statistics())
            .map(|statistics| (statistics.keyspace(), statistics))
            .collect();
        let stream = before.and_then(|table| table.stream());
        let (closed, stream, created) = match (stream, record.enabled_stream()) {
            (None, None) => (None, None, None),
            (Some(stream), Some(_)) => (None, Some(Arc::clone(stream)), None),
            (Some(stream), None) => (Some(stream), None, None),
            (None, Some(latest)) => {
                let new = new_stream(&record, latest, now_ms);
                let stream = self.streams.create(new, &mut batch)?;
                (None, Some(Arc::clone(&stream)), Some(stream))
            }
        };
        let table = Table::new(record, |keyspace| match kept.get(&keyspace) {
            Some(statistics) => Arc::clone(statistics),
            None => {
                let statistics = Statistics::new(keyspace);
                statistics.save_new(&mut batch);
                statistics
            }
        });
        let table = table
            .map_err(internal)?
            .with_collection_limit(self.collection_limit)
            .with_stream(stream)
            .succeed(before.map(AsRef::as_ref));
        for (keyspace, filling) in table.fillings() {
            let is_new = before.is_none_or(|before| before.filling(keyspace).is_none());
            if is_new && filling.is_pending() {
                batch.put(system::backfill(keyspace), Vec::new());
            }
        }
        for keyspace in dropped {
            drop_keyspace(&mut batch, *keyspace);
        }
        let was = before.map_or_else(Census::default, |before| Census::of(before, now_ms));
        let more = Census::of(&table, now_ms).beyond(was);
        let count = || self.census(namespace, now_ms);
        let promise = self.admission.promise(namespace, more, count, admit)?;
        self.write(batch, closed, now_ms)?;
        if let Some(stream) = created {
            self.streams.insert(stream)?;
        }
        promise.keep(|| self.tables.insert(Arc::clone(&table)));
        table.publish();
        if before.is_some() {
            self.store.settle()?;
        }
        if let Some(stream) = table.stream() {
            stream.grow(table.record().partitions(), now_ms)?;
        }
        Ok(table)
    }

    /// Writes a change of a table, and with it the end of its stream, if it has come.
    fn write(
        &self,
        mut batch: Batch,
        closed: Option<&Arc<Stream>>,
        now_ms: u64,
    ) -> Result<(), EngineError> {
        let closing = closed
            .map(|stream| stream.close(&mut batch, now_ms))
            .transpose()?;
        let commit = self.store.write(batch)?;
        if let Some(closing) = closing {
            closing.finish(commit.sequence());
        }
        commit.wait()
    }

    fn remove(
        &self,
        namespace: &Namespace,
        name: &str,
        before: Option<&Arc<Table>>,
        now_ms: u64,
    ) -> Result<(), Fault> {
        let mut batch = Batch::new();
        batch.delete(system::table_definition(
            &namespace.account,
            &namespace.region,
            name,
        ));
        for keyspace in before.iter().flat_map(|table| table.keyspaces()) {
            drop_keyspace(&mut batch, keyspace);
        }
        let stream = before.and_then(|table| table.stream());
        self.write(batch, stream, now_ms)?;
        self.tables.remove(namespace, name);
        if let Some(table) = before {
            table.withdraw();
        }
        Ok(())
    }
}

/// Drops a keyspace of a table, with what is kept about it.
fn drop_keyspace(batch: &mut Batch, keyspace: KeyspaceId) {
    batch.drop_keyspace(keyspace);
    batch.delete(system::statistics(keyspace));
    batch.delete(system::backfill(keyspace));
}

/// Finds out which indexes still have to be filled: those with a row. A row without an index is what
/// filling one left behind that was deleted just then; it goes.
fn settle_backfills<'a>(
    snapshot: &Snapshot,
    fillings: impl Iterator<Item = (KeyspaceId, &'a Filling)>,
    gone: &mut Batch,
) -> Result<(), EngineError> {
    let mut rows = HashSet::new();
    let mut entries = snapshot.range(system::backfills(), Direction::Forward, ReadMode::Blocking);
    loop {
        match entries.next()? {
            Step::Entry { key, .. } => rows.insert(Key::from(key)),
            Step::Paused(..) => continue,
            Step::End => break,
        };
    }
    for (keyspace, filling) in fillings.filter(|(_, filling)| filling.is_pending()) {
        if !rows.remove(&system::backfill(keyspace)) {
            filling.finish();
        }
    }
    for row in rows {
        gone.delete(row);
    }
    Ok(())
}

/// Whether items of a table expire. One that is being deleted has none.
fn expires(table: &Table) -> bool {
    table.expiry().is_some() && table.current().is_some()
}

/// The stream `label` of the table that `record` defines.
fn stream_name(record: &Record, label: &str) -> StreamName {
    StreamName {
        account: record.account.as_str().into(),
        region: record.region.as_str().into(),
        table: record.name.as_str().into(),
        label: label.into(),
    }
}

/// The stream that a table is to have from now on.
fn new_stream(record: &Record, latest: &LatestStream, now_ms: u64) -> NewStream {
    let key = |key_type| {
        let mut elements = record.key.iter();
        let element = elements.find(|element| element.key_type == key_type);
        element.map(|element| element.name.clone())
    };
    NewStream {
        name: stream_name(record, &latest.label),
        view: latest.view,
        partition_key: key(KeyType::Hash).unwrap_or_default(),
        sort_key: key(KeyType::Range),
        shards: record.partitions(),
        created_ms: now_ms,
    }
}

/// A table before and after a change.
pub struct Changed<T> {
    /// As it was.
    pub before: Option<Arc<Table>>,
    /// As it is.
    pub after: Option<Arc<Table>>,
    /// What the decision had to say.
    pub outcome: T,
}

/// A definition that we made contradicts itself: our mistake, caught before it is on disk.
fn internal(error: RecordError) -> Fault {
    tracing::error!("{error}");
    Fault::Answer(crate::wire::Error::InternalServer(
        "Internal server error".into(),
    ))
}
