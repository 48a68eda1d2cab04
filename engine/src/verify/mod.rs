//! Checks a database that nobody has open, and writes nothing: every checksum, every structure, and
//! that the structures fit each other.
//!
//! Looked at are `CURRENT`, the manifest that counts and the one before it, every SSTable that the
//! manifest names (see [`sstable::check`]), the order of versions over all levels, and the log that is
//! still needed. Each damage is told with file, offset, what should be there and what is; one does
//! not hide the others. What lies in the directory and is not needed is named too: a crash leaves
//! such, and the next opening removes it.

#[cfg(test)]
pub(crate) mod fixture;
mod levels;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Corruption, Error, Result};
use crate::io::{Env, Fs, LockGuard};
use crate::key::KeyRef;
use crate::manifest::inspect::{self, LOCK_FILE, Manifest, Named};
use crate::manifest::{Table, Version};
use crate::sstable::{self, BadFrame};
use crate::wal::{self, Operation};

/// What a check has found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Verified {
    /// Everything that is wrong.
    pub damage: Vec<Corruption>,
    /// What is there and not needed, and why.
    pub leftovers: Vec<Leftover>,
    /// SSTables that were checked.
    pub sstables: usize,
    /// Entries in them: versions, tombstones included.
    pub entries: u64,
    /// Commits in the log.
    pub commits: u64,
    /// Bytes of files that were read.
    pub size: u64,
}

/// A file, or the end of one, that no opening needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The file.
    pub file: PathBuf,
    /// Why nobody needs it, in a few words.
    pub reason: String,
}

/// How far a check, or a salvage, has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Bytes done.
    pub done: u64,
    /// Bytes to do in all.
    pub total: u64,
    /// The file that is being read.
    pub file: &'a Path,
}

/// Told, now and then, how far it has come.
pub type OnProgress<'a> = dyn FnMut(Progress<'_>) + 'a;

/// Checks the database in a directory.
///
/// # Errors
///
/// `Locked` if it is open, `InvalidArgument` if there is none, and `Io` if the directory cannot be
/// listed. A file that cannot be read is damage, and no error.
pub fn verify(env: &Env, dir: &Path, on_progress: &mut OnProgress<'_>) -> Result<Verified> {
    let _lock = lock(&*env.fs, dir)?;
    let mut check = Check {
        fs: &env.fs,
        dir,
        on_progress,
        total: 0,
        done: 0,
        found: Verified::default(),
    };
    check.directory()?;
    check.found.size = check.done;
    Ok(check.found)
}

/// Takes the lock of a database without creating its file: where there is none, nobody has it open.
pub(crate) fn lock(fs: &dyn Fs, dir: &Path) -> Result<Option<Box<dyn LockGuard>>> {
    let names = fs.list(dir)?;
    if names.iter().all(|entry| kind(&entry.name).is_none()) {
        let message = format!("there is no database in {}", dir.display());
        return Err(Error::invalid(message));
    }
    fs.lock_if_there(&dir.join(LOCK_FILE))
}

/// Whether a name is one of a database's, and which.
fn kind(name: &str) -> Option<Option<Named>> {
    match Named::parse(name) {
        Some(named) => Some(Some(named)),
        None if wal::is_segment(name) => Some(None),
        None => None,
    }
}

/// Reads all of a file.
pub(crate) fn read_file(fs: &dyn Fs, path: &Path) -> Result<Bytes> {
    let file = fs.open_read(path)?;
    let len = usize::try_from(file.len()?)
        .map_err(|_| Error::invalid("a file larger than this machine's memory"))?;
    let mut contents = vec![0; len];
    file.read_exact_at(&mut contents, 0)?;
    Ok(contents.into())
}

struct Check<'a, 'b> {
    fs: &'a Arc<dyn Fs>,
    dir: &'a Path,
    on_progress: &'a mut OnProgress<'b>,
    total: u64,
    done: u64,
    found: Verified,
}

impl Check<'_, '_> {
    fn directory(&mut self) -> Result<()> {
        let entries = self.fs.list(self.dir)?;
        let size = |suffix: &str| -> u64 {
            let of = entries.iter().filter(|entry| entry.name.ends_with(suffix));
            of.map(|entry| entry.len).sum()
        };
        // SSTables are read twice: by themselves, and together.
        self.total = 2 * size(".sst") + size(".wal");
        let generation = match inspect::current_generation(self.fs.as_ref(), self.dir) {
            Ok(generation) => generation,
            Err(error) => {
                self.fault(&self.dir.join("CURRENT"), error);
                return Ok(());
            }
        };
        let mut needed: BTreeSet<PathBuf> = BTreeSet::new();
        let version = match generation {
            None => Some(Version::default()),
            Some(generation) => self.manifests(generation, &entries, &mut needed),
        };
        if let Some(version) = version {
            self.sstables(&version, &mut needed);
            self.log(&version, &mut needed)?;
            self.leftovers(&entries, &needed);
        }
        Ok(())
    }

    fn damage(&mut self, corruption: Corruption) {
        self.found.damage.push(corruption);
    }

    /// Notes an error that was met at a file as damage.
    fn fault(&mut self, path: &Path, error: Error) {
        self.found.damage.push(error.into_corruption(path));
    }

    fn advance(&mut self, path: &Path, bytes: u64) {
        self.done += bytes;
        (self.on_progress)(Progress {
            done: self.done.min(self.total),
            total: self.total,
            file: path,
        });
    }

    /// Reads the manifest that counts; and the one before, which is kept and matters to nobody but who
    /// has lost the other.
    fn manifests(
        &mut self,
        generation: u64,
        entries: &[crate::io::DirEntry],
        needed: &mut BTreeSet<PathBuf>,
    ) -> Option<Version> {
        needed.insert(self.dir.join("CURRENT"));
        if let Some(before) = generation.checked_sub(1)
            && let Some(entry) = entries
                .iter()
                .find(|entry| Named::parse(&entry.name) == Some(Named::Manifest(before)))
        {
            needed.insert(self.dir.join(&entry.name));
            self.manifest(before);
        }
        let manifest = self.manifest(generation)?;
        needed.insert(manifest.path);
        Some(manifest.version)
    }

    fn manifest(&mut self, generation: u64) -> Option<Manifest> {
        let manifest = inspect::read(self.fs, self.dir, generation)
            .map_err(|error| self.fault(self.dir, error))
            .ok()?;
        if manifest.torn > 0 {
            let reason = format!(
                "its last {} bytes are an edit that was not finished",
                manifest.torn
            );
            self.leftover(manifest.path.clone(), reason);
        }
        Some(manifest)
    }

    fn sstables(&mut self, version: &Version, needed: &mut BTreeSet<PathBuf>) {
        let before = self.found.damage.len();
        for (_, table) in version.tables() {
            self.sstable(version, table);
            needed.insert(table.path());
        }
        if self.found.damage.len() > before {
            return;
        }
        let mut advance = |table: &Table| {
            let (done, total) = (&mut self.done, self.total);
            *done += table.meta().size;
            (self.on_progress)(Progress {
                done: (*done).min(total),
                total,
                file: &table.path(),
            });
        };
        if let Err(error) = levels::check(version, &mut advance) {
            self.fault(self.dir, error);
        }
    }

    fn sstable(&mut self, version: &Version, table: &Table) {
        let (path, meta) = (table.path(), table.meta());
        self.found.sstables += 1;
        let contents = match read_file(self.fs.as_ref(), &path) {
            Ok(contents) => contents,
            Err(error) => return self.fault(&path, error),
        };
        let mut damage: Vec<Corruption> = Vec::new();
        let mut on_damage = |offset, bad: BadFrame| {
            damage.push(Corruption {
                file: path.clone(),
                offset,
                expected: bad.expected.into(),
                found: bad.found.into(),
            });
        };
        if contents.len() as u64 != meta.size {
            let expected = format!("{} bytes, as the manifest says", meta.size);
            let found = format!("{} bytes", contents.len());
            on_damage(0, BadFrame { expected, found });
        }
        let properties = &meta.properties;
        if properties.max_sequence > version.flushed_sequence() {
            let expected = format!("commits up to {}", version.flushed_sequence());
            let found = format!("one up to {}", properties.max_sequence);
            on_damage(0, BadFrame { expected, found });
        }
        self.found.entries += sstable::check(&contents, meta.file_id, Some(meta), &mut on_damage);
        damage.into_iter().for_each(|found| self.damage(found));
        self.advance(&path, meta.size);
    }

    /// Reads the log that is needed as an opening would.
    fn log(&mut self, version: &Version, needed: &mut BTreeSet<PathBuf>) -> Result<()> {
        let epoch = version.epoch() + 1;
        let mut size = 0;
        for segment in wal::list(self.fs.as_ref(), self.dir)? {
            if segment.epoch > epoch {
                self.damage(Corruption {
                    file: segment.path.clone(),
                    offset: 0,
                    expected: format!("a log of epoch {epoch} or before, as in the manifest")
                        .into(),
                    found: format!("one of epoch {}", segment.epoch).into(),
                });
            }
            if segment.epoch >= epoch {
                size += self
                    .fs
                    .open_read(&segment.path)
                    .and_then(|file| file.len())
                    .unwrap_or(0);
                needed.insert(segment.path);
            }
        }
        let mut commits = 0;
        let mut odd_key = None;
        let visit = &mut |sequence: u64, _, operations: Vec<Operation>| {
            commits += 1;
            let wrong = operations.iter().any(|operation| match operation {
                Operation::Put(key, _) | Operation::StampedPut(key, _) | Operation::Delete(key) => {
                    KeyRef::parse(key).is_none()
                }
                Operation::DropKeyspace(_) => false,
            });
            if wrong && odd_key.is_none() {
                odd_key = Some(sequence);
            }
            Ok(())
        };
        let (fs, flushed) = (self.fs.as_ref(), version.flushed_sequence());
        match wal::replay(fs, self.dir, epoch, flushed, visit) {
            Ok(replayed) => {
                if let Some((path, offset)) = replayed.torn {
                    let reason =
                        format!("from offset {offset} on it has commits that were never finished");
                    self.leftover(path, reason);
                }
                let (last, named) = (replayed.last_sequence, version.newest_named());
                if named > last {
                    self.damage(Corruption {
                        file: self.dir.to_path_buf(),
                        offset: 0,
                        expected: format!("commits up to {named}, which the manifest names").into(),
                        found: format!("commits up to {last}").into(),
                    });
                }
            }
            Err(error) => self.fault(self.dir, error),
        }
        if let Some(sequence) = odd_key {
            self.damage(Corruption {
                file: self.dir.to_path_buf(),
                offset: 0,
                expected: format!("keys in commit {sequence} of the log").into(),
                found: "bytes that are no key".into(),
            });
        }
        self.found.commits = commits;
        self.advance(self.dir, size);
        Ok(())
    }

    fn leftover(&mut self, file: PathBuf, reason: impl Into<String>) {
        self.found.leftovers.push(Leftover {
            file,
            reason: reason.into(),
        });
    }

    fn leftovers(&mut self, entries: &[crate::io::DirEntry], needed: &BTreeSet<PathBuf>) {
        for entry in entries {
            let path = self.dir.join(&entry.name);
            if entry.name == LOCK_FILE || needed.contains(&path) {
                continue;
            }
            let reason = match kind(&entry.name) {
                Some(Some(Named::Sstable(_))) => "an SSTable that the manifest does not name",
                Some(Some(Named::Manifest(_))) => "a manifest of another generation",
                Some(Some(Named::TemporaryCurrent)) => "a CURRENT that was not finished",
                Some(Some(Named::Current)) => continue,
                Some(None) => "a log of which everything is in SSTables",
                None => "no file of the database",
            };
            self.leftover(path, reason);
        }
    }
}
