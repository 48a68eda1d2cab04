//! The form of the statistics as JSON: `GET /_stator/statistics`.
//!
//! Times are nanoseconds, sizes bytes; everything counts from the start of the server unless it is a
//! state, as the sizes of levels are. The README has the members' meaning for those who read it.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::requests::{OperationTimes, RequestTimes};
use crate::{
    stopwatch::{STAGES, Stage},
    store::{Latencies, StoreState},
};

/// The name of this form; another one has another name.
const FORMAT: &str = "stator-statistics/1";

/// All that the server knows of its own work.
#[derive(Clone, Debug, Serialize)]
pub struct Statistics {
    format: &'static str,
    version: &'static str,
    uptime_ns: u64,
    /// The order of stages in `by_total`.
    stages: [&'static str; STAGES],
    operations: BTreeMap<&'static str, OperationStatistics>,
    engine: EngineStatistics,
}

#[derive(Clone, Debug, Serialize)]
struct OperationStatistics {
    refused: u64,
    failed: u64,
    total: Times,
    stages: BTreeMap<&'static str, Times>,
    /// Total time at most, how many, and their sums of each stage.
    by_total: Vec<(u64, u64, [u64; STAGES])>,
}

/// A distribution of times.
#[derive(Clone, Debug, Serialize)]
struct Times {
    count: u64,
    sum_ns: u64,
    max_ns: u64,
    /// At most so long, and how many: above the bucket before.
    buckets: Vec<(u64, u64)>,
}

#[derive(Clone, Debug, Serialize)]
struct EngineStatistics {
    commits: u64,
    wal_groups: u64,
    wal_bytes: u64,
    wal_group_times: Times,
    throttled_commits: u64,
    delayed_commits: u64,
    delay_ns: u64,
    write_delay_ns: Option<u64>,
    refuses_writes: Option<String>,
    memtable_bytes: usize,
    immutable_memtables: usize,
    flushes: u64,
    flushed_bytes: u64,
    compactions: u64,
    compaction_read_bytes: u64,
    compaction_written_bytes: u64,
    compaction_debt_bytes: u64,
    l0_sublevels: usize,
    levels: Vec<Level>,
    snapshots: usize,
    dropped_keyspaces: usize,
    block_cache_bytes: u64,
    block_cache_blocks: u64,
    block_cache_hits: u64,
    block_cache_misses: u64,
    index_bytes: usize,
    write_amplification: Option<f64>,
    read_amplification: usize,
    space_amplification: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct Level {
    files: usize,
    bytes: u64,
    entries: u64,
    tombstones: u64,
}

impl Statistics {
    /// As things stand.
    pub fn collect(requests: &RequestTimes, store: StoreState) -> Self {
        let operations = requests.read();
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION"),
            uptime_ns: nanoseconds(store.uptime),
            stages: Stage::ALL.map(Stage::name),
            operations: operations
                .iter()
                .map(|(name, times)| (*name, OperationStatistics::from(times)))
                .collect(),
            engine: EngineStatistics::from(store),
        }
    }
}

impl From<&OperationTimes> for OperationStatistics {
    fn from(times: &OperationTimes) -> Self {
        let stages = Stage::ALL.iter().zip(&times.stages);
        Self {
            refused: times.refused,
            failed: times.failed,
            total: Times::from(&times.total),
            stages: stages
                .filter(|(_, times)| times.count() > 0)
                .map(|(stage, times)| (stage.name(), Times::from(times)))
                .collect(),
            by_total: times
                .classes
                .iter()
                .map(|(at_most, (count, spent))| (*at_most, *count, *spent))
                .collect(),
        }
    }
}

impl From<&Latencies> for Times {
    fn from(latencies: &Latencies) -> Self {
        Self {
            count: latencies.count(),
            sum_ns: nanoseconds(latencies.sum()),
            max_ns: nanoseconds(latencies.longest()),
            buckets: latencies
                .buckets()
                .map(|(at_most, count)| (nanoseconds(at_most), count))
                .collect(),
        }
    }
}

impl From<StoreState> for EngineStatistics {
    fn from(state: StoreState) -> Self {
        let engine = state.engine;
        let (write_delay_ns, refuses_writes) = match state.write_delay {
            Ok(delay) => (Some(nanoseconds(delay)), None),
            Err(refusal) => (None, Some(refusal.to_string())),
        };
        let levels = engine.levels.iter().map(|level| Level {
            files: level.files,
            bytes: level.size,
            entries: level.entries,
            tombstones: level.tombstones,
        });
        Self {
            commits: engine.commits,
            wal_groups: engine.wal_groups,
            wal_bytes: engine.wal_size,
            wal_group_times: Times::from(&engine.wal_latencies),
            throttled_commits: engine.throttled_commits,
            delayed_commits: engine.delayed_commits,
            delay_ns: nanoseconds(engine.delay_time),
            write_delay_ns,
            refuses_writes,
            memtable_bytes: engine.memtable_size,
            immutable_memtables: engine.immutable_memtables,
            flushes: engine.flushes,
            flushed_bytes: engine.flushed_size,
            compactions: engine.compactions,
            compaction_read_bytes: engine.compaction_read_size,
            compaction_written_bytes: engine.compaction_written_size,
            compaction_debt_bytes: engine.compaction_debt,
            l0_sublevels: engine.l0_sublevels,
            levels: levels.collect(),
            snapshots: engine.snapshots,
            dropped_keyspaces: engine.dropped_keyspaces,
            block_cache_bytes: engine.block_cache_size,
            block_cache_blocks: engine.block_cache_blocks,
            block_cache_hits: engine.block_cache_hits,
            block_cache_misses: engine.block_cache_misses,
            index_bytes: engine.index_size,
            write_amplification: engine.write_amplification(),
            read_amplification: engine.read_amplification(),
            space_amplification: engine.space_amplification(),
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
