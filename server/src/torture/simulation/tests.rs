//! The simulation on some seeds, and on those that have found something.

use std::time::Duration;

use stator_torture::{Campaign, Until};

use super::*;

/// Crash points of a test run, if the environment does not say how many.
const CRASH_POINTS: u64 = 300;

fn environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[test]
fn the_server_keeps_its_promises() {
    let first = environment("STATOR_SEED").unwrap_or(1);
    let until = Until {
        crash_points: Some(environment("STATOR_CRASH_POINTS").unwrap_or(CRASH_POINTS)),
        elapsed: None,
    };
    let campaign = Campaign::new(vec![subject()], first);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if let Err(finding) = campaign.run(threads, until, Duration::from_secs(60), &mut |_| {}) {
        panic!("{finding}");
    }
    println!(
        "{:.0} crash points per second; {}",
        campaign.rate(),
        campaign.total()
    );
}

/// One seed twice is the same run twice: without that no line replays anything.
#[test]
fn a_seed_gives_one_run() {
    let [one, other] = [3, 3].map(|seed| subject().replay(seed, None).unwrap());
    assert_eq!(one.to_string(), other.to_string());
    assert!(one.disk_operations > 0);
}
