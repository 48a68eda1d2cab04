//! The engine's one error type. A variant says whose problem it is: the caller's, the disk's, the
//! file's, or that of the moment.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::key::KeyspaceId;

/// What every call of the engine that can fail returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call of the engine failed.
///
/// Cloning is cheap: one failure of the log is the answer of every commit that waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The call was made in [`ReadMode::CachedOnly`](crate::ReadMode) and would have waited for the
    /// disk or for a lock. It had no effect: make it again where it may block.
    #[error("the call would have to wait for the disk or for a lock")]
    WouldBlock,
    /// A file does not hold what the engine once wrote there.
    #[error("{0}")]
    Corruption(Box<Corruption>),
    /// The operating system refused or failed an operation on a file.
    #[error("{0}")]
    Io(Box<IoFailure>),
    /// The engine accepts no writes, and will not until it is opened again: a write or a sync has
    /// failed, or a background task has panicked. Reads still work.
    #[error("the database is read-only: {reason}")]
    ReadOnly {
        /// What happened, in a sentence.
        reason: Arc<str>,
    },
    /// The database was closed by [`Db::close`](crate::Db::close).
    #[error("the database is closed")]
    Closed,
    /// Another process, or another `Db` of this one, has this directory open.
    #[error("another process has this database open (lock file {})", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// Writes come in faster than they can be written out, and the bound on what may wait in memory
    /// is reached. The call had no effect; try again later.
    #[error("writes are throttled: too much waits to be written out")]
    Throttled,
    /// The disk is so full that what is in memory already might not find room. The call had no effect;
    /// writes are taken again, by themselves, when there is room. Reads work.
    #[error("the disk is full: {free} bytes are free, and {floor} are kept for what is in memory")]
    DiskFull {
        /// Bytes that are free.
        free: u64,
        /// Bytes below which writes are refused.
        floor: u64,
    },
    /// The keyspace has not kept what it was at that moment: see
    /// [`Db::snapshot_at`](crate::Db::snapshot_at).
    #[error(
        "keyspace {keyspace} can be read as of commit {oldest} and later ones, not as of {sequence}"
    )]
    NotKept {
        /// The keyspace.
        keyspace: KeyspaceId,
        /// The moment that was asked for.
        sequence: u64,
        /// The oldest that it can be read as of.
        oldest: u64,
    },
    /// The caller asked for what can't be.
    #[error("{0}")]
    InvalidArgument(Cow<'static, str>),
}

/// Where a file is damaged, and how that was seen.
#[derive(Clone, Debug)]
pub struct Corruption {
    /// The damaged file.
    pub file: PathBuf,
    /// Byte offset in the file of the damaged structure.
    pub offset: u64,
    /// What should have been there.
    pub expected: Cow<'static, str>,
    /// What was there.
    pub found: Cow<'static, str>,
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is corrupt at offset {}: expected {}, found {}",
            self.file.display(),
            self.offset,
            self.expected,
            self.found
        )
    }
}

/// Which operation on which file the operating system failed.
#[derive(Clone, Debug)]
pub struct IoFailure {
    /// What was tried: "open", "write", "sync", …
    pub operation: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// The operating system's answer.
    pub source: Arc<io::Error>,
}

impl fmt::Display for IoFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "can't {} {}: {}",
            self.operation,
            self.path.display(),
            self.source
        )
    }
}

/// The kind of an [`Error`], without its details, for callers that map errors to their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// See [`Error::WouldBlock`].
    WouldBlock,
    /// See [`Error::Corruption`].
    Corruption,
    /// See [`Error::Io`].
    Io,
    /// See [`Error::ReadOnly`].
    ReadOnly,
    /// See [`Error::Closed`].
    Closed,
    /// See [`Error::Locked`].
    Locked,
    /// See [`Error::Throttled`].
    Throttled,
    /// See [`Error::DiskFull`].
    DiskFull,
    /// See [`Error::NotKept`].
    NotKept,
    /// See [`Error::InvalidArgument`].
    InvalidArgument,
}

impl Error {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::WouldBlock => ErrorKind::WouldBlock,
            Error::Corruption(_) => ErrorKind::Corruption,
            Error::Io(_) => ErrorKind::Io,
            Error::ReadOnly { .. } => ErrorKind::ReadOnly,
            Error::Closed => ErrorKind::Closed,
            Error::Locked { .. } => ErrorKind::Locked,
            Error::Throttled => ErrorKind::Throttled,
            Error::DiskFull { .. } => ErrorKind::DiskFull,
            Error::NotKept { .. } => ErrorKind::NotKept,
            Error::InvalidArgument(_) => ErrorKind::InvalidArgument,
        }
    }

    /// A file that does not hold what it should.
    pub fn corruption(
        file: impl AsRef<Path>,
        offset: u64,
        expected: impl Into<Cow<'static, str>>,
        found: impl Into<Cow<'static, str>>,
    ) -> Self {
        Error::Corruption(Box::new(Corruption {
            file: file.as_ref().to_path_buf(),
            offset,
            expected: expected.into(),
            found: found.into(),
        }))
    }

    /// A failed operation of the operating system.
    pub fn io(operation: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        Error::Io(Box::new(IoFailure {
            operation,
            path: path.as_ref().to_path_buf(),
            source: Arc::new(source),
        }))
    }

    /// A caller's mistake.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Error::InvalidArgument(message.into())
    }

    /// What was met at a file, as damage of that file.
    pub(crate) fn into_corruption(self, path: &Path) -> Corruption {
        match self {
            Error::Corruption(corruption) => *corruption,
            error => Corruption {
                file: path.to_path_buf(),
                offset: 0,
                expected: "a file that can be read".into(),
                found: error.to_string().into(),
            },
        }
    }

    /// Whether this is the operating system saying that there was no room for a write. A sync that
    /// says so is a failed sync: what it should have kept is lost.
    #[must_use]
    pub fn is_no_room(&self) -> bool {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        matches!(self, Error::Io(failure)
            if failure.operation != "sync" && full.contains(&failure.source.kind()))
    }

    /// Whether this is the operating system saying that a file does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Io(failure) if failure.source.kind() == io::ErrorKind::NotFound)
    }
}
