//! All streams: those that are enabled, and those that can still be read.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Bound,
    sync::{Arc, Weak, atomic::AtomicU32},
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use thiserror::Error;

use super::{
    Definition, DefinitionError, Shard, Stream, View,
    definition::VERSION,
    logs::Logs,
    stream::{Shared, encode, equal_ranges},
};
use crate::store::{
    Batch, Commit, Direction, DueWork, EngineError, Fault, KeyspaceId, Moved, Next, Priority,
    ReadMode, Step, Store, Task, TaskHandle, system,
};

/// How often the task looks for what is due. Nothing is wrong before it has: it gives space back, and
/// rolls shards that nobody writes to or looks at.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);

/// Why streams could not be read.
#[derive(Debug, Error)]
pub enum StreamsError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] EngineError),
    /// A definition is not one.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
}

/// Which stream: ordered as ListStreams lists them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName {
    /// Account of the table's namespace.
    pub account: Box<str>,
    /// Region of the table's namespace.
    pub region: Box<str>,
    /// Name of the table.
    pub table: Box<str>,
    /// `StreamLabel`.
    pub label: Box<str>,
}

impl StreamName {
    pub(super) fn of(definition: &Definition) -> Self {
        Self {
            account: definition.account.as_str().into(),
            region: definition.region.as_str().into(),
            table: definition.table.as_str().into(),
            label: definition.label.as_str().into(),
        }
    }
}

/// What a new stream is like.
#[derive(Clone, Debug)]
pub struct NewStream {
    /// Which one it is to be. There must be none of that name.
    pub name: StreamName,
    /// What its records show.
    pub view: View,
    /// Name of the table's partition key.
    pub partition_key: String,
    /// Name of the table's sort key.
    pub sort_key: Option<String>,
    /// How many shards it begins with.
    pub shards: usize,
    /// Now: Unix milliseconds.
    pub created_ms: u64,
}

/// All streams.
pub struct Streams {
    shared: Arc<Shared>,
    all: RwLock<BTreeMap<StreamName, Arc<Stream>>>,
    /// What does [`Streams::maintain`] from time to time, once there is a stream.
    task: Mutex<Option<TaskHandle>>,
}

impl Streams {
    /// Reads the streams of `store`.
    pub fn load(store: Store) -> Result<Arc<Self>, StreamsError> {
        let mut definitions = Vec::new();
        let snapshot = store.snapshot();
        let range = system::stream_definitions();
        let mut rows = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
        loop {
            match rows.next()? {
                Step::Entry { value, .. } => definitions.push(Definition::decode(&value)?),
                Step::Paused(..) => {}
                Step::End => break,
            }
        }
        // The numbers of shards of which nothing is left are given out again: their logs are gone
        // too, since shards are trimmed before their log is.
        let numbers = definitions
            .iter()
            .flat_map(|definition| &definition.shards)
            .map(|shard| shard.number.wrapping_add(1));
        let shared = Arc::new(Shared {
            logs: Logs::load(store.clone())?,
            next_shard: AtomicU32::new(numbers.max().unwrap_or(0)),
            store,
        });
        let all = definitions.into_iter().map(|definition| {
            let stream = Stream::new(Arc::clone(&shared), definition);
            (stream.name().clone(), Arc::new(stream))
        });
        let all: BTreeMap<_, _> = all.collect();
        let streams = Arc::new(Self {
            shared: Arc::clone(&shared),
            all: RwLock::new(all),
            task: Mutex::new(None),
        });
        if !streams.all.read().is_empty() {
            streams.begin_maintenance()?;
        }
        Ok(streams)
    }

    /// The stream `name`, if anything of it can be read at `now_ms`.
    pub fn find(&self, name: &StreamName, now_ms: u64) -> Option<Arc<Stream>> {
        let stream = self.all.read().get(name).map(Arc::clone)?;
        (!stream.is_gone(now_ms)).then_some(stream)
    }

    /// Whether there is or was a stream `name` whose row is still there.
    pub fn contains(&self, name: &StreamName) -> bool {
        self.all.read().contains_key(name)
    }

    /// Streams of `account` and `region` (and of `table`, if it is given) at `now_ms`: those behind
    /// `after` (a table and a label), at most `limit`. The second value tells whether there are more.
    pub fn list(
        &self,
        (account, region): (&str, &str),
        table: Option<&str>,
        after: Option<(&str, &str)>,
        limit: usize,
        now_ms: u64,
    ) -> (Vec<Arc<Stream>>, bool) {
        let name = |table: &str, label: &str| StreamName {
            account: account.into(),
            region: region.into(),
            table: table.into(),
            label: label.into(),
        };
        let first = name(table.unwrap_or_default(), "");
        let start = match after.map(|(table, label)| name(table, label)) {
            Some(after) if after >= first => Bound::Excluded(after),
            _ => Bound::Included(first),
        };
        let all = self.all.read();
        let mut listed = all
            .range((start, Bound::Unbounded))
            .take_while(|(name, _)| {
                (&*name.account, &*name.region) == (account, region)
                    && table.is_none_or(|table| *name.table == *table)
            })
            .map(|(_, stream)| stream)
            .filter(|stream| !stream.is_gone(now_ms));
        let page = listed.by_ref().take(limit).map(Arc::clone).collect();
        (page, listed.next().is_some())
    }

    /// Makes a stream: its row goes into `batch`. Once that is durable, it is to be
    /// [inserted](Self::insert). May wait for the disk.
    pub fn create(&self, new: NewStream, batch: &mut Batch) -> Result<Arc<Stream>, EngineError> {
        let keyspace = self.shared.logs.current(new.created_ms)?;
        let last_sequence = self.shared.store.last_sequence();
        let shards = equal_ranges(new.shards)
            .map(|range| {
                self.shared
                    .shard(keyspace, range, last_sequence, new.created_ms)
            })
            .collect();
        let StreamName {
            account,
            region,
            table,
            label,
        } = new.name;
        let definition = Definition {
            version: VERSION,
            account: account.into(),
            region: region.into(),
            table: table.into(),
            label: label.into(),
            view: new.view,
            partition_key: new.partition_key,
            sort_key: new.sort_key,
            created_ms: new.created_ms,
            disabled_ms: None,
            shards,
        };
        let stream = Stream::new(Arc::clone(&self.shared), definition);
        batch.put(stream.name().row(), encode(&stream.definition().0)?);
        Ok(Arc::new(stream))
    }

    /// Lets others find a stream.
    pub fn insert(self: &Arc<Self>, stream: Arc<Stream>) -> Result<(), EngineError> {
        self.all.write().insert(stream.name().clone(), stream);
        self.begin_maintenance()
    }

    /// Does what is due at `now_ms`: rolls shards, forgets streams and drops logs of which nothing
    /// can be read any more. Blocks; what was done is durable when the commit is.
    pub fn maintain(&self, now_ms: u64) -> Result<Commit, EngineError> {
        let all: Vec<Arc<Stream>> = self.all.read().values().map(Arc::clone).collect();
        let mut in_use = HashSet::new();
        let mut gone = Vec::new();
        for stream in all {
            stream.roll(now_ms)?;
            let state = stream.state();
            if state.definition.is_gone(now_ms) {
                gone.push(stream.name().clone());
            }
            let open = |shard: &&Shard| shard.closed.is_none();
            let shards = state.definition.shards.iter().filter(open);
            in_use.extend(shards.map(|shard| KeyspaceId(shard.keyspace)));
        }
        if !gone.is_empty() {
            let mut batch = Batch::new();
            for name in &gone {
                batch.delete(name.row());
            }
            drop(self.shared.store.write_upkeep(batch)?);
            let mut all = self.all.write();
            for name in &gone {
                all.remove(name);
            }
        }
        let dropped = self.shared.logs.drop_expired(now_ms, &in_use)?;
        let store = &self.shared.store;
        Ok(dropped.unwrap_or_else(|| store.wait_durable(store.last_sequence())))
    }

    /// Under a clock that is driven, whoever moves it has everything done that is due.
    fn begin_maintenance(self: &Arc<Self>) -> Result<(), EngineError> {
        let mut task = self.task.lock();
        if task.is_none() && !self.shared.store.has_manual_clock() {
            let maintenance = Box::new(Maintenance(Arc::downgrade(self)));
            let scheduler = &self.shared.store.env().scheduler;
            *task = Some(scheduler.spawn("streams", Priority::Idle, maintenance)?);
        }
        Ok(())
    }

    /// How many logs there are.
    #[cfg(test)]
    pub(super) fn log_count(&self) -> usize {
        self.shared.logs.count()
    }
}

impl DueWork for Streams {
    fn name(&self) -> &'static str {
        "the trimming of streams"
    }

    fn run(&self, moved: Moved) -> Result<(), Fault> {
        self.maintain(moved.to_ms)?.wait()?;
        Ok(())
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut() {
            task.wake();
        }
    }
}

/// Maintains streams for as long as there are any.
struct Maintenance(Weak<Streams>);

impl Task for Maintenance {
    fn step(&mut self) -> Next {
        let Some(streams) = self.0.upgrade() else {
            return Next::Done;
        };
        match streams.maintain(streams.shared.store.now_ms()) {
            // Nobody waits for it; what is lost is done again.
            Ok(commit) => drop(commit),
            Err(EngineError::Closed) => return Next::Done,
            Err(error) => tracing::warn!("streams could not be trimmed: {error}"),
        }
        Next::After(MAINTENANCE_INTERVAL)
    }
}

#[cfg(test)]
mod tests;
