//! How a block lies in its file: compressed or not, and under a checksum.
//!
//! | size | type | content |
//! |---|---|---|
//! | n | bytes | payload |
//! | 1 | u8 | how the payload is stored: 0 as it is, 1 zstd |
//! | 4 | u32, little-endian | CRC-32 (IEEE) |
//!
//! The checksum covers the payload, the type, the id of the file (u64, little-endian) and the
//! offset of the block in the file (u64, little-endian). So a block that is whole but not the one
//! that was asked for, because a disk wrote or read the wrong place, is found out as well.
//!
//! A zstd payload is the size before compression (u32, little-endian) and one zstd frame.

use std::cell::RefCell;

use bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};

use crate::mutants::{Mutant, is_on};

/// Bytes of a block on disk behind its payload.
pub(crate) const FRAME_SIZE: usize = 5;
/// Bytes before the zstd frame of a compressed payload.
const SIZE_SIZE: usize = 4;
/// No block is larger before compression: a damaged size must not make a reader allocate without
/// bound. In the format: the largest value has to fit.
pub(crate) const MAX_BLOCK_SIZE: usize = 256 << 20;

const RAW: u8 = 0;
const ZSTD: u8 = 1;

/// After a block that did not shrink, so many are stored without a try; after each further one in a row
/// twice as many, up to [`MOST_SKIPPED`]. What is compressed already, or random, costs zstd as much time
/// as all the rest of a compaction; a change of the data is noticed some blocks late.
const FIRST_SKIPPED: u32 = 1;
const MOST_SKIPPED: u32 = 16;

/// Where a block lies in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct BlockHandle {
    /// Offset of the first byte of the payload.
    pub(crate) offset: u64,
    /// Payload, type and checksum together.
    pub(crate) size: u32,
}

/// Why the bytes of a frame are not the block that was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadFrame {
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl BadFrame {
    fn new(expected: impl Into<String>, found: impl Into<String>) -> BadFrame {
        BadFrame {
            expected: expected.into(),
            found: found.into(),
        }
    }
}

fn checksum(payload_and_type: &[u8], file_id: u64, offset: u64) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(payload_and_type);
    hasher.update(&file_id.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.finalize()
}

/// Writes frames, compressing them if they shrink.
pub(crate) struct FrameWriter {
    compressor: Option<Compressor<'static>>,
    buffer: Vec<u8>,
    /// Blocks that are still to be stored without a try.
    skip: u32,
    /// How many it will be after the next one that does not shrink.
    next_skip: u32,
}

impl FrameWriter {
    /// `level` is zstd's; 0 stores blocks as they are.
    pub(crate) fn new(level: i32) -> FrameWriter {
        // Compressing saves space and nothing depends on it: where zstd gives no context, blocks
        // are stored as they are.
        let compressor = if level == 0 {
            None
        } else {
            Compressor::new(level).ok()
        };
        FrameWriter {
            compressor,
            buffer: Vec::new(),
            skip: 0,
            next_skip: FIRST_SKIPPED,
        }
    }

    /// Appends a block to `out`, whose next byte lies at `offset` of the file. Answers the size of
    /// what it appended.
    pub(crate) fn append(
        &mut self,
        contents: &[u8],
        compress: bool,
        file_id: u64,
        offset: u64,
        out: &mut Vec<u8>,
    ) -> u32 {
        let start = out.len();
        out.reserve(contents.len() + FRAME_SIZE);
        if compress && self.compress(contents) {
            out.extend_from_slice(&(contents.len() as u32).to_le_bytes());
            out.extend_from_slice(&self.buffer);
            out.push(ZSTD);
        } else {
            out.extend_from_slice(contents);
            out.push(RAW);
        }
        let crc = checksum(out.get(start..).unwrap_or_default(), file_id, offset);
        out.extend_from_slice(&crc.to_le_bytes());
        (out.len() - start) as u32
    }

    /// Compresses into the buffer. `false` if that saves less than an eighth: then reading the
    /// block would cost more than the space is worth.
    fn compress(&mut self, contents: &[u8]) -> bool {
        let Some(compressor) = &mut self.compressor else {
            return false;
        };
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.buffer.clear();
        self.buffer.reserve(contents.len());
        // The buffer is as large as the contents at least. A larger result is an error, and means
        // that there is nothing to save.
        let shrinks = compressor
            .compress_to_buffer(contents, &mut self.buffer)
            .is_ok()
            && self.buffer.len() + SIZE_SIZE <= contents.len() - contents.len() / 8;
        if shrinks {
            self.next_skip = FIRST_SKIPPED;
        } else {
            self.skip = self.next_skip;
            self.next_skip = (2 * self.next_skip).min(MOST_SKIPPED);
        }
        shrinks
    }
}

/// Puts the checksum of a frame right, so that a fuzzer gets behind it.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn seal_frame(frame: &mut [u8], file_id: u64, offset: u64) {
    if let Some((covered, stored)) = frame.split_last_chunk_mut::<4>() {
        *stored = checksum(covered, file_id, offset).to_le_bytes();
    }
}

/// Checks a frame that was read from `offset` of a file, and gives the contents of the block.
pub(crate) fn open_frame(frame: Bytes, file_id: u64, offset: u64) -> Result<Bytes, BadFrame> {
    let Some((covered, stored)) = frame.split_last_chunk::<4>() else {
        return Err(BadFrame::new("a block", format!("{} bytes", frame.len())));
    };
    let stored = u32::from_le_bytes(*stored);
    let computed = checksum(covered, file_id, offset);
    if stored != computed && !is_on(Mutant::BlockChecksum) {
        return Err(BadFrame::new(
            format!("a block with checksum {stored:08x}"),
            format!("bytes with checksum {computed:08x}"),
        ));
    }
    let Some((kind, payload)) = covered.split_last() else {
        return Err(BadFrame::new("a block", "nothing"));
    };
    match *kind {
        RAW => {
            let size = payload.len();
            Ok(frame.slice(..size))
        }
        ZSTD => decompress(payload),
        other => Err(BadFrame::new(
            "a block of type 0 or 1",
            format!("type {other}"),
        )),
    }
}

/// The size of the frame that some bytes begin with, if its end is not known: the smallest whose
/// checksum is right. By chance that is a wrong one once in 2^32 places.
pub(crate) fn starts_frame(bytes: &[u8], file_id: u64, offset: u64) -> Option<u32> {
    let mut covered = crc32fast::Hasher::new();
    let mut hashed = 0;
    let longest = bytes.len().min(MAX_BLOCK_SIZE + FRAME_SIZE) - bytes.len().min(4);
    for end in 1..=longest {
        // The byte before the checksum is the type: few places need a look at the checksum.
        let kind = *bytes.get(end - 1)?;
        if kind != RAW && kind != ZSTD {
            continue;
        }
        covered.update(bytes.get(hashed..end)?);
        hashed = end;
        let stored = bytes.get(end..)?.first_chunk::<4>()?;
        let mut whole = covered.clone();
        whole.update(&file_id.to_le_bytes());
        whole.update(&offset.to_le_bytes());
        if whole.finalize() == u32::from_le_bytes(*stored) {
            return u32::try_from(end + 4).ok();
        }
    }
    None
}

fn decompress(payload: &[u8]) -> Result<Bytes, BadFrame> {
    thread_local! {
        // A context takes 100 KiB and longer to set up than a block takes to decompress.
        static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    let Some((size, compressed)) = payload.split_first_chunk::<SIZE_SIZE>() else {
        return Err(BadFrame::new("a compressed block", "too few bytes"));
    };
    let size = u32::from_le_bytes(*size) as usize;
    if size > MAX_BLOCK_SIZE {
        return Err(BadFrame::new(
            format!("a block of at most {MAX_BLOCK_SIZE} bytes"),
            format!("one of {size}"),
        ));
    }
    let failed = |error: std::io::Error| BadFrame::new("a zstd frame", error.to_string());
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(Decompressor::new().map_err(failed)?),
        };
        let mut contents = Vec::with_capacity(size);
        decompressor
            .decompress_to_buffer(compressed, &mut contents)
            .map_err(failed)?;
        if contents.len() != size {
            return Err(BadFrame::new(
                format!("{size} bytes after decompression"),
                format!("{}", contents.len()),
            ));
        }
        Ok(Bytes::from(contents))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(level: i32, contents: &[u8]) -> Bytes {
        let mut out = vec![0xAA; 3];
        let size = FrameWriter::new(level).append(contents, true, 7, 4096, &mut out);
        assert_eq!(out.len(), 3 + size as usize);
        Bytes::from(out).slice(3..)
    }

    #[test]
    fn what_shrinks_is_compressed_and_comes_back() {
        let contents = b"abcabcabc".repeat(100);
        let compressed = frame(3, &contents);
        assert!(compressed.len() < contents.len() / 4);
        assert_eq!(open_frame(compressed, 7, 4096).unwrap(), contents);
        assert_eq!(frame(0, &contents).len(), contents.len() + FRAME_SIZE);
    }

    #[test]
    fn what_does_not_shrink_is_kept_raw() {
        let contents: Vec<u8> = (0..1000u64)
            .flat_map(|i| xxhash_rust::xxh3::xxh3_64(&i.to_le_bytes()).to_le_bytes())
            .collect();
        let raw = frame(3, &contents);
        assert_eq!(raw.len(), contents.len() + FRAME_SIZE);
        assert_eq!(open_frame(raw, 7, 4096).unwrap(), contents);
    }

    #[test]
    fn a_whole_block_of_another_place_is_refused() {
        let block = frame(0, b"contents");
        assert!(open_frame(block.clone(), 7, 4096).is_ok());
        assert!(open_frame(block.clone(), 8, 4096).is_err());
        assert!(open_frame(block, 7, 8192).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        for level in [0, 3] {
            let block = frame(level, &b"0123456789".repeat(10));
            for bit in 0..block.len() * 8 {
                let mut damaged = block.to_vec();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert!(
                    open_frame(Bytes::from(damaged), 7, 4096).is_err(),
                    "bit {bit}"
                );
            }
            for cut in 0..block.len() {
                assert!(
                    open_frame(block.slice(..cut), 7, 4096).is_err(),
                    "cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn a_damaged_size_does_not_allocate() {
        let mut payload = u32::MAX.to_le_bytes().to_vec();
        payload.extend_from_slice(b"x");
        assert!(decompress(&payload).is_err());
    }
}
