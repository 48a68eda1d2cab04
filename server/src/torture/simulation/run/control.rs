//! The clock, and what changes tables.

use std::sync::Arc;

use serde_json::Value;

use super::{Known, Run};
use crate::stator::ClockMove;
use crate::torture::simulation::local::{Local, is_throttled};
use crate::torture::tables::{ADDED, TTL, as_number, table};
use crate::torture::work::Change;
use crate::torture::{CallError, Caller, Checked};
use crate::wire::Operation;

/// Longer ago than this, in seconds, nothing expires any more (developer guide, "Using time to live").
const WINDOW_S: u64 = 5 * 365 * 24 * 3600;

impl Run {
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

    pub(super) fn advance(&mut self, by_ms: u64) -> Checked {
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

    pub(super) fn change_index(&mut self, add: bool) -> Checked {
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

    pub(super) fn switch_expiry(&mut self, enabled: bool) -> Checked {
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
}
