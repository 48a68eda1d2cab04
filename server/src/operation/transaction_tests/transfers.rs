//! Many transactions at once on few items.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use super::*;
use crate::operation::property_tests::Random;

const WORKERS: u64 = 8;
const ITEMS: u64 = 20;
/// Per worker. Enough that every pair of items meets, few enough for every test run.
const TRANSFERS: u64 = 400;

fn name(number: u64) -> String {
    format!("item-{number}")
}

/// Counts a worker out, also one that panics.
struct Leaving<'a>(&'a AtomicUsize);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Moves one from an item to another and counts that in both.
fn transfer(from: u64, to: u64) -> Value {
    let update = |number: u64, by: &str| {
        json!({"Update": {"TableName": "items", "Key": key(&name(number)),
            "UpdateExpression": "ADD n :by, times :one",
            "ExpressionAttributeValues": {":by": {"N": by}, ":one": {"N": "1"}}}})
    };
    transaction(&[update(from, "-1"), update(to, "1")])
}

fn number(item: &Value, attribute: &str) -> i64 {
    item[attribute]["N"]
        .as_str()
        .unwrap_or("0")
        .parse()
        .unwrap()
}

/// Panics unless the answer is a cancellation by nothing but conflicts.
fn assert_conflict(answer: Result<Value, (String, Value)>) {
    let reasons = reasons(answer);
    let codes: Vec<&str> = reasons
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["Code"].as_str().unwrap())
        .collect();
    let known = ["None", "TransactionConflict"];
    assert!(codes.iter().all(|code| known.contains(code)), "{codes:?}");
    assert!(codes.contains(&"TransactionConflict"));
}

#[test]
fn transfers_add_up_and_no_read_sees_half_of_one() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = now.as_nanos() as u64;
    println!("seed {seed}");
    let harness = Harness::with_table();
    let successes: Vec<AtomicU64> = (0..ITEMS).map(|_| AtomicU64::new(0)).collect();
    let [conflicts, reads, refused_reads] = [(); 3].map(|()| AtomicU64::new(0));
    let running = AtomicUsize::new(WORKERS as usize);
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (harness, successes, conflicts) = (&harness, &successes, &conflicts);
            let running = &running;
            scope.spawn(move || {
                let _running = Leaving(running);
                let mut random = Random::new(seed, worker);
                for _ in 0..TRANSFERS {
                    let from = random.below(ITEMS as usize) as u64;
                    let to = (from + 1 + random.below(ITEMS as usize - 1) as u64) % ITEMS;
                    match harness.call(TransactWriteItems, &transfer(from, to)) {
                        Ok(_) => {
                            for item in [from, to] {
                                successes[item as usize].fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        answer => {
                            assert_conflict(answer);
                            conflicts.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
        let (harness, running) = (&harness, &running);
        let (reads, refused_reads) = (&reads, &refused_reads);
        scope.spawn(move || {
            let gets: Vec<Value> = (0..ITEMS).map(|item| get(&name(item))).collect();
            loop {
                let last = running.load(Ordering::Relaxed) == 0;
                match harness.call(TransactGetItems, &transaction(&gets)) {
                    Ok(answer) => {
                        let responses = answer["Responses"].as_array().unwrap();
                        let items = responses.iter().map(|one| &one["Item"]);
                        let sum: i64 = items.map(|item| number(item, "n")).sum();
                        assert_eq!(sum, 0, "half of a transaction: {answer}");
                        reads.fetch_add(1, Ordering::Relaxed);
                    }
                    answer => {
                        assert_conflict(answer);
                        refused_reads.fetch_add(1, Ordering::Relaxed);
                    }
                }
                if last {
                    break;
                }
            }
        });
    });
    for (item, successes) in successes.iter().enumerate() {
        let stored = harness.stored(&name(item as u64));
        let expected = successes.load(Ordering::Relaxed) as i64;
        assert_eq!(number(&stored, "times"), expected, "item {item}");
    }
    let succeeded: u64 = successes
        .iter()
        .map(|n| n.load(Ordering::Relaxed))
        .sum::<u64>()
        / 2;
    let conflicts = conflicts.into_inner();
    println!(
        "{succeeded} transfers, {conflicts} conflicts; {reads:?} reads, {refused_reads:?} conflicts"
    );
    assert_eq!(succeeded + conflicts, WORKERS * TRANSFERS);
    assert!(succeeded > 0 && reads.into_inner() > 0);
}
