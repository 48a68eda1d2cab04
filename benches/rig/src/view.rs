//! What a run costs the server: the processor time of its process, if the rig has started it.

use crate::interval::Interval;
use crate::machine::process_cpu_ns;
use crate::results::ServerView;

/// Watches the server's process during a run.
pub struct ServerWatch {
    process: u32,
    before_ns: u64,
}

impl ServerWatch {
    /// Begins; nothing if the process is not known, or the system does not say what it uses.
    pub fn new(process: Option<u32>) -> Option<Self> {
        let process = process?;
        Some(Self {
            process,
            before_ns: process_cpu_ns(process)?,
        })
    }

    /// What was used since, for all that was asked.
    pub fn finish(self, all: &Interval) -> Option<ServerView> {
        let used = process_cpu_ns(self.process)?.saturating_sub(self.before_ns);
        Some(ServerView {
            cpu_us_per_request: Some(used as f64 / 1000.0 / all.requests.max(1) as f64),
        })
    }
}
