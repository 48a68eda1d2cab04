//! Stator's storage engine: ordered keyspaces of bytes, all in one log-structured merge tree with
//! one write-ahead log and one order of sequence numbers.
//!
//! The engine knows bytes. It has never heard of DynamoDB, JSON or HTTP.

mod cache;
mod compaction;
mod db;
mod error;
#[cfg(test)]
mod format_spec;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod io;
mod iter;
mod key;
mod manifest;
mod memtable;
#[doc(hidden)]
pub mod mutants;
mod options;
mod salvage;
mod sstable;
mod sync;
mod varint;
mod verify;
mod wal;

pub use db::{
    AsOf, Batch, Commit, Db, FIRST_CREATED_KEYSPACE, Fork, KeyspaceStatistics, Latencies,
    LatencyRecorder, LevelStatistics, Pin, RangeIter, Retention, Snapshot, Statistics, Transaction,
    Written,
};
pub use error::{Corruption, Error, ErrorKind, IoFailure, Result};
pub use io::Env;
pub use iter::{Direction, Step};
pub use key::{Key, KeyRange, KeyRef, KeyspaceId};
pub use options::{Durability, Options};
pub use salvage::{Lost, Salvaged, salvage};
pub use verify::{Leftover, OnProgress, Progress, Verified, verify};

/// Whether a read may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadMode {
    /// What would wait for the disk or for a lock fails with [`Error::WouldBlock`], before it has
    /// had any effect. For threads that serve other requests too.
    CachedOnly,
    /// Waits as long as it takes.
    Blocking,
}

/// A value: a handle to a block or a memtable entry, without a copy. It keeps that in memory, so
/// don't hold on to many of them for long.
pub type Value = bytes::Bytes;
