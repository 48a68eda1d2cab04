//! Merges sorted sources into one.

use std::cmp::Ordering;

use super::InternalIterator;
use crate::Value;
use crate::error::Result;
use crate::key::{InternalKeyRef, Trailer};

/// Several sources as one: a binary heap of those that are at an entry, with the one whose entry
/// comes next on top.
///
/// Sources come newest first. If two have the same internal key, which only happens where they have
/// the same entry, the newer source's comes first.
pub(crate) struct MergingIter {
    sources: Vec<Box<dyn InternalIterator>>,
    /// Numbers of the sources that are at an entry, as a heap.
    heap: Vec<usize>,
    backward: bool,
    /// For turning round; kept for its memory.
    turning_key: Vec<u8>,
}

impl MergingIter {
    /// Merges sources, newest first. It is at no entry.
    pub(crate) fn new(sources: Vec<Box<dyn InternalIterator>>) -> MergingIter {
        let heap = Vec::with_capacity(sources.len());
        MergingIter {
            sources,
            heap,
            backward: false,
            turning_key: Vec::new(),
        }
    }

    /// The source on top of the heap.
    fn top(&self) -> Option<&dyn InternalIterator> {
        let source = self.sources.get(*self.heap.first()?)?;
        Some(source.as_ref())
    }

    /// Whether the first of two sources comes before the second in the direction of travel.
    #[expect(
        clippy::indexing_slicing,
        reason = "the heap holds numbers of sources only"
    )]
    fn comes_first(&self, left: usize, right: usize) -> bool {
        let order = self.sources[left].key().cmp(&self.sources[right].key());
        let order = order.then(left.cmp(&right));
        order
            == if self.backward {
                Ordering::Greater
            } else {
                Ordering::Less
            }
    }

    /// Moves the entry of the heap at `place` down to where it belongs.
    #[expect(
        clippy::indexing_slicing,
        reason = "children are looked at only if they are there"
    )]
    fn sift_down(&mut self, mut place: usize) {
        loop {
            let mut child = 2 * place + 1;
            if child >= self.heap.len() {
                return;
            }
            if child + 1 < self.heap.len()
                && self.comes_first(self.heap[child + 1], self.heap[child])
            {
                child += 1;
            }
            if !self.comes_first(self.heap[child], self.heap[place]) {
                return;
            }
            self.heap.swap(child, place);
            place = child;
        }
    }

    /// Puts all sources where `position` takes them, and builds the heap.
    fn position(
        &mut self,
        backward: bool,
        mut position: impl FnMut(usize, &mut dyn InternalIterator) -> Result<()>,
    ) -> Result<()> {
        self.backward = backward;
        // Until all are in place, it is at no entry.
        self.heap.clear();
        for (number, source) in self.sources.iter_mut().enumerate() {
            position(number, source.as_mut())?;
        }
        let valid = self
            .sources
            .iter()
            .enumerate()
            .filter(|(_, source)| source.valid());
        self.heap.extend(valid.map(|(number, _)| number));
        for place in (0..self.heap.len() / 2).rev() {
            self.sift_down(place);
        }
        Ok(())
    }

    /// Turns round: the source on top takes a step, and all others go to the other side of its
    /// entry.
    fn turn(&mut self, backward: bool) -> Result<()> {
        let Some(top) = self.heap.first().copied() else {
            return Ok(());
        };
        let mut turning_key = std::mem::take(&mut self.turning_key);
        turning_key.clear();
        self.key().push_to(&mut turning_key);
        let key = InternalKeyRef::parse(&turning_key).unwrap_or(InternalKeyRef {
            user: &[],
            trailer: Trailer::FIRST,
        });
        let result = self.position(backward, |number, source| match (number == top, backward) {
            (true, false) => source.next(),
            (true, true) => source.prev(),
            (false, false) => source.seek(key),
            (false, true) => source.seek_before(key),
        });
        self.turning_key = turning_key;
        result
    }

    /// Takes a step with the source on top, in the direction of travel.
    fn step(&mut self) -> Result<()> {
        let Some(top) = self.heap.first().copied() else {
            return Ok(());
        };
        let Some(source) = self.sources.get_mut(top) else {
            return Ok(());
        };
        let result = if self.backward {
            source.prev()
        } else {
            source.next()
        };
        if result.is_err() {
            self.heap.clear();
            return result;
        }
        if !source.valid() {
            self.heap.swap_remove(0);
        }
        self.sift_down(0);
        Ok(())
    }
}

impl InternalIterator for MergingIter {
    fn seek(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.position(false, |_, source| source.seek(target))
    }

    fn seek_before(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.position(true, |_, source| source.seek_before(target))
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.position(false, |_, source| source.seek_to_first())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.position(true, |_, source| source.seek_to_last())
    }

    fn next(&mut self) -> Result<()> {
        if self.backward {
            self.turn(false)
        } else {
            self.step()
        }
    }

    fn prev(&mut self) -> Result<()> {
        if self.backward {
            self.step()
        } else {
            self.turn(true)
        }
    }

    fn valid(&self) -> bool {
        !self.heap.is_empty()
    }

    fn key(&self) -> InternalKeyRef<'_> {
        match self.top() {
            Some(source) => source.key(),
            None => InternalKeyRef {
                user: &[],
                trailer: Trailer::FIRST,
            },
        }
    }

    fn value(&self) -> Value {
        self.top().map(InternalIterator::value).unwrap_or_default()
    }
}
