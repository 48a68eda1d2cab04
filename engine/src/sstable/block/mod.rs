//! Blocks: sorted runs of entries, small enough to read whole. Data blocks hold the database's
//! versions, index blocks hold where blocks are; both have the layout below.
//!
//! # Contents of a block, before compression
//!
//! | size | type | content |
//! |---|---|---|
//! | | entry × n | the entries, in order of internal keys |
//! | n × 2 or n × 4 | u16 or u32, little-endian | offset of each entry in the block |
//! | 4 | u32, little-endian | 2 n, plus 1 if offsets are u32 |
//!
//! Offsets are u16 if all entries together have at most 65,535 bytes.
//!
//! An entry:
//!
//! | size | type | content |
//! |---|---|---|
//! | 1–5 | varint | `shared`: bytes of the user key that are those of the group's first user key |
//! | 1–5 | varint | `unshared`: bytes of the user key behind them |
//! | 1–5 | varint | `value_len` |
//! | unshared | bytes | the rest of the user key |
//! | 9 | bytes | the trailer: complement of the sequence number, kind (see [`Trailer`]) |
//! | value_len | bytes | the value |
//!
//! Entries form groups of [`GROUP_SIZE`]; entry `i` with `i % GROUP_SIZE = 0` is the restart point
//! of its group and has `shared = 0`. Prefixes are relative to the restart point, not to the entry
//! before: with the offsets, any entry is found and decoded by itself. So a block is searched
//! binarily down to the entry, and iterated backward at the cost of forward.

mod builder;
pub(crate) mod frame;
mod iter;

pub(crate) use builder::BlockBuilder;
pub(crate) use iter::BlockIter;

use std::cmp::Ordering;
use std::ops::Range;

use bytes::Bytes;

use crate::key::{InternalKeyRef, TRAILER_SIZE, Trailer};
use crate::varint::Cursor;

/// Entries between restart points. Do not change: it is in the format. Fewer would store more
/// whole keys, more would only save bytes that zstd finds anyway.
pub(crate) const GROUP_SIZE: usize = 16;

/// Bytes of a block behind its offsets.
const TAIL_SIZE: usize = 4;

/// Where a block keeps the offsets of its entries.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// Number of entries.
    count: u32,
    /// Size of all entries: where the offsets start.
    entries_size: u32,
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
    /// Where the value lies in the block.
    value_start: usize,
    value_len: usize,
}

impl<'a> Entry<'a> {
    fn unshared(&self) -> &'a [u8] {
        self.suffix
            .split_last_chunk::<TRAILER_SIZE>()
            .map_or(self.suffix, |(user, _)| user)
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
        let (rest, tail) = data.split_last_chunk::<TAIL_SIZE>().ok_or(Malformed)?;
        let tail = u32::from_le_bytes(*tail);
        let (count, wide) = (tail >> 1, tail & 1 == 1);
        let width: usize = if wide { 4 } else { 2 };
        let offsets_size = (count as usize).checked_mul(width).ok_or(Malformed)?;
        let entries_size = rest.len().checked_sub(offsets_size).ok_or(Malformed)?;
        let entries_size = u32::try_from(entries_size).map_err(|_| Malformed)?;
        Ok(Block {
            shape: Shape {
                count,
                entries_size,
                wide,
            },
            data,
        })
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
        let at = self.shape.entries_size as usize;
        if self.shape.wide {
            let bytes = self.data.get(at + 4 * index..)?.first_chunk::<4>()?;
            Some(u32::from_le_bytes(*bytes) as usize)
        } else {
            let bytes = self.data.get(at + 2 * index..)?.first_chunk::<2>()?;
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
        let entries = self.data.get(..self.shape.entries_size as usize)?;
        let mut cursor = Cursor::new(entries.get(self.offset(index)?..)?);
        let shared = cursor.varint_u32()? as usize;
        let unshared = cursor.varint_u32()? as usize;
        let value_len = cursor.varint_u32()? as usize;
        let suffix = cursor.take(unshared.checked_add(TRAILER_SIZE)?)?;
        let value_start = entries.len() - cursor.remaining();
        cursor.take(value_len)?;
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

    /// The value bytes, sharing the block's memory.
    fn value(&self, range: Range<usize>) -> Bytes {
        // The range comes from `decode`, which has checked that it lies in the block.
        if range.end <= self.data.len() {
            self.data.slice(range)
        } else {
            Bytes::new()
        }
    }

    /// The value of an entry by its number.
    pub(crate) fn value_at(&self, index: usize) -> Result<&[u8], Malformed> {
        let entry = self.entry(index)?;
        let range = entry.value_start..entry.value_start + entry.value_len;
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
    pub(crate) fn get(&self, target: InternalKeyRef<'_>) -> Result<Option<Found>, Malformed> {
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
        let value = self.value(entry.value_start..entry.value_start + entry.value_len);
        Ok(Some(Found {
            trailer: entry.trailer(),
            value,
        }))
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
