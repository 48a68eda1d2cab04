//! The workloads, in the order in which one process does them, and what needs what.

mod commit;
mod device;
mod drive;
mod read;
mod write;

use std::path::Path;

use clap::ValueEnum;

use crate::keys::Source;
use crate::measurement::Measurement;
use crate::settings::Settings;
use crate::store::Result;

/// All workloads by name, in the order of the table.
pub const WORKLOADS: [&str; 13] = [
    "commit-1",
    "commit-16",
    "commit-64",
    "load",
    "overwrite",
    "open-loop",
    "settled",
    "get",
    "get-cached",
    "get-missing",
    "scan-forward",
    "scan-backward",
    "get-writing",
];

/// Workloads that one process does after the other, on one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Durable commits, on a store of their own.
    Commit,
    /// Filling a store, overwriting it, and what that leaves.
    Write,
    /// Reading the store that was written.
    Read,
}

impl Group {
    pub const ALL: [Group; 3] = [Group::Commit, Group::Write, Group::Read];

    pub fn name(self) -> &'static str {
        match self {
            Group::Commit => "commit",
            Group::Write => "write",
            Group::Read => "read",
        }
    }

    fn of(workload: &str) -> Group {
        match workload {
            name if name.starts_with("commit") => Group::Commit,
            "load" | "overwrite" | "open-loop" | "settled" => Group::Write,
            _ => Group::Read,
        }
    }

    /// Whether a run has to do it: for its own sake, or since another reads what it writes.
    pub fn is_needed(self, settings: &Settings) -> bool {
        let wanted = WORKLOADS.iter().filter(|name| settings.wants(name));
        wanted
            .map(|name| Group::of(name))
            .any(|group| group == self || (self == Group::Write && group == Group::Read))
    }
}

/// The name under which the disk itself stands in the table.
pub const DEVICE: &str = "device";

/// One process's part of a run: what it measures, and where that goes.
pub struct Run<'a> {
    pub engine: &'a str,
    pub dir: &'a Path,
    pub settings: &'a Settings,
    pub source: Source,
    /// Resident memory before the store was opened: the measuring itself, which is not the engine's.
    pub own_memory: u64,
    pub report: &'a (dyn Fn(Measurement) -> Result<()> + Sync),
}

impl Run<'_> {
    /// Does the workloads of a group.
    pub fn group(&self, group: Group) -> Result<()> {
        match group {
            Group::Commit if self.engine == DEVICE => device::commits(self),
            Group::Commit => commit::commits(self),
            Group::Write => write::writes(self),
            Group::Read => read::reads(self),
        }
    }
}
