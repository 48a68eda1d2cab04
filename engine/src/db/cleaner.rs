//! The task that deletes files that nobody needs any more: SSTables that no version names, and WAL
//! segments whose commits are all in SSTables.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use super::shared::Shared;
use crate::io::Next;
use crate::mutants::{Mutant, is_on};

/// Deletes one file per step.
pub(super) struct Cleaner {
    shared: Arc<Shared>,
    segments: VecDeque<PathBuf>,
}

impl Cleaner {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Cleaner {
            shared,
            segments: VecDeque::new(),
        }
    }

    /// A file that can't be deleted, or whose deletion is lost in a crash, costs space and nothing
    /// else: the next opening deletes it.
    pub(super) fn step(&mut self) -> Next {
        if self.shared.is_stopped() {
            return Next::Done;
        }
        let store = self.shared.versions.store();
        if let Some(file_id) = store.take_garbage() {
            warn(store.delete(file_id));
            return Next::Again;
        }
        if self.segments.is_empty() {
            let flushed = self.shared.versions.current().flushed_sequence();
            self.segments.extend(self.shared.segments.take_obsolete(
                match is_on(Mutant::FlushBeforeSegment) {
                    true => u64::MAX,
                    false => flushed,
                },
            ));
        }
        match self.segments.pop_front() {
            Some(segment) => {
                warn(self.shared.env.fs.remove(&segment));
                Next::Again
            }
            None => Next::Idle,
        }
    }
}

fn warn(result: crate::error::Result<()>) {
    if let Err(error) = result {
        tracing::warn!("a file that is not needed any more stays: {error}");
    }
}
