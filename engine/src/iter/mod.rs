//! Iterators that merge sources and hide what a reader must not see.

mod layer;
mod merging;
mod sorted;
mod visible;

pub(crate) use layer::{Layer, LayerIter};
pub(crate) use merging::MergingIter;
pub(crate) use sorted::SortedIter;
pub use visible::{Direction, Step};
pub(crate) use visible::{View, VisibleIter};

use crate::Value;
use crate::error::Result;
use crate::key::InternalKeyRef;

/// A sorted source of versions: a memtable, an SSTable, a run of SSTables, or several merged.
///
/// It is at an entry or at none ([`valid`](InternalIterator::valid)). After a failed call it is at
/// none, and only another seek helps: a caller in cached-only mode that got
/// [`Error::WouldBlock`](crate::Error::WouldBlock) starts again where it may block.
pub(crate) trait InternalIterator: Send {
    /// Goes to the first entry that is not before `target`, or to none.
    fn seek(&mut self, target: InternalKeyRef<'_>) -> Result<()>;

    /// Goes to the last entry that is before `target`, or to none.
    fn seek_before(&mut self, target: InternalKeyRef<'_>) -> Result<()>;

    /// Goes to the first entry, or to none if there are none.
    fn seek_to_first(&mut self) -> Result<()>;

    /// Goes to the last entry, or to none if there are none.
    fn seek_to_last(&mut self) -> Result<()>;

    /// Goes to the entry behind the one it is at, or to none. Stays at none.
    fn next(&mut self) -> Result<()>;

    /// Goes to the entry before the one it is at, or to none. Stays at none.
    fn prev(&mut self) -> Result<()>;

    /// Whether it is at an entry.
    fn valid(&self) -> bool;

    /// The key of the entry it is at. Meaningless at none, but no panic.
    fn key(&self) -> InternalKeyRef<'_>;

    /// The value of the entry it is at, without a copy; empty for a tombstone and at none.
    fn value(&self) -> Value;
}

#[cfg(test)]
mod tests;
