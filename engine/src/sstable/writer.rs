//! Writes an SSTable, front to back.

use std::sync::Arc;

use bytes::Bytes;

use super::block::BlockBuilder;
use super::block::frame::{BlockHandle, FrameWriter, MAX_BLOCK_SIZE};
use super::filter::FilterBuilder;
use super::footer::Footer;
use super::index::IndexBuilder;
use super::properties::{FileMeta, Properties};
use crate::error::{Error, Result};
use crate::io::File;
use crate::key::{InternalKeyRef, partition_end, user_key_hash};
use crate::mutants::{Mutant, is_on};

/// Bytes collected before they are written to the file in one call.
const WRITE_SIZE: usize = 256 << 10;

/// Bytes after which the disk is told to begin with them: of a file that is written, no more than
/// twice this waits for its sync.
const WRITE_BACK_SIZE: u64 = 1 << 20;

/// How an SSTable is written. Readers need to know none of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriterOptions {
    /// Size at which a data block is complete, before compression.
    pub(crate) block_size: usize,
    /// zstd's level for data blocks; 0 stores them as they are.
    pub(crate) compression_level: i32,
    /// Bits of the filter per user key and per partition.
    pub(crate) bloom_bits_per_key: usize,
}

/// The last key that was added, and what follows from it.
#[derive(Default)]
struct LastKey {
    encoded: Vec<u8>,
    /// Length of the prefix that the partition's keys share.
    partition_prefix: usize,
}

/// An SSTable being written. Dropping it leaves an incomplete file that no manifest names.
pub(crate) struct Writer {
    file: Arc<dyn File>,
    file_id: u64,
    options: WriterOptions,
    frames: FrameWriter,
    /// What is not yet written to the file; it goes to `written`.
    buffer: Vec<u8>,
    written: u64,
    /// Up to here the disk has begun.
    written_back: u64,
    checksum: crc32fast::Hasher,
    data: BlockBuilder,
    index: IndexBuilder,
    /// A data block whose index entry waits for the next key, and its last key.
    pending: Option<BlockHandle>,
    pending_last: Vec<u8>,
    filter: FilterBuilder,
    last: LastKey,
    properties: Properties,
}

impl Writer {
    /// Starts an SSTable in a new, empty file.
    pub(crate) fn new(file: Arc<dyn File>, file_id: u64, options: WriterOptions) -> Writer {
        Writer {
            file,
            file_id,
            frames: FrameWriter::new(options.compression_level),
            buffer: Vec::with_capacity(WRITE_SIZE + options.block_size * 2),
            written: 0,
            written_back: 0,
            checksum: crc32fast::Hasher::new(),
            data: BlockBuilder::default(),
            index: IndexBuilder::new(options.block_size),
            pending: None,
            pending_last: Vec::new(),
            filter: FilterBuilder::default(),
            last: LastKey::default(),
            properties: Properties::default(),
            options,
        }
    }

    /// Appends a version. Keys come in order, each once.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for an entry that the format can't hold, or the file's error.
    ///
    /// # Panics
    ///
    /// If the keys are not in order: the file would be wrong, and silently so.
    pub(crate) fn add(&mut self, key: InternalKeyRef<'_>, value: &[u8]) -> Result<()> {
        if self.data.size_with(key, value) > MAX_BLOCK_SIZE - (1 << 20) && self.data.is_empty() {
            return Err(Error::invalid(format!(
                "an entry of {} bytes is larger than any SSTable block may be",
                key.user.len() + value.len()
            )));
        }
        let same_user_key = self.check_order(key);
        if !self.data.is_empty() && self.data.size_with(key, value) > self.options.block_size {
            self.complete_block()?;
        }
        if let Some(handle) = self.pending.take()
            && let Some(last) = InternalKeyRef::parse(&self.pending_last)
        {
            self.index.add(last, Some(key), handle);
        }
        if !same_user_key {
            self.add_to_filter(key.user)?;
        }
        self.data.add(key, value);
        self.properties.count(key, value.len());
        self.last.encoded.clear();
        key.push_to(&mut self.last.encoded);
        Ok(())
    }

    /// Asserts the order, and answers whether the last entry was of the same user key.
    fn check_order(&self, key: InternalKeyRef<'_>) -> bool {
        let Some(last) = InternalKeyRef::parse(&self.last.encoded) else {
            return false;
        };
        assert!(
            last < key,
            "SSTable keys out of order: {key:?} after {last:?}"
        );
        last.user == key.user
    }

    fn add_to_filter(&mut self, user_key: &[u8]) -> Result<()> {
        let prefix = self
            .last
            .encoded
            .get(..self.last.partition_prefix)
            .unwrap_or_default();
        if prefix.is_empty() || !user_key.starts_with(prefix) {
            let end = partition_end(user_key)
                .ok_or_else(|| Error::invalid("a key without the end of its partition"))?;
            self.last.partition_prefix = end;
            self.filter
                .add(user_key_hash(user_key.get(..end).unwrap_or_default()));
        }
        self.filter.add(user_key_hash(user_key));
        Ok(())
    }

    /// Bytes that the file would have if it were finished now, about.
    pub(crate) fn size(&self) -> u64 {
        self.position()
            + self.data.size() as u64
            + self.index.size() as u64
            + self.filter.size(self.options.bloom_bits_per_key) as u64
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.properties.entries == 0
    }

    /// The last user key that was added; empty if none was.
    pub(crate) fn last_user_key(&self) -> &[u8] {
        InternalKeyRef::parse(&self.last.encoded).map_or(&[], |last| last.user)
    }

    /// Offset in the file of the next byte.
    fn position(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn complete_block(&mut self) -> Result<()> {
        let offset = self.position();
        let contents = self.data.finish();
        let size = self
            .frames
            .append(contents, true, self.file_id, offset, &mut self.buffer);
        self.data.clear();
        self.pending = Some(BlockHandle { offset, size });
        self.pending_last.clone_from(&self.last.encoded);
        self.properties.data_blocks += 1;
        if self.buffer.len() >= WRITE_SIZE {
            self.write_out()?;
        }
        Ok(())
    }

    fn write_out(&mut self) -> Result<()> {
        self.checksum.update(&self.buffer);
        self.file.write_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        if self.written - self.written_back >= WRITE_BACK_SIZE {
            self.file.write_back(self.written_back, self.written)?;
            self.written_back = self.written;
        }
        Ok(())
    }

    /// Writes the end of the file, and makes all of it durable.
    fn write_end(&mut self) -> Result<()> {
        self.checksum.update(&self.buffer);
        match is_on(Mutant::SstableSync) {
            true => self.file.write_at(&self.buffer, self.written)?,
            false => self.file.write_at_and_sync(&self.buffer, self.written)?,
        }
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Appends a block as it is: readers use those behind the data blocks where they lie.
    fn append_raw(&mut self, contents: &[u8]) -> BlockHandle {
        let offset = self.position();
        let size = self
            .frames
            .append(contents, false, self.file_id, offset, &mut self.buffer);
        BlockHandle { offset, size }
    }

    /// Completes the file and makes its contents durable. Its name is durable once the directory
    /// is synced, which is the caller's to do before a manifest names the file.
    ///
    /// # Panics
    ///
    /// If nothing was added: there is no empty SSTable.
    pub(crate) fn finish(mut self) -> Result<FileMeta> {
        assert!(!self.is_empty(), "an SSTable without entries");
        if !self.data.is_empty() {
            self.complete_block()?;
        }
        let data_end = self.position();
        let mut index = std::mem::replace(&mut self.index, IndexBuilder::new(0));
        if let Some(handle) = self.pending.take()
            && let Some(last) = InternalKeyRef::parse(&self.pending_last)
        {
            index.add(last, None, handle);
        }
        let top = index.finish(|partition| self.append_raw(partition));
        let top_index = self.append_raw(&top);
        let filter = self.filter.finish(self.options.bloom_bits_per_key);
        let filter = self.append_raw(&filter);

        self.properties.largest = Bytes::copy_from_slice(self.last_user_key());
        let mut encoded = Vec::new();
        self.properties.encode(&mut encoded);
        let properties = self.append_raw(&encoded);

        let footer = Footer {
            file_id: self.file_id,
            data_end,
            top_index,
            filter,
            properties,
        };
        self.buffer.extend_from_slice(&footer.encode());
        self.write_end()?;
        Ok(FileMeta {
            file_id: self.file_id,
            size: self.written,
            checksum: self.checksum.finalize(),
            properties: self.properties,
        })
    }
}
