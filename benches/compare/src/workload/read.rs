//! Reading the store that was written, by threads that do one read after the other. The page cache has
//! all of it; the engine's own cache does not.

use super::Run;
use super::drive::{closed, open};
use crate::measurement::Measurement;
use crate::store::{Acknowledged, Result, Store, Way};

/// Entries of one scan.
const SCAN: usize = 25;
/// Every so many of the keys are those that fit into the engine's cache.
const CACHED_PART: u64 = 20;

pub(super) fn reads(run: &Run<'_>) -> Result<()> {
    let store = crate::store::open(run.engine, run.dir, run.settings, Acknowledged::Buffered)?;
    let store = store.as_ref();
    // Once through everything, so that no engine's first reads are those of a cold page cache.
    let first = run.source.key(0);
    store.scan(&first, Way::Forward, usize::MAX, &mut |_| {})?;
    store.scan(&first, Way::Backward, usize::MAX, &mut |_| {})?;

    let keys = run.settings.keys;
    let get = |number: u64| {
        let mut check = |value: &[u8]| run.source.is_value_of(number, value);
        match store.get(&run.source.key(number), &mut check)? {
            true => Ok(()),
            false => Err(format!("{}: key {number} has no value of its own", run.engine).into()),
        }
    };
    gets(run, "get", &|rng, _| get(rng.u64(..keys)))?;
    let cached = |rng: &mut fastrand::Rng| rng.u64(..keys.div_ceil(CACHED_PART));
    gets(run, "get-cached", &|rng, _| get(cached(rng)))?;
    gets(run, "get-missing", &|rng, _| {
        let key = run.source.missing_key(rng.u64(..keys));
        match store.get(&key, &mut |_| true)? {
            false => Ok(()),
            true => Err(format!("{}: a key that is not there", run.engine).into()),
        }
    })?;
    for (workload, way) in [
        ("scan-forward", Way::Forward),
        ("scan-backward", Way::Backward),
    ] {
        gets(run, workload, &|rng, _| {
            let mut bytes = 0;
            let from = run.source.key(rng.u64(..keys));
            store.scan(&from, way, SCAN, &mut |value| bytes += value.len())?;
            std::hint::black_box(bytes);
            Ok(())
        })?;
    }
    beside_a_writer(run, store, &|rng, _| get(rng.u64(..keys)))
}

fn gets(run: &Run<'_>, workload: &str, operation: &super::drive::Operation<'_>) -> Result<()> {
    if !run.settings.wants(workload) {
        return Ok(());
    }
    let driven = closed(run.settings.threads, run.settings.length(), operation)?;
    let mut measurement = driven.measurement(run, workload);
    let entries = if workload.starts_with("scan") {
        SCAN as u64
    } else {
        1
    };
    let bytes = driven.recorder.count().max(1) * entries * run.settings.entry_bytes();
    if workload != "get-missing" {
        measurement.set("read_amp", driven.usage.read as f64 / bytes as f64);
    }
    (run.report)(measurement)
}

/// Reads as they come, beside a writer at a fixed rate whose latencies are measured too.
fn beside_a_writer(
    run: &Run<'_>,
    store: &dyn Store,
    get: &super::drive::Operation<'_>,
) -> Result<()> {
    let workload = "get-writing";
    if !run.settings.wants(workload) {
        return Ok(());
    }
    let settings = run.settings;
    let put = |rng: &mut fastrand::Rng, _: u64| {
        let number = rng.u64(..settings.keys);
        let mut value = Vec::with_capacity(settings.value_size);
        run.source.fill(number, rng, &mut value);
        store.put(&run.source.key(number), &value)
    };
    let (read, written) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| open(1, settings.writer_rate, settings.length(), &put));
        let read = closed(settings.threads, settings.length(), get);
        (read, writer.join())
    });
    let written = written.unwrap_or_else(|_| Err("the writer has panicked".into()))?;
    let mut measurement = read?.measurement(run, workload);
    let mut of_writer = Measurement::default();
    written.recorder.describe(written.took, &mut of_writer);
    for (name, figure) in of_writer.figures {
        measurement.set(&format!("writer_{name}"), figure);
    }
    (run.report)(measurement)
}
