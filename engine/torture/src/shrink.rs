//! Making a run that fails smaller.

use crate::run::Failure;
use crate::trial::Trial;

/// Runs that shrinking may take.
const MOST_RUNS: usize = 600;

/// Leaves out of a run what it does not take to fail: halves first, then quarters, down to single
/// steps. It need not fail for the same reason, which has never been a loss.
pub(crate) fn shrink<T: Trial>(trial: &T, failure: Failure) -> (T, Failure) {
    let (mut best, mut failure) = (up_to(trial, failure.step), failure);
    let mut runs = 0;
    let mut part = best.steps().len().div_ceil(2).max(1);
    loop {
        let mut start = 0;
        let mut smaller = false;
        while start < best.steps().len() && runs < MOST_RUNS {
            let mut kept = best.steps();
            let end = (start + part).min(kept.len());
            kept.drain(start..end);
            let candidate = best.keeping(&kept);
            runs += 1;
            match candidate.run() {
                Err(again) => {
                    best = candidate;
                    failure = again;
                    smaller = true;
                }
                Ok(_) => start += part,
            }
        }
        if runs >= MOST_RUNS || (part == 1 && !smaller) {
            return (best, failure);
        }
        part = part.div_ceil(2).max(1);
    }
}

/// Without the steps behind the one that fails.
fn up_to<T: Trial>(trial: &T, step: usize) -> T {
    let mut kept = trial.steps();
    kept.retain(|number| *number <= step);
    trial.keeping(&kept)
}
