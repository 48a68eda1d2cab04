//! One client: it alone writes its items, so that it knows what they have to be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use stator_torture::Draw;

use super::super::tables::{ItemKey, Items, TTL, as_number, table};
use super::super::work::{Action, Change, Part, Work, draw_work};
use super::super::{CallError, Caller, Checked};
use crate::wire::Operation;

/// What a client remembers.
pub(super) struct Client {
    number: usize,
    draw: Draw,
    version: u32,
    /// Its items, as far as writes were answered.
    items: Items,
    /// What was tried and not answered.
    doubt: Vec<Change>,
    /// Requests that were answered, by kind.
    pub(super) answered: BTreeMap<&'static str, u64>,
}

/// What all clients see of the clock: where it stands at the least, and at the most.
#[derive(Debug, Default)]
pub(super) struct Time {
    pub(super) at_least_ms: AtomicU64,
    pub(super) at_most_ms: AtomicU64,
}

impl Client {
    /// The client with a number. `seed` decides what it does.
    pub(super) fn new(number: usize, seed: u64) -> Self {
        Self {
            number,
            draw: Draw::new(seed ^ ((number as u64 + 1) << 32)),
            version: 0,
            items: Items::new(),
            doubt: Vec::new(),
            answered: BTreeMap::new(),
        }
    }

    /// Works until the server is gone.
    ///
    /// # Errors
    /// An answer that was not the right one.
    pub(super) fn work(&mut self, caller: &mut dyn Caller, time: &Time) -> Checked {
        loop {
            let outcome = match self.draw.below(12) {
                0 => self.read(caller),
                _ => self.write(caller, time),
            };
            match outcome {
                Ok(kind) => *self.answered.entry(kind).or_default() += 1,
                Err(CallError::Gone(_)) => return Ok(()),
                Err(CallError::Refused(what, document)) => {
                    return Err(format!("client {}: {what}: {document}", self.number));
                }
            }
        }
    }

    fn write(&mut self, caller: &mut dyn Caller, time: &Time) -> Result<&'static str, CallError> {
        self.version += 1;
        let (version, number) = (self.version, self.number);
        let mut key = |draw: &mut Draw| {
            let table = usize::from(draw.one_in(3));
            ItemKey {
                table,
                pk: format!("client {number}/{}", draw.below(3 + 5 * table as u32)),
                sk: (table == 0).then(|| draw.below(8)),
            }
        };
        let work = if self.draw.one_in(15) {
            // Only ever put, since it may be gone at any time.
            let soon = u64::from(self.draw.below(4));
            let wait_s = if self.draw.one_in(3) { 3_000_000 } else { soon };
            let expires = time.at_least_ms.load(Ordering::SeqCst) / 1000 + wait_s;
            let key = ItemKey {
                table: 0,
                pk: format!("client {number}/expiring"),
                sk: Some(self.draw.below(20)),
            };
            Work::Single(Part {
                key,
                action: Action::Put(version, Some(expires)),
                condition: None,
            })
        } else {
            let token = || format!("client {number} version {version}");
            draw_work(&mut self.draw, version, &mut key, token)
        };
        let predicted = work.apply(&self.items);
        self.doubt = predicted.clone().unwrap_or_default();
        let (operation, request) = work.request();
        let answer = caller.call(operation, &request);
        match (answer, predicted) {
            (Ok(_), Ok(changes)) => apply(&mut self.items, &changes),
            (Ok(answer), Err(refusal)) => {
                let what = format!("{request} had to be answered with {refusal}, and was done");
                return Err(CallError::Refused(what, answer));
            }
            (Err(CallError::Refused(name, _)), Err(refusal)) if name == refusal => {}
            (Err(CallError::Refused(name, _)), _)
                if name == "ProvisionedThroughputExceededException" => {}
            (Err(CallError::Refused(_, document)), _) => {
                return Err(CallError::Refused(request.to_string(), document));
            }
            (Err(gone), _) => return Err(gone),
        }
        self.doubt.clear();
        Ok(work.kind())
    }

    /// Reads one of its items.
    fn read(&mut self, caller: &mut dyn Caller) -> Result<&'static str, CallError> {
        let count = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let place = self.draw.below(count) as usize;
        let Some((key, item)) = self.items.iter().nth(place) else {
            return Ok("reads");
        };
        let request = json!({"TableName": table(key.table).name, "Key": key.attributes()});
        let answer = caller.call(Operation::GetItem, &request)?;
        let found = answer.get("Item").and_then(Value::as_object);
        let may_be_gone = item.contains_key(TTL) && found.is_none();
        if found != Some(item) && !may_be_gone {
            let what = format!("{key:?} is not {item:?}");
            return Err(CallError::Refused(what, answer));
        }
        Ok("reads")
    }

    /// After the server was opened again: what is there of its items has to be what was answered, and
    /// what was not answered has to be there as a whole or not at all. It goes on from that.
    pub(super) fn settle(&mut self, all: &Items, time: &Time) -> Checked {
        let prefix = format!("client {}/", self.number);
        let own = all.iter().filter(|(key, _)| key.pk.starts_with(&prefix));
        let found: Items = own
            .map(|(key, item)| (key.clone(), Arc::clone(item)))
            .collect();
        let at_most_ms = time.at_most_ms.load(Ordering::SeqCst);
        let without = difference(&found, &self.items, at_most_ms);
        if let Some(why) = without {
            let mut after = self.items.clone();
            apply(&mut after, &self.doubt);
            if self.doubt.is_empty() || difference(&found, &after, at_most_ms).is_some() {
                return Err(format!(
                    "client {}: {why}. Not answered was {:?}",
                    self.number, self.doubt
                ));
            }
        }
        self.items = found;
        self.doubt.clear();
        Ok(())
    }
}

fn apply(items: &mut Items, changes: &[Change]) {
    for (key, _, new) in changes {
        match new {
            Some(new) => items.insert(key.clone(), Arc::clone(new)),
            None => items.remove(key),
        };
    }
}

/// What is not as it should be. What has expired by `now_ms` may be gone.
fn difference(found: &Items, expected: &Items, now_ms: u64) -> Option<String> {
    for (key, item) in expected {
        let expires = as_number(item, TTL).and_then(|second| u64::try_from(second).ok());
        let may_be_gone = expires.is_some_and(|second| second * 1000 < now_ms);
        match found.get(key) {
            Some(found) if found == item => {}
            None if may_be_gone => {}
            found => return Some(format!("{key:?} is {found:?} and not {item:?}")),
        }
    }
    let more = found.iter().find(|(key, _)| !expected.contains_key(key));
    more.map(|(key, item)| format!("{key:?} is there: {item:?}"))
}
