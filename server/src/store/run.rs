//! Running work on the store.
//!
//! A thread that serves requests must not wait for a disk. So work is first tried where it is, in
//! the mode in which whatever would wait fails; if it does, it has had no effect, and is run again
//! on a thread that may wait. Most work never leaves its thread.

use std::pin::pin;

use stator_engine::{Commit, ReadMode};
use tokio::runtime::Handle;

use super::{Fault, Store};
use crate::{
    stopwatch::{self, LogTimes, Stage},
    wire,
};

/// Waits until a commit is durable, or fails.
///
/// # Errors
/// Failures of the store: then it may or may not become durable.
pub async fn durable(mut commit: Commit) -> Result<(), wire::Error> {
    let before = stopwatch::enter(Stage::WalWait);
    let result = (&mut commit).await;
    if let Some(before) = before {
        let times = commit.written().map(|written| LogTimes {
            began_ago: written.began_ago,
            ended_ago: written.ended_ago,
            held_back: written.held_back,
        });
        stopwatch::end_wal_wait(times, before);
    }
    result.map_err(Fault::from).map_err(Fault::into_error)
}

impl Store {
    /// Runs `work` on this store: tried in [`ReadMode::CachedOnly`] where we are, and if it would
    /// have had to wait, run again from its beginning in [`ReadMode::Blocking`] on a thread for
    /// that. Outside a runtime it blocks this thread.
    ///
    /// `work` must have no effect before it can no longer fail with
    /// [`stator_engine::Error::WouldBlock`]: the engine's transactions are made that way.
    pub async fn run<T, W>(&self, mut work: W) -> Result<T, wire::Error>
    where
        T: Send + 'static,
        W: FnMut(&Self, ReadMode) -> Result<T, Fault> + Send + 'static,
    {
        if !is_in_runtime() {
            return work(self, ReadMode::Blocking).map_err(Fault::into_error);
        }
        match work(self, ReadMode::CachedOnly) {
            Err(fault) if fault.would_block() => {
                let store = self.clone();
                let again = move || work(&store, ReadMode::Blocking);
                self.run_blocking(again).await
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
            Ok(runtime) => {
                let mut handed = stopwatch::hand_over();
                let work = move || match &mut handed {
                    None => (work(), handed),
                    Some(watch) => (watch.run(work), handed),
                };
                match runtime.spawn_blocking(work).await {
                    Ok((outcome, handed)) => {
                        if let Some(watch) = handed {
                            watch.take_back();
                        }
                        outcome
                    }
                    Err(error) => {
                        tracing::error!("work on the store came to no end: {error}");
                        return Err(wire::Error::InternalServer("Internal server error".into()));
                    }
                }
            }
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

/// Whether there is a runtime that has threads for waiting. A task knows that it is one; to ask for the
/// runtime itself takes a reference to it, and that is a place that all cores write to.
fn is_in_runtime() -> bool {
    tokio::task::try_id().is_some() || Handle::try_current().is_ok()
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        thread,
    };

    use stator_engine::Error as EngineError;

    use super::*;
    use crate::store::StoreOptions;

    fn store() -> Store {
        Store::open(StoreOptions::default()).unwrap()
    }

    /// The mode that work is run in, and the thread.
    type Run = (ReadMode, thread::ThreadId);

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    }

    #[test]
    fn work_that_need_not_wait_stays_on_its_thread() {
        let run = runtime().block_on(store().run(|_, mode| Ok((mode, thread::current().id()))));
        assert_eq!(run.unwrap(), (ReadMode::CachedOnly, thread::current().id()));
    }

    #[test]
    fn work_that_must_wait_is_run_again_where_it_may() {
        let mut runs: Vec<Run> = Vec::new();
        let work = move |_: &Store, mode| {
            runs.push((mode, thread::current().id()));
            if mode == ReadMode::CachedOnly {
                return Err(EngineError::WouldBlock.into());
            }
            Ok(runs.clone())
        };
        let runs = runtime().block_on(store().run(work)).unwrap();
        let modes: Vec<_> = runs.iter().map(|(mode, _)| *mode).collect();
        assert_eq!(modes, [ReadMode::CachedOnly, ReadMode::Blocking]);
        assert_ne!(runs[1].1, thread::current().id());
    }

    #[test]
    fn without_a_runtime_work_waits_where_it_is() {
        let store = store();
        let run = store.block_on(store.run(|_, mode| Ok((mode, thread::current().id()))));
        assert_eq!(
            run.unwrap().unwrap(),
            (ReadMode::Blocking, thread::current().id())
        );
    }

    /// A client that goes away does not leave a change of a table half done.
    #[test]
    fn blocking_work_is_carried_through_when_nobody_waits_any_more() {
        let done = Arc::new(AtomicUsize::new(0));
        let (begun, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let counter = Arc::clone(&done);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let store = store();
        let task = runtime.spawn(async move {
            let work = move || {
                begun.send(()).unwrap();
                may_go_on.recv().unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            store.run_blocking(work).await
        });
        has_begun.recv().unwrap();
        task.abort();
        go_on.send(()).unwrap();
        drop(runtime);
        assert_eq!(done.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn an_answer_is_not_tried_again() {
        let tries = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&tries);
        let refuse = move |_: &Store, _| -> Result<(), Fault> {
            counter.fetch_add(1, Ordering::SeqCst);
            Err(wire::Error::ConditionalCheckFailed { item: None }.into())
        };
        let error = runtime().block_on(store().run(refuse)).unwrap_err();
        assert!(matches!(error, wire::Error::ConditionalCheckFailed { .. }));
        assert_eq!(tries.load(Ordering::SeqCst), 1);
    }
}
