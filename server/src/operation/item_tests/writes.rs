//! PutItem, GetItem, UpdateItem, DeleteItem.

use serde_json::json;

use crate::{
    operation::harness::Harness,
    table::Projection,
    wire::Operation::{DeleteItem, GetItem, PutItem, UpdateItem},
};

fn plain() -> Harness {
    let harness = Harness::new();
    harness.table("plain", &[], &[], &[]);
    harness
}

fn indexed() -> Harness {
    let harness = Harness::new();
    harness.table(
        "indexed",
        &["sk"],
        &[("local", &["pk"], &["l"], Projection::KeysOnly)],
        &[("global", &["g"], &["n"], Projection::All)],
    );
    harness
}

#[test]
fn what_is_put_is_got() {
    let harness = plain();
    let item = json!({
        "pk": {"S": "a"}, "n": {"N": "1.50"}, "l": {"L": [{"BOOL": true}, {"NULL": true}]},
        "m": {"M": {"x": {"B": "AAEC"}}}, "s": {"SS": ["b", "a"]},
    });
    harness.put("plain", &item);
    let answer = harness.ok(
        GetItem,
        json!({"TableName": "plain", "Key": {"pk": {"S": "a"}}}),
    );
    let got = &answer["Item"];
    assert_eq!(got["n"], json!({"N": "1.5"}));
    assert_eq!(got["l"], item["l"]);
    assert_eq!(got["m"], item["m"]);
    assert_eq!(got["s"], json!({"SS": ["a", "b"]}));
    let answer = harness.ok(
        GetItem,
        json!({"TableName": "plain", "Key": {"pk": {"S": "b"}}}),
    );
    assert_eq!(answer, json!({}));
    let answer = harness.ok(
        GetItem,
        json!({"TableName": "plain", "Key": {"pk": {"S": "a"}}, "ProjectionExpression": "m.x, #n",
               "ExpressionAttributeNames": {"#n": "n"}}),
    );
    assert_eq!(
        answer["Item"],
        json!({"m": {"M": {"x": {"B": "AAEC"}}}, "n": {"N": "1.5"}})
    );
}

#[test]
fn writes_return_what_they_are_asked_for() {
    let harness = plain();
    let key = json!({"pk": {"S": "a"}});
    let put = |item, returns: &str| {
        harness.ok(
            PutItem,
            json!({"TableName": "plain", "Item": item, "ReturnValues": returns}),
        )
    };
    let first = json!({"pk": {"S": "a"}, "x": {"N": "1"}, "y": {"S": "keep"}});
    assert_eq!(put(first.clone(), "ALL_OLD"), json!({}));
    assert_eq!(put(first.clone(), "ALL_OLD"), json!({"Attributes": first}));
    let update = |returns: &str| {
        harness.ok(
            UpdateItem,
            json!({"TableName": "plain", "Key": key, "ReturnValues": returns,
                   "UpdateExpression": "SET x = x + :one REMOVE z",
                   "ExpressionAttributeValues": {":one": {"N": "1"}}}),
        )
    };
    assert_eq!(update("NONE"), json!({}));
    assert_eq!(
        update("UPDATED_OLD"),
        json!({"Attributes": {"x": {"N": "2"}}})
    );
    assert_eq!(
        update("UPDATED_NEW"),
        json!({"Attributes": {"x": {"N": "4"}}})
    );
    assert_eq!(update("ALL_OLD")["Attributes"]["x"], json!({"N": "4"}));
    let last = json!({"pk": {"S": "a"}, "x": {"N": "6"}, "y": {"S": "keep"}});
    assert_eq!(update("ALL_NEW"), json!({"Attributes": last}));
    let delete = || {
        harness.ok(
            DeleteItem,
            json!({"TableName": "plain", "Key": key, "ReturnValues": "ALL_OLD"}),
        )
    };
    assert_eq!(delete(), json!({"Attributes": last}));
    assert_eq!(delete(), json!({}));
}

#[test]
fn a_failed_condition_changes_nothing_and_shows_the_item_if_asked() {
    let harness = plain();
    let item = json!({"pk": {"S": "a"}, "v": {"N": "1"}});
    harness.put("plain", &item);
    for show in [false, true] {
        let mut request = json!({
            "TableName": "plain", "Item": {"pk": {"S": "a"}, "v": {"N": "2"}},
            "ConditionExpression": "attribute_not_exists(pk)",
        });
        if show {
            request["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
        }
        let (name, body) = harness.call(PutItem, &request).unwrap_err();
        assert_eq!(name, "ConditionalCheckFailedException");
        assert_eq!(body["message"], json!("The conditional request failed"));
        assert_eq!(body.get("Item"), show.then_some(&item));
    }
    let answer = harness.ok(
        GetItem,
        json!({"TableName": "plain", "Key": {"pk": {"S": "a"}}}),
    );
    assert_eq!(answer["Item"], item);
}

#[test]
fn an_update_makes_an_item_unless_it_only_removes() {
    let harness = plain();
    for (expression, made) in [
        ("REMOVE a", false),
        ("SET a = :v", true),
        ("ADD a :v", true),
    ] {
        let key = json!({"pk": {"S": expression}});
        let mut request = json!({"TableName": "plain", "Key": key, "UpdateExpression": expression});
        if made {
            request["ExpressionAttributeValues"] = json!({":v": {"N": "1"}});
        }
        harness.ok(UpdateItem, request);
        let answer = harness.ok(GetItem, json!({"TableName": "plain", "Key": key}));
        assert_eq!(answer.get("Item").is_some(), made, "{expression}");
    }
    let key = json!({"pk": {"S": "nothing"}});
    harness.ok(UpdateItem, json!({"TableName": "plain", "Key": key}));
    let answer = harness.ok(GetItem, json!({"TableName": "plain", "Key": key}));
    assert_eq!(answer["Item"], key);
}

#[test]
fn legacy_parameters_work_and_do_not_mix() {
    let harness = plain();
    harness.ok(
        UpdateItem,
        json!({"TableName": "plain", "Key": {"pk": {"S": "a"}},
               "AttributeUpdates": {"x": {"Action": "ADD", "Value": {"N": "5"}}},
               "Expected": {"x": {"Exists": false}}}),
    );
    let answer = harness.ok(
        GetItem,
        json!({"TableName": "plain", "Key": {"pk": {"S": "a"}}, "AttributesToGet": ["x"]}),
    );
    assert_eq!(answer["Item"], json!({"x": {"N": "5"}}));
    assert_eq!(
        harness.refused(
            PutItem,
            json!({"TableName": "plain", "Item": {"pk": {"S": "a"}},
                   "Expected": {"pk": {"Exists": false}},
                   "ConditionExpression": "attribute_not_exists(pk)"})
        ),
        "1 validation error detected: Can not use both expression and non-expression parameters in \
         the same request: Non-expression parameters: {Expected} Expression parameters: \
         {ConditionExpression}"
    );
}

#[test]
fn the_item_size_ends_at_400_kb() {
    let harness = plain();
    let item = |size: usize| json!({"pk": {"S": "a"}, "d": {"S": "x".repeat(size - 4)}});
    harness.put("plain", &item(409_600));
    assert_eq!(
        harness.refused(
            PutItem,
            json!({"TableName": "plain", "Item": item(409_601)})
        ),
        "Item size has exceeded the maximum allowed size"
    );
    assert_eq!(
        harness.refused(
            UpdateItem,
            json!({"TableName": "plain", "Key": {"pk": {"S": "a"}},
                   "UpdateExpression": "SET e = :e",
                   "ExpressionAttributeValues": {":e": {"S": ""}}})
        ),
        "Item size to update has exceeded the maximum allowed size"
    );
}

#[test]
fn keys_and_index_keys_are_checked() {
    let harness = indexed();
    for (item, message) in [
        (
            json!({"pk": {"S": "a"}}),
            "One or more parameter values were invalid: Missing the key sk in the item",
        ),
        (
            json!({"pk": {"S": "a"}, "sk": {"S": "b"}, "g": {"N": "1"}}),
            "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S \
             Actual: N IndexName: global",
        ),
    ] {
        assert_eq!(
            harness.refused(PutItem, json!({"TableName": "indexed", "Item": item})),
            message
        );
    }
    let key = json!({"pk": {"S": "a"}, "sk": {"S": "b"}});
    let update = |attribute: &str, value| {
        json!({"TableName": "indexed", "Key": key,
               "UpdateExpression": format!("SET {attribute} = :v"),
               "ExpressionAttributeValues": {":v": value}})
    };
    assert_eq!(
        harness.refused(UpdateItem, update("sk", json!({"S": "c"}))),
        "One or more parameter values were invalid: Cannot update attribute sk. This attribute is \
         part of the key"
    );
    assert_eq!(
        harness.refused(UpdateItem, update("g", json!({"S": ""}))),
        "One or more parameter values are not valid. The update expression attempted to update a \
         secondary index key to a value that is not supported. The AttributeValue for a key \
         attribute cannot contain an empty string value."
    );
    assert_eq!(
        harness.refused(
            GetItem,
            json!({"TableName": "indexed", "Key": {"pk": {"S": "a"}}})
        ),
        "The provided key element does not match the schema"
    );
}

#[test]
fn capacity_is_told_for_table_and_indexes() {
    let harness = indexed();
    let item = json!({"pk": {"S": "a"}, "sk": {"S": "b"}, "l": {"S": "l"}, "g": {"S": "g"},
                      "n": {"N": "1"}, "d": {"S": "x".repeat(2000)}});
    let put = |item: &serde_json::Value, level: &str| {
        harness.ok(
            PutItem,
            json!({"TableName": "indexed", "Item": item, "ReturnConsumedCapacity": level,
                   "ReturnItemCollectionMetrics": "SIZE"}),
        )
    };
    let answer = put(&item, "INDEXES");
    assert_eq!(
        answer["ConsumedCapacity"],
        json!({
            "TableName": "indexed", "CapacityUnits": 5.0, "Table": {"CapacityUnits": 2.0},
            "LocalSecondaryIndexes": {"local": {"CapacityUnits": 1.0}},
            "GlobalSecondaryIndexes": {"global": {"CapacityUnits": 2.0}},
        })
    );
    assert_eq!(
        answer["ItemCollectionMetrics"],
        json!({"ItemCollectionKey": {"pk": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]})
    );
    // What is not projected changes: only the table and the index that has all pay.
    let mut other = item.clone();
    other["e"] = json!({"S": "e"});
    assert_eq!(
        put(&other, "INDEXES")["ConsumedCapacity"],
        json!({
            "TableName": "indexed", "CapacityUnits": 4.0, "Table": {"CapacityUnits": 2.0},
            "GlobalSecondaryIndexes": {"global": {"CapacityUnits": 2.0}},
        })
    );
    let key = json!({"pk": {"S": "a"}, "sk": {"S": "b"}});
    for (consistent, units) in [(false, 0.5), (true, 1.0)] {
        let answer = harness.ok(
            GetItem,
            json!({"TableName": "indexed", "Key": key, "ConsistentRead": consistent,
                   "ReturnConsumedCapacity": "TOTAL"}),
        );
        assert_eq!(
            answer["ConsumedCapacity"],
            json!({"TableName": "indexed", "CapacityUnits": units})
        );
    }
    let answer = harness.ok(
        DeleteItem,
        json!({"TableName": "indexed", "Key": key, "ReturnConsumedCapacity": "TOTAL"}),
    );
    assert_eq!(answer["ConsumedCapacity"]["CapacityUnits"], json!(5.0));
}

#[test]
fn a_table_that_is_missing_is_told_after_the_request_is_right() {
    let harness = plain();
    let (name, body) = harness
        .call(
            GetItem,
            &json!({"TableName": "absent", "Key": {"pk": {"S": "a"}}}),
        )
        .unwrap_err();
    assert_eq!(name, "ResourceNotFoundException");
    assert_eq!(body["message"], json!("Requested resource not found"));
    assert_eq!(
        harness.refused(
            DeleteItem,
            json!({"TableName": "absent", "Key": {"pk": {"S": "a"}}, "ReturnValues": "ALL_NEW"})
        ),
        "1 validation error detected: ReturnValues can only be ALL_OLD or NONE"
    );
}
