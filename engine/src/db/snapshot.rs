//! A snapshot: the database as it was at one moment.

use std::fmt;
use std::sync::Arc;

use super::read;
use super::shared::Shared;
use crate::error::{Error, Result};
pub use crate::iter::{Direction, Step};
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

    /// The entries of a range, in the order of their keys or against it.
    pub fn range(&self, range: KeyRange, direction: Direction, mode: ReadMode) -> RangeIter {
        let _ = (range, direction, mode);
        RangeIter {}
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

/// Goes through a range of a snapshot.
pub struct RangeIter {}

impl RangeIter {
    /// The next entry. After an error the iterator stays where it was before the call.
    #[expect(
        clippy::should_implement_trait,
        reason = "what it returns borrows from it"
    )]
    pub fn next(&mut self) -> Result<Step<'_>> {
        Err(Error::invalid("ranges come with the merging iterator"))
    }
}
