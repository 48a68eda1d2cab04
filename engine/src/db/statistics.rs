//! Where a database stands, and what it has done since it was opened.

use std::collections::BTreeMap;
use std::time::Duration;

use super::counters::read;
use super::latency::Latencies;
use super::shared::Shared;
use crate::compaction;
use crate::key::KeyspaceId;
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
    /// How long writing each of them took, and with `Durability::Sync` syncing it.
    pub wal_latencies: Latencies,
    /// Commits refused with `Throttled`.
    pub throttled_commits: u64,
    /// Commits whose acknowledgement was held back.
    pub delayed_commits: u64,
    /// For how long, all of them together. Each is held back for `Options::write_delay` at most.
    pub delay_time: Duration,
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
    /// Forks that are not copied out yet.
    pub forks: usize,
    /// Of the block cache, its bookkeeping included.
    pub block_cache_size: u64,
    /// Blocks in it.
    pub block_cache_blocks: u64,
    /// Blocks that were asked for and not in it.
    pub block_cache_misses: u64,
    /// Blocks that were asked for and in it.
    pub block_cache_hits: u64,
    /// Indexes and filters of the SSTables that are open. With [`Self::block_cache_size`] they stay within
    /// `Options::block_cache_size`.
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

/// What one keyspace takes in SSTables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyspaceStatistics {
    /// Versions, tombstones included.
    pub entries: u64,
    /// Bytes of keys and values, each key in full and before compression.
    pub size: u64,
}

pub(super) fn keyspaces(version: &Version) -> BTreeMap<KeyspaceId, KeyspaceStatistics> {
    let mut keyspaces: BTreeMap<KeyspaceId, KeyspaceStatistics> = BTreeMap::new();
    for (_, table) in version.tables() {
        for part in &table.meta().properties.keyspaces {
            let statistics = keyspaces.entry(part.keyspace).or_default();
            statistics.entries += part.entries;
            statistics.size += part.bytes;
        }
    }
    keyspaces
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

/// One number as a part of another; `None` of nothing.
fn ratio(of: u64, to: u64) -> Option<f64> {
    (to > 0).then(|| of as f64 / to as f64)
}

impl Statistics {
    /// Bytes that were written to the disk for each byte of the commits' records, since the database
    /// was opened: to the log, by flushes, and by compactions. What pads groups to whole pages, and the
    /// zeros that a segment is prepared with, are not counted. `None` before the first commit.
    #[must_use]
    pub fn write_amplification(&self) -> Option<f64> {
        let written = self.wal_size + self.flushed_size + self.compaction_written_size;
        ratio(written, self.wal_size)
    }

    /// Places that a read of one key has to look at, at most, before it knows that the key is not there:
    /// memtables, sublevels of L0, and levels that are not empty. Filters answer for most of them.
    #[must_use]
    pub fn read_amplification(&self) -> usize {
        let levels = self.levels.iter().skip(1).filter(|level| level.files > 0);
        1 + self.immutable_memtables + self.l0_sublevels + levels.count()
    }

    /// Bytes of all SSTables for each byte of the deepest level's, which has about what is live. `None`
    /// without SSTables.
    #[must_use]
    pub fn space_amplification(&self) -> Option<f64> {
        let all = self.levels.iter().map(|level| level.size).sum();
        let deepest = self.levels.iter().rfind(|level| level.files > 0)?;
        ratio(all, deepest.size)
    }

    /// The part of the blocks asked for that was in the cache, from 0 to 1. `None` if none was.
    #[must_use]
    pub fn block_cache_hit_rate(&self) -> Option<f64> {
        let hits = self.block_cache_hits;
        ratio(hits, hits + self.block_cache_misses)
    }

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
            wal_latencies: counters.wal_latencies.read(),
            throttled_commits: read(&counters.throttled),
            delay_time: Duration::from_micros(read(&counters.delay_us)),
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
            forks: version.histories().overlays().count(),
            block_cache_size: cache.bytes,
            block_cache_blocks: cache.blocks,
            block_cache_misses: cache.misses,
            block_cache_hits: cache.hits,
            index_size: shared.versions.store().metadata_size(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_that_one_reckons_by_hand() {
        let level = |files, size| LevelStatistics {
            files,
            size,
            ..LevelStatistics::default()
        };
        let statistics = Statistics {
            wal_size: 100,
            flushed_size: 90,
            compaction_written_size: 210,
            immutable_memtables: 1,
            l0_sublevels: 2,
            levels: vec![level(3, 30), level(0, 0), level(2, 20), level(4, 200)],
            block_cache_hits: 3,
            block_cache_misses: 1,
            ..Statistics::default()
        };
        assert_eq!(statistics.write_amplification(), Some(4.0));
        // The active memtable, the immutable one, two sublevels, two levels.
        assert_eq!(statistics.read_amplification(), 6);
        assert_eq!(statistics.space_amplification(), Some(1.25));
        assert_eq!(statistics.block_cache_hit_rate(), Some(0.75));
        let nothing = Statistics::default();
        assert_eq!(nothing.write_amplification(), None);
        assert_eq!(nothing.space_amplification(), None);
        assert_eq!(nothing.block_cache_hit_rate(), None);
        assert_eq!(nothing.read_amplification(), 1);
    }
}
