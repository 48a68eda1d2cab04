//! Between the commit queue and the log: what waits is taken, written as one group, and made visible
//! once all of it is in the memtable too.
//!
//! Whoever has the [`Turn`] does that: a task, or a thread that waits for its commit and has nobody
//! beside it. Where several commit at the same time it is always the task: while it is woken, the
//! others join the group, which a thread that writes at once would leave behind.

use std::sync::Arc;
use std::time::Duration;

use super::group_times::GroupTime;
use super::shared::Shared;
use super::turn::{Asker, Turn};
use crate::io::Next;
use crate::mutants::{Mutant, is_on};
use crate::options::Durability;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::wal::{Syncer, Writer};

/// The log, for whoever has the turn.
pub(super) struct Log {
    turn: Turn,
    state: Mutex<LogState>,
    /// The last group was one commit, and none had come behind it when it was written.
    alone: AtomicBool,
    /// To write does not wait for the disk, so that there is nothing to be gained by a larger group.
    buffered: bool,
}

struct LogState {
    writer: Writer,
    /// Written, and waiting for commits that are still on their way into the memtable.
    unpublished: Option<u64>,
    /// Nothing is written any more: the database was closed, or writing has failed.
    ended: bool,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// A group was written.
    Wrote,
    /// What is written can't be published yet: the task is woken when it can.
    Waits,
    /// All is written and published.
    Empty,
    /// The log can't be written to.
    Ended,
}

impl Log {
    pub(super) fn new(writer: Writer, durability: Durability) -> Self {
        let state = LogState {
            writer,
            unpublished: None,
            ended: false,
        };
        Log {
            turn: Turn::default(),
            state: Mutex::new(state),
            alone: AtomicBool::new(true),
            buffered: durability != Durability::Sync,
        }
    }

    /// Whether a thread that waits for its commit had better write it itself.
    pub(super) fn is_led(&self) -> bool {
        self.buffered || self.alone.load(Ordering::Relaxed)
    }

    /// Sees to it that somebody writes what is in the queue.
    pub(super) fn ask(&self, shared: &Shared) {
        if self.turn.ask(Asker::ForTask) {
            shared.wakers.log_writer.wake();
        }
    }

    /// Writes the queue up to a commit, unless somebody else is writing, who then writes it. For a
    /// thread that waits for the commit.
    pub(super) fn lead(&self, shared: &Shared, sequence: u64) {
        if !self.turn.ask(Asker::Thread) {
            return;
        }
        let mut leading = Leading {
            log: self,
            shared,
            end: End::Panicked,
        };
        let mut state = self.state.lock();
        while shared.durable.sequence() < sequence {
            match state.step(shared) {
                Outcome::Wrote => {}
                // What comes next is the task's.
                Outcome::Waits | Outcome::Ended => {
                    leading.end = End::Passed;
                    return;
                }
                Outcome::Empty => break,
            }
        }
        drop(state);
        leading.end = match self.turn.yield_turn() {
            true => End::Yielded,
            false => End::Passed,
        };
    }
}

/// Passes the turn to the task unless it was given back, also if the thread panics.
struct Leading<'a> {
    log: &'a Log,
    shared: &'a Shared,
    end: End,
}

/// How a thread's turn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Without a word, so far.
    Panicked,
    /// There is more to do, or will be, and it is the task's.
    Passed,
    /// There was nothing more to do.
    Yielded,
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        if self.end == End::Panicked {
            // What it left half done is not gone on with.
            self.log.state.lock().ended = true;
            self.shared
                .fail(&"a thread that wrote the log for its commit has panicked");
        }
        if self.end != End::Yielded {
            self.log.turn.pass();
            self.shared.wakers.log_writer.wake();
        }
    }
}

impl LogState {
    /// Publishes what was written before, if it can be, and writes at most one group.
    fn step(&mut self, shared: &Shared) -> Outcome {
        if self.ended {
            return Outcome::Ended;
        }
        if let Some(sequence) = self.unpublished
            && !self.publish(shared, sequence)
        {
            return Outcome::Waits;
        }
        let Some(taken) = shared.queue.take() else {
            return Outcome::Empty;
        };
        let clock = &shared.env.clock;
        let (time_ms, started) = (clock.now_ms(), clock.monotonic());
        let commits = taken.records.len();
        let last = taken.first_sequence + commits as u64 - 1;
        if is_on(Mutant::WriteBeforePublish) {
            shared.publish(last);
        }
        let records = taken.records.iter();
        if let Err(error) = self.writer.append(taken.first_sequence, records, time_ms) {
            self.ended = true;
            shared.fail(&error);
            return Outcome::Ended;
        }
        let ended = clock.monotonic();
        let took = ended.saturating_sub(started);
        shared.counters.group(commits, taken.size, took);
        let alone = commits == 1 && shared.queue.last_sequence() == last;
        shared.log.alone.store(alone, Ordering::Relaxed);
        shared.recent.push(last, time_ms);
        let began = started;
        shared.group_times.push(last, GroupTime { began, ended });
        match self.publish(shared, last) {
            true => Outcome::Wrote,
            false => Outcome::Waits,
        }
    }

    /// Makes commits visible if all of them are in the memtable; if not, the task is woken once they
    /// are.
    fn publish(&mut self, shared: &Shared, sequence: u64) -> bool {
        let task = || shared.wakers.log_writer.waker();
        let applied = shared.applied.poll_reached(sequence, task);
        if applied {
            shared.publish(sequence);
        }
        self.unpublished = (!applied).then_some(sequence);
        applied
    }

    /// Marks the end of the log, so that damage to its last group will not pass for a torn tail.
    fn finish(&mut self, shared: &Shared) {
        self.ended = true;
        if shared.health.check().is_ok()
            && let Err(error) = self.writer.finish(shared.env.clock.now_ms())
        {
            shared.fail(&error);
        }
    }
}

/// The task that writes the log when nobody else does.
pub(super) struct LogWriter {
    shared: Arc<Shared>,
    /// It has the turn.
    holds: bool,
}

impl LogWriter {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        LogWriter {
            shared,
            holds: false,
        }
    }

    /// Writes at most one group. Ends when the queue is closed and empty, or when the log can't be
    /// written to.
    pub(super) fn step(&mut self) -> Next {
        let log = &self.shared.log;
        if !self.holds {
            self.holds = log.turn.take_passed();
        }
        if !self.holds {
            return Next::Idle;
        }
        // Asked before the queue is: once it is closed, what is not in it will never be.
        let closed = self.shared.queue.is_closed();
        let mut state = log.state.lock();
        match state.step(&self.shared) {
            Outcome::Wrote => Next::Again,
            // With the turn: nobody else could do more.
            Outcome::Waits => Next::Idle,
            Outcome::Ended => Next::Done,
            Outcome::Empty if closed => {
                state.finish(&self.shared);
                Next::Done
            }
            Outcome::Empty => {
                drop(state);
                self.holds = !log.turn.yield_turn();
                match self.holds {
                    true => Next::Again,
                    false => Next::Idle,
                }
            }
        }
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
        // Raised before it is looked whether there is something to do: a write that comes in between
        // wakes this task. While it waits for the time, no write does.
        self.shared.syncer_sleeps.store(true, Ordering::SeqCst);
        if !self.syncer.is_needed() {
            return if stopped { Next::Done } else { Next::Idle };
        }
        self.shared.syncer_sleeps.store(false, Ordering::SeqCst);
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
