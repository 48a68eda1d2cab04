//! Iterates over an SSTable, both ways.

use std::sync::Arc;

use super::block::frame::BlockHandle;
use super::block::{BlockIter, Malformed};
use super::reader::Reader;
use crate::error::{Error, Result};
use crate::iter::InternalIterator;
use crate::key::InternalKeyRef;
use crate::{ReadMode, Value};

/// Whether the blocks that an iterator reads are kept in the cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CacheUse {
    /// For reads of users.
    Keep,
    /// For compaction and the like, which read everything once.
    PassBy,
}

/// A position in an SSTable: in a partition of the index, and in the data block that its entry
/// names.
pub(crate) struct SstableIter {
    reader: Arc<Reader>,
    mode: ReadMode,
    cache_use: CacheUse,
    partition: usize,
    index: BlockIter,
    data: BlockIter,
    /// The block that `data` is in.
    handle: BlockHandle,
}

impl SstableIter {
    /// An iterator at no entry.
    pub(crate) fn new(reader: Arc<Reader>, mode: ReadMode, cache_use: CacheUse) -> SstableIter {
        SstableIter {
            reader,
            mode,
            cache_use,
            partition: 0,
            index: BlockIter::default(),
            data: BlockIter::default(),
            handle: BlockHandle::default(),
        }
    }

    fn index_error(&self) -> Error {
        self.reader.malformed_index()
    }

    fn data_error(&self) -> Error {
        self.reader.malformed(self.handle, "a data block")
    }

    /// Enters a partition of the index; `false` if there is no such partition.
    fn enter_partition(&mut self, partition: usize) -> bool {
        let Some(block) = self.reader.index().partition(partition) else {
            return false;
        };
        self.partition = partition;
        self.index.set_block(block.clone());
        true
    }

    /// Enters the data block that the index is at.
    fn enter_block(&mut self) -> Result<()> {
        let handle = BlockHandle::decode(&self.index.value())
            .map_err(|Malformed| self.reader.malformed_index())?;
        // A seek within the block that it is in already needs no lookup in the cache.
        if handle != self.handle || !self.data.has_block() {
            self.data.clear();
            let keep = self.cache_use == CacheUse::Keep;
            let block = self.reader.block(handle, self.mode, keep)?;
            self.handle = handle;
            self.data.set_block(block);
        }
        Ok(())
    }

    /// Goes to the first entry of the block behind this one, if there is one.
    fn enter_next_block(&mut self) -> Result<()> {
        self.index.next().map_err(|Malformed| self.index_error())?;
        if !self.index.valid() {
            if !self.enter_partition(self.partition + 1) {
                self.data.clear();
                return Ok(());
            }
            self.index
                .seek_to_first()
                .map_err(|Malformed| self.index_error())?;
        }
        self.enter_block()?;
        self.data
            .seek_to_first()
            .map_err(|Malformed| self.data_error())
    }

    /// Goes to the last entry of the block before this one, if there is one.
    fn enter_prev_block(&mut self) -> Result<()> {
        self.index.prev().map_err(|Malformed| self.index_error())?;
        if !self.index.valid() {
            if self.partition == 0 || !self.enter_partition(self.partition - 1) {
                self.data.clear();
                return Ok(());
            }
            self.index
                .seek_to_last()
                .map_err(|Malformed| self.index_error())?;
        }
        self.enter_block()?;
        self.data
            .seek_to_last()
            .map_err(|Malformed| self.data_error())
    }

    /// Puts the index at the block that `target` belongs to; `false` if it is behind all.
    fn seek_index(&mut self, target: InternalKeyRef<'_>) -> Result<bool> {
        let partition = self
            .reader
            .index()
            .find_partition(target)
            .map_err(|Malformed| self.index_error())?;
        if !self.enter_partition(partition) {
            return Ok(false);
        }
        self.index
            .seek(target)
            .map_err(|Malformed| self.index_error())?;
        Ok(self.index.valid())
    }

    /// Runs a movement; after an error it is at no entry.
    fn moving(&mut self, movement: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let result = movement(self);
        if result.is_err() {
            self.data.clear();
        }
        result
    }
}

impl InternalIterator for SstableIter {
    fn seek(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.moving(|this| {
            if !this.seek_index(target)? {
                this.data.clear();
                return Ok(());
            }
            this.enter_block()?;
            this.data
                .seek(target)
                .map_err(|Malformed| this.data_error())?;
            // The target may lie between the last entry of the block and its separator.
            if this.data.valid() {
                Ok(())
            } else {
                this.enter_next_block()
            }
        })
    }

    fn seek_before(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.moving(|this| {
            if !this.seek_index(target)? {
                return this.seek_to_last();
            }
            this.enter_block()?;
            this.data
                .seek_before(target)
                .map_err(|Malformed| this.data_error())?;
            if this.data.valid() {
                Ok(())
            } else {
                this.enter_prev_block()
            }
        })
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.moving(|this| {
            if !this.enter_partition(0) {
                this.data.clear();
                return Ok(());
            }
            this.index
                .seek_to_first()
                .map_err(|Malformed| this.index_error())?;
            this.enter_block()?;
            this.data
                .seek_to_first()
                .map_err(|Malformed| this.data_error())
        })
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.moving(|this| {
            let count = this.reader.index().partition_count();
            if count == 0 || !this.enter_partition(count - 1) {
                this.data.clear();
                return Ok(());
            }
            this.index
                .seek_to_last()
                .map_err(|Malformed| this.index_error())?;
            this.enter_block()?;
            this.data
                .seek_to_last()
                .map_err(|Malformed| this.data_error())
        })
    }

    fn next(&mut self) -> Result<()> {
        if !self.data.valid() {
            return Ok(());
        }
        self.moving(|this| {
            this.data.next().map_err(|Malformed| this.data_error())?;
            if this.data.valid() {
                Ok(())
            } else {
                this.enter_next_block()
            }
        })
    }

    fn prev(&mut self) -> Result<()> {
        if !self.data.valid() {
            return Ok(());
        }
        self.moving(|this| {
            this.data.prev().map_err(|Malformed| this.data_error())?;
            if this.data.valid() {
                Ok(())
            } else {
                this.enter_prev_block()
            }
        })
    }

    fn valid(&self) -> bool {
        self.data.valid()
    }

    fn key(&self) -> InternalKeyRef<'_> {
        self.data.key()
    }

    fn value(&self) -> Value {
        self.data.value()
    }
}
