//! The proof of the proof: with any sync, edge or check removed, the simulation fails.

use std::path::Path;
use std::time::Duration;

use stator_engine::mutants::{Mutant, switch};
use stator_torture::{Script, run};

/// Each has to be found within this, of the processor's time: what else the machine does is no matter.
const LONGEST: Duration = Duration::from_secs(60);

/// Crash points after which a mutant counts as not found. The slowest take some thousands; a bound
/// that is no time makes the test fail on every machine or on none.
const MOST_CRASH_POINTS: u64 = 30_000;

/// The processor's time that this thread has had.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a clock that counts up")
}

/// Runs seeds until one fails: the crash points before, and what was seen. A run whose process is
/// closed and nothing else counts as one, so that this ends.
fn hunt(mutant: Mutant) -> Result<(u64, u64, String), u64> {
    let mut crash_points = 0;
    for seed in 1.. {
        match run(&Script::new(seed)) {
            Ok(coverage) => crash_points += coverage.crash_points().max(1),
            Err(failure) => return Ok((seed, crash_points, failure.to_string())),
        }
        if crash_points > MOST_CRASH_POINTS {
            println!("{}: not found", mutant.name());
            break;
        }
    }
    Err(crash_points)
}

#[test]
fn every_mutant_is_found() {
    let only = std::env::var("STATOR_MUTANT").ok();
    let mut missed = Vec::new();
    for mutant in Mutant::ALL {
        if only.as_ref().is_some_and(|only| only != mutant.name()) {
            continue;
        }
        switch(Some(*mutant));
        let before = processor_time();
        let found = hunt(*mutant);
        let took = processor_time() - before;
        switch(None);
        match found {
            Ok((seed, crash_points, seen)) => {
                let slow = if took > LONGEST { ", too slow" } else { "" };
                let name = mutant.name();
                println!(
                    "{name}: after {crash_points} crash points, {took:.1?}{slow}, seed {seed}, {seen}"
                );
            }
            Err(_) => missed.push(mutant.name()),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}

/// The table in `format-spec/faults.md`. `STATOR_REWRITE=1` writes it anew.
#[test]
fn the_table_lists_every_mutant() {
    const HEAD: &str = "| mutant | what it removes |\n|---|---|\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../format-spec/faults.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(HEAD).expect("the head of the table");
    let rows = rest
        .lines()
        .take_while(|line| line.starts_with('|'))
        .count();
    let behind: String = rest.split_inclusive('\n').skip(rows).collect();
    let table: String = Mutant::ALL
        .iter()
        .map(|mutant| format!("| `{}` | {} |\n", mutant.name(), mutant.removes()))
        .collect();
    let expected = format!("{before}{HEAD}{table}{behind}");
    if std::env::var_os("STATOR_REWRITE").is_some() {
        std::fs::write(&path, expected).unwrap();
    } else {
        assert!(
            text == expected,
            "STATOR_REWRITE=1 rewrites {}",
            path.display()
        );
    }
}
