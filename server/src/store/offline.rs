//! A directory that nobody serves: looking through it without opening it.

use std::path::Path;

pub use stator_engine::{Corruption, Leftover, Lost, OnProgress, Progress, Salvaged, Verified};
use stator_engine::{Env, Error as EngineError, Options};

/// Checks every checksum and structure below the items; see the engine's `verify`. Writes nothing.
///
/// # Errors
///
/// What keeps it from looking: a server that runs, no data, a directory that cannot be listed.
pub fn verify(dir: &Path, on_progress: &mut OnProgress<'_>) -> Result<Verified, EngineError> {
    stator_engine::verify(&Env::real(), dir, on_progress)
}

/// Saves what can be read of a directory into a new one; see the engine's `salvage`.
///
/// # Errors
///
/// What keeps it from that: a server that runs, no data, a new directory that has files or no room.
pub fn salvage(
    dir: &Path,
    to: &Path,
    on_progress: &mut OnProgress<'_>,
) -> Result<Salvaged, EngineError> {
    stator_engine::salvage(&Env::real(), dir, to, &Options::default(), on_progress)
}
