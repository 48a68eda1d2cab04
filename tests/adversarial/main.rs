//! Real requests, made wrong: whatever comes of it, Stator answers it as DynamoDB would (200 or 400),
//! and a request that it refuses has changed nothing.
//!
//! `requests.jsonl` has requests of every operation that is served, all of them right in their
//! order; the first ones set tables up. From these, requests are made that are wrong in some place:
//! types swapped, members dropped, doubled, nested, huge, bytes broken or missing. Each goes to the
//! library entry or to the real binary. After each the tables are read whole, with their indexes,
//! descriptions and tags: only what was answered with 200, and is no read, may have changed them.
//!
//! A run is made from one seed, in rounds that each begin with the set-up on an empty server. What
//! fails says how to play its round again: `STATOR_SEED` and `STATOR_ROUND`; another length of the
//! runs is `STATOR_ADVERSARIAL_REQUESTS`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test throughout; the configuration knows functions marked as tests only"
)]

mod binary;
mod corpus;
mod json;
mod library;
mod mutation;
mod round;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use corpus::Corpus;
use round::{MadeUp, Round, Tally, Target};
use stator::operation::SERVED;

/// Requests of a run, if the environment does not say how many.
const REQUESTS: u64 = 5_000;
/// Requests of a round. Some of them are right and change the tables: what is left of the set-up
/// after many of those is not worth much any more.
const ROUND: u64 = 250;

fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a whole number")),
    )
}

fn run(start: impl Fn() -> Box<dyn Target>) {
    let seed = number("STATOR_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
    println!("STATOR_SEED={seed}");
    let corpus = Corpus::load();
    let requests = number("STATOR_ADVERSARIAL_REQUESTS").unwrap_or(REQUESTS);
    let rounds = match number("STATOR_ROUND") {
        Some(round) => round..round + 1,
        None => 0..requests.div_ceil(ROUND),
    };
    let mut tally = Tally::default();
    for round in rounds {
        let mut target = start();
        Round::begin(&corpus, target.as_mut(), seed, round).run(ROUND, &mut tally);
        target.stop();
    }
    println!("{tally}");
    assert!(
        tally.refused > tally.accepted,
        "these are hardly wrong: {tally}"
    );
    assert!(
        tally.accepted > 0,
        "nothing came near to being right: {tally}"
    );
}

#[test]
fn the_library_entry_withstands_what_is_wrong() {
    run(|| Box::new(library::Library::start()));
}

#[test]
fn the_binary_withstands_what_is_wrong() {
    run(|| Box::new(binary::Binary::start()));
}

#[test]
fn the_requests_are_right_and_of_every_operation_served() {
    let corpus = Corpus::load();
    let mut target = library::Library::start();
    let mut named = BTreeSet::new();
    for request in &corpus.setup {
        let answer = target.call(request.operation, &request.body.to_bytes());
        assert_eq!(answer.status, 200, "{request:?}: {}", answer.text());
        named.insert(request.operation);
    }
    let made_up = MadeUp::of(&mut target);
    for request in &corpus.requests {
        let body = made_up.put_into(request.body.to_bytes());
        let answer = target.call(request.operation, &body);
        let status = if request.refused { 400 } else { 200 };
        assert_eq!(answer.status, status, "{request:?}: {}", answer.text());
        named.insert(request.operation);
    }
    let missing: Vec<_> = SERVED
        .iter()
        .filter(|served| !named.contains(served))
        .collect();
    assert!(
        missing.is_empty(),
        "write requests of these into requests.jsonl: {missing:?}"
    );
}
