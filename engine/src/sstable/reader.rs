//! Reads an SSTable: point lookups here, iteration in [`SstableIter`](super::SstableIter).

use std::sync::Arc;

use bytes::Bytes;

use super::block::frame::{BadFrame, BlockHandle, open_frame};
use super::block::{Block, Malformed};
use super::filter::Filter;
use super::footer::{FOOTER_SIZE, Footer};
use super::index::{Index, open_frame_in};
use super::properties::Properties;
use crate::cache::BlockCache;
use crate::error::{Error, Result};
use crate::io::File;
use crate::key::{InternalKeyRef, Kind, user_key_hash};
use crate::varint::Cursor;
use crate::{ReadMode, Value};

/// A point lookup: made once, and asked of one SSTable after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup<'a> {
    target: InternalKeyRef<'a>,
    hash: u64,
}

impl<'a> Lookup<'a> {
    /// For the newest version of `user_key` that a reader at `sequence` may see.
    pub(crate) fn new(user_key: &'a [u8], sequence: u64) -> Lookup<'a> {
        Lookup {
            target: InternalKeyRef::seek(user_key, sequence),
            hash: user_key_hash(user_key),
        }
    }

    /// The user key.
    pub(crate) fn user_key(&self) -> &'a [u8] {
        self.target.user
    }
}

/// The version that a lookup found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FoundVersion {
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    /// Empty for a tombstone.
    pub(crate) value: Value,
}

/// An open SSTable. Index and filter were verified when it was opened; data blocks are when they
/// are read.
pub(crate) struct Reader {
    file: Arc<dyn File>,
    cache: Arc<BlockCache>,
    footer: Footer,
    index: Index,
    filter: Filter,
}

impl Reader {
    /// Opens a complete SSTable. Reads the footer, and maps and verifies index and filter: that
    /// may wait for the disk.
    pub(crate) fn open(
        file: Arc<dyn File>,
        file_id: u64,
        cache: Arc<BlockCache>,
    ) -> Result<Reader> {
        let size = file.len()?;
        let footer = read_footer(file.as_ref(), file_id, size)?;
        let corrupt = |(offset, bad): (u64, BadFrame)| corruption(file.as_ref(), offset, bad);
        // The footer's offsets are in order and within the file: `decode` has seen to it.
        let region_size = footer.properties.offset - footer.data_end;
        let region_size = usize::try_from(region_size)
            .map_err(|_| Error::invalid("an SSTable index larger than this machine's memory"))?;
        let region = file.map(footer.data_end, region_size)?;
        let index = Index::open(&region, &footer).map_err(corrupt)?;
        let filter = open_frame_in(&region, &footer, footer.filter).map_err(corrupt)?;
        let filter = Filter::new(filter).ok_or_else(|| {
            let found = "a block of another size".to_owned();
            let bad = BadFrame {
                expected: "a filter".to_owned(),
                found,
            };
            corruption(file.as_ref(), footer.filter.offset, bad)
        })?;
        Ok(Reader {
            cache,
            footer,
            index,
            filter,
            file,
        })
    }

    /// Bytes of memory, or of the page cache through a map, that index and filter take.
    pub(crate) fn pinned_size(&self) -> usize {
        self.index.size() + self.filter.size()
    }

    /// Reads the properties.
    #[cfg_attr(
        not(any(test, feature = "fuzzing")),
        expect(
            dead_code,
            reason = "the manifest has them too: this is for checking a file by itself"
        )
    )]
    pub(crate) fn properties(&self) -> Result<Properties> {
        let handle = self.footer.properties;
        let mut frame = vec![0; handle.size as usize];
        self.file.read_exact_at(&mut frame, handle.offset)?;
        let contents = open_frame(Bytes::from(frame), self.footer.file_id, handle.offset)
            .map_err(|bad| corruption(self.file.as_ref(), handle.offset, bad))?;
        let mut cursor = Cursor::new(&contents);
        Properties::decode(&mut cursor)
            .filter(|_| cursor.remaining() == 0)
            .ok_or_else(|| self.malformed(handle, "properties"))
    }

    /// The newest version of a user key that the lookup may see.
    pub(crate) fn get(&self, lookup: &Lookup<'_>, mode: ReadMode) -> Result<Option<FoundVersion>> {
        if !self.filter.may_contain(lookup.hash) {
            return Ok(None);
        }
        let handle = self
            .index
            .find(lookup.target)
            .map_err(|Malformed| self.malformed_index())?;
        let Some(handle) = handle else {
            return Ok(None);
        };
        let block = self.block(handle, mode, true)?;
        let malformed = || self.malformed(handle, "a data block");
        match block.get(lookup.target).map_err(|Malformed| malformed())? {
            None => Ok(None),
            Some(found) => Ok(Some(FoundVersion {
                sequence: found.trailer.sequence(),
                kind: found.trailer.kind().ok_or_else(malformed)?,
                value: found.value,
            })),
        }
    }

    /// `false` if no key here begins with the prefix of a partition, as
    /// [`KeyRange::partition_prefix`](crate::KeyRange) gives it.
    pub(crate) fn may_contain_partition(&self, partition_prefix: &[u8]) -> bool {
        self.filter.may_contain(user_key_hash(partition_prefix))
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Reads a data block, from the cache if it is there. With `keep`, it is in the cache after.
    pub(super) fn block(&self, handle: BlockHandle, mode: ReadMode, keep: bool) -> Result<Block> {
        if let Some(contents) = self.cache.get(self.footer.file_id, handle.offset) {
            return Block::new(contents)
                .map_err(|Malformed| self.malformed(handle, "a data block"));
        }
        self.read_block(handle, mode, keep)
    }

    #[cold]
    fn read_block(&self, handle: BlockHandle, mode: ReadMode, keep: bool) -> Result<Block> {
        let end = handle.offset.checked_add(u64::from(handle.size));
        if end.is_none_or(|end| end > self.footer.data_end) {
            return Err(self.malformed_index());
        }
        let mut frame = vec![0; handle.size as usize];
        match mode {
            ReadMode::Blocking => self.file.read_exact_at(&mut frame, handle.offset)?,
            ReadMode::CachedOnly => {
                if !self.file.read_exact_at_cached(&mut frame, handle.offset)? {
                    return Err(Error::WouldBlock);
                }
            }
        }
        let contents = open_frame(Bytes::from(frame), self.footer.file_id, handle.offset)
            .map_err(|bad| corruption(self.file.as_ref(), handle.offset, bad))?;
        let block = Block::new(contents.clone())
            .map_err(|Malformed| self.malformed(handle, "a data block"))?;
        // There is none without entries, and an iterator would end there as if all were read.
        if block.count() == 0 {
            return Err(self.malformed(handle, "a data block with entries"));
        }
        if keep {
            self.cache
                .insert(self.footer.file_id, handle.offset, contents);
        }
        Ok(block)
    }

    pub(super) fn malformed(&self, handle: BlockHandle, what: &'static str) -> Error {
        Error::corruption(self.file.path(), handle.offset, what, "a malformed one")
    }

    pub(super) fn malformed_index(&self) -> Error {
        Error::corruption(
            self.file.path(),
            self.footer.data_end,
            "an index",
            "a malformed one",
        )
    }
}

fn corruption(file: &dyn File, offset: u64, bad: BadFrame) -> Error {
    Error::corruption(file.path(), offset, bad.expected, bad.found)
}

fn read_footer(file: &dyn File, file_id: u64, size: u64) -> Result<Footer> {
    let Some(offset) = size.checked_sub(FOOTER_SIZE as u64) else {
        return Err(Error::corruption(
            file.path(),
            0,
            "an SSTable",
            format!("{size} bytes"),
        ));
    };
    let mut bytes = [0; FOOTER_SIZE];
    file.read_exact_at(&mut bytes, offset)?;
    Footer::decode(&bytes, file_id, size).map_err(|bad| corruption(file, offset, bad))
}
