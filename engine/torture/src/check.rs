//! Comparing a database with its model.

use std::collections::BTreeSet;
use std::path::Path;

use stator_engine::io::Simulation;
use stator_engine::{Db, Direction, Error, KeyRange, KeyspaceId, ReadMode, Snapshot, Value};

use crate::model::Model;
use crate::run::DIR;

/// What a check comes to: the message says what was seen, and what should have been.
pub(crate) type Checked<T = ()> = Result<T, String>;

/// Whatever a crash has left, [`stator_engine::verify`] finds nothing in it that is damaged.
pub(crate) fn check_files(simulation: &Simulation) -> Checked {
    let verified = stator_engine::verify(&simulation.env(), Path::new(DIR), &mut |_| {});
    let verified = verified.map_err(|error| format!("verify: {error}"))?;
    match verified.damage.first() {
        None => Ok(()),
        Some(damage) => Err(format!(
            "verify takes what an end has left for damage: {damage}"
        )),
    }
}

/// The database ends with a commit that was made, and none that had to survive is behind it.
pub(crate) fn check_last(last: u64, floor: u64, model: &Model) -> Checked {
    if last < floor {
        return Err(format!(
            "commits up to {last} are left, and {floor} has to be"
        ));
    }
    if last > model.last() {
        return Err(format!(
            "commits up to {last} are there, and only {} were made",
            model.last()
        ));
    }
    Ok(())
}

/// The database is the model: by its ranges both ways, and by each key.
pub(crate) fn check_all(db: &Db, model: &Model) -> Checked {
    let snapshot = db.snapshot();
    let keyspaces: BTreeSet<KeyspaceId> = model.keys().map(|key| key.keyspace()).collect();
    let failed = |error: Error| format!("reading after opening: {error}");
    for keyspace in keyspaces {
        let range = KeyRange::keyspace(keyspace);
        for direction in [Direction::Forward, Direction::Backward] {
            let found = read(&snapshot, &range, direction).map_err(failed)?;
            check_entries(model, &snapshot, &range, direction, &found)?;
        }
    }
    for key in model.keys() {
        let expected = model.get(&key, snapshot.sequence());
        let found = db.get(&key, ReadMode::Blocking).map_err(failed)?;
        if found != expected {
            let of = format!("{key:?} after opening at {}", snapshot.sequence());
            return Err(differs(&of, &found, &expected));
        }
    }
    Ok(())
}

/// The entries that a range has given, up to its end.
pub(crate) type Entries = Vec<(Vec<u8>, Value)>;

/// Reads a range to its end.
pub(crate) fn read(
    snapshot: &Snapshot,
    range: &KeyRange,
    direction: Direction,
) -> stator_engine::Result<Entries> {
    let mut iter = snapshot.range(range.clone(), direction, ReadMode::Blocking);
    let mut found = Vec::new();
    loop {
        match iter.next()? {
            stator_engine::Step::Entry { key, value } => {
                found.push((key.as_bytes().to_vec(), value));
            }
            stator_engine::Step::Paused(_) => {}
            stator_engine::Step::End => return Ok(found),
        }
    }
}

pub(crate) fn check_entries(
    model: &Model,
    snapshot: &Snapshot,
    range: &KeyRange,
    direction: Direction,
    found: &Entries,
) -> Checked {
    let mut expected = model.range(range, snapshot.sequence());
    if direction == Direction::Backward {
        expected.reverse();
    }
    if *found == expected {
        return Ok(());
    }
    let first = found
        .iter()
        .zip(&expected)
        .position(|(found, expected)| found != expected);
    Err(format!(
        "{range:?} at {} {direction:?}: {} entries and not {}, the first difference at {first:?}",
        snapshot.sequence(),
        found.len(),
        expected.len()
    ))
}

pub(crate) fn differs(what: &str, found: &Option<Value>, expected: &Option<Value>) -> String {
    let short = |value: &Option<Value>| {
        value.as_ref().map(|value| {
            let start = value.get(..8).unwrap_or(value);
            format!("{} bytes, {}", value.len(), start.escape_ascii())
        })
    };
    format!("{what} is {:?} and not {:?}", short(found), short(expected))
}
