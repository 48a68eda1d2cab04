//! When the last groups were written to the log: where the time of a commit went.
//!
//! One writer pushes, before it publishes what the group made durable; whoever waited for that looks
//! its group up. Nobody waits for anybody, and only the writer writes: a slot that is overwritten
//! meanwhile is told by its sequence number, and then the commit's times are not known.

use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

/// Groups that are remembered. A waiter that is woken looks at once: few are written until then.
const GROUPS: usize = 64;

/// The times of the last groups.
pub(super) struct GroupTimes {
    slots: Box<[Slot]>,
    /// Groups that were pushed.
    pushed: AtomicU64,
}

#[derive(Default)]
struct Slot {
    /// The last commit of the group; 0 while it is being changed.
    last_sequence: AtomicU64,
    began_ns: AtomicU64,
    ended_ns: AtomicU64,
}

/// When a group was written, by the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GroupTime {
    pub(super) began: Duration,
    pub(super) ended: Duration,
}

impl Default for GroupTimes {
    fn default() -> Self {
        GroupTimes {
            slots: (0..GROUPS).map(|_| Slot::default()).collect(),
            pushed: AtomicU64::new(0),
        }
    }
}

impl GroupTimes {
    /// The group that ends with a commit was written. Only the writer of the log calls this.
    pub(super) fn push(&self, last_sequence: u64, time: GroupTime) {
        let pushed = self.pushed.load(Ordering::Relaxed);
        let Some(slot) = self.slot(pushed) else {
            return;
        };
        slot.last_sequence.store(0, Ordering::Relaxed);
        fence(Ordering::Release);
        slot.began_ns
            .store(nanoseconds(time.began), Ordering::Relaxed);
        slot.ended_ns
            .store(nanoseconds(time.ended), Ordering::Relaxed);
        slot.last_sequence.store(last_sequence, Ordering::Release);
        self.pushed.store(pushed + 1, Ordering::Release);
    }

    /// When the group of a commit was written; `None` if that is not known any more, or not yet.
    pub(super) fn of(&self, sequence: u64) -> Option<GroupTime> {
        let pushed = self.pushed.load(Ordering::Acquire);
        let (mut found, mut newer) = (None, u64::MAX);
        for number in (0..pushed).rev().take(GROUPS) {
            let slot = self.slot(number)?;
            let last_sequence = slot.last_sequence.load(Ordering::Acquire);
            // Going back, groups are older and older, unless the writer has come around.
            if last_sequence == 0 || last_sequence >= newer {
                return None;
            }
            newer = last_sequence;
            // The group before it ended here. Nothing is known of the oldest's beginning.
            if last_sequence < sequence {
                return found;
            }
            let time = GroupTime {
                began: Duration::from_nanos(slot.began_ns.load(Ordering::Relaxed)),
                ended: Duration::from_nanos(slot.ended_ns.load(Ordering::Relaxed)),
            };
            fence(Ordering::Acquire);
            if slot.last_sequence.load(Ordering::Relaxed) != last_sequence {
                return None;
            }
            found = Some(time);
        }
        found.filter(|_| pushed <= GROUPS as u64)
    }

    fn slot(&self, number: u64) -> Option<&Slot> {
        self.slots.get((number % GROUPS as u64) as usize)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(number: u64) -> GroupTime {
        GroupTime {
            began: Duration::from_micros(10 * number),
            ended: Duration::from_micros(10 * number + 5),
        }
    }

    #[test]
    fn a_commit_finds_its_own_group_while_it_is_remembered() {
        let times = GroupTimes::default();
        assert_eq!(times.of(1), None);
        // Groups of three commits: 1 to 3, 4 to 6, and so on.
        for group in 0..200 {
            times.push(3 * group + 3, time(group));
            let oldest = (group + 1).saturating_sub(GROUPS as u64 - 1);
            for known in oldest..=group {
                for sequence in 3 * known + 1..=3 * known + 3 {
                    assert_eq!(times.of(sequence), Some(time(known)), "{group} {sequence}");
                }
            }
            assert_eq!(times.of(3 * group + 4), None, "it is not written yet");
            if oldest > 1 {
                assert_eq!(times.of(3 * (oldest - 1)), None, "it is forgotten");
            }
        }
    }

    #[test]
    fn what_is_overwritten_meanwhile_is_not_known_rather_than_wrong() {
        let times = GroupTimes::default();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..200_000).for_each(|group| times.push(group + 1, time(group))));
            for _ in 0..20_000 {
                let newest = times.pushed.load(Ordering::Acquire);
                let sequence = newest.saturating_sub(60).max(1);
                if let Some(found) = times.of(sequence) {
                    assert_eq!(found, time(sequence - 1));
                }
            }
        });
    }
}
