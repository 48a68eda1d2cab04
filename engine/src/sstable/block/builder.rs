//! Builds the contents of a block.

use super::{GROUP_SIZE, TAIL_SIZE, common_prefix};
use crate::key::{InternalKeyRef, TRAILER_SIZE};
use crate::varint::push_varint;

/// Collects entries, in order, into the contents of one block after the other.
#[derive(Default)]
pub(crate) struct BlockBuilder {
    bytes: Vec<u8>,
    offsets: Vec<u32>,
    /// User key of the last restart point.
    restart: Vec<u8>,
}

impl BlockBuilder {
    /// Appends an entry. The caller keeps the order, and the size of a block below 4 GiB.
    pub(crate) fn add(&mut self, key: InternalKeyRef<'_>, value: &[u8]) {
        let shared = if self.offsets.len().is_multiple_of(GROUP_SIZE) {
            self.restart.clear();
            self.restart.extend_from_slice(key.user);
            0
        } else {
            common_prefix(&self.restart, key.user)
        };
        let unshared = key.user.get(shared..).unwrap_or_default();
        self.offsets.push(self.bytes.len() as u32);
        push_varint(&mut self.bytes, shared as u64);
        push_varint(&mut self.bytes, unshared.len() as u64);
        push_varint(&mut self.bytes, value.len() as u64);
        self.bytes.extend_from_slice(unshared);
        self.bytes.extend_from_slice(&key.trailer.0);
        self.bytes.extend_from_slice(value);
    }

    /// Whether no entry was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Size of the contents so far.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.offsets.len() * self.width() + TAIL_SIZE
    }

    /// The size that the contents would have with one more entry, at most.
    pub(crate) fn size_with(&self, key: InternalKeyRef<'_>, value: &[u8]) -> usize {
        self.size() + 3 * 5 + key.user.len() + TRAILER_SIZE + value.len() + 4
    }

    fn width(&self) -> usize {
        if self.is_wide() { 4 } else { 2 }
    }

    fn is_wide(&self) -> bool {
        self.bytes.len() > usize::from(u16::MAX)
    }

    /// Completes the contents. [`BlockBuilder::clear`] before the next block.
    pub(crate) fn finish(&mut self) -> &[u8] {
        let wide = self.is_wide();
        for offset in &self.offsets {
            if wide {
                self.bytes.extend_from_slice(&offset.to_le_bytes());
            } else {
                // Not wide means that no offset is above u16::MAX.
                self.bytes
                    .extend_from_slice(&(*offset as u16).to_le_bytes());
            }
        }
        let tail = (self.offsets.len() as u32) << 1 | u32::from(wide);
        self.bytes.extend_from_slice(&tail.to_le_bytes());
        &self.bytes
    }

    /// Forgets all entries and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.offsets.clear();
    }
}
