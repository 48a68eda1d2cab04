//! The footer of an SSTable: where everything else in the file is.
//!
//! The last 72 bytes of the file, all integers little-endian:
//!
//! | offset | size | type | content |
//! |---|---|---|---|
//! | 0 | 8 | u64 | file id |
//! | 8 | 8 | u64 | offset of the first index partition: the end of the data blocks |
//! | 16 | 8 + 4 | u64, u32 | offset and size of the top-level index block |
//! | 28 | 8 + 4 | u64, u32 | offset and size of the filter block |
//! | 40 | 8 + 4 | u64, u32 | offset and size of the properties block |
//! | 52 | 4 | u32 | format version: 1 |
//! | 56 | 4 | u32 | 0; anything else is refused |
//! | 60 | 4 | u32 | CRC-32 (IEEE) of bytes 0 to 59 |
//! | 64 | 8 | bytes | magic `STATRSST` |

use super::block::frame::{BadFrame, BlockHandle};
use crate::varint::Cursor;

/// Bytes of the footer.
pub(crate) const FOOTER_SIZE: usize = 72;
const CHECKED_SIZE: usize = 60;
const MAGIC: [u8; 8] = *b"STATRSST";
/// The one version of the format so far. A reader refuses all others.
const FORMAT_VERSION: u32 = 1;

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Footer {
    pub(crate) file_id: u64,
    /// End of the data blocks, start of the index partitions.
    pub(crate) data_end: u64,
    pub(crate) top_index: BlockHandle,
    pub(crate) filter: BlockHandle,
    pub(crate) properties: BlockHandle,
}

impl Footer {
    /// The bytes of the footer.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FOOTER_SIZE);
        bytes.extend_from_slice(&self.file_id.to_le_bytes());
        bytes.extend_from_slice(&self.data_end.to_le_bytes());
        for handle in [self.top_index, self.filter, self.properties] {
            bytes.extend_from_slice(&handle.offset.to_le_bytes());
            bytes.extend_from_slice(&handle.size.to_le_bytes());
        }
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&0u32.to_le_bytes());
        debug_assert_eq!(bytes.len(), CHECKED_SIZE);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes.extend_from_slice(&MAGIC);
        bytes
    }

    /// Puts magic, version, file id and checksum right, so that a fuzzer gets behind them.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn seal(bytes: &mut [u8; FOOTER_SIZE], file_id: u64) {
        let (checked, rest) = bytes.split_at_mut(CHECKED_SIZE);
        let (crc, magic) = rest.split_at_mut(4);
        for (start, field) in [
            (0, &file_id.to_le_bytes()[..]),
            (52, &FORMAT_VERSION.to_le_bytes()),
            (56, &[0; 4]),
        ] {
            if let Some(place) = checked.get_mut(start..start + field.len()) {
                place.copy_from_slice(field);
            }
        }
        crc.copy_from_slice(&crc32fast::hash(checked).to_le_bytes());
        magic.copy_from_slice(&MAGIC);
    }

    /// Checks and decodes the last bytes of a file of `file_size` bytes.
    pub(crate) fn decode(
        bytes: &[u8; FOOTER_SIZE],
        file_id: u64,
        file_size: u64,
    ) -> Result<Footer, BadFrame> {
        let bad = |expected: String, found: String| BadFrame { expected, found };
        let mut cursor = Cursor::new(bytes);
        let checked = cursor.take(CHECKED_SIZE).unwrap_or_default();
        let stored = cursor.u32().unwrap_or_default();
        let magic = cursor.take(MAGIC.len()).unwrap_or_default();
        if magic != MAGIC {
            return Err(bad(
                "the footer of an SSTable".to_owned(),
                format!("magic \"{}\"", magic.escape_ascii()),
            ));
        }
        let computed = crc32fast::hash(checked);
        if stored != computed {
            return Err(bad(
                format!("a footer with checksum {stored:08x}"),
                format!("bytes with checksum {computed:08x}"),
            ));
        }
        let mut cursor = Cursor::new(checked);
        let (footer, version, reserved) = Footer::fields(&mut cursor)
            .ok_or_else(|| bad("a footer".to_owned(), "too few bytes".to_owned()))?;
        if version != FORMAT_VERSION {
            return Err(bad(
                format!("format version {FORMAT_VERSION}"),
                format!("format version {version}"),
            ));
        }
        if reserved != 0 {
            return Err(bad(
                "0 in the reserved field".to_owned(),
                format!("{reserved}"),
            ));
        }
        if footer.file_id != file_id {
            return Err(bad(
                format!("file {file_id}"),
                format!("file {}", footer.file_id),
            ));
        }
        if !footer.is_ordered(file_size) {
            return Err(bad(
                format!("offsets within a file of {file_size} bytes"),
                format!("{footer:?}"),
            ));
        }
        Ok(footer)
    }

    fn fields(cursor: &mut Cursor<'_>) -> Option<(Footer, u32, u32)> {
        let file_id = cursor.u64()?;
        let data_end = cursor.u64()?;
        let mut handle = || {
            Some(BlockHandle {
                offset: cursor.u64()?,
                size: cursor.u32()?,
            })
        };
        let footer = Footer {
            file_id,
            data_end,
            top_index: handle()?,
            filter: handle()?,
            properties: handle()?,
        };
        Some((footer, cursor.u32()?, cursor.u32()?))
    }

    /// Whether the parts follow each other as the writer writes them, up to the footer.
    fn is_ordered(&self, file_size: u64) -> bool {
        let end = |handle: BlockHandle| handle.offset.checked_add(u64::from(handle.size));
        self.data_end <= self.top_index.offset
            && end(self.top_index) == Some(self.filter.offset)
            && end(self.filter) == Some(self.properties.offset)
            && end(self.properties) == file_size.checked_sub(FOOTER_SIZE as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footer() -> Footer {
        Footer {
            file_id: 9,
            data_end: 1000,
            top_index: BlockHandle {
                offset: 1500,
                size: 100,
            },
            filter: BlockHandle {
                offset: 1600,
                size: 50,
            },
            properties: BlockHandle {
                offset: 1650,
                size: 30,
            },
        }
    }

    const SIZE: u64 = 1680 + FOOTER_SIZE as u64;

    fn bytes() -> [u8; FOOTER_SIZE] {
        footer().encode().try_into().unwrap()
    }

    #[test]
    fn comes_back() {
        assert_eq!(Footer::decode(&bytes(), 9, SIZE), Ok(footer()));
    }

    #[test]
    fn of_another_file_or_size_is_refused() {
        assert!(Footer::decode(&bytes(), 8, SIZE).is_err());
        assert!(Footer::decode(&bytes(), 9, SIZE + 1).is_err());
        assert!(Footer::decode(&bytes(), 9, 10).is_err());
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        for bit in 0..FOOTER_SIZE * 8 {
            let mut damaged = bytes();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Footer::decode(&damaged, 9, SIZE).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn the_reserved_field_is_zero() {
        let mut damaged = bytes();
        damaged[56] = 1;
        let crc = crc32fast::hash(&damaged[..60]);
        damaged[60..64].copy_from_slice(&crc.to_le_bytes());
        let error = Footer::decode(&damaged, 9, SIZE).unwrap_err();
        assert_eq!(error.expected, "0 in the reserved field");
    }

    #[test]
    fn another_version_is_named() {
        let mut future = bytes();
        future[52] = 2;
        let crc = crc32fast::hash(&future[..60]);
        future[60..64].copy_from_slice(&crc.to_le_bytes());
        let error = Footer::decode(&future, 9, SIZE).unwrap_err();
        assert_eq!(error.expected, "format version 1");
        assert_eq!(error.found, "format version 2");
    }
}
