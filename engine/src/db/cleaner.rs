//! The task that deletes what nobody needs any more: SSTables that no version names, WAL segments whose
//! commits are all in SSTables, and memtables that are written out. To free the entries of one takes
//! milliseconds, which no caller should spend that happens to be the last to let go of it.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::shared::Shared;
use crate::io::Next;
use crate::mutants::{Mutant, is_on};

/// A memtable that is still read is looked at again after this time.
const STILL_READ: Duration = Duration::from_millis(100);

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
        if self.shared.free_memtable() {
            return Next::Again;
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
            None if !self.shared.flushed.lock().is_empty() => Next::After(STILL_READ),
            None => Next::Idle,
        }
    }
}

fn warn(result: crate::error::Result<()>) {
    if let Err(error) = result {
        tracing::warn!("a file that is not needed any more stays: {error}");
    }
}
