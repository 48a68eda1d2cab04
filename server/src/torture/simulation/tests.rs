//! The simulation on some seeds, and on those that have found something.

use std::time::Duration;

use stator_format_spec::check_table;
use stator_torture::{Campaign, Until, hunt};

use super::*;
use crate::mutants::{Mutant, switch};

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

/// The proof of the proof: whatever of what keeps a write together is left out, the simulation fails.
#[test]
fn every_mutant_is_found() {
    let named = Mutant::ALL.iter().map(|mutant| (mutant.name(), *mutant));
    let missed = hunt::<Step, _>(named, switch);
    assert!(missed.is_empty(), "not found: {missed:?}");
}

/// The table in `format-spec/faults.md`. `STATOR_REWRITE=1` writes it anew.
#[test]
fn the_table_lists_every_mutant() {
    let row = |mutant: &Mutant| format!("| `{}` | {} |\n", mutant.name(), mutant.removes());
    let rows: String = Mutant::ALL.iter().map(row).collect();
    let head = "| mutant of the server | what does not hold with it |\n|---|---|\n";
    check_table("faults", head, &rows);
}
