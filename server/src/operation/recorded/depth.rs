//! Values that nest too deeply, alone and beside other faults (limits/nestingDepth and
//! validation-ordering/deepRequests).

use serde_json::{Value, json};

use super::{CONDITION_FAILED, NO_TABLE, Record, check, deep, deep_list, differs, one, same, with};
use crate::wire::Operation::*;

const NEST: &str = "Nesting Levels have exceeded supported limits: Attributes in the item have nested \
                    levels beyond supported limit";
const EMPTY_NAME: &str = "Empty attribute name";
const OPERATOR_NEW: &str = "1 validation error detected: Failed to satisfy constraint: Member must \
     satisfy enum value set: [ALL, OR]";
const OPERATOR_OLD: &str = "1 validation error detected: Value 'XOR' at 'conditionalOperator' failed \
     to satisfy constraint: Member must satisfy enum value set: [OR, AND]";
const VALUES_NEW: &str = "1 validation error detected: Failed to satisfy constraint: Member must \
     satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]";
const VALUES_OLD: &str = "1 validation error detected: Value 'BOGUS' at 'returnValues' failed to \
     satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, \
     UPDATED_NEW]";

fn of_value(name: &str) -> String {
    format!("ExpressionAttributeValues contains invalid value: {NEST} for key {name}")
}

fn put(data: Value) -> Value {
    json!({"TableName": "hash", "Item": {"pk": {"S": "put"}, "data": data}})
}

/// An update whose condition compares with `value`.
fn update(value: Value) -> Value {
    json!({"TableName": "hash", "Key": {"pk": {"S": "none"}}, "UpdateExpression": "SET touched = :t",
           "ConditionExpression": "#d = :deep", "ExpressionAttributeNames": {"#d": "data"},
           "ExpressionAttributeValues": {":t": {"S": "y"}, ":deep": value}})
}

fn transaction(actions: Value) -> Value {
    json!({ "TransactItems": actions })
}

#[test]
fn items_and_values() {
    const AT: &str = "limits/nestingDepth";
    let cancelled = "ConditionalCheckFailed: The conditional request failed";
    let check_of = |value: Value| {
        transaction(
            json!([{"ConditionCheck": {"TableName": "hash", "Key": {"pk": {"S": "none"}},
            "ConditionExpression": "#d = :deep", "ExpressionAttributeNames": {"#d": "data"},
            "ExpressionAttributeValues": {":deep": value}}}]),
        )
    };
    let set = |value: Value| {
        transaction(
            json!([{"Update": {"TableName": "hash", "Key": {"pk": {"S": "none"}},
            "UpdateExpression": "SET deep = :deep", "ExpressionAttributeValues": {":deep": value}}}]),
        )
    };
    let batch = |value| {
        json!({"RequestItems": {"hash": [
        {"PutRequest": {"Item": {"pk": {"S": "batch"}, "data": value}}}]}})
    };
    check([
        same(AT, PutItem, put(deep(31)), "accepted"),
        differs(AT, PutItem, put(deep(32)), one(NEST), NEST),
        differs(AT, PutItem, put(deep(61)), one(NEST), NEST),
        // From here on the older layer reads the request.
        same(AT, PutItem, put(deep(63)), NEST),
        same(AT, PutItem, put(deep(200)), NEST),
        same(AT, UpdateItem, update(deep(31)), CONDITION_FAILED),
        // splits.json, update-item-nesting-depth-expression-value: Regions without the newer layer
        // let it through.
        differs(
            AT,
            UpdateItem,
            update(deep(32)),
            one(NEST),
            CONDITION_FAILED,
        ),
        differs(
            AT,
            UpdateItem,
            update(deep(61)),
            one(NEST),
            of_value(":deep"),
        ),
        same(AT, UpdateItem, update(deep(63)), of_value(":deep")),
        same(AT, BatchWriteItem, batch(deep(31)), "accepted"),
        same(AT, BatchWriteItem, batch(deep(32)), NEST),
        same(
            AT,
            TransactWriteItems,
            transaction(json!([{"Put": put(deep(32))}])),
            NEST,
        ),
        // The next three in us-east-1: captures/2026-10-08-transact-write-rollout.json.
        same(
            AT,
            TransactWriteItems,
            set(deep(32)),
            "ValidationError: Nesting Levels have exceeded supported limits",
        ),
        same(
            AT,
            TransactWriteItems,
            transaction(json!([{"Update": update(deep(32))}])),
            cancelled,
        ),
        same(AT, TransactWriteItems, check_of(deep(32)), cancelled),
        same(AT, TransactWriteItems, check_of(deep_list(32)), cancelled),
        same(
            AT,
            TransactWriteItems,
            check_of(deep(33)),
            of_value(":deep"),
        ),
        same(
            AT,
            TransactWriteItems,
            check_of(deep_list(61)),
            of_value(":deep"),
        ),
        same(AT, TransactWriteItems, set(deep(33)), of_value(":deep")),
    ]);
}

/// Beside another fault, of one item: the table is not there.
#[test]
fn which_fault_of_one_item_is_named() {
    const AT: &str = "validation-ordering/deepRequests";
    let key = |pk: Value| json!({"pk": pk, "sk": {"S": "1"}});
    let plain = || key(json!({"S": "a"}));
    let expected = |depth| {
        json!({"Expected": {"a": {"Value": deep(depth)}, "b": {"Exists": false}},
                                  "ConditionalOperator": "XOR"})
    };
    let put = |depth| {
        with(
            &json!({"TableName": "absent", "Item": plain()}),
            expected(depth),
        )
    };
    let update = |depth| {
        let base = json!({"TableName": "absent", "Key": plain(),
                          "AttributeUpdates": {"x": {"Action": "PUT", "Value": {"S": "1"}}}});
        with(&base, expected(depth))
    };
    let delete = |more| {
        let base = json!({"TableName": "absent", "Key": plain(), "ReturnValues": "BOGUS"});
        with(&base, more)
    };
    let condition = |depth| {
        json!({"ConditionExpression": "#d = :deep",
        "ExpressionAttributeNames": {"#d": "d"}, "ExpressionAttributeValues": {":deep": deep(depth)}})
    };
    let scan = |filter: Value, operator: &str| {
        json!({"TableName": "absent", "ScanFilter": filter,
                                                       "ConditionalOperator": operator})
    };
    let equal = |value| json!({"ComparisonOperator": "EQ", "AttributeValueList": [value]});
    check([
        same(AT, PutItem, put(100), OPERATOR_OLD),
        differs(AT, PutItem, put(40), OPERATOR_NEW, OPERATOR_OLD),
        same(AT, UpdateItem, update(100), OPERATOR_OLD),
        differs(AT, UpdateItem, update(33), OPERATOR_NEW, OPERATOR_OLD),
        same(AT, DeleteItem, delete(condition(63)), VALUES_OLD),
        differs(
            AT,
            DeleteItem,
            delete(condition(40)),
            VALUES_NEW,
            VALUES_OLD,
        ),
        same(
            AT,
            DeleteItem,
            delete(json!({"Expected": {"d": {"Value": deep(63)}}})),
            VALUES_OLD,
        ),
        same(
            AT,
            DeleteItem,
            delete(json!({"Key": key(deep(100))})),
            VALUES_OLD,
        ),
        same(
            AT,
            DeleteItem,
            with(
                &delete(condition(100)),
                json!({"ReturnValues": "UPDATED_NEW"}),
            ),
            "ReturnValues can only be ALL_OLD or NONE",
        ),
        same(AT, Scan, scan(json!({"a": equal(deep(40))}), "AND"), NEST),
        same(
            AT,
            Scan,
            scan(json!({"a": equal(json!({"S": "x"}))}), "AND"),
            "ConditionalOperator can only be used when Filter or Expected has two or more elements",
        ),
    ]);
}

/// The actions of a transaction are looked at one by one, in the order of the request.
#[test]
fn the_first_faulty_action_is_named() {
    const AT: &str = "validation-ordering/deepRequests";
    let key = |pk: Value| json!({"pk": pk, "sk": {"S": "1"}});
    let plain = || key(json!({"S": "a"}));
    let put = |more: Value| json!({"Put": {"TableName": "absent", "Item": with(&plain(), more)}});
    let put_if = |condition: &str| {
        json!({"Put": {"TableName": "absent", "Item": plain(),
                                                  "ConditionExpression": condition}})
    };
    let nameless = || put(json!({"": {"S": "x"}}));
    let check_of = |value: Value| {
        json!({"ConditionCheck": {"TableName": "absent", "Key": plain(),
        "ConditionExpression": "d = :deep", "ExpressionAttributeValues": {":deep": value}}})
    };
    let check_at = |key: Value| {
        json!({"ConditionCheck": {"TableName": "absent", "Key": key,
        "ConditionExpression": "attribute_exists(a)"}})
    };
    let delete = |key: Value| json!({"Delete": {"TableName": "absent", "Key": key}});
    let set = |value: Value| {
        json!({"Update": {"TableName": "absent", "Key": plain(),
        "UpdateExpression": "SET d = :deep", "ExpressionAttributeValues": {":deep": value}}})
    };
    let unused = || {
        json!({"Update": {"TableName": "absent", "Key": plain(),
        "UpdateExpression": "SET a = :v",
        "ExpressionAttributeValues": {":v": {"S": "x"}, ":u": {"S": "y"}}}})
    };
    let long = |count: usize| {
        let clauses: Vec<String> = (0..count).map(|n| format!("a{n} = :v")).collect();
        json!({"Update": {"TableName": "absent", "Key": plain(),
               "UpdateExpression": format!("SET {}", clauses.join(", ")),
               "ExpressionAttributeValues": {":v": {"S": "x"}}}})
    };
    let syntax = "Invalid ConditionExpression: Syntax error; token: \"=\", near: \"= = b\"";
    let no_use = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:u}";
    let cases: Vec<(Value, String)> = vec![
        (
            json!([put(json!({"d": deep(40)})), nameless()]),
            NEST.into(),
        ),
        (
            json!([nameless(), put(json!({"d": deep(100)}))]),
            EMPTY_NAME.into(),
        ),
        (
            json!([put(json!({"": {"S": "x"}, "d": deep(100)}))]),
            EMPTY_NAME.into(),
        ),
        (
            json!([put(json!({"m": {"M": {"": {"S": "x"}}}, "d": deep(40)}))]),
            NEST.into(),
        ),
        (json!([nameless(), check_of(deep(100))]), EMPTY_NAME.into()),
        (json!([check_of(deep(40)), nameless()]), of_value(":deep")),
        (json!([set(deep(40)), nameless()]), of_value(":deep")),
        (
            json!([delete(key(deep(40))), put_if("a = = b")]),
            NEST.into(),
        ),
        (json!([check_at(key(deep(40))), unused()]), NEST.into()),
        (
            json!([put_if("a = = b"), delete(key(deep(100)))]),
            syntax.into(),
        ),
        (
            json!([long(500), check_at(key(deep(100)))]),
            "Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;"
                .into(),
        ),
        (json!([unused(), check_at(key(deep(100)))]), no_use.into()),
        (json!([check_at(plain())]), NO_TABLE.into()),
    ];
    let record = |(actions, answer): (Value, String)| -> Record {
        same(AT, TransactWriteItems, transaction(actions), answer)
    };
    check(cases.into_iter().map(record));
}
