//! Background tasks of the database: what all of them do when something goes wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::shared::Shared;
use crate::error::Result;
use crate::io::{Next, Priority, Task, TaskHandle};

/// Starts a task. A panic in one of its steps makes the database read-only: it must not vanish with
/// the thread.
pub(super) fn spawn(
    shared: &Arc<Shared>,
    name: &'static str,
    priority: Priority,
    step: impl FnMut() -> Next + Send + 'static,
) -> Result<TaskHandle> {
    let task = Guarded {
        shared: Arc::clone(shared),
        name,
        step,
    };
    shared.env.scheduler.spawn(name, priority, Box::new(task))
}

struct Guarded<F> {
    shared: Arc<Shared>,
    name: &'static str,
    step: F,
}

impl<F: FnMut() -> Next + Send> Task for Guarded<F> {
    fn step(&mut self) -> Next {
        // The task is not stepped again after a panic, so that nobody sees what it left half done.
        match catch_unwind(AssertUnwindSafe(&mut self.step)) {
            Ok(next) => next,
            Err(panic) => {
                let said = panic
                    .downcast_ref::<&str>()
                    .map(|message| (*message).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_default();
                self.shared
                    .fail(&format!("the task '{}' panicked: {said}", self.name));
                Next::Done
            }
        }
    }
}
