//! Room on the disk: writes are refused before what is in memory already might not find any, and taken
//! again once there is enough.
//!
//! There is no task that looks. Whoever commits does, now and then: each time that so much was
//! committed as to matter, and, while writes are refused, each time that a little time has passed.

use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::io::{Env, Fs, Space};
use crate::options::Options;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How long a full disk is taken for full before it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// While it is full, background work that found no room is tried again this often.
pub(super) const RETRY: Duration = Duration::from_millis(500);

/// Commits of this part of the floor may pass without a look.
const LOOKS_PER_FLOOR: u64 = 8;

/// Small disks are not kept free for more than this part of them.
const LARGEST_PART: u64 = 8;

/// What is known of the room on the disk.
#[derive(Debug)]
pub(super) struct DiskSpace {
    /// Bytes that everything takes that is in memory when writes are refused: the memtables as
    /// SSTables, the segment that is written to and the next one, and the manifest twice.
    floor: u64,
    full: AtomicBool,
    /// Committed since the last look.
    committed: AtomicU64,
    /// Microseconds of the monotonic clock at the last look.
    looked: AtomicU64,
}

impl DiskSpace {
    pub(super) fn new(options: &Options) -> Self {
        let memtables = options
            .memtable_size
            .saturating_mul(options.immutable_memtables + 2);
        let log = options.wal_segment_size.saturating_mul(2);
        let manifest = options.manifest_size.saturating_mul(2);
        DiskSpace {
            floor: (memtables as u64)
                .saturating_add(log)
                .saturating_add(manifest),
            full: AtomicBool::new(false),
            committed: AtomicU64::new(0),
            // The first commit looks.
            looked: AtomicU64::new(0),
        }
    }

    /// Fails if the disk is too full for a commit of this size.
    pub(super) fn admit(&self, env: &Env, dir: &Path, size: u64) -> Result<()> {
        if self.full.load(Ordering::Relaxed) {
            let now = u64::try_from(env.clock.monotonic().as_micros()).unwrap_or(u64::MAX);
            let again = u64::try_from(LOOK_AGAIN.as_micros()).unwrap_or(u64::MAX);
            if now.saturating_sub(self.looked.load(Ordering::Relaxed)) < again {
                return Err(self.refusal(0));
            }
            self.looked.store(now, Ordering::Relaxed);
            return self.look(&*env.fs, dir);
        }
        let committed = self.committed.fetch_add(size, Ordering::Relaxed) + size;
        match committed >= self.floor / LOOKS_PER_FLOOR {
            true => self.look(&*env.fs, dir),
            false => Ok(()),
        }
    }

    /// Fails if the disk would be too full for commits with so many bytes more on it.
    pub(super) fn check_room(&self, fs: &dyn Fs, dir: &Path, size: u64) -> Result<()> {
        // Where it can't be asked for, the disk says itself when it is full.
        let Ok(Some(Space { free, total })) = fs.space(dir) else {
            return Ok(());
        };
        let floor = self.floor.min(total / LARGEST_PART);
        match free < floor.saturating_add(size) {
            true => Err(Error::DiskFull {
                free,
                floor: floor.saturating_add(size),
            }),
            false => Ok(()),
        }
    }

    fn look(&self, fs: &dyn Fs, dir: &Path) -> Result<()> {
        self.committed.store(0, Ordering::Relaxed);
        // Where it can't be asked for, the disk says itself when it is full.
        let Ok(Some(Space { free, total })) = fs.space(dir) else {
            self.full.store(false, Ordering::Relaxed);
            return Ok(());
        };
        let full = free < self.floor.min(total / LARGEST_PART);
        if self.full.swap(full, Ordering::Relaxed) != full {
            match full {
                true => tracing::error!("{}", self.refusal(free)),
                false => tracing::info!("there is room on the disk again: writes are taken"),
            }
        }
        match full {
            true => Err(self.refusal(free)),
            false => Ok(()),
        }
    }

    fn refusal(&self, free: u64) -> Error {
        Error::DiskFull {
            free,
            floor: self.floor,
        }
    }
}
