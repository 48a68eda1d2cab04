//! The requests of the workloads, prepared beforehand: what is measured is the server, and making JSON would
//! be most of what the client does.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stator_bench::source::{Draft, Source};

use crate::workload::Bodies;

/// The table of all workloads but the scans.
pub(crate) const TABLE: &str = "end_to_end";
/// The table that is scanned.
pub(crate) const SCANNED: &str = "end_to_end_scan";
/// Items that are read and written one by one.
pub(crate) const ITEMS: usize = 1000;
/// Items of the partition that is queried.
const OF_A_PARTITION: usize = 100;
/// Items of the table that is scanned: a page of 1 MB ends before them.
const OF_A_SCAN: usize = 2000;

/// Requests of one operation, one after the other and again from the first.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) operation: &'static str,
    bodies: Bodies,
    next: usize,
}

impl Prepared {
    pub(crate) fn new(operation: &'static str, bodies: Vec<String>) -> Self {
        Self {
            operation,
            bodies: bodies.into_iter().map(String::into_bytes).collect(),
            next: 0,
        }
    }
}

impl Source for Prepared {
    fn draft(&mut self, body: &mut Vec<u8>) -> Option<Draft> {
        body.extend_from_slice(self.bodies.get(self.next)?);
        self.next = (self.next + 1) % self.bodies.len();
        Some(Draft {
            kind: 0,
            target: 0,
            batch: false,
            follows: false,
            inserts: false,
            record: 0,
        })
    }

    fn follow(&mut self, _: &mut Draft, _: &mut Vec<u8>) {}

    fn over(&mut self, _: &Draft) {}
}

fn key(number: usize) -> Value {
    json!({"pk": {"S": format!("user#{number:08}")}, "sk": {"S": format!("{number}")}})
}

/// An item of 1 KiB in 12 attributes. `content` makes them differ.
fn item_at(partition: &str, sort: &str, content: usize) -> Value {
    let text = format!("{content:08}").repeat(12);
    let fields = (0..10).map(|field| (format!("field{field}"), text.clone()));
    let keys = [("pk", partition), ("sk", sort)].map(|(name, value)| (name.into(), value.into()));
    let all = keys.into_iter().chain(fields);
    all.map(|(name, value)| (name, json!({"S": value})))
        .collect()
}

/// One of the items that are read and written one by one.
fn item(number: usize, version: usize) -> Value {
    let partition = format!("user#{number:08}");
    item_at(&partition, &number.to_string(), number + version * ITEMS)
}

pub(crate) fn get(number: usize) -> String {
    json!({"TableName": TABLE, "Key": key(number)}).to_string()
}

/// Two puts of each item in turn, of this version and the next, so that each changes what is there.
pub(crate) fn puts(version: usize) -> Vec<String> {
    let numbers = (0..2 * ITEMS).map(|n| (n % ITEMS, version + n / ITEMS));
    numbers
        .map(|(number, version)| {
            json!({"TableName": TABLE, "Item": item(number, version)}).to_string()
        })
        .collect()
}

pub(crate) fn update(number: usize) -> String {
    json!({
        "TableName": TABLE, "Key": key(number), "UpdateExpression": "ADD visits :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    })
    .to_string()
}

pub(crate) fn query() -> String {
    json!({
        "TableName": TABLE, "Limit": 25, "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "partition"}},
    })
    .to_string()
}

pub(crate) fn batch_get(first: usize) -> String {
    let keys: Vec<Value> = (first..first + 25).map(key).collect();
    json!({"RequestItems": {TABLE: {"Keys": keys}}}).to_string()
}

/// Two neighbours each, of this version and the next in turn.
pub(crate) fn transactions(version: usize) -> Vec<String> {
    let put = |number, version| json!({"Put": {"TableName": TABLE, "Item": item(number, version)}});
    let firsts = (0..ITEMS).map(|n| (2 * n % ITEMS, version + 2 * n / ITEMS));
    firsts
        .map(|(number, version)| {
            json!({"TransactItems": [put(number, version), put(number + 1, version)]}).to_string()
        })
        .collect()
}

pub(crate) fn scan() -> String {
    json!({"TableName": SCANNED}).to_string()
}

/// Everything that the workloads expect to be there, as bodies of BatchWriteItem.
pub(crate) fn data() -> Vec<Value> {
    let of_a_partition = |number| {
        let sort = format!("{number:04}");
        (TABLE, item_at("partition", &sort, number))
    };
    let all: Vec<(&str, Value)> = (0..ITEMS)
        .map(|number| (TABLE, item(number, 1)))
        .chain((0..OF_A_PARTITION).map(of_a_partition))
        .chain((0..OF_A_SCAN).map(|number| (SCANNED, item(number, 0))))
        .collect();
    let batches = all.chunks(25).map(|chunk| {
        let mut tables: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for (table, item) in chunk {
            let put = json!({"PutRequest": {"Item": item}});
            tables.entry(table).or_default().push(put);
        }
        json!({"RequestItems": tables})
    });
    batches.collect()
}
