//! Running a script.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use stator_engine::io::{Faults, Simulation};
use stator_engine::{Commit, Db, Durability, Error, Key, KeyspaceId, Options, Value};

use crate::campaign::Coverage;
use crate::check::Checked;
use crate::model::{Change, Model};
use crate::past::{Held, Past};
use crate::script::{KeyNumber, SLOTS, Script, Step};

mod past;
mod reads;
mod restarts;
mod writes;

/// Where the database is.
pub(crate) const DIR: &str = "/parent/db";

/// Steps of tasks after which it is clear that they will never be idle.
const MOST_STEPS: usize = 200_000;

/// Snapshots that a run holds at a time.
const MOST_SNAPSHOTS: usize = 4;

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The number of the step at which it was seen.
    pub step: usize,
    /// What was seen.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at step {}: {}", self.step, self.message)
    }
}

/// Runs a script to its end, or to the first promise that is not kept.
///
/// # Errors
///
/// That promise.
pub fn run(script: &Script) -> Result<Coverage, Failure> {
    let mut step = 0;
    caught(|| {
        let mut run = Run::new(script)?;
        for (number, next) in &script.steps {
            step = *number;
            run.step(*number, next)?;
        }
        Ok(run.coverage())
    })
    .map_err(|message| Failure { step, message })
}

/// What a run comes to, if a panic in it is a promise that was not kept.
///
/// # Errors
///
/// That, and what the run says itself.
pub fn caught<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let outcome = catch_unwind(AssertUnwindSafe(run));
    outcome.unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<&str>()
            .map(|message| (*message).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(format!("it panicked: {}", said.unwrap_or_default()))
    })
}

/// A commit that nobody has waited for.
struct Waiting {
    commit: Commit,
    /// What was acknowledged when it was made.
    behind: u64,
}

/// The first keyspace of a slot; that of the last one is a log.
fn first_keyspace(slot: u8) -> KeyspaceId {
    let number = u32::from(slot) + 1;
    KeyspaceId(if number == u32::from(SLOTS) {
        1 << 31 | number
    } else {
        number
    })
}

/// A database under work, its model, and what is known of it.
pub(crate) struct Run {
    pub(crate) simulation: Simulation,
    options: Options,
    db: Option<Db>,
    model: Model,
    seed: u64,
    slots: Vec<KeyspaceId>,
    /// Keyspaces that were dropped, the newest last.
    dropped: Vec<KeyspaceId>,
    /// Ids that `create_keyspace` has given out.
    created: BTreeSet<u32>,
    snapshots: Vec<Held>,
    past: Past,
    waiting: Vec<Waiting>,
    /// The newest commit that was acknowledged.
    acknowledged: u64,
    /// Behind this one at least one group was written: damage to the log can't pass for its end.
    sealed: u64,
    /// Up to here everything survives a power cut, however the log is synced.
    floor: u64,
    /// What was there when the database was opened: that is in SSTables.
    opened: u64,
    /// Errors are expected: the disk fails, or the power may be gone.
    tolerant: bool,
    /// Reads that end too early may look like damage.
    short_reads: bool,
    coverage: Coverage,
}

impl Run {
    fn new(script: &Script) -> Checked<Self> {
        let simulation = Simulation::new(script.seed);
        let db = Db::open(simulation.env(), Path::new(DIR), script.first.clone());
        Ok(Run {
            simulation,
            options: script.first.clone(),
            db: Some(db.map_err(|error| format!("an empty directory: {error}"))?),
            model: Model::default(),
            seed: script.seed,
            slots: (0..SLOTS).map(first_keyspace).collect(),
            dropped: Vec::new(),
            created: BTreeSet::new(),
            snapshots: Vec::new(),
            past: Past::default(),
            waiting: Vec::new(),
            acknowledged: 0,
            sealed: 0,
            floor: 0,
            opened: 0,
            tolerant: false,
            short_reads: false,
            coverage: Coverage::default(),
        })
    }

    fn coverage(&self) -> Coverage {
        let mut coverage = self.coverage.clone();
        coverage.runs = 1;
        coverage.faults.add(&self.simulation.fault_counts());
        coverage.disk_operations = self.simulation.disk_operations();
        coverage
    }

    fn db(&self) -> Checked<Db> {
        self.db.clone().ok_or_else(|| "no database is open".into())
    }

    /// What a call came to, if it had to succeed or did.
    fn expect<T>(&self, what: &str, result: stator_engine::Result<T>) -> Checked<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Throttled) => Ok(None),
            Err(Error::DiskFull { .. }) if self.tolerant => Ok(None),
            Err(Error::Io(_) | Error::ReadOnly { .. }) if self.tolerant => Ok(None),
            Err(Error::Corruption(_)) if self.tolerant && self.short_reads => Ok(None),
            Err(error) => Err(format!("{what}: {error}")),
        }
    }

    fn key(&self, number: KeyNumber) -> Key {
        let (slot, partition, sort) = number;
        let keyspace = self.slots.get(usize::from(slot));
        let keyspace = keyspace.copied().unwrap_or(KeyspaceId(1));
        let sort = [0, 0, sort];
        let sort = sort.get(usize::from(partition)..).unwrap_or_default();
        Key::new(keyspace, &[partition], sort)
    }

    /// A value that no other write has.
    fn value(&self, step: usize, index: usize, len: usize) -> Value {
        let name = self.seed ^ ((step as u64) << 16) ^ index as u64;
        let name = name.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
        name.iter().copied().cycle().take(len).collect()
    }

    fn change(&self, number: usize, writes: &[(KeyNumber, Option<usize>)]) -> Change {
        let mut change = Change::default();
        for (index, (key, len)) in writes.iter().enumerate() {
            let value = len.map(|len| self.value(number, index, len));
            change.write(self.key(*key), value);
        }
        change
    }

    fn hold(&mut self, snapshot: Held) {
        self.snapshots.push(snapshot);
        if self.snapshots.len() > MOST_SNAPSHOTS {
            self.snapshots.remove(0);
        }
    }

    fn count(&mut self, kind: &'static str) {
        *self.coverage.work.entry(kind).or_default() += 1;
    }

    /// What the machine's clock says, in milliseconds since 1970.
    fn now_ms(&self) -> u64 {
        self.simulation.env().clock.now_ms()
    }

    fn step(&mut self, number: usize, step: &Step) -> Checked {
        match step {
            Step::Batch(writes, wait) => {
                let change = self.change(number, writes);
                self.write(change, *wait)?;
            }
            Step::Stamped(slot, count) => {
                let mut change = Change::default();
                for index in 0..*count {
                    let (keyspace, partition) = (self.key((*slot, 0, 0)).keyspace(), [index % 2]);
                    let value = self.value(number, usize::from(index), 16);
                    change.stamp(keyspace, partition.to_vec(), vec![index], value);
                }
                self.write(change, false)?;
            }
            Step::Transaction(keys, abandon, wait) => {
                self.transaction(number, keys, *abandon, *wait)?;
            }
            Step::CreateKeyspace => {
                self.create_keyspace(0)?;
            }
            Step::DropKeyspace(slot) => self.drop_keyspace(*slot)?,
            Step::Late(key) => self.write_late(number, *key)?,
            Step::Fork(slots, back) => self.fork(*slots, *back)?,
            Step::Await => self.await_all()?,
            Step::Unthrottled(writes) => {
                let change = self.change(number, writes);
                let committed = self.db()?.write_unthrottled(change.to_batch());
                self.committed(committed, change, false)?;
            }
            Step::Settle => {
                let settled = self.db()?.settle();
                self.expect("settling", settled)?;
                self.await_all()?;
            }
            Step::Window(slot, length) => self.set_window(*slot, *length)?,
            Step::Pin(slots, at) => self.pin(number, *slots, *at)?,
            Step::Unpin(place) => self.unpin(*place)?,
            Step::AsOf(key, at, hold) => self.read_as_of(*key, *at, *hold)?,
            Step::Snapshot => {
                let fresh = self.db()?.snapshot();
                if fresh.sequence() < self.acknowledged {
                    return Err(format!(
                        "a snapshot at {}, although {} was acknowledged",
                        fresh.sequence(),
                        self.acknowledged
                    ));
                }
                self.hold(Held::whole(fresh));
            }
            Step::Release(at) => {
                if usize::from(*at) < self.snapshots.len() {
                    self.snapshots.remove(usize::from(*at));
                }
            }
            Step::Get(key, snapshot) => self.check_get(*key, *snapshot)?,
            Step::Range(key, shape, snapshot) => self.check_range(*key, *shape, *snapshot)?,
            Step::Run(steps) => {
                for _ in 0..*steps {
                    self.simulation.step();
                }
            }
            Step::Idle => self.idle()?,
            Step::Advance(time) => {
                self.idle()?;
                self.simulation.advance(*time);
                self.idle()?;
                self.raise_floor(*time)?;
            }
            Step::Faults(faults) => self.set_faults(*faults),
            Step::PowerFails(operations) => {
                self.tolerant = true;
                self.simulation.crash_after(u64::from(*operations));
            }
            Step::Restart(restart) => self.restart(restart)?,
        }
        Ok(())
    }

    fn set_faults(&mut self, faults: Faults) {
        self.simulation.set_faults(faults);
        self.tolerant |= faults.can_fail();
        self.short_reads |= faults.short_read > 0;
    }

    fn idle(&self) -> Checked {
        for _ in 0..MOST_STEPS {
            if !self.simulation.step() {
                return Ok(());
            }
        }
        Err(format!("tasks that are not idle after {MOST_STEPS} steps"))
    }

    /// With a log that is synced by the clock: once more than its interval has passed, all that was
    /// written before has been synced; or else the database takes no more writes.
    fn raise_floor(&mut self, passed: std::time::Duration) -> Checked {
        if let Durability::Interval(interval) = self.options.durability
            && passed > interval
            && !self.simulation.has_crashed()
            && self.db()?.write_delay().is_ok()
        {
            self.floor = self.floor.max(self.db()?.durable_sequence());
        }
        Ok(())
    }
}
