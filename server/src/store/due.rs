//! Work that time makes due.
//!
//! Most of what depends on time is a comparison with the clock when somebody looks: states of tables,
//! client tokens, iterators. The rest has to be done by somebody: expired items are deleted, records
//! are trimmed. Under the system's clock each such feature has a task that does it bit by bit. Under
//! a clock that is driven there is no time between two readings, and whoever moves it expects all of
//! it to have happened: every feature registers its work here, and it is done to its end before the
//! move is answered.

use std::sync::Arc;

use parking_lot::RwLock;

use super::Fault;

/// A move of the clock, in Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it stood.
    pub from_ms: u64,
    /// Where it stands now. It may be the same: everything that is due is done then too.
    pub to_ms: u64,
}

/// Work of one feature that time makes due.
pub trait DueWork: Send + Sync {
    /// What it is, for the log.
    fn name(&self) -> &'static str;

    /// Does all that is due at `moved.to_ms`, and returns when it is durable: blocks.
    ///
    /// # Errors
    /// Failures of the store. What was done stays done.
    fn run(&self, moved: Moved) -> Result<(), Fault>;
}

/// All work that time makes due, in the order in which it was registered.
#[derive(Default)]
pub struct DueRegistry {
    works: RwLock<Vec<Arc<dyn DueWork>>>,
}

impl DueRegistry {
    /// Has `work` done from now on, after what was registered before it.
    pub fn register(&self, work: Arc<dyn DueWork>) {
        self.works.write().push(work);
    }

    /// Does all of it: blocks.
    ///
    /// # Errors
    /// The first failure; what comes behind it is done all the same.
    pub fn run(&self, moved: Moved) -> Result<(), Fault> {
        let works = self.works.read().clone();
        let mut outcome = Ok(());
        for work in works {
            let done = work.run(moved);
            if let Err(fault) = &done {
                tracing::error!("{} was not done: {fault:?}", work.name());
            }
            outcome = outcome.and(done);
        }
        outcome
    }
}
