//! States of tables and indexes, as functions of the clock.
//!
//! DynamoDB takes seconds to create or delete a table, and applications meet CREATING, UPDATING and
//! DELETING. Here the work is done when the request is answered; how long the state is shown is an
//! option ([`crate::StatorOptions::table_state_delay_ms`]), and the moment it ends is part of the
//! definition. Nothing has to happen at that moment, so no timer can be missed over a restart.

use serde::{Deserialize, Serialize};

/// `TableStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableStatus {
    /// Not yet usable.
    Creating,
    /// Usable, a change is under way.
    Updating,
    /// No longer usable.
    Deleting,
    /// Usable.
    Active,
}

impl TableStatus {
    /// DynamoDB's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Active => "ACTIVE",
        }
    }
}

/// `IndexStatus`: the same four states.
pub type IndexStatus = TableStatus;

/// What is written of a state: what was begun last, and when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// What was begun last.
    pub change: Change,
    /// When it is over: Unix milliseconds. Before that moment the change shows.
    pub until_ms: u64,
}

/// A change that takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Created; ACTIVE afterwards.
    Create,
    /// Updated, and of a table: its capacity; ACTIVE afterwards.
    Update,
    /// A table whose billing is switched; ACTIVE afterwards.
    Billing,
    /// A table whose stream is enabled or disabled; ACTIVE afterwards.
    Stream,
    /// A table that gets another class; ACTIVE afterwards.
    Class,
    /// Deleted; gone afterwards.
    Delete,
}

impl State {
    /// The state at `now_ms`. A deletion that is over stays DELETING: the catalog hides the table.
    pub fn status(self, now_ms: u64) -> TableStatus {
        match self.change {
            Change::Delete => TableStatus::Deleting,
            _ if now_ms >= self.until_ms => TableStatus::Active,
            Change::Create => TableStatus::Creating,
            Change::Update | Change::Billing | Change::Stream | Change::Class => {
                TableStatus::Updating
            }
        }
    }

    /// Whether a deletion is over, so that nothing of the table may be seen.
    pub fn is_gone(self, now_ms: u64) -> bool {
        self.change == Change::Delete && now_ms >= self.until_ms
    }
}
