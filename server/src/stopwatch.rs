//! Where the time of a request goes: a stopwatch that is always in one stage.
//!
//! The front starts one for each request. Whoever begins with something else says so, wherever that
//! is ([`enter`], [`during`]); what has passed since the last such moment belongs to the stage before.
//! So the stages of a request add up to its total, whatever happens. While the request's future is
//! polled its stopwatch is a variable of the thread ([`timed`]), so that nothing has to be handed
//! through the layers; it goes along to a thread that may block ([`hand_over`]).
//!
//! Without a stopwatch all of this does nothing, and reads no clock: so it is in the simulator, and in
//! calls of the library. The clock is the processor's and not the engine's, since what it measures is
//! this machine: no operation is decided by it.

use std::{
    cell::Cell,
    future::poll_fn,
    pin::pin,
    time::{Duration, Instant},
};

/// What a request is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its head is there, its body on the way.
    Receive,
    /// It is inflated, routed and decoded.
    Parse,
    /// The operation itself: checks, expressions, sizes, what is made of what was read.
    Execute,
    /// It waits for a thread: for one that may wait for the disk, or to go on once it is durable.
    Queue,
    /// It takes the locks of its items.
    KeyLock,
    /// The engine reads. For a page of a Query or Scan that includes its filter and projection.
    EngineRead,
    /// The engine gives its batch a place in the order of commits and puts it into the memtable.
    Commit,
    /// The log's writer is at groups before its own.
    WalWait,
    /// Its group is written and, if what is acknowledged has to be on disk, synced.
    Sync,
    /// It is durable, and held back because more waits to be written out than should.
    Delay,
    /// The answer is encoded, compressed and given its headers.
    Respond,
}

/// How many stages there are.
pub const STAGES: usize = 11;

impl Stage {
    /// All of them, in the order in which most requests go through them.
    pub const ALL: [Self; STAGES] = [
        Self::Receive,
        Self::Parse,
        Self::Execute,
        Self::Queue,
        Self::KeyLock,
        Self::EngineRead,
        Self::Commit,
        Self::WalWait,
        Self::Sync,
        Self::Delay,
        Self::Respond,
    ];

    /// Its name in statistics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Parse => "parse",
            Self::Execute => "execute",
            Self::Queue => "queue",
            Self::KeyLock => "key_lock",
            Self::EngineRead => "engine_read",
            Self::Commit => "commit",
            Self::WalWait => "wal_wait",
            Self::Sync => "sync",
            Self::Delay => "delay",
            Self::Respond => "respond",
        }
    }
}

/// Nanoseconds in each stage, in the order of [`Stage::ALL`].
pub type Spent = [u64; STAGES];

/// The stopwatch of one request.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    since: Instant,
    stage: Stage,
    spent: Spent,
}

impl Stopwatch {
    /// Starts one: the head of a request is there.
    pub fn start() -> Self {
        Self {
            since: Instant::now(),
            stage: Stage::Receive,
            spent: [0; STAGES],
        }
    }

    /// Goes over to another stage.
    pub fn enter(&mut self, stage: Stage) {
        if stage != self.stage {
            self.advance(Instant::now());
            self.stage = stage;
        }
    }

    /// Stops it.
    pub fn stop(mut self) -> Spent {
        self.advance(Instant::now());
        self.spent
    }

    fn advance(&mut self, now: Instant) {
        if let Some(spent) = self.spent.get_mut(self.stage as usize) {
            *spent += nanoseconds(now.duration_since(self.since));
        }
        self.since = now;
    }

    /// Makes it the thread's.
    fn install(&self) {
        CURRENT.with(|current| {
            current.since.set(Some(self.since));
            current.stage.set(self.stage);
            for (to, from) in current.spent.iter().zip(&self.spent) {
                to.set(*from);
            }
        });
    }

    /// Takes it back from the thread.
    fn uninstall(&mut self) {
        CURRENT.with(|current| {
            if let Some(since) = current.since.take() {
                self.since = since;
                self.stage = current.stage.get();
                for (to, from) in self.spent.iter_mut().zip(&current.spent) {
                    *to = from.get();
                }
            }
        });
    }
}

/// The stopwatch of the request that the thread is at.
struct Current {
    /// Nothing where there is no request.
    since: Cell<Option<Instant>>,
    stage: Cell<Stage>,
    spent: [Cell<u64>; STAGES],
}

thread_local! {
    static CURRENT: Current = const {
        Current {
            since: Cell::new(None),
            stage: Cell::new(Stage::Receive),
            spent: [const { Cell::new(0) }; STAGES],
        }
    };
}

impl Current {
    fn add(&self, stage: Stage, time: Duration) {
        if let Some(spent) = self.spent.get(stage as usize) {
            spent.set(spent.get() + nanoseconds(time));
        }
    }

    fn enter(&self, since: Instant, stage: Stage) {
        let before = self.stage.get();
        if before != stage {
            let now = Instant::now();
            self.add(before, now.duration_since(since));
            self.since.set(Some(now));
            self.stage.set(stage);
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos() as u64
}

/// Polls a future with a stopwatch as the thread's.
pub async fn timed<F: Future>(watch: &mut Stopwatch, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        watch.install();
        let polled = future.as_mut().poll(context);
        watch.uninstall();
        polled
    })
    .await
}

/// Goes over to another stage, and answers which one it was; `None` without a stopwatch.
pub fn enter(stage: Stage) -> Option<Stage> {
    CURRENT.with(|current| {
        let since = current.since.get()?;
        let before = current.stage.get();
        current.enter(since, stage);
        Some(before)
    })
}

/// Does something that is a stage of its own.
pub fn during<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    let before = enter(stage);
    let done = work();
    if let Some(before) = before {
        enter(before);
    }
    done
}

/// When a group was on its way to the log, counted back from now.
#[derive(Clone, Copy, Debug)]
pub struct LogTimes {
    /// Since the log's writer began with it.
    pub began_ago: Duration,
    /// Since it was durable.
    pub ended_ago: Duration,
    /// Whether the acknowledgement was held back after that.
    pub held_back: bool,
}

/// Ends a [`Stage::WalWait`] and goes back to the stage `before` it: what has passed since is divided
/// into the wait for groups before, the way of the group to the disk, and what came after. All of it
/// stays the wait where the times are not known.
pub fn end_wal_wait(times: Option<LogTimes>, before: Stage) {
    CURRENT.with(|current| {
        let (Some(since), Some(times)) = (current.since.get(), times) else {
            return;
        };
        let now = Instant::now();
        let within =
            |ago: Duration, from: Instant| now.checked_sub(ago).map_or(from, |at| at.max(from));
        let began = within(times.began_ago, since);
        let ended = within(times.ended_ago, began);
        current.add(Stage::WalWait, began.duration_since(since));
        current.add(Stage::Sync, ended.duration_since(began));
        let rest = match times.held_back {
            true => Stage::Delay,
            false => Stage::Queue,
        };
        current.add(rest, now.duration_since(ended));
        current.since.set(Some(now));
        current.stage.set(before);
    });
    enter(before);
}

/// A stopwatch on its way to another thread and back.
pub struct HandedOver {
    watch: Stopwatch,
    before: Stage,
}

/// Takes the thread's stopwatch along to another thread: it waits for that from now on. `None`
/// without a stopwatch.
pub fn hand_over() -> Option<HandedOver> {
    let before = enter(Stage::Queue)?;
    CURRENT.with(|current| {
        let mut spent = [0; STAGES];
        for (to, from) in spent.iter_mut().zip(&current.spent) {
            *to = from.get();
        }
        let watch = Stopwatch {
            since: current.since.get()?,
            stage: Stage::Queue,
            spent,
        };
        Some(HandedOver { watch, before })
    })
}

impl HandedOver {
    /// Does something on the other thread. After that it waits to be taken back.
    pub fn run<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.watch.enter(self.before);
        self.watch.install();
        let done = work();
        self.watch.uninstall();
        self.watch.enter(Stage::Queue);
        done
    }

    /// Goes on with it where it came from.
    pub fn take_back(mut self) {
        let has_one = CURRENT.with(|current| current.since.get().is_some());
        if has_one {
            self.watch.enter(self.before);
            self.watch.install();
        }
    }
}

#[cfg(test)]
mod tests;
