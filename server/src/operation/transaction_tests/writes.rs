//! What transactions do, and the reasons for which they do nothing.

use super::*;
use crate::wire::Operation::{PutItem, Scan};

#[test]
fn all_four_actions_happen_as_one() {
    let harness = Harness::with_table();
    harness.put("items", &item("a", json!({"n": {"N": "1"}})));
    harness.put("items", &key("b"));
    harness.put("items", &key("c"));
    harness.write(&[
        check("c", "attribute_exists(pk)"),
        put("d", json!({"x": {"S": "new"}})),
        add("a", "41"),
        delete("b"),
    ]);
    assert_eq!(
        harness.read(&["a", "b", "c", "d"]),
        [
            item("a", json!({"n": {"N": "42"}})),
            Value::Null,
            key("c"),
            item("d", json!({"x": {"S": "new"}})),
        ]
    );
}

#[test]
fn tables_and_their_indexes_change_together() {
    let harness = Harness::with_table();
    let projection = crate::table::Projection::KeysOnly;
    harness.table(
        "others",
        &["sk"],
        &[],
        &[("index", &["kind"], &[], projection)],
    );
    let entry = json!({"pk": {"S": "a"}, "sk": {"S": "b"}, "kind": {"S": "x"}});
    harness.write(&[
        put("a", json!({})),
        json!({"Put": {"TableName": "others", "Item": entry}}),
    ]);
    let index = harness.ok(Scan, json!({"TableName": "others", "IndexName": "index"}));
    assert_eq!(index["Items"], json!([entry]));
    let reasons = harness.cancelled(&[
        json!({"Delete": {"TableName": "others", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}}),
        check("a", "attribute_not_exists(pk)"),
    ]);
    assert_eq!(reasons[0], none());
    let index = harness.ok(Scan, json!({"TableName": "others", "IndexName": "index"}));
    assert_eq!(index["Count"], 1);
}

#[test]
fn reasons_are_in_the_order_of_the_actions() {
    let harness = Harness::with_table();
    let old = item("b", json!({"n": {"N": "1"}, "s": {"S": "x"}}));
    harness.put("items", &old);
    harness.put("items", &item("e", json!({"n": {"S": "no number"}})));
    let failed = "The conditional request failed";
    let not_exists = "attribute_not_exists(pk)";
    let reasons = harness.cancelled(&[
        put("a", json!({})),
        when(put("b", json!({})), not_exists),
        showing(check("c", "attribute_exists(pk)")),
        delete("d"),
        add("e", "1"),
    ]);
    let operand = "An operand in the update expression has an incorrect data type";
    assert_eq!(
        reasons,
        json!([
            none(),
            reason("ConditionalCheckFailed", failed),
            // It was asked for, but there is none.
            reason("ConditionalCheckFailed", failed),
            none(),
            reason("ValidationError", operand),
        ])
    );
    let actions = [
        showing(check("b", not_exists)),
        showing(put("a", json!({}))),
    ];
    assert_eq!(
        harness.cancelled(&actions),
        json!([
            {"Code": "ConditionalCheckFailed", "Item": old, "Message": failed},
            none(),
        ])
    );
    assert_eq!(harness.read(&["a", "b"]), [Value::Null, old]);
}

#[test]
fn a_write_of_one_item_sees_what_a_transaction_wrote() {
    let harness = Harness::with_table();
    harness.write(&[set("a", "1"), set("b", "1")]);
    let request = json!({"TableName": "items", "Item": key("a"),
        "ConditionExpression": "attribute_not_exists(pk)"});
    let (name, _) = harness.call(PutItem, &request).unwrap_err();
    assert_eq!(name, "ConditionalCheckFailedException");
}

#[test]
fn a_read_applies_projections_and_leaves_out_what_is_not_there() {
    let harness = Harness::with_table();
    harness.put(
        "items",
        &item("a", json!({"n": {"N": "1"}, "size": {"S": "x"}})),
    );
    let mut projected = get("a");
    projected["Get"]["ProjectionExpression"] = "#s".into();
    projected["Get"]["ExpressionAttributeNames"] = json!({"#s": "size"});
    let answer = harness.ok(TransactGetItems, transaction(&[projected, get("b")]));
    assert_eq!(
        answer,
        json!({"Responses": [{"Item": {"size": {"S": "x"}}}, {}]})
    );
}

#[test]
fn a_write_transaction_without_more_answers_nothing() {
    let harness = Harness::with_table();
    let answer = harness.ok(TransactWriteItems, transaction(&[put("a", json!({}))]));
    assert_eq!(answer, json!({}));
}
