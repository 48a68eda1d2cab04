//! Durable commits of one value each, by 1, 16 and 64 threads that wait for theirs.

use super::Run;
use super::drive::closed;
use crate::store::{Acknowledged, Result, open};

pub(super) fn commits(run: &Run<'_>) -> Result<()> {
    let store = open(run.engine, run.dir, run.settings, Acknowledged::Durable)?;
    for (threads, workload) in [(1, "commit-1"), (16, "commit-16"), (64, "commit-64")] {
        if !run.settings.wants(workload) {
            continue;
        }
        let retries = store.retries();
        let driven = closed(threads, run.settings.length(), &|rng, number| {
            let mut value = Vec::new();
            run.source.fill(number, rng, &mut value);
            store.put(&run.source.key(number), &value)
        })?;
        let mut measurement = driven.measurement(run, workload);
        let bytes = driven.recorder.count().max(1) * run.settings.entry_bytes();
        measurement.set("written_x", driven.usage.written as f64 / bytes as f64);
        measurement.set("retries", (store.retries() - retries) as f64);
        (run.report)(measurement)?;
    }
    Ok(())
}
