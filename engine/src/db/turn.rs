//! Whose turn it is to write the log.
//!
//! A commit that waits in the queue is written by the WAL writer's task, or by the very thread that
//! waits for it: that spares two changes of threads, which for a lone commit take about as long as
//! the disk does. Only one may write at a time, and whatever is in the queue must be written by
//! somebody, though each of them may find that another is at it, and go to sleep.
//!
//! That is decided by one atomic number. Who has put a commit into the queue *asks* afterwards: either
//! it is nobody's turn, and then it becomes the asker's or the task's; or somebody has it, and is told
//! that there is more. Who has the turn and finds nothing left to do *yields* it, which fails if there
//! was an ask meanwhile: so no ask is lost. A thread that has what it wanted *passes* the turn to the
//! task instead of working on for others. Whenever the turn has become the task's, the task is woken
//! after that, by whoever made it so.

use crate::sync::atomic::{AtomicU8, Ordering};

/// Nobody's, and nothing waits.
const FREE: u8 = 0;
/// Somebody's.
const TAKEN: u8 = 1;
/// Somebody's, who has been told that there is more.
const ASKED: u8 = 2;
/// The task's, as soon as it wakes.
const PASSED: u8 = 3;

/// The turn to write the log.
#[derive(Debug, Default)]
pub(super) struct Turn {
    state: AtomicU8,
}

/// Who asks, and so whose turn it may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// A thread that will write.
    Thread,
    /// Somebody who can't write and will wake the task if the turn becomes the task's.
    ForTask,
}

impl Turn {
    /// Asks for what is in the queue to be written. `true` if it was nobody's turn: then it is the
    /// asker's now, who holds it, or the task's, whom the asker wakes.
    #[must_use]
    pub(super) fn ask(&self, asker: Asker) -> bool {
        let next = |state| match (state, asker) {
            (FREE, Asker::Thread) => Some(TAKEN),
            (FREE, Asker::ForTask) => Some(PASSED),
            (TAKEN, _) => Some(ASKED),
            // Who has it will look again anyway.
            _ => None,
        };
        self.change(next) == Some(FREE)
    }

    /// The task takes the turn if it has become its own.
    #[must_use]
    pub(super) fn take_passed(&self) -> bool {
        self.change(|state| (state == PASSED).then_some(TAKEN))
            .is_some()
    }

    /// Gives the turn back, for who holds it and has found nothing to do. `false` if somebody has
    /// asked since: then it still holds it, and has to look again.
    #[must_use]
    pub(super) fn yield_turn(&self) -> bool {
        let next = |state| match state {
            ASKED => Some(TAKEN),
            _ => Some(FREE),
        };
        self.change(next) == Some(TAKEN)
    }

    /// Passes the turn to the task, for a thread that holds it. The thread wakes the task afterwards.
    pub(super) fn pass(&self) {
        self.state.swap(PASSED, Ordering::AcqRel);
    }

    /// Makes a change as a whole; answers what was before, or `None` if there was nothing to change.
    fn change(&self, next: impl FnMut(u8) -> Option<u8>) -> Option<u8> {
        self.state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
            .ok()
    }
}

#[cfg(test)]
mod tests;
