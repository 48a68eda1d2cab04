//! Transactions that meet others.

use std::{path::PathBuf, pin::pin, task};

use super::*;
use crate::{
    operation::dispatch,
    plan::{key::lookup_key, transaction::claims::Claim},
    store::{Simulation, Storage},
    wire::Operation::{BatchWriteItem, DeleteItem, PutItem, Query, UpdateItem},
};

const ONGOING: &str = "Transaction is ongoing for the item";

/// A transaction on these items that does not come to its end.
fn in_progress(harness: &Harness, names: &[&str]) -> Claim {
    let table = harness
        .stator
        .table(&harness.stator.context(), "items")
        .unwrap();
    let keys: Vec<_> = names
        .iter()
        .map(|name| {
            let json = key(name).to_string();
            lookup_key(&table, crate::plan::fixture::item(&json).as_ref()).unwrap()
        })
        .collect();
    let keys: Vec<_> = keys.iter().collect();
    harness
        .stator
        .transactions()
        .claims
        .claim(&keys)
        .ok()
        .unwrap()
}

#[test]
fn a_transaction_in_progress_cancels_those_that_meet_it() {
    let harness = Harness::with_table();
    harness.put("items", &key("a"));
    let claim = in_progress(&harness, &["a", "b"]);
    let conflict = reason("TransactionConflict", ONGOING);
    let meeting = [
        set("c", "1"),
        check("b", "attribute_exists(pk)"),
        set("a", "1"),
    ];
    assert_eq!(
        harness.cancelled(&meeting),
        json!([none(), conflict, conflict])
    );
    let read = transaction(&[get("a"), get("c")]);
    assert_eq!(
        reasons(harness.call(TransactGetItems, &read)),
        json!([conflict, none()])
    );
    harness.write(&[set("c", "1"), set("d", "1")]);
    drop(claim);
    harness.ok(TransactGetItems, read);
    harness.write(&[set("c", "1"), set("a", "1")]);
}

#[test]
fn a_transaction_in_progress_turns_writes_of_its_items_away() {
    let harness = Harness::with_table();
    let claim = in_progress(&harness, &["a"]);
    let with = |name: &str, rest: Value| {
        let mut request = rest;
        request["TableName"] = "items".into();
        let member = if request.get("Item").is_some() {
            "Item"
        } else {
            "Key"
        };
        request[member] = key(name);
        request
    };
    let set = json!({"UpdateExpression": "SET n = :n",
        "ExpressionAttributeValues": {":n": {"N": "1"}}});
    for (operation, request) in [
        (PutItem, json!({"Item": {}})),
        (DeleteItem, json!({})),
        (UpdateItem, set),
    ] {
        let (name, body) = harness
            .call(operation, &with("a", request.clone()))
            .unwrap_err();
        assert_eq!(name, "TransactionConflictException");
        assert_eq!(body["message"], ONGOING);
        harness.ok(operation, with("b", request));
    }
    // Reads, and operations that have no such error, are not concerned.
    assert_eq!(harness.stored("a"), Value::Null);
    let query = json!({"TableName": "items", "KeyConditionExpression": "pk = :a",
        "ExpressionAttributeValues": {":a": {"S": "a"}}});
    harness.ok(Query, query);
    let batch = json!({"RequestItems": {"items": [{"PutRequest": {"Item": key("a")}}]}});
    harness.ok(BatchWriteItem, batch);
    drop(claim);
    harness.put("items", &key("a"));
}

/// In the simulation nothing becomes durable until somebody waits.
#[test]
fn a_read_conflicts_with_a_write_that_is_not_durable_yet() {
    let simulation = Simulation::new(7);
    let harness = Harness::on(Storage::Env(simulation.env(), PathBuf::from("/data")));
    harness.table("items", &[], &[], &[]);
    harness.put("items", &key("a"));
    let context = harness.stator.context();
    let body = json!({"TableName": "items", "Item": key("b")}).to_string();
    let mut write = pin!(dispatch(
        &harness.stator,
        &context,
        PutItem,
        body.as_bytes()
    ));
    let mut waker = task::Context::from_waker(task::Waker::noop());
    assert!(write.as_mut().poll(&mut waker).is_pending());
    let read = transaction(&[get("a"), get("b")]);
    assert_eq!(
        reasons(harness.call(TransactGetItems, &read)),
        json!([none(), reason("TransactionConflict", ONGOING)])
    );
    harness.read(&["a"]);
    simulation.run_until_idle();
    assert_eq!(harness.read(&["a", "b"]), [key("a"), key("b")]);
}

/// A transaction is over when it is answered, and also when nobody waits for it any more.
#[test]
fn nothing_stays_claimed() {
    let simulation = Simulation::new(8);
    let harness = Harness::on(Storage::Env(simulation.env(), PathBuf::from("/data")));
    harness.table("items", &[], &[], &[]);
    let context = harness.stator.context();
    let body = transaction(&[set("a", "1"), set("b", "1")]).to_string();
    {
        let mut write = pin!(dispatch(
            &harness.stator,
            &context,
            TransactWriteItems,
            body.as_bytes()
        ));
        let mut waker = task::Context::from_waker(task::Waker::noop());
        assert!(write.as_mut().poll(&mut waker).is_pending());
        let conflict = reason("TransactionConflict", ONGOING);
        let meeting = harness.cancelled(&[set("b", "2"), set("c", "2")]);
        assert_eq!(meeting, json!([conflict, none()]));
    }
    harness.write(&[set("b", "2"), set("c", "2")]);
    let [a, b] = ["a", "b"].map(|name| harness.stored(name)["n"]["N"].clone());
    assert_eq!([a, b], ["1", "2"]);
}
