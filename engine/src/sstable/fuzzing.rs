//! SSTables, blocks and frames of any bytes.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::block::frame::{BlockHandle, open_frame, seal_frame};
use super::block::{Block, BlockIter};
use super::footer::{FOOTER_SIZE, Footer};
use super::{CacheUse, Lookup, Reader, SstableIter};
use crate::cache::BlockCache;
use crate::error::Result;
use crate::fuzzing::{assert_corruption, owned, put_file, split};
use crate::io::{Fs, MemoryFs};
use crate::iter::InternalIterator;
use crate::key::{InternalKeyRef, partition_end};
use crate::{ReadMode, Value};

const FILE_ID: u64 = 42;

/// So many of the keys that were found are looked up.
const LOOKUPS: usize = 32;

/// Opens the input as an SSTable and reads all of it, every way there is.
pub fn sstable(input: &[u8]) {
    let (sealed, contents) = split(input);
    let mut contents = contents.to_vec();
    if sealed {
        seal(&mut contents);
    }
    let fs = MemoryFs::new();
    let path = Path::new("/sst");
    put_file(&fs, path, &contents);
    let reader = fs.open(path).and_then(|file| {
        let cache = Arc::new(BlockCache::new(0, 1));
        Reader::open(file, FILE_ID, cache)
    });
    let reader = match reader {
        Ok(reader) => Arc::new(reader),
        Err(error) => return assert_corruption(&error),
    };
    if let Err(error) = reader.properties() {
        assert_corruption(&error);
    }
    let iter = || SstableIter::new(Arc::clone(&reader), ReadMode::Blocking, CacheUse::PassBy);
    let forward = collect(&mut iter(), true);
    let backward = collect(&mut iter(), false);
    match (forward, backward) {
        (Ok(forward), Ok(mut backward)) => {
            backward.reverse();
            assert_eq!(forward, backward);
            lookups(&reader, &mut iter(), &forward);
        }
        (forward, backward) => {
            for error in [forward.err(), backward.err()].into_iter().flatten() {
                assert_corruption(&error);
            }
        }
    }
}

type Entries = Vec<(Vec<u8>, Value)>;

fn collect(iter: &mut SstableIter, forward: bool) -> Result<Entries> {
    let mut entries = Vec::new();
    if forward {
        iter.seek_to_first()?;
    } else {
        iter.seek_to_last()?;
    }
    while iter.valid() {
        let mut key = Vec::new();
        iter.key().push_to(&mut key);
        entries.push((key, iter.value()));
        if forward {
            iter.next()?;
        } else {
            iter.prev()?;
        }
    }
    Ok(entries)
}

/// Looks for what was found. Whether it is found again can be said only where the file is in order;
/// that it costs no panic, always.
fn lookups(reader: &Reader, iter: &mut SstableIter, entries: &Entries) {
    for (key, _) in entries.iter().take(LOOKUPS) {
        let Some(key) = InternalKeyRef::parse(key) else {
            continue;
        };
        let lookup = Lookup::new(key.user, key.sequence());
        let outcomes = [
            reader.get(&lookup, ReadMode::Blocking).map(|_| ()),
            iter.seek(key),
            iter.seek_before(key),
        ];
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert_corruption(&error);
        }
        if let Some(prefix) = partition_end(key.user).and_then(|end| key.user.get(..end)) {
            let _either = reader.may_contain_partition(prefix);
        }
    }
}

/// Reads the input as the contents of a block.
pub fn block(input: &[u8]) {
    let Ok(block) = Block::new(owned(input)) else {
        return;
    };
    let mut iter = BlockIter::default();
    iter.set_block(block.clone());
    let mut forward: Vec<(Vec<u8>, Bytes)> = Vec::new();
    let mut outcome = iter.seek_to_first();
    while outcome.is_ok() && iter.valid() {
        let mut key = Vec::new();
        iter.key().push_to(&mut key);
        forward.push((key, iter.value()));
        outcome = iter.next();
    }
    if outcome.is_err() {
        return;
    }
    assert_eq!(forward.len(), block.count());
    assert!(iter.seek_to_last().is_ok());
    for (key, value) in forward.iter().rev() {
        assert!(iter.valid());
        let mut found = Vec::new();
        iter.key().push_to(&mut found);
        assert_eq!(&found, key);
        assert_eq!(iter.value(), value);
        assert!(iter.prev().is_ok());
    }
    assert!(!iter.valid());
    let in_order = forward.is_sorted_by(|(left, _), (right, _)| {
        InternalKeyRef::parse(left) < InternalKeyRef::parse(right)
    });
    for (key, value) in forward.iter().take(LOOKUPS) {
        let Some(target) = InternalKeyRef::parse(key) else {
            continue;
        };
        let found = block.clone().get(target);
        let sought = iter.seek(target);
        if in_order {
            assert!(sought.is_ok());
            assert_eq!(iter.key(), target);
            let value_found = found.ok().flatten().map(|found| found.value);
            assert_eq!(value_found.as_ref(), Some(value));
        }
    }
}

/// Opens the input as a framed block. Sealed, what lies behind the checksum is reached too.
pub fn frame(input: &[u8]) {
    let (sealed, contents) = split(input);
    let mut contents = contents.to_vec();
    if sealed {
        seal_frame(&mut contents, FILE_ID, 0);
    }
    let _either = open_frame(Bytes::from(contents), FILE_ID, 0);
}

/// A block to be filled, for seeds.
#[cfg(test)]
pub(crate) fn builder() -> super::block::BlockBuilder {
    super::block::BlockBuilder::default()
}

/// The frame of a block at the start of a file, for seeds.
#[cfg(test)]
pub(crate) fn framed(level: i32, contents: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    super::block::frame::FrameWriter::new(level).append(contents, true, FILE_ID, 0, &mut frame);
    frame
}

/// Where the data blocks of a file are, for seeds.
#[cfg(test)]
pub(crate) fn data_blocks(contents: &mut [u8]) -> Vec<usize> {
    let size = contents.len() as u64;
    let footer = Footer::decode(contents.last_chunk().unwrap(), FILE_ID, size).unwrap();
    let partitions = handles(contents, footer.top_index);
    let blocks = partitions
        .into_iter()
        .flat_map(|partition| handles(contents, partition));
    blocks.map(|block| block.offset as usize).collect()
}

/// Puts the checksums right of all that the footer leads to.
fn seal(contents: &mut [u8]) -> Option<()> {
    let size = contents.len() as u64;
    let start = contents.len().checked_sub(FOOTER_SIZE)?;
    let footer = contents
        .get_mut(start..)?
        .first_chunk_mut::<FOOTER_SIZE>()?;
    Footer::seal(footer, FILE_ID);
    let footer = Footer::decode(footer, FILE_ID, size).ok()?;
    for handle in [footer.filter, footer.properties, footer.top_index] {
        seal_at(contents, handle);
    }
    for partition in handles(contents, footer.top_index) {
        seal_at(contents, partition);
        for data in handles(contents, partition) {
            seal_at(contents, data);
        }
    }
    Some(())
}

fn seal_at(contents: &mut [u8], handle: BlockHandle) -> Option<()> {
    seal_frame(range(contents, handle)?, FILE_ID, handle.offset);
    Some(())
}

fn range(contents: &mut [u8], handle: BlockHandle) -> Option<&mut [u8]> {
    let start = usize::try_from(handle.offset).ok()?;
    contents.get_mut(start..start.checked_add(handle.size as usize)?)
}

/// The blocks that an index block names.
fn handles(contents: &mut [u8], index: BlockHandle) -> Vec<BlockHandle> {
    let Some(frame) = range(contents, index) else {
        return Vec::new();
    };
    let block = open_frame(owned(frame), FILE_ID, index.offset)
        .ok()
        .and_then(|contents| Block::new(contents).ok());
    let Some(block) = block else {
        return Vec::new();
    };
    (0..block.count())
        .filter_map(|entry| BlockHandle::decode(block.value_at(entry).ok()?).ok())
        .collect()
}
