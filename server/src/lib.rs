//! Stator: Amazon DynamoDB on one machine.
//!
//! The server knows DynamoDB and nothing of files: what is stored goes through [`store`], the only
//! importer of the engine.

pub mod cli;
pub mod expression;
#[cfg(test)]
mod format_spec;
pub mod http;
pub mod item;
pub mod metrics;
#[doc(hidden)]
pub mod mutants;
pub mod operation;
pub mod partiql;
pub mod plan;
mod stator;
pub mod stopwatch;
pub mod store;
pub mod streams;
pub mod table;
pub mod torture;
pub mod ttl;
pub mod validation;
pub mod wire;

pub use stator::{
    COLLECTION_LIMIT, ClockError, ClockMove, Namespaces, OpenError, Stator, StatorOptions,
};
