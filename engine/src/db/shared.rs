//! What callers and background tasks of one open database share.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use super::batch::Batch;
use super::budget::Budget;
use super::commit::Commit;
use super::counters::{Counters, add};
use super::dropped::Dropped;
use super::group_times::GroupTimes;
use super::health::{Health, read_only};
use super::keyspaces::Keyspaces;
use super::locks::KeyLocks;
use super::log_writer::Log;
use super::memtables::MemtableSet;
use super::pacer::{Pacer, Pressure};
use super::queue::CommitQueue;
use super::recent::RecentTimes;
use super::snapshots::SnapshotRegistry;
use super::space::DiskSpace;
use super::watermark::{Applied, Durable};
use crate::compaction::{self, Retention};
use crate::error::{Error, Result};
use crate::io::Env;
use crate::key::KeyspaceId;
use crate::manifest::{Version, VersionEdit, VersionSet};
use crate::memtable::Memtable;
use crate::mutants::{Mutant, is_on};
use crate::options::{Durability, Options};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::wal::{Segments, Syncer};

/// One open database.
pub(super) struct Shared {
    pub(super) env: Env,
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    pub(super) queue: CommitQueue,
    pub(super) log: Log,
    pub(super) applied: Applied,
    pub(super) durable: Durable,
    /// Up to here all commits are on the disk: those that are durable, but for a log that is synced
    /// by the clock, which may be behind.
    pub(super) synced: AtomicU64,
    pub(super) memtables: MemtableSet,
    /// Written out, and to be given back by the cleaner as soon as nobody reads them.
    pub(super) flushed: Mutex<Vec<Arc<Memtable>>>,
    pub(super) dropped: Dropped,
    pub(super) snapshots: SnapshotRegistry,
    /// Changes of windows and pins, and new forks: one at a time.
    pub(super) history_changes: Mutex<()>,
    /// Rises when a snapshot goes that may have kept what was dropped.
    pub(super) released: AtomicU64,
    /// When what is in no SSTable was written.
    pub(super) recent: RecentTimes,
    /// When the last groups were written to the log.
    pub(super) group_times: GroupTimes,
    /// Syncs the log, where commits are acknowledged before they are on the disk.
    pub(super) log_syncer: OnceLock<Syncer>,
    pub(super) locks: Arc<KeyLocks>,
    pub(super) pressure: Pressure,
    pub(super) pacer: Arc<Pacer>,
    pub(super) budget: Budget,
    pub(super) space: DiskSpace,
    pub(super) health: Health,
    pub(super) segments: Arc<Segments>,
    pub(super) counters: Counters,
    pub(super) wakers: Wakers,
    /// The task that syncs the log by the clock has nothing to sync.
    pub(super) syncer_sleeps: AtomicBool,
    pub(super) versions: Arc<VersionSet>,
    pub(super) keyspaces: Keyspaces,
    /// Background tasks are to end.
    pub(super) stopped: AtomicBool,
}

/// Wakes the background tasks.
#[derive(Default)]
pub(super) struct Wakers {
    pub(super) log_writer: TaskWaker,
    pub(super) syncer: TaskWaker,
    pub(super) flusher: TaskWaker,
    pub(super) compactors: OnceLock<Vec<Waker>>,
    pub(super) cleaner: TaskWaker,
}

/// Wakes one task, once it is there.
#[derive(Default)]
pub(super) struct TaskWaker(OnceLock<Waker>);

impl TaskWaker {
    pub(super) fn set(&self, waker: Waker) {
        let _only_once = self.0.set(waker);
    }

    /// The waker itself, for those who wake later.
    pub(super) fn waker(&self) -> Waker {
        self.0.get().unwrap_or(Waker::noop()).clone()
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.0.get() {
            waker.wake_by_ref();
        }
    }
}

impl Wakers {
    /// Wakes all tasks that compact.
    pub(super) fn wake_compactors(&self) {
        for waker in self.compactors.get().into_iter().flatten() {
            waker.wake_by_ref();
        }
    }
}

impl Shared {
    /// The delay that backpressure puts on the next commit, or the refusal of it.
    pub(super) fn write_delay(&self) -> Result<Duration> {
        self.health.check()?;
        self.space.admit(&self.env, &self.dir, 0)?;
        self.pressure.delay(self.memtables.load().bytes())
    }

    /// Gives a batch its place in the order of commits, and applies it to the memtable. Fails before
    /// any effect.
    pub(super) fn commit(self: &Arc<Self>, batch: Batch) -> Result<Commit> {
        let delay = self.write_delay().inspect_err(|error| {
            if matches!(error, Error::Throttled) {
                add(&self.counters.throttled, 1);
                // What is to be written out has to be in the log before, and who waits for that may
                // be the one who is refused here.
                self.log.ask(self);
            }
        })?;
        self.commit_after(batch, delay)
    }

    /// [`Shared::commit`] that backpressure neither refuses nor delays.
    pub(super) fn commit_unthrottled(self: &Arc<Self>, batch: Batch) -> Result<Commit> {
        self.health.check()?;
        self.commit_after(batch, Duration::ZERO)
    }

    fn commit_after(self: &Arc<Self>, batch: Batch, delay: Duration) -> Result<Commit> {
        self.space
            .admit(&self.env, &self.dir, batch.size() as u64)?;
        let record = batch.encode()?;
        let placed = self.queue.push(record, &self.memtables)?;
        self.dropped.add(batch.dropped(), placed.sequence);
        batch.apply(placed.sequence, &placed.memtable);
        self.applied.complete(placed.sequence);
        if placed.memtable.bytes() >= self.options.memtable_size
            && self.queue.rotate(&placed.memtable, &self.memtables)
        {
            self.log.ask(self);
            self.wakers.flusher.wake();
        }
        let not_before = (!delay.is_zero()).then(|| {
            add(&self.counters.delayed, 1);
            add(&self.counters.delay_us, delay.as_micros() as u64);
            self.pacer.now() + delay
        });
        Ok(Commit::new(Arc::clone(self), placed.sequence, not_before))
    }

    /// Frees a memtable that is written out and that nobody reads; `false` if there is none. Whoever
    /// still has one had it before it was taken off the list that readers look at, so that nobody
    /// gets one while it is freed.
    pub(super) fn free_memtable(&self) -> bool {
        let mut flushed = self.flushed.lock();
        let unread = flushed
            .iter()
            .position(|memtable| Arc::strong_count(memtable) == 1);
        let freed = unread.map(|place| flushed.swap_remove(place));
        drop(flushed);
        freed.is_some()
    }

    /// Makes commits visible, and wakes those who wait for them.
    pub(super) fn publish(&self, sequence: u64) {
        if self.options.durability == Durability::Sync {
            self.synced.fetch_max(sequence, Ordering::AcqRel);
        }
        self.durable.publish(sequence);
        if self.syncer_sleeps.swap(false, Ordering::SeqCst) {
            self.wakers.syncer.wake();
        }
        if !self.memtables.load().immutable.is_empty() {
            self.wakers.flusher.wake();
        }
    }

    /// Refuses writes from now on; those on their way fail. Reads still work.
    pub(super) fn fail(&self, cause: &dyn std::fmt::Display) {
        let error = read_only(cause);
        if self.health.fail(error.clone()) {
            tracing::error!("{error}");
        }
        self.queue.close(error.clone());
        self.durable.fail(error);
        self.log.ask(self);
    }

    pub(super) fn create_keyspace(&self, is_log: bool) -> Result<KeyspaceId> {
        self.health.check()?;
        let created = self.keyspaces.create(&self.versions, is_log);
        created.inspect_err(|error| {
            // A manifest that can't be appended to is not appended to again.
            if !matches!(error, Error::InvalidArgument(_)) && !error.is_no_room() {
                self.fail(error);
            }
        })
    }

    /// Which versions must be kept by a flush or a compaction that begins now. Commits up to `kept`
    /// survive a power cut once its result is in the manifest; `reads` is the version that the job reads.
    ///
    /// A drop that may be lost in a power cut discards nothing yet: readers see it, but what it
    /// dropped would be gone without it.
    pub(super) fn retention(&self, kept: u64, reads: &Version) -> Retention {
        let kept = match is_on(Mutant::DropBeforeDiscard) {
            true => u64::MAX,
            false => kept,
        };
        let kept = kept.max(self.synced.load(Ordering::Acquire));
        let dropped = self.dropped.load().until(kept);
        let floor = |length_ms| self.window_floor(length_ms);
        let (snapshots, visible, mut floors) =
            self.snapshots.begin_job(&self.durable, &dropped, floor);
        if is_on(Mutant::WindowKept) {
            floors.clear();
        }
        // Behind the snapshots: who makes a pin or a fork holds one until the version has it.
        let version = self.versions.current();
        Retention::new(snapshots, visible, dropped)
            .with_histories(version.histories(), floors)
            .with_forks(reads.histories())
    }

    /// Makes the commits up to one, which is durable as far as readers are concerned, survive a power
    /// cut.
    pub(super) fn make_synced(&self, sequence: u64) -> Result<()> {
        if is_on(Mutant::PastSynced) {
            return Ok(());
        }
        let Some(syncer) = self.log_syncer.get() else {
            return Ok(());
        };
        if self.synced.load(Ordering::Acquire) >= sequence {
            return Ok(());
        }
        let synced = syncer.sync().inspect_err(|error| self.fail(error))?;
        self.synced.fetch_max(synced, Ordering::AcqRel);
        if synced < sequence {
            // Readers see only what was written, so this is not what is in the log any more.
            let failure = read_only(format_args!(
                "commit {sequence} is visible, and the log holds commits up to {synced}"
            ));
            self.fail(&failure);
            return Err(failure);
        }
        Ok(())
    }

    /// Fails where so many bytes more would leave less room on the disk than writes need.
    pub(super) fn check_room(&self, size: u64) -> Result<()> {
        self.space.check_room(&*self.env.fs, &self.dir, size)
    }

    /// Has the memtables written out that may hold commits up to one.
    pub(super) fn write_out(&self, sequence: u64) {
        let memtables = self.memtables.load();
        let waiting = memtables.immutable.first();
        if waiting.is_none_or(|newest| newest.last_sequence < sequence)
            && self.queue.rotate(&memtables.active, &self.memtables)
        {
            self.wakers.flusher.wake();
        }
    }

    /// Nobody reads at a sequence number any more: what was dropped behind it may go.
    pub(super) fn wake_released(&self, sequence: u64) {
        let dropped = self.dropped.load();
        if dropped.iter().any(|(_, dropped)| dropped > sequence) {
            self.released.fetch_add(1, Ordering::AcqRel);
            self.wakers.wake_compactors();
        }
    }

    /// Makes an edit of the manifest durable, and what follows from it.
    ///
    /// Where there is no room for it, what it would have added is deleted, and it may be made again.
    pub(super) fn apply(&self, mut edit: VersionEdit) -> Result<()> {
        let changes_files = !edit.added.is_empty() || !edit.removed.is_empty();
        if changes_files && !is_on(Mutant::FloorInEdit) {
            let current = self.versions.current();
            let raised = self.snapshots.raised_floors(current.histories());
            edit.histories.extend(raised);
        }
        let added: Vec<u64> = edit.added.iter().map(|(_, file)| file.file_id).collect();
        let moved = |file_id: &u64| edit.removed.iter().any(|(_, removed)| removed == file_id);
        let fresh: Vec<u64> = added
            .into_iter()
            .filter(|file_id| !moved(file_id))
            .collect();
        let version = self.versions.apply(edit).inspect_err(|error| {
            if error.is_no_room() {
                for file_id in fresh {
                    if let Err(error) = self.versions.store().delete(file_id) {
                        tracing::warn!(file_id, %error, "can't delete an SSTable of no version");
                    }
                }
            }
        })?;
        self.pressure
            .set_compaction(compaction::pressure(&version, &self.options));
        self.wakers.wake_compactors();
        Ok(())
    }

    /// Whether background tasks are to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}
