//! One phase of a run: workers are started, what they see is put together second by second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::failure::{Doing, Failure};
use crate::hlog::HistogramLog;
use crate::interval::Interval;
use crate::random::Random;
use crate::results::Slice;
use crate::schedule::Schedule;
use crate::signature::Signer;
use crate::source::Source;
use crate::stream::Connector;
use crate::worker::{Rules, Worker};

/// What is common to all phases of a run.
#[derive(Clone)]
pub struct Setup {
    /// How to reach the endpoint.
    pub connector: Connector,
    /// Signs for it.
    pub signer: Signer,
    /// Connections of all workers together.
    pub connections: usize,
    /// Workers.
    pub threads: usize,
    /// Somebody wants the run to end.
    pub stop: Arc<AtomicBool>,
    /// Of all choices.
    pub seed: u64,
}

/// How long a phase lasts, and how it deals with what goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What is not measured.
    pub warm_up: Duration,
    /// What is, after it.
    pub duration: Duration,
    /// How long answers are waited for after that.
    pub drain: Duration,
    /// How long one answer is waited for.
    pub timeout: Duration,
    /// How often a request is made again.
    pub retries: u32,
}

/// What a phase has seen.
pub struct Seen {
    /// All of it.
    pub all: Interval,
    /// Second by second.
    pub slices: Vec<Slice>,
    /// The interval log.
    pub log: HistogramLog,
    /// From the start to the end of the last worker.
    pub wall: Duration,
    /// When it began: seconds since 1970.
    pub started: u64,
}

/// Who wants to know how a phase goes on.
pub trait Watcher {
    /// A second is over.
    fn second(&mut self, slice: &Slice, all: &Interval);
}

/// Runs a phase: `source` and `schedule` make those of each worker. `kinds` are the names of the
/// jobs.
///
/// # Errors
/// If the system gives no threads or no polls.
pub fn run<S: Source + 'static>(
    setup: &Setup,
    limits: Limits,
    kinds: &[String],
    source: impl Fn(u64) -> S,
    schedule: impl Fn(u64) -> Option<Schedule>,
    watcher: &mut dyn Watcher,
) -> Result<Seen, Failure> {
    let start = Instant::now();
    let unix = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let warm_up_ns = nanoseconds(limits.warm_up);
    let rules = Rules {
        start,
        start_unix_ns: nanoseconds(unix),
        warm_up_ns,
        end_ns: warm_up_ns.saturating_add(nanoseconds(limits.duration)),
        drain_ns: nanoseconds(limits.drain),
        retries: limits.retries,
        timeout_ns: nanoseconds(limits.timeout),
        kinds: kinds.len(),
        stop: Arc::clone(&setup.stop),
    };
    let (results, received) = mpsc::channel();
    let mut recycle = Vec::new();
    let mut threads = Vec::new();
    for number in 0..setup.threads {
        let (give_back, recycled) = mpsc::channel();
        recycle.push(give_back);
        // As even as it goes.
        let connections = setup.connections / setup.threads
            + usize::from(number < setup.connections % setup.threads);
        let worker = Worker::new(
            number,
            rules.clone(),
            source(number as u64),
            schedule(number as u64),
            setup.signer.clone(),
            setup.connector.clone(),
            connections,
            Random::new(setup.seed, number as u64 + (3 << 32)),
            results.clone(),
            recycled,
        );
        let worker = worker.doing("the rig can't watch its connections")?;
        let thread = std::thread::Builder::new()
            .name(format!("rig-{number}"))
            .spawn(move || worker.run());
        threads.push(thread.doing("the rig can't start its threads")?);
    }
    drop(results);
    let mut collector = Collector::new(kinds, setup.threads, unix);
    for interval in received {
        let worker = interval.worker;
        let used = collector.take(interval, watcher);
        if let Some(give_back) = recycle.get(worker) {
            // A worker that has ended needs no memory.
            let _ = give_back.send(used);
        }
    }
    for thread in threads {
        match thread.join() {
            Ok(ended) => ended.doing("the rig can't watch its connections")?,
            Err(_) => return Err(Failure::new("a thread of the rig has failed.")),
        }
    }
    collector.finish(u64::MAX, watcher);
    Ok(Seen {
        all: collector.all,
        slices: collector.slices,
        log: collector.log,
        wall: start.elapsed(),
        started: unix.as_secs(),
    })
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Puts together what the workers have seen.
struct Collector {
    all: Interval,
    slices: Vec<Slice>,
    log: HistogramLog,
    /// Seconds that some worker has not ended yet.
    open: BTreeMap<u64, Interval>,
    /// The last second that each worker has ended.
    ended: Vec<Option<u64>>,
    kinds: Vec<String>,
}

impl Collector {
    fn new(kinds: &[String], workers: usize, unix: Duration) -> Self {
        Self {
            all: Interval::new(0, kinds.len()),
            slices: Vec::new(),
            log: HistogramLog::new(unix),
            open: BTreeMap::new(),
            ended: vec![None; workers],
            kinds: kinds.to_vec(),
        }
    }

    /// Takes what a worker has seen in a second, and gives back the memory of something.
    fn take(&mut self, interval: Interval, watcher: &mut dyn Watcher) -> Interval {
        if let Some(ended) = self.ended.get_mut(interval.worker) {
            *ended = Some(interval.second);
        }
        let kinds = self.kinds.len();
        self.open
            .entry(interval.second)
            .or_insert_with(|| Interval::new(interval.second, kinds))
            .add(&interval);
        let by_all = self
            .ended
            .iter()
            .map(|ended| ended.map_or(0, |second| second + 1))
            .min();
        self.finish(by_all.unwrap_or(0), watcher);
        interval
    }

    /// Ends the seconds before `second`.
    fn finish(&mut self, second: u64, watcher: &mut dyn Watcher) {
        while let Some(entry) = self
            .open
            .first_entry()
            .filter(|entry| *entry.key() < second)
        {
            let interval = entry.remove();
            let response = interval.response();
            let slice = Slice {
                second: interval.second,
                count: response.count(),
                failures: interval.failures(),
                p50: response.percentile(50.0),
                p99: response.percentile(99.0),
                p99_9: response.percentile(99.9),
                max: response.max(),
                backlog: interval.backlog,
                lag: interval.lag.max(),
                rig_cpu: interval.cpu_ns as f64 / 1e9,
                classes: response.classes(),
            };
            for (kind, name) in interval.kinds.iter().zip(&self.kinds) {
                self.log.add(name, interval.second, &kind.response);
            }
            // The backlog is a state, not something that adds up.
            let backlog = interval.backlog;
            self.all.backlog = 0;
            self.all.add(&interval);
            self.all.backlog = backlog;
            watcher.second(&slice, &self.all);
            self.slices.push(slice);
        }
    }
}
