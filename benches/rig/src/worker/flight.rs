//! A job that is under way, and what is to happen later.

use std::cmp::Ordering;

use crate::source::Draft;

/// A job that is under way. Times are nanoseconds since the start of the run.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) draft: Draft,
    /// When it was meant to start.
    pub(super) intended: u64,
    /// When its first request was sent.
    pub(super) first_sent: u64,
    /// When the request that is under way was sent.
    pub(super) sent: u64,
    /// How often a request of it was made again.
    pub(super) tries: u32,
}

/// What is to happen at a time.
pub(super) struct Timed {
    pub(super) due: u64,
    pub(super) what: Timer,
}

/// What is to happen.
pub(super) enum Timer {
    /// A connection is tried again.
    Connect { place: usize, tries: u32 },
    /// A request is made again.
    Again(Flight, Vec<u8>),
}

// The earliest is the greatest, since the heap gives the greatest first.
impl Ord for Timed {
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

impl PartialOrd for Timed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Timed {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Timed {}
