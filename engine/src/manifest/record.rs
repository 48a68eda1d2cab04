//! The manifest file: a header, and edits as records behind it. All integers little-endian.
//!
//! Header:
//!
//! | offset | size | type | content |
//! |---|---|---|---|
//! | 0 | 8 | bytes | magic `STATMANI` |
//! | 8 | 4 | u32 | format version: 1 |
//! | 12 | 8 | u64 | generation: the number in the file's name |
//! | 20 | 4 | u32 | CRC-32 (IEEE) of bytes 0 to 19 |
//!
//! Record:
//!
//! | offset | size | type | content |
//! |---|---|---|---|
//! | 0 | 4 | bytes | magic `EDIT` |
//! | 4 | 4 | u32 | length n of the payload |
//! | 8 | 8 | u64 | generation |
//! | 16 | 8 | u64 | number of the record in this file, from 0 |
//! | 24 | 4 | u32 | CRC-32 (IEEE) of bytes 4 to 23 and of the payload |
//! | 28 | n | bytes | payload: a [`VersionEdit`](super::VersionEdit) |
//!
//! Record 0 is the whole state; the others follow one another without gaps.
//!
//! A record is appended only after the one before it is durable. So a bad record with no good one
//! behind it was being written when the machine stopped, and is dropped; a bad record with a good
//! one behind it had been durable, and is corruption. Record 0 is durable before `CURRENT` names
//! the file: a bad one is always corruption.

use crate::mutants::{Mutant, is_on};
use crate::varint::Cursor;

/// Bytes of the header.
pub(super) const HEADER_SIZE: usize = 24;
/// Bytes of a record before its payload.
pub(super) const RECORD_HEADER_SIZE: usize = 28;
const FILE_MAGIC: [u8; 8] = *b"STATMANI";
const RECORD_MAGIC: [u8; 4] = *b"EDIT";
const FORMAT_VERSION: u32 = 1;

/// Damage: where, what should be there, and what is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) offset: u64,
    pub(super) expected: String,
    pub(super) found: String,
}

/// The bytes of a file's header.
pub(super) fn encode_header(generation: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_SIZE);
    bytes.extend_from_slice(&FILE_MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&generation.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// Appends a record.
pub(super) fn push_record(bytes: &mut Vec<u8>, generation: u64, number: u64, payload: &[u8]) {
    bytes.extend_from_slice(&RECORD_MAGIC);
    let covered = header_fields(payload.len() as u32, generation, number);
    bytes.extend_from_slice(&covered);
    bytes.extend_from_slice(&checksum(&covered, payload).to_le_bytes());
    bytes.extend_from_slice(payload);
}

fn header_fields(len: u32, generation: u64, number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(20);
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(&generation.to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes
}

fn checksum(header_fields: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header_fields);
    hasher.update(payload);
    hasher.finalize()
}

/// A whole record.
struct Record<'a> {
    number: u64,
    payload: &'a [u8],
}

/// The record that the bytes begin with, if its checksum and generation are right.
fn decode_record(bytes: &[u8], generation: u64) -> Option<Record<'_>> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(RECORD_MAGIC.len())? != RECORD_MAGIC {
        return None;
    }
    let len = cursor.u32()?;
    let in_generation = cursor.u64()?;
    let number = cursor.u64()?;
    let stored = cursor.u32()?;
    let payload = cursor.take(len as usize)?;
    let fields = header_fields(len, in_generation, number);
    let unharmed = checksum(&fields, payload) == stored || is_on(Mutant::ManifestChecksum);
    let good = in_generation == generation && unharmed;
    good.then_some(Record { number, payload })
}

fn check_header(bytes: &[u8], generation: u64) -> Result<(), Damage> {
    let expected = encode_header(generation);
    match bytes.get(..HEADER_SIZE) {
        Some(header) if header == expected => Ok(()),
        found => Err(Damage {
            offset: 0,
            expected: format!("the header of manifest {generation} in format {FORMAT_VERSION}"),
            found: found.map_or_else(
                || format!("{} bytes", bytes.len()),
                |header| format!("\"{}\"", header.escape_ascii()),
            ),
        }),
    }
}

/// Puts right the header, and magic, checksum, generation and number of whatever is as long as a
/// record, so that a fuzzer gets behind them.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn seal_file(bytes: &mut [u8], generation: u64) {
    let Some((header, mut rest)) = bytes.split_at_mut_checked(HEADER_SIZE) else {
        return;
    };
    header.copy_from_slice(&encode_header(generation));
    for number in 0.. {
        let Some((fields, behind)) = rest.split_at_mut_checked(RECORD_HEADER_SIZE) else {
            return;
        };
        let len = Cursor::new(fields.get(4..).unwrap_or_default()).u32();
        let len = behind.len().min(len.unwrap_or(0) as usize);
        let (payload, behind) = behind.split_at_mut(len);
        let mut sealed = Vec::new();
        push_record(&mut sealed, generation, number, payload);
        fields.copy_from_slice(sealed.get(..RECORD_HEADER_SIZE).unwrap_or_default());
        rest = behind;
    }
}

/// The payloads of a manifest file, in order, and the number of bytes of a torn record at its end.
pub(super) fn decode_file(bytes: &[u8], generation: u64) -> Result<(Vec<&[u8]>, usize), Damage> {
    check_header(bytes, generation)?;
    let mut payloads = Vec::new();
    let mut offset = HEADER_SIZE;
    while let Some(rest) = bytes.get(offset..).filter(|rest| !rest.is_empty()) {
        let expected = payloads.len() as u64;
        match decode_record(rest, generation) {
            Some(record) if record.number == expected => {
                payloads.push(record.payload);
                offset += RECORD_HEADER_SIZE + record.payload.len();
            }
            Some(record) => {
                return Err(Damage {
                    offset: offset as u64,
                    expected: format!("record {expected}"),
                    found: format!("record {}", record.number),
                });
            }
            None => {
                let behind = good_record_behind(rest, generation);
                return match behind.filter(|_| !is_on(Mutant::ManifestTail)) {
                    None if expected > 0 => Ok((payloads, rest.len())),
                    None => Err(Damage {
                        offset: offset as u64,
                        expected: "record 0, the whole state".to_owned(),
                        found: "no record".to_owned(),
                    }),
                    Some(at) => Err(Damage {
                        offset: offset as u64,
                        expected: format!("record {expected}"),
                        found: format!("a damaged one, with a good one at {}", offset + at),
                    }),
                };
            }
        }
    }
    if payloads.is_empty() {
        return Err(Damage {
            offset: offset as u64,
            expected: "record 0, the whole state".to_owned(),
            found: "the end of the file".to_owned(),
        });
    }
    Ok((payloads, 0))
}

/// Where, behind the first byte, a good record is. The length in a damaged record may itself be
/// damaged, so every place is looked at.
fn good_record_behind(bytes: &[u8], generation: u64) -> Option<usize> {
    bytes
        .windows(RECORD_MAGIC.len())
        .enumerate()
        .skip(1)
        .filter(|(_, window)| *window == RECORD_MAGIC)
        .map(|(at, _)| at)
        .find(|at| {
            bytes
                .get(*at..)
                .is_some_and(|rest| decode_record(rest, generation).is_some())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATION: u64 = 3;

    fn file(payloads: &[&[u8]]) -> Vec<u8> {
        let mut bytes = encode_header(GENERATION);
        for (number, payload) in payloads.iter().enumerate() {
            push_record(&mut bytes, GENERATION, number as u64, payload);
        }
        bytes
    }

    #[test]
    fn comes_back() {
        let payloads: [&[u8]; 3] = [b"whole", b"", b"edit EDIT"];
        assert_eq!(
            decode_file(&file(&payloads), GENERATION),
            Ok((payloads.to_vec(), 0))
        );
    }

    #[test]
    fn a_torn_tail_is_dropped() {
        let whole = file(&[b"whole", b"one", b"two"]);
        let before_last = file(&[b"whole", b"one"]).len();
        for cut in before_last + 1..whole.len() {
            let (payloads, torn) = decode_file(&whole[..cut], GENERATION).unwrap();
            assert_eq!(payloads.len(), 2, "cut at {cut}");
            assert_eq!(torn, cut - before_last);
        }
        // Sectors of one write may survive in any pattern: the end there, the start not.
        let mut torn = whole;
        torn[before_last..before_last + 10].fill(0);
        assert_eq!(decode_file(&torn, GENERATION).unwrap().0.len(), 2);
    }

    #[test]
    fn damage_before_a_good_record_is_corruption() {
        let whole = file(&[b"whole", b"one", b"two"]);
        let first = file(&[b"whole"]).len();
        let second = file(&[b"whole", b"one"]).len();
        for bit in first * 8..second * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let damage = decode_file(&damaged, GENERATION).unwrap_err();
            assert_eq!(damage.offset, first as u64, "bit {bit}");
        }
    }

    #[test]
    fn a_damaged_header_or_first_record_is_corruption() {
        let whole = file(&[b"whole"]);
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_file(&damaged, GENERATION).is_err(), "bit {bit}");
        }
        for cut in 0..whole.len() {
            assert!(
                decode_file(&whole[..cut], GENERATION).is_err(),
                "cut at {cut}"
            );
        }
        assert!(decode_file(&whole, GENERATION + 1).is_err());
    }

    #[test]
    fn a_missing_record_is_corruption() {
        let mut bytes = file(&[b"whole"]);
        push_record(&mut bytes, GENERATION, 2, b"two");
        let damage = decode_file(&bytes, GENERATION).unwrap_err();
        assert_eq!(damage.found, "record 2");
    }

    #[test]
    fn a_record_of_another_generation_is_no_record() {
        let mut bytes = file(&[b"whole"]);
        push_record(&mut bytes, GENERATION - 1, 1, b"old");
        assert_eq!(decode_file(&bytes, GENERATION).unwrap().0.len(), 1);
    }
}
