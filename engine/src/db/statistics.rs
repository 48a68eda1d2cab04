//! Where a database stands, and what it has done since it was opened.

use std::time::Duration;

use super::counters::read;
use super::shared::Shared;
use crate::compaction;
use crate::manifest::{LEVELS, Version};

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
    /// The SSTables of each level, from L0 on.
    pub levels: Vec<LevelStatistics>,
    /// Runs of SSTables in L0: what a read looks through one after the other.
    pub l0_sublevels: usize,
    /// Bytes that have to be compacted until no level is above its size.
    pub compaction_debt: u64,
    /// Dropped keyspaces of which something may still be stored.
    pub dropped_keyspaces: usize,
    /// Of the block cache, its bookkeeping included.
    pub block_cache_size: u64,
    /// Blocks in it.
    pub block_cache_blocks: u64,
    /// Blocks that were asked for and not in it.
    pub block_cache_misses: u64,
    /// Indexes and filters of the SSTables in use.
    pub index_size: usize,
}

/// The SSTables of one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelStatistics {
    /// Number of SSTables.
    pub files: usize,
    /// Of their files.
    pub size: u64,
    /// Versions in them, tombstones included.
    pub entries: u64,
    /// Tombstones in them.
    pub tombstones: u64,
}

fn levels(version: &Version) -> Vec<LevelStatistics> {
    let mut levels = vec![LevelStatistics::default(); LEVELS];
    for (level, table) in version.tables() {
        if let Some(statistics) = levels.get_mut(level) {
            let properties = &table.meta().properties;
            statistics.files += 1;
            statistics.size += table.meta().size;
            statistics.entries += properties.entries;
            statistics.tombstones += properties.tombstones;
        }
    }
    levels
}

impl Statistics {
    pub(super) fn collect(shared: &Shared) -> Self {
        let memtables = shared.memtables.load();
        let counters = &shared.counters;
        let version = shared.versions.current();
        let cache = shared.versions.store().cache().usage();
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
            levels: levels(&version),
            l0_sublevels: version.sublevels().len(),
            compaction_debt: compaction::pressure(&version, &shared.options).debt_bytes,
            dropped_keyspaces: version.dropped().len(),
            block_cache_size: cache.bytes,
            block_cache_blocks: cache.blocks,
            block_cache_misses: cache.misses,
            index_size: version.tables().map(|(_, table)| table.pinned_size()).sum(),
        }
    }
}
