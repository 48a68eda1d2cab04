//! Parameters that contradict one another or say nothing, and the order in which that is found.

use serde_json::{Value, json};

use super::{INVALID, NO_TABLE, Record, check, differs, one, same, with, wrapped};
use crate::wire::Operation::*;

/// error-messages/putItem and deleteItem, "request validation envelope".
#[test]
fn of_conditions() {
    let only = |map: &str| format!("{map} can only be specified when using expressions");
    let writes = [
        (
            PutItem,
            json!({"TableName": "hash", "Item": {"pk": {"S": "e"}}}),
        ),
        (
            DeleteItem,
            json!({"TableName": "hash", "Key": {"pk": {"S": "e"}}}),
        ),
    ];
    check(writes.into_iter().flat_map(|(operation, base)| {
        let exists = json!({"ConditionExpression": "attribute_exists(a)"});
        let expected = |condition: Value| json!({"Expected": {"a": condition}});
        let value = json!({"S": "x"});
        let alone = |map: &str, more: Value| {
            differs(
                "request validation envelope",
                operation,
                with(&base, more),
                one(only(map)),
                format!("{}: ConditionExpression is null", only(map)),
            )
        };
        let refused = |more: Value, message: String| {
            wrapped(
                "request validation envelope",
                operation,
                with(&base, more),
                message,
            )
        };
        let malformed = |condition: Value, message: &str| {
            refused(expected(condition), format!("{INVALID}{message}"))
        };
        vec![
            alone(
                "ExpressionAttributeValues",
                json!({"ExpressionAttributeValues": {":v": value}}),
            ),
            alone(
                "ExpressionAttributeNames",
                json!({"ExpressionAttributeNames": {"#a": "a"}}),
            ),
            alone(
                "ExpressionAttributeNames",
                with(
                    &expected(json!({"Exists": false})),
                    json!({"ExpressionAttributeNames": {"#a": "a"}}),
                ),
            ),
            refused(
                with(&exists, json!({"ExpressionAttributeValues": {}})),
                "ExpressionAttributeValues must not be empty".to_owned(),
            ),
            refused(
                with(&exists, json!({"ExpressionAttributeNames": {}})),
                "ExpressionAttributeNames must not be empty".to_owned(),
            ),
            refused(
                json!({"ConditionExpression": ""}),
                "Invalid ConditionExpression: The expression can not be empty;".to_owned(),
            ),
            refused(
                json!({"ReturnValues": "UPDATED_NEW"}),
                "ReturnValues can only be ALL_OLD or NONE".to_owned(),
            ),
            malformed(
                json!({"Exists": true}),
                "Value must be provided when Exists is true for Attribute: a",
            ),
            malformed(
                json!({"Exists": false, "Value": value}),
                "Value cannot be used when Exists is false for Attribute: a",
            ),
            malformed(
                json!({"Value": value, "ComparisonOperator": "EQ", "AttributeValueList": [value]}),
                "Value and AttributeValueList cannot be used together for Attribute: a",
            ),
            malformed(
                json!({"ComparisonOperator": "EQ"}),
                "Value or AttributeValueList must be used with ComparisonOperator: EQ for \
                 Attribute: a",
            ),
            malformed(
                json!({"ComparisonOperator": "BETWEEN", "AttributeValueList": [value]}),
                "Invalid number of argument(s) for the BETWEEN ComparisonOperator",
            ),
        ]
    }));
}

/// error-messages/queryKeyConditionOperands and validation-ordering/queryKeyCondition.
#[test]
fn of_key_conditions() {
    let operand = |name: &str, kind: &str| {
        format!(
            "Invalid KeyConditionExpression: Incorrect operand type for operator or function; \
             operator or function: {name}, operand type: {kind}"
        )
    };
    let schema = format!("{INVALID}Condition parameter type does not match schema type");
    let undefined = "Invalid KeyConditionExpression: An expression attribute value used in \
                     expression is not defined; attribute value: :missing";
    let (n, s, yes) = (json!({"N": "1"}), json!({"S": "a"}), json!({"BOOL": true}));
    let query = |table: &str, condition: &str, values: &[(&str, &Value)], answer: &str| -> Record {
        let mut all = json!({});
        for (name, value) in values {
            all[*name] = (*value).clone();
        }
        if condition.contains(":p ") || condition.ends_with(":p") {
            all[":p"] = json!({"S": "q"});
        }
        let request = json!({"TableName": table, "KeyConditionExpression": condition,
                             "ExpressionAttributeValues": all});
        same(
            "queryKeyConditionOperands, queryKeyCondition",
            Query,
            request,
            answer,
        )
    };
    let begins = "pk = :p AND begins_with(sk, :v)";
    check([
        query(
            "composite",
            begins,
            &[(":v", &n)],
            &operand("begins_with", "N"),
        ),
        query(
            "composite",
            begins,
            &[(":v", &yes)],
            &operand("begins_with", "BOOL"),
        ),
        query(
            "numbered",
            "pk = :p AND begins_with(n, :v)",
            &[(":v", &n)],
            &operand("begins_with", "N"),
        ),
        query(
            "numbered",
            "pk = :p AND begins_with(n, :v)",
            &[(":v", &s)],
            &schema,
        ),
        query(
            "numbered",
            "pk = :p AND n < :v",
            &[(":v", &yes)],
            &operand("<", "BOOL"),
        ),
        query(
            "numbered",
            "pk = :p AND :v >= n",
            &[(":v", &yes)],
            &operand(">=", "BOOL"),
        ),
        query(
            "numbered",
            "pk = :p AND n BETWEEN :a AND :b",
            &[(":a", &yes), (":b", &yes)],
            &operand("BETWEEN", "BOOL"),
        ),
        query("numbered", "pk = :p AND n = :v", &[(":v", &yes)], &schema),
        query(
            "numbered",
            "pk = :p AND n > :a AND n < :b",
            &[(":a", &n), (":b", &n)],
            "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one \
             condition per key",
        ),
        query(
            "numbered",
            "pk = :p AND n > :a AND extra = :b",
            &[(":a", &n), (":b", &n)],
            "The number of query conditions (3) exceeds the number of key attributes defined in \
             the schema (2)",
        ),
        query(
            "composite",
            "pk = :missing AND begins_with(sk, :v)",
            &[(":v", &n)],
            undefined,
        ),
        query(
            "composite",
            "begins_with(sk, :v) AND pk = :missing",
            &[(":v", &n)],
            &operand("begins_with", "N"),
        ),
        query(
            "composite",
            "pk = :p AND begins_with(sk, :v) AND sk = :missing",
            &[(":v", &n)],
            &operand("begins_with", "N"),
        ),
        query(
            "composite",
            "pk = :p AND begins_with(sk, :v) AND sk > :s",
            &[(":v", &n), (":s", &s)],
            &operand("begins_with", "N"),
        ),
        query(
            "absent",
            begins,
            &[(":v", &n)],
            &operand("begins_with", "N"),
        ),
        query("absent", begins, &[(":v", &s)], NO_TABLE),
    ]);
}

/// error-messages/query and scan.
#[test]
fn of_pages() {
    let specific = "Must specify the AttributesToGet or ProjectionExpression when choosing to get \
                    SPECIFIC_ATTRIBUTES";
    let query = |more| {
        let base = json!({"TableName": "composite", "KeyConditionExpression": "pk = :v",
                          "ExpressionAttributeValues": {":v": {"S": "val"}}});
        with(&base, more)
    };
    let scan = |more| with(&json!({"TableName": "hash"}), more);
    let bad_key = json!({"ExclusiveStartKey": {"bad": {"S": "p"}}});
    let overlap = "Invalid ProjectionExpression: Two document paths overlap with each other; must \
                   remove or rewrite one of these paths; path one: [a], path two: [a, b]";
    let projection = json!({"ProjectionExpression": "a, a.b"});
    check([
        same(
            "error-messages/query, Select SPECIFIC_ATTRIBUTES",
            Query,
            query(json!({"Select": "SPECIFIC_ATTRIBUTES"})),
            one(specific),
        ),
        same(
            "error-messages/scan, row scan-specific-attributes-message",
            Scan,
            scan(json!({"Select": "SPECIFIC_ATTRIBUTES"})),
            specific,
        ),
        same(
            "error-messages/query, malformed ExclusiveStartKey",
            Query,
            query(bad_key.clone()),
            "The provided starting key is invalid",
        ),
        same(
            "error-messages/scan, row scan-bad-start-key-message",
            Scan,
            scan(bad_key),
            "The provided starting key is invalid: The provided key element does not match the \
             schema",
        ),
        same(
            "error-messages/scan, row scan-segment-negative-message",
            Scan,
            scan(json!({"Segment": -1, "TotalSegments": 4})),
            one(
                "Value '-1' at 'segment' failed to satisfy constraint: Member must have value \
                 greater than or equal to 0",
            ),
        ),
        same(
            "error-messages/scan, Segment without TotalSegments",
            Scan,
            scan(json!({"Segment": 0})),
            "The TotalSegments parameter is required but was not present in the request when \
             Segment parameter is present",
        ),
        same(
            "error-messages/scan, TotalSegments without Segment",
            Scan,
            scan(json!({"TotalSegments": 4})),
            "The Segment parameter is required but was not present in the request when parameter \
             TotalSegments is present",
        ),
        same(
            "captures, proj_query_zero_o1",
            Query,
            query(projection.clone()),
            overlap,
        ),
        same(
            "captures, proj_scan_zero_o1",
            Scan,
            scan(projection.clone()),
            overlap,
        ),
        same(
            "captures, proj_get_o1",
            GetItem,
            with(
                &json!({"TableName": "hash", "Key": {"pk": {"S": "x"}}}),
                projection.clone(),
            ),
            overlap,
        ),
        same(
            "error-messages/batchGetItem, overlapping parent and child paths",
            BatchGetItem,
            json!({"RequestItems": {"hash":
                with(&json!({"Keys": [{"pk": {"S": "x"}}]}), projection)}}),
            overlap,
        ),
    ]);
}

/// captures, families batch-key, lookup-key and transact-key.
#[test]
fn of_keys() {
    let empty = "One or more parameter values are not valid. The AttributeValue for a key attribute \
                 cannot contain an empty string value. Key: pk";
    let mismatch = "The provided key element does not match the schema";
    let keys = [
        (json!({"S": ""}), empty, empty.to_owned()),
        (
            json!({"N": "5"}),
            mismatch,
            format!("ValidationError: {mismatch}"),
        ),
        (
            json!({"L": [{"S": "x"}]}),
            mismatch,
            format!("ValidationError: {mismatch}"),
        ),
    ];
    check(keys.into_iter().flat_map(|(key, alone, in_transaction)| {
        let entry = json!({"TableName": "hash", "Key": {"pk": key}});
        let update = json!({"UpdateExpression": "SET a = :v",
                            "ExpressionAttributeValues": {":v": {"S": "x"}}});
        let condition = json!({"ConditionExpression": "attribute_not_exists(pk)"});
        let transact = |kind: &str, more: Value| {
            let request = json!({"TransactItems": [{kind: with(&entry, more)}]});
            same(
                "captures, twi_…_key_…",
                TransactWriteItems,
                request,
                in_transaction.clone(),
            )
        };
        vec![
            same("captures, get_key_…", GetItem, entry.clone(), alone),
            same("captures, del_key_…", DeleteItem, entry.clone(), alone),
            same(
                "captures, bw_table_…",
                BatchWriteItem,
                json!({"RequestItems": {"hash": [{"PutRequest": {"Item": {"pk": key}}}]}}),
                alone,
            ),
            transact("Update", update),
            transact("Delete", json!({})),
            transact("ConditionCheck", condition),
        ]
    }));
}

/// Names of attributes are not empty, wherever they stand.
#[test]
fn of_names() {
    const EMPTY: &str = "Empty attribute name";
    let key = json!({"TableName": "hash", "Key": {"pk": {"S": "a"}}});
    let condition = json!({"ConditionExpression": "attribute_exists(#n)",
                           "ExpressionAttributeNames": {"#n": ""}});
    let named = "ExpressionAttributeNames contains invalid value: Empty attribute name for key #n";
    check([
        differs(
            "error messages that users of AWS look for in their programs",
            DeleteItem,
            with(&key, condition.clone()),
            one(EMPTY),
            named,
        ),
        same(
            "the same in the older layer",
            TransactWriteItems,
            json!({"TransactItems": [{"ConditionCheck": with(&key, condition)}]}),
            named,
        ),
        wrapped(
            "as in an item",
            UpdateItem,
            with(
                &key,
                json!({"AttributeUpdates": {"": {"Value": {"S": "x"}}}}),
            ),
            EMPTY,
        ),
        wrapped(
            "as in an item",
            DeleteItem,
            with(&key, json!({"Expected": {"": {"Exists": false}}})),
            EMPTY,
        ),
        same(
            "as in an item",
            Scan,
            json!({"TableName": "hash", "ScanFilter": {"": {"ComparisonOperator": "NULL"}}}),
            EMPTY,
        ),
    ]);
}
