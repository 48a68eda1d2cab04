//! The server's own view of a run: what its process costs, and what it says itself.

use std::time::Duration;

use crate::client::Client;
use crate::interval::Interval;
use crate::machine::process_cpu_ns;
use crate::results::ServerView;

/// Watches the server during a run.
pub struct ServerWatch {
    _client: Client,
    process: Option<u32>,
    cpu_ns: Option<u64>,
}

impl ServerWatch {
    /// Of the server that a client asks; its process if that is known.
    pub fn new(client: Client, process: Option<u32>, _warm_up: Duration) -> Self {
        Self {
            _client: client,
            process,
            cpu_ns: process.and_then(process_cpu_ns),
        }
    }

    /// So much of the run is over.
    pub fn look(&mut self, _elapsed: Duration) {}

    /// What was found.
    pub fn finish(self, all: &Interval) -> Option<ServerView> {
        let after = self.process.and_then(process_cpu_ns);
        let cpu = self.cpu_ns.zip(after).map(|(before, after)| {
            after.saturating_sub(before) as f64 / 1000.0 / all.requests.max(1) as f64
        });
        cpu.map(|cpu| ServerView {
            cpu_us_per_request: Some(cpu),
            ..ServerView::default()
        })
    }
}
