//! Many runs, one seed after the other, and what they came to.

use std::fmt;

use stator_engine::io::FaultCounts;

use crate::run::run;
use crate::script::{How, Script};
use crate::shrink::shrink;

/// What runs have met.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Coverage {
    /// Scripts that were run.
    pub runs: u64,
    /// Power cuts while the database was open.
    pub crashes: u64,
    /// Power cuts while it was being opened.
    pub crashes_while_opening: u64,
    /// Processes that were killed.
    pub kills: u64,
    /// Databases that were closed.
    pub closes: u64,
    /// Openings that failed because the disk did.
    pub failed_openings: u64,
    /// Copies that were damaged.
    pub damages: u64,
    /// Operations of the disk.
    pub disk_operations: u64,
    /// What the disk did.
    pub faults: FaultCounts,
}

impl Coverage {
    /// Ends of the process that it was not told of, each with an opening and a check behind it.
    #[must_use]
    pub fn crash_points(&self) -> u64 {
        self.crashes + self.crashes_while_opening + self.kills
    }

    pub(crate) fn ends(&mut self, how: How) {
        match how {
            How::Close => self.closes += 1,
            How::Kill => self.kills += 1,
            How::Crash(_) => self.crashes += 1,
        }
    }

    /// Adds that of another run.
    pub fn add(&mut self, other: &Coverage) {
        self.runs += other.runs;
        self.crashes += other.crashes;
        self.crashes_while_opening += other.crashes_while_opening;
        self.kills += other.kills;
        self.closes += other.closes;
        self.failed_openings += other.failed_openings;
        self.damages += other.damages;
        self.disk_operations += other.disk_operations;
        self.faults.add(&other.faults);
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs, {} crash points ({} power cuts, {} while opening, {} kills), {} closes, {} \
             failed openings, {} damaged copies, {} disk operations; faults met: ",
            self.runs,
            self.crash_points(),
            self.crashes,
            self.crashes_while_opening,
            self.kills,
            self.closes,
            self.failed_openings,
            self.damages,
            self.disk_operations
        )?;
        for (index, (kind, count)) in self.faults.by_kind().into_iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{kind} {count}")?;
        }
        Ok(())
    }
}

/// A run that failed, as small as it got.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What it takes.
    pub script: Script,
    /// Which promise was not kept.
    pub failure: crate::run::Failure,
}

impl Finding {
    /// The line that runs it again.
    #[must_use]
    pub fn replay(&self) -> String {
        format!(
            "STATOR_SEED={} STATOR_STEPS={} cargo test -p stator-torture --test simulation replay",
            self.script.seed,
            self.script.numbers()
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.failure)?;
        writeln!(f, "first options: {:?}", self.script.first)?;
        for (number, step) in &self.script.steps {
            writeln!(f, "{number:4} {step:?}")?;
        }
        write!(f, "replay with {}", self.replay())
    }
}

/// Runs seeds, one after the other.
#[derive(Debug)]
pub struct Campaign {
    next_seed: u64,
    /// What the runs so far have met.
    pub coverage: Coverage,
}

impl Campaign {
    /// Begins with a seed.
    #[must_use]
    pub fn new(first_seed: u64) -> Self {
        Campaign {
            next_seed: first_seed,
            coverage: Coverage::default(),
        }
    }

    /// Runs the next seed.
    ///
    /// # Errors
    ///
    /// What it found, shrunk.
    pub fn run_next(&mut self) -> Result<(), Box<Finding>> {
        let script = Script::new(self.next_seed);
        self.next_seed += 1;
        match run(&script) {
            Ok(coverage) => {
                self.coverage.add(&coverage);
                Ok(())
            }
            Err(failure) => {
                let (script, failure) = shrink(&script, failure);
                Err(Box::new(Finding { script, failure }))
            }
        }
    }
}
