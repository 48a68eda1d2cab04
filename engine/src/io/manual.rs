//! A wall clock that stands until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Clock;

/// A clock whose wall-clock time is moved by whoever holds it, and never goes back.
///
/// Its monotonic time is another clock's and goes on: what the engine paces by it (the delay of
/// acknowledgements, the interval of syncs) is about this machine and not about the date.
pub struct ManualClock {
    monotonic: Arc<dyn Clock>,
    now_ms: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at `now_ms`, milliseconds since 1970. `monotonic` gives the other time.
    #[must_use]
    pub fn new(monotonic: Arc<dyn Clock>, now_ms: u64) -> Self {
        ManualClock {
            monotonic,
            now_ms: AtomicU64::new(now_ms),
        }
    }

    /// Moves it to `now_ms`, unless it is there or later already.
    pub fn advance_to(&self, now_ms: u64) {
        self.now_ms.fetch_max(now_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn monotonic(&self) -> Duration {
        self.monotonic.monotonic()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Simulation;

    #[test]
    fn it_moves_when_it_is_moved_and_never_back() {
        let machine = Simulation::new(1);
        let clock = ManualClock::new(machine.env().clock, 1_000);
        machine.advance(Duration::from_secs(60));
        assert_eq!(clock.now_ms(), 1_000);
        assert_eq!(clock.monotonic(), Duration::from_secs(60));
        clock.advance_to(5_000);
        clock.advance_to(4_000);
        assert_eq!(clock.now_ms(), 5_000);
    }
}
