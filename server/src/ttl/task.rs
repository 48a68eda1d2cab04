//! The task that sweeps by and by, under the system's clock.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{Employer, Sweeper, sweep::Sweep};
use crate::store::{Commit, EngineError, Fault, Moved, Next, Priority, Store, Task, TaskHandle};

/// Items that a step deletes. While it does, a fortieth of all locks are held, for less than a
/// millisecond.
const BATCH: usize = 100;
/// Time between two steps: no more than 5,000 items are deleted in a second.
const PAUSE: Duration = Duration::from_millis(20);
/// Time between two looks for what has become due. It is a comparison per table where nothing has.
const INTERVAL: Duration = Duration::from_secs(1);
/// Time between two looks at whether something is durable.
const POLL: Duration = Duration::from_millis(1);
/// Time after which it is tried again when the store fails or takes no more for now.
const RETRY: Duration = Duration::from_secs(1);

/// Starts the task.
pub(super) fn spawn(store: &Store, employer: Employer) -> Result<TaskHandle, EngineError> {
    let task = SweepTask {
        employer,
        sweeps: VecDeque::new(),
        awaited: None,
    };
    // It takes the locks of items, if for a moment: it must not be kept from giving them back by
    // everything else that runs.
    store
        .env()
        .scheduler
        .spawn("ttl", Priority::Flush, Box::new(task))
}

struct SweepTask {
    employer: Employer,
    sweeps: VecDeque<Sweep>,
    /// What has to be durable before the next step.
    awaited: Option<Commit>,
}

impl Task for SweepTask {
    fn step(&mut self) -> Next {
        let Some(sweeper) = self.employer.upgrade().filter(|own| !own.is_stopped()) else {
            return Next::Done;
        };
        match self.advance(&sweeper) {
            Ok(next) => next,
            Err(Fault::Store(EngineError::Closed | EngineError::ReadOnly { .. })) => Next::Done,
            Err(fault) => {
                if !matches!(fault, Fault::Store(EngineError::Throttled)) {
                    tracing::error!("expired items could not be deleted: {fault:?}");
                }
                self.sweeps.drain(..).for_each(|sweep| sweep.abandon());
                Next::After(RETRY)
            }
        }
    }
}

impl SweepTask {
    fn advance(&mut self, sweeper: &Sweeper) -> Result<Next, Fault> {
        if !self.is_durable()? {
            return Ok(Next::After(POLL));
        }
        let store = &sweeper.store;
        let Some(sweep) = self.sweeps.front_mut() else {
            if !sweeper.catalog.has_expiring() {
                return Ok(Next::Idle);
            }
            let now_ms = store.now_ms();
            self.sweeps = sweeper.sweeps(Moved {
                from_ms: now_ms,
                to_ms: now_ms,
            });
            if self.sweeps.is_empty() {
                return Ok(Next::After(INTERVAL));
            }
            // What was committed before the sweeps began must be visible to them.
            self.awaited = Some(store.wait_durable(store.last_sequence()));
            return Ok(Next::Again);
        };
        if let Some(due) = sweep.next(store, BATCH)? {
            let deleted = due.delete_gently(store).inspect_err(|_| due.leave());
            self.awaited = Some(deleted?);
            return Ok(Next::After(PAUSE));
        }
        self.sweeps.pop_front();
        let rests = self.sweeps.is_empty();
        Ok(if rests {
            Next::After(INTERVAL)
        } else {
            Next::Again
        })
    }

    /// Whether what is awaited is durable. A task must not wait for it: who makes it durable may be
    /// driven by this thread.
    fn is_durable(&mut self) -> Result<bool, EngineError> {
        let Some(commit) = &mut self.awaited else {
            return Ok(true);
        };
        match Pin::new(commit).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => Ok(false),
            Poll::Ready(outcome) => {
                self.awaited = None;
                outcome.map(|()| true)
            }
        }
    }
}
