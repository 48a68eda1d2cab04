//! Blocks: sorted runs of entries, small enough to read whole. Data blocks hold the database's
//! versions, index blocks hold where blocks are; both have the layout below.
//!
//! # Contents of a block, before compression
//!
//! All integers little-endian.
//!
//! | offset | size | type | content |
//! |---|---|---|---|
//! | 0 | 4 | u32 | 2 n, plus 1 if offsets are u32; n is the number of entries |
//! | 4 | 4 | u32 | k, the size of all keys |
//! | 8 | n × 2 or n × 4 | u16 or u32 | offset of each key among the keys |
//! | | k | key × n | the keys, in order of internal keys |
//! | | rest | bytes | the values, in the same order, without gaps |
//!
//! Offsets are u16 if `k` is at most 65,535. A key:
//!
//! | size | type | content |
//! |---|---|---|
//! | 1–5 | varint | `shared`: bytes of the user key that are those of the group's first user key |
//! | 1–5 | varint | `unshared`: bytes of the user key behind them |
//! | 1–5 | varint | offset of the value among the values |
//! | 1–5 | varint | length of the value |
//! | unshared | bytes | the rest of the user key |
//! | 9 | bytes | the trailer: complement of the sequence number, kind (see [`Trailer`]) |
//!
//! Keys are apart from values because a search looks at keys only: of a block of 16 KiB with values
//! of 1 KiB, all keys are in a dozen neighbouring cache lines, and a lookup misses the processor's
//! caches once or twice instead of once per comparison.
//!
//! Entries form groups of [`GROUP_SIZE`]; entry `i` with `i % GROUP_SIZE = 0` is the restart point
//! of its group and has `shared = 0`. Prefixes are relative to the restart point, not to the entry
//! before: with the offsets, any entry is found and decoded by itself. So a block is searched
//! binarily down to the entry, and iterated backward at the cost of forward.

mod builder;
mod check;
pub(crate) mod frame;
mod iter;

pub(crate) use builder::BlockBuilder;
pub(crate) use iter::BlockIter;

use std::cmp::Ordering;
use std::ops::Range;

use bytes::{Buf as _, Bytes};

use crate::key::{InternalKeyRef, TRAILER_SIZE, Trailer};
use crate::varint::Cursor;

/// Entries between restart points. Do not change: it is in the format. Fewer would store more
/// whole keys, more would only save bytes that zstd finds anyway.
pub(crate) const GROUP_SIZE: usize = 16;

/// Bytes of a block before its offsets.
const HEADER_SIZE: usize = 8;

/// Where things are in a block.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// Number of entries.
    count: u32,
    /// Where the keys start.
    keys_start: u32,
    /// Where the values start: the end of the keys.
    values_start: u32,
    /// Whether offsets are u32.
    wide: bool,
}

/// The contents of a block, in memory. A clone shares the bytes.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    data: Bytes,
    shape: Shape,
}

/// An entry where it lies in its block.
#[derive(Clone, Copy)]
struct Entry<'a> {
    /// Bytes of the user key taken from the group's restart point.
    shared: usize,
    /// The rest of the user key, and the trailer.
    suffix: &'a [u8],
    /// Where the value lies in the block; not checked yet.
    value_start: usize,
    value_len: usize,
}

impl<'a> Entry<'a> {
    fn unshared(&self) -> &'a [u8] {
        self.suffix
            .split_last_chunk::<TRAILER_SIZE>()
            .map_or(self.suffix, |(user, _)| user)
    }

    fn value_range(&self) -> Range<usize> {
        self.value_start..self.value_start + self.value_len
    }

    fn trailer(&self) -> Trailer {
        self.suffix
            .last_chunk::<TRAILER_SIZE>()
            .map_or(Trailer::FIRST, |bytes| Trailer(*bytes))
    }
}

/// The first key of a group of entries.
struct Restart<'a> {
    user: &'a [u8],
    trailer: Trailer,
}

/// What a point lookup found in a block.
pub(crate) struct Found {
    pub(crate) trailer: Trailer,
    pub(crate) value: Bytes,
}

/// What is wrong with a block whose checksum is right: a defect of the engine that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Block {
    /// Takes the contents of a block.
    pub(crate) fn new(data: Bytes) -> Result<Block, Malformed> {
        let shape = Shape::decode(&data).ok_or(Malformed)?;
        Ok(Block { data, shape })
    }

    /// Bytes of memory that the block holds.
    pub(crate) fn size(&self) -> usize {
        self.data.len()
    }

    /// Number of entries.
    pub(crate) fn count(&self) -> usize {
        self.shape.count as usize
    }

    fn offset(&self, index: usize) -> Option<usize> {
        if self.shape.wide {
            let bytes = self
                .data
                .get(HEADER_SIZE + 4 * index..)?
                .first_chunk::<4>()?;
            Some(u32::from_le_bytes(*bytes) as usize)
        } else {
            let bytes = self
                .data
                .get(HEADER_SIZE + 2 * index..)?
                .first_chunk::<2>()?;
            Some(u16::from_le_bytes(*bytes) as usize)
        }
    }

    fn entry(&self, index: usize) -> Result<Entry<'_>, Malformed> {
        self.decode(index).ok_or(Malformed)
    }

    fn decode(&self, index: usize) -> Option<Entry<'_>> {
        if index >= self.count() {
            return None;
        }
        let (start, end) = (
            self.shape.keys_start as usize,
            self.shape.values_start as usize,
        );
        let keys = self.data.get(start..end)?;
        let mut cursor = Cursor::new(keys.get(self.offset(index)?..)?);
        let shared = cursor.varint_u32()? as usize;
        let unshared = cursor.varint_u32()? as usize;
        let value_start = end + cursor.varint_u32()? as usize;
        let value_len = cursor.varint_u32()? as usize;
        let suffix = cursor.take(unshared.checked_add(TRAILER_SIZE)?)?;
        Some(Entry {
            shared,
            suffix,
            value_start,
            value_len,
        })
    }

    fn restart(&self, group: usize) -> Result<Restart<'_>, Malformed> {
        let entry = self.entry(group * GROUP_SIZE)?;
        if entry.shared != 0 {
            return Err(Malformed);
        }
        Ok(Restart {
            user: entry.unshared(),
            trailer: entry.trailer(),
        })
    }

    /// The value bytes, sharing the block's memory; empty if they do not lie in the block.
    fn value(&self, range: Range<usize>) -> Bytes {
        if range.end <= self.data.len() {
            self.data.slice(range)
        } else {
            Bytes::new()
        }
    }

    /// The value of an entry by its number.
    pub(crate) fn value_at(&self, index: usize) -> Result<&[u8], Malformed> {
        let range = self.entry(index)?.value_range();
        self.data.get(range).ok_or(Malformed)
    }

    /// Number of the first entry that is not before `target`; the number of entries if all are.
    pub(crate) fn search(&self, target: InternalKeyRef<'_>) -> Result<usize, Malformed> {
        // The last group whose restart point is before the target.
        let (mut low, mut high) = (0, self.count().div_ceil(GROUP_SIZE));
        while low < high {
            let middle = low + (high - low) / 2;
            let restart = self.restart(middle)?;
            if (restart.user, restart.trailer) < (target.user, target.trailer) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(group) = low.checked_sub(1) else {
            return Ok(0);
        };

        // How much of the target the restart point has says, for most entries, how they compare.
        let restart = self.restart(group)?;
        let common = common_prefix(restart.user, target.user);
        let first = group * GROUP_SIZE;
        let (mut low, mut high) = (first + 1, self.count().min(first + GROUP_SIZE));
        while low < high {
            let middle = low + (high - low) / 2;
            if compare_in_group(&self.entry(middle)?, common, target) == Ordering::Less {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The first entry that is not before `target`, if it is of the same user key.
    pub(crate) fn get(self, target: InternalKeyRef<'_>) -> Result<Option<Found>, Malformed> {
        let index = self.search(target)?;
        if index >= self.count() {
            return Ok(None);
        }
        let entry = self.entry(index)?;
        let restart = self.restart(index / GROUP_SIZE)?;
        let prefix = restart.user.get(..entry.shared).ok_or(Malformed)?;
        let unshared = entry.unshared();
        let same = target.user.len() == prefix.len() + unshared.len()
            && target.user.starts_with(prefix)
            && target.user.ends_with(unshared);
        if !same {
            return Ok(None);
        }
        let (trailer, range) = (entry.trailer(), entry.value_range());
        if range.end > self.data.len() {
            return Err(Malformed);
        }
        // The handle to the block becomes the handle to the value: no count is touched.
        let mut value = self.data;
        value.truncate(range.end);
        value.advance(range.start);
        Ok(Some(Found { trailer, value }))
    }
}

impl Shape {
    fn decode(data: &[u8]) -> Option<Shape> {
        let mut cursor = Cursor::new(data);
        let count = cursor.u32()?;
        let (count, wide) = (count >> 1, count & 1 == 1);
        let keys_size = cursor.u32()?;
        let width = if wide { 4 } else { 2 };
        let keys_start = count.checked_mul(width)?.checked_add(HEADER_SIZE as u32)?;
        let values_start = keys_start.checked_add(keys_size)?;
        let fits = values_start as usize <= data.len();
        fits.then_some(Shape {
            count,
            keys_start,
            values_start,
            wide,
        })
    }
}

/// Compares an entry with a target that is behind the restart point of the entry's group and has
/// the first `common` bytes of it.
fn compare_in_group(entry: &Entry<'_>, common: usize, target: InternalKeyRef<'_>) -> Ordering {
    if entry.shared > common {
        // Where the restart point first differs from the target it is smaller, and the entry is
        // the same as the restart point there.
        return Ordering::Less;
    }
    let rest = target.user.get(entry.shared..).unwrap_or_default();
    entry
        .unshared()
        .cmp(rest)
        .then_with(|| entry.trailer().cmp(&target.trailer))
}

/// Number of bytes at the start that both have.
fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    let words = left
        .chunks_exact(8)
        .zip(right.chunks_exact(8))
        .take_while(|(left, right)| left == right)
        .count();
    let bytes = left
        .iter()
        .zip(right)
        .skip(words * 8)
        .take_while(|(left, right)| left == right)
        .count();
    words * 8 + bytes
}

#[cfg(test)]
mod tests;
