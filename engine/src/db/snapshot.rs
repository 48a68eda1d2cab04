//! A snapshot: the database as it was at one moment.

use std::fmt;
use std::sync::Arc;

use super::range::RangeIter;
use super::read;
use super::shared::Shared;
use crate::error::Result;
use crate::iter::Direction;
use crate::key::{Key, KeyRange};
use crate::{ReadMode, Value};

/// Sees all commits up to one sequence number and none behind it, for as long as it lives. It costs
/// nothing to take; while it is held, versions that only it can see are kept.
pub struct Snapshot {
    shared: Arc<Shared>,
    sequence: u64,
}

impl Snapshot {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let sequence = shared.snapshots.register(&shared.durable);
        Snapshot { shared, sequence }
    }

    /// The last commit that it sees.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The value of a key.
    pub fn get(&self, key: &Key, mode: ReadMode) -> Result<Option<Value>> {
        read::get(&self.shared, key, self.sequence, mode)
    }

    /// The entries of a range, in the order of their keys or against it. What it sees does not
    /// change, whether the snapshot lives on or not.
    #[must_use]
    pub fn range(&self, range: KeyRange, direction: Direction, mode: ReadMode) -> RangeIter {
        RangeIter::new(&self.shared, self.sequence, range, direction, mode)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.shared.snapshots.release(self.sequence);
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}
