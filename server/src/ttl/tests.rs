//! What expires and what does not, on a simulated machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::WINDOW_MS;
use crate::{
    ClockMove, Stator, StatorOptions,
    operation::dispatch,
    store::{
        ClockMode, Direction, KeyRange, ReadMode, Simulation, Step, Storage, layout::expiry_entry,
    },
    wire::{Error, Operation},
};

const START_S: u64 = 1_800_000_000;

fn open(machine: &Simulation, clock: ClockMode) -> Stator {
    Stator::open(StatorOptions {
        storage: Storage::Env(machine.env(), PathBuf::from("/data")),
        clock,
        ..StatorOptions::default()
    })
    .unwrap()
}

/// With a clock that is driven.
fn driven(machine: &Simulation) -> Stator {
    let start_ms = Some(START_S * 1000);
    open(machine, ClockMode::Manual { start_ms })
}

fn call(stator: &Stator, operation: Operation, body: &Value) -> Result<Value, Error> {
    let context = stator.context();
    let body = body.to_string();
    let answer = stator.block_on(dispatch(stator, &context, operation, body.as_bytes()))??;
    Ok(serde_json::from_slice(&answer).unwrap())
}

fn create(stator: &Stator) {
    let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let request = json!({
        "TableName": "Table", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [attribute("pk"), attribute("a")],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "gsi", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
    });
    call(stator, Operation::CreateTable, &request).unwrap();
}

fn switch(stator: &Stator, enabled: bool) {
    let request = json!({
        "TableName": "Table",
        "TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": "ttl"},
    });
    call(stator, Operation::UpdateTimeToLive, &request).unwrap();
}

/// Puts the item `pk` with this `ttl`.
fn put(stator: &Stator, pk: &str, ttl: Value) {
    let item = json!({"pk": {"S": pk}, "a": {"S": "a"}, "ttl": ttl});
    let request = json!({"TableName": "Table", "Item": item});
    call(stator, Operation::PutItem, &request).unwrap();
}

fn seconds(second: u64) -> Value {
    json!({"N": second.to_string()})
}

/// The keys of all items. They are the same in the index.
#[track_caller]
fn items(stator: &Stator) -> BTreeSet<String> {
    let scan = |index: Option<&str>| -> BTreeSet<String> {
        let mut request = json!({"TableName": "Table"});
        if let Some(index) = index {
            request["IndexName"] = json!(index);
        }
        let answer = call(stator, Operation::Scan, &request).unwrap();
        let items = answer["Items"].as_array().unwrap().iter();
        items
            .map(|item| item["pk"]["S"].as_str().unwrap().to_owned())
            .collect()
    };
    let items = scan(None);
    assert_eq!(items, scan(Some("gsi")));
    items
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn advance(stator: &Stator, by_ms: u64) {
    let moved = stator.move_clock(ClockMove::Advance(by_ms));
    stator.block_on(moved).unwrap().unwrap();
}

/// The seconds of all entries of the expiry index.
fn entries(stator: &Stator) -> Vec<u64> {
    let context = stator.context();
    let table = stator.describe(&context, "Table").unwrap();
    let Some(index) = table.expiry() else {
        return Vec::new();
    };
    let snapshot = stator.store().snapshot();
    let range = KeyRange::keyspace(index.keyspace());
    let mut entries = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
    let mut seconds = Vec::new();
    loop {
        match entries.next().unwrap() {
            Step::Entry { key, .. } => {
                seconds.push(expiry_entry(key, table.keyspace()).unwrap().0);
            }
            Step::Paused(..) => {}
            Step::End => return seconds,
        }
    }
}

#[test]
fn items_expire_once_their_second_is_past() {
    let machine = Simulation::new(1);
    let stator = driven(&machine);
    create(&stator);
    switch(&stator, true);
    put(&stator, "soon", seconds(START_S + 10));
    put(&stator, "later", seconds(START_S + 11));
    put(&stator, "past", seconds(START_S - 1));
    put(&stator, "now", seconds(START_S));
    // Nobody sees to it before the clock is moved.
    assert_eq!(items(&stator), set(["soon", "later", "past", "now"]));
    advance(&stator, 0);
    assert_eq!(items(&stator), set(["soon", "later", "now"]));
    advance(&stator, 10_000);
    assert_eq!(items(&stator), set(["soon", "later"]));
    advance(&stator, 1);
    assert_eq!(items(&stator), set(["later"]));
    assert_eq!(entries(&stator), [START_S + 11]);
    advance(&stator, 48 * 3_600_000);
    assert_eq!(items(&stator), set([]));
    assert_eq!(entries(&stator), [0_u64; 0]);
}

#[test]
fn only_numbers_of_seconds_of_the_last_five_years_count() {
    let machine = Simulation::new(2);
    let stator = driven(&machine);
    create(&stator);
    switch(&stator, true);
    let window = START_S - WINDOW_MS / 1000;
    put(&stator, "oldest", seconds(window));
    put(
        &stator,
        "fraction",
        json!({"N": format!("{}.9", START_S - 1)}),
    );
    put(&stator, "exponent", json!({"N": "1.7E9"}));
    let kept = [
        ("too old", seconds(window - 1)),
        ("zero", seconds(0)),
        ("negative", json!({"N": "-1700000000"})),
        ("milliseconds", seconds(START_S * 1000)),
        ("string", json!({"S": (START_S - 10).to_string()})),
        ("set", json!({"NS": [(START_S - 10).to_string()]})),
        ("map", json!({"M": {"ttl": seconds(START_S - 10)}})),
        ("huge", json!({"N": "1E30"})),
        ("null", json!({"NULL": true})),
    ];
    for (name, ttl) in &kept {
        put(&stator, name, ttl.clone());
    }
    let kept: BTreeSet<String> = kept.iter().map(|(name, _)| (*name).to_owned()).collect();
    advance(&stator, 1);
    assert_eq!(items(&stator), kept);
    advance(&stator, 3_600_000);
    assert_eq!(items(&stator), kept);
}

/// What falls due on the way is deleted, as it would have been if the clock had gone: also if the
/// way is longer than what is looked back at.
#[test]
fn a_move_over_ten_years_leaves_nothing_out() {
    let machine = Simulation::new(3);
    let stator = driven(&machine);
    create(&stator);
    switch(&stator, true);
    put(&stator, "early", seconds(START_S + 10));
    advance(&stator, 2 * WINDOW_MS);
    assert_eq!(items(&stator), set([]));
}

#[test]
fn the_index_follows_every_write() {
    let machine = Simulation::new(4);
    let stator = driven(&machine);
    create(&stator);
    switch(&stator, true);
    put(&stator, "x", seconds(START_S + 10));
    put(&stator, "x", seconds(START_S + 20));
    assert_eq!(entries(&stator), [START_S + 20]);
    let update = |expression: &str| {
        let request = json!({
            "TableName": "Table", "Key": {"pk": {"S": "x"}}, "UpdateExpression": expression,
            "ExpressionAttributeNames": {"#t": "ttl"},
        });
        call(&stator, Operation::UpdateItem, &request).unwrap();
    };
    update("REMOVE #t");
    assert_eq!(entries(&stator), [0_u64; 0]);
    put(&stator, "x", seconds(START_S + 30));
    let key = json!({"TableName": "Table", "Key": {"pk": {"S": "x"}}});
    call(&stator, Operation::DeleteItem, &key).unwrap();
    assert_eq!(entries(&stator), [0_u64; 0]);
    let transaction = json!({"TransactItems": [
        {"Put": {"TableName": "Table", "Item": {"pk": {"S": "y"}, "ttl": seconds(START_S + 40)}}},
    ]});
    call(&stator, Operation::TransactWriteItems, &transaction).unwrap();
    assert_eq!(entries(&stator), [START_S + 40]);
}

#[test]
fn items_that_are_older_than_the_index_expire_too() {
    let machine = Simulation::new(5);
    let stator = driven(&machine);
    create(&stator);
    for i in 0..1000 {
        put(&stator, &i.to_string(), seconds(START_S + i % 2 * 100));
    }
    switch(&stator, true);
    put(&stator, "new", seconds(START_S + 1));
    advance(&stator, 2_000);
    assert_eq!(items(&stator).len(), 500);
    assert_eq!(entries(&stator), [START_S + 100; 500]);
    // Switched off, nothing expires, and the index is gone.
    advance(&stator, 3_600_000);
    assert_eq!(items(&stator).len(), 0);
    put(&stator, "kept", seconds(START_S + 1));
    let context = stator.context();
    let table = stator.describe(&context, "Table").unwrap();
    let keyspace = table.expiry().unwrap().keyspace();
    switch(&stator, false);
    advance(&stator, 3_600_000);
    assert_eq!(items(&stator), set(["kept"]));
    let snapshot = stator.store().snapshot();
    let range = KeyRange::keyspace(keyspace);
    let mut entries = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
    assert!(matches!(entries.next().unwrap(), Step::End));
}

#[test]
fn what_is_due_is_deleted_after_a_restart() {
    let machine = Simulation::new(6);
    let stator = driven(&machine);
    create(&stator);
    switch(&stator, true);
    put(&stator, "soon", seconds(START_S + 10));
    put(&stator, "later", seconds(START_S + 100));
    machine.crash();
    drop(stator);
    let stator = driven(&machine);
    advance(&stator, 20_000);
    assert_eq!(items(&stator), set(["later"]));
    stator.close().unwrap();
    let stator = driven(&machine);
    advance(&stator, 100_000);
    assert_eq!(items(&stator), set([]));
}

#[test]
fn under_the_systems_clock_items_go_by_themselves_after_the_delay() {
    let machine = Simulation::new(7);
    let stator = open(&machine, ClockMode::System);
    create(&stator);
    switch(&stator, true);
    let now_s = stator.now_ms() / 1000;
    for i in 0..250 {
        put(&stator, &i.to_string(), seconds(now_s + 10));
    }
    put(&stator, "later", seconds(now_s + 1000));
    machine.advance(Duration::from_secs(60));
    assert_eq!(items(&stator).len(), 251);
    // It takes several steps, with pauses between them.
    for _ in 0..200 {
        machine.advance(Duration::from_millis(100));
    }
    assert_eq!(items(&stator), set(["later"]));
    stator.close().unwrap();
    let stator = open(&machine, ClockMode::System);
    for _ in 0..110 {
        machine.advance(Duration::from_secs(10));
    }
    assert_eq!(items(&stator), set([]));
}

/// What may happen to a table and to its clock.
#[derive(Clone, Debug)]
enum Event {
    /// An item is put; it expires so many seconds from now, if at all.
    Put(u8, Option<i64>),
    Delete(u8),
    /// The clock is moved by so many milliseconds.
    Advance(u64),
    /// Time to live is switched on if it is off, and off if it is on.
    Switch,
    /// The power fails.
    Crash,
}

fn event() -> impl Strategy<Value = Event> {
    let seconds = prop_oneof![
        -20_i64..20,
        -200_000_000_i64..-100_000_000,
        3_000_i64..8_000
    ];
    prop_oneof![
        8 => (0_u8..12, proptest::option::weighted(0.8, seconds))
            .prop_map(|(pk, ttl)| Event::Put(pk, ttl)),
        2 => (0_u8..12).prop_map(Event::Delete),
        4 => prop_oneof![0_u64..10_000, Just(3_600_000)].prop_map(Event::Advance),
        1 => Just(Event::Switch),
        1 => Just(Event::Crash),
    ]
}

/// What the table should be: when each item expires, and when time to live was switched to what.
#[derive(Default)]
struct Model {
    items: BTreeMap<String, Option<u64>>,
    enabled: bool,
    switched_ms: Option<u64>,
}

impl Model {
    /// What a move of the clock deletes.
    fn expire(&mut self, from_ms: u64, to_ms: u64) {
        if self.enabled {
            self.items.retain(|_, expires| {
                let due =
                    |second: u64| second * 1000 < to_ms && second * 1000 + WINDOW_MS >= from_ms;
                !expires.is_some_and(due)
            });
        }
    }

    fn check(&self, stator: &Stator) {
        let keys: BTreeSet<String> = self.items.keys().cloned().collect();
        assert_eq!(items(stator), keys);
        let mut seconds: Vec<u64> = match self.enabled {
            true => self.items.values().copied().flatten().collect(),
            false => Vec::new(),
        };
        seconds.sort_unstable();
        assert_eq!(entries(stator), seconds);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The expiry index is a function of the items, exactly what is due is deleted, and neither
    /// depends on when time to live is switched and the power fails.
    #[test]
    fn any_history_leaves_what_it_should(
        seed in any::<u64>(), events in proptest::collection::vec(event(), 1..60),
    ) {
        let machine = Simulation::new(seed);
        let mut stator = driven(&machine);
        create(&stator);
        let mut model = Model::default();
        for event in events {
            let now_ms = stator.now_ms();
            match event {
                Event::Put(pk, ttl) => {
                    let expires = ttl.map(|ttl| (now_ms / 1000).saturating_add_signed(ttl));
                    let value = expires.map_or(json!({"NULL": true}), seconds);
                    put(&stator, &pk.to_string(), value);
                    model.items.insert(pk.to_string(), expires);
                }
                Event::Delete(pk) => {
                    let key = json!({"pk": {"S": pk.to_string()}});
                    let request = json!({"TableName": "Table", "Key": key});
                    call(&stator, Operation::DeleteItem, &request).unwrap();
                    model.items.remove(&pk.to_string());
                }
                Event::Advance(by_ms) => {
                    advance(&stator, by_ms);
                    model.expire(now_ms, now_ms + by_ms);
                }
                Event::Switch => {
                    let may = model.switched_ms.is_none_or(|last| now_ms >= last + 3_600_000);
                    let request = json!({
                        "TableName": "Table",
                        "TimeToLiveSpecification": {"Enabled": !model.enabled, "AttributeName": "ttl"},
                    });
                    let switched = call(&stator, Operation::UpdateTimeToLive, &request);
                    assert_eq!(switched.is_ok(), may);
                    if may {
                        model.enabled = !model.enabled;
                        model.switched_ms = Some(now_ms);
                    }
                }
                Event::Crash => {
                    machine.crash();
                    drop(stator);
                    stator = driven(&machine);
                }
            }
            model.check(&stator);
        }
    }
}

/// Writers that never stop, while time to live is switched on and the clock is moved: afterwards
/// nothing is left that is due, and nothing is gone that was not.
#[test]
fn what_is_written_meanwhile_is_neither_lost_nor_left_over() {
    const WRITERS: u64 = 3;
    let stator = Stator::open(StatorOptions {
        clock: ClockMode::Manual {
            start_ms: Some(START_S * 1000),
        },
        ..StatorOptions::default()
    })
    .unwrap();
    create(&stator);
    // More than are filled in at once.
    for i in 0..1500 {
        put(
            &stator,
            &format!("old{i}"),
            seconds(START_S + i % 2 * 1_000_000),
        );
    }
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (stator, stopped) = (&stator, &stopped);
                scope.spawn(move || {
                    let mut round = 0;
                    while !stopped.load(Ordering::SeqCst) {
                        // Each item is moved to and fro between what is due and what is not, and
                        // last is not.
                        for i in 0..20 {
                            let pk = format!("w{writer}-{i}");
                            put(stator, &pk, seconds(START_S + (round + i) % 3));
                            put(stator, &pk, seconds(START_S + 1_000_000));
                        }
                        round += 1;
                    }
                })
            })
            .collect();
        switch(&stator, true);
        for _ in 0..20 {
            advance(&stator, 100);
        }
        stopped.store(true, Ordering::SeqCst);
        for writer in writers {
            writer.join().unwrap();
        }
    });
    advance(&stator, 5_000);
    let mut left: BTreeSet<String> = (0..1500)
        .filter(|i| i % 2 == 1)
        .map(|i| format!("old{i}"))
        .collect();
    for writer in 0..WRITERS {
        left.extend((0..20).map(|i| format!("w{writer}-{i}")));
    }
    assert_eq!(items(&stator), left);
    assert_eq!(entries(&stator), vec![START_S + 1_000_000; left.len()]);
}

/// Streams tell the service's deletions from those of clients.
#[test]
fn what_expires_is_recorded_as_the_services() {
    let machine = Simulation::new(8);
    let stator = driven(&machine);
    create(&stator);
    let stream = json!({
        "TableName": "Table",
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    });
    let updated = call(&stator, Operation::UpdateTable, &stream).unwrap();
    let arn = updated["TableDescription"]["LatestStreamArn"].clone();
    switch(&stator, true);
    put(&stator, "expires", seconds(START_S + 10));
    put(&stator, "deleted", seconds(START_S + 10));
    let key = json!({"TableName": "Table", "Key": {"pk": {"S": "deleted"}}});
    call(&stator, Operation::DeleteItem, &key).unwrap();
    advance(&stator, 20_000);
    let described = json!({"StreamArn": arn});
    let described = call(&stator, Operation::DescribeStream, &described).unwrap();
    let mut removals = Vec::new();
    for shard in described["StreamDescription"]["Shards"].as_array().unwrap() {
        let from = json!({
            "StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON",
        });
        let iterator = call(&stator, Operation::GetShardIterator, &from).unwrap();
        let records = call(&stator, Operation::GetRecords, &iterator).unwrap();
        let records = records["Records"].as_array().unwrap().clone();
        removals.extend(
            records
                .into_iter()
                .filter(|record| record["eventName"] == "REMOVE"),
        );
    }
    let identity = |pk: &str| {
        let of = |record: &&Value| record["dynamodb"]["Keys"]["pk"]["S"] == pk;
        let found: Vec<_> = removals.iter().filter(of).collect();
        assert_eq!(found.len(), 1, "{pk}: {removals:?}");
        found[0]["userIdentity"].clone()
    };
    assert_eq!(
        identity("expires"),
        json!({"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"})
    );
    assert_eq!(identity("deleted"), Value::Null);
}
