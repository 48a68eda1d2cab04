//! Tasks on threads: one thread each, asleep while its task is idle.
//!
//! The tasks of a database are few (the WAL writer, flush, compaction, deletion), and a sleeping
//! thread costs some kilobytes; a pool would only bring the question of who waits for whom.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Wake, Waker};

use crate::error::{Error, Result};
use crate::io::scheduler::Join;
use crate::io::{Next, Priority, Scheduler, Task, TaskHandle};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

#[cfg(stator_schedules)]
use shuttle::thread::{self, JoinHandle, Thread};
#[cfg(not(stator_schedules))]
use std::thread::{self, JoinHandle, Thread, park_timeout};

/// A thread per task.
pub struct RealScheduler;

/// Shuttle knows no time: what waits for some may go on at once.
#[cfg(stator_schedules)]
fn park_timeout(_: std::time::Duration) {
    thread::yield_now();
}

impl Scheduler for RealScheduler {
    fn spawn(
        &self,
        name: &'static str,
        priority: Priority,
        mut task: Box<dyn Task>,
    ) -> Result<TaskHandle> {
        let signal = Arc::new(Signal::new());
        let of_thread = Arc::clone(&signal);
        let handle = thread::Builder::new()
            .name(format!("stator-{name}"))
            .spawn(move || {
                of_thread.owned_by(thread::current());
                lower(priority);
                loop {
                    match task.step() {
                        Next::Again => {}
                        Next::Idle => of_thread.wait(None),
                        Next::After(time) => of_thread.wait(Some(time)),
                        Next::Done => break,
                    }
                }
            })
            .map_err(|error| Error::io("start", format!("thread {name}"), error))?;
        let join = Arc::new(ThreadJoin {
            handle: Mutex::new(Some(handle)),
        });
        Ok(TaskHandle::new(Waker::from(signal), join))
    }

    fn block_on(&self, mut future: Pin<&mut (dyn Future<Output = ()> + Send)>) -> Result<()> {
        let signal = Arc::new(Signal::new());
        signal.owned_by(thread::current());
        let waker = Waker::from(Arc::clone(&signal));
        let mut context = Context::from_waker(&waker);
        while future.as_mut().poll(&mut context).is_pending() {
            signal.wait(None);
        }
        Ok(())
    }
}

/// Background threads yield the processor to those that serve requests. Where the system refuses,
/// they run like the others.
#[cfg(all(target_os = "linux", not(stator_schedules)))]
fn lower(priority: Priority) {
    let nice = match priority {
        Priority::Wal => return,
        Priority::Flush => 3,
        Priority::L0 => 8,
        Priority::Compaction => 12,
        Priority::Idle => 15,
    };
    let _refused = rustix::process::setpriority_process(Some(rustix::thread::gettid()), nice);
}

#[cfg(any(not(target_os = "linux"), stator_schedules))]
fn lower(_: Priority) {}

/// Wakes one thread, and is not lost if that thread is not asleep yet.
struct Signal {
    raised: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Signal {
    fn new() -> Self {
        Signal {
            raised: AtomicBool::new(false),
            thread: OnceLock::new(),
        }
    }

    fn owned_by(&self, thread: Thread) {
        let _first = self.thread.set(thread);
    }

    /// Sleeps until the signal is raised, or the time has passed, and lowers it.
    fn wait(&self, time: Option<std::time::Duration>) {
        if self.raised.swap(false, Ordering::Acquire) {
            return;
        }
        match time {
            // A spurious return costs one step without work.
            Some(time) => park_timeout(time),
            None => {
                while !self.raised.load(Ordering::Acquire) {
                    thread::park();
                }
            }
        }
        // A swap and not a store: it must see what the one who raised it had done before.
        self.raised.swap(false, Ordering::AcqRel);
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.raised.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

struct ThreadJoin {
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Join for ThreadJoin {
    fn join(&self) -> Result<()> {
        let Some(handle) = self.handle.lock().take() else {
            return Ok(());
        };
        if handle.thread().id() == thread::current().id() {
            // The last reference to a database went away on one of its own threads: nothing to
            // wait for, the thread ends by itself.
            return Ok(());
        }
        handle.join().map_err(|_| Error::ReadOnly {
            reason: Arc::from("a background thread has panicked"),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Poll;
    use std::time::Duration;

    use super::*;

    /// Counts its steps, and ends when told.
    struct Counter {
        steps: Arc<AtomicUsize>,
        end: Arc<AtomicBool>,
        next: Next,
    }

    impl Task for Counter {
        fn step(&mut self) -> Next {
            self.steps.fetch_add(1, Ordering::SeqCst);
            if self.end.load(Ordering::SeqCst) {
                Next::Done
            } else {
                self.next
            }
        }
    }

    #[test]
    fn an_idle_task_ends_when_woken_and_can_be_joined() {
        for next in [Next::Idle, Next::After(Duration::from_secs(3600))] {
            let steps = Arc::new(AtomicUsize::new(0));
            let end = Arc::new(AtomicBool::new(false));
            let task = Counter {
                steps: Arc::clone(&steps),
                end: Arc::clone(&end),
                next,
            };
            let handle = RealScheduler
                .spawn("counter", Priority::Idle, Box::new(task))
                .unwrap();
            end.store(true, Ordering::SeqCst);
            handle.wake();
            handle.join().unwrap();
            handle.join().unwrap();
            assert!(steps.load(Ordering::SeqCst) >= 1);
        }
    }

    #[test]
    fn block_on_is_woken_by_another_thread() {
        let shared: Arc<Mutex<(bool, Option<Waker>)>> = Arc::default();
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .spawn(move || {
                let mut state = of_thread.lock();
                state.0 = true;
                if let Some(waker) = state.1.take() {
                    waker.wake();
                }
            })
            .unwrap();
        let mut future = std::pin::pin!(std::future::poll_fn(|context| {
            let mut state = shared.lock();
            if state.0 {
                return Poll::Ready(());
            }
            state.1 = Some(context.waker().clone());
            Poll::Pending
        }));
        RealScheduler.block_on(future.as_mut()).unwrap();
        thread.join().unwrap();
    }
}
