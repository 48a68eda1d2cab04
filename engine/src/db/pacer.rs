//! Backpressure: how long the acknowledgement of a commit is held back, and holding it back.
//!
//! The delay is a smooth function of how much waits in memory to be written out: nothing while that
//! is little, then more and more up to a bound, so that writers slow down to the pace of the disk
//! instead of running into a wall. Past the wall commits are refused, and never made to wait for an
//! unknown time.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;

use super::shared::Shared;
use crate::error::{Error, Result};
use crate::io::{Clock, Next};
use crate::options::Options;

/// What waits to be written out, against what may.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pressure {
    /// From here on acknowledgements are delayed.
    soft: usize,
    /// From here on commits are refused.
    hard: usize,
    longest: Duration,
}

impl Pressure {
    pub(super) fn new(options: &Options) -> Self {
        let waiting = options.immutable_memtables.max(1);
        let size = options.memtable_size.max(1);
        Pressure {
            // The active one and half of those that may wait.
            soft: size.saturating_mul(1 + waiting.div_ceil(2)),
            hard: size.saturating_mul(2 + waiting),
            longest: options.write_delay,
        }
    }

    /// The delay at this many bytes in memtables.
    pub(super) fn delay(&self, bytes: usize) -> Result<Duration> {
        if bytes >= self.hard {
            return Err(Error::Throttled);
        }
        let over = bytes.saturating_sub(self.soft) as f64 / (self.hard - self.soft) as f64;
        Ok(self.longest.mul_f64(over * over))
    }
}

/// Wakes those who wait for a moment.
pub(super) struct Pacer {
    clock: Arc<dyn Clock>,
    waiting: Mutex<Waiting>,
    task: OnceLock<Waker>,
}

#[derive(Default)]
struct Waiting {
    /// By moment and a number of their own.
    wakers: BTreeMap<(Duration, u64), Waker>,
    next: u64,
}

impl Pacer {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Pacer {
            clock,
            waiting: Mutex::default(),
            task: OnceLock::new(),
        }
    }

    pub(super) fn set_task(&self, waker: Waker) {
        let _only_once = self.task.set(waker);
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Waits for a moment.
    pub(super) fn poll_until(&self, moment: Duration, context: &Context<'_>) -> Poll<()> {
        if self.clock.monotonic() >= moment {
            return Poll::Ready(());
        }
        let mut waiting = self.waiting.lock();
        waiting.next += 1;
        let number = waiting.next;
        waiting
            .wakers
            .insert((moment, number), context.waker().clone());
        drop(waiting);
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
        Poll::Pending
    }

    /// Wakes those whose moment has come. Returns how long it is to the next one.
    fn wake_due(&self) -> Option<Duration> {
        let now = self.clock.monotonic();
        let mut waiting = self.waiting.lock();
        let later = waiting.wakers.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut waiting.wakers, later);
        let next = waiting
            .wakers
            .first_key_value()
            .map(|((moment, _), _)| *moment - now);
        drop(waiting);
        for waker in due.into_values() {
            waker.wake();
        }
        next
    }
}

/// The task of the [`Pacer`].
pub(super) struct PacerTask {
    shared: Arc<Shared>,
}

impl PacerTask {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        PacerTask { shared }
    }

    pub(super) fn step(&mut self) -> Next {
        match self.shared.pacer.wake_due() {
            Some(time) => Next::After(time),
            None if self.shared.is_stopped() => Next::Done,
            None => Next::Idle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_from_nothing_to_the_bound_without_a_jump() {
        let options = Options {
            memtable_size: 1_000,
            ..Options::default()
        };
        let pressure = Pressure::new(&options);
        assert_eq!(pressure.delay(0).unwrap(), Duration::ZERO);
        assert_eq!(pressure.delay(2_999).unwrap(), Duration::ZERO);
        let mut last = Duration::ZERO;
        for bytes in 3_000..6_000 {
            let delay = pressure.delay(bytes).unwrap();
            assert!(delay >= last);
            assert!(delay - last < Duration::from_micros(2), "a jump at {bytes}");
            last = delay;
        }
        assert!(last > options.write_delay * 9 / 10);
        assert!(last <= options.write_delay);
        assert!(matches!(pressure.delay(6_000), Err(Error::Throttled)));
    }
}
