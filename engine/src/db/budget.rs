//! One budget of bytes per second for all background work on SSTables.
//!
//! Classes are not queues: each may overdraw by so much, the more urgent one by more. A flush is never
//! held up, since memory fills up while it waits, but what it takes the others lack. L0 may overdraw by
//! some steps. Deeper levels wait whenever nothing is left, and so give way to both. The log and reads
//! are outside of it: background work is what is held back for them.

use std::sync::Arc;
use std::time::Duration;

use crate::io::Clock;
use crate::sync::Mutex;

/// What may be saved up, and how far L0 may overdraw: this part of a second's bytes.
const BURST: Duration = Duration::from_millis(20);

/// Who wants to read and write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// A compaction that reads L0.
    L0,
    /// Any other.
    Deep,
}

/// Bytes that may be read and written in the background.
pub(super) struct Budget {
    clock: Arc<dyn Clock>,
    /// Bytes per second; 0 for no bound.
    rate: u64,
    state: Mutex<State>,
}

struct State {
    /// Negative if it is overdrawn.
    bytes: i64,
    /// When bytes were added last.
    at: Duration,
}

impl Budget {
    pub(super) fn new(clock: Arc<dyn Clock>, rate: u64) -> Self {
        let at = clock.monotonic();
        Budget {
            clock,
            rate,
            state: Mutex::new(State { bytes: 0, at }),
        }
    }

    /// How long a class has to wait before its next step; `None` if it may take it now.
    pub(super) fn pause(&self, class: Class) -> Option<Duration> {
        if self.rate == 0 {
            return None;
        }
        let mut state = self.state.lock();
        self.refill(&mut state);
        let floor = match class {
            Class::L0 => -self.burst(),
            Class::Deep => 0,
        };
        let missing = u64::try_from(floor - state.bytes).unwrap_or(0);
        (missing > 0).then(|| Duration::from_secs_f64(missing as f64 / self.rate as f64))
    }

    /// Notes what a step has read and written.
    pub(super) fn spend(&self, bytes: u64) {
        if self.rate > 0 {
            let mut state = self.state.lock();
            self.refill(&mut state);
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            state.bytes = state.bytes.saturating_sub(bytes);
        }
    }

    fn refill(&self, state: &mut State) {
        let now = self.clock.monotonic();
        let passed = now.saturating_sub(state.at);
        let bytes = (self.rate as f64 * passed.as_secs_f64()) as i64;
        // What is less than a byte is left for the next time.
        if bytes > 0 {
            state.bytes = state.bytes.saturating_add(bytes).min(self.burst());
            state.at = now;
        }
    }

    fn burst(&self) -> i64 {
        (self.rate as f64 * BURST.as_secs_f64()) as i64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Simulation;

    #[test]
    fn deep_levels_give_way_to_l0_and_both_to_flushes() {
        let machine = Simulation::new(1);
        // 20,000 bytes in 20 ms.
        let budget = Budget::new(machine.env().clock, 1_000_000);
        assert_eq!(budget.pause(Class::Deep), None);
        budget.spend(10_000);
        assert_eq!(budget.pause(Class::Deep), Some(Duration::from_millis(10)));
        assert_eq!(budget.pause(Class::L0), None);
        // A flush asks nobody.
        budget.spend(20_001);
        assert_eq!(budget.pause(Class::L0), Some(Duration::from_millis(10)));
        machine.advance(Duration::from_millis(10));
        assert_eq!(budget.pause(Class::L0), None);
        assert!(budget.pause(Class::Deep).is_some());
        // What is not used is not saved up for long.
        machine.advance(Duration::from_secs(3600));
        budget.spend(20_002);
        assert!(budget.pause(Class::Deep).is_some());
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let budget = Budget::new(Simulation::new(1).env().clock, 0);
        budget.spend(u64::MAX);
        assert_eq!(budget.pause(Class::Deep), None);
    }
}
