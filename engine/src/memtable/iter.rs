//! Iteration over a memtable that it keeps alive.

use std::ops::Bound;
use std::sync::Arc;

use crossbeam_skiplist::map::Entry;
use self_cell::self_cell;

use super::Memtable;
use crate::Value;
use crate::error::Result;
use crate::iter::InternalIterator;
use crate::key::{InternalKey, InternalKeyRef, InternalOrd};

type Position<'a> = Option<Entry<'a, InternalKey, Value>>;

self_cell!(
    /// A memtable and a place in it.
    struct Cursor {
        owner: Arc<Memtable>,
        #[covariant]
        dependent: Position,
    }
);

/// An iterator over the versions of a memtable.
pub(crate) struct MemtableIter {
    cursor: Cursor,
}

impl MemtableIter {
    pub(super) fn new(memtable: Arc<Memtable>) -> Self {
        MemtableIter {
            cursor: Cursor::new(memtable, |_| None),
        }
    }

    /// Goes where a function of the memtable and the present place says.
    fn go(&mut self, to: impl for<'a> FnOnce(&'a Memtable, Position<'a>) -> Position<'a>) {
        self.cursor.with_dependent_mut(|memtable, position| {
            let from = position.take();
            *position = to(memtable, from);
        });
    }

    fn position(&self) -> Option<&Entry<'_, InternalKey, Value>> {
        self.cursor.borrow_dependent().as_ref()
    }
}

impl InternalIterator for MemtableIter {
    fn seek(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.go(|memtable, _| {
            memtable
                .map
                .lower_bound(Bound::Included(&target as &dyn InternalOrd))
        });
        Ok(())
    }

    fn seek_before(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.go(|memtable, _| {
            memtable
                .map
                .upper_bound(Bound::Excluded(&target as &dyn InternalOrd))
        });
        Ok(())
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.go(|memtable, _| memtable.map.front());
        Ok(())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.go(|memtable, _| memtable.map.back());
        Ok(())
    }

    fn next(&mut self) -> Result<()> {
        self.go(|_, position| {
            let mut entry = position?;
            entry.move_next().then_some(entry)
        });
        Ok(())
    }

    fn prev(&mut self) -> Result<()> {
        self.go(|_, position| {
            let mut entry = position?;
            entry.move_prev().then_some(entry)
        });
        Ok(())
    }

    fn valid(&self) -> bool {
        self.position().is_some()
    }

    fn key(&self) -> InternalKeyRef<'_> {
        match self.position() {
            Some(entry) => entry.key().as_ref(),
            None => InternalKeyRef::before(&[]),
        }
    }

    fn value(&self) -> Value {
        self.position()
            .map(|entry| entry.value().clone())
            .unwrap_or_default()
    }
}
