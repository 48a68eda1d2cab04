//! Where a database stands, and what it has done since it was opened.

use std::time::Duration;

use super::counters::read;
use super::shared::Shared;

/// A look at an open database. Counters start at zero when it is opened; sizes are in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Commits that were written to the log.
    pub commits: u64,
    /// Groups that they were written in: one write and, with `Durability::Sync`, one sync each.
    pub wal_groups: u64,
    /// Of the commits' records in the log.
    pub wal_size: u64,
    /// Spent in writing and syncing groups.
    pub wal_time: Duration,
    /// Commits refused with `Throttled`.
    pub throttled_commits: u64,
    /// Commits whose acknowledgement was held back.
    pub delayed_commits: u64,
    /// In the memtables, immutable ones included.
    pub memtable_size: usize,
    /// Immutable memtables that wait to be written out.
    pub immutable_memtables: usize,
    /// Memtables written out.
    pub flushes: u64,
    /// Of the SSTables that were written out from memtables.
    pub flushed_size: u64,
    /// Compactions done.
    pub compactions: u64,
    /// Read by compactions.
    pub compaction_read_size: u64,
    /// Written by compactions.
    pub compaction_written_size: u64,
    /// Live snapshots.
    pub snapshots: usize,
}

impl Statistics {
    pub(super) fn collect(shared: &Shared) -> Self {
        let memtables = shared.memtables.load();
        let counters = &shared.counters;
        Statistics {
            commits: read(&counters.commits),
            wal_groups: read(&counters.groups),
            wal_size: read(&counters.wal_bytes),
            wal_time: Duration::from_micros(read(&counters.wal_time_us)),
            throttled_commits: read(&counters.throttled),
            delayed_commits: read(&counters.delayed),
            memtable_size: memtables.bytes(),
            immutable_memtables: memtables.immutable.len(),
            flushes: read(&counters.flushes),
            flushed_size: read(&counters.flushed_bytes),
            compactions: read(&counters.compactions),
            compaction_read_size: read(&counters.compacted_bytes_read),
            compaction_written_size: read(&counters.compacted_bytes_written),
            snapshots: shared.snapshots.count(),
        }
    }
}
