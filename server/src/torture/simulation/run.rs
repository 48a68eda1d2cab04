//! Running a script.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use stator_torture::{Coverage, Failure, Script, caught};

use super::local::{Local, is_throttled};
use super::script::{START_S, Step};
use crate::stator::{Stator, StatorOptions};
use crate::store::{ClockMode, Durability, EngineOptions, Faults, Simulation, Storage};
use crate::torture::history::History;
use crate::torture::tables::{ItemKey, TABLES, table};
use crate::torture::work::Work;
use crate::torture::{CallError, Caller, Checked};
use crate::wire::{self, Operation};

mod checks;
mod control;
mod requests;
mod restarts;

/// Steps of tasks after which it is clear that they will never be idle.
const MOST_STEPS: usize = 200_000;

/// Runs a script to its end, or to the first promise that is not kept.
pub(super) fn run(script: &Script<Step>) -> Result<Coverage, Failure> {
    let mut step = 0;
    caught(|| {
        let mut run = Run::new(script)?;
        for (number, next) in &script.steps {
            step = *number;
            run.step(next)?;
        }
        // What the last opening left has to be right too.
        run.wait_for_all()?;
        Ok(run.coverage())
    })
    .map_err(|message| Failure { step, message })
}

type Answer = Result<Bytes, wire::Error>;

/// An answer that there is once the tasks have gone on.
type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A request whose answer is waited for.
struct Flight {
    answer: Pending,
    /// What it has done, in the history; or the error that it has to be answered with.
    expected: Result<usize, &'static str>,
    request: Value,
    /// The items that no other request may touch meanwhile.
    claims: Vec<ItemKey>,
}

/// A transaction with a token.
struct Tokened {
    work: Work,
    at_ms: u64,
    /// What it did, in the history since the last opening; `None` if it was there at that.
    effect: Option<usize>,
    /// Whether it was done.
    done: Option<bool>,
}

/// What is known of something that can be switched.
type Known = Option<bool>;

/// A server under work, its model, and what is known of it.
struct Run {
    machine: Simulation,
    options: EngineOptions,
    stator: Option<Stator>,
    history: History,
    in_flight: Vec<Flight>,
    tokened: Vec<Tokened>,
    /// Whether the second table's items expire.
    expires: Known,
    /// Whether the index is there that is not always.
    added: Known,
    /// Errors are expected: the disk fails, or the power may be gone.
    tolerant: bool,
    /// What was tried last may be half done: nothing more is, until the next opening.
    doomed: bool,
    /// Records may have been trimmed.
    trimmed: bool,
    coverage: Coverage,
}

impl Run {
    fn new(script: &Script<Step>) -> Checked<Self> {
        let machine = Simulation::new(script.seed);
        let mut run = Self {
            machine,
            options: script.first.clone(),
            stator: None,
            history: History::default(),
            in_flight: Vec::new(),
            tokened: Vec::new(),
            expires: Some(false),
            added: Some(false),
            tolerant: false,
            doomed: false,
            trimmed: false,
            coverage: Coverage::default(),
        };
        let opened = run.open_once()?;
        let mut caller = Local(opened.clone());
        for table in &TABLES {
            run.set_up(&mut caller, Operation::CreateTable, &table.creation())?;
        }
        let first = table(0).expiry(true);
        run.set_up(&mut caller, Operation::UpdateTimeToLive, &first)?;
        run.stator = Some(opened);
        // Under either durability what follows builds on tables that stay.
        run.machine.advance(Duration::from_secs(1));
        Ok(run)
    }

    /// A request before anything can fail. With the smallest memtables it may have to wait for room.
    fn set_up(&self, caller: &mut Local, operation: Operation, request: &Value) -> Checked {
        loop {
            match caller.call(operation, request) {
                Err(CallError::Refused(name, _)) if is_throttled(&name) => self.idle()?,
                answer => {
                    let answer = answer.map(drop);
                    return answer.map_err(|error| format!("{request}: {error}"));
                }
            }
        }
    }

    fn coverage(&self) -> Coverage {
        let mut coverage = self.coverage.clone();
        coverage.runs = 1;
        coverage.faults.add(&self.machine.fault_counts());
        coverage.disk_operations = self.machine.disk_operations();
        coverage
    }

    fn count(&mut self, kind: &'static str) {
        *self.coverage.work.entry(kind).or_default() += 1;
    }

    fn open_once(&self) -> Checked<Stator> {
        let opened = Stator::open(StatorOptions {
            storage: Storage::Env(self.machine.env(), PathBuf::from("/data")),
            durability: self.options.durability,
            clock: ClockMode::Manual {
                start_ms: Some(START_S * 1000),
            },
            engine: self.options.clone(),
            ..StatorOptions::default()
        });
        opened.map_err(|error| format!("opening: {error}"))
    }

    fn stator(&self) -> Checked<Stator> {
        self.stator.clone().ok_or_else(|| "nothing is open".into())
    }

    fn is_synced(&self) -> bool {
        self.options.durability == Durability::Sync
    }

    fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::Write(work) => self.write(work)?,
            Step::Repeat(behind) => self.repeat(*behind)?,
            Step::Await => self.wait_for_all()?,
            Step::Read(key) => self.read(key)?,
            Step::Run(steps) => {
                for _ in 0..*steps {
                    self.machine.step();
                }
            }
            Step::Idle => {
                self.idle()?;
                self.machine.advance(Duration::from_millis(20));
            }
            Step::Advance(by_ms) => self.advance(*by_ms)?,
            Step::Index(add) => self.change_index(*add)?,
            Step::TimeToLive(enabled) => self.switch_expiry(*enabled)?,
            Step::Faults(faults) => self.set_faults(*faults),
            Step::PowerFails(operations) => {
                self.tolerant = true;
                self.machine.crash_after(u64::from(*operations));
            }
            Step::Restart(restart) => self.restart(restart)?,
        }
        Ok(())
    }

    fn set_faults(&mut self, faults: Faults) {
        self.machine.set_faults(faults);
        self.tolerant |= faults.can_fail();
    }

    fn idle(&self) -> Checked {
        for _ in 0..MOST_STEPS {
            if !self.machine.step() {
                return Ok(());
            }
        }
        Err(format!("tasks that are not idle after {MOST_STEPS} steps"))
    }
}
