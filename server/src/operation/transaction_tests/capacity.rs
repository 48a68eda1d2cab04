//! What transactions cost, and `ItemCollectionMetrics`.

use super::*;
use crate::{
    table::Projection,
    wire::Operation::{self, PutItem},
};

/// An item of `size` bytes, with a name of one byte and the attribute `x`.
fn sized(name: &str, size: usize) -> Value {
    put(name, json!({"x": {"S": "x".repeat(size - 4)}}))
}

#[track_caller]
fn consumed(harness: &Harness, operation: Operation, items: &[Value], kind: &str) -> Value {
    let mut request = transaction(items);
    request["ReturnConsumedCapacity"] = kind.into();
    harness.ok(operation, request)["ConsumedCapacity"].clone()
}

fn total(units: f64) -> Value {
    json!([{"TableName": "items", "CapacityUnits": units, "WriteCapacityUnits": units}])
}

/// Developer guide, "Capacity management for transactions": two writes of each item. A check costs
/// what a write does (paritysuite/dynamodb-conformance, pull request 67), and what is deleted or
/// checked counts by the item that is there (nubo-db/dynoxide, pull request 188).
#[test]
fn writes_cost_double() {
    let harness = Harness::with_table();
    let write = |items: &[Value]| consumed(&harness, TransactWriteItems, items, "TOTAL");
    assert_eq!(
        write(&[put("a", json!({})), put("b", json!({}))]),
        total(4.0)
    );
    assert_eq!(write(&[sized("a", 1536)]), total(4.0));
    assert_eq!(
        write(&[when(sized("b", 10), "attribute_exists(pk)")]),
        total(2.0)
    );
    assert_eq!(write(&[check("a", "attribute_exists(pk)")]), total(4.0));
    assert_eq!(write(&[delete("a"), delete("c")]), total(6.0));
    let answer = harness.ok(TransactWriteItems, transaction(&[delete("a")]));
    assert_eq!(answer, json!({}), "it was not asked for");
}

#[test]
fn reads_cost_double_also_of_what_is_not_there() {
    let harness = Harness::with_table();
    harness.write(&[sized("a", 4097), sized("b", 4096)]);
    let units = |units: f64| {
        json!([{"TableName": "items", "CapacityUnits": units, "ReadCapacityUnits": units,
            "Table": {"CapacityUnits": units, "ReadCapacityUnits": units}}])
    };
    let read = |items: &[Value]| consumed(&harness, TransactGetItems, items, "INDEXES");
    assert_eq!(read(&[get("a"), get("b")]), units(6.0));
    assert_eq!(read(&[get("missing")]), units(2.0));
}

/// The double counts for the table alone (nubo-db/dynoxide, pull request 188, as measured on AWS).
#[test]
fn indexes_cost_what_they_cost_without_a_transaction() {
    let harness = Harness::with_table();
    harness.table(
        "others",
        &[],
        &[],
        &[("index", &["kind"], &[], Projection::All)],
    );
    let put = |other: &str| json!({"Put": {"TableName": "others", "Item": item("a", json!({"kind": {"S": other}}))}});
    let check = check("a", "attribute_not_exists(pk)");
    harness.write(&[put("x")]);
    let answer = consumed(&harness, TransactWriteItems, &[put("y"), check], "INDEXES");
    let part = |units: f64| json!({"CapacityUnits": units, "WriteCapacityUnits": units});
    assert_eq!(
        answer,
        json!([
            {"TableName": "others", "CapacityUnits": 4.0, "WriteCapacityUnits": 4.0,
             "Table": part(2.0), "GlobalSecondaryIndexes": {"index": part(2.0)}},
            {"TableName": "items", "CapacityUnits": 2.0, "WriteCapacityUnits": 2.0,
             "Table": part(2.0)},
        ])
    );
}

#[test]
fn each_collection_that_is_modified_is_listed_once() {
    let harness = Harness::with_table();
    let projection = Projection::KeysOnly;
    harness.table(
        "others",
        &["sk"],
        &[("l", &["pk"], &["kind"], projection)],
        &[],
    );
    let of = |pk: &str, sk: &str| json!({"pk": {"S": pk}, "sk": {"S": sk}});
    let mut request = transaction(&[
        put("a", json!({})),
        json!({"Put": {"TableName": "others", "Item": of("a", "1")}}),
        json!({"Delete": {"TableName": "others", "Key": of("a", "2")}}),
        json!({"Put": {"TableName": "others", "Item": of("b", "1")}}),
        json!({"ConditionCheck": {"TableName": "others", "Key": of("c", "1"),
            "ConditionExpression": "attribute_not_exists(pk)"}}),
    ]);
    request["ReturnItemCollectionMetrics"] = "SIZE".into();
    let answer = harness.ok(TransactWriteItems, request);
    let collection = |pk: &str| json!({"ItemCollectionKey": {"pk": {"S": pk}}, "SizeEstimateRangeGB": [0.0, 1.0]});
    assert_eq!(
        answer,
        json!({"ItemCollectionMetrics": {"others": [collection("a"), collection("b")]}})
    );
}

/// paritysuite/dynamodb-conformance, issue 69.
#[test]
fn only_transactions_say_whose_units_they_are() {
    let harness = Harness::with_table();
    let request =
        json!({"TableName": "items", "Item": key("a"), "ReturnConsumedCapacity": "TOTAL"});
    let answer = harness.ok(PutItem, request);
    assert_eq!(
        answer["ConsumedCapacity"],
        json!({"TableName": "items", "CapacityUnits": 1.0})
    );
}
