//! The 24 tests of the May reference (`nubo-db/dynamodb-conformance`) that pin an older wording: what
//! us-east-1 answers today, and what the reference has. With `--wording older` all of its 601 tests
//! are met.

use serde_json::json;

use super::{INVALID, Record, check, differs, one, same, wrapped};
use crate::wire::Operation::*;

const EMPTY_NAME_NEW: &str = "1 validation error detected: Value at 'TableName' failed to satisfy \
     constraint: Member must have length greater than or equal to 1";
const EMPTY_NAME_OLD: &str = "1 validation error detected: Value '' at 'tableName' failed to satisfy \
     constraint: Member must have length greater than or equal to 1";
const CAPACITY: &str = "Value 'INVALID' at 'returnConsumedCapacity' failed to satisfy constraint: \
     Member must satisfy enum value set: [INDEXES, TOTAL, NONE]";
const METRICS: &str = "Value 'INVALID' at 'returnItemCollectionMetrics' failed to satisfy \
     constraint: Member must satisfy enum value set: [SIZE, NONE]";
const VALUES_NEW: &str = "Failed to satisfy constraint: Member must satisfy enum value set: \
     [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]";
const VALUES_OLD: &str = "Value 'INVALID' at 'returnValues' failed to satisfy constraint: Member \
     must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]";

/// In the order of the list in the module's first line: `tier3/error-messages`.
fn messages() -> Vec<Record> {
    let put = |more| {
        super::with(
            &json!({"TableName": "hash", "Item": {"pk": {"S": "t"}}}),
            more,
        )
    };
    let update = |more| {
        super::with(
            &json!({"TableName": "hash", "Key": {"pk": {"S": "t"}}}),
            more,
        )
    };
    let value = json!({":v": {"S": "val"}});
    vec![
        differs(
            "batchGetItem, empty RequestItems: splits.json, \
             batch-get-item-empty-request-items-message",
            BatchGetItem,
            json!({"RequestItems": {}}),
            one(
                "Value at 'RequestItems' failed to satisfy constraint: Member must have length \
                 greater than or equal to 1",
            ),
            "The requestItems parameter is required for BatchGetItem",
        ),
        differs(
            "putItem, ExpressionAttributeValues without expression: captures, b_put_eav_no_expr",
            PutItem,
            put(json!({"ExpressionAttributeValues": {":v": {"S": "unused"}}})),
            one("ExpressionAttributeValues can only be specified when using expressions"),
            "ExpressionAttributeValues can only be specified when using expressions: \
             ConditionExpression is null",
        ),
        wrapped(
            "putItem, NULL attr with false: captures/2026-10-07-batch-empty-request-items.json, \
             nullRoundTrip",
            PutItem,
            put(json!({"Item": {"pk": {"S": "t"}, "attr1": {"NULL": false}}})),
            format!("{INVALID}Null attribute value types must have the value of true"),
        ),
        differs(
            "putItem, duplicate values in SS: captures, b_put_dup_ss",
            PutItem,
            put(json!({"Item": {"pk": {"S": "t"}, "bad": {"SS": ["a", "a"]}}})),
            one(format!(
                "{INVALID}Input collection [\"a\", \"a\"] contains duplicates."
            )),
            format!("{INVALID}Input collection [a, a] contains duplicates."),
        ),
        wrapped(
            "putItem, empty number set: captures, b_put_empty_ns",
            PutItem,
            put(json!({"Item": {"pk": {"S": "t"}, "bad": {"NS": []}}})),
            format!("{INVALID}An number set  may not be empty"),
        ),
        wrapped(
            "putItem, empty string set: captures, b_put_empty_ss",
            PutItem,
            put(json!({"Item": {"pk": {"S": "t"}, "bad": {"SS": []}}})),
            format!("{INVALID}An string set  may not be empty"),
        ),
        differs(
            "putItem, empty table name: minimum length 1: captures, s_put_table_empty",
            PutItem,
            put(json!({"TableName": ""})),
            EMPTY_NAME_NEW,
            EMPTY_NAME_OLD,
        ),
        wrapped(
            "putItem, mixing expression and non-expression: captures, b_put_mix_expr",
            PutItem,
            put(json!({"Expected": {"pk": {"Exists": false}},
                       "ConditionExpression": "attribute_not_exists(pk)"})),
            "Can not use both expression and non-expression parameters in the same request: \
             Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
        ),
        // Four Regions' Scan has crossed to the newer layer since September 2026 (eu-central-1,
        // us-west-1, ap-northeast-2 and eu-west-2), and us-east-1 is among the 29 that still answer
        // as in May.
        same(
            "scan, Limit of 0: error-messages/scan, of registry row scan-limit-zero-message",
            Scan,
            json!({"TableName": "hash", "Limit": 0}),
            one(
                "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater \
                 than or equal to 1",
            ),
        ),
        same(
            "scan, Segment >= TotalSegments: error-messages/scan, of registry row \
             scan-segment-out-of-range-message",
            Scan,
            json!({"TableName": "hash", "Segment": 5, "TotalSegments": 5}),
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: \
             Segment: 5 is not less than TotalSegments: 5",
        ),
        wrapped(
            "updateItem, empty UpdateExpression: captures, u_upd_empty",
            UpdateItem,
            update(json!({"UpdateExpression": ""})),
            "Invalid UpdateExpression: The expression can not be empty;",
        ),
        wrapped(
            "updateItem, invalid UpdateExpression syntax: captures, u_upd_syntax",
            UpdateItem,
            update(json!({"UpdateExpression": "INVALID SYNTAX HERE",
                          "ExpressionAttributeValues": value})),
            "Invalid UpdateExpression: Syntax error; token: \"INVALID\", near: \"INVALID SYNTAX\"",
        ),
        wrapped(
            "updateItem, missing ExpressionAttributeValues reference: captures, u_upd_missing_eav",
            UpdateItem,
            update(json!({"UpdateExpression": "SET attr1 = :v"})),
            "Invalid UpdateExpression: An expression attribute value used in expression is not \
             defined; attribute value: :v",
        ),
        wrapped(
            "updateItem, mixing UpdateExpression with AttributeUpdates: captures, u_upd_mix",
            UpdateItem,
            update(
                json!({"UpdateExpression": "SET attr1 = :v", "ExpressionAttributeValues": value,
                          "AttributeUpdates": {"attr1": {"Value": {"S": "val"}, "Action": "PUT"}}}),
            ),
            "Can not use both expression and non-expression parameters in the same request: \
             Non-expression parameters: {AttributeUpdates} Expression parameters: \
             {UpdateExpression}",
        ),
        wrapped(
            "updateItem, unused ExpressionAttributeNames: captures, u_upd_unused_ean",
            UpdateItem,
            update(
                json!({"UpdateExpression": "SET attr1 = :v", "ExpressionAttributeValues": value,
                          "ExpressionAttributeNames": {"#unused": "someattr"}}),
            ),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}",
        ),
        wrapped(
            "updateItem, unused ExpressionAttributeValues: captures, u_upd_unused_eav",
            UpdateItem,
            update(json!({"UpdateExpression": "SET attr1 = :v",
                          "ExpressionAttributeValues": {":v": {"S": "val"},
                                                        ":unused": {"S": "extra"}}})),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:unused}",
        ),
    ]
}

/// The same for `tier3/validation-ordering`.
fn ordering() -> Vec<Record> {
    let two =
        |first: &str, second: &str| format!("2 validation errors detected: {first}; {second}");
    let three =
        |values: &str| format!("3 validation errors detected: {CAPACITY}; {values}; {METRICS}");
    let enums = json!({"TableName": "valid_table_name", "ReturnValues": "INVALID",
                       "ReturnConsumedCapacity": "INVALID"});
    let key = json!({"Key": {"pk": {"S": "test"}}});
    vec![
        differs(
            "batchOperations, BatchGetItem rejects empty RequestItems: splits.json, \
             batch-get-item-empty-request-items-message",
            BatchGetItem,
            json!({"RequestItems": {}}),
            one(
                "Value at 'RequestItems' failed to satisfy constraint: Member must have length \
                 greater than or equal to 1",
            ),
            "The requestItems parameter is required for BatchGetItem",
        ),
        differs(
            "deleteItem, empty TableName reports only tableName constraint: captures, \
             o_del_empty_table",
            DeleteItem,
            json!({"TableName": "", "Key": {}}),
            EMPTY_NAME_NEW,
            EMPTY_NAME_OLD,
        ),
        differs(
            "deleteItem, reports invalid ReturnValues and invalid ReturnConsumedCapacity together: \
             captures, o_del_two_bad_enums",
            DeleteItem,
            super::with(&enums, key.clone()),
            two(CAPACITY, VALUES_NEW),
            two(CAPACITY, VALUES_OLD),
        ),
        differs(
            "putItem, empty TableName reports tableName constraint (stops early): captures, \
             o_put_empty_table_empty_item",
            PutItem,
            json!({"TableName": "", "Item": {}}),
            EMPTY_NAME_NEW,
            EMPTY_NAME_OLD,
        ),
        differs(
            "putItem, empty TableName with invalid ReturnValues reports only tableName: \
             splits.json, put-item-validation-error-aggregation",
            PutItem,
            json!({"TableName": "", "ReturnValues": "INVALID", "Item": {}}),
            EMPTY_NAME_NEW,
            two(
                VALUES_OLD,
                "Value '' at 'tableName' failed to satisfy constraint: Member must have length \
                 greater than or equal to 1",
            ),
        ),
        differs(
            "putItem, reports invalid ReturnConsumedCapacity, ReturnItemCollectionMetrics, and \
             ReturnValues together: captures, o_put_three_bad_enums",
            PutItem,
            super::with(
                &enums,
                json!({"Item": {"pk": {"S": "test"}},
                                       "ReturnItemCollectionMetrics": "INVALID"}),
            ),
            three(VALUES_NEW),
            three(VALUES_OLD),
        ),
        differs(
            "updateItem, empty TableName reports only tableName constraint: captures, \
             o_upd_empty_table",
            UpdateItem,
            json!({"TableName": "", "Key": {}}),
            EMPTY_NAME_NEW,
            EMPTY_NAME_OLD,
        ),
        differs(
            "updateItem, reports invalid ReturnValues and invalid ReturnConsumedCapacity together: \
             splits.json, update-item-validation-error-aggregation",
            UpdateItem,
            super::with(&enums, key),
            one(VALUES_NEW),
            two(CAPACITY, VALUES_OLD),
        ),
    ]
}

#[test]
fn the_24_that_are_worded_anew() {
    let (messages, ordering) = (messages(), ordering());
    assert_eq!((messages.len(), ordering.len()), (16, 8));
    check(messages.into_iter().chain(ordering));
}
