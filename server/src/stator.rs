//! Stator as a library: everything that can be asked of it, without a socket.
//!
//! The HTTP front, the simulator and other people's tests all stand on this. Operations are
//! asynchronous and run on a tokio runtime if there is one; without one they block the thread that
//! polls them, and [`Stator::block_on`] drives them.

use std::{borrow::Cow, sync::Arc};

use parking_lot::Mutex;
use thiserror::Error;

pub use crate::store::ClockError;
pub use crate::table::COLLECTION_LIMIT;
use crate::{
    expression::ExpressionCache,
    metrics::{RequestTimes, Statistics},
    mutants::{Mutant, is_on},
    operation::{Quotas, RequestContext},
    partiql::StatementCache,
    plan::{backfill, transaction::Transactions},
    store::{
        ClockMode, DueRegistry, Durability, EngineError, EngineOptions, Fault, IoMode, Moved,
        Storage, Store, StoreOptions,
    },
    streams::{Streams, StreamsError},
    table::{Catalog, CatalogError, Found, Namespace, Table, TableStatus},
    ttl::Sweeper,
    validation::Wording,
    wire::{self, Arn},
};

/// How many parsed expressions of each kind, and statements, are kept. A program has tens to hundreds.
const EXPRESSION_CACHE_SIZE: usize = 1024;

/// How long expired items stay, unless an option says otherwise. In DynamoDB it is "within a few days"
/// (developer guide, "Using time to live (TTL) in DynamoDB"), so that programs must not count on their
/// absence: a minute is short enough to see them go, and long enough to meet them.
const TTL_DELAY_MS: u64 = 60_000;

/// Items that the index of what expires is filled with before the request is answered.
const FILLED_AT_ONCE: i64 = 1000;

/// How to open Stator.
#[derive(Clone)]
pub struct StatorOptions {
    /// Where the data is.
    pub storage: Storage,
    /// When a write is acknowledged.
    pub durability: Durability,
    /// In which way the files of a directory are written.
    pub io: IoMode,
    /// Whose time it is.
    pub clock: ClockMode,
    /// The Region that ARNs name.
    pub region: String,
    /// The account that ARNs name.
    pub account: String,
    /// Whether all requests share the tables of one namespace.
    pub namespaces: Namespaces,
    /// How long tables show CREATING, UPDATING and DELETING, in milliseconds. With 0 only the answer
    /// of the operation itself shows them.
    pub table_state_delay_ms: u64,
    /// How long expired items stay before they are deleted, in milliseconds. `None` is a minute
    /// under the system's clock, and not at all under one that is driven.
    pub ttl_delay_ms: Option<u64>,
    /// Bytes that an item collection may have: in a table with local secondary indexes, all items of
    /// one partition key with their entries in those indexes. DynamoDB's limit unless somebody wants
    /// to meet it.
    pub item_collection_limit: u64,
    /// Whose words validation errors have.
    pub wording: Wording,
    /// How many tables there may be.
    pub quotas: Quotas,
    /// Sizes and bounds of the storage engine. Its durability is the one above.
    pub engine: EngineOptions,
}

impl Default for StatorOptions {
    fn default() -> Self {
        Self {
            storage: Storage::Memory,
            durability: Durability::Sync,
            io: IoMode::Auto,
            clock: ClockMode::System,
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
            namespaces: Namespaces::Shared,
            table_state_delay_ms: 0,
            ttl_delay_ms: None,
            item_collection_limit: COLLECTION_LIMIT,
            wording: Wording::default(),
            quotas: Quotas::default(),
            engine: EngineOptions::default(),
        }
    }
}

/// Which requests see the same tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespaces {
    /// All of them, whatever their credentials and Region; what an ARN says about account and
    /// Region is not looked at.
    Shared,
    /// Those with the same account and Region.
    Separate,
}

/// Why Stator could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] EngineError),
    /// The streams could not be read.
    #[error("the streams cannot be read: {0}")]
    Streams(#[from] StreamsError),
    /// The catalog of tables could not be read.
    #[error("the catalog of tables cannot be read: {0}")]
    Catalog(#[from] CatalogError),
}

/// An open Stator. Clones are the same one.
#[derive(Clone)]
pub struct Stator {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    streams: Arc<Streams>,
    catalog: Arc<Catalog>,
    namespace: Namespace,
    namespaces: Namespaces,
    table_state_delay_ms: u64,
    wording: Wording,
    quotas: Quotas,
    expressions: ExpressionCache,
    statements: StatementCache,
    transactions: Arc<Transactions>,
    sweeper: Arc<Sweeper>,
    due: DueRegistry,
    /// Moves of the clock come one after the other.
    clock_moves: Mutex<()>,
    request_times: RequestTimes,
}

/// A move of a clock that is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockMove {
    /// To this time, in Unix milliseconds.
    Set(u64),
    /// By so many milliseconds.
    Advance(u64),
}

impl Stator {
    /// Opens Stator, and creates its data if there is none.
    pub fn open(options: StatorOptions) -> Result<Self, OpenError> {
        // A machine of somebody else's choice may be one thread's.
        let threads = match &options.storage {
            Storage::Env(..) => 1,
            _ => std::thread::available_parallelism().map_or(1, |cores| cores.get().min(4)),
        };
        let store = Store::open(StoreOptions {
            storage: options.storage,
            durability: options.durability,
            io: options.io,
            clock: options.clock,
            engine: options.engine,
            ..StoreOptions::default()
        })?;
        let streams = Streams::load(store.clone())?;
        let catalog = Arc::new(Catalog::load(
            store.clone(),
            Arc::clone(&streams),
            options.item_collection_limit,
        )?);
        let filling = catalog.filling().into_iter();
        for (table, keyspace) in filling.filter(|_| !is_on(Mutant::BackfillResumed)) {
            backfill::begin(&store, &table, keyspace)?;
        }
        let transactions = Arc::new(Transactions::load(store.clone())?);
        let due = DueRegistry::default();
        due.register(Arc::clone(&transactions) as Arc<_>);
        let default_delay_ms = match options.clock {
            ClockMode::System => TTL_DELAY_MS,
            ClockMode::Manual { .. } => 0,
        };
        let ttl_delay_ms = options.ttl_delay_ms.unwrap_or(default_delay_ms);
        let sweeper = Sweeper::start(store.clone(), Arc::clone(&catalog), ttl_delay_ms, threads)?;
        due.register(Arc::clone(&sweeper) as Arc<_>);
        due.register(Arc::clone(&streams) as Arc<_>);
        let namespace = Namespace::new(options.account, options.region);
        let inner = Inner {
            store,
            streams,
            catalog,
            namespace,
            namespaces: options.namespaces,
            table_state_delay_ms: options.table_state_delay_ms,
            wording: options.wording,
            quotas: options.quotas,
            expressions: ExpressionCache::new(EXPRESSION_CACHE_SIZE),
            statements: StatementCache::new(EXPRESSION_CACHE_SIZE),
            transactions,
            sweeper,
            due,
            clock_moves: Mutex::new(()),
            request_times: RequestTimes::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The circumstances of a call that did not come over HTTP, made now in the default namespace.
    pub fn context(&self) -> RequestContext {
        RequestContext {
            namespace: self.inner.namespace.clone(),
            now_ms: self.now_ms(),
            host: Box::default(),
            wording: self.inner.wording,
        }
    }

    /// The namespace of the options.
    pub fn default_namespace(&self) -> &Namespace {
        &self.inner.namespace
    }

    /// The namespace of a request of `account` (if it is known) in `region` (likewise).
    pub fn namespace(&self, account: Option<&str>, region: Option<&str>) -> Namespace {
        let default = &self.inner.namespace;
        match self.inner.namespaces {
            Namespaces::Shared => default.clone(),
            Namespaces::Separate => Namespace::new(
                account.unwrap_or(&default.account),
                region.unwrap_or(&default.region),
            ),
        }
    }

    /// Expressions that were parsed before.
    pub fn expressions(&self) -> &ExpressionCache {
        &self.inner.expressions
    }

    /// Statements that were parsed before.
    pub fn statements(&self) -> &StatementCache {
        &self.inner.statements
    }

    /// Transactions in progress, and client tokens.
    pub fn transactions(&self) -> &Arc<Transactions> {
        &self.inner.transactions
    }

    /// The streams.
    pub fn streams(&self) -> &Arc<Streams> {
        &self.inner.streams
    }

    /// Where requests that came over HTTP are counted.
    pub fn request_times(&self) -> &RequestTimes {
        &self.inner.request_times
    }

    /// What was counted of requests, and what the store has done.
    pub fn statistics(&self) -> Statistics {
        Statistics::collect(&self.inner.request_times, self.inner.store.state())
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The tables.
    pub fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }

    /// Unix milliseconds of the engine's clock.
    pub fn now_ms(&self) -> u64 {
        self.inner.store.now_ms()
    }

    /// Whether the clock stands until [`Stator::move_clock`] moves it.
    pub fn has_manual_clock(&self) -> bool {
        self.inner.store.has_manual_clock()
    }

    /// Moves a clock that is driven, and returns where it stands then, once everything that is due by
    /// then has happened. A move by nothing does what has become due since the last one.
    ///
    /// # Errors
    /// If the clock is the system's or would go back; failures of the store, after which some of what
    /// is due has not happened, and will with the next move.
    pub async fn move_clock(&self, to: ClockMove) -> Result<u64, ClockError> {
        let owner = self.clone();
        let moved = self.inner.store.run_blocking(move || Ok(owner.moved(to)));
        moved.await.map_err(|_| EngineError::Closed)?
    }

    fn moved(&self, to: ClockMove) -> Result<u64, ClockError> {
        let inner = &self.inner;
        let _one_at_a_time = inner.clock_moves.lock();
        let from_ms = inner.store.now_ms();
        inner.store.set_clock(match to {
            ClockMove::Set(to_ms) => to_ms,
            ClockMove::Advance(by_ms) => from_ms.saturating_add(by_ms),
        })?;
        let to_ms = inner.store.now_ms();
        let done = inner.due.run(Moved { from_ms, to_ms });
        done.map_err(Fault::into_error).map_err(ClockError::Due)?;
        Ok(to_ms)
    }

    /// Goes on with what follows from switching time to live of `table`.
    pub(crate) fn time_to_live_changed(&self, table: &Arc<Table>) -> Result<(), EngineError> {
        let Some(index) = table.expiry() else {
            return Ok(());
        };
        // A small table is ready before anybody can look, as it is on AWS (DDB-TABLE-145).
        let store = &self.inner.store;
        let is_small = table.statistics().item_count() <= FILLED_AT_ONCE;
        if !is_small || backfill::complete(store, table, index.keyspace()).is_err() {
            backfill::begin(store, table, index.keyspace())?;
        }
        self.inner.sweeper.wake();
        Ok(())
    }

    /// Where features register what time makes due.
    pub fn due(&self) -> &DueRegistry {
        &self.inner.due
    }

    /// How long tables show CREATING, UPDATING and DELETING, in milliseconds.
    pub fn table_state_delay_ms(&self) -> u64 {
        self.inner.table_state_delay_ms
    }

    /// Whose words validation errors have.
    pub fn wording(&self) -> Wording {
        self.inner.wording
    }

    /// How many tables there may be.
    pub fn quotas(&self) -> Quotas {
        self.inner.quotas
    }

    /// Namespace and name of the table that `TableName` means: a name, or the ARN of a table.
    pub fn resolve<'c, 'a>(
        &self,
        context: &'c RequestContext,
        name_or_arn: &'a str,
    ) -> (Cow<'c, Namespace>, &'a str) {
        match Arn::parse(name_or_arn) {
            Ok(arn) if arn.below.is_none() => {
                (Cow::Owned(self.namespace_of(context, &arn)), arn.table)
            }
            _ => (Cow::Borrowed(&context.namespace), name_or_arn),
        }
    }

    /// Namespace of what `arn` names.
    pub fn namespace_of(&self, context: &RequestContext, arn: &Arn<'_>) -> Namespace {
        match self.inner.namespaces {
            Namespaces::Shared => context.namespace.clone(),
            Namespaces::Separate => Namespace::new(arn.account, arn.region),
        }
    }

    /// The table that `TableName` means, in any state, for operations on tables.
    ///
    /// # Errors
    /// `ResourceNotFoundException` in the words that operations on tables use.
    pub fn describe(
        &self,
        context: &RequestContext,
        name_or_arn: &str,
    ) -> Result<Arc<Table>, wire::Error> {
        let (namespace, name) = self.resolve(context, name_or_arn);
        self.catalog()
            .find(&namespace, name, context.now_ms)
            .ok_or_else(|| {
                self.missing(&namespace, name, context.now_ms);
                table_not_found(name)
            })
    }

    /// The table that `TableName` means, for operations on items: it must be usable.
    ///
    /// # Errors
    /// `ResourceNotFoundException` in the words that operations on items use, also while the table
    /// is being created or deleted.
    pub fn table(
        &self,
        context: &RequestContext,
        name_or_arn: &str,
    ) -> Result<Arc<Table>, wire::Error> {
        self.look_up(context, name_or_arn)
            .map(|found| Arc::clone(&found))
    }

    /// The same, for no longer than the request takes: see [`Catalog::look_up`].
    ///
    /// # Errors
    /// The same.
    pub fn look_up(
        &self,
        context: &RequestContext,
        name_or_arn: &str,
    ) -> Result<Found, wire::Error> {
        let (namespace, name) = self.resolve(context, name_or_arn);
        let table = self.catalog().look_up(&namespace, name, context.now_ms);
        let Some(table) = table else {
            self.missing(&namespace, name, context.now_ms);
            return Err(wire::Error::ResourceNotFound(
                "Requested resource not found".into(),
            ));
        };
        match table.status(context.now_ms) {
            TableStatus::Active | TableStatus::Updating => Ok(table),
            TableStatus::Creating | TableStatus::Deleting => Err(wire::Error::ResourceNotFound(
                "Requested resource not found".into(),
            )),
        }
    }

    /// Drives an operation without a runtime.
    ///
    /// # Errors
    /// If the engine has ended meanwhile.
    pub fn block_on<F>(&self, future: F) -> Result<F::Output, wire::Error>
    where
        F: Future + Send,
        F::Output: Send,
    {
        self.inner.store.block_on(future)
    }

    /// Makes everything durable and lets go of the files. Must be called when nothing is under way
    /// any more; what is tried afterwards fails. Without it nothing that was acknowledged is lost,
    /// but items are counted anew when the data is next opened.
    pub fn close(self) -> Result<(), EngineError> {
        self.inner.sweeper.stop()?;
        self.inner.catalog.save_statistics()?;
        self.inner.store.clone().close()
    }

    /// Tells the log where a missing table is to be found, if it is anywhere: most often somebody
    /// uses other credentials or another Region than they think.
    fn missing(&self, namespace: &Namespace, name: &str, now_ms: u64) {
        if !tracing::enabled!(tracing::Level::WARN) {
            return;
        }
        for other in self.catalog().namespaces_with(name, now_ms) {
            tracing::warn!("there is no table {name} for {namespace}, but there is for {other}");
        }
    }
}

/// The words of operations on tables for one that does not exist.
pub(crate) fn table_not_found(name: &str) -> wire::Error {
    let message = format!("Requested resource not found: Table: {name} not found");
    wire::Error::ResourceNotFound(message.into())
}

#[cfg(test)]
mod tests;
