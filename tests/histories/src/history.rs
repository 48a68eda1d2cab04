//! Operations, and what was recorded of them.

/// An item by its number.
pub type Key = u8;

/// What of an item is looked at: who put it there, and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item {
    /// No two puts write the same. 0 for an item that an addition has made.
    pub tag: u64,
    /// What is added to.
    pub number: i64,
}

/// When a write is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Always.
    Always,
    /// If there is no item.
    Absent,
    /// If there is one.
    Present,
    /// If its number is this one.
    NumberIs(i64),
    /// If its number is below this one.
    NumberBelow(i64),
}

/// What is done to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It becomes this.
    Put(Item),
    /// So much is added to its number, or to 0 where there is no item.
    Add(i64),
    /// It goes.
    Delete,
    /// Nothing, but that the condition is checked.
    Check,
}

/// A write of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// Of which item.
    pub key: Key,
    /// When it is done.
    pub condition: Condition,
    /// What is done.
    pub change: Change,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Items as they are at one moment.
    Read(Vec<Key>),
    /// All of these, or none if any of their conditions does not hold.
    Write(Vec<Action>),
}

impl Call {
    /// The items that it is about.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        let (read, written) = match self {
            Call::Read(keys) => (keys.as_slice(), [].as_slice()),
            Call::Write(actions) => ([].as_slice(), actions.as_slice()),
        };
        let written = written.iter().map(|action| action.key);
        read.iter().copied().chain(written)
    }
}

/// A state of an item that an answer may tell, or not tell.
pub type Shown = Option<Option<Item>>;

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The items, in the order of the keys that were asked for.
    Read(Vec<Option<Item>>),
    /// It was done: for each action, what was there before and what is there now.
    Written(Vec<(Shown, Shown)>),
    /// It was not done: for each action, whether its condition did not hold, and what was there.
    Refused(Vec<(bool, Shown)>),
}

/// One operation of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Who asked.
    pub client: usize,
    /// What for.
    pub call: Call,
    /// When it was asked for: it had no effect before.
    pub invoked: u64,
    /// When it was answered; without an answer, the time after which it can't have an effect any more.
    pub ended: u64,
    /// The answer. `None` if there is none: it has happened, as a whole, or never will.
    pub reply: Option<Reply>,
}
