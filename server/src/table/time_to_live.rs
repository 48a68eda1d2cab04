//! Time to live of a table: what its definition says, and the index of what expires when.
//!
//! The index has an entry for each item that expires, sorted by time ([`crate::store::layout`]).
//! Every write keeps it in step, in the same batch, as it does a secondary index. Switching time to
//! live off drops it whole.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};

use super::Filling;
use crate::store::KeyspaceId;

/// Time to live of a table where it is on, or has been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeToLive {
    /// The attribute that says when an item expires. Where it is off, the one that said it last.
    pub attribute: String,
    /// Keyspace of the expiry index. Absent where it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyspace: Option<u32>,
    /// When it was last switched, Unix milliseconds.
    pub changed_ms: u64,
    /// Until when ENABLING or DISABLING shows, Unix milliseconds.
    pub until_ms: u64,
}

/// `TimeToLiveStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeToLiveStatus {
    /// It is being switched on.
    Enabling,
    /// Expired items are deleted.
    Enabled,
    /// It is being switched off.
    Disabling,
    /// Nothing expires.
    Disabled,
}

impl TimeToLiveStatus {
    /// DynamoDB's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabling => "ENABLING",
            Self::Enabled => "ENABLED",
            Self::Disabling => "DISABLING",
            Self::Disabled => "DISABLED",
        }
    }
}

/// The expiry index of a table, as writes and the sweep see it. All views of the table share it for
/// as long as time to live stays on.
#[derive(Debug)]
pub struct ExpiryIndex {
    attribute: Box<str>,
    keyspace: KeyspaceId,
    filling: Arc<Filling>,
    /// No entry is for an earlier time than this, in Unix seconds, but those that have been swept.
    earliest: AtomicU64,
}

impl ExpiryIndex {
    /// The index of a table, which may have any entries, or lack some.
    pub(super) fn new(attribute: &str, keyspace: KeyspaceId) -> Self {
        Self {
            attribute: attribute.into(),
            keyspace,
            filling: Filling::new(true),
            earliest: AtomicU64::new(0),
        }
    }

    /// The attribute that says when an item expires.
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// Where the entries are.
    pub fn keyspace(&self) -> KeyspaceId {
        self.keyspace
    }

    /// Whether it lacks entries of items that are older than itself.
    pub fn filling(&self) -> &Filling {
        &self.filling
    }

    /// Notes an entry for the second `expires_at` that was committed.
    pub fn note(&self, expires_at: u64) {
        self.earliest.fetch_min(expires_at, Ordering::AcqRel);
    }

    /// Begins a sweep of everything before the second `end`: where it has to begin, or `None` if
    /// there is nothing. What is committed and [noted](Self::note) from now on is the next sweep's;
    /// this one has to wait until what was committed before is visible. One that does not come to its
    /// end notes where it has come to.
    pub fn begin_sweep(&self, end: u64) -> Option<u64> {
        if self.earliest.load(Ordering::Acquire) >= end {
            return None;
        }
        Some(self.earliest.swap(end, Ordering::AcqRel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_begins_where_there_may_be_something() {
        let index = ExpiryIndex::new("ttl", KeyspaceId(1024));
        assert_eq!(index.begin_sweep(100), Some(0));
        assert_eq!(index.begin_sweep(100), None);
        assert_eq!(index.begin_sweep(110), Some(100));
        index.note(200);
        assert_eq!(index.begin_sweep(110), None);
        index.note(50);
        index.note(60);
        assert_eq!(index.begin_sweep(110), Some(50));
    }
}
