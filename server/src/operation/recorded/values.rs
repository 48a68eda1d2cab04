//! Numbers and sets that are none, on every surface: which layer's words they are refused in
//! (error-messages/valueLayers, limits/numberExponent).

use serde_json::{Value, json};

use super::{INVALID, Record, check, differs, one, same};
use crate::wire::Operation::{self, *};

const NOT_NUMERIC: &str = "The parameter cannot be converted to a numeric value";
const OVERFLOW: &str =
    "Number overflow. Attempting to store a number with magnitude larger than supported range";
const UNDERFLOW: &str =
    "Number underflow. Attempting to store a number with magnitude smaller than supported range";

/// How a surface puts a refusal of a value.
#[derive(Clone, Copy)]
enum Layer {
    /// Today's, in the envelope of a violation.
    Enveloped,
    /// Today's, bare.
    Bare,
    /// The older one's.
    Older,
}

/// The surfaces of `valueLayers`: where a request takes a value, and whose words it has. The last
/// member tells whether the older layer names the placeholder.
type Surface = (Operation, fn(Value) -> Value, Layer, bool);

const SURFACES: &[Surface] = &[
    (
        PutItem,
        |v| json!({"TableName": "hash", "Item": {"pk": {"S": "v"}, "x": v}}),
        Layer::Enveloped,
        false,
    ),
    (
        PutItem,
        |v| json!({"TableName": "hash", "Item": {"pk": {"S": "v"}, "x": {"M": {"y": {"L": [v]}}}}}),
        Layer::Enveloped,
        false,
    ),
    (
        PutItem,
        |v| json!({"TableName": "hash", "Item": {"pk": {"S": "v"}}, "ConditionExpression": "attribute_not_exists(pk) OR x = :v", "ExpressionAttributeValues": {":v": v}}),
        Layer::Enveloped,
        true,
    ),
    (
        PutItem,
        |v| json!({"TableName": "hash", "Item": {"pk": {"S": "v"}}, "Expected": {"x": {"Value": v}}}),
        Layer::Enveloped,
        false,
    ),
    (
        UpdateItem,
        |v| json!({"TableName": "hash", "Key": {"pk": {"S": "v"}}, "UpdateExpression": "SET x = :v", "ExpressionAttributeValues": {":v": v}}),
        Layer::Enveloped,
        true,
    ),
    (
        UpdateItem,
        |v| json!({"TableName": "hash", "Key": {"pk": {"S": "v"}}, "AttributeUpdates": {"x": {"Action": "PUT", "Value": v}}}),
        Layer::Enveloped,
        false,
    ),
    (
        UpdateItem,
        |v| json!({"TableName": "hash", "Key": {"pk": v}, "UpdateExpression": "SET x = :o", "ExpressionAttributeValues": {":o": {"N": "1"}}}),
        Layer::Enveloped,
        false,
    ),
    (
        DeleteItem,
        |v| json!({"TableName": "hash", "Key": {"pk": {"S": "v"}}, "ConditionExpression": "x = :v", "ExpressionAttributeValues": {":v": v}}),
        Layer::Enveloped,
        true,
    ),
    (
        DeleteItem,
        |v| json!({"TableName": "hash", "Key": {"pk": v}}),
        Layer::Enveloped,
        false,
    ),
    (
        GetItem,
        |v| json!({"TableName": "hash", "Key": {"pk": v}}),
        Layer::Bare,
        false,
    ),
    (
        BatchGetItem,
        |v| json!({"RequestItems": {"hash": {"Keys": [{"pk": v}]}}}),
        Layer::Bare,
        false,
    ),
    (
        Query,
        |v| json!({"TableName": "hash", "KeyConditionExpression": "pk = :v", "ExpressionAttributeValues": {":v": v}}),
        Layer::Bare,
        true,
    ),
    (
        Query,
        |v| json!({"TableName": "hash", "KeyConditionExpression": "pk = :p", "FilterExpression": "x = :v", "ExpressionAttributeValues": {":p": {"S": "v"}, ":v": v}}),
        Layer::Bare,
        true,
    ),
    (
        Query,
        |v| json!({"TableName": "hash", "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "v"}}, "ExclusiveStartKey": {"pk": v}}),
        Layer::Bare,
        false,
    ),
    (
        Query,
        |v| json!({"TableName": "hash", "KeyConditions": {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "v"}]}}, "QueryFilter": {"x": {"ComparisonOperator": "EQ", "AttributeValueList": [v]}}}),
        Layer::Bare,
        false,
    ),
    (
        BatchWriteItem,
        |v| json!({"RequestItems": {"hash": [{"PutRequest": {"Item": {"pk": {"S": "v"}, "x": v}}}]}}),
        Layer::Older,
        false,
    ),
    (
        BatchWriteItem,
        |v| json!({"RequestItems": {"hash": [{"DeleteRequest": {"Key": {"pk": v}}}]}}),
        Layer::Older,
        false,
    ),
    (
        TransactWriteItems,
        |v| json!({"TransactItems": [{"Put": {"TableName": "hash", "Item": {"pk": {"S": "v"}, "x": v}}}]}),
        Layer::Older,
        false,
    ),
    (
        TransactWriteItems,
        |v| json!({"TransactItems": [{"Delete": {"TableName": "hash", "Key": {"pk": v}}}]}),
        Layer::Older,
        false,
    ),
    (
        TransactWriteItems,
        |v| json!({"TransactItems": [{"Update": {"TableName": "hash", "Key": {"pk": {"S": "v"}}, "UpdateExpression": "SET x = :v", "ExpressionAttributeValues": {":v": v}}}]}),
        Layer::Older,
        true,
    ),
    (
        TransactWriteItems,
        |v| json!({"TransactItems": [{"ConditionCheck": {"TableName": "hash", "Key": {"pk": {"S": "v"}}, "ConditionExpression": "x = :v", "ExpressionAttributeValues": {":v": v}}}]}),
        Layer::Older,
        true,
    ),
    (
        TransactGetItems,
        |v| json!({"TransactItems": [{"Get": {"TableName": "hash", "Key": {"pk": v}}}]}),
        Layer::Older,
        false,
    ),
    (
        Scan,
        |v| json!({"TableName": "hash", "FilterExpression": "x = :v", "ExpressionAttributeValues": {":v": v}}),
        Layer::Older,
        true,
    ),
];

/// What each surface answers to a value that today's layer refuses as `current`, the older as `older`.
fn on_all_surfaces(value: &Value, current: &str, older: &str) -> Vec<Record> {
    let record = |(operation, request, layer, placeholder): &Surface| {
        let older = match placeholder {
            true => {
                format!("ExpressionAttributeValues contains invalid value: {older} for key :v")
            }
            false => older.to_owned(),
        };
        let current = match layer {
            Layer::Enveloped => one(current),
            Layer::Bare => current.to_owned(),
            Layer::Older => older.clone(),
        };
        let request = request(value.clone());
        differs(
            "error-messages/valueLayers",
            *operation,
            request,
            current,
            older,
        )
    };
    SURFACES.iter().map(record).collect()
}

#[test]
fn malformed_numbers() {
    // The older layer reads as Java's BigDecimal: an exponent at 32 bits' end wraps.
    let shapes = [
        (
            "abc",
            "The parameter cannot be converted to a numeric value: abc",
            None,
        ),
        (
            "",
            "The parameter cannot be converted to a numeric value: ",
            Some(NOT_NUMERIC),
        ),
        ("1e126", OVERFLOW, None),
        ("1e2147483647", OVERFLOW, Some(UNDERFLOW)),
    ];
    check(shapes.into_iter().flat_map(|(text, current, older)| {
        on_all_surfaces(&json!({ "N": text }), current, older.unwrap_or(current))
    }));
}

#[test]
fn repeated_elements() {
    let sets = [
        (
            json!({"SS": ["b", "a", "b"]}),
            format!("{INVALID}Input collection [\"a\", \"b\", \"b\"] contains duplicates."),
            format!("{INVALID}Input collection [b, a, b] contains duplicates."),
        ),
        (
            json!({"BS": ["/w==", "AA==", "AA=="]}),
            format!(
                "{INVALID}Input collection [\"AA==\",\"/w==\",\"AA==\"]of type BS contains duplicates."
            ),
            format!("{INVALID}Input collection [/w==, AA==, AA==]of type BS contains duplicates."),
        ),
        (
            json!({"NS": ["2", "1", "2"]}),
            format!("{INVALID}Input collection contains duplicates."),
            "Input collection contains duplicates".to_owned(),
        ),
    ];
    check(
        sets.iter()
            .flat_map(|(set, current, older)| on_all_surfaces(set, current, older)),
    );
}

/// In today's layer, where an item is put.
#[test]
fn exponents_and_spaces() {
    let refused = |text: &str| format!("{NOT_NUMERIC}: {text}");
    let digits = "Attempting to store more than 38 significant digits in a Number";
    let cases = [
        ("1e99999999999", OVERFLOW.to_owned()),
        ("-1e99999999999", OVERFLOW.to_owned()),
        ("1e-99999999999", UNDERFLOW.to_owned()),
        ("1e2147483648", OVERFLOW.to_owned()),
        ("1e-2147483648", UNDERFLOW.to_owned()),
        ("1e9223372036854775808", refused("1e9223372036854775808")),
        ("1e-131", UNDERFLOW.to_owned()),
        ("0e126", OVERFLOW.to_owned()),
        ("0e-131", UNDERFLOW.to_owned()),
        ("1.2.3", refused("1.2.3")),
        (" 1", refused(" 1")),
        ("1 ", refused("1 ")),
        ("0x10", refused("0x10")),
        ("1e", refused("1e")),
        ("NaN", refused("NaN")),
        ("Infinity", refused("Infinity")),
        (
            "1234567890123456789012345678901234567890",
            digits.to_owned(),
        ),
    ];
    for (text, message) in cases {
        let harness = super::Harness::new();
        harness.table("hash", &[], &[], &[]);
        let request = json!({"TableName": "hash", "Item": {"pk": {"S": "v"}, "n": {"N": text}}});
        assert_eq!(harness.refused(PutItem, request), one(message), "{text:?}");
    }
    let put =
        |text: &str| json!({"TableName": "hash", "Item": {"pk": {"S": "v"}, "n": {"N": text}}});
    check(
        ["0e125", "1e-130", "1e125"]
            .map(|text| same("limits/numberExponent", PutItem, put(text), "accepted")),
    );
}
