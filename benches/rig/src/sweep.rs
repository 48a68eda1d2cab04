//! The search for the knee: the highest rate at which a percentile of the latency is kept.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::failure::Failure;
use crate::records::Records;
use crate::results::{Results, Step, Sweep};
use crate::run::Bench;
use crate::text::time;

/// By how much a rate is raised while it is kept.
const RAISE: f64 = 1.6;

/// How near to the knee the search goes.
const NEARNESS: f64 = 1.05;

/// Steps at most.
const MOST_STEPS: usize = 40;

/// What is lost at most of the jobs that were meant to start, and what may fail.
const LOSS: f64 = 0.02;
const FAILING: f64 = 0.001;

/// How long a step takes unless it was said.
const STEP: Duration = Duration::from_secs(10);
const STEP_WARM_UP: Duration = Duration::from_secs(2);

/// Raises the rate in steps until the limit is broken, and then halves the way between the highest
/// rate that kept it and the lowest that did not. The results are those of the former.
///
/// # Errors
/// As of a measurement.
pub fn sweep(bench: &Bench, limit: Duration, records: &Arc<Records>) -> Result<Results, Failure> {
    let mut pace = bench.pace().clone();
    if !bench.has_duration() {
        pace.duration = STEP;
    }
    if bench.options().warm_up.is_none() {
        pace.warm_up = STEP_WARM_UP;
    }
    let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    let mut search = Search::new(pace.rate.unwrap_or(1000.0));
    let mut steps = Vec::new();
    let mut best: Option<Results> = None;
    let mut last = None;
    while let Some(rate) = search.rate() {
        pace.rate = Some(rate);
        let results = bench.measure(pace.clone(), records)?;
        let failures = results.failed.count;
        let jobs = (results.response.count + failures).max(1) as f64;
        let kept = results.response.p99 <= limit
            && results.achieved_rate >= rate * (1.0 - LOSS)
            && failures as f64 / jobs <= FAILING;
        eprintln!(
            "{rate:.0} a second: p99 {}, {:.0} a second went well{}",
            time(results.response.p99),
            results.achieved_rate,
            if results.rig.valid {
                ""
            } else {
                "; the rig did not keep up"
            }
        );
        steps.push(Step {
            rate,
            achieved: results.achieved_rate,
            p50: results.response.p50,
            p99: results.response.p99,
            p99_9: results.response.p99_9,
            failures,
            kept,
            valid: results.rig.valid,
        });
        if bench.stop().load(Ordering::Relaxed) || steps.len() >= MOST_STEPS {
            last = Some(results);
            break;
        }
        search.tried(rate, kept);
        if kept {
            best = Some(results);
        } else {
            last = Some(results);
        }
    }
    let knee = search.kept;
    let mut results = best
        .or(last)
        .ok_or_else(|| Failure::new("no step of the sweep was made."))?;
    // A limit that the rig itself broke is no property of the endpoint.
    let broken = steps.iter().filter(|step| !step.kept);
    if broken.clone().count() > 0 && broken.clone().all(|step| !step.valid) {
        results.rig.valid = false;
        results.rig.complaints.push(
            "at every rate that broke the limit it had not kept up: the knee may be the rig's own"
                .to_owned(),
        );
    }
    results.sweep = Some(Sweep { limit, knee, steps });
    Ok(results)
}

/// Where the knee is, as far as is known.
#[derive(Clone, Debug)]
struct Search {
    start: f64,
    kept: Option<f64>,
    broken: Option<f64>,
}

impl Search {
    fn new(start: f64) -> Self {
        Self {
            start,
            kept: None,
            broken: None,
        }
    }

    /// The rate to try next; nothing when the knee is known nearly enough.
    fn rate(&self) -> Option<f64> {
        match (self.kept, self.broken) {
            (None, None) => Some(self.start),
            (Some(kept), None) => Some(kept * RAISE),
            // Not even the first: downwards until one is kept.
            (None, Some(broken)) if broken > 1.0 => Some(broken / RAISE / RAISE),
            (Some(kept), Some(broken)) if broken / kept > NEARNESS => Some((kept * broken).sqrt()),
            _ => None,
        }
    }

    fn tried(&mut self, rate: f64, kept: bool) {
        if kept {
            self.kept = Some(self.kept.map_or(rate, |best| best.max(rate)));
        } else {
            self.broken = Some(self.broken.map_or(rate, |worst| worst.min(rate)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[test]
    fn the_knee_is_found_from_below_and_from_above() {
        for knee in [3.0, 700.0, 1000.0, 33_333.0] {
            let mut search = Search::new(1000.0);
            let mut steps = 0;
            while let Some(rate) = search.rate() {
                search.tried(rate, rate <= knee);
                steps += 1;
                assert!(steps < 30, "{knee}");
            }
            let found = search.kept.unwrap();
            assert!(found <= knee && found > knee / 1.06, "{knee}: {found}");
        }
        let mut never = Search::new(1000.0);
        for _ in 0..20 {
            if let Some(rate) = never.rate() {
                never.tried(rate, false);
            }
        }
        assert!(never.rate().is_none() && never.kept.is_none());
    }
}
