//! Going through a range of keys.

use std::fmt;
use std::sync::Arc;

use super::memtables::Memtables;
use super::shared::Shared;
use crate::ReadMode;
use crate::error::{Error, Result};
use crate::iter::{Direction, InternalIterator, MergingIter, Step, View, VisibleIter};
use crate::key::KeyRange;
use crate::manifest::{LayerReads, Version};
use crate::sstable::CacheUse;

/// Goes through a range of a snapshot.
pub struct RangeIter {
    state: State,
    mode: ReadMode,
}

enum State {
    /// What it is going to read, held but not looked at: that may have to wait for the disk, and is
    /// left to the first call of `next`.
    New(Arc<Memtables>, Arc<Version>, View),
    Open(VisibleIter<MergingIter>),
    /// The snapshot can't read the keyspace.
    Refused(Error),
}

impl RangeIter {
    pub(super) fn new(
        shared: &Shared,
        sequence: u64,
        range: KeyRange,
        direction: Direction,
        mode: ReadMode,
    ) -> Self {
        // In this order: what a flush moves from one to the other is then in at least one.
        let memtables = shared.memtables.load_full();
        let version = shared.versions.current();
        let dropped = shared.dropped.load();
        let skip_bound = shared.options.skip_bound;
        let view = View {
            sequence,
            dropped,
            range,
            direction,
            skip_bound,
        };
        RangeIter {
            state: State::New(memtables, version, view),
            mode,
        }
    }

    /// One that answers every call with an error.
    pub(super) fn refused(error: Error, mode: ReadMode) -> Self {
        let state = State::Refused(error);
        RangeIter { state, mode }
    }

    /// The next entry. After an error the iterator stays where it was before the call.
    #[expect(
        clippy::should_implement_trait,
        reason = "what it returns borrows from it"
    )]
    pub fn next(&mut self) -> Result<Step<'_>> {
        if let State::New(memtables, version, view) = &self.state {
            let sources = sources(memtables, version, view, self.mode)?;
            let visible = VisibleIter::new(MergingIter::new(sources), view.clone());
            self.state = State::Open(visible);
        }
        match &mut self.state {
            State::Open(visible) => visible.next(),
            State::New(..) => Ok(Step::End),
            State::Refused(error) => Err(error.clone()),
        }
    }
}

/// Iterators over all that may have something in the range, newest first.
fn sources(
    memtables: &Memtables,
    version: &Version,
    view: &View,
    mode: ReadMode,
) -> Result<Vec<Box<dyn InternalIterator>>> {
    let mut sources: Vec<Box<dyn InternalIterator>> = Vec::new();
    let push_memtables = |sources: &mut Vec<Box<dyn InternalIterator>>| {
        for memtable in memtables.iter().filter(|memtable| !memtable.is_empty()) {
            sources.push(Box::new(memtable.iter()));
        }
    };
    push_memtables(&mut sources);
    version.push_iterators(&view.range, mode, &mut sources)?;
    let reads = LayerReads {
        mode,
        cache_use: CacheUse::Keep,
        memtables: &push_memtables,
    };
    if let Some(layer) = version.layer_below(&view.range, view.sequence, &reads)? {
        sources.push(Box::new(layer));
    }
    Ok(sources)
}

impl fmt::Debug for RangeIter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeIter").finish_non_exhaustive()
    }
}
