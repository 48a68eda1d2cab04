//! The two-level index of an SSTable: which data block may hold a key.
//!
//! Index blocks have the layout of data blocks. An index partition has one entry per data block;
//! the top-level index has one per partition. The key of an entry is a separator: not before the
//! last key of the block (of the partition), and before the first key of the next. The value is
//! where the block is: offset and size in the file, as two varints.
//!
//! Separators are internal keys, since the versions of one user key may fill several blocks. Where
//! user keys differ, the separator is the shortest prefix of the next one that will do, with the
//! trailer that sorts first.

use bytes::Bytes;

use super::block::frame::{BadFrame, BlockHandle, open_frame};
use super::block::{Block, BlockBuilder, Malformed};
use super::footer::Footer;
use crate::key::InternalKeyRef;
use crate::varint::{Cursor, push_varint};

impl BlockHandle {
    fn encode(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(10);
        push_varint(&mut bytes, self.offset);
        push_varint(&mut bytes, u64::from(self.size));
        bytes
    }

    /// Decodes the value of an index entry.
    pub(super) fn decode(bytes: &[u8]) -> Result<BlockHandle, Malformed> {
        let mut cursor = Cursor::new(bytes);
        let handle = cursor
            .varint()
            .zip(cursor.varint_u32())
            .map(|(offset, size)| BlockHandle { offset, size });
        handle.ok_or(Malformed)
    }
}

/// A short key that is not before `last` and is before `next`, where `last` is before `next`.
fn separator<'a>(last: InternalKeyRef<'a>, next: InternalKeyRef<'a>) -> InternalKeyRef<'a> {
    let common = last
        .user
        .iter()
        .zip(next.user)
        .take_while(|(left, right)| left == right)
        .count();
    // One byte more of `next` than both have makes it greater than `last`; and it is smaller than
    // `next` as long as it is not all of it.
    match next.user.get(..=common) {
        Some(user) if user.len() < next.user.len() => InternalKeyRef::before(user),
        _ => last,
    }
}

/// Collects the index while the data blocks are written.
pub(super) struct IndexBuilder {
    /// Size at which a partition is complete.
    partition_size: usize,
    partition: BlockBuilder,
    /// Complete partitions, each with its last separator.
    complete: Vec<(Vec<u8>, Vec<u8>)>,
    last_separator: Vec<u8>,
}

impl IndexBuilder {
    pub(super) fn new(partition_size: usize) -> IndexBuilder {
        IndexBuilder {
            partition_size,
            partition: BlockBuilder::default(),
            complete: Vec::new(),
            last_separator: Vec::new(),
        }
    }

    /// Adds a data block whose last key is `last`; `next` is the first key of the block behind it,
    /// absent for the last block of all.
    pub(super) fn add(
        &mut self,
        last: InternalKeyRef<'_>,
        next: Option<InternalKeyRef<'_>>,
        handle: BlockHandle,
    ) {
        let key = next.map_or(last, |next| separator(last, next));
        self.partition.add(key, &handle.encode());
        self.last_separator.clear();
        key.push_to(&mut self.last_separator);
        if self.partition.size() >= self.partition_size {
            self.complete_partition();
        }
    }

    fn complete_partition(&mut self) {
        if !self.partition.is_empty() {
            let contents = self.partition.finish().to_vec();
            self.complete
                .push((contents, std::mem::take(&mut self.last_separator)));
            self.partition.clear();
        }
    }

    /// Bytes that the index takes in the file, about.
    pub(super) fn size(&self) -> usize {
        self.complete.len() * self.partition_size + self.partition.size()
    }

    /// Writes all partitions with `write`, which answers where each has come to lie, and gives the
    /// contents of the top-level index.
    pub(super) fn finish(mut self, mut write: impl FnMut(&[u8]) -> BlockHandle) -> Vec<u8> {
        self.complete_partition();
        let mut top = BlockBuilder::default();
        for (contents, separator) in &self.complete {
            let handle = write(contents);
            if let Some(key) = InternalKeyRef::parse(separator) {
                top.add(key, &handle.encode());
            }
        }
        top.finish().to_vec()
    }
}

/// The index of an open SSTable: all of it in memory or mapped, and verified.
pub(super) struct Index {
    top: Block,
    partitions: Vec<Block>,
}

impl Index {
    /// Verifies and takes the index from `region`, the bytes of the file from the footer's
    /// `data_end` on. The error has the offset of the bad block.
    pub(super) fn open(region: &Bytes, footer: &Footer) -> Result<Index, (u64, BadFrame)> {
        let block = |handle: BlockHandle| open_block(region, footer, handle);
        let top = block(footer.top_index)?;
        let at_top = |Malformed| (footer.top_index.offset, malformed());
        let mut partitions = Vec::with_capacity(top.count());
        for entry in 0..top.count() {
            let value = top.value_at(entry).map_err(at_top)?;
            let handle = BlockHandle::decode(value).map_err(at_top)?;
            let partition = block(handle)?;
            if partition.count() == 0 {
                return Err((handle.offset, malformed()));
            }
            partitions.push(partition);
        }
        Ok(Index { top, partitions })
    }

    /// Bytes of memory or map that it holds.
    pub(super) fn size(&self) -> usize {
        self.top.size() + self.partitions.iter().map(Block::size).sum::<usize>()
    }

    /// The data block for a point lookup of `target`: the first entry that is not before `target`
    /// is in it or, if it is not, is of another user key. `None` if all entries are before it.
    pub(super) fn find(
        &self,
        target: InternalKeyRef<'_>,
    ) -> Result<Option<BlockHandle>, Malformed> {
        let Some(partition) = self.partitions.get(self.top.search(target)?) else {
            return Ok(None);
        };
        let entry = partition.search(target)?;
        if entry >= partition.count() {
            return Ok(None);
        }
        BlockHandle::decode(partition.value_at(entry)?).map(Some)
    }

    /// Number of the partition in which [`Index::find`] would look; the number of partitions if
    /// in none.
    pub(super) fn find_partition(&self, target: InternalKeyRef<'_>) -> Result<usize, Malformed> {
        self.top.search(target)
    }

    /// A partition by its number.
    pub(super) fn partition(&self, number: usize) -> Option<&Block> {
        self.partitions.get(number)
    }

    /// Number of partitions.
    pub(super) fn partition_count(&self) -> usize {
        self.partitions.len()
    }
}

fn malformed() -> BadFrame {
    BadFrame {
        expected: "an index block".to_owned(),
        found: "a malformed one".to_owned(),
    }
}

/// Verifies a block within `region`, the bytes of the file from `data_end` on.
pub(super) fn open_frame_in(
    region: &Bytes,
    footer: &Footer,
    handle: BlockHandle,
) -> Result<Bytes, (u64, BadFrame)> {
    let start = handle
        .offset
        .checked_sub(footer.data_end)
        .and_then(|at| usize::try_from(at).ok());
    let range = start
        .and_then(|start| Some(start..start.checked_add(handle.size as usize)?))
        .filter(|range| range.end <= region.len());
    let Some(range) = range else {
        let found = format!("one of {} bytes at {}", handle.size, handle.offset);
        let expected = "a block within the index".to_owned();
        return Err((handle.offset, BadFrame { expected, found }));
    };
    open_frame(region.slice(range), footer.file_id, handle.offset)
        .map_err(|bad| (handle.offset, bad))
}

fn open_block(
    region: &Bytes,
    footer: &Footer,
    handle: BlockHandle,
) -> Result<Block, (u64, BadFrame)> {
    let contents = open_frame_in(region, footer, handle)?;
    Block::new(contents).map_err(|Malformed| (handle.offset, malformed()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::{InternalKey, Kind};

    #[test]
    fn separators_are_short() {
        let put = |user| InternalKeyRef::new(user, 5, Kind::Put);
        let separate = |last, next| separator(put(last), put(next));
        assert_eq!(separate(b"apple", b"banana"), InternalKeyRef::before(b"b"));
        assert_eq!(separate(b"ab", b"abcd"), InternalKeyRef::before(b"abc"));
        // Nothing shorter than `abc` lies between.
        assert_eq!(separate(b"ab", b"abc"), put(b"ab"));
        let (newer, older) = (put(b"a"), InternalKeyRef::new(b"a", 4, Kind::Put));
        assert_eq!(separator(newer, older), newer);
    }

    fn key() -> impl Strategy<Value = InternalKey> {
        (prop::collection::vec(0u8..3, 0..5), 0u64..4)
            .prop_map(|(user, sequence)| InternalKey::new(&user, sequence, Kind::Put))
    }

    proptest! {
        #[test]
        fn separators_separate(one in key(), other in key()) {
            prop_assume!(one != other);
            let (last, next) = if one < other { (&one, &other) } else { (&other, &one) };
            let separator = separator(last.as_ref(), next.as_ref());
            prop_assert!(last.as_ref() <= separator);
            prop_assert!(separator < next.as_ref());
        }
    }
}
