//! The store: an ordered, transactional, versioned map of bytes, durable on one machine. The only
//! importer of `stator_engine`.
//!
//! What lies above knows this module and not the engine: the names below are the boundary, and
//! another ordered store could stand behind them.
//!
//! - [`layout`] says under which key an item and an index entry stand.
//! - [`Fault`] is why a piece of work on the store came to no answer. Errors of the engine become
//!   errors of the wire there, in one place.

mod fault;
pub mod layout;

pub use fault::Fault;
pub use stator_engine::{
    Durability, Error as EngineError, Key, KeyRange, KeyRef, KeyspaceId, ReadMode, Value,
};
