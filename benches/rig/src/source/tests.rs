//! The six core workloads, counted: the shares of operations, which records they are for, and how
//! many records there are.

use std::collections::HashMap;

use serde_json::Value;

use super::*;
use crate::distribution::{ZIPFIAN_CONSTANT, Zipfian, hash};
use crate::workload::preset;

const JOBS: u64 = 40_000;
const RECORDS: u64 = 1000;

/// One job, read back from what would be sent.
struct Seen {
    operation: &'static str,
    follow: Option<&'static str>,
    key: String,
    limit: u64,
}

fn workload(letter: char) -> Workload {
    let (mix, distribution) = preset(letter).unwrap();
    Workload {
        mix,
        distribution,
        operations: Some(JOBS),
        ..Workload::default()
    }
}

/// All jobs of a run, each over before the next one is drawn; and how many records there are then.
fn all(workload: &Workload) -> (Vec<Seen>, u64) {
    let records = Arc::new(Records::new(workload.records));
    let budget = Budget::new(workload.operations);
    let shared = Arc::clone(&records);
    let mut generator = Generator::new(workload.clone(), shared, budget, 11, 0, 1);
    let mut seen = Vec::new();
    let mut body = Vec::new();
    while let Some(mut draft) = generator.draft(&mut body) {
        let request: Value = serde_json::from_slice(&body).unwrap();
        let operation = OPERATIONS[draft.target];
        body.clear();
        let key = match operation {
            "GetItem" => &request["Key"],
            "UpdateItem" => &request["Key"],
            "PutItem" => &request["Item"],
            "Query" => &request["ExpressionAttributeValues"],
            other => panic!("{other} is in no core workload"),
        };
        let name = ["sk", "pk", ":s"].iter().find_map(|name| key.get(name));
        let key = name.unwrap()["S"].as_str().unwrap().to_owned();
        let follow = draft.follows.then(|| {
            generator.follow(&mut draft, &mut body);
            let second: Value = serde_json::from_slice(&body).unwrap();
            body.clear();
            assert_eq!(
                second["Key"]["pk"]["S"], key,
                "the second request is for the same record"
            );
            OPERATIONS[draft.target]
        });
        generator.over(&draft);
        seen.push(Seen {
            operation,
            follow,
            key,
            limit: request["Limit"].as_u64().unwrap_or(0),
        });
    }
    (seen, records.present())
}

fn share(seen: &[Seen], operation: &str, follow: Option<&str>) -> f64 {
    let counted = seen
        .iter()
        .filter(|job| job.operation == operation && job.follow == follow);
    counted.count() as f64 / seen.len() as f64
}

/// The numbers of the records, by their keys.
fn numbers(present: u64) -> HashMap<String, u64> {
    (0..present)
        .map(|record| (format!("user{}", hash(record)), record))
        .collect()
}

/// `workloads/workloada` to `workloadf` of YCSB: the proportions, to a quarter of a percent or five
/// standard deviations.
#[test]
fn operations_have_the_shares_of_the_core_workloads() {
    type Shares = &'static [(&'static str, Option<&'static str>, f64)];
    const UPDATE: Option<&str> = Some("UpdateItem");
    let truths: [(char, Shares); 6] = [
        ('a', &[("GetItem", None, 0.5), ("UpdateItem", None, 0.5)]),
        ('b', &[("GetItem", None, 0.95), ("UpdateItem", None, 0.05)]),
        ('c', &[("GetItem", None, 1.0)]),
        ('d', &[("GetItem", None, 0.95), ("PutItem", None, 0.05)]),
        ('e', &[("Query", None, 0.95), ("PutItem", None, 0.05)]),
        ('f', &[("GetItem", None, 0.5), ("GetItem", UPDATE, 0.5)]),
    ];
    for (letter, shares) in truths {
        let (seen, present) = all(&workload(letter));
        assert_eq!(seen.len() as u64, JOBS, "{letter}");
        let mut inserted = 0.0;
        for (operation, follow, truth) in shares {
            let found = share(&seen, operation, *follow);
            assert!(
                (found - truth).abs() < 0.0125,
                "{letter} {operation}: {found}"
            );
            if *operation == "PutItem" {
                inserted = found;
            }
        }
        let added = (inserted * JOBS as f64).round() as u64;
        assert_eq!(
            present,
            RECORDS + added,
            "{letter}: every insert adds a record"
        );
    }
}

/// A, B, C and F: scrambled zipfian over 1,000 records. The most popular rank of the ten thousand
/// million has 1 / 26.469 of the requests; records are what the ranks hash to.
#[test]
fn popular_records_are_those_of_ycsb() {
    for letter in ['a', 'b', 'c', 'f'] {
        let (seen, _) = all(&workload(letter));
        let numbers = numbers(RECORDS);
        let mut counts: HashMap<u64, u64> = HashMap::new();
        for job in &seen {
            *counts.entry(numbers[&job.key]).or_default() += 1;
        }
        // Each rank's share goes to the record that it hashes to; those behind are spread evenly.
        for rank in 0..2u64 {
            let record = hash(rank) % RECORDS;
            let own = ((rank + 1) as f64).powf(-ZIPFIAN_CONSTANT) / 26.469_028_2;
            let found = counts[&record] as f64 / JOBS as f64;
            assert!(
                found > own - 0.004 && found < own + 0.005,
                "{letter} {rank}: {found} {own}"
            );
        }
        assert!(
            counts.len() > 950,
            "{letter}: {} of the records",
            counts.len()
        );
    }
}

/// D: the newest records are the likeliest, by a zipfian of their age.
#[test]
fn the_latest_records_are_read_most() {
    let workload = workload('d');
    let (seen, present) = all(&workload);
    let numbers = numbers(present);
    let mut there = RECORDS;
    let (mut newest, mut reads) = (0.0, 0.0);
    for job in &seen {
        let record = numbers[&job.key];
        if job.operation == "PutItem" {
            assert_eq!(record, there, "records are inserted one after the other");
            there += 1;
        } else {
            assert!(record < there, "nothing is read before it is there");
            reads += 1.0;
            newest += f64::from(u8::from(record == there - 1));
        }
    }
    let mut random = Random::new(5, 0);
    let mut zipfian = Zipfian::new(2000, ZIPFIAN_CONSTANT);
    let first = (0..JOBS)
        .filter(|_| zipfian.rank(&mut random, 2000) == 0)
        .count();
    let truth = first as f64 / JOBS as f64;
    let found = newest / reads;
    assert!((found / truth - 1.0).abs() < 0.12, "{found} {truth}");
}

/// E: scans of 1 to 100 records, all lengths equally likely.
#[test]
fn scans_have_the_lengths_of_ycsb() {
    let (seen, _) = all(&workload('e'));
    let scans: Vec<u64> = seen
        .iter()
        .filter(|job| job.operation == "Query")
        .map(|job| job.limit)
        .collect();
    assert!(scans.iter().all(|limit| (1..=100).contains(limit)));
    let mean = scans.iter().sum::<u64>() as f64 / scans.len() as f64;
    assert!((mean - 50.5).abs() < 1.0, "{mean}");
    assert_eq!(
        scans.iter().collect::<std::collections::HashSet<_>>().len(),
        100
    );
}

/// The load puts `recordcount` records, each once, with the keys that the run then asks for.
#[test]
fn the_load_puts_every_record_once() {
    let workload = Workload {
        records: 1010,
        ..workload('a')
    };
    let next = Arc::new(AtomicU64::new(0));
    let mut found = HashMap::new();
    for worker in 0..2 {
        let mut loader = Loader::new(workload.clone(), Arc::clone(&next), 1, worker);
        let mut body = Vec::new();
        // The first worker takes some, the second the rest.
        for _ in 0..if worker == 0 { 7 } else { usize::MAX } {
            if loader.draft(&mut body).is_none() {
                break;
            }
            let request: Value = serde_json::from_slice(&body).unwrap();
            body.clear();
            let puts = request["RequestItems"]["stator-bench"].as_array().unwrap();
            assert!(puts.len() <= 25);
            for put in puts {
                let key = put["PutRequest"]["Item"]["pk"]["S"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                *found.entry(key).or_insert(0u32) += 1;
            }
        }
    }
    assert_eq!(found.len(), 1010);
    assert!(found.values().all(|times| *times == 1));
    assert!(numbers(1010).keys().all(|key| found.contains_key(key)));
}

#[test]
fn a_budget_is_shared_and_ends() {
    let budget = Budget::new(Some(3));
    assert_eq!((0..5).filter(|_| budget.take()).count(), 3);
    assert!(Budget::new(None).take());
}
