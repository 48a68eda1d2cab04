//! Batches, transactions and pages: how much one request may ask for.

use serde_json::{Value, json};

use super::{check, least, most, violation, x};
use crate::wire::Operation::{self, *};

const BATCH_WRITE: &str = "API reference, BatchWriteItem";
const BATCH_GET: &str = "API reference, BatchGetItem";
const MODEL: &str = "API model";

fn keys(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| json!({"pk": {"S": n.to_string()}}))
        .collect()
}

fn puts(count: usize) -> Vec<Value> {
    let put = |key| json!({"PutRequest": {"Item": key}});
    keys(count).into_iter().map(put).collect()
}

fn each(count: usize, action: fn(Value) -> Value) -> Value {
    let actions: Vec<Value> = keys(count).into_iter().map(action).collect();
    json!({ "TransactItems": actions })
}

fn scan(parameters: Value) -> (Operation, Value) {
    let mut request = json!({"TableName": "hash"});
    for (name, value) in parameters.as_object().into_iter().flatten() {
        request[name] = value.clone();
    }
    (Scan, request)
}

#[test]
fn batches() {
    check([
        most(
            "writes of a batch to one table",
            BATCH_WRITE,
            25,
            |n| (BatchWriteItem, json!({"RequestItems": {"hash": puts(n)}})),
            "…at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: \
             [Member must have length less than or equal to 25, Member must have length greater \
             than or equal to 1]",
        ),
        most(
            "writes of a batch to two tables",
            BATCH_WRITE,
            25,
            |n| {
                let other = json!({"PutRequest":
                    {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}}});
                let items = json!({"hash": puts(n - 1), "indexed": [other]});
                (BatchWriteItem, json!({ "RequestItems": items }))
            },
            "Too many items requested for the BatchWriteItem call",
        ),
        most(
            "keys of a batch for one table",
            BATCH_GET,
            100,
            |n| {
                (
                    BatchGetItem,
                    json!({"RequestItems": {"hash": {"Keys": keys(n)}}}),
                )
            },
            "1 validation error detected: Value at 'RequestItems.hash.member.Keys' failed to \
             satisfy constraint: Member must have length less than or equal to 100",
        ),
        least(
            "keys of a batch for one table",
            BATCH_GET,
            1,
            |n| {
                (
                    BatchGetItem,
                    json!({"RequestItems": {"hash": {"Keys": keys(n)}}}),
                )
            },
            "1 validation error detected: Value at 'RequestItems.hash.member.Keys' failed to \
             satisfy constraint: Member must have length greater than or equal to 1",
        ),
        most(
            "keys of a batch for two tables",
            BATCH_GET,
            100,
            |n| {
                let other = json!({"Keys": [{"pk": {"S": "a"}, "sk": {"S": "b"}}]});
                let items = json!({"hash": {"Keys": keys(n - 1)}, "indexed": other});
                (BatchGetItem, json!({ "RequestItems": items }))
            },
            "Too many items requested for the BatchGetItem call",
        ),
    ]);
}

#[test]
fn transactions() {
    check([
        most(
            "actions of a transaction",
            "API reference, TransactWriteItems",
            100,
            |n| {
                let put = |key| json!({"Put": {"TableName": "hash", "Item": key}});
                (TransactWriteItems, each(n, put))
            },
            violation("length less than or equal to 100"),
        ),
        most(
            "items of a transactional read",
            "API reference, TransactGetItems",
            100,
            |n| {
                let get = |key| json!({"Get": {"TableName": "hash", "Key": key}});
                (TransactGetItems, each(n, get))
            },
            violation("length less than or equal to 100"),
        ),
        most(
            "ClientRequestToken, characters",
            MODEL,
            36,
            |n| {
                let put = |key| json!({"Put": {"TableName": "hash", "Item": key}});
                let mut request = each(1, put);
                request["ClientRequestToken"] = x(n).into();
                (TransactWriteItems, request)
            },
            violation("length less than or equal to 36"),
        ),
    ]);
}

#[test]
fn pages() {
    check([
        least(
            "Limit of Scan",
            MODEL,
            1,
            |n| scan(json!({ "Limit": n })),
            violation("value greater than or equal to 1"),
        ),
        least(
            "Limit of Query",
            MODEL,
            1,
            |n| {
                (
                    Query,
                    json!({"TableName": "hash", "KeyConditionExpression": "pk = :v", "Limit": n,
                           "ExpressionAttributeValues": {":v": {"S": "here"}}}),
                )
            },
            "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member \
             must have value greater than or equal to 1",
        ),
        most(
            "TotalSegments",
            "API reference, Scan",
            1_000_000,
            |n| scan(json!({"TotalSegments": n, "Segment": 0})),
            "1 validation error detected: Value '1000001' at 'totalSegments' failed to satisfy \
             constraint: Member must have value less than or equal to 1000000",
        ),
        most(
            "Segment",
            "API reference, Scan",
            999_999,
            |n| scan(json!({"TotalSegments": 1_000_000, "Segment": n})),
            "1 validation error detected: Value '1000000' at 'segment' failed to satisfy \
             constraint: Member must have value less than or equal to 999999",
        ),
        least(
            "AttributesToGet",
            MODEL,
            1,
            |n| {
                let names: Vec<String> = (0..n).map(|n| format!("a{n}")).collect();
                scan(json!({ "AttributesToGet": names }))
            },
            violation("length greater than or equal to 1"),
        ),
        most(
            "Limit of ListTables",
            "API reference, ListTables",
            100,
            |n| (ListTables, json!({ "Limit": n })),
            violation("value less than or equal to 100"),
        ),
    ]);
}

/// ListTables gives 100 names where it is not told how many.
#[test]
fn names_of_a_page() {
    let harness = super::tables();
    for n in 0..99 {
        harness.table(&format!("table{n:02}"), &[], &[], &[]);
    }
    let first = harness.ok(ListTables, json!({}));
    assert_eq!(first["TableNames"].as_array().unwrap().len(), 100);
    let last = &first["LastEvaluatedTableName"];
    let rest = harness.ok(ListTables, json!({"ExclusiveStartTableName": last}));
    assert_eq!(rest["TableNames"], json!(["table98"]));
}
