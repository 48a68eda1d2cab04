//! Many runs, one seed after the other, and what they came to.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use stator_engine::io::FaultCounts;

use crate::script::How;
use crate::trial::{Finding, Subject};

/// How the names of the threads that run begin.
pub const WORKER: &str = "torture-";

/// What runs have met.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Coverage {
    /// Scripts that were run.
    pub runs: u64,
    /// Power cuts while the database was open.
    pub crashes: u64,
    /// Power cuts while it was being opened.
    pub crashes_while_opening: u64,
    /// Processes that were killed.
    pub kills: u64,
    /// Databases that were closed.
    pub closes: u64,
    /// Openings that failed because the disk did.
    pub failed_openings: u64,
    /// Copies that were damaged.
    pub damages: u64,
    /// Operations of the disk.
    pub disk_operations: u64,
    /// What the disk did.
    pub faults: FaultCounts,
    /// What else a simulation counts: what its runs have done, each kind with its name.
    pub work: BTreeMap<&'static str, u64>,
}

impl Coverage {
    /// Ends of the process that it was not told of, each with an opening and a check behind it.
    #[must_use]
    pub fn crash_points(&self) -> u64 {
        self.crashes + self.crashes_while_opening + self.kills
    }

    /// The process has ended.
    pub fn ends(&mut self, how: How) {
        match how {
            How::Close => self.closes += 1,
            How::Kill => self.kills += 1,
            How::Crash(_) => self.crashes += 1,
        }
    }

    /// Adds that of another run.
    pub fn add(&mut self, other: &Coverage) {
        self.runs += other.runs;
        self.crashes += other.crashes;
        self.crashes_while_opening += other.crashes_while_opening;
        self.kills += other.kills;
        self.closes += other.closes;
        self.failed_openings += other.failed_openings;
        self.damages += other.damages;
        self.disk_operations += other.disk_operations;
        self.faults.add(&other.faults);
        for (kind, count) in &other.work {
            *self.work.entry(kind).or_default() += count;
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs, {} crash points ({} power cuts, {} while opening, {} kills), {} closes, {} \
             failed openings, {} damaged copies, {} disk operations; faults met: ",
            self.runs,
            self.crash_points(),
            self.crashes,
            self.crashes_while_opening,
            self.kills,
            self.closes,
            self.failed_openings,
            self.damages,
            self.disk_operations
        )?;
        for (index, (kind, count)) in self.faults.by_kind().into_iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{kind} {count}")?;
        }
        for (index, (kind, count)) in self.work.iter().enumerate() {
            let comma = if index == 0 { "; work done: " } else { ", " };
            write!(f, "{comma}{kind} {count}")?;
        }
        Ok(())
    }
}

/// When a campaign has run enough. Without any of them it never has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Until {
    /// After this time.
    pub elapsed: Option<Duration>,
    /// After so many crash points, all simulations together.
    pub crash_points: Option<u64>,
}

impl Until {
    fn is_reached(&self, began: Instant, coverage: &[Coverage]) -> bool {
        let points = || coverage.iter().map(Coverage::crash_points).sum::<u64>();
        self.elapsed.is_some_and(|most| began.elapsed() >= most)
            || self.crash_points.is_some_and(|most| points() >= most)
    }
}

/// Runs seeds of one or more simulations in turn, on as many threads as are given.
pub struct Campaign {
    subjects: Vec<Box<dyn Subject>>,
    first_seed: u64,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    /// Runs that were given out.
    given_out: u64,
    /// By subject.
    coverage: Vec<Coverage>,
    finding: Option<Box<Finding>>,
    ended: bool,
}

impl Campaign {
    /// Each of `subjects` begins with a seed.
    #[must_use]
    pub fn new(subjects: Vec<Box<dyn Subject>>, first_seed: u64) -> Self {
        let coverage = vec![Coverage::default(); subjects.len()];
        Campaign {
            subjects,
            first_seed,
            began: Instant::now(),
            state: Mutex::new(State {
                given_out: 0,
                coverage,
                finding: None,
                ended: false,
            }),
        }
    }

    /// Runs until it is enough, or until a promise is not kept. Once in `period`, and at the end,
    /// `progress` is called on this thread.
    ///
    /// # Errors
    ///
    /// The first that was found. Runs that are under way meanwhile are not waited for beyond their end,
    /// and what they find is let go.
    pub fn run(
        &self,
        threads: usize,
        until: Until,
        period: Duration,
        progress: &mut dyn FnMut(&Campaign),
    ) -> Result<(), Box<Finding>> {
        std::thread::scope(|scope| {
            let (ends, has_ended) = mpsc::channel::<()>();
            for number in 0..threads.max(1) {
                let ends = ends.clone();
                let worker = std::thread::Builder::new().name(format!("{WORKER}{number}"));
                let spawned = worker.spawn_scoped(scope, move || {
                    self.work(until);
                    drop(ends);
                });
                if spawned.is_err() && number == 0 {
                    // No thread at all: then this one.
                    self.work(until);
                }
            }
            drop(ends);
            while has_ended.recv_timeout(period) == Err(mpsc::RecvTimeoutError::Timeout) {
                progress(self);
            }
        });
        progress(self);
        self.state().finding.take().map_or(Ok(()), Err)
    }

    fn work(&self, until: Until) {
        while let Some((place, seed)) = self.next() {
            let Some(subject) = self.subjects.get(place) else {
                return;
            };
            let outcome = subject.attempt(seed);
            let mut state = self.state();
            match outcome {
                Ok(coverage) => {
                    if let Some(total) = state.coverage.get_mut(place) {
                        total.add(&coverage);
                    }
                }
                Err(finding) => {
                    state.finding.get_or_insert(finding);
                    state.ended = true;
                }
            }
            state.ended |= until.is_reached(self.began, &state.coverage);
        }
    }

    fn next(&self) -> Option<(usize, u64)> {
        let mut state = self.state();
        let count = self.subjects.len() as u64;
        if state.ended || count == 0 {
            return None;
        }
        let number = state.given_out;
        state.given_out += 1;
        let place = usize::try_from(number % count).ok()?;
        Some((place, self.first_seed.wrapping_add(number / count)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What panics is caught before it gets here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time since it was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// What the runs so far have met, by simulation.
    #[must_use]
    pub fn coverage(&self) -> Vec<(&'static str, Coverage)> {
        let names = self.subjects.iter().map(|subject| subject.name());
        names.zip(self.state().coverage.iter().cloned()).collect()
    }

    /// What the runs so far have met, all together.
    #[must_use]
    pub fn total(&self) -> Coverage {
        let mut total = Coverage::default();
        for coverage in &self.state().coverage {
            total.add(coverage);
        }
        total
    }

    /// Crash points per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.total().crash_points() as f64 / self.elapsed().as_secs_f64().max(0.001)
    }
}
