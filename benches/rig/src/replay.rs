//! `--replay`: what was recorded is played at its own times, or at those times scaled. It is an open
//! loop: whatever the answers do, the next request is due when it was.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::failure::Failure;
use crate::recording::{Player, Recording};
use crate::results::{Results, Setting};
use crate::run::Bench;
use crate::schedule::Schedule;

/// Plays a recording.
///
/// # Errors
/// If it cannot be read, or the system gives the rig no threads.
pub fn replay(bench: &Bench, path: &Path, speed: f64) -> Result<Results, Failure> {
    let recording = Arc::new(Recording::read(path)?);
    let last = Duration::from_nanos(recording.starts(speed).max().unwrap_or(0));
    let mut pace = bench.pace().clone();
    if bench.options().warm_up.is_none() {
        pace.warm_up = Duration::ZERO;
    }
    // The end is behind the last start.
    pace.duration = (last + Duration::from_millis(1)).saturating_sub(pace.warm_up);
    pace.rate = Some(recording.count() as f64 / last.as_secs_f64().max(1e-3));
    let mut configuration = bench.common_configuration(&pace);
    if let Some(line) = configuration.iter_mut().find(|line| line.name == "pace") {
        *line = Setting::new(
            "pace",
            format!("as recorded in {}, {speed} times as fast", path.display()),
        );
    }
    let kinds: Vec<String> = recording
        .targets
        .iter()
        .map(|target| target.rsplit('.').next().unwrap_or(target).to_owned())
        .collect();
    let workers = pace.threads;
    let next = Arc::default();
    bench.observe(
        &bench.setup(recording.targets.clone()),
        &pace,
        &kinds,
        configuration,
        |_| Player::new(Arc::clone(&recording), Arc::clone(&next)),
        |worker| {
            let first = usize::try_from(worker).unwrap_or(0);
            let starts = recording.starts(speed).skip(first).step_by(workers.max(1));
            Some(Schedule::Listed(starts.collect()))
        },
    )
}
