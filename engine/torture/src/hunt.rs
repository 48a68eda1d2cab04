//! Looking for a defect that was made on purpose.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::run::Failure;
use crate::trial::Trial;

/// Crash points after which a defect counts as not found: less than a minute of one processor. A bound
/// that is no time makes a test fail on every machine or on none.
const MOST_CRASH_POINTS: u64 = 8_000;

/// How a defect was found.
struct Found {
    /// With this seed.
    seed: u64,
    /// The crash points before.
    crash_points: u64,
    /// The processor's time that it took.
    took: Duration,
    /// What was seen.
    failure: Failure,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "after {} crash points, {:.1?} of the processor, seed {}, {}",
            self.crash_points, self.took, self.seed, self.failure
        )
    }
}

/// Hunts defects, each with its name, one after the other; or with `STATOR_MUTANT` only the one of that
/// name. `switch` has to switch one on, and off again. Says how each was found, and answers the names of
/// those that were not.
pub fn hunt<S: Trial, M: Copy>(
    mutants: impl IntoIterator<Item = (&'static str, M)>,
    switch: impl Fn(Option<M>),
) -> Vec<&'static str> {
    let only = std::env::var("STATOR_MUTANT").ok();
    let mut missed = Vec::new();
    for (name, mutant) in mutants {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        switch(Some(mutant));
        let found = until_found::<S>();
        switch(None);
        match found {
            Some(found) => println!("{name}: {found}"),
            None => missed.push(name),
        }
    }
    missed
}

/// Runs seeds on this thread until one fails; `None` if none does for long.
fn until_found<S: Trial>() -> Option<Found> {
    let began = processor_time();
    let mut crash_points = 0;
    for seed in 1.. {
        match S::run(&S::script(seed)) {
            // One whose process is closed and nothing else counts too, so that this ends.
            Ok(coverage) => crash_points += coverage.crash_points().max(1),
            Err(failure) => {
                return Some(Found {
                    seed,
                    crash_points,
                    took: processor_time().saturating_sub(began),
                    failure,
                });
            }
        }
        if crash_points > MOST_CRASH_POINTS {
            break;
        }
    }
    None
}

/// What this thread has had of the processor: what else the machine does is no matter.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
