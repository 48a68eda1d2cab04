//! Background work as tasks: state machines that do a small, bounded piece of work per step, so
//! that a thread of their own or a simulator on one thread can drive them alike.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crate::error::Result;

/// How urgent a task is against the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Commits wait for it.
    Wal,
    /// Memory fills up while it waits.
    Flush,
    /// Reads get slower while it waits.
    L0,
    /// Space is taken while it waits.
    Compaction,
    /// Nobody waits for it.
    Idle,
}

/// What a task wants after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is more to do.
    Again,
    /// Nothing to do until it is woken.
    Idle,
    /// Nothing to do until it is woken or this time has passed.
    After(Duration),
    /// It has ended, and is dropped.
    Done,
}

/// A background task.
pub trait Task: Send {
    /// Does a small, bounded piece of work. It may wait for a disk, but never for another task or
    /// for a caller of the engine: those may be driven by this very thread.
    fn step(&mut self) -> Next;
}

/// What [`Scheduler::spawn`] returns. Dropping it lets the task run on.
pub struct TaskHandle {
    waker: Waker,
    join: Arc<dyn Join>,
}

/// The scheduler's side of [`TaskHandle::join`].
pub(super) trait Join: Send + Sync {
    /// Returns once the task has returned [`Next::Done`] and was dropped.
    fn join(&self) -> Result<()>;
}

impl TaskHandle {
    pub(super) fn new(waker: Waker, join: Arc<dyn Join>) -> Self {
        TaskHandle { waker, join }
    }

    /// Has the task take a step, now or as soon as its current one is over. Cheap; from any thread.
    pub fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// A waker for those who must not hold on to the handle.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Waits for the task's end. The task must have been told to end and woken.
    pub fn join(&self) -> Result<()> {
        self.join.join()
    }
}

/// Runs tasks, and lets callers wait.
pub trait Scheduler: Send + Sync {
    /// Whether a caller that would wait for a task may do its work instead, if that is quicker.
    fn lets_callers_work(&self) -> bool {
        true
    }
    /// Starts a task.
    fn spawn(
        &self,
        name: &'static str,
        priority: Priority,
        task: Box<dyn Task>,
    ) -> Result<TaskHandle>;
    /// Blocks the caller until the future is ready. The simulated scheduler runs tasks meanwhile,
    /// and fails if none of them can bring the future any nearer.
    fn block_on(&self, future: Pin<&mut (dyn Future<Output = ()> + Send)>) -> Result<()>;
}
