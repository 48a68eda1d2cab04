//! Iterates over a block, both ways.

use std::ops::Range;

use bytes::Bytes;

use super::{Block, GROUP_SIZE, Malformed};
use crate::key::{InternalKeyRef, Trailer};

/// A position in a block. Its key is put together in one buffer that is kept from entry to entry
/// and from block to block: iterating allocates nothing.
#[derive(Default)]
pub(crate) struct BlockIter {
    block: Option<Block>,
    /// Entry it is at; not below `count` if it is nowhere.
    index: usize,
    count: usize,
    key: Vec<u8>,
    value: Range<usize>,
}

impl BlockIter {
    /// Goes to another block, at no entry of it.
    pub(crate) fn set_block(&mut self, block: Block) {
        self.count = block.count();
        self.index = self.count;
        self.block = Some(block);
    }

    /// Lets go of the block.
    pub(crate) fn clear(&mut self) {
        self.block = None;
        self.index = 0;
        self.count = 0;
    }

    /// Whether it is in a block, be it at no entry of it.
    pub(crate) fn has_block(&self) -> bool {
        self.block.is_some()
    }

    /// Whether it is at an entry.
    pub(crate) fn valid(&self) -> bool {
        self.index < self.count
    }

    /// The key of the entry it is at.
    pub(crate) fn key(&self) -> InternalKeyRef<'_> {
        InternalKeyRef::parse(&self.key).unwrap_or(InternalKeyRef {
            user: &[],
            trailer: Trailer::FIRST,
        })
    }

    /// The value of the entry it is at, sharing the block's memory.
    pub(crate) fn value(&self) -> Bytes {
        match &self.block {
            Some(block) if self.valid() => block.value(self.value.clone()),
            _ => Bytes::new(),
        }
    }

    /// Goes to the first entry that is not before `target`, or to none.
    pub(crate) fn seek(&mut self, target: InternalKeyRef<'_>) -> Result<(), Malformed> {
        let Some(block) = &self.block else {
            return Ok(());
        };
        let index = block.search(target)?;
        self.go_to(index)
    }

    /// Goes to the last entry that is before `target`, or to none.
    pub(crate) fn seek_before(&mut self, target: InternalKeyRef<'_>) -> Result<(), Malformed> {
        let Some(block) = &self.block else {
            return Ok(());
        };
        let index = block.search(target)?;
        self.go_to(index.wrapping_sub(1))
    }

    /// Goes to the first entry.
    pub(crate) fn seek_to_first(&mut self) -> Result<(), Malformed> {
        self.go_to(0)
    }

    /// Goes to the last entry.
    pub(crate) fn seek_to_last(&mut self) -> Result<(), Malformed> {
        self.go_to(self.count.wrapping_sub(1))
    }

    /// Goes to the next entry, or to none.
    pub(crate) fn next(&mut self) -> Result<(), Malformed> {
        self.go_to(self.index.wrapping_add(1))
    }

    /// Goes to the entry before, or to none.
    pub(crate) fn prev(&mut self) -> Result<(), Malformed> {
        self.go_to(self.index.wrapping_sub(1))
    }

    fn go_to(&mut self, index: usize) -> Result<(), Malformed> {
        // If what follows fails, it is at no entry.
        self.index = self.count;
        let Some(block) = &self.block else {
            return Ok(());
        };
        if index >= self.count {
            return Ok(());
        }
        let entry = block.entry(index)?;
        // A kind that we do not know must not read as a tombstone.
        if entry.trailer().kind().is_none() {
            return Err(Malformed);
        }
        self.key.clear();
        if entry.shared > 0 {
            let restart = block.restart(index / GROUP_SIZE)?;
            self.key
                .extend_from_slice(restart.user.get(..entry.shared).ok_or(Malformed)?);
        }
        self.key.extend_from_slice(entry.suffix);
        self.value = entry.value_range();
        if self.value.end > block.size() {
            return Err(Malformed);
        }
        self.index = index;
        Ok(())
    }
}
