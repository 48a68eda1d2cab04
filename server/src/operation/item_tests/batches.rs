//! BatchGetItem and BatchWriteItem.

use serde_json::{Value, json};

use crate::{
    operation::harness::Harness,
    wire::Operation::{BatchGetItem, BatchWriteItem},
};

fn two_tables() -> Harness {
    let harness = Harness::new();
    harness.table("one", &[], &[], &[]);
    harness.table("two", &["sk"], &[], &[]);
    harness
}

fn put(key: &str) -> Value {
    json!({"PutRequest": {"Item": {"pk": {"S": key}}}})
}

#[test]
fn writes_and_reads_over_several_tables() {
    let harness = two_tables();
    let answer = harness.ok(
        BatchWriteItem,
        json!({"RequestItems": {
            "one": [put("a"), put("b")],
            "two": [{"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"S": "1"}}}}],
        }, "ReturnConsumedCapacity": "TOTAL"}),
    );
    assert_eq!(answer["UnprocessedItems"], json!({}));
    assert_eq!(
        answer["ConsumedCapacity"],
        json!([{"TableName": "one", "CapacityUnits": 2.0},
               {"TableName": "two", "CapacityUnits": 1.0}])
    );
    harness.ok(
        BatchWriteItem,
        json!({"RequestItems": {"one": [{"DeleteRequest": {"Key": {"pk": {"S": "b"}}}}]}}),
    );
    let answer = harness.ok(
        BatchGetItem,
        json!({"RequestItems": {
            "one": {"Keys": [{"pk": {"S": "b"}}, {"pk": {"S": "a"}}], "ConsistentRead": true},
            "two": {"Keys": [{"pk": {"S": "a"}, "sk": {"S": "1"}}], "ProjectionExpression": "sk"},
        }, "ReturnConsumedCapacity": "TOTAL"}),
    );
    assert_eq!(
        answer,
        json!({
            "Responses": {"one": [{"pk": {"S": "a"}}], "two": [{"sk": {"S": "1"}}]},
            "UnprocessedKeys": {},
            "ConsumedCapacity": [{"TableName": "one", "CapacityUnits": 2.0},
                                 {"TableName": "two", "CapacityUnits": 0.5}],
        })
    );
}

#[test]
fn a_batch_names_no_item_twice_and_is_all_or_nothing_in_its_checks() {
    let harness = two_tables();
    let duplicates = "Provided list of item keys contains duplicates";
    let writes = json!([put("a"), {"DeleteRequest": {"Key": {"pk": {"S": "a"}}}}]);
    assert_eq!(
        harness.refused(BatchWriteItem, json!({"RequestItems": {"one": writes}})),
        duplicates
    );
    let key = json!({"pk": {"S": "a"}});
    assert_eq!(
        harness.refused(
            BatchGetItem,
            json!({"RequestItems": {"one": {"Keys": [key, key]}}})
        ),
        duplicates
    );
    let bad = json!([put("a"), {"PutRequest": {"Item": {"pk": {"N": "5"}}}}]);
    assert_eq!(
        harness.refused(BatchWriteItem, json!({"RequestItems": {"one": bad}})),
        "The provided key element does not match the schema"
    );
    let answer = harness.ok(
        BatchGetItem,
        json!({"RequestItems": {"one": {"Keys": [key]}}}),
    );
    assert_eq!(answer["Responses"], json!({"one": []}));
}

#[test]
fn more_than_16_mb_are_left_unprocessed() {
    let harness = two_tables();
    let payload = "x".repeat(400_000);
    let keys: Vec<Value> = (0..50)
        .map(|n| json!({"pk": {"S": format!("{n}")}}))
        .collect();
    for key in &keys {
        let mut item = key.clone();
        item["d"] = json!({"S": payload});
        harness.put("one", &item);
    }
    let request = json!({"Keys": keys, "ProjectionExpression": "pk"});
    let mut answer = harness.ok(BatchGetItem, json!({"RequestItems": {"one": request}}));
    let first = answer["Responses"]["one"].as_array().unwrap().len();
    assert_eq!(
        first, 42,
        "16 MB of items of 400,004 bytes, and the one that crosses the line"
    );
    let left = answer["UnprocessedKeys"].take();
    assert_eq!(left["one"]["Keys"].as_array().unwrap().len(), 50 - first);
    assert_eq!(left["one"]["ProjectionExpression"], json!("pk"));
    let answer = harness.ok(BatchGetItem, json!({"RequestItems": left}));
    assert_eq!(
        answer["Responses"]["one"].as_array().unwrap().len(),
        50 - first
    );
    assert_eq!(answer["UnprocessedKeys"], json!({}));
}

#[test]
fn limits_count_over_all_tables() {
    let harness = two_tables();
    let keys = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|n| json!({"pk": {"S": format!("{n}")}, "sk": {"S": ""}}))
            .collect()
    };
    assert_eq!(
        harness.refused(
            BatchGetItem,
            json!({"RequestItems": {"one": {"Keys": keys(60)}, "two": {"Keys": keys(60)}}})
        ),
        "Too many items requested for the BatchGetItem call"
    );
    let puts = |count: usize| -> Vec<Value> { (0..count).map(|n| put(&n.to_string())).collect() };
    assert_eq!(
        harness.refused(
            BatchWriteItem,
            json!({"RequestItems": {"one": puts(20), "two": puts(20)}})
        ),
        "Too many items requested for the BatchWriteItem call"
    );
}
