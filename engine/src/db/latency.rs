//! How long things take, as counts of how many took about how long: what percentiles are read from.
//!
//! Buckets are log-linear: each power of two of nanoseconds is cut into eight. So a percentile is too
//! high by an eighth at most, from a nanosecond to centuries, in four kilobytes, and recording is one
//! atomic addition.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Parts of a power of two, as a number of bits.
const PART_BITS: u32 = 3;
const PARTS: usize = 1 << PART_BITS;
const BUCKETS: usize = (64 - PART_BITS as usize + 1) * PARTS;

/// The bucket of a number of nanoseconds. The first eight have one number each.
fn bucket(nanoseconds: u64) -> usize {
    let bits = u64::BITS - nanoseconds.leading_zeros();
    let Some(shift) = bits.checked_sub(PART_BITS + 1) else {
        return nanoseconds as usize;
    };
    // The highest bit and the three behind it.
    let part = (nanoseconds >> shift) as usize - PARTS;
    (shift as usize + 1) * PARTS + part
}

/// The largest number of nanoseconds in a bucket.
fn largest(bucket: usize) -> u64 {
    let (power, part) = (bucket / PARTS, bucket % PARTS);
    match power.checked_sub(1) {
        None => part as u64,
        Some(shift) => {
            let next = (PARTS + part + 1) as u128;
            u64::try_from((next << shift) - 1).unwrap_or(u64::MAX)
        }
    }
}

/// Counts that many threads may add to.
pub(super) struct Recorder {
    counts: Box<[AtomicU64]>,
    longest_ns: AtomicU64,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder {
            counts: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            longest_ns: AtomicU64::new(0),
        }
    }
}

impl Recorder {
    pub(super) fn record(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get(bucket(nanoseconds)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.longest_ns.fetch_max(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Latencies {
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        Latencies {
            counts: counts.collect(),
            longest: Duration::from_nanos(self.longest_ns.load(Ordering::Relaxed)),
        }
    }
}

/// How long something took, each time since the database was opened.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Latencies {
    counts: Vec<u64>,
    longest: Duration,
}

impl Latencies {
    /// How often it happened.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time that it took at most in a part of the cases, from 0 to 1: the median at 0.5. Too high
    /// by an eighth at most; zero if it never happened.
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
    fn every_time_is_in_a_bucket_that_is_an_eighth_wide_at_most() {
        let mut last = 0;
        for shift in 0..64 {
            for offset in [0, 1, 3, 7] {
                let nanoseconds = (1u64 << shift).saturating_add(offset << shift >> 3);
                let bucket = bucket(nanoseconds);
                assert!(bucket < BUCKETS && bucket >= last, "{nanoseconds}");
                assert!(largest(bucket) >= nanoseconds, "{nanoseconds}");
                assert!(
                    largest(bucket) - nanoseconds <= nanoseconds / 8,
                    "{nanoseconds}"
                );
                last = bucket;
            }
        }
        assert_eq!(largest(bucket(u64::MAX)), u64::MAX);
        assert!((1..BUCKETS).all(|at| bucket(largest(at - 1) + 1) == at));
    }

    #[test]
    fn quantiles_are_those_of_what_was_recorded() {
        let recorder = Recorder::default();
        assert_eq!(recorder.read().quantile(0.5), Duration::ZERO);
        (1..=1000).for_each(|time| recorder.record(Duration::from_micros(time)));
        let latencies = recorder.read();
        assert_eq!(latencies.count(), 1000);
        assert_eq!(latencies.longest(), Duration::from_millis(1));
        for (part, exact) in [(0.001, 1), (0.5, 500), (0.99, 990), (1.0, 1000)] {
            let (found, exact) = (latencies.quantile(part), Duration::from_micros(exact));
            assert!(
                found >= exact && found <= exact + exact / 8,
                "{part}: {found:?}"
            );
        }
        let counted: u64 = latencies.buckets().map(|(_, count)| count).sum();
        assert_eq!(counted, 1000);
    }
}
