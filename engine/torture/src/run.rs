//! Running a script.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use stator_engine::io::{Faults, Simulation};
use stator_engine::{
    AsOf, Commit, Db, Direction, Durability, Error, FIRST_CREATED_KEYSPACE, Key, KeyRange,
    KeyspaceId, Options, ReadMode, Snapshot, Value,
};

use crate::campaign::Coverage;
use crate::damage;
use crate::model::{Change, Model};
use crate::script::{How, KeyNumber, Restart, SLOTS, Script, Step};

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

/// What a check comes to: the message says what was seen, and what should have been.
pub(crate) type Checked<T = ()> = Result<T, String>;

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

/// Up to which commit everything has to be there.
struct Floor {
    now: u64,
    /// If the power goes before the database has been opened again.
    after_power_cut: u64,
    /// If the last group of the log is damaged.
    sealed: u64,
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
    snapshots: Vec<Snapshot>,
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

    fn step(&mut self, number: usize, step: &Step) -> Checked {
        match step {
            Step::Batch(writes, wait) => {
                let mut change = Change::default();
                for (index, (key, len)) in writes.iter().enumerate() {
                    let value = len.map(|len| self.value(number, index, len));
                    change.write(self.key(*key), value);
                }
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
            Step::Snapshot => {
                let fresh = self.db()?.snapshot();
                if fresh.sequence() < self.acknowledged {
                    return Err(format!(
                        "a snapshot at {}, although {} was acknowledged",
                        fresh.sequence(),
                        self.acknowledged
                    ));
                }
                self.snapshots.push(fresh);
                if self.snapshots.len() > MOST_SNAPSHOTS {
                    self.snapshots.remove(0);
                }
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

    fn write(&mut self, change: Change, wait: bool) -> Checked {
        let committed = self.db()?.write(change.to_batch());
        self.committed(committed, change, wait)
    }

    fn committed(
        &mut self,
        committed: stator_engine::Result<Commit>,
        change: Change,
        wait: bool,
    ) -> Checked {
        // A call that fails had no effect.
        let Some(commit) = self.expect("a commit", committed)? else {
            return match self.tolerant {
                true => Ok(()),
                false => self.idle(),
            };
        };
        self.model.apply(commit.sequence(), change);
        let behind = self.acknowledged;
        self.waiting.push(Waiting { commit, behind });
        match wait {
            true => self.await_all(),
            false => Ok(()),
        }
    }

    fn await_all(&mut self) -> Checked {
        for Waiting { commit, behind } in std::mem::take(&mut self.waiting) {
            let sequence = commit.sequence();
            if self
                .expect("waiting for a commit", commit.wait())?
                .is_some()
            {
                self.acknowledged = self.acknowledged.max(sequence);
                self.sealed = self.sealed.max(behind);
            }
        }
        Ok(())
    }

    fn transaction(
        &mut self,
        number: usize,
        keys: &[(KeyNumber, bool)],
        abandon: bool,
        wait: bool,
    ) -> Checked {
        let locked: Vec<Key> = keys.iter().map(|(key, _)| self.key(*key)).collect();
        let db = self.db()?;
        let opened = db.transaction(&locked, ReadMode::Blocking);
        let Some(mut transaction) = self.expect("locks", opened)? else {
            return Ok(());
        };
        let mut change = Change::default();
        for (index, (key, (_, write))) in locked.iter().zip(keys).enumerate() {
            let expected = change
                .get(key)
                .unwrap_or_else(|| self.model.get(key, u64::MAX));
            let found = self.expect("a read under a lock", transaction.get(key))?;
            if let Some(found) = found
                && found != expected
            {
                return Err(differs(
                    &format!("{key:?} under its lock"),
                    &found,
                    &expected,
                ));
            }
            if *write {
                let value = self.value(number, index, 24);
                transaction.put(key.clone(), value.clone());
                change.write(key.clone(), Some(value));
            } else if index % 3 == 2 {
                transaction.delete(key.clone());
                change.write(key.clone(), None);
            }
        }
        if abandon {
            return Ok(());
        }
        let committed = transaction.commit();
        if change.is_empty() {
            let waited = committed.and_then(Commit::wait);
            return self
                .expect("a transaction that wrote nothing", waited)
                .map(drop);
        }
        self.committed(committed, change, wait)
    }

    /// Of a kind that a slot may have.
    fn create_keyspace(&mut self, slot: u8) -> Checked<Option<KeyspaceId>> {
        let is_log = first_keyspace(slot).is_log();
        let created = match is_log {
            true => self.db()?.create_log(),
            false => self.db()?.create_keyspace(),
        };
        let Some(created) = self.expect("a new keyspace", created)? else {
            return Ok(None);
        };
        if created.is_log() != is_log {
            return Err(format!("{created:?} is of another kind than was asked for"));
        }
        if created < FIRST_CREATED_KEYSPACE || !self.created.insert(created.0) {
            return Err(format!("{created:?} was given out before"));
        }
        Ok(Some(created))
    }

    fn drop_keyspace(&mut self, slot: u8) -> Checked {
        let Some(fresh) = self.create_keyspace(slot)? else {
            return Ok(());
        };
        let Some(dropped) = self.slots.get(usize::from(slot)).copied() else {
            return Ok(());
        };
        let mut change = Change::default();
        change.drop_keyspace(dropped);
        let before = self.model.last();
        self.write(change, false)?;
        if self.model.last() > before
            && let Some(slot) = self.slots.get_mut(usize::from(slot))
        {
            *slot = fresh;
            self.dropped.push(dropped);
        }
        Ok(())
    }

    /// Forks the keyspace of one slot, as of now or some commits before, into another slot, or the same
    /// one. What was there lives on without a slot.
    fn fork(&mut self, (source, to): (u8, u8), back: u8) -> Checked {
        let db = self.db()?;
        let created = db.durable_sequence();
        let at = match back {
            0 => AsOf::Now,
            _ => AsOf::Sequence(created.saturating_sub(u64::from(back))),
        };
        let source = self.key((source, 0, 0)).keyspace();
        let forked = match db.fork(source, at) {
            // Sixteen of each other, or one that was dropped and is in its slot still.
            Err(Error::NotKept { .. } | Error::InvalidArgument(_)) => return Ok(()),
            forked => self.expect("a fork", forked)?,
        };
        let Some(fork) = forked else {
            return Ok(());
        };
        if fork < FIRST_CREATED_KEYSPACE || !self.created.insert(fork.0) {
            return Err(format!("{fork:?} was given out before"));
        }
        let at = created.saturating_sub(u64::from(back));
        self.model.fork(fork, source, at, created);
        // What a fork is made of has to outlive what is synced by the clock.
        self.floor = self.floor.max(created);
        if let Some(slot) = self.slots.get_mut(usize::from(to)) {
            *slot = fork;
        }
        Ok(())
    }

    /// Writes to one of the keyspaces that were dropped: nobody sees it, whenever that is.
    fn write_late(&mut self, number: usize, key: KeyNumber) -> Checked {
        let (back, partition, sort) = key;
        let dropped = self.dropped.iter().rev().nth(usize::from(back));
        let Some(keyspace) = dropped.copied() else {
            return Ok(());
        };
        let mut change = Change::default();
        let key = Key::new(keyspace, &[partition], &[sort]);
        change.write(key, Some(self.value(number, 0, 20)));
        self.write(change, false)
    }

    fn check_get(&mut self, number: KeyNumber, snapshot: u8) -> Checked {
        let key = self.key(number);
        let db = self.db()?;
        let sequence = db.durable_sequence();
        let expected = self.model.get(&key, sequence);
        let found = self.expect("a get", db.get(&key, ReadMode::Blocking))?;
        if let Some(found) = found
            && found != expected
        {
            return Err(differs(
                &format!("{key:?} at {sequence}"),
                &found,
                &expected,
            ));
        }
        match db.get(&key, ReadMode::CachedOnly) {
            Err(Error::WouldBlock) => {}
            found => {
                let found = self.expect("a get from memory", found)?;
                if let Some(found) = found
                    && found != expected
                {
                    return Err(differs(&format!("{key:?} in memory"), &found, &expected));
                }
            }
        }
        if let Some(snapshot) = self.snapshots.get(usize::from(snapshot)) {
            let expected = self.model.get(&key, snapshot.sequence());
            let found = snapshot.get(&key, ReadMode::Blocking);
            let found = self.expect("a get of a snapshot", found)?;
            if let Some(found) = found
                && found != expected
            {
                let of = format!("{key:?} in the snapshot at {}", snapshot.sequence());
                return Err(differs(&of, &found, &expected));
            }
        }
        Ok(())
    }

    fn check_range(&mut self, number: KeyNumber, shape: u8, snapshot: u8) -> Checked {
        let key = self.key(number);
        let (keyspace, partition) = (key.keyspace(), [number.1]);
        let range = match shape {
            0 => KeyRange::keyspace(keyspace),
            1 => KeyRange::partition(keyspace, &partition),
            2 => KeyRange::sort_prefix(keyspace, &partition, &[0]),
            3 => KeyRange::segment(keyspace, u32::from(number.2) % 3, 3),
            4 => KeyRange::keyspace(keyspace).after(&key),
            _ => KeyRange::keyspace(keyspace).before(&key),
        };
        let fresh = self.db()?.snapshot();
        let snapshot = self.snapshots.get(usize::from(snapshot)).unwrap_or(&fresh);
        for direction in [Direction::Forward, Direction::Backward] {
            let found = read(snapshot, &range, direction);
            if let Some(found) = self.expect("a range", found)? {
                check_entries(&self.model, snapshot, &range, direction, &found)?;
            }
        }
        Ok(())
    }

    fn restart(&mut self, restart: &Restart) -> Checked {
        let left = self.end(restart.how)?;
        let floor = left.now;
        for (number, damage) in restart.damage.iter().enumerate() {
            let state = damage::State {
                model: &self.model,
                options: &restart.options,
                floor,
                sealed: left.sealed.min(floor),
            };
            damage::check(&self.simulation.fork(number as u64), damage, &state)
                .map_err(|seen| format!("with {damage:?}: {seen}"))?;
            self.coverage.damages += 1;
        }
        self.open(restart, &left)
    }

    /// Ends the process. Answers what has to be there afterwards.
    fn end(&mut self, how: How) -> Checked<Floor> {
        let db = self.db.take().ok_or("no database is open")?;
        let published = db.durable_sequence();
        let synced = self.simulation.fault_counts().syncs == 0;
        let by_os = match self.options.durability {
            Durability::Sync => true,
            // What was only with the operating system is lost in a sync that fails.
            Durability::Interval(_) => how == How::Kill && synced && !self.simulation.has_crashed(),
        };
        let mut floor = match by_os {
            true => self.floor.max(self.acknowledged).max(published),
            false => self.floor,
        };
        let mut sealed = match self.options.durability {
            Durability::Sync => self.sealed,
            Durability::Interval(_) => self.opened,
        };
        match how {
            How::Close => {
                self.snapshots.clear();
                let closed = db.close();
                let closed = self.expect("closing", closed)?;
                self.await_all()?;
                if closed.is_some() {
                    floor = self.model.last();
                    sealed = floor;
                }
                // The remains of what the power failure has left.
                if self.simulation.has_crashed() {
                    self.simulation.crash();
                } else {
                    self.simulation.kill();
                }
            }
            How::Kill if self.simulation.has_crashed() => self.simulation.crash(),
            How::Kill => self.simulation.kill(),
            How::Crash(kept) => self.simulation.crash_keeping(kept),
        }
        self.coverage.ends(how);
        self.check_remains()?;
        self.snapshots.clear();
        self.waiting.clear();
        let after_power_cut = match (how, &self.options.durability) {
            (How::Kill, Durability::Interval(_)) => self.floor,
            _ => floor,
        };
        Ok(Floor {
            now: floor,
            after_power_cut,
            sealed,
        })
    }

    /// What is left of the process answers with an error or rightly.
    fn check_remains(&self) -> Checked {
        for snapshot in &self.snapshots {
            for key in self.model.keys().take(3) {
                let expected = self.model.get(&key, snapshot.sequence());
                if let Ok(found) = snapshot.get(&key, ReadMode::Blocking)
                    && found != expected
                {
                    let of = format!("{key:?} in a snapshot of the process that ended");
                    return Err(differs(&of, &found, &expected));
                }
            }
        }
        Ok(())
    }

    /// Opens the database, with what is to happen meanwhile, until it is open.
    fn open(&mut self, restart: &Restart, left: &Floor) -> Checked {
        let mut floor = left.now;
        self.options = restart.options.clone();
        self.tolerant = false;
        self.short_reads = false;
        self.set_faults(restart.faults);
        if let Some(operations) = restart.crash_after {
            self.tolerant = true;
            self.simulation.crash_after(u64::from(operations));
        }
        let opened = Db::open(self.simulation.env(), Path::new(DIR), self.options.clone());
        self.simulation.set_faults(Faults::default());
        let opened = self.expect("opening", opened)?;
        let db = match opened {
            Some(db) if !self.simulation.has_crashed() => {
                if restart.crash_after.is_none() {
                    self.tolerant = false;
                }
                db
            }
            failed => {
                if self.simulation.has_crashed() {
                    self.simulation.crash_keeping(restart.kept);
                    self.coverage.crashes_while_opening += 1;
                    floor = left.after_power_cut;
                } else {
                    self.simulation.kill();
                    self.coverage.failed_openings += 1;
                }
                drop(failed);
                self.tolerant = false;
                let again = Db::open(self.simulation.env(), Path::new(DIR), self.options.clone());
                again.map_err(|error| format!("opening: {error}"))?
            }
        };
        let last = db.durable_sequence();
        check_last(last, floor, &self.model)?;
        self.db = Some(db.clone());
        self.model.truncate(last);
        self.acknowledged = last;
        self.sealed = last;
        self.floor = last;
        self.opened = last;
        match check_all(&db, &self.model) {
            // The power may go while this reads.
            Err(_) if self.simulation.has_crashed() => Ok(()),
            result => result,
        }
    }
}

/// The database ends with a commit that was made, and none that had to survive is behind it.
pub(crate) fn check_last(last: u64, floor: u64, model: &Model) -> Checked {
    if last < floor {
        return Err(format!(
            "commits up to {last} are left, and {floor} has to be"
        ));
    }
    if last > model.last() {
        return Err(format!(
            "commits up to {last} are there, and only {} were made",
            model.last()
        ));
    }
    Ok(())
}

/// The database is the model: by its ranges both ways, and by each key.
pub(crate) fn check_all(db: &Db, model: &Model) -> Checked {
    let snapshot = db.snapshot();
    let keyspaces: BTreeSet<KeyspaceId> = model.keys().map(|key| key.keyspace()).collect();
    let failed = |error: Error| format!("reading after opening: {error}");
    for keyspace in keyspaces {
        let range = KeyRange::keyspace(keyspace);
        for direction in [Direction::Forward, Direction::Backward] {
            let found = read(&snapshot, &range, direction).map_err(failed)?;
            check_entries(model, &snapshot, &range, direction, &found)?;
        }
    }
    for key in model.keys() {
        let expected = model.get(&key, snapshot.sequence());
        let found = db.get(&key, ReadMode::Blocking).map_err(failed)?;
        if found != expected {
            let of = format!("{key:?} after opening at {}", snapshot.sequence());
            return Err(differs(&of, &found, &expected));
        }
    }
    Ok(())
}

/// The entries that a range has given, up to its end.
pub(crate) type Entries = Vec<(Vec<u8>, Value)>;

/// Reads a range to its end.
pub(crate) fn read(
    snapshot: &Snapshot,
    range: &KeyRange,
    direction: Direction,
) -> stator_engine::Result<Entries> {
    let mut iter = snapshot.range(range.clone(), direction, ReadMode::Blocking);
    let mut found = Vec::new();
    loop {
        match iter.next()? {
            stator_engine::Step::Entry { key, value } => {
                found.push((key.as_bytes().to_vec(), value));
            }
            stator_engine::Step::Paused(_) => {}
            stator_engine::Step::End => return Ok(found),
        }
    }
}

fn check_entries(
    model: &Model,
    snapshot: &Snapshot,
    range: &KeyRange,
    direction: Direction,
    found: &Entries,
) -> Checked {
    let mut expected = model.range(range, snapshot.sequence());
    if direction == Direction::Backward {
        expected.reverse();
    }
    if *found == expected {
        return Ok(());
    }
    let first = found
        .iter()
        .zip(&expected)
        .position(|(found, expected)| found != expected);
    Err(format!(
        "{range:?} at {} {direction:?}: {} entries and not {}, the first difference at {first:?}",
        snapshot.sequence(),
        found.len(),
        expected.len()
    ))
}

fn differs(what: &str, found: &Option<Value>, expected: &Option<Value>) -> String {
    let short = |value: &Option<Value>| {
        value.as_ref().map(|value| {
            let start = value.get(..8).unwrap_or(value);
            format!("{} bytes, {}", value.len(), start.escape_ascii())
        })
    };
    format!("{what} is {:?} and not {:?}", short(found), short(expected))
}
