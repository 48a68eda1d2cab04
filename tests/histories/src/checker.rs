//! Whether one order of all operations explains every answer.
//!
//! The algorithm is that of Wing and Gong with Lowe's improvements ("Testing for linearizability",
//! 2017), in its just-in-time form: the history is walked through once in the order of time, with the
//! set of all situations that are possible so far, each a state of the items and which of the
//! operations in progress have had their effect already. An effect is only assumed where an operation
//! ends and had none yet: it and, in all orders, what may have come before it. A situation is kept
//! once, however it came about. When none is left, no order explains the answer that was the last one
//! looked at.
//!
//! Items that no operation links with each other are checked apart. An operation without an answer
//! (the process was killed, the connection reset) may have had its effect at any time until its end,
//! or has none.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::history::{Call, Key, Operation, Reply};
use crate::model::{State, fits};

/// Operations in progress at a time, for each set of linked items: bits of a mask.
const MOST_PENDING: usize = 128;

/// Situations to look at between two events; a history with more is not worth the time.
const MOST_SITUATIONS: usize = 2_000_000;

/// What a check has looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Sets of items that were checked apart.
    pub components: usize,
    /// Operations in all.
    pub operations: usize,
    /// The most situations that were possible at a time.
    pub situations: usize,
}

/// A history that no order explains, or that is too much for the checker.
#[derive(Clone, Debug)]
pub struct Violation {
    /// What is wrong.
    pub what: String,
    /// The operation whose answer can't be explained: its place in the history.
    pub operation: usize,
    /// The operations of the same items that ended last before it or were in progress.
    pub around: Vec<Operation>,
    /// What the items may have been before it.
    pub states: Vec<State>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} (operation {})", self.what, self.operation)?;
        for operation in &self.around {
            writeln!(f, "  {operation:?}")?;
        }
        for state in self.states.iter().take(8) {
            writeln!(f, "  possible before: {state:?}")?;
        }
        Ok(())
    }
}

/// Checks a history that began without any items.
///
/// # Errors
///
/// What can't be explained.
pub fn check(history: &[Operation]) -> Result<Checked, Box<Violation>> {
    let mut checked = Checked::default();
    for component in components(history) {
        checked.components += 1;
        checked.operations += component.len();
        let situations = Search::new(history, &component).run()?;
        checked.situations = checked.situations.max(situations);
    }
    Ok(checked)
}

/// The operations of each set of linked items, by their places in the history.
fn components(history: &[Operation]) -> Vec<Vec<usize>> {
    let mut leader: BTreeMap<Key, Key> = BTreeMap::new();
    fn find(leader: &BTreeMap<Key, Key>, mut key: Key) -> Key {
        while let Some(next) = leader.get(&key).filter(|next| **next != key) {
            key = *next;
        }
        key
    }
    for operation in history {
        let mut keys = operation.call.keys();
        let Some(first) = keys.next() else { continue };
        let first = find(&leader, first);
        leader.insert(first, first);
        for key in keys {
            let other = find(&leader, key);
            leader.insert(other, first);
        }
    }
    let mut components: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (at, operation) in history.iter().enumerate() {
        if let Some(key) = operation.call.keys().next() {
            let component = components.entry(find(&leader, key)).or_default();
            component.push(at);
        }
    }
    components.into_values().collect()
}

/// What may be so at one moment.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Situation {
    state: State,
    /// Which operations in progress have had their effect.
    done: u128,
}

/// Of an operation in a component: that it begins, or that it ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    // At the same time, what begins comes first: the two overlap.
    Begins(usize),
    Ends(usize),
}

struct Search<'a> {
    history: &'a [Operation],
    events: Vec<(u64, Event)>,
    /// The operations in progress; the place is their bit.
    pending: Vec<Option<usize>>,
    possible: HashSet<Situation>,
    /// Those that ended last.
    recent: Vec<usize>,
}

impl<'a> Search<'a> {
    fn new(history: &'a [Operation], component: &[usize]) -> Self {
        let of = |at: &usize| history.get(*at).map(|operation| (*at, operation));
        let operations = || component.iter().filter_map(of);
        let state = State::new(operations().flat_map(|(_, operation)| operation.call.keys()));
        let mut events: Vec<(u64, Event)> = operations()
            // A read without an answer says nothing.
            .filter(|(_, operation)| {
                operation.reply.is_some() || matches!(operation.call, Call::Write(_))
            })
            .flat_map(|(at, operation)| {
                let begins = (operation.invoked, Event::Begins(at));
                [begins, (operation.ended, Event::Ends(at))]
            })
            .collect();
        events.sort_unstable();
        Search {
            history,
            events,
            pending: Vec::new(),
            possible: HashSet::from([Situation { state, done: 0 }]),
            recent: Vec::new(),
        }
    }

    /// Answers with the most situations that were possible at a time.
    fn run(mut self) -> Result<usize, Box<Violation>> {
        let mut most = 1;
        for (_, event) in std::mem::take(&mut self.events) {
            match event {
                Event::Begins(at) => self.begins(at)?,
                Event::Ends(at) => self.ends(at)?,
            }
            most = most.max(self.possible.len());
        }
        Ok(most)
    }

    fn begins(&mut self, at: usize) -> Result<(), Box<Violation>> {
        if let Some(slot) = self.pending.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(at);
        } else if self.pending.len() < MOST_PENDING {
            self.pending.push(Some(at));
        } else {
            return Err(self.violation(at, "too many operations are in doubt", Vec::new()));
        }
        self.possible = std::mem::take(&mut self.possible)
            .into_iter()
            .map(|situation| self.absorbed(situation))
            .collect();
        Ok(())
    }

    fn ends(&mut self, at: usize) -> Result<(), Box<Violation>> {
        let Some(slot) = self.pending.iter().position(|slot| *slot == Some(at)) else {
            return Ok(());
        };
        let bit = 1_u128 << slot;
        let in_doubt = self.operation(at).is_some_and(|op| op.reply.is_none());
        let before = std::mem::take(&mut self.possible);
        let mut after = HashSet::new();
        let mut seen = HashSet::new();
        let mut open: Vec<Situation> = Vec::new();
        for situation in &before {
            if situation.done & bit != 0 {
                after.insert(without(situation.clone(), bit));
                continue;
            }
            if in_doubt {
                after.insert(situation.clone());
            }
            open.push(situation.clone());
        }
        while let Some(situation) = open.pop() {
            if seen.len() > MOST_SITUATIONS {
                return Err(self.violation(at, "too many orders are possible", Vec::new()));
            }
            for (other, place) in self.pending.iter().enumerate() {
                let (Some(place), effect) = (*place, 1_u128 << other) else {
                    continue;
                };
                if situation.done & effect != 0 {
                    continue;
                }
                let Some(mut next) = self.effect(&situation, place) else {
                    continue;
                };
                next.done |= effect;
                let next = self.absorbed(next);
                if next.done & bit != 0 {
                    after.insert(without(next, bit));
                } else if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
        if after.is_empty() {
            let states = before.into_iter().map(|situation| situation.state);
            let what = "no order of operations explains this answer";
            return Err(self.violation(at, what, states.collect()));
        }
        if let Some(slot) = self.pending.get_mut(slot) {
            *slot = None;
        }
        self.recent.push(at);
        self.possible = after;
        Ok(())
    }

    fn operation(&self, at: usize) -> Option<&'a Operation> {
        self.history.get(at)
    }

    /// What an operation makes of a situation; `None` if its answer would have been another, or if
    /// it has no answer and no effect either.
    fn effect(&self, situation: &Situation, at: usize) -> Option<Situation> {
        let operation = self.operation(at)?;
        let mut next = situation.clone();
        let everything = next.state.apply(&operation.call);
        match &operation.reply {
            Some(reply) => fits(reply, &everything).then_some(next),
            None => (next.state != situation.state).then_some(next),
        }
    }

    /// The situation in which everything in progress has happened that fits and, as its answer says,
    /// never changes anything: reads, and writes that were refused. It leads to all that the one
    /// without them leads to. (A write that was done and changes nothing here might change something
    /// later.)
    fn absorbed(&self, mut situation: Situation) -> Situation {
        for (slot, at) in self.pending.iter().enumerate() {
            let (Some(at), bit) = (*at, 1_u128 << slot) else {
                continue;
            };
            if situation.done & bit == 0
                && let Some(Reply::Read(_) | Reply::Refused(_)) = self
                    .operation(at)
                    .and_then(|operation| operation.reply.as_ref())
                && self.effect(&situation, at).is_some()
            {
                situation.done |= bit;
            }
        }
        situation
    }

    fn violation(&self, at: usize, what: &str, states: Vec<State>) -> Box<Violation> {
        let recent = self.recent.iter().rev().take(12).rev().copied();
        let pending = self.pending.iter().flatten().copied();
        let around = recent.chain(pending.filter(|other| *other != at));
        let around = around.chain([at]);
        let mut states = states;
        states.dedup();
        Box::new(Violation {
            what: what.to_owned(),
            operation: at,
            around: around
                .filter_map(|at| self.operation(at).cloned())
                .collect(),
            states,
        })
    }
}

fn without(mut situation: Situation, bit: u128) -> Situation {
    situation.done &= !bit;
    situation
}

#[cfg(test)]
mod tests;
