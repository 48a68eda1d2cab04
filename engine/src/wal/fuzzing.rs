//! Replay of any bytes.

use std::path::Path;

use super::group::{ALIGNMENT, HEADER_SIZE, Header, MAGIC};
use super::reader::Replayed;
use super::{replay, segment};
use crate::fuzzing::{assert_corruption, put_file, split};
use crate::io::MemoryFs;
use crate::varint::Cursor;

const DIR: &str = "/db";
const EPOCH: u64 = 3;

/// Replays the input as the one or two segments of a log, twice: the second time finds the same.
///
/// Behind the byte of [`split`] come the flushed sequence number (u8) and the length of the first
/// segment (u16 little-endian); the rest of the input is the second one.
pub fn wal(input: &[u8]) {
    let (sealed, rest) = split(input);
    let mut cursor = Cursor::new(rest);
    let (Some(flushed), Some(low), Some(high)) = (cursor.u8(), cursor.u8(), cursor.u8()) else {
        return;
    };
    let contents = cursor.take(cursor.remaining()).unwrap_or_default();
    let first_len = usize::from(u16::from_le_bytes([low, high])).min(contents.len());
    let (first, second) = contents.split_at(first_len);
    let fs = MemoryFs::new();
    for (number, contents) in (0..).zip([first, second]) {
        if number == 0 || !contents.is_empty() {
            let mut contents = contents.to_vec();
            if sealed {
                seal(&mut contents, number);
            }
            put_file(
                &fs,
                &segment::path(Path::new(DIR), EPOCH, number),
                &contents,
            );
        }
    }
    let flushed = u64::from(flushed);
    assert_eq!(read(&fs, flushed), read(&fs, flushed));
}

/// Replays, and checks that commits come in order and without gaps.
fn read(fs: &MemoryFs, flushed: u64) -> Option<(Replayed, Vec<u64>)> {
    let mut found: Vec<u64> = Vec::new();
    let replayed = replay(
        fs,
        Path::new(DIR),
        EPOCH,
        flushed,
        &mut |sequence, _, operations| {
            assert!(sequence > flushed, "commit {sequence} was flushed");
            if let Some(last) = found.last() {
                assert_eq!(sequence, last + 1);
            }
            drop(operations);
            found.push(sequence);
            Ok(())
        },
    );
    match replayed {
        Ok(replayed) => {
            assert_eq!(
                found.last().copied().unwrap_or(flushed),
                replayed.last_sequence
            );
            Some((replayed, found))
        }
        Err(error) => {
            assert_corruption(&error);
            None
        }
    }
}

/// Makes a valid group of whatever begins like one.
fn seal(contents: &mut [u8], segment: u64) {
    let mut offset = 0;
    while let Some(rest) = contents.get_mut(offset..)
        && rest.len() >= HEADER_SIZE
    {
        if !rest.starts_with(&MAGIC) {
            offset += ALIGNMENT;
            continue;
        }
        let Some(mut header) = fields(rest) else {
            return;
        };
        let room = rest.len() - HEADER_SIZE;
        header.payload_len = header.payload_len.min(room as u32);
        header.epoch = EPOCH;
        header.segment = segment;
        header.offset = offset as u64;
        let len = HEADER_SIZE + header.payload_len as usize;
        header.seal(rest.get_mut(..len).unwrap_or_default());
        offset = (offset + len).next_multiple_of(ALIGNMENT);
    }
}

/// The header's fields, whatever they are.
fn fields(group: &[u8]) -> Option<Header> {
    let mut cursor = Cursor::new(group);
    cursor.take(8)?;
    Some(Header {
        payload_len: cursor.u32()?,
        commit_count: cursor.u32()?,
        epoch: cursor.u64()?,
        segment: cursor.u64()?,
        offset: cursor.u64()?,
        first_sequence: cursor.u64()?,
        durable_sequence: cursor.u64()?,
        time_ms: cursor.u64()?,
    })
}
