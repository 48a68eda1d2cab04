//! Key locks: 4,096 of them, each for all keys whose hash falls on it.
//!
//! A transaction takes the locks of its keys in the order of their numbers, so that no two wait for
//! each other in a circle. A lock that is given back is free for whoever comes first, which serves a
//! hot key better than handing it to a thread that must first be woken; one waiter is woken to try.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::ReadMode;
use crate::error::{Error, Result};
use crate::io::Scheduler;
use crate::key::Key;
use crate::sync::Mutex;

/// A power of two. Two transactions on random keys meet by chance one time in so many.
#[cfg(not(stator_schedules))]
const LOCK_COUNT: usize = 4096;
/// They are made anew for every order of threads that is tried.
#[cfg(stator_schedules)]
const LOCK_COUNT: usize = 8;

/// A lock is held for some microseconds: before a caller gives up or goes to sleep, it is worth
/// trying for about that long.
const SPINS: usize = 100;

/// All the key locks of a database.
pub(super) struct KeyLocks {
    locks: Box<[Mutex<Lock>]>,
}

#[derive(Default)]
struct Lock {
    held: bool,
    /// Those who sleep until it is free, each with a number of its own.
    waiters: VecDeque<(u64, Waker)>,
    next_waiter: u64,
}

impl Default for KeyLocks {
    fn default() -> Self {
        KeyLocks {
            locks: (0..LOCK_COUNT).map(|_| Mutex::default()).collect(),
        }
    }
}

impl KeyLocks {
    /// Takes the locks of some keys. In [`ReadMode::CachedOnly`] it does not wait for long, and fails
    /// with [`Error::WouldBlock`] instead.
    pub(super) fn acquire<'a>(
        self: &Arc<Self>,
        keys: impl IntoIterator<Item = &'a Key>,
        mode: ReadMode,
        scheduler: &dyn Scheduler,
    ) -> Result<KeyGuard> {
        let mut numbers: Vec<usize> = keys.into_iter().map(number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        // Those that were taken are given back by the guard if a later one can't be had.
        let mut guard = KeyGuard {
            locks: Arc::clone(self),
            held: Vec::new(),
        };
        guard.held.reserve_exact(numbers.len());
        for number in numbers {
            self.take(number, mode, scheduler)?;
            guard.held.push(number);
        }
        Ok(guard)
    }

    /// Takes every lock once and gives it back: returns when none is held any more by those who held
    /// one at the call.
    pub(super) fn pass(&self, scheduler: &dyn Scheduler) -> Result<()> {
        for number in 0..self.locks.len() {
            self.take(number, ReadMode::Blocking, scheduler)?;
            self.give_back(number);
        }
        Ok(())
    }

    fn take(&self, number: usize, mode: ReadMode, scheduler: &dyn Scheduler) -> Result<()> {
        let Some(lock) = self.locks.get(number) else {
            return Ok(());
        };
        for _ in 0..SPINS {
            if lock.lock().try_take() {
                return Ok(());
            }
            std::hint::spin_loop();
        }
        if mode == ReadMode::CachedOnly {
            return Err(Error::WouldBlock);
        }
        let mut waiter = None;
        let mut taken = std::pin::pin!(std::future::poll_fn(|context: &mut Context<'_>| {
            lock.lock().poll_take(&mut waiter, context)
        }));
        scheduler
            .block_on(taken.as_mut())
            .inspect_err(|_| lock.lock().forget(waiter))
    }

    fn give_back(&self, number: usize) {
        let Some(lock) = self.locks.get(number) else {
            return;
        };
        let mut lock = lock.lock();
        lock.held = false;
        if let Some((_, waker)) = lock.waiters.pop_front() {
            drop(lock);
            waker.wake();
        }
    }
}

impl Lock {
    fn try_take(&mut self) -> bool {
        !std::mem::replace(&mut self.held, true)
    }

    /// Takes it, or has the caller woken when it is free. Who takes it is no longer a waiter: to be
    /// woken in vain would be to take that from one who sleeps.
    fn poll_take(&mut self, waiter: &mut Option<u64>, context: &Context<'_>) -> Poll<()> {
        self.forget(*waiter);
        if self.try_take() {
            return Poll::Ready(());
        }
        self.next_waiter += 1;
        *waiter = Some(self.next_waiter);
        self.waiters
            .push_back((self.next_waiter, context.waker().clone()));
        Poll::Pending
    }

    fn forget(&mut self, waiter: Option<u64>) {
        self.waiters.retain(|(number, _)| Some(*number) != waiter);
    }
}

fn number(key: &Key) -> usize {
    // The remainder is below LOCK_COUNT.
    (key.hash64() % LOCK_COUNT as u64) as usize
}

/// Holds key locks until it is dropped.
pub(super) struct KeyGuard {
    locks: Arc<KeyLocks>,
    held: Vec<usize>,
}

impl Drop for KeyGuard {
    fn drop(&mut self) {
        for number in self.held.drain(..) {
            self.locks.give_back(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::io::{Env, RealScheduler};
    use crate::key::KeyspaceId;

    fn keys(names: &[u64]) -> Vec<Key> {
        names
            .iter()
            .map(|name| Key::new(KeyspaceId(1), &name.to_be_bytes(), b""))
            .collect()
    }

    #[test]
    fn a_held_lock_would_block_until_it_is_given_back() {
        let locks = Arc::new(KeyLocks::default());
        let (one, both) = (keys(&[1]), keys(&[2, 1, 2]));
        let acquire = |keys: &[Key]| locks.acquire(keys, ReadMode::CachedOnly, &RealScheduler);
        let held = acquire(&one).unwrap();
        assert!(matches!(acquire(&both), Err(Error::WouldBlock)));
        assert!(
            acquire(&keys(&[2])).is_ok(),
            "what the failed one had taken is free again"
        );
        drop(held);
        assert!(acquire(&both).is_ok());
    }

    #[test]
    fn in_the_simulator_waiting_for_oneself_is_an_error() {
        let locks = Arc::new(KeyLocks::default());
        let scheduler = Env::simulated(1).scheduler;
        let _held = locks
            .acquire(&keys(&[1]), ReadMode::Blocking, &*scheduler)
            .unwrap();
        assert!(
            locks
                .acquire(&keys(&[1]), ReadMode::Blocking, &*scheduler)
                .is_err()
        );
    }

    #[test]
    fn to_pass_is_to_outlast_those_who_hold_a_lock() {
        let locks = Arc::new(KeyLocks::default());
        let held = locks
            .acquire(&keys(&[7]), ReadMode::Blocking, &RealScheduler)
            .unwrap();
        let given_back = AtomicU64::new(0);
        std::thread::scope(|scope| {
            let passing = scope.spawn(|| {
                locks.pass(&RealScheduler).unwrap();
                given_back.load(Ordering::SeqCst)
            });
            // Mostly it stands before the lock by then; nothing depends on it.
            (0..1_000).for_each(|_| std::thread::yield_now());
            given_back.store(1, Ordering::SeqCst);
            drop(held);
            assert_eq!(passing.join().unwrap(), 1);
        });
        let all_free = locks.acquire(&keys(&[7, 8]), ReadMode::CachedOnly, &RealScheduler);
        assert!(all_free.is_ok());
    }

    #[test]
    fn threads_exclude_each_other_and_none_starves() {
        let locks = Arc::new(KeyLocks::default());
        // Each pair of counters is only touched under both locks, with a read and a write apart.
        let counters: Vec<AtomicU64> = (0..4).map(|_| AtomicU64::new(0)).collect();
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (locks, counters) = (&locks, &counters);
                scope.spawn(move || {
                    for i in 0..2_000 {
                        let pair = [(thread + i) % 4, (thread + i + 1) % 4];
                        let guard = locks.acquire(&keys(&pair), ReadMode::Blocking, &RealScheduler);
                        let guard = guard.unwrap();
                        for name in pair {
                            let counter = &counters[name as usize];
                            let before = counter.load(Ordering::Relaxed);
                            std::hint::spin_loop();
                            counter.store(before + 1, Ordering::Relaxed);
                        }
                        drop(guard);
                    }
                });
            }
        });
        let total: u64 = counters
            .iter()
            .map(|counter| counter.load(Ordering::Relaxed))
            .sum();
        assert_eq!(total, 4 * 2_000 * 2);
    }
}
