//! In which way files are written: through io_uring, or by the system calls that are there everywhere.

use std::io;
use std::sync::Arc;

use super::uring::Rings;
use crate::error::{Error, Result};

/// In which way the operating system's files are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IoMode {
    /// For each use what measures better (see [`Ways`]), and where io_uring is not to be had (another
    /// system, a container that denies it) the portable way.
    #[default]
    Auto,
    /// Through io_uring, or not at all.
    Uring,
    /// By the system calls that are there everywhere.
    Portable,
}

/// What a mode comes to: the rings of each use, where it goes through io_uring.
#[derive(Clone, Default)]
pub(super) struct Ways {
    /// For groups of the log.
    pub(super) log: Option<Arc<Rings>>,
    /// For writes of other files that are synced at once.
    pub(super) files: Option<Arc<Rings>>,
}

impl Ways {
    /// Why `Auto` never goes through io_uring at present: each write of ours waits for the disk, one
    /// after the other, so that there is nothing to overlap, and a ring only adds to it. On two cores
    /// (Linux 6.18, ext4 on virtio, in interleaved rounds) the median of one durable write through a
    /// ring was 1.15 to 1.4 times that of `pwrite` on the same flags, for 4 to 256 KiB; 16 and 64
    /// committers got 0.13 to 0.37 times as many commits a second, at 1.1 to 1.4 times the processor
    /// time for each, with the cores busy otherwise: completions wait for the thread to be scheduled.
    pub(super) fn of(mode: IoMode) -> Result<Ways> {
        match mode {
            IoMode::Portable | IoMode::Auto => Ok(Ways::default()),
            IoMode::Uring => {
                let rings = Rings::new().map(Arc::new).map_err(refused)?;
                Ok(Ways {
                    log: Some(Arc::clone(&rings)),
                    files: Some(rings),
                })
            }
        }
    }
}

fn refused(error: io::Error) -> Error {
    Error::io("set up", "io_uring", error)
}
