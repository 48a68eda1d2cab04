//! Opening: take the lock, read the manifest, replay the log, start the tasks.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::budget::Budget;
use super::cleaner::Cleaner;
use super::compact::{Compactor, Running};
use super::counters::Counters;
use super::dropped::Dropped;
use super::flush::Flusher;
use super::group_times::GroupTimes;
use super::health::Health;
use super::keyspaces::Keyspaces;
use super::log_writer::{Log, LogSyncer, LogWriter};
use super::memtables::MemtableSet;
use super::pacer::{Pacer, PacerTask, Pressure};
use super::queue::CommitQueue;
use super::recent::RecentTimes;
use super::recovery;
use super::shared::{Shared, Wakers};
use super::snapshots::SnapshotRegistry;
use super::space::DiskSpace;
use super::task;
use super::watermark::{Applied, Durable};
use super::{Db, Handle, Open};
use crate::cache::BlockCache;
use crate::compaction::{self, Work};
use crate::error::Result;
use crate::io::{Env, LockGuard, LogMode, Priority, Task as _, TaskHandle};
use crate::manifest::VersionSet;
use crate::manifest::inspect::LOCK_FILE;
use crate::options::{Durability, Options};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU64};
use crate::wal;

pub(super) fn open(env: Env, dir: &Path, options: Options) -> Result<Db> {
    env.fs.create_dir_all(dir)?;
    let lock = env.fs.lock(&dir.join(LOCK_FILE))?;
    let cache = Arc::new(BlockCache::new(
        options.block_cache_size,
        options.block_size,
    ));
    let versions = VersionSet::read(Arc::clone(&env.fs), dir, cache, options.manifest_size)?;
    let versions = Arc::new(versions);
    let recovered = recovery::recover(&env, dir, &options, &versions)?;
    let last_sequence = recovered.last_sequence;
    let version = versions.current();
    let mode = match options.durability {
        Durability::Sync => LogMode::Durable,
        Durability::Interval(_) => LogMode::Buffered,
    };
    let segments = wal::Segments::new(&env, dir, recovered.epoch, mode, options.wal_segment_size);
    let segments = Arc::new(segments);
    let writer = wal::Writer::new(Arc::clone(&segments), last_sequence);
    let syncer = writer.syncer();
    let shared = Arc::new(Shared {
        dir: dir.to_path_buf(),
        queue: CommitQueue::new(last_sequence),
        log: Log::new(writer, options.durability),
        applied: Applied::new(last_sequence),
        durable: Durable::new(last_sequence),
        synced: AtomicU64::new(last_sequence),
        memtables: MemtableSet::new(),
        flushed: Mutex::default(),
        dropped: Dropped::new(Arc::clone(version.dropped())),
        snapshots: SnapshotRegistry::new(last_sequence, version.histories(), version.dropped()),
        history_changes: Mutex::default(),
        released: AtomicU64::new(0),
        group_times: GroupTimes::default(),
        recent: RecentTimes::new(version.times().newest_ms().unwrap_or(0)),
        log_syncer: OnceLock::new(),
        locks: Arc::default(),
        pressure: Pressure::new(&options),
        pacer: Arc::new(Pacer::new(Arc::clone(&env.clock))),
        budget: Budget::new(Arc::clone(&env.clock), options.compaction_rate),
        space: DiskSpace::new(&options),
        health: Health::default(),
        segments,
        counters: Counters::default(),
        wakers: Wakers::default(),
        syncer_sleeps: AtomicBool::new(false),
        keyspaces: Keyspaces::new(version.keyspace_limit()),
        versions,
        stopped: AtomicBool::new(false),
        env,
        options,
    });
    start(shared, syncer, lock)
}

/// Starts the tasks that compact, the first of them for L0.
fn start_compactors(shared: &Arc<Shared>) -> Result<Vec<TaskHandle>> {
    let version = shared.versions.current();
    shared
        .pressure
        .set_compaction(compaction::pressure(&version, &shared.options));
    let running: Arc<Mutex<Running>> = Arc::default();
    let mut handles = Vec::new();
    for number in 0..shared.options.compaction_jobs.max(2) {
        let (name, priority, work) = match number {
            0 => ("compact-l0", Priority::L0, Work::L0),
            _ => ("compact", Priority::Compaction, Work::Deep),
        };
        let mut compactor = Compactor::new(Arc::clone(shared), Arc::clone(&running), work);
        handles.push(task::spawn(shared, name, priority, move || {
            compactor.step()
        })?);
    }
    let wakers = handles.iter().map(TaskHandle::waker).collect();
    let _only_once = shared.wakers.compactors.set(wakers);
    Ok(handles)
}

/// Starts the background tasks.
fn start(shared: Arc<Shared>, syncer: wal::Syncer, lock: Box<dyn LockGuard>) -> Result<Db> {
    let mut others = Vec::new();

    let mut preparer = wal::Preparer::new(Arc::clone(&shared.segments));
    let handle = task::spawn(&shared, "wal-prepare", Priority::Flush, move || {
        preparer.step()
    })?;
    shared.segments.set_preparer(handle.waker());
    others.push(handle);

    let mut pacer = PacerTask::new(Arc::clone(&shared));
    let handle = task::spawn(&shared, "pacer", Priority::Wal, move || pacer.step())?;
    shared.pacer.task.set(handle.waker());
    others.push(handle);

    let mut flusher = Flusher::new(Arc::clone(&shared));
    let handle = task::spawn(&shared, "flush", Priority::Flush, move || flusher.step())?;
    shared.wakers.flusher.set(handle.waker());
    others.push(handle);

    others.extend(start_compactors(&shared)?);

    let mut cleaner = Cleaner::new(Arc::clone(&shared));
    // While it waits, what compaction has replaced takes space twice.
    let handle = task::spawn(&shared, "clean", Priority::Flush, move || cleaner.step())?;
    shared.wakers.cleaner.set(handle.waker());
    let waker = handle.waker();
    shared
        .versions
        .store()
        .on_garbage(move || waker.wake_by_ref());
    others.push(handle);

    if let Durability::Interval(interval) = shared.options.durability {
        let _only_once = shared.log_syncer.set(syncer.clone());
        let mut syncer = LogSyncer::new(Arc::clone(&shared), syncer, interval);
        let handle = task::spawn(&shared, "wal-sync", Priority::Flush, move || syncer.step())?;
        shared.wakers.syncer.set(handle.waker());
        others.push(handle);
    }
    let mut log_writer = LogWriter::new(Arc::clone(&shared));
    let log_writer = task::spawn(&shared, "wal", Priority::Wal, move || log_writer.step())?;
    shared.wakers.log_writer.set(log_writer.waker());

    let open = Open {
        log_writer,
        others,
        _lock: lock,
    };
    Ok(Db {
        handle: Arc::new(Handle {
            shared,
            open: Mutex::new(Some(open)),
        }),
    })
}
