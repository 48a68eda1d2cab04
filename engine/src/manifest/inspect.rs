//! The manifests of a directory as they are, for those who only look.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::current;
use super::table::{TableStore, sstable_id};
use super::version::Version;
use super::version_set::read_manifest;
use crate::cache::BlockCache;
use crate::error::Result;
use crate::io::Fs;

/// Held by the process that has the database open.
pub(crate) const LOCK_FILE: &str = "LOCK";

/// What a file of the directory is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// Says which manifest counts.
    Current,
    /// A `Current` that was not finished.
    TemporaryCurrent,
    /// The manifest of this generation.
    Manifest(u64),
    /// The SSTable with this id.
    Sstable(u64),
}

impl Named {
    /// `None` for a name of something else.
    pub(crate) fn parse(name: &str) -> Option<Named> {
        if name == current::CURRENT {
            return Some(Named::Current);
        }
        if current::is_temporary(name) {
            return Some(Named::TemporaryCurrent);
        }
        current::manifest_generation(name)
            .map(Named::Manifest)
            .or_else(|| sstable_id(name).map(Named::Sstable))
    }
}

/// A manifest that was read whole.
pub(crate) struct Manifest {
    pub(crate) path: PathBuf,
    pub(crate) version: Version,
    /// Bytes of an edit at the end that was never finished.
    pub(crate) torn: usize,
}

/// The generation that counts; `None` if the directory holds no database.
pub(crate) fn current_generation(fs: &dyn Fs, dir: &Path) -> Result<Option<u64>> {
    current::read(fs, dir)
}

/// Reads the manifest of a generation.
pub(crate) fn read(fs: &Arc<dyn Fs>, dir: &Path, generation: u64) -> Result<Manifest> {
    // Nothing is read twice: no cache.
    let cache = Arc::new(BlockCache::new(0, 1));
    let store = TableStore::new(Arc::clone(fs), dir, cache);
    let (version, torn) = read_manifest(&store, generation)?;
    Ok(Manifest {
        path: dir.join(current::manifest_name(generation)),
        version,
        torn,
    })
}
