//! The task that writes immutable memtables out as SSTables of L0, oldest first.

use std::sync::Arc;

use super::counters::add;
use super::memtables::Immutable;
use super::output::Output;
use super::shared::Shared;
use crate::error::Result;
use crate::io::Next;
use crate::iter::InternalIterator as _;
use crate::manifest::VersionEdit;
use crate::memtable::MemtableIter;

/// Bytes of keys and values written in one step.
const STEP_SIZE: usize = 256 << 10;

/// Writes memtables out.
pub(super) struct Flusher {
    shared: Arc<Shared>,
    job: Option<Job>,
}

/// A memtable on its way into an SSTable.
struct Job {
    source: Immutable,
    iter: MemtableIter,
    output: Output,
}

impl Flusher {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Flusher { shared, job: None }
    }

    /// Writes a part of a memtable, or begins with the next one.
    pub(super) fn step(&mut self) -> Next {
        if self.shared.is_stopped() || self.shared.health.check().is_err() {
            // What is not written out is in the log.
            return if self.shared.is_stopped() {
                Next::Done
            } else {
                Next::Idle
            };
        }
        match self.advance() {
            Ok(next) => next,
            Err(error) => {
                self.shared.fail(&error);
                Next::Done
            }
        }
    }

    fn advance(&mut self) -> Result<Next> {
        let Some(job) = &mut self.job else {
            self.job = self.next_job()?;
            return Ok(if self.job.is_some() {
                Next::Again
            } else {
                Next::Idle
            });
        };
        let mut written = 0;
        while written < STEP_SIZE {
            if !job.iter.valid() {
                if let Some(job) = self.job.take() {
                    self.finish(job)?;
                }
                return Ok(Next::Again);
            }
            let value = job.iter.value();
            let key = job.iter.key();
            job.output.add(key, &value)?;
            written += key.user.len() + value.len();
            job.iter.next()?;
        }
        Ok(Next::Again)
    }

    /// The oldest immutable memtable, if all its commits are durable. Those which are not would
    /// otherwise come back after a crash without commits before them that were lost.
    fn next_job(&self) -> Result<Option<Job>> {
        let memtables = self.shared.memtables.load();
        let Some(source) = memtables.immutable.last() else {
            return Ok(None);
        };
        if self.shared.durable.sequence() < source.last_sequence {
            // Publishing wakes this task.
            return Ok(None);
        }
        let mut iter = source.memtable.iter();
        iter.seek_to_first()?;
        let output = Output::new(&self.shared.versions, &self.shared.options);
        Ok(Some(Job {
            source: source.clone(),
            iter,
            output,
        }))
    }

    /// Makes the SSTables part of the database, and the memtable and its part of the log garbage.
    fn finish(&self, job: Job) -> Result<()> {
        let shared = &self.shared;
        let files = job.output.finish()?;
        add(&shared.counters.flushes, 1);
        add(
            &shared.counters.flushed_bytes,
            files.iter().map(|file| file.size).sum(),
        );
        let last_sequence = job.source.last_sequence;
        shared.versions.apply(VersionEdit {
            added: files.into_iter().map(|file| (0, file)).collect(),
            flushed_sequence: Some(last_sequence),
            dropped: job.source.memtable.dropped(),
            times: vec![(last_sequence, shared.env.clock.now_ms())],
            ..VersionEdit::default()
        })?;
        shared.memtables.remove(&job.source.memtable);
        shared.wakers.compactor.wake();
        shared.wakers.cleaner.wake();
        Ok(())
    }
}
