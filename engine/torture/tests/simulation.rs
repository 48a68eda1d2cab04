//! The engine against its model, under everything that the fault model has.

use stator_torture::{Campaign, Finding, Script, run};

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Crash points of a test run: 10,000, or as many as `STATOR_CRASH_POINTS` says. With `STATOR_SEED`
/// the seeds begin there.
#[test]
fn crash_points() {
    let wanted = env("STATOR_CRASH_POINTS").map_or(10_000, |count| count.parse().unwrap());
    let first = env("STATOR_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut campaign = Campaign::new(first);
    let started = std::time::Instant::now();
    while campaign.coverage.crash_points() < wanted {
        if let Err(finding) = campaign.run_next() {
            panic!("{finding}");
        }
    }
    let rate = campaign.coverage.crash_points() as f64 / started.elapsed().as_secs_f64();
    println!("{rate:.0} crash points per second; {}", campaign.coverage);
    for (kind, count) in campaign.coverage.faults.by_kind() {
        assert!(count > 0, "no {kind}");
    }
}

/// What a [`Finding`] prints: `STATOR_SEED`, and of its steps `STATOR_STEPS`.
#[test]
fn replay() {
    let Some(seed) = env("STATOR_SEED") else {
        return;
    };
    let mut script = Script::new(seed.parse().unwrap());
    if let Some(steps) = env("STATOR_STEPS") {
        script = script.only(&Script::parse_numbers(&steps));
    }
    if let Err(failure) = run(&script) {
        panic!("{}", Finding { script, failure });
    }
}
