//! What a Stator tells of its own work, if the endpoint is one: `GET /_stator/statistics`, whose form
//! the server's README describes. Nobody else has it, and nobody else is asked twice.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::answer::Incoming;
use crate::endpoint::Endpoint;
use crate::stream::Connector;

/// The form that this reads.
const FORMAT: &str = "stator-statistics/1";

/// How long an answer is waited for: a server that stands still is not to hold up the end of a run.
const PATIENCE: Duration = Duration::from_secs(5);

/// The statistics at one moment. Everything counts from the start of the server, but for states.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Statistics {
    /// The name of their form.
    pub format: String,
    /// Of the server.
    pub version: String,
    /// How long it runs, in nanoseconds.
    pub uptime_ns: u64,
    /// Names of the stages, in the order of `by_total`.
    pub stages: Vec<String>,
    /// By the names of DynamoDB's operations.
    pub operations: BTreeMap<String, OperationTimes>,
    /// Of the storage engine.
    pub engine: Engine,
}

/// Requests of one operation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct OperationTimes {
    /// Answered with an error of the client's.
    pub refused: u64,
    /// Answered with an error of the server's.
    pub failed: u64,
    /// From the head of the request to the answer.
    pub total: Counted,
    /// By stage, of requests that were in it.
    pub stages: BTreeMap<String, Counted>,
    /// Total time at most, how many, and how long they were in each stage, all together.
    pub by_total: Vec<(u64, u64, Vec<u64>)>,
}

/// A distribution of times, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// How many.
    pub count: u64,
    /// All of them together.
    pub sum_ns: u64,
    /// At most so long, and how many.
    pub buckets: Vec<(u64, u64)>,
}

/// What the storage engine has done, and how it stands. Sizes are bytes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the README of the server says what they are")]
pub struct Engine {
    pub commits: u64,
    pub wal_groups: u64,
    pub wal_bytes: u64,
    pub wal_group_times: Counted,
    pub throttled_commits: u64,
    pub delayed_commits: u64,
    pub delay_ns: u64,
    pub write_delay_ns: Option<u64>,
    pub refuses_writes: Option<String>,
    pub memtable_bytes: u64,
    pub immutable_memtables: u64,
    pub flushes: u64,
    pub flushed_bytes: u64,
    pub compactions: u64,
    pub compaction_read_bytes: u64,
    pub compaction_written_bytes: u64,
    pub compaction_debt_bytes: u64,
    pub l0_sublevels: u64,
    pub levels: Vec<Level>,
    pub block_cache_hits: u64,
    pub block_cache_misses: u64,
}

/// The SSTables of one level.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the README of the server says what they are")]
pub struct Level {
    pub files: u64,
    pub bytes: u64,
}

impl Counted {
    /// What came since an earlier look.
    pub fn since(&self, earlier: &Self) -> Self {
        let before: BTreeMap<u64, u64> = earlier.buckets.iter().copied().collect();
        let buckets = self.buckets.iter().map(|(at_most, count)| {
            let before = before.get(at_most).copied().unwrap_or(0);
            (*at_most, count.saturating_sub(before))
        });
        Self {
            count: self.count.saturating_sub(earlier.count),
            sum_ns: self.sum_ns.saturating_sub(earlier.sum_ns),
            buckets: buckets.filter(|(_, count)| *count > 0).collect(),
        }
    }

    /// A percentile, in nanoseconds; 0 of nothing. Within a bucket, which is a sixteenth wide, times
    /// are taken to be spread evenly.
    pub fn percentile(&self, percentile: f64) -> u64 {
        let counted: u64 = self.buckets.iter().map(|(_, count)| count).sum();
        let wanted = (counted as f64 * percentile / 100.0).max(1.0);
        let mut seen = 0.0;
        for (at_most, count) in &self.buckets {
            let inside = wanted - seen;
            seen += *count as f64;
            if seen >= wanted {
                let width = *at_most as f64 / 17.0;
                let above = 1.0 - inside / *count as f64;
                return (*at_most as f64 - width * above) as u64;
            }
        }
        0
    }
}

/// Asks an endpoint for its statistics.
#[derive(Clone)]
pub struct Asker {
    connector: Connector,
    request: Vec<u8>,
}

/// Why there are no statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is no Stator, or does not answer.
    Unknown,
    /// It is one, and tells only programs of its own machine.
    Elsewhere,
}

impl Asker {
    /// Of an endpoint; `None` for DynamoDB itself, which is not asked what it does not know.
    pub fn new(connector: &Connector, endpoint: &Endpoint) -> Option<Self> {
        let host = &endpoint.host;
        (!endpoint.is_aws()).then(|| Self {
            connector: connector.clone(),
            request: format!(
                "GET /_stator/statistics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            )
            .into_bytes(),
        })
    }

    /// The statistics as they stand.
    ///
    /// # Errors
    /// Why there are none.
    pub fn ask(&self) -> Result<Statistics, Missing> {
        let (status, body) = self.exchange().ok_or(Missing::Unknown)?;
        match status {
            200 => {
                let read: Option<Statistics> = serde_json::from_slice(&body).ok();
                read.filter(|read| read.format == FORMAT)
                    .ok_or(Missing::Unknown)
            }
            403 if body.windows(11).any(|part| part == b"this server") => Err(Missing::Elsewhere),
            _ => Err(Missing::Unknown),
        }
    }

    fn exchange(&self) -> Option<(u16, Vec<u8>)> {
        let mut stream = self.connector.connect_and_wait(PATIENCE).ok()?;
        stream.write_all(&self.request).ok()?;
        let mut incoming = Incoming::default();
        loop {
            if let Some(answer) = incoming.answer().ok()? {
                return Some((answer.status, answer.body.into_owned()));
            }
            let size = stream.read(incoming.room()).ok()?;
            if size == 0 {
                return None;
            }
            incoming.filled(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_what_came_in_between() {
        let counted = |count, sum_ns, buckets: &[(u64, u64)]| Counted {
            count,
            sum_ns,
            buckets: buckets.to_vec(),
        };
        let before = counted(3, 30, &[(9, 2), (19, 1)]);
        let after = counted(6, 90, &[(9, 2), (19, 3), (39, 1)]);
        assert_eq!(after.since(&before), counted(3, 60, &[(19, 2), (39, 1)]));
        assert_eq!(after.since(&after), counted(0, 0, &[]));
    }

    #[test]
    fn percentiles_are_near_the_truth() {
        // As the server has them: each power of two in sixteen parts.
        let mut buckets: BTreeMap<u64, u64> = BTreeMap::new();
        for ns in 1..=100_000_u64 {
            let shift = (63 - ns.leading_zeros()).saturating_sub(4);
            *buckets
                .entry((((ns >> shift) + 1) << shift) - 1)
                .or_default() += 1;
        }
        let counted = Counted {
            count: 100_000,
            sum_ns: 0,
            buckets: buckets.into_iter().collect(),
        };
        for (percentile, truth) in [(1.0, 1e3), (50.0, 5e4), (99.0, 99e3), (100.0, 1e5)] {
            let found = counted.percentile(percentile) as f64;
            assert!((found / truth - 1.0).abs() < 0.03, "{percentile}: {found}");
        }
        assert_eq!(Counted::default().percentile(50.0), 0);
    }
}
