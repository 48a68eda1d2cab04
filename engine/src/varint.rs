//! Integers of varying length, and a cursor over encoded fields. Manifest and SSTable use both.
//!
//! A varint is LEB128: seven bits per byte, least significant first, and the top bit set on all
//! bytes but the last. A u64 takes at most ten bytes.

/// The longest encoding of a u64.
pub(crate) const MAX_VARINT_SIZE: usize = 10;

/// Appends a varint.
pub(crate) fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value as u8) | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends the length of `field` as a varint, and `field`.
pub(crate) fn push_bytes(bytes: &mut Vec<u8>, field: &[u8]) {
    push_varint(bytes, field.len() as u64);
    bytes.extend_from_slice(field);
}

/// Reads encoded fields one after the other. Every method answers `None`, and never panics, where
/// the bytes cannot hold the field.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes`.
    pub(crate) fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { rest: bytes }
    }

    /// Bytes not yet read.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// One byte.
    #[inline]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// A u32, little-endian.
    #[inline]
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.chunk::<4>().map(u32::from_le_bytes)
    }

    /// A u64, little-endian.
    #[inline]
    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.chunk::<8>().map(u64::from_le_bytes)
    }

    #[inline]
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*chunk)
    }

    /// The next `len` bytes.
    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    /// A varint.
    #[inline]
    pub(crate) fn varint(&mut self) -> Option<u64> {
        // Nearly all varints in these formats are one byte long.
        if let Some((first, rest)) = self.rest.split_first()
            && *first < 0x80
        {
            self.rest = rest;
            return Some(u64::from(*first));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for (index, byte) in self.rest.iter().take(MAX_VARINT_SIZE).enumerate() {
            let bits = u64::from(byte & 0x7F);
            let shift = 7 * index as u32;
            if bits << shift >> shift != bits {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                self.rest = self.rest.get(index + 1..)?;
                return Some(value);
            }
        }
        None
    }

    /// A varint that fits 32 bits.
    #[inline]
    pub(crate) fn varint_u32(&mut self) -> Option<u32> {
        u32::try_from(self.varint()?).ok()
    }

    /// A varint that is a length or a count in memory.
    #[inline]
    pub(crate) fn varint_usize(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    /// Bytes with their length before them.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.varint_usize()?;
        self.take(len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn too_long_or_too_big_is_refused() {
        assert_eq!(Cursor::new(&[0x80; 11]).varint(), None);
        assert_eq!(Cursor::new(&[0xFF, 0xFF]).varint(), None);
        let mut eleven_bits_too_many = [0xFF; 10];
        eleven_bits_too_many[9] = 0x02;
        assert_eq!(Cursor::new(&eleven_bits_too_many).varint(), None);
        eleven_bits_too_many[9] = 0x01;
        assert_eq!(Cursor::new(&eleven_bits_too_many).varint(), Some(u64::MAX));
        assert_eq!(Cursor::new(&[3, 1, 2]).bytes(), None);
    }

    proptest! {
        #[test]
        fn fields_come_back(
            values in prop::collection::vec(any::<u64>().prop_map(|v| v >> (v % 64)), 0..20),
            field: Vec<u8>,
        ) {
            let mut bytes = Vec::new();
            for value in &values {
                push_varint(&mut bytes, *value);
                push_bytes(&mut bytes, &field);
            }
            let mut cursor = Cursor::new(&bytes);
            for value in &values {
                prop_assert_eq!(cursor.varint(), Some(*value));
                prop_assert_eq!(cursor.bytes(), Some(field.as_slice()));
            }
            prop_assert_eq!(cursor.remaining(), 0);
            prop_assert_eq!(cursor.varint(), None);
        }
    }
}
