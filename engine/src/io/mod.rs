//! The seam to the outside: files, clock, randomness and threads, each as a trait with a real, an
//! in-memory and a simulated implementation. Nothing else in the engine touches them.
//!
//! An [`Env`] is one choice of all four. [`Env::real`] is production, [`Env::memory`] the same
//! engine on files that live in memory, and [`Simulation`] a whole machine on one thread: its
//! files remember what was synced, its clock moves only when everything waits, and its scheduler
//! picks the next task by a seeded generator, so that one seed always gives the same run.

mod aligned;
mod manual;
mod memory;
mod real;
mod scheduler;
mod simulated;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use aligned::{AlignedBuf, PAGE_SIZE};
pub use manual::ManualClock;
pub use memory::MemoryFs;
pub use real::{IoMode, RealClock, RealFs, RealRng, RealScheduler};
pub use scheduler::{Next, Priority, Scheduler, Task, TaskHandle};
pub use simulated::{FaultCounts, Faults, Kept, Simulation};

use crate::error::{Error, Result};

/// Files, clock, randomness and threads for one database, or for several.
#[derive(Clone)]
pub struct Env {
    /// The files.
    pub fs: Arc<dyn Fs>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub rng: Arc<dyn Rng>,
    /// The threads.
    pub scheduler: Arc<dyn Scheduler>,
}

impl Env {
    /// The operating system's, by the way that is there everywhere.
    #[must_use]
    pub fn real() -> Self {
        Env {
            fs: Arc::new(RealFs::portable()),
            clock: Arc::new(RealClock::new()),
            rng: Arc::new(RealRng),
            scheduler: Arc::new(RealScheduler),
        }
    }

    /// The operating system's, with the way in which files are written. Fails where that way is not
    /// to be had here.
    pub fn real_with(mode: IoMode) -> Result<Self> {
        Ok(Env {
            fs: Arc::new(RealFs::new(mode)?),
            ..Self::real()
        })
    }

    /// Files in memory, for as long as this `Env` or a clone of it lives; the rest is the operating
    /// system's.
    #[must_use]
    pub fn memory() -> Self {
        Env {
            fs: Arc::new(MemoryFs::new()),
            ..Self::real()
        }
    }

    /// All four simulated from one seed. Keep a [`Simulation`] instead where the test wants to drive
    /// it or to crash it.
    #[must_use]
    pub fn simulated(seed: u64) -> Self {
        Simulation::new(seed).env()
    }
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The last component of the path.
    pub name: String,
    /// Bytes in the file.
    pub len: u64,
}

/// The room of a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What this process may still write.
    pub free: u64,
    /// What there is, used or not.
    pub total: u64,
}

/// How a WAL segment is going to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogMode {
    /// Each write is made durable before it returns, without the page cache where that is possible.
    Durable,
    /// Writes go to the page cache, and are synced now and then.
    Buffered,
}

/// A file system. Every error carries the path.
pub trait Fs: Send + Sync {
    /// Creates a file for reading and writing. Fails if the name exists.
    fn create(&self, path: &Path) -> Result<Arc<dyn File>>;
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> Result<Arc<dyn File>>;
    /// Opens an existing file for reading only, so that it may be one that nobody may write to.
    fn open_read(&self, path: &Path) -> Result<Arc<dyn File>> {
        self.open(path)
    }
    /// Creates a WAL segment. `len` is the length it will have in the end, a hint that lets the file
    /// system give it one piece; it is [`LogFile::prepare`] that makes the space.
    fn create_log(&self, path: &Path, len: u64, mode: LogMode) -> Result<Arc<dyn LogFile>>;
    /// The files (not directories) in a directory, in order of name.
    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>>;
    /// Renames a file, replacing what had the new name.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;
    /// Removes a name. Those who have the file open keep it.
    fn remove(&self, path: &Path) -> Result<()>;
    /// Creates a directory and its parents, as far as they are missing, and makes them durable.
    fn create_dir_all(&self, dir: &Path) -> Result<()>;
    /// Makes the creations, renames and removals of names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> Result<()>;
    /// How much room there is where a directory is; `None` where that is not known, or has no bound.
    fn space(&self, _dir: &Path) -> Result<Option<Space>> {
        Ok(None)
    }
    /// Takes a lock on a path, creating the file if need be, or fails at once with
    /// [`Error::Locked`]. The lock is held until the guard is dropped or the process ends. A file that
    /// is there need not be writable.
    fn lock(&self, path: &Path) -> Result<Box<dyn LockGuard>>;
    /// As [`Fs::lock`], but creates no file: where there is none nobody holds the lock, and the answer
    /// is `None`.
    fn lock_if_there(&self, path: &Path) -> Result<Option<Box<dyn LockGuard>>> {
        self.lock(path).map(Some)
    }
}

/// Holds a lock of [`Fs::lock`].
pub trait LockGuard: Send + Sync {}

/// An open file. Reads and writes at different offsets may run at the same time.
#[expect(clippy::len_without_is_empty, reason = "a file is no collection")]
pub trait File: Send + Sync {
    /// The path it was opened by.
    fn path(&self) -> &Path;
    /// Reads up to `buf.len()` bytes; fewer only at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize>;
    /// Reads exactly `buf.len()` bytes if they can be had without waiting for the disk; answers
    /// `false`, with `buf` in any state, if not.
    fn read_exact_at_cached(&self, buf: &mut [u8], offset: u64) -> Result<bool>;
    /// Writes all of `buf`, growing the file if need be. Not durable before [`File::sync`].
    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()>;
    /// Makes the contents durable, and of the metadata what is needed to read them.
    fn sync(&self) -> Result<()>;
    /// Writes all of `buf` as [`File::write_at`] does, and syncs as [`File::sync`] does: in one go
    /// where the system can.
    fn write_at_and_sync(&self, buf: &[u8], offset: u64) -> Result<()> {
        self.write_at(buf, offset)?;
        self.sync()
    }
    /// Has what was written between two offsets begin to go to the disk, and waits until what lies
    /// before it, as far again, has got there. Who calls this for one piece after the other has two
    /// of them under way, however fast it writes, and its sync at the end has little left to do: a
    /// sync of hundreds of megabytes would hold up those of the log.
    ///
    /// No promise: what is written back may be lost like anything else that is not synced. After an
    /// error, as after one of a sync, the contents are not to be relied on.
    fn write_back(&self, _from: u64, _to: u64) -> Result<()> {
        Ok(())
    }
    /// Makes contents and metadata durable. The name is the directory's: see [`Fs::sync_dir`].
    fn sync_all(&self) -> Result<()>;
    /// Bytes in the file.
    fn len(&self) -> Result<u64>;
    /// A part of the file for reading, without a copy where that is possible: a memory map in the
    /// real file system. Only for what is small, immutable and verified right after: a page fault
    /// blocks the thread unseen, and reading a map of a file that has shrunk kills the process.
    fn map(&self, offset: u64, len: usize) -> Result<Bytes>;

    /// Reads exactly `buf.len()` bytes. The engine only reads where it has written, so that the end
    /// of the file within them is corruption.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> Result<()> {
        let read = self.read_at(buf, offset)?;
        if read < buf.len() {
            return Err(Error::corruption(
                self.path(),
                offset,
                format!("{} bytes", buf.len()),
                format!("the end of the file after {read}"),
            ));
        }
        Ok(())
    }
}

/// A WAL segment being written.
///
/// Offsets and lengths are multiples of [`PAGE_SIZE`] in [`LogMode::Durable`].
pub trait LogFile: Send + Sync {
    /// The path it was created by.
    fn path(&self) -> &Path;
    /// Writes zeros, so that a later write there changes no metadata and its sync costs half. Never
    /// called on what was already written to.
    fn prepare(&self, offset: u64, len: usize) -> Result<()>;
    /// Writes the buffer; in [`LogMode::Durable`] it is durable on return.
    fn write(&self, buf: &AlignedBuf, offset: u64) -> Result<()>;
    /// Makes all that was written or prepared durable.
    fn sync(&self) -> Result<()>;
}

/// The time.
pub trait Clock: Send + Sync {
    /// Wall-clock time in milliseconds since 1970-01-01 UTC. May jump.
    fn now_ms(&self) -> u64;
    /// Time since some fixed moment of this process. Never goes back.
    fn monotonic(&self) -> Duration;
}

/// Randomness.
pub trait Rng: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, buf: &mut [u8]) -> Result<()>;
}
