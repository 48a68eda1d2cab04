//! Random requests against a plain model: after each of them the table holds what the model holds,
//! and each index is a function of the table.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    operation::harness::Harness,
    table::Projection,
    wire::Operation::{self, DeleteItem, PutItem, Scan, UpdateItem},
};

#[derive(Clone, Debug)]
enum Step {
    Put(Value),
    Set(&'static str, Value),
    Remove(&'static str),
    Delete,
}

/// A step and the key of its item.
fn steps() -> impl Strategy<Value = Vec<((String, String), Step)>> {
    let key = ("[ab]", "[ab]");
    let value = || "[xyz]{1,2}".prop_map(|text| json!({"S": text}));
    let name = || prop_oneof![Just("g"), Just("h"), Just("l"), Just("o")];
    let step = prop_oneof![
        prop::collection::btree_map(name(), value(), 0..4).prop_map(|item| Step::Put(json!(item))),
        (name(), value()).prop_map(|(name, value)| Step::Set(name, value)),
        name().prop_map(Step::Remove),
        Just(Step::Delete),
    ];
    prop::collection::vec((key, step), 1..30)
}

fn run(
    harness: &Harness,
    model: &mut BTreeMap<(String, String), Value>,
    key: &(String, String),
    step: Step,
) {
    let names = json!({"pk": {"S": key.0}, "sk": {"S": key.1}});
    let with_key = |mut item: Value| {
        item["pk"] = names["pk"].clone();
        item["sk"] = names["sk"].clone();
        item
    };
    let update = |expression: String, values: Option<Value>| -> (Operation, Value) {
        let mut request =
            json!({"TableName": "items", "Key": names, "UpdateExpression": expression});
        if let Some(value) = values {
            request["ExpressionAttributeValues"] = json!({":v": value});
        }
        (UpdateItem, request)
    };
    let (operation, request) = match step {
        Step::Put(item) => {
            let item = with_key(item);
            model.insert(key.clone(), item.clone());
            (PutItem, json!({"TableName": "items", "Item": item}))
        }
        Step::Set(name, value) => {
            model
                .entry(key.clone())
                .or_insert_with(|| with_key(json!({})))[name] = value.clone();
            update(format!("SET {name} = :v"), Some(value))
        }
        Step::Remove(name) => {
            if let Some(Value::Object(item)) = model.get_mut(key) {
                item.remove(name);
            }
            update(format!("REMOVE {name}"), None)
        }
        Step::Delete => {
            model.remove(key);
            (DeleteItem, json!({"TableName": "items", "Key": names}))
        }
    };
    harness.ok(operation, request);
}

/// What is in the table or an index, as sorted texts.
fn scan(harness: &Harness, index: Option<&str>) -> Vec<String> {
    let mut request = json!({"TableName": "items"});
    if let Some(index) = index {
        request["IndexName"] = json!(index);
    }
    sorted(
        harness.ok(Scan, request)["Items"]
            .as_array()
            .unwrap()
            .iter()
            .cloned(),
    )
}

fn sorted(items: impl Iterator<Item = Value>) -> Vec<String> {
    let mut items: Vec<String> = items.map(|item| item.to_string()).collect();
    items.sort();
    items
}

/// What an item has in an index with these keys; it carries only `carried`, or all if that is empty.
fn entry(item: &Value, keys: &[&str], carried: &[&str]) -> Option<Value> {
    let item = item.as_object().unwrap();
    if !keys.iter().all(|key| item.contains_key(*key)) {
        return None;
    }
    let kept = item.iter().filter(|(name, _)| {
        carried.is_empty() || carried.contains(&name.as_str()) || keys.contains(&name.as_str())
    });
    Some(Value::Object(
        kept.map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    ))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_index_is_a_function_of_its_table(steps in steps()) {
        let harness = Harness::new();
        harness.table(
        "items",
            &["sk"],
            &[("local", &["pk"], &["l"], Projection::KeysOnly)],
            &[
                ("all", &["g"], &["h"], Projection::All),
                ("some", &["h"], &[], Projection::Include(vec!["o".into()])),
            ],
        );
        let mut model = BTreeMap::new();
        for (key, step) in steps {
            run(&harness, &mut model, &key, step);
            prop_assert_eq!(scan(&harness, None), sorted(model.values().cloned()));
            for (index, keys, carried) in [
                ("local", &["l"][..], &["pk", "sk"][..]),
                ("all", &["g", "h"][..], &[][..]),
                ("some", &["h"][..], &["pk", "sk", "o"][..]),
            ] {
                let expected = model.values().filter_map(|item| entry(item, keys, carried));
                prop_assert_eq!(scan(&harness, Some(index)), sorted(expected));
            }
        }
        let table = harness.stator.describe(&harness.stator.context(), "items").unwrap();
        prop_assert_eq!(table.statistics().item_count(), model.len() as i64);
        for index in table.indexes() {
            let entries = scan(&harness, Some(index.name())).len();
            prop_assert_eq!(index.statistics().item_count(), entries as i64);
        }
    }
}
