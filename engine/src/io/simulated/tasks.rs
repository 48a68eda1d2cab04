//! Tasks on no thread: whoever waits runs them, one step at a time, in an order that the seed gives.

use std::future::Future;
use std::hash::Hasher as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use xxhash_rust::xxh3::Xxh3;

use super::{SimulatedClock, SimulatedRng};
use crate::error::{Error, Result};
use crate::io::scheduler::Join;
use crate::io::{Clock as _, Next, Priority, Scheduler, Task, TaskHandle};

/// The scheduler of a simulated machine.
pub(super) struct SimulatedScheduler {
    slots: Arc<Slots>,
}

struct Slots {
    tasks: Mutex<Vec<Slot>>,
    next_id: Mutex<u64>,
    rng: SimulatedRng,
    clock: Arc<SimulatedClock>,
    trace: Mutex<Xxh3>,
}

struct Slot {
    id: u64,
    name: &'static str,
    /// Absent while the task takes a step.
    task: Option<Box<dyn Task>>,
    woken: Arc<Woken>,
    /// When it wants to run even if not woken.
    due: Option<Duration>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl SimulatedScheduler {
    pub(super) fn new(rng: SimulatedRng, clock: Arc<SimulatedClock>) -> Self {
        let slots = Slots {
            tasks: Mutex::default(),
            next_id: Mutex::new(0),
            rng,
            clock,
            trace: Mutex::new(Xxh3::new()),
        };
        SimulatedScheduler {
            slots: Arc::new(slots),
        }
    }

    /// See [`Slots::step`].
    pub(super) fn step(&self, let_time_pass: bool) -> bool {
        self.slots.step(let_time_pass)
    }

    /// Drops all tasks where they stand.
    pub(super) fn kill(&self) {
        let killed = std::mem::take(&mut *self.slots.tasks.lock());
        drop(killed);
    }

    pub(super) fn trace(&self) -> u64 {
        self.slots.trace.lock().digest()
    }
}

impl Slots {
    /// Has one task take a step; `false` if there is none that could. If all of them wait for the
    /// time, and it may pass, it passes.
    fn step(&self, let_time_pass: bool) -> bool {
        let Some((id, name, mut task)) = self.take_runnable(let_time_pass) else {
            return false;
        };
        self.record(name);
        let next = task.step();
        let mut tasks = self.tasks.lock();
        let Some(index) = tasks.iter().position(|slot| slot.id == id) else {
            // Killed by a crash that its own step brought about.
            return true;
        };
        if next == Next::Done {
            tasks.remove(index);
            drop(tasks);
            drop(task);
            return true;
        }
        if let Some(slot) = tasks.get_mut(index) {
            slot.task = Some(task);
            slot.due = match next {
                Next::Again => Some(Duration::ZERO),
                Next::After(time) => Some(self.clock.monotonic() + time),
                Next::Idle | Next::Done => None,
            };
        }
        true
    }

    fn take_runnable(&self, let_time_pass: bool) -> Option<(u64, &'static str, Box<dyn Task>)> {
        let mut tasks = self.tasks.lock();
        let mut runnable = Self::runnable(&tasks, self.clock.monotonic());
        if runnable.is_empty() && let_time_pass {
            let soonest = tasks
                .iter()
                .filter(|slot| slot.task.is_some())
                .filter_map(|s| s.due);
            self.clock.advance_to(soonest.min()?);
            runnable = Self::runnable(&tasks, self.clock.monotonic());
        }
        let index = *runnable.get(self.rng.below(runnable.len()))?;
        let slot = tasks.get_mut(index)?;
        slot.woken.0.store(false, Ordering::SeqCst);
        slot.due = None;
        Some((slot.id, slot.name, slot.task.take()?))
    }

    fn runnable(tasks: &[Slot], now: Duration) -> Vec<usize> {
        let can_run = |slot: &Slot| {
            let due = slot.due.is_some_and(|due| due <= now);
            slot.task.is_some() && (due || slot.woken.0.load(Ordering::SeqCst))
        };
        tasks
            .iter()
            .enumerate()
            .filter(|(_, slot)| can_run(slot))
            .map(|(i, _)| i)
            .collect()
    }

    fn record(&self, name: &str) {
        let mut trace = self.trace.lock();
        trace.write(name.as_bytes());
        trace.write_u8(0xFF);
    }
}

impl Scheduler for SimulatedScheduler {
    fn lets_callers_work(&self) -> bool {
        self.slots.rng.below(2) == 0
    }

    fn spawn(&self, name: &'static str, _: Priority, task: Box<dyn Task>) -> Result<TaskHandle> {
        let id = {
            let mut next_id = self.slots.next_id.lock();
            *next_id += 1;
            *next_id
        };
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        self.slots.tasks.lock().push(Slot {
            id,
            name,
            task: Some(task),
            woken,
            due: None,
        });
        let join = Arc::new(SimulatedJoin {
            id,
            slots: Arc::clone(&self.slots),
        });
        Ok(TaskHandle::new(waker, join))
    }

    fn block_on(&self, mut future: Pin<&mut (dyn Future<Output = ()> + Send)>) -> Result<()> {
        let mut context = Context::from_waker(Waker::noop());
        while future.as_mut().poll(&mut context).is_pending() {
            if !self.slots.step(true) {
                return Err(stalled());
            }
        }
        Ok(())
    }
}

struct SimulatedJoin {
    id: u64,
    slots: Arc<Slots>,
}

impl Join for SimulatedJoin {
    fn join(&self) -> Result<()> {
        while self
            .slots
            .tasks
            .lock()
            .iter()
            .any(|slot| slot.id == self.id && slot.task.is_some())
        {
            if !self.slots.step(true) {
                return Err(stalled());
            }
        }
        Ok(())
    }
}

fn stalled() -> Error {
    Error::invalid("the simulation is stalled: the caller waits for what no task will ever do")
}
