//! Items, keys and numbers.

use serde_json::{Value, json};

use super::{INVALID, check, deep, most, violation, x};
use crate::wire::Operation::{self, *};

const CONSTRAINTS: &str = "developer guide, \"Constraints in Amazon DynamoDB\"";
const SURFACES: &str = "limits/itemSizeBySurface of the conformance reference";

fn put(item: Value) -> (Operation, Value) {
    (PutItem, json!({"TableName": "hash", "Item": item}))
}

fn put_indexed(item: Value) -> (Operation, Value) {
    (PutItem, json!({"TableName": "indexed", "Item": item}))
}

/// `pk` and `d` and a name of one byte are four bytes beside the values.
fn sized(size: usize) -> Value {
    json!({"pk": {"S": "a"}, "d": {"S": x(size - 4)}})
}

#[test]
fn sizes_of_items() {
    const PUT: &str = "Item size has exceeded the maximum allowed size";
    const UPDATE: &str = "Item size to update has exceeded the maximum allowed size";
    check([
        most("item, put", CONSTRAINTS, 409_600, |n| put(sized(n)), PUT),
        most(
            "item, names counted",
            CONSTRAINTS,
            409_600,
            |n| {
                let name = x(60_000);
                let value = x(n - 60_000 - 3);
                put(json!({"pk": {"S": "a"}, (name): {"S": value}}))
            },
            PUT,
        ),
        most(
            "item, put by a batch",
            SURFACES,
            409_600,
            |n| {
                let put = json!({"PutRequest": {"Item": sized(n)}});
                (BatchWriteItem, json!({"RequestItems": {"hash": [put]}}))
            },
            PUT,
        ),
        most(
            "item, put by a transaction",
            SURFACES,
            409_600,
            |n| {
                let put = json!({"Put": {"TableName": "hash", "Item": sized(n)}});
                (TransactWriteItems, json!({"TransactItems": [put]}))
            },
            PUT,
        ),
        // A statement is charged 22 bytes for one SET, and what it writes, not the key.
        most(
            "statement of an update, short key",
            SURFACES,
            409_600,
            |n| update(json!({"pk": {"S": "K"}}), n - 22 - 1),
            UPDATE,
        ),
        most(
            "item, updated, long key",
            SURFACES,
            409_600,
            |n| update(json!({"pk": {"S": x(100)}}), n - 102 - 1),
            UPDATE,
        ),
        most(
            "item, updated by AttributeUpdates",
            SURFACES,
            409_600,
            |n| {
                let value = json!({"Action": "PUT", "Value": {"S": x(n - 3 - 1)}});
                (
                    UpdateItem,
                    json!({"TableName": "hash", "Key": {"pk": {"S": "K"}},
                           "AttributeUpdates": {"b": value}}),
                )
            },
            UPDATE,
        ),
    ]);
}

/// `SET b = :b`, so many bytes.
fn update(key: Value, size: usize) -> (Operation, Value) {
    (
        UpdateItem,
        json!({"TableName": "hash", "Key": key, "UpdateExpression": "SET b = :b",
               "ExpressionAttributeValues": {":b": {"S": x(size)}}}),
    )
}

/// What the size of an item depends on what is stored, and so is found when a transaction runs.
#[test]
fn sizes_of_items_in_transactions() {
    let harness = super::tables();
    let set = |size: usize| {
        json!({"TransactItems": [{"Update": {"TableName": "hash", "Key": {"pk": {"S": "K"}},
            "UpdateExpression": "SET b = :b",
            "ExpressionAttributeValues": {":b": {"S": x(size - 4)}}}}]})
    };
    harness.ok(TransactWriteItems, set(409_600));
    let (name, body) = harness.call(TransactWriteItems, &set(409_601)).unwrap_err();
    assert_eq!(name, "TransactionCanceledException");
    assert_eq!(
        body["CancellationReasons"],
        json!([{"Code": "ValidationError",
                "Message": "Item size to update has exceeded the maximum allowed size"}])
    );
}

#[test]
fn keys() {
    const PARTITION: &str = "Size of hashkey has exceeded the maximum size limit of2048 bytes";
    const SORT: &str =
        "Aggregated size of all range keys has exceeded the size limit of 1024 bytes";
    let partition = format!("{INVALID}{PARTITION}");
    let sort = format!("{INVALID}{SORT}");
    check([
        most(
            "partition key, put",
            CONSTRAINTS,
            2_048,
            |n| put(json!({"pk": {"S": x(n)}})),
            partition.clone(),
        ),
        most(
            "partition key, got",
            CONSTRAINTS,
            2_048,
            |n| {
                (
                    GetItem,
                    json!({"TableName": "hash", "Key": {"pk": {"S": x(n)}}}),
                )
            },
            partition.clone(),
        ),
        most(
            "partition key, queried",
            CONSTRAINTS,
            2_048,
            |n| {
                let values = json!({":k": {"S": x(n)}});
                (
                    Query,
                    json!({"TableName": "hash", "KeyConditionExpression": "pk = :k",
                           "ExpressionAttributeValues": values}),
                )
            },
            partition.clone(),
        ),
        most(
            "sort key, queried",
            CONSTRAINTS,
            1_024,
            |n| {
                let values = json!({":k": {"S": "a"}, ":s": {"S": x(n)}});
                (
                    Query,
                    json!({"TableName": "indexed",
                           "KeyConditionExpression": "pk = :k AND sk BETWEEN :k AND :s",
                           "ExpressionAttributeValues": values}),
                )
            },
            sort.clone(),
        ),
        most(
            "sort key, put",
            CONSTRAINTS,
            1_024,
            |n| put_indexed(json!({"pk": {"S": "a"}, "sk": {"S": x(n)}})),
            sort.clone(),
        ),
        most(
            "sort key, deleted",
            CONSTRAINTS,
            1_024,
            |n| {
                let key = json!({"pk": {"S": "a"}, "sk": {"S": x(n)}});
                (DeleteItem, json!({"TableName": "indexed", "Key": key}))
            },
            sort,
        ),
    ]);
}

/// What an item cannot be indexed by, it cannot have.
#[test]
fn index_keys() {
    const UPDATE: &str = "The update expression attempted to update the secondary index key beyond \
                          allowed size limits";
    let set = |attribute: &str, size: usize| {
        (
            UpdateItem,
            json!({"TableName": "indexed", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}},
                   "UpdateExpression": format!("SET {attribute} = :v, h = :h"),
                   "ExpressionAttributeValues": {":v": {"S": x(size)}, ":h": {"S": "h"}}}),
        )
    };
    let harness = super::tables();
    for (attribute, limit) in [("g", 2_048), ("l", 1_024)] {
        let (operation, request) = set(attribute, limit);
        harness.ok(operation, request);
        let (operation, request) = set(attribute, limit + 1);
        assert_eq!(harness.refused(operation, request), UPDATE, "{attribute}");
        let item = |size: usize| {
            json!({"TableName": "indexed",
                   "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "h": {"S": "h"},
                            (attribute): {"S": x(size)}}})
        };
        harness.ok(PutItem, item(limit));
        assert!(
            harness.call(PutItem, &item(limit + 1)).is_err(),
            "{attribute}"
        );
    }
}

#[test]
fn names() {
    check([
        most(
            "attribute name",
            CONSTRAINTS,
            65_535,
            |n| put(json!({"pk": {"S": "a"}, (x(n)): {"S": ""}})),
            "1 validation error detected: Attribute name is too large, must be less than 65536 bytes",
        ),
        most(
            "name of a key attribute",
            CONSTRAINTS,
            255,
            |n| {
                let name = x(n);
                (
                    CreateTable,
                    json!({"TableName": "new", "BillingMode": "PAY_PER_REQUEST",
                           "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"}],
                           "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}]}),
                )
            },
            violation("length less than or equal to 255"),
        ),
    ]);
}

#[test]
fn numbers() {
    let number = |text: String| put(json!({"pk": {"S": "a"}, "n": {"N": text}}));
    let harness = super::tables();
    for (at, past, refusal) in [
        (
            "9".repeat(38),
            "9".repeat(39),
            "Attempting to store more than 38 significant digits in a Number",
        ),
        (
            format!("{}E+125", "9.".to_owned() + &"9".repeat(37)),
            "1E+126".to_owned(),
            "Number overflow. Attempting to store a number with magnitude larger than supported \
             range",
        ),
        (
            "1E-130".to_owned(),
            "1E-131".to_owned(),
            "Number underflow. Attempting to store a number with magnitude smaller than supported \
             range",
        ),
    ] {
        for sign in ["", "-"] {
            let (operation, request) = number(format!("{sign}{at}"));
            harness.ok(operation, request);
            let (operation, request) = number(format!("{sign}{past}"));
            assert_eq!(
                harness.refused(operation, request),
                format!("1 validation error detected: {refusal}"),
                "{sign}{past}"
            );
        }
    }
}

#[test]
fn nesting() {
    const NEST: &str = "1 validation error detected: Nesting Levels have exceeded supported limits: \
                        Attributes in the item have nested levels beyond supported limit";
    // The attribute's own value is the first of 32 levels.
    check([most(
        "levels of an attribute",
        CONSTRAINTS,
        32,
        |n| put(json!({"pk": {"S": "a"}, "d": deep(n - 1)})),
        NEST,
    )]);
    // An update can put a value that is allowed where it nests too deeply.
    let harness = super::tables();
    harness.put("hash", &json!({"pk": {"S": "deep"}, "m": {"M": {}}}));
    let set = |depth: usize| {
        json!({"TableName": "hash", "Key": {"pk": {"S": "deep"}}, "UpdateExpression": "SET m.n = :d",
               "ExpressionAttributeValues": {":d": deep(depth)}})
    };
    harness.ok(UpdateItem, set(30));
    assert_eq!(
        harness.refused(UpdateItem, set(31)),
        "Nesting Levels have exceeded supported limits"
    );
}
