//! The task between the commit queue and the log: takes what waits, writes it as one group, and
//! makes it visible once all of it is in the memtable too.

use std::sync::Arc;
use std::time::Duration;

use super::group_times::GroupTime;
use super::shared::Shared;
use crate::io::Next;
use crate::mutants::{Mutant, is_on};
use crate::sync::atomic::Ordering;
use crate::wal::{Syncer, Writer};

/// The one writer of the log.
pub(super) struct LogWriter {
    shared: Arc<Shared>,
    writer: Writer,
    /// Written, and waiting for commits that are still on their way into the memtable.
    unpublished: Option<u64>,
}

impl LogWriter {
    pub(super) fn new(shared: Arc<Shared>, writer: Writer) -> Self {
        LogWriter {
            shared,
            writer,
            unpublished: None,
        }
    }

    /// Writes at most one group. Ends when the queue is closed and empty, or when the log can't be
    /// written to.
    pub(super) fn step(&mut self) -> Next {
        if let Some(sequence) = self.unpublished {
            if !self
                .shared
                .applied
                .poll_reached(sequence, || self.shared.queue.writer())
            {
                return Next::Idle;
            }
            self.shared.publish(sequence);
            self.unpublished = None;
        }
        let Some(taken) = self.shared.queue.take() else {
            return if self.shared.queue.is_closed() {
                self.finish()
            } else {
                Next::Idle
            };
        };
        let time_ms = self.shared.env.clock.now_ms();
        if is_on(Mutant::WriteBeforePublish) {
            let last = taken.first_sequence + taken.records.len() as u64 - 1;
            self.shared.publish(last);
        }
        let started = self.shared.env.clock.monotonic();
        if let Err(error) = self
            .writer
            .append(taken.first_sequence, taken.records.iter(), time_ms)
        {
            self.shared.fail(&error);
            return Next::Done;
        }
        let ended = self.shared.env.clock.monotonic();
        let took = ended.saturating_sub(started);
        self.shared
            .counters
            .group(taken.records.len(), taken.size, took);
        let last = taken.first_sequence + taken.records.len() as u64 - 1;
        self.shared.recent.push(last, time_ms);
        let began = started;
        self.shared
            .group_times
            .push(last, GroupTime { began, ended });
        self.unpublished = Some(last);
        Next::Again
    }

    /// Marks the end of the log, so that damage to its last group will not pass for a torn tail.
    fn finish(&mut self) -> Next {
        let time_ms = self.shared.env.clock.now_ms();
        if self.shared.health.check().is_ok()
            && let Err(error) = self.writer.finish(time_ms)
        {
            self.shared.fail(&error);
        }
        Next::Done
    }
}

/// Syncs the log by the clock, where commits are acknowledged before they are on the disk.
pub(super) struct LogSyncer {
    shared: Arc<Shared>,
    syncer: Syncer,
    interval: Duration,
    /// Not before this moment, so that commits which wake it do not make it sync without a pause.
    due: Duration,
}

impl LogSyncer {
    pub(super) fn new(shared: Arc<Shared>, syncer: Syncer, interval: Duration) -> Self {
        LogSyncer {
            shared,
            syncer,
            interval,
            due: Duration::ZERO,
        }
    }

    /// Syncs if something was written and it is time, or if the database closes.
    pub(super) fn step(&mut self) -> Next {
        let stopped = self.shared.is_stopped();
        if !self.syncer.is_needed() {
            return if stopped { Next::Done } else { Next::Idle };
        }
        let now = self.shared.env.clock.monotonic();
        if now < self.due && !stopped {
            return Next::After(self.due - now);
        }
        match self.syncer.sync() {
            Ok(synced) => self.shared.synced.fetch_max(synced, Ordering::AcqRel),
            Err(error) => {
                self.shared.fail(&error);
                return Next::Done;
            }
        };
        self.due = now + self.interval;
        Next::Again
    }
}
