//! Backpressure: how long the acknowledgement of a commit is held back, and holding it back.
//!
//! The delay is a smooth function of how much waits in memory to be written out, and of how far
//! compaction is behind: nothing while that is little, then more and more up to a bound, so that writers slow down to the pace of the disk
//! instead of running into a wall. Past the wall commits are refused, and never made to wait for an
//! unknown time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::shared::{Shared, TaskWaker};
use crate::compaction;
use crate::error::{Error, Result};
use crate::io::{Clock, Next};
use crate::options::Options;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// L0 as a part of what starts a compaction: from the first on acknowledgements are delayed, from the
/// second on commits are refused. Every sublevel costs every read.
const L0_BOUNDS: (f64, f64) = (2.0, 12.0);

/// What has to be compacted, as a part of all there is: it takes space, and little else.
const DEBT_BOUNDS: (f64, f64) = (0.1, 1.0);

/// In a small database the debt is compared with so many base levels: what a burst of a second or two
/// leaves behind is nothing to worry about.
const DEBT_BASE_LEVELS: u64 = 4;

/// What waits to be written out and compacted, against what may.
#[derive(Debug)]
pub(super) struct Pressure {
    /// Bytes in memtables from which on acknowledgements are delayed, and commits refused.
    memory_bounds: (f64, f64),
    longest: Duration,
    /// Bytes that the debt is at least compared with.
    least_debt: u64,
    /// How far compaction has come from where acknowledgements are delayed to where commits are
    /// refused: an `f64`, as bits.
    compaction: AtomicU64,
}

impl Pressure {
    pub(super) fn new(options: &Options) -> Self {
        let waiting = options.immutable_memtables.max(1);
        let size = options.memtable_size.max(1);
        // The active one and half of those that may wait; one more than may wait.
        let soft = size.saturating_mul(1 + waiting.div_ceil(2));
        let hard = size.saturating_mul(2 + waiting);
        Pressure {
            memory_bounds: (soft as f64, hard as f64),
            longest: options.write_delay,
            least_debt: options
                .base_level_size
                .saturating_mul(DEBT_BASE_LEVELS)
                .max(1),
            compaction: AtomicU64::new(0),
        }
    }

    /// Notes how far compaction is behind.
    pub(super) fn set_compaction(&self, behind: compaction::Pressure) {
        let all = behind.largest_level.max(self.least_debt);
        let debt = behind.debt_bytes as f64 / all as f64;
        let over = part(behind.l0_score, L0_BOUNDS).max(part(debt, DEBT_BOUNDS));
        self.compaction.store(over.to_bits(), Ordering::Relaxed);
    }

    /// The delay at this many bytes in memtables.
    pub(super) fn delay(&self, bytes: usize) -> Result<Duration> {
        let behind = f64::from_bits(self.compaction.load(Ordering::Relaxed));
        let over = part(bytes as f64, self.memory_bounds).max(behind);
        if over >= 1.0 {
            return Err(Error::Throttled);
        }
        Ok(self.longest.mul_f64(over * over))
    }
}

/// How far a value has come from the lower to the upper bound.
fn part(value: f64, (lower, upper): (f64, f64)) -> f64 {
    ((value - lower) / (upper - lower)).max(0.0)
}

/// Wakes those who wait for a moment.
pub(super) struct Pacer {
    clock: Arc<dyn Clock>,
    waiting: Mutex<Waiting>,
    pub(super) task: TaskWaker,
}

#[derive(Default)]
struct Waiting {
    /// By moment and a number of their own.
    wakers: BTreeMap<(Duration, u64), Waker>,
    next: u64,
    /// Nobody is made to wait any more.
    ended: bool,
}

impl Pacer {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Pacer {
            clock,
            waiting: Mutex::default(),
            task: TaskWaker::default(),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Waits for a moment. `waiter` is the caller's, `None` before its first call.
    pub(super) fn poll_until(
        &self,
        moment: Duration,
        waiter: &mut Option<u64>,
        context: &Context<'_>,
    ) -> Poll<()> {
        let mut waiting = self.waiting.lock();
        if waiting.ended || self.clock.monotonic() >= moment {
            return Poll::Ready(());
        }
        let number = *waiter.get_or_insert_with(|| {
            waiting.next += 1;
            waiting.next
        });
        let known = waiting
            .wakers
            .insert((moment, number), context.waker().clone());
        let first = waiting.wakers.first_key_value().map(|(key, _)| *key);
        drop(waiting);
        // The task sleeps until the first moment that it knows of.
        if known.is_none() && first == Some((moment, number)) {
            self.task.wake();
        }
        Poll::Pending
    }

    /// The waiter does not wait any more.
    pub(super) fn forget(&self, moment: Duration, waiter: u64) {
        self.waiting.lock().wakers.remove(&(moment, waiter));
    }

    /// Wakes those whose moment has come, or all of them at the end. Returns how long it is to the
    /// next one.
    fn wake_due(&self, end: bool) -> Option<Duration> {
        let now = self.clock.monotonic();
        let mut waiting = self.waiting.lock();
        waiting.ended |= end;
        let later = match waiting.ended {
            true => BTreeMap::new(),
            false => waiting.wakers.split_off(&(now, u64::MAX)),
        };
        let due = std::mem::replace(&mut waiting.wakers, later);
        let next = waiting.wakers.first_key_value();
        let next = next.map(|((moment, _), _)| moment.saturating_sub(now));
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
        let stopped = self.shared.is_stopped();
        match self.shared.pacer.wake_due(stopped) {
            _ if stopped => Next::Done,
            Some(time) => Next::After(time),
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

    #[test]
    fn what_is_to_be_compacted_counts_as_what_waits_in_memory_does() {
        let options = Options {
            base_level_size: 1_000,
            ..Options::default()
        };
        let pressure = Pressure::new(&options);
        let behind = |l0_score, debt_bytes, largest_level| {
            pressure.set_compaction(compaction::Pressure {
                l0_score,
                debt_bytes,
                largest_level,
            });
            pressure.delay(0).ok()
        };
        assert_eq!(behind(2.0, 0, 0), Some(Duration::ZERO));
        assert_eq!(behind(7.0, 0, 0), Some(options.write_delay / 4));
        assert_eq!(behind(12.0, 0, 0), None);
        // Against four base levels, or against what there is.
        assert_eq!(behind(0.0, 400, 0), Some(Duration::ZERO));
        assert_eq!(behind(0.0, 2_200, 100), Some(options.write_delay / 4));
        assert_eq!(behind(0.0, 4_000, 4_000), None);
        assert_eq!(behind(0.0, 10_000, 100_000), Some(Duration::ZERO));
        assert_eq!(behind(0.0, 100_000, 100_000), None);
    }
}
