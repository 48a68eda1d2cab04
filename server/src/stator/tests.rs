//! Tables over restarts and crashes, on a simulated machine.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use crate::{
    operation::dispatch,
    store::Simulation,
    wire::{Error, Operation},
};

/// Opens Stator on the disk of `machine`.
fn open(machine: &Simulation) -> Result<Stator, OpenError> {
    Stator::open(StatorOptions {
        storage: Storage::Env(machine.env(), PathBuf::from("/data")),
        ..StatorOptions::default()
    })
}

fn call(stator: &Stator, operation: Operation, body: &Value) -> Result<Value, Error> {
    let context = stator.context();
    let body = body.to_string();
    let answer = stator.block_on(dispatch(stator, &context, operation, body.as_bytes()))??;
    Ok(serde_json::from_slice(&answer).unwrap())
}

fn create(stator: &Stator, name: &str) -> Result<Value, Error> {
    let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let request = json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [attribute("pk"), attribute("a")],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "gsi", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
    });
    call(stator, Operation::CreateTable, &request)
}

/// Puts the item `pk`, with an entry in the index or without.
fn put(stator: &Stator, table: &str, pk: u32, indexed: bool) -> Result<Value, Error> {
    let mut item =
        json!({"pk": {"S": pk.to_string()}, "filling": {"S": "x".repeat(pk as usize % 7)}});
    if indexed {
        item["a"] = json!({"S": "a"});
    }
    call(
        stator,
        Operation::PutItem,
        &json!({"TableName": table, "Item": item}),
    )
}

fn delete(stator: &Stator, table: &str, pk: u32) -> Result<Value, Error> {
    let key = json!({"pk": {"S": pk.to_string()}});
    call(
        stator,
        Operation::DeleteItem,
        &json!({"TableName": table, "Key": key}),
    )
}

fn describe(stator: &Stator, table: &str) -> Result<Value, Error> {
    let mut answer = call(
        stator,
        Operation::DescribeTable,
        &json!({"TableName": table}),
    )?;
    Ok(answer["Table"].take())
}

/// Count and size of the table, and of its index.
fn figures(stator: &Stator, table: &str) -> [i64; 4] {
    let table = describe(stator, table).unwrap();
    let index = &table["GlobalSecondaryIndexes"][0];
    [
        &table["ItemCount"],
        &table["TableSizeBytes"],
        &index["ItemCount"],
        &index["IndexSizeBytes"],
    ]
    .map(|figure| figure.as_i64().unwrap())
}

#[test]
fn tables_and_figures_outlive_a_restart() {
    let machine = Simulation::new(1);
    let stator = open(&machine).unwrap();
    create(&stator, "Table").unwrap();
    for pk in 0..10 {
        put(&stator, "Table", pk, pk % 2 == 0).unwrap();
    }
    delete(&stator, "Table", 3).unwrap();
    let (before, figures_before) = (
        describe(&stator, "Table").unwrap(),
        figures(&stator, "Table"),
    );
    assert_eq!((figures_before[0], figures_before[2]), (9, 5));
    stator.close().unwrap();

    let stator = open(&machine).unwrap();
    // Exact at once: nothing had to be counted.
    assert_eq!(figures(&stator, "Table"), figures_before);
    assert_eq!(describe(&stator, "Table").unwrap(), before);
}

/// After a crash the figures are those of the last close and what came since, until the tables that
/// were written to have been counted.
#[test]
fn figures_are_right_again_some_time_after_a_crash() {
    let machine = Simulation::new(2);
    let stator = open(&machine).unwrap();
    create(&stator, "Quiet").unwrap();
    create(&stator, "Busy").unwrap();
    for table in ["Quiet", "Busy"] {
        for pk in 0..5 {
            put(&stator, table, pk, true).unwrap();
        }
    }
    stator.close().unwrap();

    let stator = open(&machine).unwrap();
    for pk in 5..3000 {
        put(&stator, "Busy", pk, pk % 3 == 0).unwrap();
    }
    let expected = figures(&stator, "Busy");
    machine.crash();
    drop(stator);

    let stator = open(&machine).unwrap();
    assert_eq!(figures(&stator, "Quiet")[0], 5);
    // What is written during the recount counts too.
    let inexact = figures(&stator, "Busy");
    assert_ne!(inexact, expected);
    machine.step();
    put(&stator, "Busy", 7000, false).unwrap();
    delete(&stator, "Busy", 0).unwrap();
    machine.run_until_idle();
    let counted = figures(&stator, "Busy");
    assert_eq!((counted[0], counted[2]), (expected[0], expected[2] - 1));
    put(&stator, "Busy", 0, true).unwrap();
    delete(&stator, "Busy", 7000).unwrap();
    assert_eq!(figures(&stator, "Busy"), expected);
}

/// Pulls the plug before every single operation on the disk while tables come and go: what was
/// acknowledged is there, what was not is there as a whole or not at all, and either can be used.
#[test]
fn tables_come_and_go_as_a_whole() {
    let mut point = 0;
    loop {
        let machine = Simulation::new(100 + point);
        let stator = open(&machine).unwrap();
        create(&stator, "Old").unwrap();
        put(&stator, "Old", 1, true).unwrap();
        machine.crash_after(point);
        let created = create(&stator, "New").is_ok();
        let deleted = call(
            &stator,
            Operation::DeleteTable,
            &json!({"TableName": "Old"}),
        )
        .is_ok();
        machine.crash();
        drop(stator);

        let stator = open(&machine).unwrap();
        let there = |name: &str| describe(&stator, name).is_ok();
        assert!(
            there("New") || !created,
            "crash {point}: a created table is missing"
        );
        assert!(
            !there("Old") || !deleted,
            "crash {point}: a deleted table is back"
        );
        if there("Old") {
            machine.run_until_idle();
            assert_eq!(figures(&stator, "Old")[0], 1, "crash {point}");
        } else {
            create(&stator, "Old").unwrap();
            let scanned = call(&stator, Operation::Scan, &json!({"TableName": "Old"})).unwrap();
            assert_eq!(
                scanned["Count"], 0,
                "crash {point}: items of a deleted table"
            );
        }
        if !there("New") {
            create(&stator, "New").unwrap();
        }
        put(&stator, "New", 2, true).unwrap();
        machine.run_until_idle();
        assert_eq!(figures(&stator, "New")[0], 1, "crash {point}");
        if created && deleted {
            // The plug was pulled after everything: no later point differs.
            break;
        }
        point += 1;
    }
    assert!(
        point > 2,
        "only {point} operations on the disk were there to crash at"
    );
}

#[test]
fn a_damaged_definition_is_an_error_with_the_tables_name() {
    let machine = Simulation::new(3);
    let stator = open(&machine).unwrap();
    create(&stator, "Table").unwrap();
    let key = crate::store::system::table_definition("000000000000", "us-east-1", "Table");
    let mut batch = crate::store::Batch::new();
    batch.put(key, &br#"{"version":9}"#[..]);
    let commit = stator.store().write(batch).unwrap();
    commit.wait().unwrap();
    stator.close().unwrap();
    let Err(error) = open(&machine) else {
        panic!("a definition of version 9 was read")
    };
    assert!(error.to_string().contains("version 9"), "{error}");
}

/// Threads that ask for the same name: one gets it. Threads that ask for others are not disturbed.
#[test]
fn a_name_is_given_once() {
    let stator = Stator::open(StatorOptions::default()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let outcomes: Vec<bool> = runtime.block_on(async {
        let tasks: Vec<_> = (0..40)
            .map(|number| {
                let stator = stator.clone();
                tokio::spawn(async move {
                    let name = format!("table-{}", number % 4);
                    let request = json!({
                        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
                        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                    });
                    let context = stator.context();
                    let body = request.to_string();
                    dispatch(&stator, &context, Operation::CreateTable, body.as_bytes())
                        .await
                        .is_ok()
                })
            })
            .collect();
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    });
    assert_eq!(outcomes.into_iter().filter(|created| *created).count(), 4);
    let tables = call(&stator, Operation::ListTables, &json!({})).unwrap();
    assert_eq!(tables["TableNames"].as_array().unwrap().len(), 4);
}

#[test]
fn an_arn_names_its_table_in_its_namespace() {
    let arn = "arn:aws:dynamodb:eu-west-1:111111111111:table/Table";
    let resolve = |namespaces| {
        let options = StatorOptions {
            namespaces,
            ..StatorOptions::default()
        };
        let stator = Stator::open(options).unwrap();
        let context = stator.context();
        let (namespace, name) = stator.resolve(&context, arn);
        (
            namespace.account.to_string(),
            namespace.region.to_string(),
            name,
        )
    };
    let shared = resolve(Namespaces::Shared);
    assert_eq!(
        shared,
        ("000000000000".to_owned(), "us-east-1".to_owned(), "Table")
    );
    let separate = resolve(Namespaces::Separate);
    assert_eq!(
        separate,
        ("111111111111".to_owned(), "eu-west-1".to_owned(), "Table")
    );
}

/// Notes what it is asked to do.
struct Note(parking_lot::Mutex<Vec<crate::store::Moved>>, bool);

impl crate::store::DueWork for Note {
    fn name(&self) -> &'static str {
        "a note"
    }

    fn run(&self, moved: crate::store::Moved) -> Result<(), crate::store::Fault> {
        self.0.lock().push(moved);
        if self.1 {
            return Err(EngineError::Throttled.into());
        }
        Ok(())
    }
}

#[test]
fn what_is_due_has_happened_when_the_clock_was_moved() {
    let stator = Stator::open(StatorOptions {
        clock: ClockMode::Manual {
            start_ms: Some(1_000),
        },
        table_state_delay_ms: 500,
        ..StatorOptions::default()
    })
    .unwrap();
    let note = Arc::new(Note(parking_lot::Mutex::default(), false));
    stator.due().register(Arc::clone(&note) as Arc<_>);
    let moved = |to| stator.block_on(stator.move_clock(to)).unwrap();
    create(&stator, "Table").unwrap();
    let status = || describe(&stator, "Table").unwrap()["TableStatus"].take();
    assert_eq!(status(), "CREATING");
    assert_eq!(moved(ClockMove::Advance(499)).unwrap(), 1_499);
    assert_eq!(status(), "CREATING");
    assert_eq!(moved(ClockMove::Set(1_500)).unwrap(), 1_500);
    assert_eq!(status(), "ACTIVE");
    assert!(matches!(
        moved(ClockMove::Set(1_499)),
        Err(ClockError::Backwards { .. })
    ));
    assert_eq!(moved(ClockMove::Advance(0)).unwrap(), 1_500);
    let moves: Vec<_> = note.0.lock().iter().map(|m| (m.from_ms, m.to_ms)).collect();
    assert_eq!(moves, [(1_000, 1_499), (1_499, 1_500), (1_500, 1_500)]);

    // A failure is told, and keeps nobody else from their work.
    let failing = Arc::new(Note(parking_lot::Mutex::default(), true));
    let behind = Arc::new(Note(parking_lot::Mutex::default(), false));
    stator.due().register(failing);
    stator.due().register(Arc::clone(&behind) as Arc<_>);
    assert!(matches!(
        moved(ClockMove::Advance(1)),
        Err(ClockError::Due(_))
    ));
    assert_eq!(behind.0.lock().len(), 1);
}
