//! What clients choose to ask for.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use super::Plan;
use crate::history::{Action, Call, Change, Condition, Item, Key};

/// What the operations of a run are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One item each.
    Items,
    /// Several items as a whole, and single ones in between.
    Transactions,
}

/// How items are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Consistent,
    Eventual,
    Transaction,
    Query,
    Index,
    Scan,
}

/// What of an item a write is asked to return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    Nothing,
    Old,
    New,
}

/// One thing to ask for.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) call: Call,
    pub(super) way: Way,
    pub(super) returned: Returned,
    /// Whether a refusal shows the item.
    pub(super) shown_when_refused: bool,
    /// Sent as a transaction with this token, so that it may be repeated.
    pub(super) token: Option<String>,
    /// Sent as a transaction.
    pub(super) transaction: bool,
    /// The connection is reset once it is sent.
    pub(super) reset: bool,
}

impl Choice {
    pub(super) fn get(key: Key) -> Choice {
        Choice {
            call: Call::Read(vec![key]),
            way: Way::Consistent,
            returned: Returned::Nothing,
            shown_when_refused: false,
            token: None,
            transaction: false,
            reset: false,
        }
    }

    /// Of which sort it is, for the counts.
    pub(super) fn name(&self) -> &'static str {
        match &self.call {
            Call::Read(_) => match self.way {
                Way::Consistent => "gets",
                Way::Eventual => "eventual gets",
                Way::Transaction => "read transactions",
                Way::Query => "queries",
                Way::Index => "queries of an index",
                Way::Scan => "scans",
            },
            Call::Write(_) if self.transaction => "write transactions",
            Call::Write(actions) => match actions.first().map(|action| action.change) {
                Some(Change::Add(_)) => "additions",
                Some(Change::Delete) => "deletions",
                _ => "puts",
            },
        }
    }
}

/// Draws what a client asks for.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Random(random)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound.max(1)
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn key(&mut self, keys: Key) -> Key {
        // Half of all operations meet on the first two items.
        let keys = if self.one_in(2) { keys.min(2) } else { keys };
        Key::try_from(self.below(keys.into())).unwrap_or_default()
    }

    fn keys(&mut self, keys: Key, count: u64) -> Vec<Key> {
        let mut chosen: Vec<Key> = (0..count).map(|_| self.key(keys)).collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    fn condition(&mut self) -> Condition {
        match self.below(4) {
            0 => Condition::Absent,
            1 => Condition::Present,
            2 => Condition::NumberIs(self.small()),
            _ => Condition::NumberBelow(self.small()),
        }
    }

    fn small(&mut self) -> i64 {
        i64::try_from(self.below(6)).unwrap_or_default()
    }

    fn action(&mut self, key: Key, tag: u64) -> Action {
        let condition = match self.below(5) {
            0 | 1 => self.condition(),
            _ => Condition::Always,
        };
        let change = match self.below(10) {
            0..4 => {
                let number = self.small();
                Change::Put(Item { tag, number })
            }
            4..8 => Change::Add(1 - 2 * i64::from(self.one_in(3))),
            _ => Change::Delete,
        };
        Action {
            key,
            condition,
            change,
        }
    }

    /// What to ask for next. `tag` is nobody else's.
    pub(super) fn choice(&mut self, plan: &Plan, tag: u64) -> Choice {
        let mut choice = match (plan.kind, self.below(100)) {
            (Kind::Transactions, 0..40) => self.transaction(plan.keys, tag),
            (Kind::Transactions, 40..55) => {
                let count = 2 + self.below(3);
                let keys = self.keys(plan.keys, count);
                self.read(Way::Transaction, keys)
            }
            (Kind::Transactions, 55..65) => self.many(plan.keys),
            (Kind::Transactions, 65..85) | (Kind::Items, 0..70) => {
                let key = self.key(plan.keys);
                let action = self.action(key, tag);
                self.write(vec![action])
            }
            _ => {
                let way = if self.one_in(3) {
                    Way::Eventual
                } else {
                    Way::Consistent
                };
                let key = self.key(plan.keys);
                self.read(way, vec![key])
            }
        };
        // What may be lost without a token stays in doubt until the process ends. With many items
        // linked to each other, that would be too much to search.
        let may_reset = choice.token.is_some()
            || plan.kind == Kind::Items && matches!(choice.call, Call::Write(_));
        choice.reset = may_reset && self.one_in(300);
        choice
    }

    fn read(&mut self, way: Way, keys: Vec<Key>) -> Choice {
        Choice {
            call: Call::Read(keys),
            way,
            ..Choice::get(0)
        }
    }

    /// All items of one table.
    fn many(&mut self, keys: Key) -> Choice {
        let way = [Way::Query, Way::Index, Way::Scan];
        let way = way
            .get(self.below(3) as usize)
            .copied()
            .unwrap_or(Way::Query);
        let table = Key::from(self.one_in(2));
        let keys = (0..keys).filter(|key| key % 2 == table).collect();
        self.read(way, keys)
    }

    fn write(&mut self, actions: Vec<Action>) -> Choice {
        let adds = matches!(
            actions.as_slice(),
            [Action {
                change: Change::Add(_),
                ..
            }]
        );
        let returned = match self.below(3) {
            0 => Returned::Old,
            1 if adds => Returned::New,
            _ => Returned::Nothing,
        };
        Choice {
            call: Call::Write(actions),
            returned,
            shown_when_refused: self.one_in(2),
            ..Choice::get(0)
        }
    }

    fn transaction(&mut self, keys: Key, tag: u64) -> Choice {
        let count = 2 + self.below(3);
        let mut actions: Vec<Action> = self
            .keys(keys, count)
            .into_iter()
            .map(|key| self.action(key, tag))
            .collect();
        // Most conditions hold, or hardly any transaction would.
        for action in &mut actions {
            if action.condition != Condition::Always && self.one_in(2) {
                action.condition = Condition::Always;
            } else if action.condition != Condition::Always && self.one_in(2) {
                action.change = Change::Check;
            }
        }
        let token = self.one_in(2).then(|| format!("token-{tag}"));
        Choice {
            transaction: true,
            token,
            returned: Returned::Nothing,
            ..self.write(actions)
        }
    }
}
