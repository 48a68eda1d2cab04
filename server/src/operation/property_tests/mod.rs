//! Random requests on random tables against a plain model.
//!
//! A case makes two random tables (key types, local and global indexes with every projection and up
//! to four and four key attributes) and sends them random requests: puts, updates with every clause,
//! deletes, batches, transactions, global indexes that come and go, with conditions and with the legacy parameters, some of them
//! wrong. The model keeps the items as JSON in a map. After each request
//!
//! - the answer is what the model says, refusals included,
//! - each table holds what the model holds, and each index what is a function of that, read through
//!   Scan and Query in all their forms,
//! - every `ConsumedCapacity` is what [`calculator`] says, which was written from the developer guide
//!   on JSON values and shares nothing with the code it checks.
//!
//! What fails says how to play its case again (`STATOR_SEED`, `STATOR_CASE`);
//! `STATOR_PROPERTY_CASES` makes the run longer.

mod attributes;
mod calculator;
mod condition;
mod indexes;
mod model;
mod projection;
mod random;
mod reads;
mod schema;
mod update;
mod writes;

use std::hash::{BuildHasher, RandomState};

pub(in crate::operation) use self::random::Random;

use self::model::Model;
use crate::operation::harness::Harness;

/// Cases of a run, if the environment does not say how many.
const CASES: u64 = 40;
/// Requests that may change something, per case; each is followed by reads.
const STEPS: usize = 25;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a whole number")),
    )
}

/// Says which case it was if the thread panics meanwhile.
struct Case {
    seed: u64,
    number: u64,
}

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { seed, number } = self;
            println!("play it again with STATOR_SEED={seed} STATOR_CASE={number}");
        }
    }
}

/// A Stator and what the model knows of it.
struct World {
    harness: Harness,
    model: Model,
}

#[test]
fn answers_indexes_and_capacity_are_those_of_a_plain_model() {
    let seed = number("STATOR_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
    println!("STATOR_SEED={seed}");
    let cases = match number("STATOR_CASE") {
        Some(case) => case..case + 1,
        None => 0..number("STATOR_PROPERTY_CASES").unwrap_or(CASES),
    };
    for number in cases {
        let case = Case { seed, number };
        run(&mut Random::new(seed, number));
        drop(case);
    }
}

fn run(random: &mut Random) {
    let mut world = World {
        harness: Harness::new(),
        model: Model::random(random),
    };
    for table in &world.model.tables {
        let request = table.schema.request(random);
        let created = crate::wire::Operation::CreateTable;
        world.harness.ok(created, request);
    }
    for _ in 0..STEPS {
        if random.one_in(12) {
            let table = world.change_indexes(random);
            world.check(table, random);
        }
        let touched = world.write(random);
        for table in touched {
            world.check(table, random);
        }
        world.read(random);
    }
    for table in 0..world.model.tables.len() {
        world.check_description(table);
    }
}
