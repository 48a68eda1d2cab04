//! The request path from outside: Stator, a server that does nothing, and any endpoint that is named, under
//! the same closed loops, in rounds that take turns.
//!
//! `cargo bench -p stator-benches --bench end_to_end -- --endpoint other=http://127.0.0.1:8001`
//!
//! Client and servers share the machine, so what a server costs is read as the processor time of its process
//! for each request, and as its ratio to that of the server that does nothing in the same rounds. Times and
//! throughputs are those of a machine on which the client is at work too.

mod measure;
mod report;
mod requests;
mod server;
mod workload;

use std::error::Error;
use std::time::Duration;

use clap::Parser;

use measure::{Measured, measure};
use server::{Server, Servers};
use workload::Workload;

/// What to measure, and how long.
#[derive(Parser)]
#[command(
    name = "end_to_end",
    about = "What requests cost, beside a server that does nothing"
)]
struct Options {
    /// Another endpoint of DynamoDB's protocol; may be given several times. Its processor time is known if
    /// it runs on this machine and its process id stands behind a comma: name=url,pid.
    #[arg(long = "endpoint", value_name = "NAME=URL[,PID]")]
    endpoints: Vec<String>,
    /// Another binary of Stator to put beside this tree's; may be given several times.
    #[arg(long = "binary", value_name = "NAME=PATH")]
    binaries: Vec<String>,
    /// Workloads to run, all of them if none is named.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Rounds, of which the medians are taken.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds that each server is under each workload in each round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Connections of the workloads that have several.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Options of `stator serve`, behind `--`.
    #[arg(last = true)]
    serve: Vec<String>,
    /// What cargo passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let workloads = Workload::chosen(&options.only)?;
    let servers = Servers::start(&options.endpoints, &options.binaries, &options.serve)?;
    let mut measured: Vec<Vec<Measured>> = Vec::new();
    measured.resize_with(workloads.len() * servers.all.len(), Vec::new);
    let time = Duration::from_secs_f64(options.seconds);
    for round in 0..options.rounds {
        for (row, workload) in workloads.iter().enumerate() {
            for turn in 0..servers.all.len() {
                // Each round begins with another server.
                let column = (round + turn) % servers.all.len();
                let Some(server) = servers.all.get(column) else {
                    continue;
                };
                if !workload.is_for(server) {
                    continue;
                }
                let one = measure(server, *workload, options.connections, time)?;
                eprintln!(
                    "round {} {:12} {:12} {}",
                    round + 1,
                    workload.name(),
                    server.name,
                    one
                );
                if let Some(all) = measured.get_mut(row * servers.all.len() + column) {
                    all.push(one);
                }
            }
        }
    }
    let names: Vec<&Server> = servers.all.iter().collect();
    print!("{}", report::report(&workloads, &names, &measured));
    Ok(())
}
