//! The database: open, recovery, commit, read, snapshot and transaction.
//!
//! **A commit** gets its sequence number in the commit queue, goes into the memtable, and waits until
//! all that waits is written and synced as one group: by the WAL writer, or by a thread that waits and
//! has nobody beside it. Two watermarks follow it:
//! *applied*, once it and all before it are in the memtable, and *durable*, once they are on the
//! disk as well.
//!
//! - Readers see up to durable: nothing that was ever shown can be lost.
//! - Who holds the lock of a key sees up to applied, and gives the lock back as soon as its own
//!   commit is applied. A later commit can't become durable before an earlier one, so that the next
//!   holder builds on what may be lost only together with what it builds.
//!
//! **A memtable** that is full becomes immutable, is written out as an SSTable of L0, and forgotten
//! once the manifest names that. Compaction merges SSTables down the levels.
//!
//! **After a failed write or sync** of the log nothing more is acknowledged: the database is
//! read-only, and says why, until it is opened again. A disk that is nearly full is none of that:
//! writes are refused until there is room.
//!
//! Background work is done by tasks (`io::Task`), in small steps: WAL writer and syncer, the
//! preparer of WAL segments, the pacer, flush, compaction, and the deletion of files.

mod batch;
mod budget;
mod cleaner;
mod commit;
mod compact;
mod counters;
mod dropped;
mod flush;
mod group_times;
mod health;
mod keyspaces;
mod latency;
mod locks;
mod log_writer;
mod memtables;
mod open;
mod pacer;
mod queue;
mod range;
mod read;
mod recent;
mod recovery;
mod shared;
mod snapshot;
mod snapshots;
mod space;
mod statistics;
mod task;
mod transaction;
mod turn;
mod versions;
mod watermark;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use batch::Batch;
pub use commit::{Commit, Written};
pub use keyspaces::FIRST_CREATED_KEYSPACE;
pub use latency::{Latencies, LatencyRecorder};
pub use range::RangeIter;
pub use snapshot::Snapshot;
pub use statistics::{KeyspaceStatistics, LevelStatistics, Statistics};
pub use transaction::Transaction;
pub use versions::{AsOf, Fork, Pin, Retention};

use self::shared::Shared;
use crate::error::{Error, Result};
use crate::io::{Env, LockGuard, TaskHandle};
use crate::key::{Key, KeyspaceId};
use crate::options::Options;
use crate::sync::Mutex;
use crate::sync::atomic::Ordering;
use crate::{ReadMode, Value};

/// An open database. Cloning it gives another handle to the same one.
#[derive(Clone)]
pub struct Db {
    handle: Arc<Handle>,
}

/// Ends the background tasks when the last `Db` is gone.
struct Handle {
    shared: Arc<Shared>,
    open: Mutex<Option<Open>>,
}

/// What is only there while the database is open.
struct Open {
    log_writer: TaskHandle,
    others: Vec<TaskHandle>,
    _lock: Box<dyn LockGuard>,
}

impl Db {
    /// Opens the database in a directory, or creates one there.
    ///
    /// Fails with `Locked` if it is open already, and with `Corruption`, naming file and offset,
    /// where it can't read what it once wrote.
    pub fn open(env: Env, dir: &Path, options: Options) -> Result<Db> {
        open::open(env, dir, options)
    }

    /// A view of all that is durable now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(Arc::clone(&self.handle.shared))
    }

    /// The newest durable value of a key.
    pub fn get(&self, key: &Key, mode: ReadMode) -> Result<Option<Value>> {
        read::get_durable(&self.handle.shared, key, mode)
    }

    /// Takes the locks of some keys, to read, check and write them with nobody in between. In
    /// [`ReadMode::CachedOnly`], which is also the mode of the transaction's reads, a lock that is
    /// held answers `WouldBlock`. A thread must not open a second one while it holds a first.
    pub fn transaction<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a Key>,
        mode: ReadMode,
    ) -> Result<Transaction> {
        let shared = &self.handle.shared;
        let locks = shared.locks.acquire(keys, mode, &*shared.env.scheduler)?;
        Ok(Transaction::new(Arc::clone(shared), locks, mode))
    }

    /// Commits a batch without taking locks: for keys that no transaction touches.
    pub fn write(&self, batch: Batch) -> Result<Commit> {
        self.handle.shared.commit(batch)
    }

    /// [`Db::write`] for the few small batches that keep in order what stands on the database, at
    /// opening and closing for instance: they are not refused with `Throttled`, nor held back, because
    /// others write more than can be written out.
    pub fn write_unthrottled(&self, batch: Batch) -> Result<Commit> {
        self.handle.shared.commit_unthrottled(batch)
    }

    /// The sequence number that was given out last, to a commit that may be on its way still. Every
    /// commit that begins after this call has a higher one.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.handle.shared.queue.last_sequence()
    }

    /// Waits until every transaction that is open now has been committed or dropped, and until what
    /// was committed by then is durable: blocks. Who changes what transactions go by, once they have
    /// their locks, calls this afterwards; none that went by the old is under way then, and a
    /// snapshot sees what they did.
    ///
    /// The caller must not hold a transaction.
    pub fn settle(&self) -> Result<()> {
        let shared = &self.handle.shared;
        shared.locks.pass(&*shared.env.scheduler)?;
        self.wait_durable(self.last_sequence()).wait()
    }

    /// A keyspace that was never used. The id is durably never given out again, whether anything is
    /// written to the keyspace or not.
    pub fn create_keyspace(&self) -> Result<KeyspaceId> {
        self.handle.shared.create_keyspace(false)
    }

    /// A keyspace that was never used, for a log: see [`KeyspaceId::is_log`].
    pub fn create_log(&self) -> Result<KeyspaceId> {
        self.handle.shared.create_keyspace(true)
    }

    /// The last commit that is durable, and visible to readers.
    #[must_use]
    pub fn durable_sequence(&self) -> u64 {
        self.handle.shared.durable.sequence()
    }

    /// The last commit that is, with all before it, in the memtable.
    #[must_use]
    pub fn applied_sequence(&self) -> u64 {
        self.handle.shared.applied.sequence()
    }

    /// Ends when all commits up to a sequence number are durable.
    pub fn wait_durable(&self, sequence: u64) -> Commit {
        Commit::new(Arc::clone(&self.handle.shared), sequence, None)
    }

    /// How long the acknowledgement of a commit is held back at the moment, because more waits to be
    /// written out than should. Fails with what a commit would fail with: `Throttled`, `DiskFull`,
    /// `ReadOnly`, `Closed`.
    pub fn write_delay(&self) -> Result<Duration> {
        self.handle.shared.write_delay()
    }

    /// Where it stands and what it has done.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics::collect(&self.handle.shared)
    }

    /// What each keyspace takes in SSTables, in order of id; what is only in memory is not in it. Looks
    /// at every SSTable, but only at what the manifest knows of it.
    #[must_use]
    pub fn keyspace_statistics(&self) -> BTreeMap<KeyspaceId, KeyspaceStatistics> {
        statistics::keyspaces(&self.handle.shared.versions.current())
    }

    /// The files, clock, randomness and threads that it was opened with.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.handle.shared.env
    }

    /// Makes everything durable, ends the background tasks and gives the directory free. All
    /// handles and what came from them then answer `Closed` to writes; reads go on working.
    ///
    /// Dropping the last handle does the same and can't say whether it worked.
    pub fn close(self) -> Result<()> {
        self.handle.close()
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("dir", &self.handle.shared.dir)
            .finish_non_exhaustive()
    }
}

impl Handle {
    fn close(&self) -> Result<()> {
        let Some(open) = self.open.lock().take() else {
            return Ok(());
        };
        let shared = &self.shared;
        // What is in the queue already is still written.
        shared.queue.close(Error::Closed);
        shared.log.ask(shared);
        let mut result = open.log_writer.join().and(shared.segments.close());
        shared.stopped.store(true, Ordering::Release);
        for task in &open.others {
            task.wake();
        }
        for task in &open.others {
            result = result.and(task.join());
        }
        let result = shared.health.check().and(result);
        shared.health.fail(Error::Closed);
        shared.durable.fail(Error::Closed);
        result
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!("closing the database failed: {error}");
        }
    }
}

#[cfg(test)]
mod tests;
