//! What a caller holds while its commit is on the way to the disk.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::shared::Shared;
use crate::error::{Error, Result};

/// A commit that has its place in the order of all commits, and is not durable yet. A future, or
/// with [`Commit::wait`] a call, that ends when it is.
///
/// It is on its way to the disk from the moment that it is first polled, waited for or dropped, or
/// that any commit behind it is. Dropping it does not take the commit back: it may or may not become
/// durable.
#[must_use = "nothing is durable before this has ended"]
pub struct Commit {
    shared: Arc<Shared>,
    sequence: u64,
    /// Backpressure: not acknowledged before this moment of the monotonic clock.
    not_before: Option<Duration>,
    waiter: Option<u64>,
    /// Somebody was asked to write it.
    asked: bool,
    delayed: Option<u64>,
    held_back: bool,
}

/// When the group of a commit went to the log, counted back from the call that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Since the log's writer had taken it and began to write: before that, it waited for groups
    /// before it.
    pub began_ago: Duration,
    /// Since it was written and, with `Durability::Sync`, on the disk.
    pub ended_ago: Duration,
    /// Whether the acknowledgement was held back after that, because more waits to be written out
    /// than should.
    pub held_back: bool,
}

impl Commit {
    pub(super) fn new(shared: Arc<Shared>, sequence: u64, not_before: Option<Duration>) -> Self {
        Commit {
            shared,
            sequence,
            not_before,
            waiter: None,
            asked: false,
            delayed: None,
            held_back: not_before.is_some(),
        }
    }

    /// Its sequence number.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When its group was written, once it was; `None` before, and of one that is not among the last
    /// sixty groups any more.
    #[must_use]
    pub fn written(&self) -> Option<Written> {
        let time = self.shared.group_times.of(self.sequence)?;
        let now = self.shared.env.clock.monotonic();
        Some(Written {
            began_ago: now.saturating_sub(time.began),
            ended_ago: now.saturating_sub(time.ended),
            held_back: self.held_back,
        })
    }

    /// Blocks the calling thread until it is durable, or fails as the future does.
    pub fn wait(mut self) -> Result<()> {
        let log = &self.shared.log;
        if !self.asked && log.is_led() && self.shared.env.scheduler.lets_callers_work() {
            self.asked = true;
            log.lead(&self.shared, self.sequence);
        }
        let mut result = Err(Error::Closed);
        let scheduler = Arc::clone(&self.shared.env.scheduler);
        let mut done = std::pin::pin!(std::future::poll_fn(|context| {
            result = ready!(Pin::new(&mut self).poll(context));
            Poll::Ready(())
        }));
        scheduler.block_on(done.as_mut())?;
        result
    }

    /// Has it written, unless that was done before.
    fn ask(&mut self) {
        if !self.asked {
            self.asked = true;
            if self.shared.durable.sequence() < self.sequence {
                self.shared.log.ask(&self.shared);
            }
        }
    }
}

impl Future for Commit {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let commit = self.get_mut();
        commit.ask();
        ready!(
            commit
                .shared
                .durable
                .poll(commit.sequence, &mut commit.waiter, context)
        )?;
        commit.waiter = None;
        if let Some(moment) = commit.not_before {
            ready!(
                commit
                    .shared
                    .pacer
                    .poll_until(moment, &mut commit.delayed, context)
            );
            commit.not_before = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        self.ask();
        if let Some(waiter) = self.waiter {
            self.shared.durable.forget(self.sequence, waiter);
        }
        if let (Some(moment), Some(waiter)) = (self.not_before, self.delayed) {
            self.shared.pacer.forget(moment, waiter);
        }
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commit")
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}
