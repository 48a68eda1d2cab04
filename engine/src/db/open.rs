//! Opening: take the lock, read the manifest, replay the log, start the tasks.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};

use parking_lot::Mutex;

use super::counters::Counters;
use super::dropped::DroppedKeyspaces;
use super::health::Health;
use super::log_writer::{LogSyncer, LogWriter};
use super::memtables::MemtableSet;
use super::pacer::{Pacer, PacerTask, Pressure};
use super::queue::CommitQueue;
use super::shared::{Shared, Wakers};
use super::snapshots::SnapshotRegistry;
use super::task;
use super::watermark::{Applied, Durable};
use super::{Db, FIRST_CREATED_KEYSPACE, Handle, Open};
use crate::error::Result;
use crate::io::{Env, LockGuard, LogMode, Priority, Task as _};
use crate::options::{Durability, Options};
use crate::wal;

/// Held by the process that has the database open.
const LOCK_FILE: &str = "LOCK";

pub(super) fn open(env: Env, dir: &Path, options: Options) -> Result<Db> {
    env.fs.create_dir_all(dir)?;
    let lock = env.fs.lock(&dir.join(LOCK_FILE))?;
    let (epoch, last_sequence) = (1, 0);
    let mode = match options.durability {
        Durability::Sync => LogMode::Durable,
        Durability::Interval(_) => LogMode::Buffered,
    };
    let segments = wal::Segments::new(&env, dir, epoch, mode, options.wal_segment_size);
    let shared = Arc::new(Shared {
        dir: dir.to_path_buf(),
        queue: CommitQueue::new(last_sequence),
        applied: Applied::new(last_sequence),
        durable: Durable::new(last_sequence),
        memtables: MemtableSet::new(),
        dropped: DroppedKeyspaces::default(),
        snapshots: SnapshotRegistry::default(),
        locks: Arc::default(),
        pressure: Pressure::new(&options),
        pacer: Arc::new(Pacer::new(Arc::clone(&env.clock))),
        health: Health::default(),
        segments: Arc::new(segments),
        counters: Counters::default(),
        wakers: Wakers::default(),
        next_keyspace: AtomicU32::new(FIRST_CREATED_KEYSPACE.0),
        stopped: AtomicBool::new(false),
        env,
        options,
    });
    start(shared, last_sequence, lock)
}

/// Starts the background tasks.
fn start(shared: Arc<Shared>, last_sequence: u64, lock: Box<dyn LockGuard>) -> Result<Db> {
    let mut others = Vec::new();

    let mut preparer = wal::Preparer::new(Arc::clone(&shared.segments));
    let handle = task::spawn(&shared, "wal-prepare", Priority::Flush, move || {
        preparer.step()
    })?;
    shared.segments.set_preparer(handle.waker());
    others.push(handle);

    let mut pacer = PacerTask::new(Arc::clone(&shared));
    let handle = task::spawn(&shared, "pacer", Priority::Wal, move || pacer.step())?;
    shared.pacer.set_task(handle.waker());
    others.push(handle);

    let writer = wal::Writer::new(Arc::clone(&shared.segments), last_sequence);
    if let Durability::Interval(interval) = shared.options.durability {
        let mut syncer = LogSyncer::new(Arc::clone(&shared), writer.syncer(), interval);
        let handle = task::spawn(&shared, "wal-sync", Priority::Flush, move || syncer.step())?;
        shared.wakers.syncer.set(handle.waker());
        others.push(handle);
    }
    let mut log_writer = LogWriter::new(Arc::clone(&shared), writer);
    let log_writer = task::spawn(&shared, "wal", Priority::Wal, move || log_writer.step())?;
    shared.queue.set_writer(log_writer.waker());

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
