//! The current version and the manifest file behind it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::current;
use super::edit::VersionEdit;
use super::record::{Damage, decode_file, encode_header, push_record};
use super::table::{Table, TableStore, sstable_id};
use super::version::Version;
use crate::cache::BlockCache;
use crate::error::{Error, Result};
use crate::io::{File, Fs};
use crate::mutants::{Mutant, is_on};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{ArcSwap, Guard};

/// File ids start here; below is nothing.
const FIRST_FILE_ID: u64 = 1;

/// Keeps the current version and makes every change of it durable before it is seen.
pub(crate) struct VersionSet {
    store: Arc<TableStore>,
    current: ArcSwap<Version>,
    next_file_id: AtomicU64,
    log: Mutex<Log>,
}

/// The manifest file that edits are appended to.
struct Log {
    state: State,
    generation: u64,
    /// Number of the next record.
    next_record: u64,
    /// Where it goes.
    offset: u64,
    /// Size at which the next generation is started.
    size_limit: u64,
    /// The configured part of `size_limit`.
    min_size_limit: u64,
}

/// Whether edits can be appended.
enum State {
    /// To a generation that is begun first.
    Due,
    /// To this file.
    Ready(Arc<dyn File>),
    /// No more: an append has failed, so that what is on disk is not known, and nothing is ever
    /// appended behind what may be half a record.
    Failed,
}

impl VersionSet {
    /// Reads the manifest of a database, or that of an empty directory. Nothing is written yet, so
    /// that an opening which is refused leaves everything as it was: see [`VersionSet::begin`].
    pub(crate) fn read(
        fs: Arc<dyn Fs>,
        dir: &Path,
        cache: Arc<BlockCache>,
        manifest_size: u64,
    ) -> Result<VersionSet> {
        let store = TableStore::new(fs, dir, cache);
        let (version, generation) = match current::read(store.fs().as_ref(), dir)? {
            Some(generation) => {
                let (version, torn) = read_manifest(&store, generation)?;
                if torn > 0 {
                    tracing::info!(bytes = torn, generation, "dropped an incomplete edit");
                }
                (version, generation)
            }
            None => (Version::default(), 0),
        };
        // An orphan whose deletion is lost must not meet a new file of its name.
        let stored = stored_sstables(&store)?;
        let highest_id = stored.last_key_value().map_or(0, |(file_id, _)| *file_id);
        let next_file_id = version
            .next_file_id()
            .max(FIRST_FILE_ID)
            .max(highest_id.saturating_add(1));
        let set = VersionSet {
            store,
            current: ArcSwap::from_pointee(version),
            next_file_id: AtomicU64::new(next_file_id),
            log: Mutex::new(Log {
                state: State::Due,
                generation,
                next_record: 0,
                offset: 0,
                size_limit: manifest_size,
                min_size_limit: manifest_size,
            }),
        };
        Ok(set)
    }

    /// Both at once, where nothing is to be checked in between.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        cache: Arc<BlockCache>,
        manifest_size: u64,
    ) -> Result<VersionSet> {
        let set = VersionSet::read(fs, dir, cache, manifest_size)?;
        set.begin()?;
        Ok(set)
    }

    /// Makes the result of an edit the current version without making it durable: before
    /// [`VersionSet::begin`], which then writes all of it at once. So an opening that is refused half
    /// way has changed nothing that counts, and one that goes on has one moment at which it does.
    ///
    /// # Errors
    ///
    /// What in the edit does not fit the current version.
    pub(crate) fn stage(&self, mut edit: VersionEdit) -> Result<()> {
        edit.next_file_id = Some(self.next_file_id.load(Ordering::Relaxed));
        let next = self.current.load().apply(&edit, &self.store);
        let next = next.map_err(|found| Error::invalid(format!("an edit that names {found}")))?;
        self.current.store(Arc::new(next));
        Ok(())
    }

    /// Starts the generation of this opening with what was found, unless an edit has done so: nothing
    /// is appended behind a torn record, and what is served from now on is durable, even if what was
    /// read was only in the page cache.
    pub(crate) fn begin(&self) -> Result<()> {
        let mut log = self.log.lock();
        match log.state {
            State::Due => self.start_generation(&mut log, &self.current.load()),
            State::Ready(_) | State::Failed => Ok(()),
        }
    }

    /// Fails unless every SSTable that the version names is there, with the size that it had. They were
    /// durable before, names included: one that is missing means that the manifest has lost its last
    /// edits, or the directory a file. What is there then must neither be served as if it were all,
    /// nor be deleted as if nobody needed it.
    pub(crate) fn check_stored(&self) -> Result<()> {
        let stored = stored_sstables(&self.store)?;
        for (level, table) in self.current.load().tables() {
            let size = table.meta().size;
            let found = stored.get(&table.file_id()).copied();
            if found != Some(size) && !is_on(Mutant::StoredSstables) {
                return Err(Error::corruption(
                    self.store.path(table.file_id()),
                    0,
                    format!("an SSTable of L{level} of {size} bytes, as the manifest says"),
                    found.map_or_else(|| "no file".to_owned(), |len| format!("{len} bytes")),
                ));
            }
        }
        Ok(())
    }

    /// The current version.
    pub(crate) fn current(&self) -> Arc<Version> {
        self.current.load_full()
    }

    /// The same for a moment, without counting a reference to it, which would be one place that all
    /// cores write to.
    pub(crate) fn load(&self) -> Guard<Arc<Version>> {
        self.current.load()
    }

    /// Where the SSTables are.
    pub(crate) fn store(&self) -> &Arc<TableStore> {
        &self.store
    }

    /// An id for a new file, never given before.
    pub(crate) fn allocate_file_id(&self) -> u64 {
        self.next_file_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes an edit durable and the result of it the current version. The files it adds are
    /// durable before, names included.
    ///
    /// # Errors
    ///
    /// The file's error, if the edit could not be made durable; all later calls then fail with
    /// `ReadOnly`.
    ///
    /// # Panics
    ///
    /// If the edit does not fit the current version, which is a defect of the engine.
    pub(crate) fn apply(&self, mut edit: VersionEdit) -> Result<Arc<Version>> {
        let mut log = self.log.lock();
        edit.next_file_id = Some(self.next_file_id.load(Ordering::Relaxed));
        let before = self.current.load_full();
        let next = before.apply(&edit, &self.store);
        assert!(
            next.is_ok(),
            "an edit that does not fit: {:?}",
            next.as_ref().err()
        );
        let Ok(next) = next else { return Ok(before) };

        if let State::Due = log.state {
            self.start_generation(&mut log, &before)?;
        }
        if is_on(Mutant::EditBeforeInputs) {
            for table in removed_tables(&before, &edit) {
                self.store.delete(table.file_id())?;
            }
        }
        self.append(&mut log, &edit)?;
        let next = Arc::new(next);
        self.current.store(Arc::clone(&next));
        for table in removed_tables(&before, &edit) {
            table.make_obsolete();
        }
        if log.offset > log.size_limit {
            match self.start_generation(&mut log, &next) {
                // The edit is durable. The next one begins a generation first, if there is room then.
                Err(error) if error.is_no_room() => tracing::warn!("{error}"),
                result => result?,
            }
        }
        Ok(next)
    }

    fn append(&self, log: &mut Log, edit: &VersionEdit) -> Result<()> {
        // Taken out while the outcome is open, and put back only if it is good.
        let State::Ready(file) = std::mem::replace(&mut log.state, State::Failed) else {
            return Err(Error::ReadOnly {
                reason: "writing the manifest has failed".into(),
            });
        };
        let mut payload = Vec::new();
        edit.encode(&mut payload);
        let mut record = Vec::with_capacity(payload.len() + 32);
        push_record(&mut record, log.generation, log.next_record, &payload);
        match write_record(file.as_ref(), &record, log.offset) {
            // Half a record is no record, and nothing is appended behind it: a new generation is
            // begun for the next edit.
            Err(error) if error.is_no_room() => {
                log.state = State::Due;
                return Err(error);
            }
            Err(_) if is_on(Mutant::ManifestFailure) => {}
            result => result?,
        }
        log.offset += record.len() as u64;
        log.next_record += 1;
        log.state = State::Ready(file);
        Ok(())
    }

    /// Writes `version` as the start of a new manifest file and makes that the one that counts.
    /// The generation before it is kept, older ones are deleted.
    fn start_generation(&self, log: &mut Log, version: &Version) -> Result<()> {
        log.state = State::Failed;
        let result = self.write_generation(log, version);
        // `CURRENT` still names the last one then: only a write finds no room.
        if let Err(error) = &result
            && error.is_no_room()
        {
            log.state = State::Due;
        }
        result
    }

    fn write_generation(&self, log: &mut Log, version: &Version) -> Result<()> {
        let (fs, dir) = (self.store.fs(), self.store.dir());
        let generation = log
            .generation
            .checked_add(1)
            .ok_or_else(|| Error::invalid("no manifest comes behind the last generation"))?;
        let path = dir.join(current::manifest_name(generation));
        match fs.remove(&path) {
            // Left behind by a crash before `CURRENT` named it.
            Err(error) if !error.is_not_found() => return Err(error),
            _ => {}
        }
        let mut edit = version.to_edit();
        edit.next_file_id = Some(self.next_file_id.load(Ordering::Relaxed));
        let mut payload = Vec::new();
        edit.encode(&mut payload);
        let mut bytes = encode_header(generation);
        push_record(&mut bytes, generation, 0, &payload);

        let file = fs.create(&path)?;
        file.write_at(&bytes, 0)?;
        if !is_on(Mutant::ManifestStartSync) {
            file.sync_all()?;
        }
        if !is_on(Mutant::ManifestName) {
            fs.sync_dir(dir)?;
        }
        current::write(fs.as_ref(), dir, generation)?;
        self.delete_old_manifests(generation)?;

        log.state = State::Ready(file);
        log.generation = generation;
        log.next_record = 1;
        log.offset = bytes.len() as u64;
        // A state that is itself large must not be written again and again.
        log.size_limit = log.min_size_limit.max(2 * log.offset);
        Ok(())
    }

    fn delete_old_manifests(&self, generation: u64) -> Result<()> {
        let (fs, dir) = (self.store.fs(), self.store.dir());
        for entry in fs.list(dir)? {
            let old = current::manifest_generation(&entry.name)
                .is_some_and(|found| found > generation || generation - found > 1);
            if old || current::is_temporary(&entry.name) {
                fs.remove(&dir.join(entry.name))?;
            }
        }
        Ok(())
    }

    /// Deletes the SSTables in the directory that the current version does not name: what a crash
    /// has left of flushes, compactions and deletions. Only at opening, before there are any.
    pub(crate) fn delete_orphans(&self) -> Result<usize> {
        let version = self.current.load();
        let mut deleted = 0;
        for entry in self.store.fs().list(self.store.dir())? {
            if let Some(file_id) = sstable_id(&entry.name)
                && !version
                    .tables()
                    .any(|(_, table)| table.file_id() == file_id)
            {
                self.store.delete(file_id)?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}

/// Writes an edit, and makes it durable.
fn write_record(file: &dyn File, record: &[u8], offset: u64) -> Result<()> {
    match is_on(Mutant::ManifestSync) {
        true => file.write_at(record, offset),
        false => file.write_at_and_sync(record, offset),
    }
}

/// The SSTables that an edit takes out of the database; those it moves stay in it.
fn removed_tables<'a>(
    before: &'a Version,
    edit: &'a VersionEdit,
) -> impl Iterator<Item = &'a Arc<Table>> {
    before.tables().map(|(_, table)| table).filter(|table| {
        let id = table.file_id();
        edit.removed.iter().any(|(_, removed)| *removed == id)
            && !edit.added.iter().any(|(_, added)| added.file_id == id)
    })
}

/// The SSTables in the directory, named by the manifest or not: their ids and sizes.
fn stored_sstables(store: &TableStore) -> Result<BTreeMap<u64, u64>> {
    let entries = store.fs().list(store.dir())?;
    let sizes = entries
        .iter()
        .filter_map(|entry| Some((sstable_id(&entry.name)?, entry.len)));
    Ok(sizes.collect())
}

/// The state that a manifest file describes, and the bytes of an edit at its end that was never
/// finished.
pub(super) fn read_manifest(store: &Arc<TableStore>, generation: u64) -> Result<(Version, usize)> {
    let path = store.dir().join(current::manifest_name(generation));
    let file = store.fs().open_read(&path)?;
    let size = usize::try_from(file.len()?)
        .map_err(|_| Error::invalid("a manifest larger than this machine's memory"))?;
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, 0)?;
    let corrupt =
        |damage: Damage| Error::corruption(&path, damage.offset, damage.expected, damage.found);
    let (payloads, torn) = decode_file(&bytes, generation).map_err(corrupt)?;
    let mut version = Version::default();
    for (number, payload) in payloads.iter().enumerate() {
        version = VersionEdit::decode(payload)
            .and_then(|edit| version.apply(&edit, store))
            .map_err(|found| {
                let offset = payload.as_ptr() as usize - bytes.as_ptr() as usize;
                let expected = format!("edit {number} of the manifest, fitting those before it");
                Error::corruption(&path, offset as u64, expected, found)
            })?;
    }
    Ok((version, torn))
}

#[cfg(test)]
mod tests;
