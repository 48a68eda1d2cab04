//! How long things take, as counts of how many took about how long: what percentiles are read from.
//!
//! Buckets are log-linear: each power of two of nanoseconds is cut into sixteen. So a percentile is too
//! high by a sixteenth at most, from a nanosecond to over a minute, in four kilobytes, and recording is
//! a few additions. Whoever serves requests has the same use for it as the log has.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Parts of a power of two, as a number of bits.
const PART_BITS: u32 = 4;
const PARTS: usize = 1 << PART_BITS;
/// What takes longer than 2 to this power of nanoseconds, which is 69 s, counts as that long.
const LONGEST_BITS: u32 = 36;
const BUCKETS: usize = (LONGEST_BITS - PART_BITS + 1) as usize * PARTS;
const LONGEST: u64 = (1 << LONGEST_BITS) - 1;

/// The bucket of a number of nanoseconds. The first sixteen have one number each.
fn bucket(nanoseconds: u64) -> usize {
    let nanoseconds = nanoseconds.min(LONGEST);
    let bits = u64::BITS - nanoseconds.leading_zeros();
    let Some(shift) = bits.checked_sub(PART_BITS + 1) else {
        return nanoseconds as usize;
    };
    // The highest bit and the four behind it.
    let part = (nanoseconds >> shift) as usize - PARTS;
    (shift as usize + 1) * PARTS + part
}

/// The largest number of nanoseconds in a bucket.
fn largest(bucket: usize) -> u64 {
    let (power, part) = (bucket / PARTS, bucket % PARTS);
    match power.checked_sub(1) {
        None => part as u64,
        Some(shift) => {
            let next = (PARTS + part + 1) as u64;
            (next << shift) - 1
        }
    }
}

/// Counts how long something took.
pub struct LatencyRecorder {
    counts: Box<[AtomicU64]>,
    sum_ns: AtomicU64,
    longest_ns: AtomicU64,
}

impl Default for LatencyRecorder {
    fn default() -> Self {
        LatencyRecorder {
            counts: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            sum_ns: AtomicU64::new(0),
            longest_ns: AtomicU64::new(0),
        }
    }
}

impl LatencyRecorder {
    /// Counts one more, which many threads may do at the same time.
    pub fn record(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get(bucket(nanoseconds)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_ns.fetch_add(nanoseconds, Ordering::Relaxed);
        self.longest_ns.fetch_max(nanoseconds, Ordering::Relaxed);
    }

    /// Counts one more of so many nanoseconds, where no other thread counts at the same time: without
    /// the locked instructions, which cost several times as much. Where two do, one of them is lost.
    pub fn record_alone(&self, nanoseconds: u64) {
        let add = |to: &AtomicU64, value| {
            to.store(
                to.load(Ordering::Relaxed).wrapping_add(value),
                Ordering::Relaxed,
            );
        };
        if let Some(count) = self.counts.get(bucket(nanoseconds)) {
            add(count, 1);
        }
        add(&self.sum_ns, nanoseconds);
        if nanoseconds > self.longest_ns.load(Ordering::Relaxed) {
            self.longest_ns.store(nanoseconds, Ordering::Relaxed);
        }
    }

    /// What was counted.
    #[must_use]
    pub fn read(&self) -> Latencies {
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        Latencies {
            counts: counts.collect(),
            sum: Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)),
            longest: Duration::from_nanos(self.longest_ns.load(Ordering::Relaxed)),
        }
    }
}

/// How long something took, each time since counting began.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Latencies {
    counts: Vec<u64>,
    sum: Duration,
    longest: Duration,
}

impl Latencies {
    /// Adds what another has counted.
    pub fn add(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (ours, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *ours += theirs;
        }
        self.sum += other.sum;
        self.longest = self.longest.max(other.longest);
    }

    /// How often it happened.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time that it took at most in a part of the cases, from 0 to 1: the median at 0.5. Too high
    /// by a sixteenth at most; zero if it never happened.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Duration {
        let wanted = (self.count() as f64 * part).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(largest(bucket)).min(self.longest);
            }
        }
        self.longest
    }

    /// All that it took, exactly.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// The longest that it ever took, exactly.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// The buckets that are not empty, shortest first: the longest time of each, and how many took
    /// that long or less but longer than the bucket before.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let counts = self.counts.iter().enumerate();
        counts
            .filter(|(_, count)| **count > 0)
            .map(|(bucket, count)| (Duration::from_nanos(largest(bucket)), *count))
    }
}

impl fmt::Debug for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} times, half of them within {:?}, 99 % within {:?}, all within {:?}",
            self.count(),
            self.quantile(0.5),
            self.quantile(0.99),
            self.longest
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_a_bucket_that_is_a_sixteenth_wide_at_most() {
        let mut last = 0;
        for shift in 0..LONGEST_BITS {
            for offset in [0, 1, 3, 7, 15] {
                let nanoseconds = (1u64 << shift) + (offset << shift >> 4);
                let bucket = bucket(nanoseconds);
                assert!(bucket < BUCKETS && bucket >= last, "{nanoseconds}");
                assert!(largest(bucket) >= nanoseconds, "{nanoseconds}");
                assert!(
                    largest(bucket) - nanoseconds <= nanoseconds / 16,
                    "{nanoseconds}"
                );
                last = bucket;
            }
        }
        assert_eq!(largest(bucket(u64::MAX)), LONGEST);
        assert_eq!(bucket(LONGEST), BUCKETS - 1);
        assert!((1..BUCKETS).all(|at| bucket(largest(at - 1) + 1) == at));
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let recorder = LatencyRecorder::default();
        assert_eq!(recorder.read().quantile(0.5), Duration::ZERO);
        (1..=1000).for_each(|time| recorder.record(Duration::from_micros(time)));
        let latencies = recorder.read();
        assert_eq!(latencies.count(), 1000);
        assert_eq!(latencies.longest(), Duration::from_millis(1));
        for (part, exact) in [(0.001, 1), (0.5, 500), (0.99, 990), (1.0, 1000)] {
            let (found, exact) = (latencies.quantile(part), Duration::from_micros(exact));
            assert!(
                found >= exact && found <= exact + exact / 16,
                "{part}: {found:?}"
            );
        }
        assert_eq!(latencies.sum(), Duration::from_micros(500_500));
        let alone = LatencyRecorder::default();
        (1..=1000).for_each(|time| alone.record_alone(time * 1000));
        assert_eq!(alone.read(), latencies);
        let mut twice = Latencies::default();
        (0..2).for_each(|_| twice.add(&latencies));
        assert_eq!(twice.count(), 2000);
        assert_eq!(twice.sum(), 2 * latencies.sum());
        assert_eq!(twice.quantile(0.5), latencies.quantile(0.5));
        let counted: u64 = latencies.buckets().map(|(_, count)| count).sum();
        assert_eq!(counted, 1000);
    }
}
