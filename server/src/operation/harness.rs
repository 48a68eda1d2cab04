//! Operations on items without a socket and on a store in memory, for tests.

use serde_json::{Value, json};

use super::dispatch;
use crate::{
    Stator, StatorOptions,
    plan::fixture::{IndexSpec, record},
    table::Change,
    wire::{Operation, json::Writer},
};

/// A Stator and the JSON of requests and answers.
pub(super) struct Harness {
    pub(super) stator: Stator,
}

impl Harness {
    pub(super) fn new() -> Self {
        Self {
            stator: Stator::open(StatorOptions::default()).unwrap(),
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
        let answer = futures_block_on(dispatch(&self.stator, &context, operation, body.as_bytes()));
        match answer {
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

/// Without a runtime operations block the thread that polls them.
fn futures_block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let thread = std::thread::current();
    let waker = std::task::Waker::from(std::sync::Arc::new(Unpark(thread)));
    let mut context = std::task::Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(std::thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}
