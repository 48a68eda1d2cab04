//! The engine against its model, under everything that the fault model has.

use std::time::Duration;

use stator_torture::{Campaign, Until, engine};

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Crash points of a test run: 10,000, or as many as `STATOR_CRASH_POINTS` says. With `STATOR_SEED`
/// the seeds begin there.
#[test]
fn crash_points() {
    let wanted = env("STATOR_CRASH_POINTS").map_or(10_000, |count| count.parse().unwrap());
    let first = env("STATOR_SEED").map_or(1, |seed| seed.parse().unwrap());
    let campaign = Campaign::new(vec![engine()], first);
    let until = Until {
        crash_points: Some(wanted),
        elapsed: None,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if let Err(finding) = campaign.run(threads, until, Duration::from_secs(60), &mut |_| {}) {
        panic!("{finding}");
    }
    let (rate, total) = (campaign.rate(), campaign.total());
    println!("{rate:.0} crash points per second; {total}");
    for (kind, count) in total.faults.by_kind() {
        assert!(count > 0, "no {kind}");
    }
}

/// Some steps of what a seed gives, as `stator torture` takes them too: `STATOR_SEED`, and of its steps
/// `STATOR_STEPS`.
#[test]
fn replay() {
    let Some(seed) = env("STATOR_SEED") else {
        return;
    };
    let steps = env("STATOR_STEPS");
    if let Err(finding) = engine().replay(seed.parse().unwrap(), steps.as_deref()) {
        panic!("{finding}");
    }
}
