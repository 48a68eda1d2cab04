//! Streams through the operations: what they show, refuse and keep.

mod lifecycle;
mod records;

use serde_json::{Value, json};

use super::harness::Harness;
use crate::{
    Stator, StatorOptions,
    store::ClockMode,
    wire::Operation::{self, CreateTable, DescribeStream, GetRecords, GetShardIterator},
};

const START_MS: u64 = 1_700_000_000_500;

/// A Stator whose clock is driven.
fn harness() -> Harness {
    let options = StatorOptions {
        clock: ClockMode::Manual {
            start_ms: Some(START_MS),
        },
        ..StatorOptions::default()
    };
    Harness {
        stator: Stator::open(options).unwrap(),
    }
}

/// Makes a table with a stream of one shard, and gives the stream's ARN.
fn table(harness: &Harness, name: &str, view: &str) -> String {
    let created = harness.ok(
        CreateTable,
        json!({
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": view},
        }),
    );
    let arn = &created["TableDescription"]["LatestStreamArn"];
    arn.as_str().unwrap().to_owned()
}

fn shards(harness: &Harness, arn: &str) -> Vec<Value> {
    let described = harness.ok(DescribeStream, json!({"StreamArn": arn}));
    let shards = &described["StreamDescription"]["Shards"];
    shards.as_array().unwrap().clone()
}

/// An iterator of a kind in the shard of a stream that has one.
fn iterator(harness: &Harness, arn: &str, shard: &Value, kind: &str) -> String {
    let answer = harness.ok(
        GetShardIterator,
        json!({
            "StreamArn": arn,
            "ShardId": shard["ShardId"],
            "ShardIteratorType": kind,
        }),
    );
    answer["ShardIterator"].as_str().unwrap().to_owned()
}

/// All records of a stream, parents before children.
fn records(harness: &Harness, arn: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for shard in shards(harness, arn) {
        let mut next = Value::from(iterator(harness, arn, &shard, "TRIM_HORIZON"));
        loop {
            let page = harness.ok(GetRecords, json!({"ShardIterator": next}));
            let found = page["Records"].as_array().unwrap();
            all.extend(found.iter().cloned());
            next = page["NextShardIterator"].clone();
            if found.is_empty() || next.is_null() {
                break;
            }
        }
    }
    all
}

/// Name and message of the error that a request is answered with.
#[track_caller]
fn error(harness: &Harness, operation: Operation, request: Value) -> String {
    let (name, body) = harness.call(operation, &request).unwrap_err();
    format!("{name}: {}", body["message"].as_str().unwrap_or_default())
}

fn advance(harness: &Harness, by_ms: u64) {
    let moved = harness
        .stator
        .move_clock(crate::stator::ClockMove::Advance(by_ms));
    harness.stator.block_on(moved).unwrap().unwrap();
}
