//! An SSTable as part of the database: opened when first used, deleted when no version names it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::ReadMode;
use crate::cache::BlockCache;
use crate::error::{Error, Result};
use crate::io::{File, Fs};
use crate::iter::InternalIterator;
use crate::sstable::{CacheUse, FileMeta, FoundVersion, Lookup, Reader, SstableIter};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

const SUFFIX: &str = ".sst";

/// The file name of an SSTable.
fn sstable_name(file_id: u64) -> String {
    format!("{file_id:012}{SUFFIX}")
}

/// The file id of an SSTable by its file name.
pub(super) fn sstable_id(name: &str) -> Option<u64> {
    let file_id = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (sstable_name(file_id) == name).then_some(file_id)
}

/// Where SSTables are: the directory, the cache of their blocks, and which of them wait to be
/// deleted.
pub(crate) struct TableStore {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    cache: Arc<BlockCache>,
    garbage: Mutex<Vec<u64>>,
    /// SSTables that were written and are in no version yet, open already.
    fresh: Mutex<HashMap<u64, Arc<Reader>>>,
    /// Told that there is garbage.
    on_garbage: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl TableStore {
    /// The SSTables in a directory.
    pub(crate) fn new(fs: Arc<dyn Fs>, dir: &Path, cache: Arc<BlockCache>) -> Arc<TableStore> {
        Arc::new(TableStore {
            fs,
            dir: dir.to_path_buf(),
            cache,
            garbage: Mutex::default(),
            fresh: Mutex::default(),
            on_garbage: OnceLock::new(),
        })
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file system.
    pub(crate) fn fs(&self) -> &Arc<dyn Fs> {
        &self.fs
    }

    /// The cache of blocks.
    pub(crate) fn cache(&self) -> &Arc<BlockCache> {
        &self.cache
    }

    /// Where an SSTable is.
    pub(super) fn path(&self, file_id: u64) -> PathBuf {
        self.dir.join(sstable_name(file_id))
    }

    /// Creates the file of a new SSTable.
    pub(crate) fn create(&self, file_id: u64) -> Result<Arc<dyn File>> {
        self.fs.create(&self.path(file_id))
    }

    /// Makes the names of new SSTables durable, which they must be before an edit adds them.
    pub(crate) fn sync_dir(&self) -> Result<()> {
        self.fs.sync_dir(&self.dir)
    }

    /// Opens an SSTable. One that is missing is damage: the manifest named it, so it had been there.
    fn open(&self, file_id: u64) -> Result<Reader> {
        let path = self.path(file_id);
        let file = self.fs.open_read(&path).map_err(|error| match error {
            error if error.is_not_found() => {
                Error::corruption(&path, 0, "an SSTable that the manifest names", "no file")
            }
            error => error,
        })?;
        Reader::open(file, file_id, Arc::clone(&self.cache))
    }

    /// Opens an SSTable that was just written, so that no version names a file that cannot be
    /// opened, and no reader has to wait for its index. It is kept open for the version to come.
    pub(crate) fn open_fresh(&self, file_id: u64) -> Result<()> {
        let reader = Arc::new(self.open(file_id)?);
        self.fresh.lock().insert(file_id, reader);
        Ok(())
    }

    /// Calls `wake` whenever there is something to delete; at most one is set, once.
    pub(crate) fn on_garbage(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_garbage.set(Box::new(wake));
    }

    /// Takes one file that no version names any more, to be deleted with
    /// [`TableStore::delete`].
    pub(crate) fn take_garbage(&self) -> Option<u64> {
        self.garbage.lock().pop()
    }

    /// Deletes the file of an SSTable. If the deletion is lost in a crash, the next start deletes
    /// the file as an orphan: no sync is needed.
    pub(crate) fn delete(&self, file_id: u64) -> Result<()> {
        self.fresh.lock().remove(&file_id);
        match self.fs.remove(&self.path(file_id)) {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    fn discard(&self, file_id: u64) {
        self.garbage.lock().push(file_id);
        if let Some(wake) = self.on_garbage.get() {
            wake();
        }
    }
}

/// An SSTable that a version names, or an old version still does.
pub(crate) struct Table {
    meta: FileMeta,
    store: Arc<TableStore>,
    reader: OnceLock<Arc<Reader>>,
    /// Set when an edit has removed it: with the last version that names it, the file goes too.
    obsolete: AtomicBool,
}

impl Table {
    pub(super) fn new(meta: FileMeta, store: Arc<TableStore>) -> Arc<Table> {
        let reader = match store.fresh.lock().remove(&meta.file_id) {
            Some(reader) => OnceLock::from(reader),
            None => OnceLock::new(),
        };
        Arc::new(Table {
            meta,
            store,
            reader,
            obsolete: AtomicBool::new(false),
        })
    }

    /// What the manifest knows of it.
    pub(crate) fn meta(&self) -> &FileMeta {
        &self.meta
    }

    /// Its id.
    pub(crate) fn file_id(&self) -> u64 {
        self.meta.file_id
    }

    /// Where its file is.
    pub(crate) fn path(&self) -> PathBuf {
        self.store.path(self.meta.file_id)
    }

    /// Its first user key.
    pub(crate) fn smallest(&self) -> &[u8] {
        &self.meta.properties.smallest
    }

    /// Its last user key.
    pub(crate) fn largest(&self) -> &[u8] {
        &self.meta.properties.largest
    }

    /// Whether its keys and those from `smallest` to `largest` have a range in common.
    pub(crate) fn overlaps(&self, smallest: &[u8], largest: &[u8]) -> bool {
        self.smallest() <= largest && smallest <= self.largest()
    }

    /// The open file. The first call opens it, which may wait for the disk.
    pub(crate) fn reader(&self, mode: ReadMode) -> Result<&Arc<Reader>> {
        if let Some(reader) = self.reader.get() {
            return Ok(reader);
        }
        if mode == ReadMode::CachedOnly {
            return Err(Error::WouldBlock);
        }
        let reader = Arc::new(self.store.open(self.meta.file_id)?);
        // Where two threads open it at once, one of the two readers is kept.
        Ok(self.reader.get_or_init(|| reader))
    }

    /// Bytes of memory or map that its index and filter take; 0 if it was not opened yet.
    pub(crate) fn pinned_size(&self) -> usize {
        self.reader.get().map_or(0, |reader| reader.pinned_size())
    }

    /// The newest version of a user key here that the lookup may see.
    pub(crate) fn get(&self, lookup: &Lookup<'_>, mode: ReadMode) -> Result<Option<FoundVersion>> {
        self.reader(mode)?.get(lookup, mode)
    }

    /// An iterator over it.
    pub(crate) fn iter(
        &self,
        mode: ReadMode,
        cache_use: CacheUse,
    ) -> Result<Box<dyn InternalIterator>> {
        let reader = Arc::clone(self.reader(mode)?);
        Ok(Box::new(SstableIter::new(reader, mode, cache_use)))
    }

    pub(super) fn make_obsolete(&self) {
        self.obsolete.store(true, Ordering::Release);
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        if self.obsolete.load(Ordering::Acquire) {
            self.store.discard(self.meta.file_id);
        }
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "table {}", self.meta.file_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_sstables() {
        assert_eq!(sstable_id(&sstable_name(7)), Some(7));
        assert_eq!(sstable_id(&sstable_name(u64::MAX)), Some(u64::MAX));
        for name in ["7.sst", "000000000007.sst.tmp", "00000000000x.sst", ".sst"] {
            assert_eq!(sstable_id(name), None, "{name}");
        }
    }
}
