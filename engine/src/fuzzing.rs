//! The engine's decoders for the targets in `fuzz/`. Not part of the API.
//!
//! Each function takes any bytes, runs one decoder and all that reads what it gives, and panics if
//! an invariant does not hold: bytes from the disk give an answer or an error and never a panic, and
//! what was accepted reads the same forward and backward, and again when it is written anew.
//!
//! Checksums would keep a fuzzer from ever getting behind them. So where the first byte of the input
//! is odd, the input is *sealed* first: its checksums, and what says where it lies, are put right.

use std::path::Path;

use bytes::Bytes;

use crate::error::{Error, ErrorKind};
use crate::key::{Key, KeyRef, KeyspaceId};

pub use crate::manifest::fuzzing::{edit, manifest};
pub use crate::sstable::fuzzing::{block, frame, sstable};
pub use crate::wal::fuzzing::wal;

/// The first byte of the input decides whether the rest is sealed.
pub(crate) fn split(input: &[u8]) -> (bool, &[u8]) {
    match input.split_first() {
        Some((first, rest)) => (first % 2 == 1, rest),
        None => (false, input),
    }
}

/// The one error that damaged bytes may give.
pub(crate) fn assert_corruption(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
}

/// A file in memory with these contents.
pub(crate) fn put_file(fs: &dyn crate::io::Fs, path: &Path, contents: &[u8]) {
    let written = fs
        .create(path)
        .and_then(|file| file.write_at(contents, 0).map(|()| file));
    assert!(written.is_ok(), "files in memory do not fail");
}

/// User keys: what parses comes back from its parts.
pub fn key(input: &[u8]) {
    let Some(key) = KeyRef::parse(input) else {
        return;
    };
    let again = Key::new(key.keyspace(), &key.partition(), key.sort());
    let view = again.as_key_ref();
    assert_eq!(view.partition(), key.partition());
    assert_eq!(view.sort(), key.sort());
    assert_eq!(view.as_bytes().len(), input.len());
    // All but the hash, which a view takes as it finds it.
    assert_eq!(view.as_bytes().get(12..), input.get(12..));
    assert_eq!(view.keyspace(), KeyspaceId(key.keyspace().0));
}

/// A handle that owns a copy of the input, as a block read from a file does.
pub(crate) fn owned(input: &[u8]) -> Bytes {
    Bytes::copy_from_slice(input)
}

#[cfg(test)]
mod tests;
