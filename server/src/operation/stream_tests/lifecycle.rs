//! Enabling and disabling, shards, iterators, trimming.

use super::*;
use crate::{
    streams::{RETENTION_MS, SHARD_LIFE_MS},
    wire::Operation::{DeleteTable, DescribeTable, ListStreams, UpdateTable},
};

const MINUTE: u64 = 60_000;

fn specify(harness: &Harness, specification: Value) -> Result<Value, String> {
    let request = json!({"TableName": "Table", "StreamSpecification": specification});
    harness
        .call(UpdateTable, &request)
        .map_err(|(name, body)| format!("{name}: {}", body["message"].as_str().unwrap_or_default()))
}

fn status(harness: &Harness, arn: &str) -> String {
    let described = harness.ok(DescribeStream, json!({"StreamArn": arn}));
    let status = &described["StreamDescription"]["StreamStatus"];
    status.as_str().unwrap().to_owned()
}

#[test]
fn a_stream_is_enabled_disabled_and_enabled_anew() {
    let harness = harness();
    let first = table(&harness, "Table", "NEW_IMAGE");
    assert_eq!(
        first,
        "arn:aws:dynamodb:us-east-1:000000000000:table/Table/stream/2023-11-14T22:13:20.500"
    );
    let describe = || harness.ok(DescribeTable, json!({"TableName": "Table"}))["Table"].take();
    let described = describe();
    assert_eq!(described["LatestStreamLabel"], "2023-11-14T22:13:20.500");
    assert_eq!(
        described["StreamSpecification"],
        json!({"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"})
    );
    harness.put("Table", &json!({"pk": {"S": "a"}}));
    assert_eq!(
        specify(
            &harness,
            json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"})
        ),
        Err(
            "ValidationException: Table already has an enabled stream: TableName: Table".to_owned()
        )
    );
    let invalid = |specification| specify(&harness, specification).unwrap_err();
    assert!(invalid(json!({"StreamEnabled": true})).contains("UpdateViewType is required"));
    let both = json!({"StreamEnabled": false, "StreamViewType": "NEW_IMAGE"});
    assert!(invalid(both).contains("UpdateViewType must not be specified"));

    let answer = specify(&harness, json!({"StreamEnabled": false})).unwrap();
    assert_eq!(answer["TableDescription"]["TableStatus"], "UPDATING");
    let described = describe();
    assert_eq!(described.get("StreamSpecification"), None);
    assert_eq!(described["LatestStreamArn"], *first);
    assert_eq!(status(&harness, &first), "DISABLED");
    harness.put("Table", &json!({"pk": {"S": "b"}}));
    let keys = |arn: &str| -> Vec<String> {
        let key = |record: &Value| record["dynamodb"]["Keys"]["pk"]["S"].to_string();
        records(&harness, arn).iter().map(key).collect()
    };
    assert_eq!(keys(&first), ["\"a\""]);
    assert_eq!(
        invalid(json!({"StreamEnabled": false})),
        "ValidationException: Table has no stream to disable: TableName: Table"
    );

    // In the same millisecond: it still has a label of its own.
    let answer = specify(
        &harness,
        json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}),
    );
    let second = answer.unwrap()["TableDescription"]["LatestStreamArn"].take();
    let second = second.as_str().unwrap();
    assert!(
        second.ends_with("/stream/2023-11-14T22:13:20.501"),
        "{second}"
    );
    harness.put("Table", &json!({"pk": {"S": "c"}}));
    assert_eq!(keys(&first), ["\"a\""]);
    assert_eq!(keys(second), ["\"c\""]);
    let listed = harness.ok(ListStreams, json!({"TableName": "Table", "Limit": 1}));
    assert_eq!(listed["Streams"][0]["StreamArn"], *first);
    assert_eq!(listed["LastEvaluatedStreamArn"], *first);
    let listed = harness.ok(
        ListStreams,
        json!({"TableName": "Table", "ExclusiveStartStreamArn": first}),
    );
    assert_eq!(
        listed,
        json!({"Streams": [{
            "StreamArn": second,
            "TableName": "Table",
            "StreamLabel": "2023-11-14T22:13:20.501",
        }]})
    );

    advance(&harness, RETENTION_MS);
    let gone = error(&harness, DescribeStream, json!({"StreamArn": first}));
    assert_eq!(
        gone,
        format!(
            "ResourceNotFoundException: Requested resource not found: Stream: {first} not found"
        )
    );
    assert_eq!(status(&harness, second), "ENABLED");
}

#[test]
fn a_stream_outlives_its_table_for_a_day() {
    let harness = harness();
    let arn = table(&harness, "Table", "KEYS_ONLY");
    harness.put("Table", &json!({"pk": {"S": "a"}}));
    harness.ok(DeleteTable, json!({"TableName": "Table"}));
    assert_eq!(status(&harness, &arn), "DISABLED");
    assert_eq!(records(&harness, &arn).len(), 1);
    let again = table(&harness, "Table", "KEYS_ONLY");
    assert_ne!(again, arn);
    assert_eq!(records(&harness, &again).len(), 0);
    advance(&harness, RETENTION_MS);
    let listed = harness.ok(ListStreams, json!({}));
    assert_eq!(listed["Streams"].as_array().unwrap().len(), 1);
    let unknown = error(&harness, ListStreams, json!({"TableName": "Unknown"}));
    assert!(
        unknown.starts_with("ResourceNotFoundException"),
        "{unknown}"
    );
}

#[test]
fn shards_roll_every_four_hours_and_children_are_found_by_their_parent() {
    let harness = harness();
    let arn = table(&harness, "Table", "KEYS_ONLY");
    harness.put("Table", &json!({"pk": {"S": "a"}}));
    let before = shards(&harness, &arn);
    assert_eq!(before.len(), 1);
    assert_eq!(before[0].get("ParentShardId"), None);
    let range = &before[0]["SequenceNumberRange"];
    assert_eq!(range.get("EndingSequenceNumber"), None);
    let open = iterator(&harness, &arn, &before[0], "TRIM_HORIZON");
    advance(&harness, SHARD_LIFE_MS);
    let after = shards(&harness, &arn);
    assert_eq!(after.len(), 2);
    assert_eq!(after[1]["ParentShardId"], before[0]["ShardId"]);
    let ending = after[0]["SequenceNumberRange"]["EndingSequenceNumber"].as_str();
    let starting = after[1]["SequenceNumberRange"]["StartingSequenceNumber"].as_str();
    assert!(ending.unwrap() < starting.unwrap());
    let children = |shard: &Value| {
        let filter = json!({"Type": "CHILD_SHARDS", "ShardId": shard["ShardId"]});
        let request = json!({"StreamArn": arn, "ShardFilter": filter});
        harness.ok(DescribeStream, request)["StreamDescription"]["Shards"].take()
    };
    assert_eq!(children(&after[0]), json!([after[1]]));
    assert_eq!(children(&after[1]), json!([]));
    let page = harness.ok(DescribeStream, json!({"StreamArn": arn, "Limit": 1}));
    let page = &page["StreamDescription"];
    assert_eq!(page["Shards"], json!([after[0]]));
    assert_eq!(page["LastEvaluatedShardId"], after[0]["ShardId"]);
    let rest = json!({"StreamArn": arn, "ExclusiveStartShardId": page["LastEvaluatedShardId"]});
    let rest = harness.ok(DescribeStream, rest);
    let rest = &rest["StreamDescription"];
    assert_eq!(rest["Shards"], json!([after[1]]));
    assert_eq!(rest.get("LastEvaluatedShardId"), None);

    // Four hours are more than an iterator lives.
    let expired = error(&harness, GetRecords, json!({"ShardIterator": open}));
    assert!(expired.starts_with("ExpiredIteratorException"), "{expired}");
    let fresh = iterator(&harness, &arn, &after[0], "TRIM_HORIZON");
    let page = harness.ok(GetRecords, json!({"ShardIterator": fresh}));
    assert_eq!(page["Records"].as_array().unwrap().len(), 1);
    assert_eq!(
        page.get("NextShardIterator"),
        None,
        "the end of a closed shard"
    );
}

#[test]
fn iterators_begin_where_they_are_told() {
    let harness = harness();
    let arn = table(&harness, "Table", "KEYS_ONLY");
    for n in 0..4 {
        harness.put("Table", &json!({"pk": {"S": n.to_string()}}));
        advance(&harness, 1_000);
    }
    let shard = &shards(&harness, &arn)[0];
    let request = |kind: &str, more: Value| {
        let mut request = json!({
            "StreamArn": arn,
            "ShardId": shard["ShardId"],
            "ShardIteratorType": kind,
        });
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        request
    };
    let keys = |kind: &str, more: Value| -> String {
        let iterator = harness.ok(GetShardIterator, request(kind, more))["ShardIterator"].take();
        let page = harness.ok(GetRecords, json!({"ShardIterator": iterator}));
        let found = page["Records"].as_array().unwrap().iter();
        found
            .map(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap())
            .collect()
    };
    let all = records(&harness, &arn);
    let second = &all[1]["dynamodb"]["SequenceNumber"];
    assert_eq!(keys("TRIM_HORIZON", json!({})), "0123");
    assert_eq!(keys("LATEST", json!({})), "");
    assert_eq!(
        keys("AT_SEQUENCE_NUMBER", json!({"SequenceNumber": second})),
        "123"
    );
    assert_eq!(
        keys("AFTER_SEQUENCE_NUMBER", json!({"SequenceNumber": second})),
        "23"
    );
    let seconds = |after: f64| json!({"Timestamp": START_MS as f64 / 1000.0 + after});
    assert_eq!(keys("AT_TIMESTAMP", seconds(-1_000_000.0)), "0123");
    assert_eq!(keys("AT_TIMESTAMP", seconds(1.0)), "123");
    assert_eq!(keys("AT_TIMESTAMP", seconds(1.5)), "23");
    assert_eq!(keys("AT_TIMESTAMP", seconds(1_000_000.0)), "");

    let latest = iterator(&harness, &arn, shard, "LATEST");
    harness.put("Table", &json!({"pk": {"S": "4"}}));
    let page = harness.ok(GetRecords, json!({"ShardIterator": latest}));
    assert_eq!(page["Records"].as_array().unwrap().len(), 1);

    for kind in [
        "AT_SEQUENCE_NUMBER",
        "AFTER_SEQUENCE_NUMBER",
        "AT_TIMESTAMP",
    ] {
        harness.refused(GetShardIterator, request(kind, json!({})));
    }
    let foreign = json!({"SequenceNumber": "000000000000000000001"});
    harness.refused(GetShardIterator, request("AT_SEQUENCE_NUMBER", foreign));
    let mut no_shard = request("LATEST", json!({}));
    no_shard["ShardId"] = json!("shardId-00000000000000000000-00000000");
    assert_eq!(
        error(&harness, GetShardIterator, no_shard),
        "ResourceNotFoundException: Requested resource not found: Shard does not exist"
    );
    harness.refused(GetRecords, json!({"ShardIterator": "nonsense"}));
    harness.refused(
        DescribeStream,
        json!({"StreamArn": "arn:aws:dynamodb:us-east-1:000000000000:table/Table"}),
    );
}

#[test]
fn an_iterator_lives_for_fifteen_minutes_and_reading_renews_it() {
    let harness = harness();
    let arn = table(&harness, "Table", "KEYS_ONLY");
    let shard = &shards(&harness, &arn)[0];
    let first = iterator(&harness, &arn, shard, "LATEST");
    advance(&harness, 15 * MINUTE);
    let page = harness.ok(GetRecords, json!({"ShardIterator": first}));
    advance(&harness, 1);
    let expired = error(&harness, GetRecords, json!({"ShardIterator": first}));
    assert!(expired.starts_with("ExpiredIteratorException"), "{expired}");
    harness.ok(
        GetRecords,
        json!({"ShardIterator": page["NextShardIterator"]}),
    );
}

#[test]
fn what_is_a_day_old_is_trimmed() {
    let harness = harness();
    let arn = table(&harness, "Table", "KEYS_ONLY");
    harness.put("Table", &json!({"pk": {"S": "old"}}));
    advance(&harness, 2 * 60 * MINUTE);
    harness.put("Table", &json!({"pk": {"S": "new"}}));
    advance(&harness, RETENTION_MS - 2 * 60 * MINUTE);
    let all = records(&harness, &arn);
    assert_eq!(all.len(), 2);
    let oldest = &shards(&harness, &arn)[0];
    let waiting = iterator(&harness, &arn, oldest, "TRIM_HORIZON");
    advance(&harness, 1);
    let left = records(&harness, &arn);
    assert_eq!(left, all[1..]);
    let trimmed = "TrimmedDataAccessException: The data you are trying to access has been trimmed";
    assert_eq!(
        error(&harness, GetRecords, json!({"ShardIterator": waiting})),
        trimmed
    );
    let request = json!({
        "StreamArn": arn,
        "ShardId": oldest["ShardId"],
        "ShardIteratorType": "AT_SEQUENCE_NUMBER",
        "SequenceNumber": all[0]["dynamodb"]["SequenceNumber"],
    });
    assert_eq!(error(&harness, GetShardIterator, request), trimmed);
    advance(&harness, 2 * RETENTION_MS);
    assert_eq!(records(&harness, &arn).len(), 0);
    assert_eq!(shards(&harness, &arn).len(), 1, "the open one");
}

#[test]
fn shards_are_split_on_demand() {
    let harness = harness();
    let arn = table(&harness, "Table", "KEYS_ONLY");
    let split = |shard: Option<&str>| {
        let split = harness.stator.split_shards(&arn, shard.map(str::to_owned));
        harness
            .stator
            .block_on(split)
            .unwrap()
            .map_err(|error| error.message())
    };
    assert_eq!(split(None), Ok(1));
    assert_eq!(split(None), Ok(2));
    let all = shards(&harness, &arn);
    assert_eq!(all.len(), 7);
    let closed = all[0]["ShardId"].as_str().unwrap();
    assert!(split(Some(closed)).is_err());
    let open = all[6]["ShardId"].as_str().unwrap();
    assert_eq!(split(Some(open)), Ok(1));
    assert_eq!(shards(&harness, &arn).len(), 9);
}

#[test]
fn a_table_with_more_capacity_has_more_shards() {
    let harness = harness();
    let arn = table(&harness, "Table", "KEYS_ONLY");
    assert_eq!(shards(&harness, &arn).len(), 1);
    harness.ok(
        UpdateTable,
        json!({
            "TableName": "Table",
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 3000},
        }),
    );
    let all = shards(&harness, &arn);
    let is_open = |shard: &&Value| {
        shard["SequenceNumberRange"]
            .get("EndingSequenceNumber")
            .is_none()
    };
    assert_eq!(all.iter().filter(is_open).count(), 4);
    assert_eq!(all.len(), 7, "one, its two halves, and theirs");
}

#[test]
fn streams_and_their_records_are_there_after_a_crash() {
    let machine = crate::store::Simulation::new(11);
    let storage = || crate::store::Storage::Env(machine.env(), "/data".into());
    let harness = Harness::on(storage());
    let arn = table(&harness, "Table", "NEW_AND_OLD_IMAGES");
    for n in 0..20 {
        harness.put(
            "Table",
            &json!({"pk": {"S": (n % 7).to_string()}, "n": {"N": n.to_string()}}),
        );
    }
    let before = records(&harness, &arn);
    assert_eq!(before.len(), 20);
    machine.crash();
    drop(harness);
    let harness = Harness::on(storage());
    assert_eq!(records(&harness, &arn), before);
    harness.put("Table", &json!({"pk": {"S": "0"}}));
    let after = records(&harness, &arn);
    assert_eq!(after[..20], before);
    assert_eq!(after[20]["eventName"], "MODIFY");
}
