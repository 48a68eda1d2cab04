//! Containing a panic in an operation: one request fails, the server goes on.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;

/// The operation panicked. What it said has gone to the panic hook, which prints it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Panicked;

/// Runs `future`, and turns a panic of it into an error.
///
/// Unwinding past the future is safe for what it shares: the engine's own state is behind its own
/// guards, and a lock holder that unwinds abandons its transaction.
pub(super) async fn contain<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        let future: Pin<&mut F> = future.as_mut();
        match catch_unwind(AssertUnwindSafe(|| future.poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    })
    .await
}
