//! Running work on the store.
//!
//! A thread that serves requests must not wait for a disk. So work is first tried where it is, in
//! the mode in which whatever would wait fails; if it does, it has had no effect, and is run again
//! on a thread that may wait. Most work never leaves its thread.

use std::pin::pin;

use stator_engine::ReadMode;
use tokio::runtime::Handle;

use super::{Fault, Store};
use crate::wire;

impl Store {
    /// Runs `work` on the store: tried in [`ReadMode::CachedOnly`] where we are, and if it would
    /// have had to wait, run again from its beginning in [`ReadMode::Blocking`] on a thread for
    /// that. Outside a runtime it blocks this thread.
    ///
    /// `work` must have no effect before it can no longer fail with
    /// [`stator_engine::Error::WouldBlock`]: the engine's transactions are made that way.
    pub async fn run<T, W>(&self, mut work: W) -> Result<T, wire::Error>
    where
        T: Send + 'static,
        W: FnMut(ReadMode) -> Result<T, Fault> + Send + 'static,
    {
        if Handle::try_current().is_err() {
            return work(ReadMode::Blocking).map_err(Fault::into_error);
        }
        match work(ReadMode::CachedOnly) {
            Err(fault) if fault.would_block() => {
                self.run_blocking(move || work(ReadMode::Blocking)).await
            }
            outcome => outcome.map_err(Fault::into_error),
        }
    }

    /// Runs `work`, which waits, on a thread that may. Once begun it is carried through, even if
    /// nobody waits for its outcome any more. Outside a runtime it blocks this thread.
    pub async fn run_blocking<T, W>(&self, work: W) -> Result<T, wire::Error>
    where
        T: Send + 'static,
        W: FnOnce() -> Result<T, Fault> + Send + 'static,
    {
        let outcome = match Handle::try_current() {
            Err(_) => work(),
            Ok(runtime) => match runtime.spawn_blocking(work).await {
                Ok(outcome) => outcome,
                Err(error) => {
                    tracing::error!("work on the store came to no end: {error}");
                    return Err(wire::Error::InternalServer("Internal server error".into()));
                }
            },
        };
        outcome.map_err(Fault::into_error)
    }

    /// Waits for `future` without a runtime: the engine's scheduler drives it, which in a simulation
    /// is what lets anything happen at all.
    pub fn block_on<F>(&self, future: F) -> Result<F::Output, wire::Error>
    where
        F: Future + Send,
        F::Output: Send,
    {
        let mut output = None;
        {
            let mut driven = pin!(async { output = Some(future.await) });
            self.env().scheduler.block_on(driven.as_mut())?;
        }
        output.ok_or_else(|| wire::Error::InternalServer("Internal server error".into()))
    }
}
