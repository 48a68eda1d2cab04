//! Making a script that fails smaller.

use crate::run::{Failure, run};
use crate::script::Script;

/// Runs that shrinking may take.
const MOST_RUNS: usize = 600;

/// Leaves out of a script what it does not take to fail: halves first, then quarters, down to single
/// steps. It need not fail for the same reason, which has never been a loss.
pub(crate) fn shrink(script: &Script, failure: Failure) -> (Script, Failure) {
    let (mut best, mut failure) = (up_to(script, failure.step), failure);
    let mut runs = 0;
    let mut part = best.steps.len().div_ceil(2).max(1);
    loop {
        let mut start = 0;
        let mut smaller = false;
        while start < best.steps.len() && runs < MOST_RUNS {
            let mut candidate = best.clone();
            let end = (start + part).min(candidate.steps.len());
            candidate.steps.drain(start..end);
            runs += 1;
            match run(&candidate) {
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
fn up_to(script: &Script, step: usize) -> Script {
    let kept = script.steps.iter().filter(|(number, _)| *number <= step);
    Script {
        steps: kept.cloned().collect(),
        ..script.clone()
    }
}
