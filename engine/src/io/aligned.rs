//! A buffer whose memory starts on a page boundary, as direct I/O wants it.

/// Alignment of offsets, lengths and memory in direct I/O, and the unit that a disk may tear or
/// rewrite as a whole: no two WAL groups that were made durable one after the other share one.
pub const PAGE_SIZE: usize = 4096;

/// A growable byte buffer, aligned to [`PAGE_SIZE`] in memory.
///
/// The alignment comes from allocating a page more than is needed and starting at the first
/// boundary, which needs no `unsafe`.
#[derive(Default)]
pub struct AlignedBuf {
    /// `bytes[..start]` is unused; `bytes[start..]` is the contents.
    bytes: Vec<u8>,
    start: usize,
}

impl AlignedBuf {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the contents and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.truncate(self.start);
    }

    /// Bytes in the buffer.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory it holds on to.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends zeros up to a multiple of [`PAGE_SIZE`].
    pub fn pad_to_page(&mut self) {
        let padded = self.len().next_multiple_of(PAGE_SIZE);
        self.resize(padded);
    }

    /// Cuts, or appends zeros, to a length.
    pub fn resize(&mut self, len: usize) {
        self.reserve(len.saturating_sub(self.len()));
        self.bytes.resize(self.start + len, 0);
    }

    /// The contents.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The contents, to change.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..).unwrap_or_default()
    }

    /// Makes room without losing the alignment: a vector that grows by itself may end up anywhere.
    fn reserve(&mut self, additional: usize) {
        if self.bytes.len() + additional <= self.bytes.capacity() && self.bytes.capacity() > 0 {
            return;
        }
        let capacity = (self.len() + additional)
            .max(2 * self.len())
            .next_multiple_of(PAGE_SIZE);
        let mut bytes: Vec<u8> = Vec::with_capacity(capacity + PAGE_SIZE);
        let start = bytes.as_ptr().align_offset(PAGE_SIZE).min(PAGE_SIZE);
        bytes.resize(start, 0);
        bytes.extend_from_slice(self.as_slice());
        self.bytes = bytes;
        self.start = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_aligned_while_it_grows() {
        let mut buf = AlignedBuf::new();
        let mut expected = Vec::new();
        for i in 0..2_000_u32 {
            let chunk = vec![i as u8; (i % 97) as usize];
            buf.extend_from_slice(&chunk);
            expected.extend_from_slice(&chunk);
            assert_eq!(
                buf.as_slice().as_ptr().align_offset(PAGE_SIZE),
                0,
                "after {i} chunks"
            );
        }
        assert_eq!(buf.as_slice(), expected);
        buf.pad_to_page();
        assert_eq!(buf.len(), expected.len().next_multiple_of(PAGE_SIZE));
        assert!(
            buf.as_slice()[expected.len()..]
                .iter()
                .all(|byte| *byte == 0)
        );
        buf.clear();
        assert!(buf.is_empty());
        buf.extend_from_slice(b"again");
        assert_eq!(buf.as_slice(), b"again");
        assert_eq!(buf.as_slice().as_ptr().align_offset(PAGE_SIZE), 0);
    }

    #[test]
    fn padding_a_full_page_adds_nothing() {
        let mut buf = AlignedBuf::new();
        buf.resize(PAGE_SIZE);
        buf.pad_to_page();
        assert_eq!(buf.len(), PAGE_SIZE);
    }
}
