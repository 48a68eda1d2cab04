//! When sequence numbers were written: a compact map from them to wall-clock time.
//!
//! A sample is the last commit of a second in which there were any. Within the longest retention
//! window of any keyspace all of them stay, so that the past can be read as it was at any second of
//! it; what is older gets thinner with its age. A window of 35 days without a second's pause comes
//! to three million samples, hence the form: full chunks as differences, four or five bytes each.

use std::sync::Arc;

use crate::varint::{Cursor, push_varint};

/// Samples older than the longest window are thinned when there are more than this.
const MAX_SAMPLES: usize = 8192;

/// Thinning keeps the distance between two samples below this part of their age: recent times stay
/// exact, old ones are known to a fraction of a percent of how long ago they were. The number of
/// samples then grows with the logarithm of the age, and never reaches `MAX_SAMPLES`.
const EXACTNESS: u64 = 256;

/// Samples of a chunk: what a search decodes, and what adding one copies.
const CHUNK_SAMPLES: usize = 256;

/// Milliseconds that a sample stands for.
const RESOLUTION_MS: u64 = 1000;

/// A sequence number, and milliseconds since 1970 at which it was written.
pub(crate) type Sample = (u64, u64);

/// Samples, of which both numbers rise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct TimeMap {
    chunks: Vec<Chunk>,
    /// Those behind the last full chunk.
    tail: Vec<Sample>,
}

/// `CHUNK_SAMPLES` samples: the first, and for each other the differences to the one before it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Chunk {
    first: Sample,
    last: Sample,
    differences: Arc<[u8]>,
}

impl Chunk {
    fn new(samples: &[Sample]) -> Option<Chunk> {
        let (first, last) = (*samples.first()?, *samples.last()?);
        let mut differences = Vec::with_capacity(samples.len() * 5);
        let mut before = first;
        for sample in samples.iter().skip(1) {
            push_varint(&mut differences, sample.0 - before.0);
            push_varint(&mut differences, sample.1 - before.1);
            before = *sample;
        }
        Some(Chunk {
            first,
            last,
            differences: differences.into(),
        })
    }

    fn samples(&self) -> impl Iterator<Item = Sample> + '_ {
        let mut cursor = Cursor::new(&self.differences);
        let mut at = self.first;
        let others = std::iter::from_fn(move || {
            at = (at.0 + cursor.varint()?, at.1 + cursor.varint()?);
            Some(at)
        });
        std::iter::once(self.first).chain(others)
    }
}

impl TimeMap {
    /// Adds samples. One whose sequence number is not above the last one's is left out; the time
    /// of one whose clock went back is that of the last; and of those of one second the last stays.
    /// `exact_ms` is the age up to which no second may be lost.
    pub(crate) fn extend(&mut self, samples: &[Sample], exact_ms: u64) {
        for (sequence, time_ms) in samples {
            self.push(*sequence, *time_ms);
        }
        let horizon = self.newest_ms().unwrap_or(0).saturating_sub(exact_ms);
        let old = self.chunks.partition_point(|chunk| chunk.last.1 < horizon);
        let old_in_tail = self.tail.partition_point(|(_, time)| *time < horizon);
        if old * CHUNK_SAMPLES + old_in_tail > MAX_SAMPLES {
            self.thin(horizon);
        }
    }

    fn push(&mut self, sequence: u64, time_ms: u64) {
        let Some((last_sequence, last_time)) = self.last() else {
            self.tail.push((sequence, time_ms));
            return;
        };
        if sequence <= last_sequence {
            return;
        }
        let sample = (sequence, time_ms.max(last_time));
        match self.tail.last_mut() {
            Some(last) if last.1 / RESOLUTION_MS == sample.1 / RESOLUTION_MS => *last = sample,
            _ => self.tail.push(sample),
        }
        // One stays, so that it can still be replaced.
        if self.tail.len() > CHUNK_SAMPLES {
            let rest = self.tail.split_off(CHUNK_SAMPLES);
            self.chunks.extend(Chunk::new(&self.tail));
            self.tail = rest;
        }
    }

    fn last(&self) -> Option<Sample> {
        let in_tail = self.tail.last().copied();
        in_tail.or_else(|| self.chunks.last().map(|chunk| chunk.last))
    }

    /// Thins samples of before a time.
    fn thin(&mut self, horizon: u64) {
        let newest = self.newest_ms().unwrap_or(0);
        let samples: Vec<Sample> = self.iter().collect();
        let mut following = samples.iter().skip(1);
        let mut kept: Option<u64> = None;
        let mut thinned = TimeMap::default();
        for (sequence, time) in &samples {
            let behind = following.next().map(|(_, time)| *time);
            let needed = match (kept, behind) {
                // The first and the last stay.
                (None, _) | (_, None) => true,
                (Some(before), Some(behind)) => {
                    *time >= horizon
                        || behind.saturating_sub(before) > newest.saturating_sub(*time) / EXACTNESS
                }
            };
            if needed {
                kept = Some(*time);
                thinned.push(*sequence, *time);
            }
        }
        *self = thinned;
    }

    /// The newest sampled sequence number that was written at or before a time: reading as of it
    /// sees nothing that was written later.
    pub(crate) fn sequence_at(&self, time_ms: u64) -> Option<u64> {
        let by_then = |samples: &mut dyn Iterator<Item = Sample>| {
            let by_then = samples.take_while(|(_, time)| *time <= time_ms);
            by_then.last().map(|(sequence, _)| sequence)
        };
        if self.tail.first().is_some_and(|(_, time)| *time <= time_ms) {
            return by_then(&mut self.tail.iter().copied());
        }
        let behind = self
            .chunks
            .partition_point(|chunk| chunk.first.1 <= time_ms);
        let chunk = self.chunks.get(behind.checked_sub(1)?)?;
        by_then(&mut chunk.samples())
    }

    /// The oldest sampled time at which a sequence number had been written: from then on it is seen.
    pub(crate) fn time_of(&self, sequence: u64) -> Option<u64> {
        let first_from = |samples: &mut dyn Iterator<Item = Sample>| {
            let mut samples = samples.skip_while(|(sampled, _)| *sampled < sequence);
            samples.next().map(|(_, time)| time)
        };
        let chunk = self.chunks.partition_point(|chunk| chunk.last.0 < sequence);
        match self.chunks.get(chunk) {
            Some(chunk) => first_from(&mut chunk.samples()),
            None => first_from(&mut self.tail.iter().copied()),
        }
    }

    /// The newest time of all samples.
    pub(crate) fn newest_ms(&self) -> Option<u64> {
        self.last().map(|(_, time)| time)
    }

    /// All samples, rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Sample> + '_ {
        let in_chunks = self.chunks.iter().flat_map(Chunk::samples);
        in_chunks.chain(self.tail.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_written_by_then() {
        let mut times = TimeMap::default();
        times.extend(&[(10, 1000), (20, 2000), (30, 1500), (30, 9000)], 0);
        assert_eq!(times.sequence_at(999), None);
        assert_eq!(times.sequence_at(1000), Some(10));
        assert_eq!(times.sequence_at(1999), Some(10));
        // The clock went back at 30: its sample counts as 2000.
        assert_eq!(times.sequence_at(2000), Some(30));
        assert_eq!(times.time_of(10), Some(1000));
        assert_eq!(times.time_of(11), Some(2000));
        assert_eq!(times.time_of(31), None);
    }

    #[test]
    fn stays_small_and_keeps_the_recent() {
        let mut times = TimeMap::default();
        for i in 1..=1_000_000 {
            times.extend(&[(i, i * 1000)], 0);
        }
        assert!(times.iter().count() <= MAX_SAMPLES);
        assert_eq!(times.sequence_at(999_900_000), Some(999_900));
        for sequence in [1000u64, 10_000, 100_000, 500_000, 990_000] {
            let found = times.sequence_at(sequence * 1000).unwrap();
            let age = 1_000_000 - sequence;
            assert!(
                found <= sequence && sequence - found <= age / EXACTNESS,
                "{found}"
            );
        }
    }

    #[test]
    fn every_second_of_the_window_stays_in_a_few_bytes() {
        let (window, seconds) = (3_000_000_000, 3_100_000u64);
        let mut times = TimeMap::default();
        // A thousand commits in each second, and three samples of it.
        for second in 1..=seconds {
            let (commit, time) = (second * 1000, second * 1000);
            let samples = [
                (commit, time),
                (commit + 400, time + 300),
                (commit + 999, time + 977),
            ];
            times.extend(&samples, window);
        }
        for second in (seconds - 2_999_000..seconds).step_by(7919) {
            assert_eq!(
                times.sequence_at(second * 1000 + 999),
                Some(second * 1000 + 999)
            );
            assert_eq!(times.time_of(second * 1000), Some(second * 1000 + 977));
        }
        let bytes: usize = times
            .chunks
            .iter()
            .map(|chunk| chunk.differences.len())
            .sum();
        let count = times.iter().count();
        assert!(count < 3_000_000 + MAX_SAMPLES + CHUNK_SAMPLES, "{count}");
        assert!(bytes <= 5 * count, "{bytes} bytes of {count} samples");
        let mut again = TimeMap::default();
        again.extend(&times.iter().collect::<Vec<_>>(), window);
        assert!(again.iter().eq(times.iter()));
    }
}
