//! Operations on items without a socket and on a store in memory, for tests.

use serde_json::{Value, json};

use super::dispatch;
use crate::{
    Stator, StatorOptions,
    plan::fixture::{IndexSpec, record},
    store::Storage,
    table::Change,
    validation::Wording,
    wire::{Operation, json::Writer},
};

/// A Stator and the JSON of requests and answers.
pub(super) struct Harness {
    pub(super) stator: Stator,
}

impl Harness {
    pub(super) fn new() -> Self {
        Self::on(Storage::Memory)
    }

    pub(super) fn on(storage: Storage) -> Self {
        Self::with(StatorOptions {
            storage,
            ..StatorOptions::default()
        })
    }

    /// In memory, with the words of `wording`.
    pub(super) fn worded(wording: Wording) -> Self {
        Self::with(StatorOptions {
            storage: Storage::Memory,
            wording,
            ..StatorOptions::default()
        })
    }

    pub(super) fn with(options: StatorOptions) -> Self {
        Self {
            stator: Stator::open(options).unwrap(),
        }
    }

    /// Makes a table with partition key `pk`, these sort key attributes and these indexes.
    pub(super) fn table(
        &self,
        name: &str,
        sort: &[&str],
        local: &[IndexSpec<'_>],
        global: &[IndexSpec<'_>],
    ) {
        let store = self.stator.store().clone();
        let record = record(name, sort, local, global, || {
            store.create_keyspace().unwrap().0
        });
        let context = self.stator.context();
        self.stator
            .catalog()
            .change(&context.namespace, name, context.now_ms, |_| {
                Ok((
                    Change::Put {
                        record: Box::new(record),
                        dropped: Vec::new(),
                    },
                    (),
                ))
            })
            .unwrap();
    }

    /// The answer to a request, or the name and message of its error.
    pub(super) fn call(
        &self,
        operation: Operation,
        request: &Value,
    ) -> Result<Value, (String, Value)> {
        let context = self.stator.context();
        let body = request.to_string();
        let answer = dispatch(&self.stator, &context, operation, body.as_bytes());
        match self.stator.block_on(answer).unwrap() {
            Ok(body) if body.is_empty() => Ok(Value::Null),
            Ok(body) => Ok(serde_json::from_slice(&body).unwrap()),
            Err(error) => {
                let mut writer = Writer::new();
                error.encode(&mut writer);
                let body: Value = serde_json::from_slice(&writer.into_bytes()).unwrap();
                let name = body["__type"].as_str().unwrap_or_default();
                let name = name.rsplit('#').next().unwrap_or_default().to_owned();
                Err((name, body))
            }
        }
    }

    /// The answer to a request that succeeds.
    #[track_caller]
    pub(super) fn ok(&self, operation: Operation, request: Value) -> Value {
        self.call(operation, &request)
            .unwrap_or_else(|error| panic!("{request}: {error:?}"))
    }

    /// The message of the `ValidationException` that a request is answered with.
    #[track_caller]
    pub(super) fn refused(&self, operation: Operation, request: Value) -> String {
        match self.call(operation, &request) {
            Err((name, body)) if name == "ValidationException" => {
                body["message"].as_str().unwrap_or_default().to_owned()
            }
            other => panic!("{request}: {other:?}"),
        }
    }

    /// Puts an item.
    #[track_caller]
    pub(super) fn put(&self, table: &str, item: &Value) {
        self.ok(
            Operation::PutItem,
            json!({"TableName": table, "Item": item}),
        );
    }
}
