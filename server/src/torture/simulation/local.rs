//! A client of a server that is called, and not asked over a socket.

use serde_json::Value;

use crate::operation::dispatch;
use crate::stator::Stator;
use crate::torture::{CallError, Caller};
use crate::wire::{self, Operation, json::Writer};

/// A client without a socket.
pub(super) struct Local(pub(super) Stator);

impl Caller for Local {
    fn call(&mut self, operation: Operation, request: &Value) -> Result<Value, CallError> {
        let context = self.0.context();
        let body = request.to_string();
        let answer = dispatch(&self.0, &context, operation, body.as_bytes());
        match self.0.block_on(answer) {
            Ok(Ok(body)) if body.is_empty() => Ok(Value::Null),
            Ok(Ok(body)) => {
                serde_json::from_slice(&body).map_err(|error| CallError::Gone(error.to_string()))
            }
            Ok(Err(error)) => {
                let (name, document) = named(&error);
                Err(CallError::Refused(name, document))
            }
            Err(error) => Err(CallError::Gone(format!("no answer: {error:?}"))),
        }
    }
}

/// The name of an error, and its document.
pub(super) fn named(error: &wire::Error) -> (String, Value) {
    let mut writer = Writer::new();
    error.encode(&mut writer);
    let document: Value = serde_json::from_slice(&writer.into_bytes()).unwrap_or_default();
    let name = document.get("__type").and_then(Value::as_str);
    let name = name.unwrap_or_default().rsplit('#').next();
    (name.unwrap_or_default().to_owned(), document)
}

/// Errors that say that the store takes no more for now.
pub(super) fn is_throttled(name: &str) -> bool {
    name == "ProvisionedThroughputExceededException"
}

/// Errors that say that a transaction is in the way.
pub(super) fn is_conflict(name: &str) -> bool {
    [
        "TransactionConflictException",
        "TransactionCanceledException",
    ]
    .contains(&name)
}
