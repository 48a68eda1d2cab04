//! Opening the store, and what it offers.

use std::{path::PathBuf, sync::Arc, time::Duration};

use stator_engine::{
    Batch, Commit, Db, Durability, Env, Error as EngineError, Key, KeyspaceId, Options, ReadMode,
    Snapshot, Statistics, Transaction, Value,
    io::{IoMode, ManualClock},
};

use super::{
    clock::{self, ClockMode},
    system::check_form,
};

/// Where the data is.
#[derive(Clone)]
pub enum Storage {
    /// Files in a directory, which is made if it is missing.
    Directory(PathBuf),
    /// Files in memory, gone when the store is dropped. Everything else is as on a disk.
    Memory,
    /// Files, clock, randomness and threads of somebody else's choice: a simulation, for instance.
    Env(Env, PathBuf),
}

/// How to open a store.
#[derive(Clone)]
pub struct StoreOptions {
    /// Where the data is.
    pub storage: Storage,
    /// When a write is acknowledged. In memory nothing is ever waited for.
    pub durability: Durability,
    /// In which way the files of a directory are written.
    pub io: IoMode,
    /// Bytes of decompressed data blocks to keep in memory; `None` for the engine's choice.
    pub block_cache_size: Option<usize>,
    /// Whose time it is.
    pub clock: ClockMode,
    /// Sizes and bounds of the engine; what stands above goes before what it says of the same.
    pub engine: Options,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            storage: Storage::Memory,
            durability: Durability::Sync,
            io: IoMode::Auto,
            block_cache_size: None,
            clock: ClockMode::System,
            engine: Options::default(),
        }
    }
}

/// What the store has done, and how it is.
#[derive(Clone, Debug)]
pub struct StoreState {
    /// The engine's figures.
    pub engine: Statistics,
    /// For how long acknowledgements are held back now, or why writes are refused.
    pub write_delay: Result<Duration, EngineError>,
    /// Since its clock began to run, which is when it was opened.
    pub uptime: Duration,
}

/// An open store. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    db: Db,
    manual_clock: Option<Arc<ManualClock>>,
}

impl Store {
    /// Opens the store, and creates it if there is none.
    pub fn open(options: StoreOptions) -> Result<Self, EngineError> {
        let (mut env, directory) = match options.storage {
            Storage::Directory(directory) => (Env::real_with(options.io)?, directory),
            Storage::Memory => (Env::memory(), PathBuf::from("/")),
            Storage::Env(env, directory) => (env, directory),
        };
        let mut engine = Options {
            durability: options.durability,
            ..options.engine
        };
        if let Some(size) = options.block_cache_size {
            engine.block_cache_size = size;
        }
        let system = Arc::clone(&env.clock);
        let manual_clock = clock::install(&mut env, options.clock);
        let db = Db::open(env, &directory, engine)?;
        let where_it_stands =
            clock::set_out(&db, options.clock, manual_clock.as_deref(), system.now_ms())?;
        let store = Self { db, manual_clock };
        check_form(&store)?;
        if !where_it_stands.is_empty() {
            // If it is lost, everything that could depend on it is lost too.
            drop(store.write_upkeep(where_it_stands)?);
        }
        Ok(store)
    }

    /// Everything that is durable now, seen as one.
    pub fn snapshot(&self) -> Snapshot {
        self.db.snapshot()
    }

    /// The durable value of one key, without a snapshot.
    pub fn get(&self, key: &Key, mode: ReadMode) -> Result<Option<Value>, EngineError> {
        self.db.get(key, mode)
    }

    /// Locks `keys` for reading and writing them.
    pub fn transaction<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a Key>,
        mode: ReadMode,
    ) -> Result<Transaction, EngineError> {
        self.db.transaction(keys, mode)
    }

    /// Writes without locks.
    pub fn write(&self, batch: Batch) -> Result<Commit, EngineError> {
        self.db.write(batch)
    }

    /// Writes, without locks, what keeps Stator itself in order: a few bytes at opening, at closing and
    /// where the clock is moved, which are not refused because clients write too much.
    pub fn write_upkeep(&self, batch: Batch) -> Result<Commit, EngineError> {
        self.db.write_unthrottled(batch)
    }

    /// Waits until no transaction that is open now is under way any more, and until what was
    /// committed by then is durable: blocks. See [`Db::settle`].
    pub fn settle(&self) -> Result<(), EngineError> {
        self.db.settle()
    }

    /// The newest commit, whether it is durable and visible or not.
    pub fn last_sequence(&self) -> u64 {
        self.db.last_sequence()
    }

    /// The newest commit that is durable.
    pub fn durable_sequence(&self) -> u64 {
        self.db.durable_sequence()
    }

    /// Resolves when what has `sequence` is durable: for answers that show what a transaction read
    /// and wrote nothing.
    pub fn wait_durable(&self, sequence: u64) -> Commit {
        self.db.wait_durable(sequence)
    }

    /// A keyspace that nobody has used before.
    pub fn create_keyspace(&self) -> Result<KeyspaceId, EngineError> {
        self.db.create_keyspace()
    }

    /// A keyspace that nobody has used before, for a log: what is written behind all that its partition
    /// has, hardly ever changed, and dropped with the whole keyspace.
    pub fn create_log(&self) -> Result<KeyspaceId, EngineError> {
        self.db.create_log()
    }

    /// Unix milliseconds of the engine's clock: the only time there is.
    pub fn now_ms(&self) -> u64 {
        self.db.env().clock.now_ms()
    }

    /// What it has done, and how it is.
    pub fn state(&self) -> StoreState {
        StoreState {
            engine: self.db.statistics(),
            write_delay: self.db.write_delay(),
            uptime: self.db.env().clock.monotonic(),
        }
    }

    /// The clock, if it is one that is driven.
    pub(super) fn manual_clock(&self) -> Option<&ManualClock> {
        self.manual_clock.as_deref()
    }

    /// Fills `bytes` with randomness.
    pub fn random(&self, bytes: &mut [u8]) -> Result<(), EngineError> {
        self.db.env().rng.fill(bytes)
    }

    /// Files, clock, randomness and threads that the store runs on.
    pub fn env(&self) -> &Env {
        self.db.env()
    }

    /// Makes everything durable and lets go of the files. Other clones are of no use afterwards.
    pub fn close(self) -> Result<(), EngineError> {
        self.db.close()
    }
}
