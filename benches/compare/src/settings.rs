//! What a run is told on the command line, and hands on to the process of each engine.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::store::ENGINES;
use crate::workload::WORKLOADS;

/// Sizes, times and the selection of a run.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
pub struct Settings {
    /// Engines to compare.
    #[arg(long, value_delimiter = ',', default_values = ENGINES)]
    pub engines: Vec<String>,
    /// Workloads to measure; all if none is given. What one needs before it is done too.
    #[arg(long, value_delimiter = ',', value_parser = WORKLOADS)]
    pub only: Vec<String>,
    /// Rounds; what is printed is the median of them.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Number of keys.
    #[arg(long, default_value_t = 1_000_000)]
    pub keys: u64,
    /// Bytes of a value.
    #[arg(long, default_value_t = 1024)]
    pub value_size: usize,
    /// Block cache of each engine, in MiB.
    #[arg(long, default_value_t = 128)]
    pub cache: usize,
    /// Memtable of each engine that has one, in MiB.
    #[arg(long, default_value_t = 32)]
    pub memtable: usize,
    /// Seconds of overwriting.
    #[arg(long, default_value_t = 60)]
    pub overwrite_seconds: u64,
    /// Seconds of the open loop behind it.
    #[arg(long, default_value_t = 30)]
    pub open_loop_seconds: u64,
    /// Seconds of every other workload.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Puts per second of the open loop.
    #[arg(long, default_value_t = 4000)]
    pub rate: u64,
    /// Puts per second of the writer beside which is read.
    #[arg(long, default_value_t = 2000)]
    pub writer_rate: u64,
    /// Threads that overwrite, read and scan.
    #[arg(long, default_value_t = 2)]
    pub threads: usize,
    /// Cores that each engine's process may use.
    #[arg(long, default_value_t = 2)]
    pub cores: usize,
    /// Where the stores are made, in a directory of their own that is removed at the end.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// One short round with few keys, to see that it runs: its figures mean nothing.
    #[arg(long)]
    pub quick: bool,
}

impl Settings {
    /// Makes a quick run of it, if that was asked for.
    pub fn resolved(mut self) -> Settings {
        if self.quick {
            self.rounds = 1;
            self.keys = 50_000;
            self.overwrite_seconds = 5;
            self.open_loop_seconds = 3;
            self.seconds = 1;
        }
        self
    }

    pub fn cache_bytes(&self) -> usize {
        self.cache << 20
    }

    pub fn memtable_bytes(&self) -> usize {
        self.memtable << 20
    }

    /// How long most workloads run.
    pub fn length(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Whether a workload is to be measured.
    pub fn wants(&self, workload: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == workload)
    }

    /// Bytes of the keys and values that a full store holds.
    pub fn live_bytes(&self) -> u64 {
        self.keys * self.entry_bytes()
    }

    /// Bytes of a key with its value.
    pub fn entry_bytes(&self) -> u64 {
        40 + self.value_size as u64
    }
}
