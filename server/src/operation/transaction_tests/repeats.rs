//! Client tokens.

use std::{path::PathBuf, time::Duration};

use super::*;
use crate::{
    plan::transaction::tokens::TokenId,
    store::{Simulation, Storage},
};

const MINUTES: Duration = Duration::from_secs(60);

/// A simulated machine, which is driven by hand and can be switched off.
struct Machine {
    simulation: Simulation,
    harness: Harness,
}

impl Machine {
    fn new() -> Self {
        let simulation = Simulation::new(1);
        let harness = Self::open(&simulation);
        harness.table("items", &[], &[], &[]);
        Self {
            simulation,
            harness,
        }
    }

    fn open(simulation: &Simulation) -> Harness {
        Harness::on(Storage::Env(simulation.env(), PathBuf::from("/data")))
    }

    fn crash(&mut self) {
        self.simulation.crash();
        self.harness = Self::open(&self.simulation);
    }

    fn advance(&self, time: Duration) {
        self.simulation.advance(time);
    }

    /// Adds one to the item's number, unless the token was used.
    fn add(&self, token: &str) -> Result<Value, (String, Value)> {
        self.harness
            .call(TransactWriteItems, &with(token, &[add("a", "1")]))
    }

    #[track_caller]
    fn number(&self) -> String {
        let item = self.harness.stored("a");
        item["n"]["N"].as_str().unwrap().to_owned()
    }
}

fn with(token: &str, items: &[Value]) -> Value {
    let mut request = transaction(items);
    request["ClientRequestToken"] = token.into();
    request
}

#[test]
fn a_repeat_within_ten_minutes_has_no_effect() {
    let machine = Machine::new();
    assert_eq!(machine.add("x"), Ok(json!({})));
    machine.advance(9 * MINUTES);
    assert_eq!(machine.add("x"), Ok(json!({})));
    assert_eq!(machine.number(), "1");
    machine.add("y").unwrap();
    assert_eq!(machine.number(), "2");
    machine.advance(MINUTES);
    machine.add("x").unwrap();
    assert_eq!(machine.number(), "3", "the token had expired");
    machine.advance(9 * MINUTES);
    machine.add("x").unwrap();
    assert_eq!(machine.number(), "3", "and counts again from then on");
}

#[test]
fn a_repeat_is_known_after_a_crash() {
    let mut machine = Machine::new();
    machine.add("x").unwrap();
    machine.crash();
    machine.add("x").unwrap();
    assert_eq!(machine.number(), "1");
    machine.advance(9 * MINUTES);
    machine.crash();
    machine.add("x").unwrap();
    assert_eq!(machine.number(), "1");
    machine.advance(MINUTES);
    machine.crash();
    machine.add("x").unwrap();
    assert_eq!(machine.number(), "2");
}

#[test]
fn other_parameters_with_the_same_token_are_a_mistake() {
    let machine = Machine::new();
    machine.add("x").unwrap();
    for items in [
        vec![add("a", "2")],
        vec![add("b", "1")],
        vec![add("a", "1"), add("b", "1")],
        vec![when(add("a", "1"), "attribute_exists(pk)")],
        vec![delete("a")],
    ] {
        let answer = machine.harness.call(TransactWriteItems, &with("x", &items));
        assert_eq!(
            answer.unwrap_err().0,
            "IdempotentParameterMismatchException"
        );
    }
    assert_eq!(machine.number(), "1");
    // What only shapes the answer may differ.
    let mut request = with("x", &[add("a", "1")]);
    request["ReturnConsumedCapacity"] = "TOTAL".into();
    machine.harness.ok(TransactWriteItems, request);
    assert_eq!(machine.number(), "1");
}

/// "Subsequent `TransactWriteItems` calls with the same client token return the number of read
/// capacity units consumed in reading the item" (API reference): by the size of the first call's
/// items (paritysuite/dynamodb-conformance, issue 68, and nubo-db/dynoxide, pull request 188).
#[test]
fn a_repeat_consumes_reads() {
    let machine = Machine::new();
    let harness = &machine.harness;
    harness.write(&[put("b", json!({"x": {"S": "x".repeat(9 * 1024)}}))]);
    let large = put("a", json!({"x": {"S": "x".repeat(1536)}}));
    let mut request = with("x", &[large, delete("b")]);
    request["ReturnConsumedCapacity"] = "INDEXES".into();
    let consumed = |request: &Value| {
        let answer = harness.ok(TransactWriteItems, request.clone());
        answer["ConsumedCapacity"].clone()
    };
    let (first, again) = (consumed(&request), consumed(&request));
    let writes = json!({"CapacityUnits": 24.0, "WriteCapacityUnits": 24.0});
    let reads = json!({"CapacityUnits": 8.0, "ReadCapacityUnits": 8.0});
    assert_eq!(first[0]["Table"], writes);
    assert_eq!(
        again,
        json!([{"TableName": "items", "CapacityUnits": 8.0, "ReadCapacityUnits": 8.0, "Table": reads}])
    );
    request["ReturnConsumedCapacity"] = "NONE".into();
    assert_eq!(consumed(&request), Value::Null);
}

#[test]
fn what_was_cancelled_may_be_tried_again() {
    let machine = Machine::new();
    let harness = &machine.harness;
    let request = with("x", &[when(add("a", "1"), "attribute_exists(pk)")]);
    reasons(harness.call(TransactWriteItems, &request));
    harness.put("items", &item("a", json!({"n": {"N": "5"}})));
    harness.ok(TransactWriteItems, request.clone());
    harness.ok(TransactWriteItems, request);
    assert_eq!(machine.number(), "6");
}

#[test]
fn a_token_in_progress_is_answered_at_once() {
    let machine = Machine::new();
    let stator = &machine.harness.stator;
    let id = |token: &str| TokenId::new(TransactWriteItems, stator.default_namespace(), token);
    let first = stator.transactions().tokens.begin(id("x")).unwrap();
    let (name, _) = machine.add("x").unwrap_err();
    assert_eq!(name, "TransactionInProgressException");
    machine.add("y").unwrap();
    drop(first);
    machine.add("x").unwrap();
    assert_eq!(machine.number(), "2");
}

/// With nobody waiting for the first, its locks and its token are free, and it is not durable: the
/// second must know of it all the same.
#[test]
fn a_client_that_went_away_and_repeats_has_one_effect() {
    use std::{pin::pin, task};
    let machine = Machine::new();
    let stator = &machine.harness.stator;
    let context = stator.context();
    let body = with("x", &[add("a", "1")]).to_string();
    {
        let first = super::super::dispatch(stator, &context, TransactWriteItems, body.as_bytes());
        let mut first = pin!(first);
        let mut waker = task::Context::from_waker(task::Waker::noop());
        assert!(first.as_mut().poll(&mut waker).is_pending());
        let second = machine.add("x").unwrap_err();
        assert_eq!(second.0, "TransactionInProgressException");
    }
    machine.add("x").unwrap();
    assert_eq!(machine.number(), "1");
}
