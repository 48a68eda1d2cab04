//! Counting, by running this program: under callgrind, and by itself for what it allocates.

use std::error::Error;
use std::process::{Command, Stdio};

use crate::path::Path;

/// The argument by which this program knows that it is to do requests.
pub(crate) const CHILD: &str = "--requests";

/// Whether valgrind is there.
pub(crate) fn is_possible() -> bool {
    let valgrind = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    valgrind.is_ok_and(|status| status.success())
}

/// How often each run is made; the least counts. Where the thread that writes the log is waited for, it is
/// by chance how often it goes to sleep in between, which only ever adds: up to 3 % of a put.
const RUNS: usize = 4;

/// The instructions of one request on a path.
pub(crate) fn count(path: Path) -> Result<u64, Box<dyn Error>> {
    let requests = path.requests();
    let less = least(|| total(path, requests))?;
    let more = least(|| total(path, 2 * requests))?;
    Ok(more.saturating_sub(less) / requests)
}

/// The least of some runs.
fn least(run: impl Fn() -> Result<u64, Box<dyn Error>>) -> Result<u64, Box<dyn Error>> {
    let mut least = run()?;
    for _ in 1..RUNS {
        least = least.min(run()?);
    }
    Ok(least)
}

/// How often one request on a path asks for memory: what the engine's own threads ask for is theirs.
pub(crate) fn allocations(path: Path) -> Result<u64, Box<dyn Error>> {
    let requests = path.requests();
    let binary = std::env::current_exe()?;
    let less = least(|| allocated(&binary, path, requests))?;
    let more = least(|| allocated(&binary, path, 2 * requests))?;
    // What grows now and then is less than one for each.
    Ok(more.saturating_sub(less) / requests)
}

fn allocated(binary: &std::path::Path, path: Path, requests: u64) -> Result<u64, Box<dyn Error>> {
    let mut command = Command::new(binary);
    command.args([CHILD, path.name(), &requests.to_string()]);
    let output = command.output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    Ok(told.trim().parse()?)
}

/// All instructions of a run with so many requests.
fn total(path: Path, requests: u64) -> Result<u64, Box<dyn Error>> {
    let binary = std::env::current_exe()?;
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(&binary)
        .args([CHILD, path.name(), &requests.to_string()])
        // The environment lies on the stack, and moves what comes behind it.
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, number)| number.trim().parse().ok());
    match collected {
        Some(collected) if output.status.success() => Ok(collected),
        _ => Err(format!("callgrind counted nothing: {told}").into()),
    }
}
