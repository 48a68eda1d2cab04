//! Filling a store, overwriting it as fast as it goes, writing at a fixed rate on top of the debt that
//! this leaves, and what is there when it has come to rest.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Run;
use super::drive::{closed, open};
use crate::measurement::{Measurement, median};
use crate::store::{Acknowledged, Result, Store};
use crate::usage::{Usage, peak_memory, reset_peak_memory, stored};

/// Puts in one commit of the load.
const LOAD_BATCH: u64 = 1000;
/// Threads of the open loop: more than it needs, so that one slow put does not delay the next ones.
const OPEN_LOOP_THREADS: usize = 16;
/// How often the room on the disk is looked at.
const SAMPLE: Duration = Duration::from_millis(250);
/// A store that has taken no more CPU and written no more than this for so many looks is at rest.
const REST_LOOKS: u32 = 8;
const REST_CPU: Duration = Duration::from_millis(10);
const REST_WRITTEN: u64 = 256 << 10;
/// A store that never rests is measured as it is.
const LONGEST_REST: Duration = Duration::from_secs(300);

pub(super) fn writes(run: &Run<'_>) -> Result<()> {
    let store = crate::store::open(run.engine, run.dir, run.settings, Acknowledged::Buffered)?;
    load(run, store.as_ref())?;
    let overwrite = ["overwrite", "open-loop", "settled"];
    if !overwrite.iter().any(|name| run.settings.wants(name)) {
        return Ok(());
    }
    // What the load has left to do is not what overwriting costs.
    rest()?;
    let before = Usage::now()?;
    let (puts, largest) = sampled(run.dir, || churn(run, store.as_ref()))?;
    let mut measurement = Measurement::of(run.engine, "settled");
    measurement.set("settle_s", rest()?.as_secs_f64());
    let bytes = puts.max(1) * run.settings.entry_bytes();
    let written = Usage::now()?.since(&before).written;
    measurement.set("write_amp", written as f64 / bytes as f64);
    let live = run.settings.live_bytes() as f64;
    measurement.set("space_amp", stored(run.dir) as f64 / live);
    measurement.set("space_amp_max", largest as f64 / live);
    if run.settings.wants("settled") {
        (run.report)(measurement)?;
    }
    Ok(())
}

/// Every key once, in random order as their hashes are, a thousand to a commit.
fn load(run: &Run<'_>, store: &dyn Store) -> Result<()> {
    reset_peak_memory()?;
    let before = Usage::now()?;
    let begin = Instant::now();
    let mut rng = fastrand::Rng::with_seed(1);
    let mut value = Vec::new();
    let keys = run.settings.keys;
    for start in (0..keys).step_by(LOAD_BATCH as usize) {
        let mut batch = Vec::with_capacity(LOAD_BATCH as usize);
        for number in start..keys.min(start + LOAD_BATCH) {
            run.source.fill(number, &mut rng, &mut value);
            batch.push((run.source.key(number), value.clone()));
        }
        store.load(&batch)?;
    }
    let took = begin.elapsed();
    if !run.settings.wants("load") {
        return Ok(());
    }
    let taken = Usage::now()?.since(&before);
    let mut measurement = Measurement::of(run.engine, "load");
    measurement.set("ops_s", keys as f64 / took.as_secs_f64());
    measurement.set("cpu_us_op", taken.cpu.as_secs_f64() * 1e6 / keys as f64);
    let memory = peak_memory()?.saturating_sub(run.own_memory);
    measurement.set("peak_mib", memory as f64 / f64::from(1 << 20));
    (run.report)(measurement)
}

/// Overwrites, and then the open loop. Answers the number of puts.
fn churn(run: &Run<'_>, store: &dyn Store) -> Result<u64> {
    let settings = run.settings;
    let put = |rng: &mut fastrand::Rng, _: u64| {
        let number = rng.u64(..settings.keys);
        let mut value = Vec::with_capacity(settings.value_size);
        run.source.fill(number, rng, &mut value);
        store.put(&run.source.key(number), &value)
    };
    let seconds = settings.overwrite_seconds;
    let overwritten = closed(settings.threads, Duration::from_secs(seconds), &put)?;
    if settings.wants("overwrite") {
        let mut measurement = overwritten.measurement(run, "overwrite");
        measurement.series = overwritten.recorder.series(seconds);
        let series: Vec<f64> = measurement.series.iter().map(|ops| *ops as f64).collect();
        let worst = series.iter().copied().fold(f64::INFINITY, f64::min);
        let part = worst / median(&series).max(1.0) * 100.0;
        measurement.set("worst_second_percent", part);
        report(run, measurement, store)?;
    }
    if !settings.wants("open-loop") {
        return Ok(overwritten.recorder.count());
    }
    let length = Duration::from_secs(settings.open_loop_seconds);
    let looped = open(OPEN_LOOP_THREADS, settings.rate, length, &put)?;
    report(run, looped.measurement(run, "open-loop"), store)?;
    Ok(overwritten.recorder.count() + looped.recorder.count())
}

fn report(run: &Run<'_>, mut measurement: Measurement, store: &dyn Store) -> Result<()> {
    measurement.set("retries_so_far", store.retries() as f64);
    (run.report)(measurement)
}

/// Does something, and answers the most room that the files took meanwhile.
fn sampled<T: Send>(dir: &Path, work: impl FnOnce() -> Result<T> + Send) -> Result<(T, u64)> {
    let (done, largest) = (AtomicBool::new(false), AtomicU64::new(0));
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                largest.fetch_max(stored(dir), Ordering::Relaxed);
                std::thread::sleep(SAMPLE);
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    });
    Ok((result?, largest.load(Ordering::Relaxed)))
}

/// Waits until the store has nothing more to do, as far as can be seen from outside, and answers how
/// long that took.
fn rest() -> Result<Duration> {
    let begin = Instant::now();
    let mut busy_until = Duration::ZERO;
    let mut quiet = 0;
    let mut last = Usage::now()?;
    while quiet < REST_LOOKS && begin.elapsed() < LONGEST_REST {
        std::thread::sleep(SAMPLE);
        let now = Usage::now()?;
        let taken = now.since(&last);
        last = now;
        if taken.cpu <= REST_CPU && taken.written <= REST_WRITTEN {
            quiet += 1;
        } else {
            quiet = 0;
            busy_until = begin.elapsed();
        }
    }
    Ok(busy_until)
}
