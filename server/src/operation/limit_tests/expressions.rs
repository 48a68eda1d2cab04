//! Expressions and their placeholders.

use serde_json::{Map, Value, json};

use super::{check, most, x};
use crate::wire::Operation::{self, *};

const PARAMETERS: &str =
    "developer guide, \"Constraints in Amazon DynamoDB\", expression parameters";
const LENGTH: &str = "limits/expressionSize of the conformance reference";

/// A condition of PutItem on a new key, so that `attribute_not_exists` holds.
fn put_if(condition: &str, values: Value) -> (Operation, Value) {
    let mut request = json!({"TableName": "hash", "Item": {"pk": {"S": "new"}},
                             "ConditionExpression": condition});
    if values.as_object().is_some_and(|values| !values.is_empty()) {
        request["ExpressionAttributeValues"] = values;
    }
    (PutItem, request)
}

/// `clauses` joined to `size` bytes exactly: the last of them gets a longer name.
fn to_size(size: usize, start: &str, joint: &str, clause: impl Fn(&str) -> String) -> String {
    // Long names, so that 300 operators are not reached first.
    let long = x(40);
    let mut text = start.to_owned();
    let mut number = 0;
    loop {
        let joined = if number == 0 { "" } else { joint };
        let short = clause(&format!("{long}{number}"));
        let left = size - text.len() - joined.len();
        // Enough must remain for a whole clause, or none.
        if left < 2 * (joint.len() + short.len() + 8) {
            let pad = "y".repeat(left - short.len());
            text += joined;
            text += &clause(&format!("{long}{number}{pad}"));
            assert_eq!(text.len(), size);
            return text;
        }
        text += joined;
        text += &short;
        number += 1;
    }
}

#[test]
fn lengths() {
    let too_long = |kind: &str, tail: &str| {
        format!("Invalid {kind}: Expression size has exceeded the maximum allowed size;{tail}")
    };
    let told = |kind: &str| too_long(kind, " expression size: 4097");
    let one = |message: String| format!("1 validation error detected: {message}");
    check([
        most(
            "ConditionExpression, bytes",
            LENGTH,
            4_096,
            |n| {
                let clause = |name: &str| format!("attribute_not_exists({name})");
                put_if(&to_size(n, "", " AND ", clause), json!({}))
            },
            one(told("ConditionExpression")),
        ),
        most(
            "UpdateExpression, bytes",
            LENGTH,
            4_096,
            |n| {
                let text = to_size(n, "SET ", ", ", |name| format!("{name} = :v"));
                (
                    UpdateItem,
                    json!({"TableName": "hash", "Key": {"pk": {"S": "here"}},
                           "UpdateExpression": text, "ExpressionAttributeValues": {":v": {"S": "x"}}}),
                )
            },
            one(too_long("UpdateExpression", "")),
        ),
        most(
            "FilterExpression of Scan, bytes",
            LENGTH,
            4_096,
            |n| {
                let text = to_size(n, "", " OR ", |name| format!("{name} = :v"));
                (
                    Scan,
                    json!({"TableName": "hash", "FilterExpression": text,
                           "ExpressionAttributeValues": {":v": {"S": "x"}}}),
                )
            },
            told("FilterExpression"),
        ),
        most(
            "ProjectionExpression, bytes",
            LENGTH,
            4_096,
            |n| {
                let text = to_size(n, "", ", ", str::to_owned);
                (
                    GetItem,
                    json!({"TableName": "hash", "Key": {"pk": {"S": "here"}},
                           "ProjectionExpression": text}),
                )
            },
            told("ProjectionExpression"),
        ),
        most(
            "KeyConditionExpression, bytes",
            PARAMETERS,
            4_096,
            |n| {
                let text = format!("pk{}= :v", " ".repeat(n - "pk= :v".len()));
                (
                    Query,
                    json!({"TableName": "hash", "KeyConditionExpression": text,
                           "ExpressionAttributeValues": {":v": {"S": "here"}}}),
                )
            },
            told("KeyConditionExpression"),
        ),
        most(
            "ConditionExpression in a transaction, bytes",
            LENGTH,
            4_096,
            |n| {
                let text = to_size(n, "", " AND ", |name| {
                    format!("attribute_not_exists({name})")
                });
                let put = json!({"Put": {"TableName": "hash", "Item": {"pk": {"S": "new"}},
                                         "ConditionExpression": text}});
                (TransactWriteItems, json!({"TransactItems": [put]}))
            },
            told("ConditionExpression"),
        ),
    ]);
}

#[test]
fn parts() {
    let one = |message: &str| format!("1 validation error detected: {message}");
    check([
        most(
            "operators and functions of an expression",
            PARAMETERS,
            300,
            |n| {
                // n comparisons and joints, in two kinds of brackets' worth of nothing else.
                let (clauses, joints) = (n.div_ceil(2), n / 2);
                assert_eq!(clauses + joints, n);
                let mut text = vec!["a<>:v"; clauses].join(" OR ");
                if joints == clauses {
                    text = format!("NOT {text}");
                }
                put_if(&text, json!({":v": {"S": "x"}}))
            },
            one(
                "Invalid ConditionExpression: The expression contains too many operators; operator \
                 count: 301",
            ),
        ),
        most(
            "operands of IN",
            PARAMETERS,
            100,
            |n| {
                let names: Vec<String> = (0..n).map(|n| format!(":v{n}")).collect();
                let values: Map<String, Value> = names
                    .iter()
                    .map(|name| (name.clone(), json!({"S": "x"})))
                    .collect();
                let list = names.join(",");
                put_if(&format!("NOT a IN ({list})"), values.into())
            },
            one(
                "Invalid ConditionExpression: The IN operator is provided with too many operands; \
                 number of operands: 101",
            ),
        ),
        most(
            "elements of a document path",
            PARAMETERS,
            32,
            |n| {
                put_if(
                    &format!("attribute_not_exists({})", vec!["a"; n].join(".")),
                    json!({}),
                )
            },
            one(
                "Invalid ConditionExpression: The document path has too many nesting levels; \
                 nesting levels: 33",
            ),
        ),
    ]);
}

#[test]
fn placeholders() {
    const MEGABYTES_2: usize = 2 * 1024 * 1024;
    check([
        most(
            "placeholder, bytes with its sign",
            PARAMETERS,
            255,
            |n| {
                let name = format!("#{}", x(n - 1));
                let (operation, mut request) =
                    put_if(&format!("attribute_not_exists({name})"), json!({}));
                request["ExpressionAttributeNames"] = json!({ (name): "a" });
                (operation, request)
            },
            "1 validation error detected: ExpressionAttributeNames contains invalid key: The \
             expression attribute map contains a key that is too long; size of key: 256",
        ),
        most(
            "placeholder of a value, bytes with its sign",
            PARAMETERS,
            255,
            |n| {
                let name = format!(":{}", x(n - 1));
                let condition = format!("attribute_not_exists(a) OR a = {name}");
                put_if(&condition, json!({ (name): {"S": "x"} }))
            },
            "1 validation error detected: ExpressionAttributeValues contains invalid key: The \
             expression attribute map contains a key that is too long;",
        ),
        most(
            "name that a placeholder stands for, bytes",
            "ExtendDB/extenddb#365",
            65_535,
            |n| {
                let update = json!({"TableName": "hash", "Key": {"pk": {"S": "here"}},
                    "UpdateExpression": "SET #n = :v", "ExpressionAttributeNames": {"#n": x(n)},
                    "ExpressionAttributeValues": {":v": {"S": "x"}}});
                (UpdateItem, update)
            },
            "1 validation error detected: Attribute name is too large, must be less than 65536 bytes",
        ),
        most(
            "name of an attribute in AttributeUpdates, bytes",
            "ExtendDB/extenddb#365",
            65_535,
            |n| {
                let update = json!({"TableName": "hash", "Key": {"pk": {"S": "here"}},
                    "AttributeUpdates": {(x(n)): {"Value": {"S": "x"}}}});
                (UpdateItem, update)
            },
            "1 validation error detected: Attribute name is too large, must be less than 65536 bytes",
        ),
        most(
            "values of all placeholders, bytes",
            PARAMETERS,
            MEGABYTES_2,
            |n| {
                put_if(
                    "attribute_not_exists(a) OR a = :v",
                    json!({":v": {"S": x(n)}}),
                )
            },
            "1 validation error detected: ExpressionAttributeValues size has exceeded the maximum \
             allowed size",
        ),
    ]);
}
