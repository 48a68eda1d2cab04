//! One server under one workload for a while.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use stator_bench::interval::Interval;
use stator_bench::machine::process_cpu_ns;
use stator_bench::phase::{self, Limits, Setup, Watcher};
use stator_bench::results::Slice;

use crate::server::Server;
use crate::workload::Workload;

/// What was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Processor time of the server's process for each request, in microseconds; nothing if the process is
    /// not known.
    pub(crate) cpu_us: Option<f64>,
    /// Requests a second.
    pub(crate) rate: f64,
    /// Percentiles of the latency, in microseconds.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Writes and syncs of the log for each request; nothing if it was not told, or there were none.
    pub(crate) syncs: Option<f64>,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cpu_us {
            Some(cpu_us) => write!(f, "{cpu_us:7.1} us CPU")?,
            None => write!(f, "      - us CPU")?,
        }
        let (rate, p50, p99) = (self.rate, self.p50_us, self.p99_us);
        write!(f, " {rate:8.0}/s  p50 {p50:6.0} us  p99 {p99:6.0} us")?;
        match self.syncs {
            Some(syncs) => write!(f, "  {syncs:.3} syncs"),
            None => Ok(()),
        }
    }
}

/// What is not measured at the beginning.
const WARM_UP: Duration = Duration::from_millis(300);

/// Nobody watches.
struct Nobody;

impl Watcher for Nobody {
    fn second(&mut self, _: &Slice, _: &Interval) {}
}

/// Puts a server under a workload. Every answer has to be a success.
pub(crate) fn measure(
    server: &Server,
    workload: Workload,
    connections: usize,
    duration: Duration,
) -> Result<Measured, Box<dyn Error>> {
    let prepared = workload.prepare();
    let setup = Setup {
        connector: server.connector.clone(),
        signer: server.signer([prepared.operation]),
        connections: workload.connections(connections),
        threads: 1,
        stop: Arc::new(AtomicBool::new(false)),
        seed: 1,
    };
    let limits = Limits {
        warm_up: WARM_UP,
        duration,
        drain: Duration::from_secs(5),
        timeout: Duration::from_secs(5),
        retries: 0,
    };
    let kinds = [workload.name().to_owned()];
    let groups_before = server.groups();
    let before = server.process.and_then(process_cpu_ns);
    let source = |_| prepared.clone();
    let seen = phase::run(&setup, limits, &kinds, source, |_| None, &mut Nobody)
        .map_err(|failure| failure.to_string())?;
    let after = server.process.and_then(process_cpu_ns);
    let groups = groups_before.zip(server.groups());
    let groups = groups.map(|(before, after)| after.saturating_sub(before));
    if let Some(((_, outcome), count)) = seen.all.outcomes.first_key_value() {
        let (name, what) = (&server.name, outcome.name());
        return Err(format!("{name}: {count} answers to {}: {what}", workload.name()).into());
    }
    let requests = seen.all.requests.max(1) as f64;
    let used = before.zip(after);
    let latency = seen.all.response();
    let us = |percentile| latency.percentile(percentile) as f64 / 1000.0;
    Ok(Measured {
        cpu_us: used.map(|(before, after)| after.saturating_sub(before) as f64 / 1000.0 / requests),
        rate: latency.count() as f64 / duration.as_secs_f64(),
        p50_us: us(50.0),
        p99_us: us(99.0),
        syncs: groups
            .filter(|groups| *groups > 0)
            .map(|groups| groups as f64 / requests),
    })
}
