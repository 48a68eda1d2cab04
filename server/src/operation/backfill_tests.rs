//! An index that is added to a table in use: random writes and crashes while it is filled.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::harness::Harness;
use crate::{
    store::{Simulation, Storage},
    wire::Operation::{
        BatchWriteItem, DeleteItem, DescribeTable, PutItem, Query, Scan, UpdateItem, UpdateTable,
    },
};

/// Items before the index: some steps' worth.
const ITEMS: usize = 300;

/// What is done while the index is filled.
#[derive(Clone, Debug)]
enum Event {
    /// An item becomes one with this value of `g`, or without.
    Put(usize, Option<Value>),
    /// Its `g` changes.
    Set(usize, Value),
    /// Something else of it changes.
    Touch(usize),
    Delete(usize),
    /// Background work goes on by itself for so many steps.
    Steps(usize),
    Crash,
}

/// Values of the attribute that will be a key: some that it cannot be.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => "[xyz]{1,2}".prop_map(|text| json!({"S": text})),
        1 => Just(json!({"N": "1"})),
        1 => Just(json!({"S": ""})),
        1 => Just(json!({"S": "z".repeat(3000)})),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let item = || 0..ITEMS + 20;
    let good = || "[xyz]{1,2}".prop_map(|text| json!({"S": text}));
    prop_oneof![
        4 => (item(), prop::option::of(good())).prop_map(|(item, value)| Event::Put(item, value)),
        4 => (item(), good()).prop_map(|(item, value)| Event::Set(item, value)),
        3 => item().prop_map(Event::Touch),
        3 => item().prop_map(Event::Delete),
        6 => (1..40_usize).prop_map(Event::Steps),
        1 => Just(Event::Crash),
    ]
}

struct Test {
    simulation: Simulation,
    harness: Harness,
    model: BTreeMap<usize, Value>,
}

impl Test {
    fn open(simulation: &Simulation) -> Harness {
        Harness::on(Storage::Env(simulation.env(), "/data".into()))
    }

    /// A table with items, that have these values of `g`.
    fn new(seed: u64, values: &[Option<Value>]) -> Self {
        let simulation = Simulation::new(seed);
        let harness = Self::open(&simulation);
        harness.table("items", &[], &[], &[]);
        let mut test = Self {
            simulation,
            harness,
            model: BTreeMap::new(),
        };
        for (item, value) in values.iter().enumerate() {
            test.model.insert(item, Self::item(item, value.as_ref()));
        }
        let items: Vec<&Value> = test.model.values().collect();
        for items in items.chunks(25) {
            let puts: Vec<_> = items
                .iter()
                .map(|item| json!({"PutRequest": {"Item": item}}))
                .collect();
            let request = json!({"RequestItems": {"items": puts}});
            test.harness.ok(BatchWriteItem, request);
        }
        test
    }

    fn key(item: usize) -> Value {
        json!({"pk": {"S": item.to_string()}})
    }

    fn item(number: usize, g: Option<&Value>) -> Value {
        let mut item = Self::key(number);
        if let Some(value) = g {
            item["g"] = value.clone();
        }
        item
    }

    fn add_index(&self) -> Value {
        let create = json!({
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        });
        let request = json!({
            "TableName": "items",
            "AttributeDefinitions": [{"AttributeName": "g", "AttributeType": "S"}],
            "GlobalSecondaryIndexUpdates": [{"Create": create}],
        });
        let mut answer = self.harness.ok(UpdateTable, request);
        answer["TableDescription"].take()
    }

    fn describe(&self) -> Value {
        let request = json!({"TableName": "items"});
        self.harness.ok(DescribeTable, request)["Table"].take()
    }

    fn is_active(&self) -> bool {
        self.describe()["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    }

    fn crash(&mut self) {
        self.simulation.crash();
        self.harness = Self::open(&self.simulation);
    }

    fn run(&mut self, event: Event) {
        let update = |item: usize, name: &str, value: &Value| {
            json!({
                "TableName": "items", "Key": Self::key(item),
                "UpdateExpression": format!("SET {name} = :v"),
                "ExpressionAttributeValues": {":v": value},
            })
        };
        match event {
            Event::Put(number, value) => {
                let item = Self::item(number, value.as_ref());
                self.harness
                    .ok(PutItem, json!({"TableName": "items", "Item": item}));
                self.model.insert(number, item);
            }
            Event::Set(number, value) => {
                self.harness.ok(UpdateItem, update(number, "g", &value));
                self.changed(number)["g"] = value;
            }
            Event::Touch(number) => {
                let value = json!({"N": "7"});
                self.harness
                    .ok(UpdateItem, update(number, "touched", &value));
                self.changed(number)["touched"] = value;
            }
            Event::Delete(number) => {
                let request = json!({"TableName": "items", "Key": Self::key(number)});
                self.harness.ok(DeleteItem, request);
                self.model.remove(&number);
            }
            Event::Steps(count) => {
                for _ in 0..count {
                    self.simulation.advance(Duration::from_micros(500));
                }
            }
            Event::Crash => self.crash(),
        }
    }

    fn changed(&mut self, number: usize) -> &mut Value {
        self.model
            .entry(number)
            .or_insert_with(|| Self::key(number))
    }

    fn fill(&self) {
        for _ in 0..10_000 {
            if self.is_active() {
                return;
            }
            self.simulation.advance(Duration::from_millis(1));
        }
        panic!("the index is never filled: {}", self.describe());
    }

    /// That the index is what the model says, and its count too.
    fn check(&self) {
        let request = json!({"TableName": "items", "IndexName": "by-g"});
        let found = self.harness.ok(Scan, request);
        let mut found: Vec<String> = found["Items"]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        found.sort();
        let fits = |item: &&Value| {
            item["g"]["S"]
                .as_str()
                .is_some_and(|text| (1..=2048).contains(&text.len()))
        };
        let mut expected: Vec<String> = self
            .model
            .values()
            .filter(fits)
            .map(Value::to_string)
            .collect();
        expected.sort();
        assert_eq!(found, expected);
        let index = &self.describe()["GlobalSecondaryIndexes"][0];
        assert_eq!(index["ItemCount"], expected.len(), "{index}");
        assert_eq!(index["Backfilling"], Value::Null);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_index_is_filled_whatever_happens_meanwhile(
        seed: u64,
        values in prop::collection::vec(prop::option::weighted(0.8, value()), ITEMS),
        events in prop::collection::vec(event(), 0..60),
    ) {
        let mut test = Test::new(seed, &values);
        test.add_index();
        for event in events {
            test.run(event);
        }
        test.fill();
        // After a crash the figures are counted anew in the background.
        test.simulation.advance(Duration::from_secs(1));
        test.check();
        test.crash();
        test.simulation.advance(Duration::from_secs(1));
        test.check();
    }
}

#[test]
fn filling_goes_on_where_a_crash_ended_it() {
    let values = vec![Some(json!({"S": "x"})); ITEMS];
    let mut test = Test::new(1, &values);
    test.add_index();
    let cursor = |test: &Test| {
        let table = test
            .harness
            .stator
            .describe(&test.harness.stator.context(), "items")
            .unwrap();
        let row = crate::store::system::backfill(table.indexes()[0].keyspace());
        let store = test.harness.stator.store();
        store.get(&row, crate::store::ReadMode::Blocking).unwrap()
    };
    while cursor(&test).is_some_and(|row| row.is_empty()) {
        assert!(!test.is_active());
        test.simulation.advance(Duration::from_micros(200));
    }
    let before = cursor(&test).unwrap();
    test.crash();
    let after = cursor(&test).unwrap();
    assert!(after >= before && !test.is_active());
    test.fill();
    assert!(cursor(&test).is_none());
    test.check();
}

#[test]
fn an_index_that_is_being_filled_is_not_read_and_takes_no_item_that_it_could_not_have() {
    let values = vec![Some(json!({"S": "x"})); ITEMS];
    let test = Test::new(1, &values);
    let description = test.add_index();
    let index = &description["GlobalSecondaryIndexes"][0];
    assert_eq!(description["TableStatus"], "UPDATING");
    assert_eq!(index["IndexStatus"], "CREATING");
    assert_eq!(index["Backfilling"], false);
    let description = test.describe();
    let index = &description["GlobalSecondaryIndexes"][0];
    assert_eq!(description["TableStatus"], "ACTIVE");
    assert_eq!(index["IndexStatus"], "CREATING");
    assert_eq!(index["Backfilling"], true);
    for (operation, mut request) in [
        (Scan, json!({})),
        (
            Query,
            json!({
                "KeyConditionExpression": "g = :g",
                "ExpressionAttributeValues": {":g": {"S": "x"}},
            }),
        ),
    ] {
        request["TableName"] = json!("items");
        request["IndexName"] = json!("by-g");
        assert_eq!(
            test.harness.refused(operation, request),
            "Cannot read from backfilling global secondary index: by-g"
        );
    }
    let item = json!({"pk": {"S": "new"}, "g": {"N": "1"}});
    let message = test
        .harness
        .refused(PutItem, json!({"TableName": "items", "Item": item}));
    assert!(
        message.contains("Type mismatch for Index Key g"),
        "{message}"
    );
}
