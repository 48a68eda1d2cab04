//! Whether the server keeps its promises when it is crashed: the work, what it has to come to, and two
//! ways to crash it.
//!
//! - [`tables`] are the tables with their indexes, and what an item has in an index;
//! - [`work`] are requests, and what each does to the items before it;
//! - [`history`] is what was done, and which of it a crash may have taken away;
//! - [`observe`] reads everything back, and checks that indexes and streams follow the items;
//! - [`simulation`] runs operations over the engine on a simulated machine, from a seed;
//! - [`against`] runs the real binary, with `kill -9`.
//!
//! Nothing here is used by a server.

pub mod against;
mod history;
mod observe;
pub mod simulation;
mod tables;
mod work;

use serde_json::Value;

use crate::wire::Operation;

/// What a check comes to: the message says what was seen, and what should have been.
type Checked<T = ()> = Result<T, String>;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum CallError {
    /// It was answered with an error: its name, and the document.
    Refused(String, Value),
    /// There was no answer.
    Gone(String),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(_, document) => write!(f, "{document}"),
            Self::Gone(why) => f.write_str(why),
        }
    }
}

/// Somebody who sends requests.
trait Caller {
    /// The answer to a request.
    fn call(&mut self, operation: Operation, request: &Value) -> Result<Value, CallError>;

    /// The answer to a request that has to have one.
    fn ask(&mut self, operation: Operation, request: &Value) -> Checked<Value> {
        let answer = self.call(operation, request);
        answer.map_err(|error| format!("{} {request}: {error}", operation.name()))
    }
}
