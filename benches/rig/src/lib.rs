//! `stator bench`: what latency an endpoint of DynamoDB's protocol gives, and where it goes.
//!
//! Open loop by default: operations start when they are meant to, whatever the answers do, and their
//! latency counts from then. Percentiles come from histograms that are added up. What fails is
//! counted by kind and shown. The rig takes the time of its own delays, and says when they are a
//! part of what it reports.
//!
//! ```text
//! options ─► run ─► phase ─► worker (a thread: alarm, connections) ─► interval, every second
//!                     │        ▲ source: what is asked   ▲ schedule: when
//!                     └► results ─► text, JSON, hgrm, hlog, report
//! ```
//!
//! It knows HTTP and DynamoDB's JSON protocol, and nothing of the server: whoever holds both hands
//! in a [`host::Host`].

pub mod alarm;
pub mod answer;
pub mod body;
pub mod breakdown;
pub mod check;
pub mod client;
pub mod credentials;
pub mod distribution;
pub mod endpoint;
pub mod failure;
pub mod histogram;
pub mod hlog;
pub mod host;
pub mod interval;
pub mod item;
pub mod machine;
pub mod mix;
pub mod options;
pub mod output;
pub mod phase;
pub mod progress;
pub mod properties;
pub mod proxy;
pub mod random;
pub mod recording;
pub mod records;
pub mod replay;
pub mod report;
pub mod results;
pub mod run;
pub mod schedule;
pub mod signature;
pub mod source;
pub mod statistics;
pub mod stream;
pub mod sweep;
pub mod text;
pub mod view;
pub mod worker;
pub mod workload;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use failure::Failure;
pub use options::Options;

use failure::Doing;
use run::Bench;

/// Does what the options ask for. `host` starts a server if no endpoint is named.
///
/// # Errors
/// A sentence that says why it could not be done.
pub fn bench(options: Options, host: &dyn host::Host) -> Result<(), Failure> {
    if let Some(path) = options
        .report
        .as_ref()
        .filter(|_| !options.compare.is_empty())
    {
        let runs: Result<Vec<_>, _> = options
            .compare
            .iter()
            .map(|path| output::read(path))
            .collect();
        return output::write(path, &report::html(&runs?)?);
    }
    let stop = stop_on_signal()?;
    let mut bench = Bench::new(options, host, stop)?;
    let outcome = bench.run();
    bench.close();
    let Some(results) = outcome? else {
        return Ok(());
    };
    if let Some(path) = &bench.options().json {
        output::write(path, &output::json(&results)?)?;
    }
    if let Some(path) = &bench.options().report {
        let runs = std::slice::from_ref(&results);
        output::write(path, &report::html(runs)?)?;
    }
    // A closed stdout is no failure of the run.
    let _ = std::io::stdout().write_all(text::table(&results).as_bytes());
    Ok(())
}

/// Set by the first Ctrl-C, which ends the run with what there is; the second ends the process.
fn stop_on_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for (signal, code) in [
        (signal_hook::consts::SIGINT, 130),
        (signal_hook::consts::SIGTERM, 143),
    ] {
        // In this order: the first signal finds the flag unset.
        signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&stop))
            .doing("signals can't be received")?;
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .doing("signals can't be received")?;
    }
    Ok(stop)
}
