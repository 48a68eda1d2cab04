//! A snapshot: the database as it was at one moment.

use std::fmt;
use std::sync::Arc;

use super::range::RangeIter;
use super::read;
use super::shared::Shared;
use super::snapshots::Past;
use crate::error::{Error, Result};
use crate::iter::Direction;
use crate::key::{Key, KeyRange, KeyspaceId, keyspace_of};
use crate::mutants::{Mutant, is_on};
use crate::{ReadMode, Value};

/// Sees all commits up to one sequence number and none behind it, for as long as it lives. It costs
/// nothing to take; while it is held, versions that only it can see are kept.
pub struct Snapshot {
    shared: Arc<Shared>,
    sequence: u64,
    /// What of the past was kept when it was taken; `None` for a snapshot of the present, which
    /// sees everything.
    past: Option<Past>,
}

impl Snapshot {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let sequence = shared.snapshots.register(&shared.durable);
        Snapshot {
            shared,
            sequence,
            past: None,
        }
    }

    /// As of a sequence number that is durable.
    pub(super) fn past(shared: Arc<Shared>, sequence: u64) -> Self {
        let histories = || Arc::clone(shared.versions.current().histories());
        let past = shared.snapshots.register_past(sequence, histories);
        Snapshot {
            shared,
            sequence,
            past: Some(past),
        }
    }

    /// Fails with `NotKept` if the keyspace has not kept the moment of this snapshot.
    pub(super) fn check(&self, keyspace: KeyspaceId) -> Result<()> {
        let floor = self.past.as_ref();
        let floor = floor.filter(|_| !is_on(Mutant::PastRefused));
        match floor.and_then(|past| past.floor_above(keyspace)) {
            None => Ok(()),
            Some(oldest) => Err(Error::NotKept {
                keyspace,
                sequence: self.sequence,
                oldest,
            }),
        }
    }

    /// The last commit that it sees.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The value of a key. Fails with `NotKept`, as every call of an iterator does, where the
    /// snapshot is one of the past that the keyspace has not kept.
    pub fn get(&self, key: &Key, mode: ReadMode) -> Result<Option<Value>> {
        self.check(key.keyspace())?;
        read::get(&self.shared, key, self.sequence, mode)
    }

    /// The entries of a range, in the order of their keys or against it. What it sees does not
    /// change, whether the snapshot lives on or not.
    #[must_use]
    pub fn range(&self, range: KeyRange, direction: Direction, mode: ReadMode) -> RangeIter {
        // A range is one of a single keyspace, or has nothing in it.
        let refused = keyspace_of(range.start()).and_then(|keyspace| self.check(keyspace).err());
        if let Some(refused) = refused {
            return RangeIter::refused(refused, mode);
        }
        RangeIter::new(&self.shared, self.sequence, range, direction, mode)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        if self.shared.snapshots.release(self.sequence) {
            self.shared.wake_released(self.sequence);
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}
