//! One stream: its shards as writers and readers see them, and how they change.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::{Definition, Shard, StreamName, View, definition::Closed, logs::Logs};
use crate::store::{Batch, EngineError, KeyspaceId, Store, system};

/// What all streams share.
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) logs: Logs,
    /// Number of the next shard.
    pub(super) next_shard: AtomicU32,
}

/// A stream, enabled or not.
pub struct Stream {
    pub(super) shared: Arc<Shared>,
    name: StreamName,
    view: View,
    /// Names of the key attributes, sorted as an item's are.
    key_names: Box<[Box<str>]>,
    /// When the first of the open shards is to be replaced: Unix milliseconds.
    due_ms: AtomicU64,
    state: RwLock<State>,
}

pub(super) struct State {
    pub(super) definition: Definition,
    /// Open shards, by their ranges.
    open: Vec<Open>,
    /// The commit that made the set of shards what it is. Nobody may be told of it before that is
    /// durable; 0 if it was found on disk.
    pub(super) changed: u64,
}

struct Open {
    first_hash: u64,
    place: Place,
}

/// Where the records of a shard stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The keyspace.
    pub keyspace: KeyspaceId,
    /// The partition.
    pub partition: [u8; 4],
}

impl Shard {
    /// Where its records stand.
    pub(super) fn place(&self) -> Place {
        Place {
            keyspace: KeyspaceId(self.keyspace),
            partition: self.number.to_be_bytes(),
        }
    }
}

impl State {
    fn new(definition: Definition, changed: u64) -> Self {
        let is_open = |shard: &&Shard| shard.closed.is_none();
        let mut open: Vec<Open> = definition
            .shards
            .iter()
            .filter(is_open)
            .map(|shard| Open {
                first_hash: shard.first_hash,
                place: shard.place(),
            })
            .collect();
        open.sort_unstable_by_key(|open| open.first_hash);
        Self {
            definition,
            open,
            changed,
        }
    }

    fn due_ms(&self) -> u64 {
        let due = self.definition.shards.iter().filter_map(Shard::due_ms);
        due.min().unwrap_or(u64::MAX)
    }
}

/// What takes the place of an open shard.
struct Replacement {
    number: u32,
    closed_ms: u64,
    /// Ranges of its children; none if the stream ends.
    ranges: Vec<(u64, u64)>,
}

impl Stream {
    pub(super) fn new(shared: Arc<Shared>, definition: Definition) -> Self {
        let names = [
            Some(&definition.partition_key),
            definition.sort_key.as_ref(),
        ];
        let mut key_names: Vec<Box<str>> = names
            .into_iter()
            .flatten()
            .map(|name| name.as_str().into())
            .collect();
        key_names.sort_unstable();
        let state = State::new(definition, 0);
        Self {
            shared,
            name: StreamName::of(&state.definition),
            view: state.definition.view,
            key_names: key_names.into(),
            due_ms: AtomicU64::new(state.due_ms()),
            state: RwLock::new(state),
        }
    }

    /// Which stream it is.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// What its records show.
    pub fn view(&self) -> View {
        self.view
    }

    /// Names of the table's key attributes, sorted.
    pub fn key_names(&self) -> &[Box<str>] {
        &self.key_names
    }

    /// Whether a shard is to be replaced by now: before a writer looks for its shard.
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.due_ms.load(Ordering::Acquire) <= now_ms
    }

    /// Holds the set of shards still, for a writer.
    ///
    /// Whoever needs several of these takes them in one order that all agree on, or two writers and
    /// two who change shards could wait for each other.
    pub fn writer(&self) -> Writer<'_> {
        Writer {
            state: self.state.read(),
        }
    }

    pub(super) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read()
    }

    /// Its definition as it is, and the commit that has to be durable before it may be shown.
    pub fn definition(&self) -> (Definition, u64) {
        let state = self.state.read();
        (state.definition.clone(), state.changed)
    }

    /// Whether nothing of it can be read any more.
    pub fn is_gone(&self, now_ms: u64) -> bool {
        self.state.read().definition.is_gone(now_ms)
    }

    /// Replaces the shards that are due by new ones of the same ranges. May wait for the disk, and
    /// waits for writers.
    pub fn roll(&self, now_ms: u64) -> Result<(), EngineError> {
        if !self.is_due(now_ms) {
            return Ok(());
        }
        self.replace(now_ms, |definition| {
            let due = |shard: &Shard| {
                let closed_ms = shard.due_ms().filter(|due_ms| *due_ms <= now_ms)?;
                Some(Replacement {
                    number: shard.number,
                    closed_ms,
                    ranges: vec![(shard.first_hash, shard.last_hash)],
                })
            };
            definition.shards.iter().filter_map(due).collect()
        })?;
        Ok(())
    }

    /// Splits the open shard `id`, or all open ones, in the middle of their ranges. Answers how many
    /// were split; one whose range is a single hash cannot be.
    pub fn split(&self, id: Option<&str>, now_ms: u64) -> Result<usize, EngineError> {
        self.replace(now_ms, |definition| {
            let halves = |shard: &Shard| {
                let (first, last) = (shard.first_hash, shard.last_hash);
                let wanted =
                    shard.closed.is_none() && first < last && id.is_none_or(|id| shard.id() == id);
                let middle = first + (last - first) / 2;
                wanted.then(|| Replacement {
                    number: shard.number,
                    closed_ms: now_ms,
                    ranges: vec![(first, middle), (middle + 1, last)],
                })
            };
            definition.shards.iter().filter_map(halves).collect()
        })
    }

    /// Splits shards until there are at least `count` open ones.
    pub fn grow(&self, count: usize, now_ms: u64) -> Result<(), EngineError> {
        loop {
            let open = self.state.read().open.len();
            if open == 0 || open >= count || self.split(None, now_ms)? == 0 {
                return Ok(());
            }
        }
    }

    /// Closes shards, and opens their children in the current log. What is written here is before
    /// everything in the children in the order of commits, so that writers need not wait for it.
    fn replace(
        &self,
        now_ms: u64,
        choose: impl FnOnce(&Definition) -> Vec<Replacement>,
    ) -> Result<usize, EngineError> {
        // Before the lock: it may wait for the disk.
        let keyspace = self.shared.logs.current(now_ms)?;
        let mut state = self.state.write();
        let replacements = choose(&state.definition);
        let count = replacements.len();
        if count == 0 {
            return Ok(0);
        }
        let mut definition = state.definition.clone();
        let last_sequence = self.shared.store.last_sequence();
        for replacement in replacements {
            self.apply(
                &mut definition,
                replacement,
                keyspace,
                last_sequence,
                now_ms,
            );
        }
        definition.shards.retain(|shard| !shard.is_trimmed(now_ms));
        let mut batch = Batch::new();
        batch.put(self.name.row(), encode(&definition)?);
        let commit = self.shared.store.write(batch)?;
        self.set(&mut state, definition, commit.sequence());
        Ok(count)
    }

    fn apply(
        &self,
        definition: &mut Definition,
        replacement: Replacement,
        keyspace: KeyspaceId,
        last_sequence: u64,
        now_ms: u64,
    ) {
        let mut shards = definition.shards.iter_mut();
        let Some(shard) = shards.find(|shard| shard.number == replacement.number) else {
            return;
        };
        shard.closed = Some(Closed {
            at_ms: replacement.closed_ms,
            last_sequence,
        });
        let parent = shard.id();
        for range in replacement.ranges {
            definition.shards.push(Shard {
                parent: Some(parent.clone()),
                ..self.shared.shard(keyspace, range, last_sequence, now_ms)
            });
        }
    }

    fn set(&self, state: &mut State, definition: Definition, changed: u64) {
        *state = State::new(definition, changed);
        self.due_ms.store(state.due_ms(), Ordering::Release);
    }

    /// Begins to disable the stream: its row goes into `batch`. No writer chooses a shard before
    /// what this returns is gone.
    pub fn close(&self, batch: &mut Batch, now_ms: u64) -> Result<Closing<'_>, EngineError> {
        let state = self.state.write();
        let mut definition = state.definition.clone();
        let last_sequence = self.shared.store.last_sequence();
        for shard in &mut definition.shards {
            shard.closed.get_or_insert(Closed {
                at_ms: now_ms,
                last_sequence,
            });
        }
        definition.disabled_ms.get_or_insert(now_ms);
        batch.put(self.name.row(), encode(&definition)?);
        Ok(Closing {
            stream: self,
            state,
            definition,
        })
    }
}

impl Shared {
    /// A new shard for a range of hashes.
    pub(super) fn shard(
        &self,
        keyspace: KeyspaceId,
        (first_hash, last_hash): (u64, u64),
        after_sequence: u64,
        created_ms: u64,
    ) -> Shard {
        Shard {
            number: self.next_shard.fetch_add(1, Ordering::Relaxed),
            keyspace: keyspace.0,
            parent: None,
            first_hash,
            last_hash,
            created_ms,
            after_sequence,
            closed: None,
        }
    }
}

/// The set of a stream's shards, held still: no shard is closed before this is dropped, which is not
/// before the writer's commit has its sequence number.
pub struct Writer<'a> {
    state: RwLockReadGuard<'a, State>,
}

impl Writer<'_> {
    /// Where the record of an item with this partition hash goes. `None` if the stream is disabled.
    pub fn place(&self, hash: u64) -> Option<Place> {
        let open = &self.state.open;
        let behind = open.partition_point(|open| open.first_hash <= hash);
        open.get(behind.checked_sub(1)?).map(|open| open.place)
    }
}

/// A stream that is being disabled.
pub struct Closing<'a> {
    stream: &'a Stream,
    state: RwLockWriteGuard<'a, State>,
    definition: Definition,
}

impl Closing<'_> {
    /// Its row was committed.
    pub fn finish(mut self, sequence: u64) {
        self.stream.set(&mut self.state, self.definition, sequence);
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The bytes of a definition that we made.
pub(super) fn encode(definition: &Definition) -> Result<Vec<u8>, EngineError> {
    // Numbers and texts always have a form in JSON.
    definition
        .encode()
        .map_err(|error| EngineError::invalid(error.to_string()))
}

impl StreamName {
    /// The key of its row.
    pub(super) fn row(&self) -> crate::store::Key {
        system::stream_definition(&self.account, &self.region, &self.table, &self.label)
    }
}

/// The ranges of `count` shards that share all hashes equally.
pub(super) fn equal_ranges(count: usize) -> impl Iterator<Item = (u64, u64)> {
    let count = count.max(1) as u128;
    // Quotients of something below 2^64 times `count`.
    let first = move |index: u128| ((index << 64) / count) as u64;
    (0..count).map(move |index| {
        let last = if index + 1 == count {
            u64::MAX
        } else {
            first(index + 1) - 1
        };
        (first(index), last)
    })
}

#[cfg(test)]
mod tests;
