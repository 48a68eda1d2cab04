//! Whether a run measured the endpoint, or the rig itself.
//!
//! A rig that cannot keep up adds its own delay to every latency, and nobody sees it. So it takes
//! the time of its own delays and of its processors, and says so where they matter.

use crate::interval::Interval;
use crate::results::{Latency, Rig};

/// Of a thread's time, how much it may be busy: beyond this, queues grow inside the rig.
const BUSIEST: f64 = 0.85;

/// What the rig may add to a percentile of the latency, as a share of it.
const SHARE: f64 = 0.1;

/// What of its own delays is never worth a word: about what it takes to be woken up, in nanoseconds.
const NEGLIGIBLE_NS: u64 = 250_000;

/// Judges the rig by all of a run that was measured: `seconds` of it, by so many threads. `wall_ns`
/// is the whole time that `all.cpu_ns` was spent in. `responses` are the latencies.
pub fn judge(
    all: &Interval,
    responses: &crate::histogram::Times,
    wall_ns: u64,
    threads: usize,
    is_open: bool,
) -> Rig {
    let busy = all.cpu_ns as f64 / (wall_ns.max(1) as f64 * threads.max(1) as f64);
    let mut complaints = Vec::new();
    if busy > BUSIEST {
        complaints.push(format!(
            "its threads were busy for {:.0} % of the time: give it more --threads or a larger \
             machine, or ask for less",
            busy * 100.0
        ));
    }
    // In an open loop it knows when it should have been there. In a closed one, how long it kept
    // those waiting who came in while it worked.
    let (lag, word) = if is_open {
        (&all.lag, "started jobs late")
    } else {
        (
            &all.busy,
            "was at work between two looks at its connections",
        )
    };
    for percentile in [50.0, 99.0, 99.9] {
        let own = lag.percentile(percentile);
        let whole = responses.percentile(percentile);
        let matters = own as f64 > whole as f64 * SHARE;
        if own > NEGLIGIBLE_NS && matters && lag.count() > 0 {
            complaints.push(format!(
                "it {word} by {:.2} ms at p{percentile}, of {:.2} ms in all",
                own as f64 / 1e6,
                whole as f64 / 1e6
            ));
        }
    }
    Rig {
        valid: complaints.is_empty(),
        complaints,
        cpu_us_per_request: all.cpu_ns as f64 / 1000.0 / all.requests.max(1) as f64,
        busy,
        lag: Latency::from(lag),
        threads,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::Times;

    fn times(each: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::default();
        each.into_iter().for_each(|ns| times.record(ns));
        times
    }

    fn rig(lag_ns: u64, latency_ns: u64, cpu_ns: u64) -> Rig {
        let mut all = Interval::new(0, 1);
        all.lag = times([lag_ns; 1000]);
        all.cpu_ns = cpu_ns;
        all.requests = 1000;
        judge(&all, &times([latency_ns; 1000]), 1_000_000_000, 1, true)
    }

    #[test]
    fn a_rig_that_falls_behind_says_so() {
        assert!(rig(20_000, 300_000, 100_000_000).valid);
        // Its delay is long, and yet a small part.
        assert!(rig(2_000_000, 900_000_000, 100_000_000).valid);
        let late = rig(2_000_000, 4_000_000, 100_000_000);
        assert!(!late.valid && late.complaints[0].contains("started jobs late"));
        let busy = rig(20_000, 300_000, 950_000_000);
        assert!(!busy.valid && busy.complaints[0].contains("95 %"));
        assert_eq!(busy.cpu_us_per_request, 950.0);
    }
}
