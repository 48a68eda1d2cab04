//! When the commits of the log were written: what the manifest's time map does not have yet.

use crate::sync::Mutex;

/// Milliseconds of which the last commit is remembered, as in the time map.
const RESOLUTION_MS: u64 = 1000;

/// The last commit of each second since what is written out, as (sequence number, milliseconds
/// since 1970).
pub(super) struct RecentTimes {
    state: Mutex<State>,
}

struct State {
    samples: Vec<(u64, u64)>,
    /// Time never goes back.
    newest_ms: u64,
}

impl RecentTimes {
    /// Behind the newest time that the manifest knows.
    pub(super) fn new(newest_ms: u64) -> Self {
        let samples = Vec::new();
        RecentTimes {
            state: Mutex::new(State { samples, newest_ms }),
        }
    }

    /// A group of commits up to this one was written.
    pub(super) fn push(&self, sequence: u64, time_ms: u64) {
        let mut state = self.state.lock();
        state.newest_ms = state.newest_ms.max(time_ms);
        let sample = (sequence, state.newest_ms);
        match state.samples.last_mut() {
            Some(last) if last.1 / RESOLUTION_MS == sample.1 / RESOLUTION_MS => *last = sample,
            _ => state.samples.push(sample),
        }
    }

    /// What the manifest has to know once the commits up to one are written out. That one itself is
    /// among them, with the time of a commit of the same second that is not older.
    pub(super) fn until(&self, sequence: u64) -> Vec<(u64, u64)> {
        let state = self.state.lock();
        let behind = state.samples.partition_point(|(at, _)| *at <= sequence);
        let (until, later) = state.samples.split_at(behind);
        let mut until = until.to_vec();
        if until.last().is_none_or(|(at, _)| *at < sequence) {
            until.extend(later.first().map(|(_, time)| (sequence, *time)));
        }
        until
    }

    /// The manifest knows those up to a commit.
    pub(super) fn forget(&self, sequence: u64) {
        let mut state = self.state.lock();
        state.samples.retain(|(at, _)| *at > sequence);
    }

    /// The newest commit that was written at or before a time, if one of those that are not written
    /// out was.
    pub(super) fn sequence_at(&self, time_ms: u64) -> Option<u64> {
        let state = self.state.lock();
        let behind = state.samples.partition_point(|(_, time)| *time <= time_ms);
        let (sequence, _) = state.samples.get(behind.checked_sub(1)?)?;
        Some(*sequence)
    }

    /// When a commit that is not written out had been written.
    pub(super) fn time_of(&self, sequence: u64) -> Option<u64> {
        let state = self.state.lock();
        let place = state.samples.partition_point(|(at, _)| *at < sequence);
        state.samples.get(place).map(|(_, time)| *time)
    }

    /// The newest time.
    pub(super) fn newest_ms(&self) -> u64 {
        self.state.lock().newest_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_last_commit_of_each_second() {
        let times = RecentTimes::new(900);
        for (sequence, time_ms) in [(3, 500), (5, 1100), (8, 1900), (9, 2500), (12, 2400)] {
            times.push(sequence, time_ms);
        }
        // The clock was behind at 3 and 12.
        assert_eq!(times.sequence_at(899), None);
        assert_eq!(times.sequence_at(900), Some(3));
        assert_eq!(times.sequence_at(1899), Some(3));
        assert_eq!(times.sequence_at(1900), Some(8));
        assert_eq!(times.sequence_at(2500), Some(12));
        assert_eq!(times.until(4), [(3, 900), (4, 1900)]);
        assert_eq!(times.until(8), [(3, 900), (8, 1900)]);
        assert_eq!(times.time_of(9), Some(2500));
        times.forget(8);
        assert_eq!(times.sequence_at(2000), None);
        assert_eq!(times.until(12), [(12, 2500)]);
        assert_eq!(times.newest_ms(), 2500);
    }
}
