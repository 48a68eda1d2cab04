//! Requests, one after the other, on a Stator in memory that has a table with indexes: the first
//! byte of each line chooses the operation, the rest is its body.
//!
//! No answer is a failure of ours, every answer is JSON, and in the end the indexes hold exactly
//! the items of the table that have the index's keys.

use std::collections::BTreeSet;

use stator::item::{Item, Kind};
use stator::operation::{SERVED, dispatch};
use stator::wire::json::Reader;
use stator::wire::shapes::ScanInput;
use stator::wire::{Error, Operation};
use stator::{Stator, StatorOptions};

const TABLE: &str = r#"{"TableName": "Music", "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"},
        {"AttributeName": "t", "AttributeType": "S"}, {"AttributeName": "y", "AttributeType": "N"}],
    "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"},
        {"AttributeName": "t", "KeyType": "RANGE"}],
    "LocalSecondaryIndexes": [{"IndexName": "local", "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"},
            {"AttributeName": "y", "KeyType": "RANGE"}]}],
    "GlobalSecondaryIndexes": [{"IndexName": "global", "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [{"AttributeName": "y", "KeyType": "HASH"}]}]}"#;

/// Requests of one input: each costs some ten microseconds.
const MOST_REQUESTS: usize = 64;

pub(crate) fn run(input: &[u8]) {
    let stator = Stator::open(StatorOptions::default()).expect("memory does not fail");
    request(&stator, Operation::CreateTable, TABLE.as_bytes()).expect("a good table");
    for line in input.split(|byte| *byte == b'\n').take(MOST_REQUESTS) {
        if let Some((first, body)) = line.split_first() {
            let operation = SERVED[usize::from(*first) % SERVED.len()];
            if let Err(error) = request(&stator, operation, body) {
                assert_eq!(error.status(), 400, "{operation}: {error:?}");
            }
        }
    }
    if let Some(items) = scan(&stator, None) {
        let indexed: BTreeSet<Vec<u8>> = items
            .into_iter()
            .filter(|item| item.get("y").is_some_and(|year| year.kind() == Kind::N))
            .map(bytes)
            .collect();
        for index in ["local", "global"] {
            if let Some(entries) = scan(&stator, Some(index)) {
                let entries: BTreeSet<Vec<u8>> = entries.into_iter().map(bytes).collect();
                assert!(entries == indexed, "index {index} is not that of the table");
            }
        }
    }
    stator.close().expect("memory does not fail");
}

fn bytes(item: Item) -> Vec<u8> {
    item.into_bytes().to_vec()
}

fn request(stator: &Stator, operation: Operation, body: &[u8]) -> Result<(), Error> {
    let context = stator.context();
    let answer = stator.block_on(dispatch(stator, &context, operation, body))??;
    if !answer.is_empty() {
        let mut reader = Reader::new(&answer);
        assert!(reader.skip().is_ok() && reader.finish().is_ok());
    }
    Ok(())
}

/// All items of the table or an index; `None` if there is no such table or index any more, or it is
/// another one.
fn scan(stator: &Stator, index: Option<&str>) -> Option<Vec<Item>> {
    let context = stator.context();
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let input = ScanInput {
            table_name: Some("Music".to_owned()),
            index_name: index.map(str::to_owned),
            exclusive_start_key: start,
            ..ScanInput::default()
        };
        let page = stator.block_on(stator.scan(&context, input)).ok()?.ok()?;
        items.extend(page.items.unwrap_or_default());
        match page.last_evaluated_key {
            Some(key) => start = Some(key.into()),
            None => return Some(items),
        }
    }
}
