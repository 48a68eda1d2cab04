//! Making a run that fails smaller.

use crate::run::Failure;
use crate::script::Script;
use crate::trial::Trial;

/// Runs that shrinking may take.
const MOST_RUNS: usize = 600;

/// Leaves out of a run what it does not take to fail: halves first, then quarters, down to single
/// steps. It need not fail for the same reason, which has never been a loss.
pub(crate) fn shrink<S: Trial>(script: &Script<S>, failure: Failure) -> (Script<S>, Failure) {
    let (mut best, mut failure) = (up_to(script, failure.step), failure);
    let mut runs = 0;
    let mut part = best.numbers().len().div_ceil(2).max(1);
    loop {
        let mut start = 0;
        let mut smaller = false;
        while start < best.numbers().len() && runs < MOST_RUNS {
            let mut kept = best.numbers();
            let end = (start + part).min(kept.len());
            kept.drain(start..end);
            let candidate = best.only(&kept);
            runs += 1;
            match S::run(&candidate) {
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
fn up_to<S: Trial>(script: &Script<S>, step: usize) -> Script<S> {
    let mut kept = script.numbers();
    kept.retain(|number| *number <= step);
    script.only(&kept)
}
