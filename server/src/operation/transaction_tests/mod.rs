//! Transactions, through the library entry and the wire's JSON.

mod capacity;
mod conflicts;
mod refusals;
mod repeats;
mod transfers;
mod writes;

use serde_json::{Value, json};

use super::harness::Harness;
use crate::wire::Operation::{GetItem, TransactGetItems, TransactWriteItems};

/// The item `{pk: name}` with these attributes besides.
fn item(name: &str, attributes: Value) -> Value {
    let mut item = attributes;
    item["pk"] = json!({ "S": name });
    item
}

fn key(name: &str) -> Value {
    item(name, json!({}))
}

fn put(name: &str, attributes: Value) -> Value {
    json!({"Put": {"TableName": "items", "Item": item(name, attributes)}})
}

/// `SET n = :n`.
fn set(name: &str, n: &str) -> Value {
    json!({"Update": {"TableName": "items", "Key": key(name), "UpdateExpression": "SET n = :n",
        "ExpressionAttributeValues": {":n": {"N": n}}}})
}

/// `ADD n :by`.
fn add(name: &str, by: &str) -> Value {
    json!({"Update": {"TableName": "items", "Key": key(name), "UpdateExpression": "ADD n :by",
        "ExpressionAttributeValues": {":by": {"N": by}}}})
}

fn delete(name: &str) -> Value {
    json!({"Delete": {"TableName": "items", "Key": key(name)}})
}

fn check(name: &str, condition: &str) -> Value {
    json!({"ConditionCheck":
        {"TableName": "items", "Key": key(name), "ConditionExpression": condition}})
}

/// Adds a condition to an action.
fn when(mut action: Value, condition: &str) -> Value {
    for action in action.as_object_mut().unwrap().values_mut() {
        action["ConditionExpression"] = condition.into();
    }
    action
}

/// Asks for the item of an action whose condition fails.
fn showing(mut action: Value) -> Value {
    for action in action.as_object_mut().unwrap().values_mut() {
        action["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
    }
    action
}

fn get(name: &str) -> Value {
    json!({"Get": {"TableName": "items", "Key": key(name)}})
}

fn transaction(items: &[Value]) -> Value {
    json!({ "TransactItems": items })
}

impl Harness {
    /// A Stator with the table `items`, keyed by `pk` alone.
    fn with_table() -> Self {
        let harness = Self::new();
        harness.table("items", &[], &[], &[]);
        harness
    }

    #[track_caller]
    fn write(&self, items: &[Value]) {
        self.ok(TransactWriteItems, transaction(items));
    }

    /// The items that a read transaction answers, `null` where there is none.
    #[track_caller]
    fn read(&self, names: &[&str]) -> Vec<Value> {
        let gets: Vec<Value> = names.iter().map(|name| get(name)).collect();
        let answer = self.ok(TransactGetItems, transaction(&gets));
        let responses = answer["Responses"].as_array().unwrap();
        responses.iter().map(|one| one["Item"].clone()).collect()
    }

    /// The item, or `null`.
    #[track_caller]
    fn stored(&self, name: &str) -> Value {
        let answer = self.ok(GetItem, json!({"TableName": "items", "Key": key(name)}));
        answer["Item"].clone()
    }

    /// The reasons of the cancellation that a write transaction is answered with.
    #[track_caller]
    fn cancelled(&self, items: &[Value]) -> Value {
        reasons(self.call(TransactWriteItems, &transaction(items)))
    }
}

/// The reasons of a cancellation, whose message must agree with them.
#[track_caller]
fn reasons(answer: Result<Value, (String, Value)>) -> Value {
    let (name, body) = answer.unwrap_err();
    assert_eq!(name, "TransactionCanceledException", "{body}");
    let reasons = body["CancellationReasons"].clone();
    let codes: Vec<&str> = reasons
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["Code"].as_str().unwrap())
        .collect();
    assert_eq!(
        body["Message"],
        format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        )
    );
    reasons
}

/// A reason of this code and message.
fn reason(code: &str, message: &str) -> Value {
    json!({"Code": code, "Message": message})
}

fn none() -> Value {
    json!({"Code": "None"})
}
