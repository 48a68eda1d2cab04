//! Driving a store: threads that do one thing after the other, and threads that do them by the clock.

use std::time::{Duration, Instant};

use super::Run;
use crate::measurement::{Measurement, Recorder};
use crate::store::Result;
use crate::usage::{Usage, peak_memory, reset_peak_memory};

/// What one thread does, again and again. It gets its own randomness, and a number that no other
/// operation of the workload gets.
pub(super) type Operation<'a> = dyn Fn(&mut fastrand::Rng, u64) -> Result<()> + Sync + 'a;

/// What came of it.
pub(super) struct Driven {
    pub(super) recorder: Recorder,
    pub(super) took: Duration,
    pub(super) usage: Usage,
    peak_memory: u64,
}

impl Driven {
    /// Rate, latencies, CPU and memory.
    pub(super) fn measurement(&self, run: &Run<'_>, workload: &str) -> Measurement {
        let mut measurement = Measurement::of(run.engine, workload);
        self.recorder.describe(self.took, &mut measurement);
        let count = self.recorder.count().max(1) as f64;
        measurement.set("cpu_us_op", self.usage.cpu.as_secs_f64() * 1e6 / count);
        let memory = self.peak_memory.saturating_sub(run.own_memory);
        measurement.set("peak_mib", memory as f64 / f64::from(1 << 20));
        measurement
    }
}

/// Threads that do one operation after the other for a time.
pub(super) fn closed(
    threads: usize,
    length: Duration,
    operation: &Operation<'_>,
) -> Result<Driven> {
    drive(threads, &|thread, begin| {
        let mut recorder = Recorder::new()?;
        let mut rng = fastrand::Rng::with_seed(thread + 1);
        let mut start = begin.elapsed();
        let mut number = thread;
        while start < length {
            operation(&mut rng, number)?;
            number += threads as u64;
            let end = begin.elapsed();
            recorder.record(end - start, end);
            start = end;
        }
        Ok(recorder)
    })
}

/// Threads that share a number of operations per second, each begun at its moment or, if the one
/// before it has taken longer, right behind that. Its latency counts from its moment on.
pub(super) fn open(
    threads: usize,
    rate: u64,
    length: Duration,
    operation: &Operation<'_>,
) -> Result<Driven> {
    drive(threads, &|thread, begin| {
        let mut recorder = Recorder::new()?;
        let mut rng = fastrand::Rng::with_seed(thread + 1);
        let mut number = thread;
        loop {
            let moment = Duration::from_secs_f64(number as f64 / rate as f64);
            if moment >= length {
                return Ok(recorder);
            }
            if let Some(early) = moment.checked_sub(begin.elapsed()) {
                std::thread::sleep(early);
            }
            operation(&mut rng, number)?;
            let end = begin.elapsed();
            recorder.record(end.saturating_sub(moment), end);
            number += threads as u64;
        }
    })
}

type Work<'a> = dyn Fn(u64, Instant) -> Result<Recorder> + Sync + 'a;

fn drive(threads: usize, work: &Work<'_>) -> Result<Driven> {
    reset_peak_memory()?;
    let before = Usage::now()?;
    let begin = Instant::now();
    let recorders: Vec<Result<Recorder>> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads as u64)
            .map(|thread| scope.spawn(move || work(thread, begin)))
            .collect();
        let joined = started.into_iter().map(|thread| thread.join());
        joined
            .map(|result| result.unwrap_or_else(|_| Err("a thread has panicked".into())))
            .collect()
    });
    let took = begin.elapsed();
    let mut recorder = Recorder::new()?;
    for recorded in recorders {
        recorder.add(&recorded?)?;
    }
    Ok(Driven {
        recorder,
        took,
        usage: Usage::now()?.since(&before),
        peak_memory: peak_memory()?,
    })
}
