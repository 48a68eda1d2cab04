//! The store: an ordered, transactional, versioned map of bytes, durable on one machine. The only
//! importer of `stator_engine`.
//!
//! What lies above knows this module and not the engine: the names below are the boundary, and
//! another ordered store could stand behind them.
//!
//! - [`Store`] opens the data and runs work on it: inline where nothing has to wait, on a thread that
//!   may block where something does.
//! - [`layout`] says under which key an item and an index entry stand.
//! - [`Fault`] is why a piece of work on the store came to no answer. Errors of the engine become
//!   errors of the wire there, in one place.
//! - [`ClockMode`] is whose time it is, and [`DueRegistry`] the work that time makes due.
//! - [`Generations`] are keyspaces that are dropped as a whole when they are old.
//! - [`offline`] looks at a directory that nobody serves.
//! - [`system`] are the keyspaces and keys of the server itself.

mod clock;
mod due;
mod fault;
mod generations;
pub mod layout;
pub mod offline;
mod open;
mod run;
pub mod system;

pub use clock::{ClockError, ClockMode};
pub use due::{DueRegistry, DueWork, Moved};
pub use fault::Fault;
pub use generations::{Generation, Generations};
pub use open::{Storage, Store, StoreOptions, StoreState};
pub use run::durable;
pub(crate) use stator_engine::define_mutants;
pub use stator_engine::{
    Batch, Commit, Direction, Durability, Error as EngineError, Key, KeyRange, KeyRef, KeyspaceId,
    Latencies, LatencyRecorder, Options as EngineOptions, RangeIter, ReadMode, Snapshot, Step,
    Transaction, Value,
    io::{Env, Faults, IoMode, Kept, Next, Priority, Simulation, Task, TaskHandle},
};
