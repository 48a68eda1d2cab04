//! Counters that many threads add to.

use std::time::Duration;

use super::latency::LatencyRecorder;
use crate::sync::atomic::{AtomicU64, Ordering};

/// What the statistics are made of, as far as it is counted here.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) groups: AtomicU64,
    pub(super) wal_bytes: AtomicU64,
    pub(super) wal_time_us: AtomicU64,
    pub(super) wal_latencies: LatencyRecorder,
    pub(super) throttled: AtomicU64,
    pub(super) delay_us: AtomicU64,
    pub(super) delayed: AtomicU64,
    pub(super) flushes: AtomicU64,
    pub(super) flushed_bytes: AtomicU64,
    pub(super) compactions: AtomicU64,
    pub(super) compacted_bytes_read: AtomicU64,
    pub(super) compacted_bytes_written: AtomicU64,
}

impl Counters {
    /// A group was written.
    pub(super) fn group(&self, commits: usize, bytes: usize, took: Duration) {
        add(&self.commits, commits as u64);
        add(&self.groups, 1);
        self.wal_latencies.record(took);
        add(&self.wal_bytes, bytes as u64);
        add(
            &self.wal_time_us,
            u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        );
    }
}

pub(super) fn add(counter: &AtomicU64, value: u64) {
    counter.fetch_add(value, Ordering::Relaxed);
}

pub(super) fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
