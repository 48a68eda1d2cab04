//! Item collections: their sizes and their limit.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::harness::Harness;
use crate::{
    Stator, StatorOptions,
    plan::collection,
    store::{Simulation, Storage},
    table::Projection,
    wire::Operation::{self, BatchWriteItem, DeleteItem, PutItem, TransactWriteItems, UpdateItem},
};

fn open(storage: Storage, item_collection_limit: u64) -> Harness {
    let stator = Stator::open(StatorOptions {
        storage,
        item_collection_limit,
        ..StatorOptions::default()
    });
    Harness {
        stator: stator.unwrap(),
    }
}

/// A table `items` with one local index that carries everything, and one that carries keys only.
fn with_table(limit: u64) -> Harness {
    let harness = open(Storage::Memory, limit);
    table(&harness);
    harness
}

fn table(harness: &Harness) {
    let local: &[_] = &[
        ("all", &["pk"][..], &["l"][..], Projection::All),
        ("keys", &["pk"], &["m"], Projection::KeysOnly),
    ];
    harness.table("items", &["sk"], local, &[]);
}

fn key(pk: &str, sk: &str) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": sk}})
}

fn item(pk: &str, sk: &str, attributes: Value) -> Value {
    let mut item = key(pk, sk);
    for (name, value) in attributes.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

fn put(item: &Value) -> Value {
    json!({"TableName": "items", "Item": item})
}

/// What is kept as the size of the collection.
fn size(harness: &Harness, pk: &str) -> u64 {
    let stator = &harness.stator;
    let table = stator.table(&stator.context(), "items").unwrap();
    let named = crate::plan::fixture::item(&key(pk, "any").to_string());
    let size = collection::size(stator.store(), &table, named.as_ref());
    stator.block_on(size).unwrap().unwrap().unwrap()
}

/// 2 bytes of each key attribute's name and as many as it has of its value, and so on.
const PLAIN: u64 = 2 + 1 + 2 + 1;

#[test]
fn items_and_their_local_entries_count() {
    let harness = with_table(u64::MAX);
    let put = |attributes: Value| harness.ok(PutItem, put(&item("a", "1", attributes)));
    put(json!({}));
    assert_eq!(size(&harness, "a"), PLAIN);
    put(json!({"l": {"S": "x"}}));
    assert_eq!(
        size(&harness, "a"),
        2 * (PLAIN + 2),
        "also in the first index"
    );
    put(json!({"l": {"S": "x"}, "m": {"S": "y"}, "o": {"S": "12345"}}));
    assert_eq!(
        size(&harness, "a"),
        2 * (PLAIN + 2 + 2 + 6) + (PLAIN + 2),
        "also in the second, without what it does not carry"
    );
    assert_eq!(size(&harness, "b"), 0);
    harness.ok(
        DeleteItem,
        json!({"TableName": "items", "Key": key("a", "1")}),
    );
    assert_eq!(size(&harness, "a"), 0);
}

#[test]
fn metrics_are_returned_where_there_are_collections() {
    let harness = with_table(u64::MAX);
    harness.table("plain", &["sk"], &[], &[]);
    let metrics =
        json!({"ItemCollectionKey": {"pk": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]});
    let one = item("a", "1", json!({}));
    for (operation, mut request) in [
        (PutItem, put(&one)),
        (
            UpdateItem,
            json!({"TableName": "items", "Key": one, "UpdateExpression": "REMOVE x"}),
        ),
        (DeleteItem, json!({"TableName": "items", "Key": one})),
    ] {
        request["ReturnItemCollectionMetrics"] = json!("SIZE");
        let answer = harness.ok(operation, request.clone());
        assert_eq!(answer, json!({"ItemCollectionMetrics": metrics}));
        request["TableName"] = json!("plain");
        assert_eq!(harness.ok(operation, request.clone()), json!({}));
        request["TableName"] = json!("items");
        request["ReturnItemCollectionMetrics"] = json!("NONE");
        assert_eq!(harness.ok(operation, request), json!({}));
    }
    let answer = harness.ok(
        BatchWriteItem,
        json!({"ReturnItemCollectionMetrics": "SIZE", "RequestItems": {
            "items": [
                {"PutRequest": {"Item": one}},
                {"PutRequest": {"Item": item("a", "2", json!({}))}},
            ],
            "plain": [{"PutRequest": {"Item": one}}],
        }}),
    );
    assert_eq!(
        answer["ItemCollectionMetrics"],
        json!({"items": [metrics]}),
        "each collection once"
    );
    // Also when a transaction is only repeated.
    let request = json!({
        "ClientRequestToken": "token", "ReturnItemCollectionMetrics": "SIZE",
        "TransactItems": [{"Put": put(&one)}],
    });
    for _ in 0..2 {
        let answer = harness.ok(TransactWriteItems, request.clone());
        assert_eq!(
            answer,
            json!({"ItemCollectionMetrics": {"items": [metrics]}})
        );
    }
}

#[track_caller]
fn too_large(harness: &Harness, operation: Operation, request: &Value) {
    let (name, body) = harness.call(operation, request).unwrap_err();
    assert_eq!(name, "ItemCollectionSizeLimitExceededException", "{body}");
}

#[test]
fn a_collection_becomes_as_large_as_the_limit_and_no_larger() {
    let harness = with_table(2 * PLAIN);
    harness.ok(PutItem, put(&item("a", "1", json!({}))));
    let larger = |sk: &str| put(&item("a", sk, json!({"o": {"S": ""}})));
    too_large(&harness, PutItem, &larger("2"));
    harness.ok(PutItem, put(&item("a", "2", json!({}))));
    assert_eq!(size(&harness, "a"), 2 * PLAIN, "at the limit");
    too_large(&harness, PutItem, &larger("1"));
    too_large(&harness, PutItem, &put(&item("a", "3", json!({}))));
    // It is an update's result that counts, entries in indexes included.
    let update = json!({
        "TableName": "items", "Key": key("a", "1"), "UpdateExpression": "SET l = :l",
        "ExpressionAttributeValues": {":l": {"S": "x"}},
    });
    too_large(&harness, UpdateItem, &update);
    harness.ok(PutItem, put(&item("b", "1", json!({}))));
    // What leaves it as large as it is, is done.
    harness.ok(PutItem, put(&item("a", "2", json!({}))));
    assert_eq!(
        size(&harness, "a"),
        2 * PLAIN,
        "a refused write changes nothing"
    );
}

#[test]
fn one_write_that_is_too_much_refuses_a_batch_and_cancels_a_transaction() {
    let harness = with_table(2 * PLAIN);
    let all = ["1", "2", "3"].map(|sk| item("a", sk, json!({})));
    let puts = all
        .clone()
        .map(|item| json!({"PutRequest": {"Item": item}}));
    too_large(
        &harness,
        BatchWriteItem,
        &json!({"RequestItems": {"items": puts}}),
    );
    let puts = all.map(|item| json!({"Put": put(&item)}));
    let (name, body) = harness
        .call(TransactWriteItems, &json!({"TransactItems": puts}))
        .unwrap_err();
    assert_eq!(name, "TransactionCanceledException");
    assert_eq!(
        body["CancellationReasons"],
        json!([
            {"Code": "None"}, {"Code": "None"},
            {"Code": "ItemCollectionSizeLimitExceeded", "Message": "Collection size exceeded."},
        ])
    );
    assert_eq!(size(&harness, "a"), 0);
}

/// What there is before, with a limit that it is beyond: as after a start with a lower one.
#[test]
fn a_collection_that_is_too_large_may_shrink() {
    let simulation = Simulation::new(1);
    let storage = || Storage::Env(simulation.env(), "/data".into());
    let harness = open(storage(), u64::MAX);
    table(&harness);
    harness.ok(PutItem, put(&item("a", "1", json!({"o": {"S": "12345"}}))));
    harness.ok(PutItem, put(&item("a", "2", json!({}))));
    harness.stator.close().unwrap();
    let harness = open(storage(), 1);
    harness.ok(PutItem, put(&item("a", "1", json!({"o": {"S": "123"}}))));
    too_large(
        &harness,
        PutItem,
        &put(&item("a", "1", json!({"o": {"S": "1234"}}))),
    );
    assert_eq!(size(&harness, "a"), 2 * PLAIN + 4);
}

/// The size of an item, of attributes that are strings.
fn item_size(item: &Value) -> u64 {
    let attributes = item.as_object().unwrap().iter();
    attributes
        .map(|(name, value)| (name.len() + value["S"].as_str().unwrap().len()) as u64)
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// After random writes and a crash the sizes are those of what is there.
    #[test]
    fn sizes_are_those_of_the_items(
        seed: u64,
        steps in prop::collection::vec(
            ("[ab]", "[ab]", prop::option::of("[xy]{1,2}"), prop::option::of("[xy]{1,2}"), 0..4_u8),
            1..30,
        ),
    ) {
        let simulation = Simulation::new(seed);
        let harness = open(Storage::Env(simulation.env(), "/data".into()), u64::MAX);
        table(&harness);
        let mut model = std::collections::BTreeMap::new();
        for (pk, sk, l, m, action) in steps {
            let mut new = key(&pk, &sk);
            for (name, value) in [("l", l), ("m", m)] {
                if let Some(value) = value {
                    new[name] = json!({"S": value});
                }
            }
            let both = item(&pk, "c", json!({"l": {"S": "z"}}));
            match action {
                0 => {
                    let request = json!({"TableName": "items", "Key": key(&pk, &sk)});
                    harness.ok(DeleteItem, request);
                    model.remove(&(pk, sk));
                }
                1 => {
                    let puts = [&new, &both].map(|item| json!({"Put": put(item)}));
                    harness.ok(TransactWriteItems, json!({"TransactItems": puts}));
                    model.insert((pk.clone(), "c".to_owned()), both);
                    model.insert((pk, sk), new);
                }
                _ => {
                    harness.ok(PutItem, put(&new));
                    model.insert((pk, sk), new);
                }
            }
        }
        simulation.crash();
        let harness = open(Storage::Env(simulation.env(), "/data".into()), u64::MAX);
        for pk in ["a", "b"] {
            let items = model.iter().filter(|((of, _), _)| of == pk);
            let expected: u64 = items.map(|(_, item)| {
                let all = if item.get("l").is_some() { item_size(item) } else { 0 };
                let mut keys = item.clone();
                keys.as_object_mut().unwrap().remove("l");
                let keys = if item.get("m").is_some() { item_size(&keys) } else { 0 };
                item_size(item) + all + keys
            }).sum();
            prop_assert_eq!(size(&harness, pk), expected);
        }
    }
}
