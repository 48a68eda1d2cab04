//! What records are like.

use super::*;
use crate::{
    plan::write::{self, Action, Actor, Write},
    wire::Operation::{
        BatchWriteItem, CreateTable, DeleteItem, PutItem, TransactWriteItems, UpdateItem,
    },
};

/// The changes of the samples in the developer guide ("DynamoDB Streams low-level API").
fn samples(harness: &Harness) {
    let key = json!({"Id": {"N": "101"}});
    harness.ok(
        PutItem,
        json!({"TableName": "Table", "Item": {"Id": {"N": "101"}, "Message": {"S": "New item!"}}}),
    );
    harness.ok(
        UpdateItem,
        json!({
            "TableName": "Table",
            "Key": key,
            "UpdateExpression": "SET Message = :m",
            "ExpressionAttributeValues": {":m": {"S": "This item has changed"}},
        }),
    );
    harness.ok(DeleteItem, json!({"TableName": "Table", "Key": key}));
}

fn numbered(harness: &Harness, view: &str) -> String {
    let created = harness.ok(
        CreateTable,
        json!({
            "TableName": "Table",
            "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "N"}],
            "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": view},
        }),
    );
    let arn = &created["TableDescription"]["LatestStreamArn"];
    arn.as_str().unwrap().to_owned()
}

#[test]
fn records_are_those_of_the_developer_guide() {
    let harness = harness();
    let arn = numbered(&harness, "NEW_AND_OLD_IMAGES");
    samples(&harness);
    let mut found = records(&harness, &arn);
    let mut last = String::new();
    let mut ids = Vec::new();
    for record in &mut found {
        let number = record["dynamodb"]["SequenceNumber"].take();
        let number = number.as_str().unwrap().to_owned();
        assert!(
            (21..=40).contains(&number.len()) && number > last,
            "{number}"
        );
        last = number;
        ids.push(record["eventID"].take());
        assert_eq!(ids.last().unwrap().as_str().unwrap().len(), 32);
    }
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    let (first, second) = (
        json!({"Id": {"N": "101"}, "Message": {"S": "New item!"}}),
        json!({"Id": {"N": "101"}, "Message": {"S": "This item has changed"}}),
    );
    let expected = |event: &str, old: Option<&Value>, new: Option<&Value>, size: u64| {
        let mut record = json!({
            "eventID": null,
            "eventName": event,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_700_000_000.0,
                "Keys": {"Id": {"N": "101"}},
                "SequenceNumber": null,
                "SizeBytes": size,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        });
        for (name, image) in [("OldImage", old), ("NewImage", new)] {
            if let Some(image) = image {
                record["dynamodb"][name] = image.clone();
            }
        }
        record
    };
    let whole = |record: &Value| {
        let time = record["dynamodb"]["ApproximateCreationDateTime"].as_f64();
        assert_eq!(time, Some(1_700_000_000.0));
    };
    found.iter().for_each(whole);
    for record in &mut found {
        record["dynamodb"]["ApproximateCreationDateTime"] = json!(1_700_000_000.0);
    }
    assert_eq!(
        found,
        [
            expected("INSERT", None, Some(&first), 26),
            expected("MODIFY", Some(&first), Some(&second), 59),
            expected("REMOVE", Some(&second), None, 38),
        ]
    );
    let again = records(&harness, &arn);
    let again: Vec<_> = again
        .iter()
        .map(|record| record["eventID"].clone())
        .collect();
    assert_eq!(again, ids, "the same records have the same ids");
}

#[test]
fn each_view_shows_its_images_and_always_the_key() {
    for (view, new, old, sizes) in [
        ("KEYS_ONLY", false, false, [5, 5, 5]),
        ("NEW_IMAGE", true, false, [26, 38, 5]),
        ("OLD_IMAGE", false, true, [5, 26, 38]),
        ("NEW_AND_OLD_IMAGES", true, true, [26, 59, 38]),
    ] {
        let harness = harness();
        let arn = numbered(&harness, view);
        samples(&harness);
        let found = records(&harness, &arn);
        let shown: Vec<_> = found
            .iter()
            .map(|record| {
                let change = &record["dynamodb"];
                assert_eq!(change["Keys"], json!({"Id": {"N": "101"}}));
                assert_eq!(change["StreamViewType"], view);
                let has = |name: &str| change.get(name).is_some();
                (
                    has("NewImage"),
                    has("OldImage"),
                    change["SizeBytes"].as_u64().unwrap(),
                )
            })
            .collect();
        let expected = [
            (new, false, sizes[0]),
            (new, old, sizes[1]),
            (false, old, sizes[2]),
        ];
        assert_eq!(shown, expected, "{view}");
    }
}

fn changes(harness: &Harness, arn: &str) -> Vec<String> {
    let name = |record: &Value| {
        let key = record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap();
        format!("{} {key}", record["eventName"].as_str().unwrap())
    };
    records(harness, arn).iter().map(name).collect()
}

#[test]
fn what_changes_nothing_leaves_no_record() {
    let harness = harness();
    let arn = table(&harness, "Table", "KEYS_ONLY");
    let item = json!({"pk": {"S": "a"}, "n": {"N": "1"}});
    let key = json!({"pk": {"S": "a"}});
    harness.put("Table", &item);
    harness.put("Table", &item);
    let update = |expression: &str| {
        let request = json!({
            "TableName": "Table",
            "Key": key,
            "UpdateExpression": expression,
            "ExpressionAttributeValues": {":n": {"N": "1.0"}},
        });
        harness.ok(UpdateItem, request);
    };
    update("SET n = :n");
    let absent = json!({"TableName": "Table", "Key": {"pk": {"S": "b"}}});
    harness.ok(DeleteItem, absent.clone());
    let condition = json!({
        "TableName": "Table",
        "Item": {"pk": {"S": "a"}},
        "ConditionExpression": "attribute_not_exists(pk)",
    });
    assert!(harness.call(PutItem, &condition).is_err());
    assert_eq!(changes(&harness, &arn), ["INSERT a"]);
}

#[test]
fn batches_and_transactions_leave_a_record_for_each_item() {
    let harness = harness();
    let arn = table(&harness, "Table", "KEYS_ONLY");
    let other = table(&harness, "Other", "KEYS_ONLY");
    let put = |pk: &str| json!({"PutRequest": {"Item": {"pk": {"S": pk}}}});
    harness.ok(
        BatchWriteItem,
        json!({"RequestItems": {"Table": [put("a"), put("b")], "Other": [put("c")]}}),
    );
    harness.ok(
        TransactWriteItems,
        json!({"TransactItems": [
            {"Put": {"TableName": "Table", "Item": {"pk": {"S": "d"}}}},
            {"Delete": {"TableName": "Other", "Key": {"pk": {"S": "c"}}}},
            {"ConditionCheck": {
                "TableName": "Table",
                "Key": {"pk": {"S": "a"}},
                "ConditionExpression": "attribute_exists(pk)",
            }},
            {"Update": {
                "TableName": "Table",
                "Key": {"pk": {"S": "b"}},
                "UpdateExpression": "SET n = :n",
                "ExpressionAttributeValues": {":n": {"N": "1"}},
            }},
        ]}),
    );
    assert_eq!(
        changes(&harness, &arn),
        ["INSERT a", "INSERT b", "INSERT d", "MODIFY b"]
    );
    assert_eq!(changes(&harness, &other), ["INSERT c", "REMOVE c"]);
}

#[test]
fn deletions_of_the_service_say_so() {
    let harness = harness();
    let arn = table(&harness, "Table", "KEYS_ONLY");
    harness.put("Table", &json!({"pk": {"S": "a"}}));
    let stator = &harness.stator;
    let found = stator.table(&stator.context(), "Table").unwrap();
    let item = crate::item::ItemBuilder::new()
        .with("pk", crate::item::Value::string("a"))
        .build();
    let key = found.item_key(item.as_ref()).unwrap();
    let write = Write {
        table: found,
        key,
        condition: None,
        action: Action::Delete,
    };
    let done = write::run(stator.store(), [write].into(), Actor::TimeToLive);
    stator.block_on(done).unwrap().unwrap();
    let found = records(&harness, &arn);
    assert_eq!(found[0].get("userIdentity"), None);
    assert_eq!(
        found[1]["userIdentity"],
        json!({"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"})
    );
}

#[test]
fn pages_end_at_a_thousand_records_a_megabyte_or_the_limit() {
    let harness = harness();
    let arn = table(&harness, "Table", "NEW_IMAGE");
    let small = |n: usize| json!({"pk": {"S": format!("{n:04}")}});
    for n in 0..1_001 {
        harness.put("Table", &small(n));
    }
    let shard = &shards(&harness, &arn)[0];
    let start = iterator(&harness, &arn, shard, "TRIM_HORIZON");
    let page = |iterator: &Value, limit: Option<u64>| {
        let mut request = json!({"ShardIterator": iterator});
        if let Some(limit) = limit {
            request["Limit"] = json!(limit);
        }
        let page = harness.ok(GetRecords, request);
        let count = page["Records"].as_array().unwrap().len();
        (count, page["NextShardIterator"].clone())
    };
    let (count, next) = page(&start.clone().into(), None);
    assert_eq!(count, 1_000);
    let (count, next) = page(&next, None);
    assert_eq!(count, 1);
    assert_eq!(page(&next, None).0, 0);
    assert_eq!(page(&start.clone().into(), Some(7)).0, 7);
    let too_many = json!({"ShardIterator": start, "Limit": 1_001});
    assert!(
        harness
            .refused(GetRecords, too_many)
            .contains("less than or equal to 1000")
    );

    let large = |pk: &str| json!({"pk": {"S": pk}, "v": {"S": "x".repeat(390 * 1024)}});
    for pk in ["a", "b", "c"] {
        harness.put("Table", &large(pk));
    }
    let (count, next) = page(&next, None);
    assert_eq!(count, 2, "the third would be beyond a megabyte");
    assert_eq!(page(&next, None).0, 1);
}
