//! Answers that AWS was seen to give, asked for through the public entry in both wordings.
//!
//! The records are those of `paritysuite/dynamodb-conformance`: `registry/splits.json` and `captures/`
//! say what each Region answered, the tests under `tests/` what all that were asked answered, with
//! their dates. Each answer names its record. Where the older wording was never recorded for a
//! request, it is what the older layer makes of the same finding elsewhere.

mod depth;
mod may_reference;
mod parameters;
mod tables;
mod values;

use serde_json::{Value, json};

use super::harness::Harness;
use crate::{validation::Wording, wire::Operation};

/// The answer to `request`: the message of a `ValidationException`, or what else came.
type Answer = String;

/// One request, and what is answered to it.
struct Record {
    /// Where that is recorded.
    source: &'static str,
    operation: Operation,
    request: Value,
    /// In us-east-1 today.
    current: Answer,
    /// In all Regions before June 2026.
    older: Answer,
}

/// The answer that the request does not fail by itself: what it names is not there.
const NO_TABLE: &str = "ResourceNotFoundException";
const CONDITION_FAILED: &str = "ConditionalCheckFailedException";
const INVALID: &str = "One or more parameter values were invalid: ";

/// The envelope of the constraints of the model, which the newer layer puts around more than those.
fn one(message: impl AsRef<str>) -> String {
    format!("1 validation error detected: {}", message.as_ref())
}

/// A record whose answer is the same in both wordings.
fn same(
    source: &'static str,
    operation: Operation,
    request: Value,
    answer: impl Into<String>,
) -> Record {
    let answer = answer.into();
    differs(source, operation, request, answer.clone(), answer)
}

/// A record whose answers differ by the envelope.
fn wrapped(
    source: &'static str,
    operation: Operation,
    request: Value,
    message: impl Into<String>,
) -> Record {
    let message = message.into();
    differs(source, operation, request, one(&message), message)
}

fn differs(
    source: &'static str,
    operation: Operation,
    request: Value,
    current: impl Into<String>,
    older: impl Into<String>,
) -> Record {
    Record {
        source,
        operation,
        request,
        current: current.into(),
        older: older.into(),
    }
}

/// Asks for all of them, and shows every one that is answered otherwise.
#[track_caller]
fn check(records: impl IntoIterator<Item = Record>) {
    let records: Vec<Record> = records.into_iter().collect();
    let mut wrong = Vec::new();
    for wording in [Wording::Current, Wording::Older] {
        let harness = Harness::worded(wording);
        harness.table("hash", &[], &[], &[]);
        harness.table("composite", &["sk"], &[], &[]);
        harness.table("numbered", &["n"], &[], &[]);
        for record in &records {
            let expected = match wording {
                Wording::Current => &record.current,
                Wording::Older => &record.older,
            };
            let answer = answer(&harness, record);
            if answer != *expected {
                let source = record.source;
                wrong.push(format!(
                    "{source} ({wording:?}):\n  got      {answer}\n  recorded {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn answer(harness: &Harness, record: &Record) -> Answer {
    match harness.call(record.operation, &record.request) {
        Ok(_) => "accepted".to_owned(),
        Err((name, body)) => match name.as_str() {
            "ValidationException" => body["message"].as_str().unwrap_or_default().to_owned(),
            "TransactionCanceledException" => {
                let reason = &body["CancellationReasons"][0];
                let text = |name: &str| reason[name].as_str().unwrap_or_default().to_owned();
                format!("{}: {}", text("Code"), text("Message"))
            }
            other => other.to_owned(),
        },
    }
}

/// A string in `depth` maps, each the only entry of the one around it.
pub(super) fn deep(depth: usize) -> Value {
    (0..depth).fold(json!({"S": "leaf"}), |inner, _| json!({"M": {"n": inner}}))
}

/// The same in lists.
fn deep_list(depth: usize) -> Value {
    (0..depth).fold(json!({"S": "leaf"}), |inner, _| json!({"L": [inner]}))
}

/// `base` with the members of `more`.
fn with(base: &Value, more: Value) -> Value {
    let mut request = base.clone();
    if let (Some(request), Value::Object(more)) = (request.as_object_mut(), more) {
        request.extend(more);
    }
    request
}
