//! The task that writes immutable memtables out as SSTables of L0, oldest first.

use std::sync::Arc;

use super::counters::add;
use super::memtables::Immutable;
use super::shared::Shared;
use super::space::RETRY;
use crate::compaction::{Job, Progress};
use crate::error::Result;
use crate::io::Next;

/// Writes memtables out.
pub(super) struct Flusher {
    shared: Arc<Shared>,
    current: Option<(Immutable, Job)>,
}

impl Flusher {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Flusher {
            shared,
            current: None,
        }
    }

    /// Writes a part of a memtable, or begins with the next one.
    pub(super) fn step(&mut self) -> Next {
        if self.shared.is_stopped() {
            // What is not written out is in the log.
            return Next::Done;
        }
        if self.shared.health.check().is_err() {
            return Next::Idle;
        }
        match self.advance() {
            Ok(next) => next,
            Err(error) if error.is_no_room() => {
                tracing::warn!("a memtable waits to be written out: {error}");
                self.current = None;
                Next::After(RETRY)
            }
            Err(error) => {
                self.shared.fail(&error);
                Next::Idle
            }
        }
    }

    fn advance(&mut self) -> Result<Next> {
        let Some((source, job)) = &mut self.current else {
            self.current = self.next_job();
            return Ok(if self.current.is_some() {
                Next::Again
            } else {
                Next::Idle
            });
        };
        let before = job.totals();
        let progress = job.step()?;
        let shared = &self.shared;
        shared.budget.spend(job.totals().since(before));
        let Progress::Done(mut edit) = progress else {
            return Ok(Next::Again);
        };
        add(&shared.counters.flushes, 1);
        add(&shared.counters.flushed_bytes, job.totals().bytes_written);
        edit.flushed_sequence = Some(source.last_sequence);
        edit.dropped = source.memtable.dropped();
        edit.times = shared.recent.until(source.last_sequence);
        shared.apply(edit)?;
        shared.recent.forget(source.last_sequence);
        // In this order: a reader finds it in the version, or has found it here.
        shared.memtables.remove(&source.memtable);
        shared.flushed.lock().push(Arc::clone(&source.memtable));
        shared.wakers.cleaner.wake();
        self.current = None;
        // What is read just now is left to the cleaner.
        while self.shared.free_memtable() {}
        Ok(Next::Again)
    }

    /// The oldest immutable memtable, if all its commits are durable. Those which are not could
    /// otherwise come back after a crash without commits before them that were lost.
    fn next_job(&self) -> Option<(Immutable, Job)> {
        let shared = &self.shared;
        let memtables = shared.memtables.load();
        let source = memtables.immutable.last()?;
        if shared.durable.sequence() < source.last_sequence {
            // Publishing wakes this task.
            return None;
        }
        let version = shared.versions.current();
        let job = Job::flush(
            &shared.versions,
            &version,
            Box::new(source.memtable.iter()),
            shared.retention(source.last_sequence, &version),
            &shared.options,
        );
        Some((source.clone(), job))
    }
}
