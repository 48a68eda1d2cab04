//! Between the commit queue and the log: what waits is taken, written as one group, and made visible
//! once all of it is in the memtable too.
//!
//! Whoever holds the [`LogWriter`]'s lock writes. Mostly that is a task of its own; a thread that
//! waits for its commit anyway and finds nobody writing does it itself, which spares two changes of
//! threads, a good part of the time that a lone commit takes. Whoever gives the lock back looks
//! into the queue afterwards and sees to it that what came meanwhile is written.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::shared::Shared;
use crate::io::Next;
use crate::wal::{Syncer, Writer};

/// What it takes to write to the log. There is one.
pub(super) struct LogWriter {
    writer: Writer,
    /// Written, and waiting for commits that are still on their way into the memtable.
    unpublished: Option<u64>,
    /// The log is at its end: the database was closed, or writing has failed.
    ended: bool,
}

impl LogWriter {
    pub(super) fn new(writer: Writer) -> Self {
        LogWriter {
            writer,
            unpublished: None,
            ended: false,
        }
    }

    /// What makes the log durable by the clock.
    pub(super) fn syncer(&self) -> Syncer {
        self.writer.syncer()
    }

    /// Publishes what was written before, and writes the next group.
    fn step(&mut self, shared: &Shared) -> Next {
        if self.ended {
            return Next::Done;
        }
        if let Some(sequence) = self.unpublished {
            if !shared
                .applied
                .poll_reached(sequence, || shared.queue.writer())
            {
                return Next::Idle;
            }
            shared.publish(sequence);
            self.unpublished = None;
        }
        let Some(taken) = shared.queue.take() else {
            return Next::Idle;
        };
        let clock = &shared.env.clock;
        let (time_ms, started) = (clock.now_ms(), clock.monotonic());
        let written = self
            .writer
            .append(taken.first_sequence, taken.records.iter(), time_ms);
        if let Err(error) = written {
            self.ended = true;
            shared.fail(&error);
            return Next::Done;
        }
        let took = clock.monotonic().saturating_sub(started);
        shared.counters.group(taken.records.len(), taken.size, took);
        self.unpublished = Some(taken.first_sequence + taken.records.len() as u64 - 1);
        Next::Again
    }

    /// Marks the end of the log, so that damage to its last group will not pass for a torn tail.
    fn finish(&mut self, shared: &Shared) {
        if !self.ended
            && let Err(error) = self.writer.finish(shared.env.clock.now_ms())
        {
            shared.fail(&error);
        }
        self.ended = true;
    }
}

/// A step of the task: at most one group. Ends when the queue is closed and empty, or when the log
/// can't be written to.
pub(super) fn step(shared: &Shared) -> Next {
    // Who holds the lock will wake this task if there is something left.
    let Some(mut log) = shared.log.try_lock() else {
        return Next::Idle;
    };
    // Asked before the queue is: once it is closed, what is not in it will never be.
    let closed = shared.queue.is_closed();
    let next = log.step(shared);
    if next != Next::Idle {
        return next;
    }
    if log.unpublished.is_none() && closed {
        log.finish(shared);
        return Next::Done;
    }
    let waits = log.unpublished.is_some();
    drop(log);
    if shared.queue.is_empty() || waits {
        Next::Idle
    } else {
        Next::Again
    }
}

/// Writes the log up to a commit, if nobody else is writing. For a thread that may wait.
pub(super) fn lead(shared: &Shared, sequence: u64) {
    let Some(mut log) = shared.log.try_lock() else {
        return;
    };
    while shared.durable.sequence() < sequence && log.step(shared) == Next::Again {}
    drop(log);
    if !shared.queue.is_empty() {
        shared.queue.wake_writer();
    }
}

/// Sees to it that somebody writes what is in the queue.
pub(super) fn kick(shared: &Shared) {
    if !shared.log.is_locked() {
        shared.queue.wake_writer();
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
        // Raised before it is looked whether there is something to do: a write that comes in
        // between wakes this task.
        self.shared.syncer_sleeps.store(true, Ordering::SeqCst);
        if !self.syncer.is_needed() {
            return if stopped { Next::Done } else { Next::Idle };
        }
        self.shared.syncer_sleeps.store(false, Ordering::SeqCst);
        let now = self.shared.env.clock.monotonic();
        if now < self.due && !stopped {
            return Next::After(self.due - now);
        }
        if let Err(error) = self.syncer.sync() {
            self.shared.fail(&error);
            return Next::Done;
        }
        self.due = now + self.interval;
        Next::Again
    }
}
