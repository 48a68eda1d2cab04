//! Time to live: deleting what has expired.
//!
//! When an item expires is an entry of its table's expiry index, which every write keeps in step
//! ([`crate::plan::expiry`]). A [`Sweep`](sweep::Sweep) goes through the part of the index whose time
//! has come and deletes the items through the ordinary write path, so that secondary indexes and
//! streams follow; each only if it still expires when the entry says.
//!
//! Under the system's clock a task sweeps every second, slowly. Under a clock that is driven nothing
//! expires but when it is moved, and then everything that is due is deleted before that is answered.

mod sweep;
mod task;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    thread,
    time::Duration,
};

use parking_lot::Mutex;

use self::sweep::{Due, Sweep};
use crate::{
    plan::backfill,
    store::{Commit, DueWork, EngineError, Fault, Moved, ReadMode, Store, TaskHandle},
    table::{Catalog, TimeToLiveStatus},
    wire,
};

/// What is longer ago than this does not expire any more: five years (developer guide, "Using time
/// to live (TTL) in DynamoDB": "cannot be more than five years in the past").
const WINDOW_MS: u64 = 5 * 365 * 24 * 3600 * 1000;

/// Items that one batch deletes where somebody waits for it: few enough that two threads seldom want
/// the same of the store's 4,096 locks.
const DRIVEN_BATCH: usize = 32;
/// Batches on their way to the disk before the oldest is waited for.
const DRIVEN_COMMITS: usize = 64;

/// Time between two attempts where the store takes no more for now.
const PAUSE: Duration = Duration::from_millis(1);

/// Deletes what has expired.
pub struct Sweeper {
    store: Store,
    catalog: Arc<Catalog>,
    delay_ms: u64,
    /// Threads that delete where somebody waits for it.
    threads: usize,
    task: Mutex<Option<TaskHandle>>,
    stopped: AtomicBool,
}

impl Sweeper {
    /// Begins to delete what expired more than `delay_ms` ago, in all tables where time to live is
    /// on. Where the clock is driven, so many `threads` do it. Ends with the last reference to it, or
    /// when it is [stopped](Self::stop).
    pub fn start(
        store: Store,
        catalog: Arc<Catalog>,
        delay_ms: u64,
        threads: usize,
    ) -> Result<Arc<Self>, EngineError> {
        let sweeper = Arc::new(Self {
            store,
            catalog,
            delay_ms,
            threads,
            task: Mutex::new(None),
            stopped: AtomicBool::new(false),
        });
        if !sweeper.store.has_manual_clock() {
            let handle = task::spawn(&sweeper.store, Arc::downgrade(&sweeper))?;
            *sweeper.task.lock() = Some(handle);
        }
        Ok(sweeper)
    }

    /// Has it look for tables: time to live was switched on in one.
    pub fn wake(&self) {
        if let Some(task) = &*self.task.lock() {
            task.wake();
        }
    }

    /// Ends it, and returns once nothing is deleted any more: blocks.
    ///
    /// # Errors
    /// If its thread has panicked.
    pub fn stop(&self) -> Result<(), EngineError> {
        self.stopped.store(true, Ordering::Release);
        let Some(task) = self.task.lock().take() else {
            return Ok(());
        };
        task.wake();
        task.join()
    }

    /// Whether it is to end.
    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Begins to sweep, in every table that has it on, what is due after `moved`. The store has to
    /// [settle](Store::settle) before the first step of any.
    fn sweeps(&self, moved: Moved) -> VecDeque<Sweep> {
        // An item is expired when its time is less than the current one (API reference,
        // `UpdateTimeToLive`): the first second that is not.
        let end = moved.to_ms.saturating_sub(self.delay_ms).div_ceil(1000);
        let window = moved.from_ms.saturating_sub(WINDOW_MS).div_ceil(1000);
        let tables = self.catalog.expiring();
        let enabled = tables
            .into_iter()
            .filter(|table| table.time_to_live(moved.to_ms).0 == TimeToLiveStatus::Enabled);
        enabled
            .filter_map(|table| Sweep::begin(table, window, end))
            .collect()
    }
}

impl DueWork for Sweeper {
    fn name(&self) -> &'static str {
        "the deletion of expired items"
    }

    fn run(&self, moved: Moved) -> Result<(), Fault> {
        for table in self.catalog.expiring() {
            if let Some(index) = table.expiry().filter(|own| own.filling().is_pending()) {
                backfill::complete(&self.store, &table, index.keyspace())?;
            }
        }
        let sweeps = Mutex::new(self.sweeps(moved));
        if sweeps.lock().is_empty() {
            return Ok(());
        }
        let outcome = self.store.settle().map_err(Fault::from).and_then(|()| {
            thread::scope(|scope| {
                let others: Vec<_> = (1..self.threads)
                    .map(|_| scope.spawn(|| self.work(&sweeps)))
                    .collect();
                let own = self.work(&sweeps);
                others.into_iter().fold(own, |outcome, other| {
                    outcome.and(other.join().unwrap_or_else(|_| Err(panicked())))
                })
            })
        });
        if outcome.is_err() {
            sweeps.lock().iter().for_each(Sweep::abandon);
        }
        outcome
    }
}

impl Sweeper {
    /// Deletes what is due until nothing is left that no other thread has taken.
    fn work(&self, sweeps: &Mutex<VecDeque<Sweep>>) -> Result<(), Fault> {
        let mut commits = VecDeque::new();
        loop {
            let due = {
                let mut sweeps = sweeps.lock();
                let Some(sweep) = sweeps.front_mut() else {
                    break;
                };
                let Some(due) = sweep.next(&self.store, DRIVEN_BATCH)? else {
                    sweeps.pop_front();
                    continue;
                };
                due
            };
            let commit = self.delete(&due).inspect_err(|_| due.leave())?;
            commits.push_back(commit);
            wait(&mut commits, DRIVEN_COMMITS)?;
        }
        wait(&mut commits, 0)
    }

    /// Deletes items, once the store takes it: what waits to be written out may be more than may.
    fn delete(&self, due: &Due) -> Result<Commit, Fault> {
        loop {
            match due.delete(&self.store, ReadMode::Blocking) {
                Err(Fault::Store(EngineError::Throttled)) => pause(&self.store)?,
                outcome => return outcome,
            }
        }
    }
}

fn panicked() -> Fault {
    wire::Error::InternalServer("Internal server error".into()).into()
}

/// Lets a moment pass, and the store's tasks go on: also where this thread is what drives them.
fn pause(store: &Store) -> Result<(), Fault> {
    thread::sleep(PAUSE);
    let mut has_waited = false;
    let moment = poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    });
    Ok(store.block_on(moment)?)
}

/// Waits until no more than `left` commits are on their way.
fn wait(commits: &mut VecDeque<Commit>, left: usize) -> Result<(), Fault> {
    while commits.len() > left {
        if let Some(commit) = commits.pop_front() {
            commit.wait()?;
        }
    }
    Ok(())
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        // Its task finds nobody to work for, and ends.
        self.wake();
    }
}

/// The sweeper that a task works for, as long as somebody has it.
type Employer = Weak<Sweeper>;
