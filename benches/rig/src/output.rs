//! Files that a run leaves.

use std::path::Path;

use crate::failure::{Doing, Failure};
use crate::results::{FORMAT, Results};

/// Writes a file.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).doing(format!("'{}' can't be written", path.display()))
}

/// Results as JSON.
///
/// # Errors
/// None that is known.
pub fn json(results: &Results) -> Result<String, Failure> {
    serde_json::to_string(results).doing("the results can't be written as JSON")
}

/// Reads results of an earlier run.
///
/// # Errors
/// If the file cannot be read, or holds something else.
pub fn read(path: &Path) -> Result<Results, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).doing(format!("'{shown}' can't be read"))?;
    let results: Results = serde_json::from_str(&text).doing(format!(
        "'{shown}' holds no results of 'stator bench --json'"
    ))?;
    if results.format != FORMAT {
        return Err(Failure(format!(
            "'{shown}' has the form '{}', and this reads '{FORMAT}'.",
            results.format
        )));
    }
    Ok(results)
}
