//! What a run found: the form of `--json`, of the report, and of what is compared.

use serde::{Deserialize, Serialize};

use crate::histogram::Times;

/// The form of these results; another one has another name.
pub const FORMAT: &str = "stator-bench/1";

/// All that a run found. Times are nanoseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// [`FORMAT`].
    pub format: String,
    /// What the run is called in reports.
    pub name: String,
    /// Version of the rig.
    pub version: String,
    /// When it began: seconds since 1970.
    pub started: u64,
    /// What was asked for.
    pub configuration: Vec<Setting>,
    /// Where it ran.
    pub machine: Vec<Setting>,
    /// Seconds that were measured.
    pub seconds: f64,
    /// Jobs a second that were meant to start; nothing in a closed loop.
    pub offered_rate: Option<f64>,
    /// Jobs a second that went well.
    pub achieved_rate: f64,
    /// From the intended start, all jobs that went well.
    pub response: Latency,
    /// From sending, all jobs that went well.
    pub service: Latency,
    /// From the intended start, jobs that did not go well.
    pub failed: Latency,
    /// The same by names.
    pub operations: Vec<Operation>,
    /// How jobs ended that did not go well.
    pub outcomes: Vec<Count>,
    /// Requests that were made again.
    pub retries: Vec<Count>,
    /// Connections that were made again.
    pub reconnects: u64,
    /// Jobs of the warm-up, which are no part of anything above.
    pub warm_up_jobs: u64,
    /// Bytes of all answers.
    pub received: u64,
    /// The run, second by second.
    pub slices: Vec<Slice>,
    /// What the rig itself cost, and whether it kept up.
    pub rig: Rig,
    /// What is known of the server itself.
    pub server: Option<ServerView>,
    /// Whether the run was ended early.
    pub interrupted: bool,
    /// The steps of a sweep, this run being the best of them.
    pub sweep: Option<Sweep>,
}

/// A line of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// What.
    pub name: String,
    /// And how.
    pub value: String,
}

impl Setting {
    /// A line.
    pub fn new(name: &str, value: impl ToString) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_string(),
        }
    }
}

/// A distribution of times.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Latency {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub min: u64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
    /// The median.
    pub p50: u64,
    /// 90 % are at most this.
    pub p90: u64,
    /// 99 %.
    pub p99: u64,
    /// 99.9 %.
    pub p99_9: u64,
    /// 99.99 %.
    pub p99_99: u64,
    /// The longest.
    pub max: u64,
    /// Points of the percentile curve: quantile and time.
    pub curve: Vec<(f64, u64)>,
    /// The histogram as HdrHistogram's libraries read it.
    pub histogram: String,
}

impl From<&Times> for Latency {
    fn from(times: &Times) -> Self {
        let curve = times.curve();
        Self {
            count: times.count(),
            min: times.min(),
            mean: times.mean(),
            deviation: times.deviation(),
            p50: times.percentile(50.0),
            p90: times.percentile(90.0),
            p99: times.percentile(99.0),
            p99_9: times.percentile(99.9),
            p99_99: times.percentile(99.99),
            max: times.max(),
            curve: curve
                .into_iter()
                .map(|(at, value, _)| (at, value))
                .collect(),
            histogram: times.encoded(),
        }
    }
}

/// The jobs of one name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Operation {
    /// The name.
    pub name: String,
    /// DynamoDB's operations that one job asks for, one after the other.
    #[serde(default)]
    pub requests: Vec<String>,
    /// From the intended start.
    pub response: Latency,
    /// From sending.
    pub service: Latency,
}

/// How often something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// To jobs of this name; nothing where that is not told apart.
    pub operation: Option<String>,
    /// `error`, `throttled`, `partial`, `connection`, `timeout` or `unfinished`.
    pub class: String,
    /// Which one.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// One second.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Slice {
    /// Counted from the start of the run, the warm-up included.
    pub second: u64,
    /// Jobs that went well in it.
    pub count: u64,
    /// Jobs that did not.
    pub failures: u64,
    /// The median of their latencies.
    pub p50: u64,
    /// 99 % are at most this.
    pub p99: u64,
    /// 99.9 %.
    pub p99_9: u64,
    /// The longest.
    pub max: u64,
    /// Jobs that waited for a connection at its end.
    pub backlog: u64,
    /// The rig's own longest delay.
    pub lag: u64,
    /// Processor time of the rig, as a share of one core.
    pub rig_cpu: f64,
    /// Latencies by classes: class c begins at 1 µs × 10^(c/16).
    pub classes: Vec<(u32, u64)>,
}

/// What the rig itself cost, and whether it kept up.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rig {
    /// Whether the figures are the endpoint's, and not the rig's own.
    pub valid: bool,
    /// Why not.
    pub complaints: Vec<String>,
    /// Processor time for a request, in microseconds.
    pub cpu_us_per_request: f64,
    /// Of its threads' time, how much they were busy, from 0 to 1.
    pub busy: f64,
    /// How much later than intended it took notice of starts.
    pub lag: Latency,
    /// Its threads.
    pub threads: usize,
}

/// What is known of the server itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServerView {
    /// Processor time of the server for a request, in microseconds, if its process is known.
    pub cpu_us_per_request: Option<f64>,
    /// What it tells of its own work, if it is a Stator.
    #[serde(default)]
    pub breakdown: Option<Breakdown>,
}

/// The server's own view of what was measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Breakdown {
    /// Of the server.
    pub version: String,
    /// Seconds between the two looks at its statistics: from the end of the warm-up to the end.
    pub seconds: f64,
    /// Names of the stages, in the order in which requests go through them.
    pub stages: Vec<String>,
    /// The operations that were asked for.
    pub operations: Vec<ServerOperation>,
    /// The storage engine.
    pub engine: EngineView,
    /// Second by second.
    pub moments: Vec<Moment>,
}

/// The requests of one of DynamoDB's operations. A request's stages add up to its total, and so do
/// their means.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServerOperation {
    /// The operation.
    pub name: String,
    /// Answered with an error of the client's.
    pub refused: u64,
    /// Answered with an error of the server's.
    pub failed: u64,
    /// From the head of the request to the answer.
    pub total: StageView,
    /// All stages, in their order.
    pub stages: Vec<StageView>,
    /// The slowest of the requests.
    pub slow: Option<SlowRequests>,
}

/// How long requests were in a stage.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StageView {
    /// The stage.
    pub name: String,
    /// Requests that were in it.
    pub count: u64,
    /// Of all requests of the operation, whether they were in it or not.
    pub mean: f64,
    /// The median of those that were.
    pub p50: u64,
    /// 99 % of them are at most this.
    pub p99: u64,
    /// 99.9 %.
    pub p99_9: u64,
}

/// Where the slowest requests of an operation were.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SlowRequests {
    /// Which part of the requests, by the server's total.
    pub share: f64,
    /// How many.
    pub count: f64,
    /// Their means in each stage.
    pub means: Vec<f64>,
}

/// What the storage engine has done meanwhile. Sizes are bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EngineView {
    /// Commits written to the log.
    pub commits: u64,
    /// In so many groups.
    pub wal_groups: u64,
    /// Of their records.
    pub wal_bytes: u64,
    /// Writing a group, and syncing it if what is acknowledged has to be on disk.
    pub group_write: StageView,
    /// Commits that were refused, so that clients slow down.
    pub throttled_commits: u64,
    /// Commits whose acknowledgement was held back.
    pub delayed_commits: u64,
    /// For how long, all together.
    pub delay_ns: u64,
    /// Memtables written out.
    pub flushes: u64,
    /// Of what they became.
    pub flushed_bytes: u64,
    /// Compactions.
    pub compactions: u64,
    /// What they read.
    pub compaction_read_bytes: u64,
    /// What they wrote.
    pub compaction_written_bytes: u64,
    /// Bytes written for each byte of the commits' records.
    pub write_amplification: Option<f64>,
    /// The part of the blocks that were in the cache when they were asked for.
    pub block_cache_hit_rate: Option<f64>,
    /// Of the levels at the end, from L0 on.
    pub level_bytes: Vec<u64>,
}

/// A second of the server's own view.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Moment {
    /// Where it begins: seconds since the end of the warm-up.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Requests that were answered.
    pub requests: u64,
    /// Their time in each stage, all together.
    pub spent_ns: Vec<u64>,
    /// Commits written to the log.
    pub commits: u64,
    /// Commits refused.
    pub throttled_commits: u64,
    /// Commits held back.
    pub delayed_commits: u64,
    /// For how long, all together.
    pub delay_ns: u64,
    /// Whether writes were refused at its end.
    pub refuses_writes: bool,
    /// Of the groups written to the log, 99 % took at most this.
    pub group_p99: u64,
    /// Written by flushes.
    pub flushed_bytes: u64,
    /// Written by compactions.
    pub compaction_written_bytes: u64,
    /// What has to be compacted until no level is above its size, at its end.
    pub compaction_debt_bytes: u64,
    /// In memtables, at its end.
    pub memtable_bytes: u64,
    /// Memtables that waited to be written out, at its end.
    pub immutable_memtables: u64,
    /// Runs of SSTables in L0, at its end.
    pub l0_sublevels: u64,
}

/// A search for the highest rate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sweep {
    /// The p99 that was to be kept.
    pub limit: u64,
    /// The highest rate that kept it.
    pub knee: Option<f64>,
    /// The steps in the order in which they were made.
    pub steps: Vec<Step>,
}

/// One step of a sweep.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Jobs a second that were meant to start.
    pub rate: f64,
    /// Jobs a second that went well.
    pub achieved: f64,
    /// Of the latencies.
    pub p50: u64,
    /// 99 % are at most this.
    pub p99: u64,
    /// 99.9 %.
    pub p99_9: u64,
    /// Jobs that did not go well.
    pub failures: u64,
    /// Whether the limit was kept.
    pub kept: bool,
    /// Whether the rig kept up.
    pub valid: bool,
}
