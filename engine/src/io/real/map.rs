//! Memory maps of immutable files.
#![expect(
    unsafe_code,
    reason = "a map of a file is only as immutable as the file"
)]

use std::fs::File;
use std::io;

use bytes::Bytes;

/// Maps a part of a file for reading.
pub(super) fn map(file: &File, offset: u64, len: usize) -> io::Result<Bytes> {
    if len == 0 {
        return Ok(Bytes::new());
    }
    // SAFETY: the bytes of the map must not change while a reference to them is alive. The engine
    // maps only parts of SSTables, which it never writes to again once they are in the manifest,
    // and holds the lock of the directory against other Stator processes. What another program
    // writes into the file all the same, checksums find where they are verified, right after
    // mapping; later changes by such a program are outside of what can be defended against.
    let map = unsafe {
        memmap2::MmapOptions::new()
            .offset(offset)
            .len(len)
            .map(file)?
    };
    Ok(Bytes::from_owner(map))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    #[test]
    fn maps_at_any_offset() {
        let mut file = tempfile::tempfile().unwrap();
        let contents: Vec<u8> = (0..10_000_u32).map(|i| i as u8).collect();
        file.write_all(&contents).unwrap();
        let map = super::map(&file, 4_321, 1_234).unwrap();
        assert_eq!(map, &contents[4_321..4_321 + 1_234]);
        assert!(super::map(&file, 5, 0).unwrap().is_empty());
    }
}
