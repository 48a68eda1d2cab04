//! What operations do, one after the other.

use crate::history::{Action, Call, Change, Condition, Item, Key, Reply, Shown};

/// A few items by their keys, which rise.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State(Vec<(Key, Option<Item>)>);

impl State {
    /// None of these items is there.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = Key>) -> State {
        let mut items: Vec<_> = keys.into_iter().map(|key| (key, None)).collect();
        items.sort_unstable();
        items.dedup();
        State(items)
    }

    /// An item.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<Item> {
        self.0.iter().find(|(at, _)| *at == key)?.1
    }

    fn set(&mut self, key: Key, item: Option<Item>) {
        if let Some((_, at)) = self.0.iter_mut().find(|(at, _)| *at == key) {
            *at = item;
        }
    }

    /// Does what is asked for, and answers with all that could be shown.
    pub fn apply(&mut self, call: &Call) -> Reply {
        let actions = match call {
            Call::Read(keys) => {
                return Reply::Read(keys.iter().map(|key| self.get(*key)).collect());
            }
            Call::Write(actions) => actions,
        };
        let before: Vec<_> = actions.iter().map(|action| self.get(action.key)).collect();
        let refused = actions.iter().zip(&before);
        let refused: Vec<(bool, Shown)> = refused
            .map(|(action, item)| (!holds(action.condition, *item), Some(*item)))
            .collect();
        if refused.iter().any(|(refused, _)| *refused) {
            return Reply::Refused(refused);
        }
        let written = actions.iter().zip(before).map(|(action, before)| {
            let after = changed(action, before);
            self.set(action.key, after);
            (Some(before), Some(after))
        });
        Reply::Written(written.collect())
    }
}

fn holds(condition: Condition, item: Option<Item>) -> bool {
    match condition {
        Condition::Always => true,
        Condition::Absent => item.is_none(),
        Condition::Present => item.is_some(),
        Condition::NumberIs(number) => item.is_some_and(|item| item.number == number),
        Condition::NumberBelow(number) => item.is_some_and(|item| item.number < number),
    }
}

fn changed(action: &Action, item: Option<Item>) -> Option<Item> {
    match action.change {
        Change::Put(item) => Some(item),
        Change::Add(by) => {
            let mut item = item.unwrap_or(Item { tag: 0, number: 0 });
            item.number += by;
            Some(item)
        }
        Change::Delete => None,
        Change::Check => item,
    }
}

/// Whether an answer that shows less fits one that shows everything.
#[must_use]
pub fn fits(shown: &Reply, everything: &Reply) -> bool {
    let tells = |shown: &Shown, item: &Shown| shown.is_none() || shown == item;
    match (shown, everything) {
        (Reply::Read(shown), Reply::Read(items)) => shown == items,
        (Reply::Written(shown), Reply::Written(states)) => {
            shown.len() == states.len()
                && shown
                    .iter()
                    .zip(states)
                    .all(|((old, new), state)| tells(old, &state.0) && tells(new, &state.1))
        }
        (Reply::Refused(shown), Reply::Refused(states)) => {
            shown.len() == states.len()
                && shown
                    .iter()
                    .zip(states)
                    .all(|((refused, old), state)| *refused == state.0 && tells(old, &state.1))
        }
        _ => false,
    }
}
