//! When sequence numbers were written: a compact map from them to wall-clock time.

/// Samples are thinned when there are more than this.
const MAX_SAMPLES: usize = 8192;

/// Thinning keeps the distance between two samples below this part of their age: recent times stay
/// exact, old ones are known to a fraction of a percent of how long ago they were. The number of
/// samples then grows with the logarithm of the age, and never reaches `MAX_SAMPLES`.
const EXACTNESS: u64 = 256;

/// Samples of (sequence number, milliseconds since 1970), both rising.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct TimeMap {
    samples: Vec<(u64, u64)>,
}

impl TimeMap {
    /// Adds a sample. One whose sequence number is not above the last one's is left out; the time
    /// of one whose clock went back is that of the last.
    pub(crate) fn push(&mut self, sequence: u64, time_ms: u64) {
        let (last_sequence, last_time) = self.samples.last().copied().unwrap_or_default();
        if !self.samples.is_empty() && sequence <= last_sequence {
            return;
        }
        self.samples.push((sequence, time_ms.max(last_time)));
        if self.samples.len() > MAX_SAMPLES {
            self.thin();
        }
    }

    fn thin(&mut self) {
        let newest = self.samples.last().map_or(0, |(_, time)| *time);
        let following: Vec<u64> = self.samples.iter().skip(1).map(|(_, time)| *time).collect();
        let mut following = following.into_iter();
        let mut kept = None;
        self.samples.retain(|(_, time)| {
            let behind = following.next();
            let (Some(before), Some(behind)) = (kept, behind) else {
                // The first and the last stay.
                kept = Some(*time);
                return true;
            };
            let needed = behind.saturating_sub(before) > newest.saturating_sub(*time) / EXACTNESS;
            if needed {
                kept = Some(*time);
            }
            needed
        });
    }

    /// The newest sampled sequence number that was written at or before a time: reading as of it
    /// sees nothing that was written later.
    pub(crate) fn sequence_at(&self, time_ms: u64) -> Option<u64> {
        let behind = self.samples.partition_point(|(_, time)| *time <= time_ms);
        self.samples
            .get(behind.checked_sub(1)?)
            .map(|(sequence, _)| *sequence)
    }

    /// The newest time of all samples.
    pub(crate) fn newest_ms(&self) -> Option<u64> {
        self.samples.last().map(|(_, time)| *time)
    }

    /// All samples, rising.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.samples.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_written_by_then() {
        let mut times = TimeMap::default();
        times.push(10, 1000);
        times.push(20, 2000);
        times.push(30, 1500);
        times.push(30, 9000);
        assert_eq!(times.sequence_at(999), None);
        assert_eq!(times.sequence_at(1000), Some(10));
        assert_eq!(times.sequence_at(1999), Some(10));
        // The clock went back at 30: its sample counts as 2000.
        assert_eq!(times.sequence_at(2000), Some(30));
    }

    #[test]
    fn stays_small_and_keeps_the_recent() {
        let mut times = TimeMap::default();
        for i in 1..=1_000_000 {
            times.push(i, i * 1000);
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
}
