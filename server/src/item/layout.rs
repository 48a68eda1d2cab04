//! The bytes of values and items, and how to walk over them.
//!
//! ```text
//! item   := version u8 = 1 | size u32 LE | count u32 LE | entries
//! entries:= (name | value)*           sorted by the bytes of the names, no name twice
//! name   := length varint | UTF-8
//! value  := 0x00                      NULL
//!         | 0x01                      BOOL false
//!         | 0x02                      BOOL true
//!         | 0x03 length varint | UTF-8             S
//!         | 0x04 length varint | bytes             B
//!         | 0x05 length u32 LE | value*            L
//!         | 0x06 length u32 LE | entries           M
//!         | 0x07 length u32 LE | value of S, …     SS, sorted by their bytes, none twice
//!         | 0x08 length u32 LE | value of N, …     NS, sorted by value, none twice
//!         | 0x09 length u32 LE | value of B, …     BS, sorted by their bytes, none twice
//!         | 0x20 + n | n bytes                     N, 2 ≤ n ≤ 21, see `Number`
//! varint := LEB128, at most 5 bytes, as short as possible
//! ```
//!
//! `size` is the item's size by DynamoDB's arithmetic and `count` the number of its attributes: what
//! capacity and limits ask for costs nothing. Sets are not empty. Lengths count the bytes behind
//! them, so that any value is stepped over without being read; a number's is in its first byte. A
//! container's length has four bytes, since it is put in once the container is written.

use super::number::MAX_NUMBER_BYTES;

/// The version of the layout, the first byte of an item.
pub const VERSION: u8 = 1;

/// The bytes of an item before its entries.
pub const HEADER_BYTES: usize = 9;

pub(super) const NULL: u8 = 0x00;
pub(super) const FALSE: u8 = 0x01;
pub(super) const TRUE: u8 = 0x02;
pub(super) const STRING: u8 = 0x03;
pub(super) const BINARY: u8 = 0x04;
pub(super) const LIST: u8 = 0x05;
pub(super) const MAP: u8 = 0x06;
pub(super) const STRING_SET: u8 = 0x07;
pub(super) const NUMBER_SET: u8 = 0x08;
pub(super) const BINARY_SET: u8 = 0x09;
/// A number's first byte is this and the number's length.
pub(super) const NUMBER: u8 = 0x20;
/// The first bytes that numbers have.
pub(super) const NUMBER_FIRST: u8 = NUMBER + 2;
pub(super) const NUMBER_LAST: u8 = NUMBER + MAX_NUMBER_BYTES as u8;

/// The bytes of a container before what it holds.
pub(super) const CONTAINER_HEADER: usize = 5;

/// How deep the walkers follow containers. Nothing that was checked on its way in goes deeper; bytes
/// from a damaged disk might, and must not cost the stack.
pub(super) const WALK_DEPTH: usize = super::MAX_NESTING + 1;

/// Appends `value` in LEB128.
pub(super) fn put_varint(out: &mut Vec<u8>, value: usize) {
    // Nothing that is encoded gets near 4 GiB; the cut is that of `take_varint`.
    let mut value = u32::try_from(value).unwrap_or(u32::MAX);
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a varint off the front: its value and what follows.
#[inline]
pub(super) fn take_varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, mut rest) = bytes.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let mut value = u64::from(first & 0x7f);
    for shift in [7, 14, 21, 28] {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            // As short as possible, or equal values would have unequal bytes.
            let value = usize::try_from(u32::try_from(value).ok()?).ok()?;
            return (byte != 0).then_some((value, rest));
        }
    }
    None
}

/// Takes what is prefixed with its length as a varint off the front.
#[inline]
pub(super) fn take_prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = take_varint(bytes)?;
    rest.split_at_checked(length)
}

/// Takes one value off the front: its bytes and what follows. What it holds is not looked at.
#[inline]
pub(super) fn take_value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let length = match tag {
        NULL | FALSE | TRUE => 1,
        STRING | BINARY => {
            let (length, after) = take_varint(rest)?;
            (bytes.len() - after.len()).checked_add(length)?
        }
        LIST..=BINARY_SET => {
            let length = u32::from_le_bytes(*rest.first_chunk()?);
            usize::try_from(length)
                .ok()?
                .checked_add(CONTAINER_HEADER)?
        }
        NUMBER_FIRST..=NUMBER_LAST => usize::from(tag - NUMBER) + 1,
        _ => return None,
    };
    bytes.split_at_checked(length)
}

/// Takes one entry of a map off the front: its name, its value and what follows.
#[inline]
pub(super) fn take_entry(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = take_prefixed(bytes)?;
    let (value, rest) = take_value(rest)?;
    Some((name, value, rest))
}
