//! `CURRENT`: the name of the manifest that counts.
//!
//! One line: the manifest's file name, a space, the CRC-32 (IEEE) of the name as eight hexadecimal
//! digits, a newline. It is replaced as a whole: written under another name, synced, renamed, and
//! the directory synced.

use std::path::Path;

use super::table::sstable_id;
use crate::error::{Error, Result};
use crate::io::Fs;
use crate::mutants::{Mutant, is_on};

pub(super) const CURRENT: &str = "CURRENT";
const TEMPORARY: &str = "CURRENT.tmp";
const MANIFEST_PREFIX: &str = "MANIFEST-";

/// The name of a manifest file.
pub(super) fn manifest_name(generation: u64) -> String {
    format!("{MANIFEST_PREFIX}{generation:06}")
}

/// The generation of a manifest by its file name.
pub(super) fn manifest_generation(name: &str) -> Option<u64> {
    let generation = name.strip_prefix(MANIFEST_PREFIX)?.parse().ok()?;
    (manifest_name(generation) == name).then_some(generation)
}

/// Whether a name is that of an unfinished `CURRENT`.
pub(super) fn is_temporary(name: &str) -> bool {
    name == TEMPORARY
}

fn contents(generation: u64) -> String {
    let name = manifest_name(generation);
    format!("{name} {:08x}\n", crc32fast::hash(name.as_bytes()))
}

/// The generation that counts; `None` if the directory holds no database.
pub(super) fn read(fs: &dyn Fs, dir: &Path) -> Result<Option<u64>> {
    let path = dir.join(CURRENT);
    let file = match fs.open_read(&path) {
        Ok(file) => file,
        Err(error) if error.is_not_found() => return none_if_empty(fs, dir),
        Err(error) => return Err(error),
    };
    let mut bytes = vec![0; contents(u64::MAX).len() + 1];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    let generation = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.split(' ').next())
        .and_then(manifest_generation)
        .filter(|generation| {
            contents(*generation).as_bytes() == bytes || is_on(Mutant::CurrentChecksum)
        });
    match generation {
        Some(generation) => Ok(Some(generation)),
        None => Err(Error::corruption(
            path,
            0,
            "the name of a manifest and its checksum",
            format!("\"{}\"", bytes.escape_ascii()),
        )),
    }
}

/// A manifest without `CURRENT` is a database that lost it, not an empty directory: except for the
/// first manifest, which is there before the first `CURRENT` is, and before the first SSTable.
fn none_if_empty(fs: &dyn Fs, dir: &Path) -> Result<Option<u64>> {
    let entries = fs.list(dir)?;
    let lost = entries.iter().find(|entry| {
        sstable_id(&entry.name).is_some()
            || manifest_generation(&entry.name).is_some_and(|generation| generation > 1)
    });
    match lost {
        None => Ok(None),
        Some(entry) => Err(Error::corruption(
            dir.join(CURRENT),
            0,
            "the name of a manifest",
            format!("no such file, but {}", entry.name),
        )),
    }
}

/// Makes a generation the one that counts. Its manifest, name included, is durable before.
pub(super) fn write(fs: &dyn Fs, dir: &Path, generation: u64) -> Result<()> {
    let temporary = dir.join(TEMPORARY);
    match fs.remove(&temporary) {
        Err(error) if !error.is_not_found() => return Err(error),
        _ => {}
    }
    let file = fs.create(&temporary)?;
    file.write_at(contents(generation).as_bytes(), 0)?;
    if !is_on(Mutant::CurrentSync) {
        file.sync_all()?;
    }
    fs.rename(&temporary, &dir.join(CURRENT))?;
    match is_on(Mutant::CurrentName) {
        true => Ok(()),
        false => fs.sync_dir(dir),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::io::MemoryFs;

    #[test]
    fn names_a_generation() {
        let (fs, dir) = (MemoryFs::new(), Path::new("/db"));
        assert_eq!(read(&fs, dir).unwrap(), None);
        for generation in [1, 2, 12_345_678] {
            write(&fs, dir, generation).unwrap();
            assert_eq!(read(&fs, dir).unwrap(), Some(generation));
        }
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let (fs, dir) = (MemoryFs::new(), Path::new("/db"));
        write(&fs, dir, 7).unwrap();
        let file = fs.open(&dir.join(CURRENT)).unwrap();
        for bit in 0..file.len().unwrap() * 8 {
            let mut byte = [0];
            file.read_exact_at(&mut byte, bit / 8).unwrap();
            file.write_at(&[byte[0] ^ 1 << (bit % 8)], bit / 8).unwrap();
            let error = read(&fs, dir).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corruption, "bit {bit}");
            file.write_at(&byte, bit / 8).unwrap();
        }
    }

    #[test]
    fn a_lost_current_is_no_empty_directory() {
        let (fs, dir) = (MemoryFs::new(), Path::new("/db"));
        fs.create(&dir.join(manifest_name(1))).unwrap();
        assert_eq!(read(&fs, dir).unwrap(), None);
        for name in ["MANIFEST-000002", "000000000004.sst"] {
            fs.create(&dir.join(name)).unwrap();
            assert_eq!(
                read(&fs, dir).unwrap_err().kind(),
                ErrorKind::Corruption,
                "{name}"
            );
            fs.remove(&dir.join(name)).unwrap();
        }
    }

    #[test]
    fn only_whole_names_are_manifests() {
        assert_eq!(manifest_generation("MANIFEST-000012"), Some(12));
        assert_eq!(manifest_generation("MANIFEST-1234567"), Some(1_234_567));
        for name in [
            "MANIFEST-12",
            "MANIFEST-",
            "MANIFEST-00001x",
            "CURRENT",
            "MANIFEST-+00012",
        ] {
            assert_eq!(manifest_generation(name), None, "{name}");
        }
    }
}
