//! Concurrent clients against the real binary, with faults: one order of all operations explains every
//! answer that anybody got.
//!
//! `STATOR_HISTORY_OPERATIONS` says how many operations each test tries, with a fault for every 1,500
//! or so. What `STATOR_SEED` decides is who asks for what and when something happens to the process;
//! how the clients meet is the machine's.

use std::error::Error;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Instant;

use stator_histories::checker::check;
use stator_histories::history::{Call, Operation, Reply};
use stator_histories::workload::{Kind, Plan, Run, run};

/// What each test tries, if the environment does not say it.
const OPERATIONS: u64 = 40_000;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn environment(name: &str) -> Outcome<Option<u64>> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text.parse()?)),
        Err(_) => Ok(None),
    }
}

fn examine(kind: Kind, keys: u8, options: &[&str]) -> Outcome<Run> {
    let seed = environment("STATOR_SEED")?;
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
    println!("STATOR_SEED={seed}");
    let operations = environment("STATOR_HISTORY_OPERATIONS")?.unwrap_or(OPERATIONS);
    let plan = Plan {
        seed,
        kind,
        clients: 8,
        keys,
        operations,
        faults: operations / 1_500,
    };
    let directory = tempfile::tempdir()?;
    let begin = Instant::now();
    let run = run(plan, directory.path(), options)?;
    let took = begin.elapsed();
    println!("{:?} in {took:?}", run.counts);
    let begin = Instant::now();
    let checked = check(&run.history)
        .map_err(|violation| format!("STATOR_SEED={seed}, {options:?}: {violation}"))?;
    println!("{checked:?} in {:?}", begin.elapsed());
    for what in ["kills", "pauses", "resets", "in doubt", "refused", "gets"] {
        assert!(run.counts.contains_key(what), "no {what}: {:?}", run.counts);
    }
    Ok(run)
}

/// The item that a get of one item found, if it is one whose tag no other write has.
fn tagged(operation: &Operation) -> Option<u64> {
    match (&operation.call, &operation.reply) {
        (Call::Read(_), Some(Reply::Read(items))) => match items[..] {
            [Some(item)] => Some(item.tag).filter(|tag| *tag != 0),
            _ => None,
        },
        _ => None,
    }
}

/// The same history with a get that finds what had been overwritten before it began: an earlier get
/// had found that, and one in between something else.
fn with_a_stale_read(mut history: Vec<Operation>) -> Option<Vec<Operation>> {
    let (at, stale) = (0..history.len()).rev().find_map(|at| {
        let now = history.get(at).filter(|now| tagged(now).is_some())?;
        let earlier = || {
            let same = |older: &&Operation| older.call == now.call && tagged(older).is_some();
            history.iter().take(at).rev().filter(same)
        };
        let between = earlier().find(|between| between.ended < now.invoked)?;
        let stale = earlier()
            .find(|older| older.ended < between.invoked && tagged(older) != tagged(between))?;
        Some((at, stale.reply.clone()))
    })?;
    history.get_mut(at)?.reply = stale;
    Some(history)
}

#[test]
fn single_items_are_linearizable() -> Outcome {
    let run = examine(Kind::Items, 8, &[])?;
    let stale = with_a_stale_read(run.history).ok_or("no item was read three times")?;
    assert!(check(&stale).is_err(), "a stale read went unnoticed");
    Ok(())
}

#[test]
fn single_items_are_linearizable_with_a_log_that_is_synced_by_the_clock() -> Outcome {
    // A killed process leaves what it has written with the operating system.
    examine(Kind::Items, 4, &["--durability", "interval:50"]).map(drop)
}

#[test]
fn transactions_are_strictly_serializable() -> Outcome {
    let run = examine(Kind::Transactions, 5, &[])?;
    for what in [
        "write transactions",
        "read transactions",
        "queries",
        "queries of an index",
        "scans",
        "conflicts",
        "repeated",
    ] {
        assert!(run.counts.contains_key(what), "no {what}: {:?}", run.counts);
    }
    Ok(())
}
