//! What is wrong with requests, and what is found first.

use super::*;

const SCHEMA: &str = "The provided key element does not match the schema";
const EMPTY_KEY: &str = "One or more parameter values are not valid. The AttributeValue for a key \
                         attribute cannot contain an empty string value. Key: pk";
const ENUM: &str = "Value 'BOGUS' at 'returnConsumedCapacity' failed to satisfy constraint: Member \
                    must satisfy enum value set: [INDEXES, TOTAL, NONE]";

/// An action of each kind that is given a key, with this one.
fn keyed(key: &Value) -> [Value; 3] {
    let mut actions = [
        set("", "1"),
        delete(""),
        check("", "attribute_not_exists(pk)"),
    ];
    for action in &mut actions {
        for action in action.as_object_mut().unwrap().values_mut() {
            action["Key"] = key.clone();
        }
    }
    actions
}

fn put_item(item: Value) -> Value {
    json!({"Put": {"TableName": "items", "Item": item}})
}

#[track_caller]
fn refused(harness: &Harness, items: &[Value]) -> String {
    harness.refused(TransactWriteItems, transaction(items))
}

/// error-messages/transactWriteItems: a key of the wrong type cancels, an empty one refuses.
#[test]
fn keys_that_do_not_fit_the_table() {
    let harness = Harness::with_table();
    for value in [json!({"N": "5"}), json!({"L": [{"S": "x"}]})] {
        for action in keyed(&json!({"pk": value})) {
            let reasons = harness.cancelled(&[put("a", json!({})), action]);
            assert_eq!(reasons, json!([none(), reason("ValidationError", SCHEMA)]));
        }
        let kind = value.as_object().unwrap().keys().next().unwrap();
        let message = format!(
            "One or more parameter values were invalid: \
             Type mismatch for key pk expected: S actual: {kind}"
        );
        assert_eq!(
            harness.cancelled(&[put_item(json!({"pk": value}))]),
            json!([reason("ValidationError", &message)])
        );
    }
    let empty = json!({"pk": {"S": ""}});
    for action in keyed(&empty).into_iter().chain([put_item(empty)]) {
        assert_eq!(refused(&harness, &[put("a", json!({})), action]), EMPTY_KEY);
    }
    let missing = "One or more parameter values were invalid: Missing the key pk in the item";
    assert_eq!(
        harness.cancelled(&[put_item(json!({"x": {"S": "y"}}))]),
        json!([reason("ValidationError", missing)])
    );
    assert_eq!(harness.stored("a"), Value::Null);
}

/// error-messages/transactIndexKeys.
#[test]
fn index_keys_that_do_not_fit() {
    let harness = Harness::new();
    let projection = crate::table::Projection::All;
    harness.table("items", &[], &[], &[("index", &["kind"], &[], projection)]);
    let update = |value: Value| {
        json!({"Update": {"TableName": "items", "Key": key("a"), "UpdateExpression": "SET kind = :v",
            "ExpressionAttributeValues": {":v": value}}})
    };
    let mismatch = "One or more parameter values were invalid: \
                    Type mismatch for Index Key kind Expected: S Actual: N IndexName: index";
    let number = json!({"N": "5"});
    for action in [put("a", json!({"kind": number})), update(number)] {
        assert_eq!(
            harness.cancelled(&[action]),
            json!([reason("ValidationError", mismatch)])
        );
    }
    let empty = json!({"S": ""});
    assert_eq!(
        refused(&harness, &[put("a", json!({"kind": empty}))]),
        "One or more parameter values are not valid. A value specified for a secondary index key is \
         not supported. The AttributeValue for a key attribute cannot contain an empty string \
         value. IndexName: index, IndexKey: kind"
    );
    assert_eq!(
        refused(&harness, &[update(empty)]),
        "One or more parameter values are not valid. The update expression attempted to update a \
         secondary index key to a value that is not supported. The AttributeValue for a key \
         attribute cannot contain an empty string value."
    );
}

#[test]
fn an_item_is_named_once() {
    let harness = Harness::with_table();
    let message = "Transaction request cannot include multiple operations on one item";
    for second in [
        put("a", json!({})),
        delete("a"),
        check("a", "attribute_exists(pk)"),
    ] {
        assert_eq!(refused(&harness, &[put("a", json!({})), second]), message);
    }
    // The same item under two names of its table.
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/items";
    let by_arn = json!({"Delete": {"TableName": arn, "Key": key("a")}});
    assert_eq!(refused(&harness, &[put("a", json!({})), by_arn]), message);
    let twice = transaction(&[get("a"), get("a")]);
    assert_eq!(harness.refused(TransactGetItems, twice), message);
}

#[test]
fn an_entry_has_one_action() {
    let harness = Harness::with_table();
    let both = json!({"Put": put("a", json!({}))["Put"], "Delete": delete("a")["Delete"]});
    assert_eq!(
        refused(&harness, &[both]),
        "TransactItems can only contain one of Check, Put, Update or Delete"
    );
    assert_eq!(
        refused(&harness, &[json!({})]),
        "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"
    );
}

#[test]
fn a_key_attribute_cannot_be_updated() {
    let harness = Harness::with_table();
    let update = json!({"Update": {"TableName": "items", "Key": key("a"),
        "UpdateExpression": "SET pk = :v", "ExpressionAttributeValues": {":v": {"S": "b"}}}});
    let message = "One or more parameter values were invalid: Cannot update attribute pk. \
                   This attribute is part of the key";
    assert_eq!(
        harness.cancelled(&[update]),
        json!([reason("ValidationError", message)])
    );
}

#[test]
fn a_read_refuses_keys_as_a_write_does() {
    let harness = Harness::with_table();
    let with = |key: Value| transaction(&[json!({"Get": {"TableName": "items", "Key": key}})]);
    for key in [json!({}), json!({"pk": {"N": "1"}})] {
        let answer = harness.call(TransactGetItems, &with(key));
        assert_eq!(reasons(answer), json!([reason("ValidationError", SCHEMA)]));
    }
    let empty = with(json!({"pk": {"S": ""}}));
    assert_eq!(harness.refused(TransactGetItems, empty), EMPTY_KEY);
}

#[test]
fn tables_must_exist() {
    let harness = Harness::with_table();
    let elsewhere = |action: &str, body: Value| {
        let mut body = body;
        body["TableName"] = "missing".into();
        transaction(&[json!({ action: body })])
    };
    for (operation, request) in [
        (
            TransactWriteItems,
            elsewhere("Put", json!({"Item": key("a")})),
        ),
        (TransactGetItems, elsewhere("Get", json!({"Key": key("a")}))),
    ] {
        let (name, body) = harness.call(operation, &request).unwrap_err();
        assert_eq!(name, "ResourceNotFoundException");
        assert_eq!(body["message"], "Requested resource not found");
    }
}

/// validation-ordering/transactions.
#[test]
fn what_is_wrong_first() {
    let harness = Harness::with_table();
    let missing = json!({"Put": {"TableName": "missing", "Item": key("a")}});
    let malformed = check("a", "attribute_not_exists(");
    let syntax = r#"Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "(""#;
    let mut unused = check("a", "attribute_not_exists(pk)");
    unused["ConditionCheck"]["ExpressionAttributeValues"] = json!({":v": {"S": "x"}});
    let not_used = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}";
    let mut deep = json!({"S": "leaf"});
    for _ in 0..32 {
        deep = json!({"M": {"n": deep}});
    }
    let deep = put("b", json!({"data": deep}));
    let nested = "Nesting Levels have exceeded supported limits: Attributes in the item have nested \
                  levels beyond supported limit";
    for (items, expected) in [
        (vec![missing.clone(), malformed.clone()], syntax),
        (vec![malformed.clone(), deep.clone()], syntax),
        (vec![deep, malformed], nested),
        (vec![missing.clone(), unused.clone()], not_used),
        (vec![unused.clone(), missing.clone()], not_used),
        (vec![put("a", json!({})), unused], not_used),
    ] {
        assert_eq!(refused(&harness, &items), expected);
    }
    // Constraints of the model come before everything else, all of them in one answer.
    let twice = [put("a", json!({})), delete("a")];
    for items in [vec![missing], twice.to_vec()] {
        let mut request = transaction(&items);
        request["ReturnConsumedCapacity"] = "BOGUS".into();
        assert_eq!(
            harness.refused(TransactWriteItems, request),
            format!("1 validation error detected: {ENUM}")
        );
    }
    let token = "x".repeat(37);
    let mut request = transaction(&[put("a", json!({}))]);
    request["ReturnConsumedCapacity"] = "BOGUS".into();
    request["ReturnItemCollectionMetrics"] = "BOGUS2".into();
    request["ClientRequestToken"] = token.as_str().into();
    assert_eq!(
        harness.refused(TransactWriteItems, request),
        format!(
            "3 validation errors detected: Value '{token}' at 'clientRequestToken' failed to \
             satisfy constraint: Member must have length less than or equal to 36; {ENUM}; Value \
             'BOGUS2' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must \
             satisfy enum value set: [SIZE, NONE]"
        )
    );
}

#[test]
fn the_number_of_actions_is_limited() {
    let harness = Harness::with_table();
    let puts: Vec<Value> = (0..101).map(|n| put(&n.to_string(), json!({}))).collect();
    harness.write(&puts[..100]);
    assert!(refused(&harness, &puts).ends_with(
        "at 'transactItems' failed to satisfy constraint: \
         Member must have length less than or equal to 100"
    ));
    let gets: Vec<Value> = (0..101).map(|n| get(&n.to_string())).collect();
    harness.ok(TransactGetItems, transaction(&gets[..100]));
    assert!(
        harness
            .refused(TransactGetItems, transaction(&gets))
            .ends_with("Member must have length less than or equal to 100")
    );
    let none = "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy \
                constraint: Member must have length greater than or equal to 1";
    assert_eq!(refused(&harness, &[]), none);
    assert_eq!(harness.refused(TransactGetItems, transaction(&[])), none);
}

/// An item of `size` bytes, with a name of one byte and the attribute `x`.
fn sized(name: &str, size: usize) -> Value {
    assert_eq!(name.len(), 1);
    put(name, json!({"x": {"S": "x".repeat(size - 4)}}))
}

const MEGABYTES_4: usize = 4 * 1024 * 1024;
const LARGEST: usize = 409_600;
const TOO_LARGE: &str = "The aggregate size of the items in the transaction exceeds 4 MB";

/// Ten of the largest items and what remains to four megabytes.
fn four_megabytes(rest: usize) -> Vec<Value> {
    let mut items: Vec<Value> = (0..10).map(|n| sized(&n.to_string(), LARGEST)).collect();
    items.push(sized("a", MEGABYTES_4 - 10 * LARGEST + rest));
    items
}

#[test]
fn the_size_of_all_items_is_limited() {
    let harness = Harness::with_table();
    assert_eq!(refused(&harness, &four_megabytes(1)), TOO_LARGE);
    harness.write(&four_megabytes(0));
    // Items that are there count when they are changed or read.
    let names: Vec<String> = ('b'..='l').map(String::from).collect();
    for name in &names {
        harness.write(&[sized(name, 400_000)]);
    }
    let updates: Vec<Value> = names.iter().map(|name| set(name, "1")).collect();
    let gets: Vec<Value> = names.iter().map(|name| get(name)).collect();
    assert_eq!(refused(&harness, &updates), TOO_LARGE);
    assert_eq!(
        harness.refused(TransactGetItems, transaction(&gets)),
        TOO_LARGE
    );
    harness.ok(TransactGetItems, transaction(&gets[..10]));
    harness.write(&updates[..10]);
}

#[test]
fn the_size_of_an_item_is_limited() {
    let harness = Harness::with_table();
    assert_eq!(
        refused(&harness, &[sized("a", LARGEST + 1)]),
        "Item size has exceeded the maximum allowed size"
    );
    harness.write(&[sized("a", LARGEST)]);
    assert_eq!(
        harness.cancelled(&[set("a", "1")]),
        json!([reason(
            "ValidationError",
            "Item size to update has exceeded the maximum allowed size"
        )])
    );
}
