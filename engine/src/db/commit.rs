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
/// Dropping it does not take the commit back: it may or may not become durable.
#[must_use = "nothing is durable before this has ended"]
pub struct Commit {
    shared: Arc<Shared>,
    sequence: u64,
    /// Backpressure: not acknowledged before this moment of the monotonic clock.
    not_before: Option<Duration>,
    waiter: Option<u64>,
    delayed: Option<u64>,
}

impl Commit {
    pub(super) fn new(shared: Arc<Shared>, sequence: u64, not_before: Option<Duration>) -> Self {
        Commit {
            shared,
            sequence,
            not_before,
            waiter: None,
            delayed: None,
        }
    }

    /// Its sequence number.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Blocks the calling thread until it is durable, or fails as the future does.
    pub fn wait(mut self) -> Result<()> {
        let mut result = Err(Error::Closed);
        let scheduler = Arc::clone(&self.shared.env.scheduler);
        let mut done = std::pin::pin!(std::future::poll_fn(|context| {
            result = ready!(Pin::new(&mut self).poll(context));
            Poll::Ready(())
        }));
        scheduler.block_on(done.as_mut())?;
        result
    }
}

impl Future for Commit {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let commit = self.get_mut();
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
