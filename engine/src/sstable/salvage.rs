//! Reading what is left of a damaged SSTable: every data block that is whole.

use std::sync::Arc;

use bytes::Bytes;

use super::block::frame::{BlockHandle, open_frame};
use super::block::{Block, BlockIter, Malformed};
use super::filter::Filter;
use super::parts::{self, DataBlock, OnDamage};
use super::properties::Properties;
use super::scan;
use crate::Value;
use crate::error::{Error, Result};
use crate::io::File;
use crate::key::{InternalKeyRef, user_key_hash};

/// Keys that a file has lost: behind one, or from it on, and up to another where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LostRange {
    pub(crate) offset: u64,
    pub(crate) after: Vec<u8>,
    /// Whether `after` itself may be lost.
    pub(crate) inclusive: bool,
    pub(crate) until: Option<Vec<u8>>,
}

/// What could be read of a file.
#[derive(Default)]
pub(crate) struct Remains {
    pub(crate) properties: Option<Properties>,
    pub(crate) lost: Vec<LostRange>,
    filter: Option<Filter>,
    blocks: Vec<BlockHandle>,
}

impl Remains {
    /// Looks through the bytes of a whole file. Every damage is told of.
    pub(crate) fn read(contents: &Bytes, file_id: u64, on_damage: &mut OnDamage<'_>) -> Remains {
        let mut parts = parts::read(contents, file_id, on_damage);
        let mut remains = Remains {
            properties: parts.properties.take(),
            filter: parts.filter.take(),
            ..Remains::default()
        };
        if parts.indexed {
            remains.take(contents, file_id, parts.data, on_damage);
            return remains;
        }
        // Without the index the blocks are found by their checksums, as far as they follow each other;
        // behind that, what is left of the index has to do.
        let found = scan::scan(contents, file_id);
        let data_end = parts.footer.map(|footer| footer.data_end);
        let mut data = found.blocks;
        let named = parts.data.into_iter();
        data.extend(named.filter(|block| block.handle.offset >= found.end));
        let (end, last) = remains.take(contents, file_id, data, on_damage);
        if !found.whole && data_end.is_none_or(|data_end| end < data_end) {
            remains.lose(end, &last, None);
        }
        remains
    }

    /// Of a file of which nothing can be read.
    pub(crate) fn nothing(range: LostRange) -> Remains {
        Remains {
            lost: vec![range],
            ..Remains::default()
        }
    }

    /// Takes note of the blocks that are whole, and of what is lost with the others. Answers where they
    /// end, and the last key.
    fn take(
        &mut self,
        contents: &Bytes,
        file_id: u64,
        data: Vec<DataBlock>,
        on_damage: &mut OnDamage<'_>,
    ) -> (u64, Vec<u8>) {
        let (mut end, mut last) = (0, Vec::new());
        for DataBlock { handle, separator } in data {
            let read = parts::frame(contents, file_id, handle, on_damage);
            let keys = read.and_then(|contents| first_and_last(Block::new(contents).ok()?));
            let separator = parts::user_key(&separator);
            if handle.offset != end {
                // What lies between is named by a part of the index that is lost.
                let until = keys.as_ref().map_or(separator, |(first, _)| first);
                self.lose(end, &last, Some(until));
            }
            match keys {
                Some((_, behind)) => {
                    self.blocks.push(handle);
                    last = behind;
                }
                None => self.lose(handle.offset, &last, Some(separator)),
            }
            end = handle.offset + u64::from(handle.size);
        }
        (end, last)
    }

    /// Sets bounds that the manifest knows.
    pub(crate) fn bound(&mut self, properties: &Properties) {
        for range in &mut self.lost {
            range
                .until
                .get_or_insert_with(|| properties.largest.to_vec());
            if range.after.is_empty() {
                range.after = properties.smallest.to_vec();
                range.inclusive = true;
            }
        }
        self.properties.get_or_insert_with(|| properties.clone());
    }

    fn lose(&mut self, offset: u64, after: &[u8], until: Option<&[u8]>) {
        self.lost.push(LostRange {
            offset,
            after: after.to_vec(),
            inclusive: after.is_empty(),
            until: until.map(<[u8]>::to_vec),
        });
    }

    /// Whether the file may have had a version of a key that is lost now.
    pub(crate) fn may_have_lost(&self, user_key: &[u8]) -> bool {
        let known = |filter: &Filter| filter.may_contain(user_key_hash(user_key));
        self.lost.iter().any(|range| {
            (range.after.as_slice() < user_key || (range.inclusive && range.after == user_key))
                && range.until.as_deref().is_none_or(|until| user_key <= until)
        }) && self.filter.as_ref().is_none_or(known)
    }

    /// Goes through what is left, in order.
    pub(crate) fn entries(&self, file: Arc<dyn File>, file_id: u64) -> Entries {
        Entries {
            file,
            file_id,
            blocks: self.blocks.clone().into_iter(),
            at: BlockIter::default(),
        }
    }
}

/// The first and the last user key of a block in which everything can be read.
fn first_and_last(block: Block) -> Option<(Vec<u8>, Vec<u8>)> {
    if block.count() == 0 {
        return None;
    }
    let mut iter = BlockIter::default();
    iter.set_block(block);
    iter.seek_to_first().ok()?;
    let first = iter.key().user.to_vec();
    let mut last = Vec::new();
    while iter.valid() {
        last.clear();
        last.extend_from_slice(iter.key().user);
        iter.next().ok()?;
    }
    Some((first, last))
}

/// A position in what is left of a file.
pub(crate) struct Entries {
    file: Arc<dyn File>,
    file_id: u64,
    blocks: std::vec::IntoIter<BlockHandle>,
    at: BlockIter,
}

impl Entries {
    /// Goes to the next entry, at first to the first; `false` if there is none.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        let path = self.file.path().to_path_buf();
        let malformed = |Malformed| Error::corruption(&path, 0, "a data block", "a malformed one");
        if self.at.valid() {
            self.at.next().map_err(malformed)?;
        }
        while !self.at.valid() {
            let Some(handle) = self.blocks.next() else {
                return Ok(false);
            };
            let mut frame = vec![0; handle.size as usize];
            self.file.read_exact_at(&mut frame, handle.offset)?;
            let contents = open_frame(frame.into(), self.file_id, handle.offset)
                .map_err(|bad| Error::corruption(&path, handle.offset, bad.expected, bad.found))?;
            self.at.set_block(Block::new(contents).map_err(malformed)?);
            self.at.seek_to_first().map_err(malformed)?;
        }
        Ok(true)
    }

    pub(crate) fn key(&self) -> InternalKeyRef<'_> {
        self.at.key()
    }

    pub(crate) fn value(&self) -> Value {
        self.at.value()
    }
}
