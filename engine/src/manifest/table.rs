//! An SSTable as part of the database: opened when it is used, closed when it was not used for long,
//! deleted when no version names it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

use super::layers::{Piece, PieceEnd};
use super::open_tables::OpenTables;
use crate::ReadMode;
use crate::cache::BlockCache;
use crate::error::{Error, Result};
use crate::io::{File, Fs};
use crate::iter::InternalIterator;
use crate::key::{KeyspaceId, keyspace_of, log_partition};
use crate::sstable::{CacheUse, FileMeta, FoundVersion, Lookup, Reader, SstableIter};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{ArcSwapOption, Mutex};

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
    open: OpenTables,
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
            open: OpenTables::default(),
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

    /// Reads footer, index and filter of an SSTable. One that is missing is damage: the manifest named it, so it had been there.
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

    /// Bytes of memory or map that indexes and filters take.
    pub(crate) fn metadata_size(&self) -> usize {
        self.open.size()
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
    this: Weak<Table>,
    /// `None` if it is closed.
    reader: ArcSwapOption<Reader>,
    /// Read from since it was last looked at whether it could be closed.
    used: AtomicBool,
    is_log_piece: bool,
    /// Set when an edit has removed it: with the last version that names it, the file goes too.
    obsolete: AtomicBool,
}

impl Table {
    pub(super) fn new(meta: FileMeta, store: Arc<TableStore>) -> Arc<Table> {
        let (first, last) = (&meta.properties.smallest, &meta.properties.largest);
        let is_log_piece =
            log_partition(first).is_some_and(|partition| last.starts_with(partition));
        let fresh = store.fresh.lock().remove(&meta.file_id);
        let table = Arc::new_cyclic(|this| Table {
            meta,
            store,
            this: Weak::clone(this),
            reader: ArcSwapOption::default(),
            used: AtomicBool::new(false),
            is_log_piece,
            obsolete: AtomicBool::new(false),
        });
        if let Some(reader) = fresh {
            table.keep_open(reader);
        }
        table
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

    /// Whether it has keys of one partition of a [log](crate::KeyspaceId::is_log), and no others: a
    /// piece between older and newer ones, that overlaps none of them.
    pub(crate) fn is_log_piece(&self) -> bool {
        self.is_log_piece
    }

    /// Whether both are pieces of one partition of a log.
    pub(crate) fn is_of_same_partition(&self, other: &Table) -> bool {
        self.is_log_piece
            && other.is_log_piece
            && log_partition(self.smallest()) == log_partition(other.smallest())
    }

    /// Whether its keys and those from `smallest` to `largest` have a range in common.
    pub(crate) fn overlaps(&self, smallest: &[u8], largest: &[u8]) -> bool {
        self.smallest() <= largest && smallest <= self.largest()
    }

    /// Reads from it, after opening it if it is closed, which may wait for the disk.
    fn with_reader<T>(
        &self,
        mode: ReadMode,
        read: impl FnOnce(&Arc<Reader>) -> Result<T>,
    ) -> Result<T> {
        // No reference is counted up and down: cores that read the same SSTable would take that count
        // from one another.
        if let Some(reader) = &*self.reader.load() {
            // Nor is the flag's cache line taken from them, as long as it is set.
            if !self.used.load(Ordering::Relaxed) {
                self.used.store(true, Ordering::Relaxed);
            }
            return read(reader);
        }
        if mode == ReadMode::CachedOnly {
            return Err(Error::WouldBlock);
        }
        let reader = Arc::new(self.store.open(self.meta.file_id)?);
        read(&self.keep_open(reader))
    }

    /// Keeps a reader for those to come. Where two threads open it at once, the first one's is kept.
    fn keep_open(&self, reader: Arc<Reader>) -> Arc<Reader> {
        let nobody = None::<Arc<Reader>>;
        let first = self
            .reader
            .compare_and_swap(&nobody, Some(Arc::clone(&reader)));
        if let Some(first) = &*first {
            return Arc::clone(first);
        }
        self.used.store(true, Ordering::Relaxed);
        if let Some(this) = self.this.upgrade() {
            let store = &self.store;
            store.open.add(&this, reader.pinned_size(), &store.cache);
        }
        reader
    }

    /// Closes it, unless it was used since the last call. Who reads from it goes on with it.
    pub(super) fn close_unless_used(&self) -> bool {
        if self.used.swap(false, Ordering::Relaxed) {
            return false;
        }
        self.reader.store(None);
        true
    }

    /// The newest version of a user key here that the lookup may see.
    pub(crate) fn get(&self, lookup: &Lookup<'_>, mode: ReadMode) -> Result<Option<FoundVersion>> {
        self.with_reader(mode, |reader| reader.get(lookup, mode))
    }

    /// `false` if no key here begins with the prefix of a partition.
    pub(crate) fn may_contain_partition(&self, prefix: &[u8], mode: ReadMode) -> Result<bool> {
        self.with_reader(mode, |reader| Ok(reader.may_contain_partition(prefix)))
    }

    /// An iterator over it.
    pub(crate) fn iter(
        &self,
        mode: ReadMode,
        cache_use: CacheUse,
    ) -> Result<Box<dyn InternalIterator>> {
        let reader = self.with_reader(mode, |reader| Ok(Arc::clone(reader)))?;
        Ok(Box::new(SstableIter::new(reader, mode, cache_use)))
    }

    /// What it has of a keyspace behind a key, which is without keyspace id; `None` if nothing.
    pub(crate) fn piece(&self, keyspace: KeyspaceId, behind: &[u8]) -> Option<Piece> {
        let properties = &self.meta.properties;
        let uses = &properties.keyspaces;
        let place = uses.binary_search_by_key(&keyspace, |used| used.keyspace);
        let used = uses.get(place.ok()?)?;
        let id_size = size_of::<KeyspaceId>();
        let end = match keyspace_of(&properties.largest) == Some(keyspace) {
            true => PieceEnd::At(properties.largest.slice(id_size..)),
            false => PieceEnd::Whole,
        };
        if matches!(&end, PieceEnd::At(end) if **end <= *behind) {
            return None;
        }
        let all: u64 = uses.iter().map(|used| used.bytes).sum();
        let size = u128::from(self.meta.size) * u128::from(used.bytes) / u128::from(all.max(1));
        Some(Piece {
            end,
            size: u64::try_from(size).unwrap_or(u64::MAX),
        })
    }

    pub(super) fn make_obsolete(&self) {
        self.obsolete.store(true, Ordering::Release);
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        if self.reader.load().is_some() {
            self.store.open.remove(self.meta.file_id, &self.store.cache);
        }
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
