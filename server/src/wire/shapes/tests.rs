use serde_json::{Value as Json, json};

use super::*;

#[test]
fn a_wrong_value_waits_for_the_operation() {
    let body = br#"{"TableName": "abc", "Item": {"a": {"N": "x"}}, "Unknown": [1, {"a": 2}]}"#;
    let input = PutItemInput::from_json(body).unwrap();
    assert_eq!(input.table_name.as_deref(), Some("abc"));
    assert!(input.item.unwrap().get().is_err());
}

#[test]
fn nulls_are_absent_unknown_members_ignored_and_the_last_of_two_counts() {
    let body = br#"{"TableName": "first", "Limit": null, "X": {"a": [1]}, "TableName": "second"}"#;
    let input = QueryInput::from_json(body).unwrap();
    assert_eq!(
        input,
        QueryInput {
            table_name: Some("second".to_owned()),
            ..Default::default()
        }
    );
}

#[test]
fn answers_leave_out_what_is_none() {
    let mut writer = Writer::new();
    let capacity = ConsumedCapacity {
        table_name: Some("abc".to_owned()),
        capacity_units: Some(1.0),
        global_secondary_indexes: Some(vec![(
            "by\"year".to_owned(),
            Capacity {
                capacity_units: Some(0.5),
                ..Default::default()
            },
        )]),
        ..Default::default()
    };
    PutItemOutput {
        consumed_capacity: Some(capacity),
        ..Default::default()
    }
    .encode(&mut writer);
    let expected = json!({"ConsumedCapacity": {
        "TableName": "abc",
        "CapacityUnits": 1.0,
        "GlobalSecondaryIndexes": {"by\"year": {"CapacityUnits": 0.5}},
    }});
    assert_eq!(
        serde_json::from_slice::<Json>(writer.as_bytes()).unwrap(),
        expected
    );
}

#[test]
fn a_write_request_is_written_as_it_was_read() {
    let body = br#"{"RequestItems":{"abc":[{"PutRequest":{"Item":{"a":{"S":"x"}}}}]}}"#;
    let input = BatchWriteItemInput::from_json(body).unwrap();
    let mut writer = Writer::new();
    let unprocessed_items = input.request_items;
    BatchWriteItemOutput {
        unprocessed_items,
        ..Default::default()
    }
    .encode(&mut writer);
    let expected = br#"{"UnprocessedItems":{"abc":[{"PutRequest":{"Item":{"a":{"S":"x"}}}}]}}"#;
    assert_eq!(writer.as_bytes(), expected);
}
