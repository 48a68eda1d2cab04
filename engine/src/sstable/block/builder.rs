//! Builds the contents of a block.

use super::{GROUP_SIZE, HEADER_SIZE, common_prefix};
use crate::key::{InternalKeyRef, TRAILER_SIZE};
use crate::varint::push_varint;

/// Collects entries, in order, into the contents of one block after the other.
#[derive(Default)]
pub(crate) struct BlockBuilder {
    offsets: Vec<u32>,
    keys: Vec<u8>,
    values: Vec<u8>,
    /// User key of the last restart point.
    restart: Vec<u8>,
    contents: Vec<u8>,
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
        self.offsets.push(self.keys.len() as u32);
        push_varint(&mut self.keys, shared as u64);
        push_varint(&mut self.keys, unshared.len() as u64);
        push_varint(&mut self.keys, self.values.len() as u64);
        push_varint(&mut self.keys, value.len() as u64);
        self.keys.extend_from_slice(unshared);
        self.keys.extend_from_slice(&key.trailer.0);
        self.values.extend_from_slice(value);
    }

    /// Whether no entry was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Size of the contents so far.
    pub(crate) fn size(&self) -> usize {
        let offsets = self.offsets.len() * if self.is_wide() { 4 } else { 2 };
        HEADER_SIZE + offsets + self.keys.len() + self.values.len()
    }

    /// The size that the contents would have with one more entry, at most.
    pub(crate) fn size_with(&self, key: InternalKeyRef<'_>, value: &[u8]) -> usize {
        let widened = if self.is_wide() {
            0
        } else {
            2 * self.offsets.len()
        };
        self.size() + widened + 4 * 5 + key.user.len() + TRAILER_SIZE + value.len() + 4
    }

    fn is_wide(&self) -> bool {
        self.keys.len() > usize::from(u16::MAX)
    }

    /// Completes the contents. [`BlockBuilder::clear`] before the next block.
    pub(crate) fn finish(&mut self) -> &[u8] {
        let wide = self.is_wide();
        let contents = &mut self.contents;
        contents.clear();
        let count = (self.offsets.len() as u32) << 1 | u32::from(wide);
        contents.extend_from_slice(&count.to_le_bytes());
        contents.extend_from_slice(&(self.keys.len() as u32).to_le_bytes());
        for offset in &self.offsets {
            if wide {
                contents.extend_from_slice(&offset.to_le_bytes());
            } else {
                // Not wide means that no offset is above u16::MAX.
                contents.extend_from_slice(&(*offset as u16).to_le_bytes());
            }
        }
        contents.extend_from_slice(&self.keys);
        contents.extend_from_slice(&self.values);
        contents
    }

    /// Forgets all entries and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.offsets.clear();
        self.keys.clear();
        self.values.clear();
    }
}
