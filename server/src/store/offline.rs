//! A directory that nobody serves: looking through it without opening it.

use std::path::Path;

pub use stator_engine::{Corruption, Leftover, OnProgress, Progress, Verified};
use stator_engine::{Env, Error as EngineError};

/// Checks every checksum and structure below the items; see the engine's `verify`. Writes nothing.
///
/// # Errors
///
/// What keeps it from looking: a server that runs, no data, a directory that cannot be listed.
pub fn verify(dir: &Path, on_progress: &mut OnProgress<'_>) -> Result<Verified, EngineError> {
    stator_engine::verify(&Env::real(), dir, on_progress)
}
