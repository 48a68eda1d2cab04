//! A group: the commits of one write, under one checksum.

use bytes::Bytes;

use super::record::{self, Operation};
use crate::io::PAGE_SIZE;
use crate::mutants::{Mutant, is_on};

/// "SWG1": Stator WAL group, version 1. Do not change.
pub(super) const MAGIC: [u8; 4] = *b"SWG1";

/// Bytes before the payload. Do not change.
pub(super) const HEADER_SIZE: usize = 64;

/// Groups start at multiples of this. Do not change.
pub(super) const ALIGNMENT: usize = 8;

/// What the header of a group says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) payload_len: u32,
    pub(crate) commit_count: u32,
    pub(crate) epoch: u64,
    pub(crate) segment: u64,
    /// Of the header, in the segment.
    pub(crate) offset: u64,
    pub(crate) first_sequence: u64,
    /// Up to here the log was durable when the group was written.
    pub(crate) durable_sequence: u64,
    /// Milliseconds since 1970.
    pub(crate) time_ms: u64,
}

impl Header {
    /// Fills in the header of a group whose payload is in place.
    pub(super) fn seal(&self, group: &mut [u8]) {
        let Some((header, payload)) = group.split_first_chunk_mut::<HEADER_SIZE>() else {
            return;
        };
        let fields = [
            &MAGIC[..],
            &[0; 4],
            &self.payload_len.to_le_bytes(),
            &self.commit_count.to_le_bytes(),
            &self.epoch.to_le_bytes(),
            &self.segment.to_le_bytes(),
            &self.offset.to_le_bytes(),
            &self.first_sequence.to_le_bytes(),
            &self.durable_sequence.to_le_bytes(),
            &self.time_ms.to_le_bytes(),
        ];
        for (to, from) in header.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        let crc = checksum(header, payload).to_le_bytes();
        if let Some(field) = header.get_mut(4..8) {
            field.copy_from_slice(&crc);
        }
    }

    /// The sequence number of the last commit; that before the first, if there is none.
    pub(crate) fn last_sequence(&self) -> u64 {
        (self.first_sequence + u64::from(self.commit_count)).saturating_sub(1)
    }
}

/// Of the header without magic and checksum, and the payload.
fn checksum(header: &[u8; HEADER_SIZE], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header.get(8..).unwrap_or_default());
    hasher.update(payload);
    hasher.finalize()
}

/// A valid group, as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) header: Header,
    payload: Bytes,
}

impl Group {
    /// The group that starts at `offset` of a segment, if one does: magic and checksum hold, and it
    /// was written there, in that segment of that epoch.
    pub(super) fn at(contents: &Bytes, offset: usize, epoch: u64, segment: u64) -> Option<Group> {
        let (header_bytes, rest) = contents.get(offset..)?.split_first_chunk::<HEADER_SIZE>()?;
        let (header, crc) = parse(header_bytes)?;
        let here =
            header.epoch == epoch && header.segment == segment && header.offset == offset as u64;
        if !here {
            return None;
        }
        let payload = rest.get(..header.payload_len as usize)?;
        if checksum(header_bytes, payload) != crc && !is_on(Mutant::LogChecksum) {
            return None;
        }
        Some(Group {
            header,
            payload: contents.slice_ref(payload),
        })
    }

    /// Bytes from the start of its header to the end of its payload.
    pub(super) fn len(&self) -> usize {
        HEADER_SIZE + self.payload.len()
    }

    /// The operations of each commit. `None` if they are not what the header says, and no more than
    /// zeros up to the next page behind them, which under a checksum that holds is a mistake of the
    /// writer.
    pub(super) fn commits(&self) -> Option<Vec<Vec<Operation>>> {
        let mut payload = self.payload.clone();
        let mut commits = Vec::new();
        for _ in 0..self.header.commit_count {
            commits.push(record::decode(&mut payload)?);
        }
        let padded = payload.len() < PAGE_SIZE && payload.iter().all(|byte| *byte == 0);
        padded.then_some(commits)
    }
}

/// The header's fields and its checksum, if the magic is right.
fn parse(header: &[u8; HEADER_SIZE]) -> Option<(Header, u32)> {
    use bytes::Buf as _;
    let mut rest = header.strip_prefix(&MAGIC)?;
    let crc = rest.try_get_u32_le().ok()?;
    let header = Header {
        payload_len: rest.try_get_u32_le().ok()?,
        commit_count: rest.try_get_u32_le().ok()?,
        epoch: rest.try_get_u64_le().ok()?,
        segment: rest.try_get_u64_le().ok()?,
        offset: rest.try_get_u64_le().ok()?,
        first_sequence: rest.try_get_u64_le().ok()?,
        durable_sequence: rest.try_get_u64_le().ok()?,
        time_ms: rest.try_get_u64_le().ok()?,
    };
    // Keeps the arithmetic on it from overflowing.
    let plausible = header.first_sequence <= u64::MAX / 2;
    plausible.then_some((header, crc))
}
