//! Histories that are known to be bad, and random small ones against trying every order.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use super::*;
use crate::history::{Action, Change, Condition, Item, Reply, Shown};

const TELLS_NOTHING: (Shown, Shown) = (None, None);

fn item(tag: u64, number: i64) -> Item {
    Item { tag, number }
}

fn write(key: Key, condition: Condition, change: Change) -> Action {
    Action {
        key,
        condition,
        change,
    }
}

fn put(key: Key, tag: u64) -> Call {
    let change = Change::Put(item(tag, 0));
    Call::Write(vec![write(key, Condition::Always, change)])
}

fn add(key: Key, by: i64) -> Call {
    Call::Write(vec![write(key, Condition::Always, Change::Add(by))])
}

fn get(key: Key) -> Call {
    Call::Read(vec![key])
}

fn done(actions: usize) -> Option<Reply> {
    Some(Reply::Written(vec![TELLS_NOTHING; actions]))
}

fn found(items: &[Option<Item>]) -> Option<Reply> {
    Some(Reply::Read(items.to_vec()))
}

fn operation(invoked: u64, ended: u64, call: Call, reply: Option<Reply>) -> Operation {
    let client = invoked as usize;
    Operation {
        client,
        call,
        invoked,
        ended,
        reply,
    }
}

fn is_good(history: &[Operation]) -> bool {
    match check(history) {
        Ok(_) => true,
        Err(violation) => {
            assert!(
                violation.what.starts_with("no order"),
                "{violation}: the checker gave up"
            );
            false
        }
    }
}

#[test]
fn overlapping_operations_may_come_in_any_order() {
    let race = |first: u64| {
        vec![
            operation(1, 10, put(1, 7), done(1)),
            operation(2, 9, put(1, 8), done(1)),
            operation(11, 12, get(1), found(&[Some(item(first, 0))])),
        ]
    };
    assert!(is_good(&race(7)));
    assert!(is_good(&race(8)));
    assert!(!is_good(&race(9)), "nobody wrote that");
}

#[test]
fn a_lost_update() {
    // Two additions at the same time, of which one was lost.
    let mut history = vec![
        operation(1, 5, add(1, 1), done(1)),
        operation(2, 6, add(1, 1), done(1)),
        operation(7, 8, get(1), found(&[Some(item(0, 2))])),
    ];
    assert!(is_good(&history));
    history[2].reply = found(&[Some(item(0, 1))]);
    assert!(!is_good(&history));
    // Seen in what the additions returned: both came from the same state.
    let returned = |number| {
        let new = Some(Some(item(0, number)));
        Some(Reply::Written(vec![(None, new)]))
    };
    history.pop();
    history[0].reply = returned(1);
    history[1].reply = returned(2);
    assert!(is_good(&history));
    history[1].reply = returned(1);
    assert!(!is_good(&history));
}

#[test]
fn a_stale_read() {
    let mut history = vec![
        operation(1, 2, put(1, 7), done(1)),
        operation(3, 4, put(1, 8), done(1)),
        operation(3, 6, get(1), found(&[Some(item(7, 0))])),
    ];
    assert!(is_good(&history), "the read had begun before the write");
    history[2].invoked = 5;
    assert!(!is_good(&history));
}

#[test]
fn reads_that_go_back() {
    // The write is in progress all the time: each of the reads alone could be explained.
    let history = vec![
        operation(1, 20, put(1, 7), done(1)),
        operation(2, 3, get(1), found(&[Some(item(7, 0))])),
        operation(4, 5, get(1), found(&[None])),
    ];
    assert!(!is_good(&history));
}

#[test]
fn a_dirty_read_that_a_crash_loses() {
    // The write was in doubt when the process was killed, at 10.
    let mut history = vec![
        operation(1, 10, put(1, 7), None),
        operation(12, 13, get(1), found(&[None])),
    ];
    assert!(is_good(&history), "it never happened");
    history[1].reply = found(&[Some(item(7, 0))]);
    assert!(is_good(&history), "it had happened");
    let shown = operation(2, 3, get(1), found(&[Some(item(7, 0))]));
    history.push(shown);
    assert!(is_good(&history));
    history[1].reply = found(&[None]);
    assert!(!is_good(&history), "it was shown, and is gone");
}

#[test]
fn a_write_in_doubt_does_not_happen_after_the_crash() {
    let history = vec![
        operation(1, 10, put(1, 7), None),
        operation(12, 13, get(1), found(&[None])),
        operation(14, 15, get(1), found(&[Some(item(7, 0))])),
    ];
    assert!(!is_good(&history));
}

#[test]
fn half_a_transaction() {
    let puts = |tag| {
        let puts = [1, 2].map(|key| {
            let change = Change::Put(item(tag, 0));
            write(key, Condition::Always, change)
        });
        Call::Write(puts.to_vec())
    };
    let both = |one, other| found(&[Some(item(one, 0)), Some(item(other, 0))]);
    let mut history = vec![
        operation(1, 2, puts(7), done(2)),
        operation(3, 9, puts(8), done(2)),
        operation(4, 5, Call::Read(vec![1, 2]), both(7, 7)),
    ];
    assert!(is_good(&history));
    history[2].reply = both(8, 7);
    assert!(!is_good(&history));
    history[1].reply = None;
    assert!(!is_good(&history), "nor when it was in doubt");
    // Two reads of one item each show it as well.
    history.pop();
    history.push(operation(4, 5, get(1), found(&[Some(item(8, 0))])));
    history.push(operation(6, 7, get(2), found(&[Some(item(7, 0))])));
    assert!(!is_good(&history));
}

#[test]
fn write_skew() {
    // Each transaction checks that the other's item is not there: only one may succeed.
    let guarded = |checked, written, tag| {
        Call::Write(vec![
            write(checked, Condition::Absent, Change::Check),
            write(
                written,
                Condition::Always,
                Change::Put(Item { tag, number: 0 }),
            ),
        ])
    };
    let refused = Some(Reply::Refused(vec![(true, None), (false, None)]));
    let mut history = vec![
        operation(1, 9, guarded(1, 2, 7), done(2)),
        operation(2, 8, guarded(2, 1, 8), refused),
    ];
    assert!(is_good(&history));
    history[1].reply = done(2);
    assert!(!is_good(&history));
}

#[test]
fn conditional_writes_that_are_not_one_after_the_other() {
    let claim = |tag| {
        let change = Change::Put(item(tag, 0));
        Call::Write(vec![write(1, Condition::Absent, change)])
    };
    let refused = |old| Some(Reply::Refused(vec![(true, old)]));
    let mut history = vec![
        operation(1, 5, claim(7), done(1)),
        operation(2, 6, claim(8), refused(None)),
    ];
    assert!(is_good(&history));
    history[1].reply = refused(Some(Some(item(7, 0))));
    assert!(is_good(&history));
    history[1].reply = refused(Some(Some(item(9, 0))));
    assert!(!is_good(&history), "refused because of what never was");
    history[1].reply = done(1);
    assert!(!is_good(&history), "both were first");
    history.pop();
    history[0].reply = refused(None);
    assert!(!is_good(&history), "refused because of nothing");
}

#[test]
fn a_deletion_of_nothing_may_be_one_of_something() {
    // There was nothing to delete when it began; that there is nothing in the end is its work.
    let delete = Call::Write(vec![write(1, Condition::Always, Change::Delete)]);
    let history = [
        operation(1, 6, delete, done(1)),
        operation(2, 5, put(1, 7), done(1)),
        operation(7, 8, get(1), found(&[None])),
    ];
    assert!(is_good(&history));
}

#[test]
fn items_are_checked_apart_unless_a_transaction_links_them() {
    let mut history = vec![
        operation(1, 2, put(1, 7), done(1)),
        operation(1, 2, put(2, 8), done(1)),
        operation(3, 4, get(3), found(&[None])),
    ];
    assert_eq!(check(&history).unwrap().components, 3);
    history.push(operation(3, 4, Call::Read(vec![3, 2]), None));
    assert_eq!(check(&history).unwrap().components, 2);
}

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    fn item(&mut self) -> Item {
        item(self.below(3), self.below(2) as i64)
    }

    fn action(&mut self, key: Key) -> Action {
        let condition = match self.below(6) {
            0 => Condition::Absent,
            1 => Condition::Present,
            2 => Condition::NumberIs(self.below(3) as i64),
            _ => Condition::Always,
        };
        let change = match self.below(5) {
            0 => Change::Delete,
            1 => Change::Check,
            2 => Change::Add(1),
            _ => Change::Put(self.item()),
        };
        write(key, condition, change)
    }

    fn call(&mut self) -> Call {
        let keys: Vec<Key> = match self.below(4) {
            0 => vec![0, 1],
            _ => vec![self.below(2) as Key],
        };
        match self.below(2) {
            0 => Call::Read(keys),
            _ => Call::Write(keys.into_iter().map(|key| self.action(key)).collect()),
        }
    }

    /// Up to six operations, each with the answer of its moment; some answers are those of other
    /// moments, and some are lost.
    fn history(&mut self) -> Vec<Operation> {
        let mut history: Vec<(u64, Operation)> = Vec::new();
        for _ in 0..1 + self.below(6) {
            let invoked = self.below(12);
            let ended = invoked + self.below(6);
            let moment = 10 * invoked + self.below(10 * (ended - invoked) + 1);
            history.push((moment, operation(invoked, ended, self.call(), None)));
        }
        history.sort_by_key(|(moment, _)| *moment);
        let mut state = State::new([0, 1]);
        for (_, operation) in &mut history {
            match self.below(8) {
                0 => {
                    // In doubt, with an effect or without.
                    if self.below(2) == 0 {
                        let _lost = state.apply(&operation.call);
                    }
                }
                1 => operation.reply = Some(state.clone().apply(&operation.call)),
                _ => operation.reply = Some(state.apply(&operation.call)),
            }
        }
        let mut history: Vec<Operation> = history
            .into_iter()
            .map(|(_, operation)| operation)
            .collect();
        if self.below(2) == 0 {
            // An answer of a state that may never have been.
            let at = self.below(history.len() as u64) as usize;
            let mut state = State::new([0, 1]);
            for key in [0, 1] {
                let put = Change::Put(self.item());
                if self.below(2) == 0 {
                    let put = Call::Write(vec![write(key, Condition::Always, put)]);
                    let _before = state.apply(&put);
                }
            }
            history[at].reply = Some(state.apply(&history[at].call));
        }
        history
    }
}

/// Whether any order of any of the operations that may be left out explains all answers.
fn some_order(history: &[Operation], state: &State, left: &[usize]) -> bool {
    if left.iter().all(|at| history[*at].reply.is_none()) {
        return true;
    }
    left.iter().any(|at| {
        let first = &history[*at];
        let rest: Vec<usize> = left.iter().copied().filter(|other| other != at).collect();
        if rest
            .iter()
            .any(|other| history[*other].ended < first.invoked)
        {
            // What ended before has to come before, or not at all.
            if rest.iter().any(|other| {
                history[*other].ended < first.invoked && history[*other].reply.is_some()
            }) {
                return false;
            }
            let rest: Vec<usize> = rest
                .into_iter()
                .filter(|other| history[*other].ended >= first.invoked)
                .collect();
            return takes(history, state, first, &rest);
        }
        takes(history, state, first, &rest)
    })
}

fn takes(history: &[Operation], state: &State, first: &Operation, rest: &[usize]) -> bool {
    let mut next = state.clone();
    let everything = next.apply(&first.call);
    let explained = match &first.reply {
        Some(reply) => fits(reply, &everything),
        None => true,
    };
    explained && some_order(history, &next, rest)
}

#[test]
fn agrees_with_trying_every_order() {
    let seed = match std::env::var("STATOR_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => 20_261_122,
    };
    println!("STATOR_SEED={seed}");
    let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
    let mut good = 0;
    let count = 30_000;
    for round in 0..count {
        let history = random.history();
        let all: Vec<usize> = (0..history.len()).collect();
        let expected = some_order(&history, &State::new([0, 1]), &all);
        assert_eq!(is_good(&history), expected, "round {round}: {history:#?}");
        good += usize::from(expected);
    }
    assert!(good > count / 10 && good < count - count / 10, "{good}");
}
