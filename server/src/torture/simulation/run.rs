//! Running a script.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use stator_torture::{Coverage, Failure, How, Script, caught};

use super::script::{Restart, START_S, Step};
use crate::operation::dispatch;
use crate::stator::{ClockMove, Stator, StatorOptions};
use crate::store::{
    ClockMode, Direction, Durability, EngineOptions, Faults, Kept, KeyRange, ReadMode, Simulation,
    Step as StoreStep, Storage, layout::expiry_entry,
};
use crate::torture::history::{Effect, History};
use crate::torture::observe::{StreamReader, check_indexes, read_items, replay};
use crate::torture::tables::{ADDED, ItemKey, Items, TABLES, TTL, as_number, table};
use crate::torture::work::{Change, Work};
use crate::torture::{CallError, Caller, Checked};
use crate::wire::{self, Operation, json::Writer};

/// Steps of tasks after which it is clear that they will never be idle.
const MOST_STEPS: usize = 200_000;

/// Answers that are waited for at a time.
const MOST_IN_FLIGHT: usize = 12;

/// How long a client token counts, in milliseconds (API reference, `TransactWriteItems`).
const TOKEN_MS: u64 = 10 * 60 * 1000;

/// Longer ago than this, in seconds, nothing expires any more (developer guide, "Using time to live").
const WINDOW_S: u64 = 5 * 365 * 24 * 3600;

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

/// A client without a socket.
struct Local(Stator);

impl Caller for Local {
    fn call(&mut self, operation: Operation, request: &Value) -> Result<Value, CallError> {
        let context = self.0.context();
        let body = request.to_string();
        let answer = dispatch(&self.0, &context, operation, body.as_bytes());
        match self.0.block_on(answer) {
            Ok(Ok(body)) if body.is_empty() => Ok(Value::Null),
            Ok(Ok(body)) => {
                serde_json::from_slice(&body).map_err(|error| CallError::Gone(error.to_string()))
            }
            Ok(Err(error)) => {
                let (name, document) = named(&error);
                Err(CallError::Refused(name, document))
            }
            Err(error) => Err(CallError::Gone(format!("no answer: {error:?}"))),
        }
    }
}

/// The name of an error, and its document.
fn named(error: &wire::Error) -> (String, Value) {
    let mut writer = Writer::new();
    error.encode(&mut writer);
    let document: Value = serde_json::from_slice(&writer.into_bytes()).unwrap_or_default();
    let name = document.get("__type").and_then(Value::as_str);
    let name = name.unwrap_or_default().rsplit('#').next();
    (name.unwrap_or_default().to_owned(), document)
}

/// Errors that say that the store takes no more for now.
fn is_throttled(name: &str) -> bool {
    name == "ProvisionedThroughputExceededException"
}

/// Errors that say that a transaction is in the way.
fn is_conflict(name: &str) -> bool {
    [
        "TransactionConflictException",
        "TransactionCanceledException",
    ]
    .contains(&name)
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

    /// Sends a request, and gives its answer if there is one already.
    fn send(&self, operation: Operation, request: &Value) -> Checked<(Pending, Option<Answer>)> {
        let stator = self.stator()?;
        let body = request.to_string();
        let mut answer: Pending = Box::pin(async move {
            let context = stator.context();
            dispatch(&stator, &context, operation, body.as_bytes()).await
        });
        let mut context = Context::from_waker(Waker::noop());
        let at_once = match answer.as_mut().poll(&mut context) {
            Poll::Ready(at_once) => Some(at_once),
            Poll::Pending => None,
        };
        Ok((answer, at_once))
    }

    fn write(&mut self, work: &Work) -> Checked {
        if self.doomed {
            return Ok(());
        }
        if self.in_flight.len() >= MOST_IN_FLIGHT {
            self.wait_for_all()?;
        }
        let store = self.stator()?.store().clone();
        let (operation, request) = work.request();
        let before = store.last_sequence();
        let (answer, at_once) = self.send(operation, &request)?;
        let sequence = store.last_sequence();
        let tokened = matches!(work, Work::Transaction(_, Some(_)));
        let in_the_way = |part: &ItemKey| {
            let mut claims = self.in_flight.iter().flat_map(|flight| &flight.claims);
            claims.any(|claimed| claimed == part)
        };
        let conflict = work.parts().iter().any(|part| in_the_way(&part.key));
        let predicted = work.apply(self.history.items());
        // Where there is room for what a token is kept in, that comes first, in a commit of its own.
        let made = sequence > before;
        if made && !tokened && predicted.is_err() {
            return Err(format!("{request} had to be refused, and wrote something"));
        }
        let refused = match &at_once {
            Some(Err(error)) => Some(named(error)),
            _ => None,
        };
        if let Some((name, document)) = refused {
            let unharmed = is_throttled(&name) || (conflict && is_conflict(&name));
            if Err(name.as_str()) == predicted.as_ref().map(drop).map_err(|error| *error) {
                return Ok(());
            }
            if unharmed {
                self.doomed |= made && !tokened;
                return self.idle_unless_tolerant();
            }
            if self.tolerant {
                // Whether it is there, nobody was told.
                self.doomed |= made;
                if let (true, Ok(changes)) = (made, predicted) {
                    self.push(changes, sequence, true)?;
                }
                return Ok(());
            }
            return Err(format!("{request} was answered with {document}"));
        }
        let expected = match predicted {
            Ok(changes) => {
                let changed = changes.iter().any(|(_, old, new)| old != new);
                if changed && !made {
                    return Err(format!("{request} wrote nothing"));
                }
                match made {
                    true => Ok(self.push(changes, sequence, true)?),
                    // The answer tells of what was there, and of nothing else.
                    false => Ok(self.history.last_of(work.parts())),
                }
            }
            Err(refusal) => Err(refusal),
        };
        self.count(work.kind());
        if tokened {
            let at_ms = self.stator()?.now_ms();
            self.tokened.push(Tokened {
                work: work.clone(),
                at_ms,
                effect: expected.ok(),
                done: expected.is_err().then_some(false),
            });
        }
        let claims = match work {
            Work::Transaction(parts, _) => parts.iter().map(|part| part.key.clone()).collect(),
            _ => Vec::new(),
        };
        match at_once {
            Some(answer) => self.answered(answer, expected, &request),
            None => {
                self.in_flight.push(Flight {
                    answer,
                    expected,
                    request,
                    claims,
                });
                Ok(())
            }
        }
    }

    fn idle_unless_tolerant(&self) -> Checked {
        match self.tolerant {
            true => Ok(()),
            false => self.idle(),
        }
    }

    fn push(&mut self, changes: Vec<Change>, sequence: u64, whole: bool) -> Checked<usize> {
        let at_ms = self.stator()?.now_ms();
        Ok(self.history.push(Effect {
            changes,
            sequence,
            at_ms,
            whole,
        }))
    }

    fn answered(
        &mut self,
        answer: Answer,
        expected: Result<usize, &'static str>,
        request: &Value,
    ) -> Checked {
        match (answer, expected) {
            (Ok(_), Ok(effect)) => {
                self.history.acknowledge(effect);
                Ok(())
            }
            (Ok(answer), Err(refusal)) => Err(format!(
                "{request} was not answered with {refusal} but {}",
                String::from_utf8_lossy(&answer)
            )),
            (Err(error), expected) => {
                let (name, document) = named(&error);
                if expected.err().is_some_and(|refusal| refusal == name) || self.tolerant {
                    return Ok(());
                }
                Err(format!("{request} was answered with {document}"))
            }
        }
    }

    fn wait_for_all(&mut self) -> Checked {
        for flight in std::mem::take(&mut self.in_flight) {
            let outcome = self.stator()?.block_on(flight.answer);
            match outcome {
                Ok(answer) => self.answered(answer, flight.expected, &flight.request)?,
                Err(_) if self.tolerant => {}
                Err(error) => return Err(format!("{}: no answer: {error:?}", flight.request)),
            }
        }
        Ok(())
    }

    /// Sends a transaction again, with its token: it is done once.
    fn repeat(&mut self, behind: u8) -> Checked {
        self.wait_for_all()?;
        if self.doomed || self.tokened.is_empty() {
            return Ok(());
        }
        let place = self.tokened.len().saturating_sub(1 + usize::from(behind));
        let tokened = self.tokened.remove(place);
        let now_ms = self.stator()?.now_ms();
        let was_done = tokened.effect.is_some() || tokened.done == Some(true);
        let counts = now_ms < tokened.at_ms + TOKEN_MS;
        match (tokened.done, was_done && counts) {
            // It was not answered, and a crash came: the items don't say whether it was done.
            (None, _) if tokened.effect.is_none() => Ok(()),
            (_, false) => self.write(&tokened.work),
            (_, true) => {
                let store = self.stator()?.store().clone();
                let before = store.last_sequence();
                let (operation, request) = tokened.work.request();
                let answered = Local(self.stator()?).call(operation, &request);
                self.count("repeated transactions");
                match answered {
                    Ok(_) if store.last_sequence() == before => {
                        self.tokened.push(tokened);
                        Ok(())
                    }
                    Ok(_) => Err(format!("{request} was done twice")),
                    Err(_) if self.tolerant => {
                        self.doomed = true;
                        Ok(())
                    }
                    Err(error) => Err(format!("{request}, repeated: {error}")),
                }
            }
        }
    }

    fn read(&mut self, key: &ItemKey) -> Checked {
        let stator = self.stator()?;
        let sequence = stator.store().durable_sequence();
        let visible = self.history.visible(sequence);
        let request = json!({"TableName": table(key.table).name, "Key": key.attributes()});
        let answer = match Local(stator).call(Operation::GetItem, &request) {
            Ok(answer) => answer,
            Err(_) if self.tolerant => return Ok(()),
            Err(error) => return Err(format!("{request}: {error}")),
        };
        self.count("reads");
        let found = answer.get("Item").and_then(Value::as_object);
        let expected = self.history.at(visible, key);
        if found != expected.as_deref() && !self.doomed {
            return Err(format!("{key:?} reads as {found:?} and not {expected:?}"));
        }
        if !self.doomed {
            // What was shown must not be lost.
            self.history.acknowledge(visible);
        }
        Ok(())
    }

    /// The items that are due at a time.
    fn due(&self, from_ms: u64, now_ms: u64) -> Vec<Change> {
        let items = self.history.items().iter().filter(|(key, item)| {
            let second = as_number(item, TTL).and_then(|second| u64::try_from(second).ok());
            let is_due = second.is_some_and(|second| {
                second * 1000 < now_ms && second + WINDOW_S >= from_ms / 1000
            });
            is_due && (key.table == 0 || self.expires == Some(true))
        });
        items
            .map(|(key, item)| (key.clone(), Some(Arc::clone(item)), None))
            .collect()
    }

    fn advance(&mut self, by_ms: u64) -> Checked {
        self.wait_for_all()?;
        // A store that takes no more for now refuses this too.
        self.idle_unless_tolerant()?;
        if self.doomed {
            return Ok(());
        }
        let stator = self.stator()?;
        let from_ms = stator.now_ms();
        let due = self.due(from_ms, from_ms + by_ms);
        let moved = stator.block_on(stator.move_clock(ClockMove::Advance(by_ms)));
        let sequence = stator.store().last_sequence();
        // A day is what streams keep.
        self.trimmed |= by_ms >= 10_000_000;
        self.count("moves of the clock");
        *self.coverage.work.entry("expired items").or_default() += due.len() as u64;
        let effect = match due.is_empty() {
            true => None,
            false => Some(self.push(due, sequence, false)?),
        };
        match (moved, effect) {
            (Ok(Ok(_)), Some(effect)) => self.history.acknowledge(effect),
            (Ok(Ok(_)), None) => {}
            _ if self.tolerant => self.doomed = true,
            (moved, _) => return Err(format!("the clock was not moved: {moved:?}")),
        }
        Ok(())
    }

    /// Something that changes a table, which may be done in several commits.
    fn control(&mut self, operation: Operation, request: &Value) -> Checked<Known> {
        self.wait_for_all()?;
        match Local(self.stator()?).call(operation, request) {
            Ok(_) => Ok(Some(true)),
            Err(CallError::Refused(name, _))
                if [
                    "ValidationException",
                    "LimitExceededException",
                    "ResourceInUseException",
                ]
                .contains(&name.as_str()) =>
            {
                Ok(Some(false))
            }
            Err(CallError::Refused(name, _)) if is_throttled(&name) && !self.tolerant => {
                self.idle()?;
                Ok(None)
            }
            Err(_) if self.tolerant => Ok(None),
            Err(error) => Err(format!("{request}: {error}")),
        }
    }

    fn change_index(&mut self, add: bool) -> Checked {
        if self.doomed || self.added == Some(add) {
            return Ok(());
        }
        match self.control(Operation::UpdateTable, &table(0).change(&ADDED, add))? {
            Some(true) => {
                self.added = Some(add);
                self.count(if add {
                    "indexes added"
                } else {
                    "indexes dropped"
                });
            }
            Some(false) => {}
            None => self.added = None,
        }
        Ok(())
    }

    fn switch_expiry(&mut self, enabled: bool) -> Checked {
        if self.doomed || self.expires == Some(enabled) {
            return Ok(());
        }
        match self.control(Operation::UpdateTimeToLive, &table(1).expiry(enabled))? {
            Some(true) => {
                self.expires = Some(enabled);
                self.count("switches of time to live");
            }
            Some(false) => {}
            None => self.expires = None,
        }
        // What is not known any more would make every item uncertain.
        self.doomed |= self.expires.is_none();
        Ok(())
    }

    fn restart(&mut self, restart: &Restart) -> Checked {
        let clean = self.end(restart.how)?;
        self.options = restart.options.clone();
        self.tolerant = false;
        self.doomed = false;
        self.set_faults(restart.faults);
        if let Some(operations) = restart.crash_after {
            self.tolerant = true;
            self.machine.crash_after(u64::from(operations));
        }
        let opened = self.open_once();
        self.machine.set_faults(Faults::default());
        match opened {
            Ok(stator) if !self.machine.has_crashed() => {
                self.stator = Some(stator);
                match self.check() {
                    Err(_) if self.machine.has_crashed() => {}
                    // A read that failed while it was opened has stopped a task.
                    Err(_) if restart.faults.can_fail() => {}
                    checked => {
                        self.tolerant = restart.crash_after.is_some();
                        return checked;
                    }
                }
            }
            Ok(_) => {}
            Err(why) if !self.tolerant => return Err(why),
            Err(_) => {}
        }
        self.stator = None;
        if self.machine.has_crashed() {
            self.machine.crash_keeping(restart.kept);
            self.coverage.crashes_while_opening += 1;
            if !clean {
                self.history.acknowledge_nothing();
            }
        } else {
            self.machine.kill();
            self.coverage.failed_openings += 1;
        }
        self.tolerant = false;
        self.stator = Some(self.open_once()?);
        self.check()
    }

    /// Ends the process. Answers whether what was acknowledged is on the disk.
    fn end(&mut self, how: How) -> Checked<bool> {
        let no_sync_failed = self.machine.fault_counts().syncs == 0;
        let mut on_disk = self.is_synced();
        let mut in_system = on_disk || (no_sync_failed && !self.machine.has_crashed());
        if how == How::Close {
            self.wait_for_all()?;
            self.idle_unless_tolerant()?;
            let closed = self.stator()?.close();
            match closed {
                Ok(()) if !self.machine.has_crashed() => {
                    on_disk = true;
                    in_system = true;
                    if !self.doomed {
                        self.history.acknowledge_all();
                    }
                }
                Err(error) if !self.tolerant => return Err(format!("closing: {error}")),
                _ => in_system = on_disk,
            }
        }
        match how {
            How::Crash(kept) => {
                self.machine.crash_keeping(kept);
                in_system = on_disk;
            }
            _ if self.machine.has_crashed() => {
                self.machine.crash_keeping(Kept::Nothing);
                in_system = on_disk;
            }
            _ => self.machine.kill(),
        }
        self.coverage.ends(how);
        self.in_flight.clear();
        self.stator = None;
        if !in_system {
            self.history.acknowledge_nothing();
        }
        if !on_disk {
            // Switches are made of several commits.
            self.added = None;
            self.expires = None;
        }
        Ok(on_disk)
    }

    /// Everything is as it should be.
    fn check(&mut self) -> Checked {
        let stator = self.stator()?;
        let mut caller = Local(stator.clone());
        let items = read_items(&mut caller)?;
        self.check_switches(&mut caller)?;
        let records = StreamReader::default().read(&mut caller)?;
        let now_ms = stator.now_ms();
        let log = self.history.settle(&items, &records, now_ms)?;
        *self
            .coverage
            .work
            .entry("writes found after an end")
            .or_default() += log.0 as u64;
        *self
            .coverage
            .work
            .entry("writes lost in an end")
            .or_default() += log.1 as u64;
        for tokened in &mut self.tokened {
            if let Some(effect) = tokened.effect.take() {
                tokened.done = Some(effect <= log.0);
            }
        }
        let mut replayed = Items::new();
        replay(&mut replayed, &records, self.trimmed)?;
        if !self.trimmed && replayed != items {
            return Err("the streams' records do not come to what the items are".into());
        }
        // Indexes that are being filled, counts that are made anew.
        self.idle()?;
        let added = self.added.unwrap_or(false).then_some(&ADDED);
        check_indexes(&mut caller, &items, added)?;
        check_expiry(&stator, &items)?;
        check_counts(&mut caller, &items)
    }

    /// What is switched is as it was, or what is not known is learnt.
    fn check_switches(&mut self, caller: &mut Local) -> Checked {
        // Who fills an index waits a while where the store takes no more.
        for _ in 0..50 {
            self.idle()?;
            self.machine.advance(Duration::from_millis(100));
        }
        let named = |number| json!({"TableName": table(number).name});
        let answer = caller.ask(Operation::DescribeTable, &named(0))?;
        let described = answer.get("Table");
        let indexes = described.and_then(|table| table.get("GlobalSecondaryIndexes"));
        let mut indexes = indexes.and_then(Value::as_array).into_iter().flatten();
        let added = indexes.find(|index| index.get("IndexName") == Some(&json!(ADDED.name)));
        if let Some(index) = added
            && index.get("IndexStatus") != Some(&json!("ACTIVE"))
        {
            return Err(format!("an index that nothing more happens to: {index}"));
        }
        if self.added.is_some_and(|known| known != added.is_some()) {
            return Err(format!("the added index is {added:?}"));
        }
        self.added = Some(added.is_some());
        let answer = caller.ask(Operation::DescribeTimeToLive, &named(1))?;
        let described = answer.get("TimeToLiveDescription");
        let status = described.and_then(|table| table.get("TimeToLiveStatus"));
        let expires = status == Some(&json!("ENABLED"));
        if self.expires.is_some_and(|known| known != expires) {
            return Err(format!("time to live of the second table is {status:?}"));
        }
        self.expires = Some(expires);
        Ok(())
    }
}

/// The index of what expires has exactly what the items say.
fn check_expiry(stator: &Stator, items: &Items) -> Checked {
    let context = stator.context();
    for (number, shape) in TABLES.iter().enumerate() {
        let table = stator.describe(&context, shape.name);
        let table = table.map_err(|error| format!("{}: {error:?}", shape.name))?;
        let Some(index) = table.expiry() else {
            continue;
        };
        let own = items.iter().filter(|(key, _)| key.table == number);
        let mut expected: Vec<u64> = own
            .filter_map(|(_, item)| u64::try_from(as_number(item, TTL)?).ok())
            .collect();
        expected.sort_unstable();
        let snapshot = stator.store().snapshot();
        let range = KeyRange::keyspace(index.keyspace());
        let mut entries = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
        let (mut found, mut keys) = (Vec::new(), BTreeSet::new());
        loop {
            match entries
                .next()
                .map_err(|error| format!("what expires: {error}"))?
            {
                StoreStep::Entry { key, .. } => {
                    let entry = expiry_entry(key, table.keyspace());
                    let (second, item) = entry.ok_or("an entry of what expires that is none")?;
                    found.push(second);
                    if !keys.insert(item.as_bytes().to_vec()) {
                        return Err(format!("an item expires twice, also at {second}"));
                    }
                }
                StoreStep::Paused(_) => {}
                StoreStep::End => break,
            }
        }
        if found != expected {
            return Err(format!(
                "in {} these seconds expire: {found:?}, and of the items {expected:?}",
                shape.name
            ));
        }
    }
    Ok(())
}

/// After an end the items are counted anew.
fn check_counts(caller: &mut Local, items: &Items) -> Checked {
    for (number, shape) in TABLES.iter().enumerate() {
        let request = json!({"TableName": shape.name});
        let answer = caller.ask(Operation::DescribeTable, &request)?;
        let described = answer.get("Table").and_then(|table| table.get("ItemCount"));
        let count = items.keys().filter(|key| key.table == number).count();
        if described.and_then(Value::as_u64) != Some(count as u64) {
            return Err(format!(
                "{} has {count} items and says {described:?}",
                shape.name
            ));
        }
    }
    Ok(())
}
