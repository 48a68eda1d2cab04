//! Saves what can be read of a damaged database into a new directory, and says what could not.
//!
//! Of every SSTable the blocks that are whole are taken, of the log the groups that are valid; all
//! versions keep their sequence numbers, and go, merged, into new SSTables of the deepest level. The
//! old directory is not written to.
//!
//! **Never a wrong value.** Where a block is lost, what older files have of its keys may have been
//! overwritten or deleted by what was in it. Such versions are left out, unless the filter of the
//! damaged file says that it did not have the key. Commits that the log has lost cannot be told apart by
//! key: what they wrote is as it was before them. Of a fork that is not copied out, keys that may be lost
//! do not show what their source has: the fork may have had another value.
//!
//! **Without a manifest**, or without one that can be read, every SSTable in the directory counts, and
//! the newest version of each key. Then files that were no longer needed may bring back what was
//! deleted, keyspaces that were dropped have their entries again under ids that nobody uses, and the
//! times of commits are those of the log only. Forks have then what was written to them or copied, and no more.

mod merge;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cache::BlockCache;
use crate::error::{Corruption, Error, Result};
use crate::io::{Env, Fs};
use crate::key::{InternalKey, KeyspaceId, Kind, keyspace_of, stamp};
use crate::manifest::inspect::{self, Named};
use crate::manifest::{LEVELS, Version, VersionEdit, VersionSet};
use crate::options::Options;
use crate::sstable::{BadFrame, FileMeta, LostRange, Properties, Remains, Writer, WriterOptions};
use crate::verify::{OnProgress, Progress, lock, read_file};
use crate::wal::{self, Operation};
use crate::{FIRST_CREATED_KEYSPACE, Value};

use self::merge::{Merge, Shadow, Source};

/// Keyspace ids left unused behind the highest that was seen, where the manifest that knew the limit is
/// lost: an empty keyspace leaves no trace, and its id must not be given out again.
const UNSEEN_KEYSPACES: u32 = 1 << 20;

/// What was saved, and what was not.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Salvaged {
    /// Everything that was found damaged.
    pub damage: Vec<Corruption>,
    /// What of the data is lost with it.
    pub lost: Vec<Lost>,
    /// What else should be known of the new directory, a sentence each.
    pub remarks: Vec<String>,
    /// Versions that were saved, tombstones included.
    pub entries: u64,
    /// Commits of the log that were saved.
    pub commits: u64,
    /// Versions that could be read and were left out, since a newer one may be lost.
    pub left_out: u64,
}

/// Data that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The versions of some keys in one SSTable.
    Keys {
        /// The SSTable.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// Encoded keys: none before this one is concerned.
        from: Vec<u8>,
        /// And none behind this one; `None` if that is not known.
        until: Option<Vec<u8>>,
    },
    /// Commits of the log.
    Commits {
        /// The segment.
        file: PathBuf,
        /// Where in it the first of them should be.
        offset: u64,
        /// Sequence number of the first.
        first: u64,
        /// And of the last.
        last: u64,
    },
}

/// Saves what can be read of the database in `dir` into `to`, which must be empty or not there.
///
/// # Errors
///
/// `Locked` if the database is open, `InvalidArgument` if there is none or `to` has files, and errors of
/// writing. Nothing that is damaged is an error. What is in `to` after one is of no use.
pub fn salvage(
    env: &Env,
    dir: &Path,
    to: &Path,
    options: &Options,
    on_progress: &mut OnProgress<'_>,
) -> Result<Salvaged> {
    let _lock = lock(&*env.fs, dir)?;
    env.fs.create_dir_all(to)?;
    if !env.fs.list(to)?.is_empty() {
        return Err(Error::invalid(format!("{} is not empty", to.display())));
    }
    let mut salvage = Salvage {
        fs: &env.fs,
        dir,
        on_progress,
        done: 0,
        total: 0,
        salvaged: Salvaged::default(),
    };
    salvage.run(to, options)?;
    Ok(salvage.salvaged)
}

struct Salvage<'a, 'b> {
    fs: &'a Arc<dyn Fs>,
    dir: &'a Path,
    on_progress: &'a mut OnProgress<'b>,
    done: u64,
    total: u64,
    salvaged: Salvaged,
}

/// An SSTable that counts.
struct Table {
    file_id: u64,
    path: PathBuf,
    /// What the manifest knows of its contents.
    properties: Option<Properties>,
}

impl Salvage<'_, '_> {
    fn run(&mut self, to: &Path, options: &Options) -> Result<()> {
        let entries = self.fs.list(self.dir)?;
        // Each file is looked through, and then read once more.
        self.total = 2 * entries.iter().map(|entry| entry.len).sum::<u64>();
        let version = self.version();
        let tables = match &version {
            Some(version) => version
                .tables()
                .map(|(_, table)| Table {
                    file_id: table.file_id(),
                    path: table.path(),
                    properties: Some(table.meta().properties.clone()),
                })
                .collect(),
            None => self.stored_tables(&entries),
        };
        let mut sources = Vec::new();
        for table in &tables {
            sources.extend(self.source(table));
        }
        let mut edit = match &version {
            Some(version) => version.to_edit(),
            None => VersionEdit::default(),
        };
        edit.added.clear();
        let (log, epoch) = self.log(version.as_ref(), &mut edit)?;
        edit.epoch = Some(epoch);
        sources.push(Source::of_log(log));

        let cache = Arc::new(BlockCache::new(0, 1));
        let set = VersionSet::read(Arc::clone(self.fs), to, cache, options.manifest_size)?;
        let mut highest = (edit.flushed_sequence.unwrap_or(0), 0);
        let forks = version.as_ref().map(Shadow::of_forks).unwrap_or_default();
        let merge = Merge::new(sources, forks)?;
        for meta in self.write(&set, merge, options, &mut highest)? {
            edit.added.push((LEVELS - 1, meta));
        }
        // No commit to come may have a number that the manifest names.
        let named = version.as_ref().map_or(0, Version::newest_named);
        edit.flushed_sequence = Some(highest.0.max(named));
        edit.next_file_id = None;
        if version.is_none() {
            let seen = highest.1.max(FIRST_CREATED_KEYSPACE.0);
            edit.keyspace_limit = Some(seen.saturating_add(UNSEEN_KEYSPACES));
        }
        set.store().sync_dir()?;
        set.apply(edit)?;
        Ok(())
    }

    fn fault(&mut self, path: &Path, error: Error) {
        self.salvaged.damage.push(error.into_corruption(path));
    }

    /// The state that the manifest describes, if it can be read.
    fn version(&mut self) -> Option<Version> {
        let read = match inspect::current_generation(self.fs.as_ref(), self.dir) {
            Ok(None) => return Some(Version::default()),
            Ok(Some(generation)) => inspect::read(self.fs, self.dir, generation),
            Err(error) => Err(error),
        };
        read.map(|manifest| manifest.version)
            .map_err(|error| {
                self.fault(self.dir, error);
                self.salvaged.remarks.push(
                    "The manifest is lost: what was deleted may be there again, what was dropped \
                     takes room again, and forks lack what was not copied into them."
                        .to_owned(),
                );
            })
            .ok()
    }

    fn stored_tables(&self, entries: &[crate::io::DirEntry]) -> Vec<Table> {
        let tables = entries
            .iter()
            .filter_map(|entry| match Named::parse(&entry.name) {
                Some(Named::Sstable(file_id)) => Some(Table {
                    file_id,
                    path: self.dir.join(&entry.name),
                    properties: None,
                }),
                _ => None,
            });
        tables.collect()
    }

    /// What is left of an SSTable.
    fn source(&mut self, table: &Table) -> Option<Source> {
        let opened = read_file(self.fs.as_ref(), &table.path)
            .and_then(|contents| Ok((self.fs.open_read(&table.path)?, contents)));
        let (file, contents) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.fault(&table.path, error);
                let properties = table.properties.clone()?;
                let range = LostRange {
                    offset: 0,
                    after: properties.smallest.to_vec(),
                    inclusive: true,
                    until: Some(properties.largest.to_vec()),
                };
                self.lose(&table.path, &range);
                return Some(Source::lost(range, properties.max_sequence));
            }
        };
        let on_damage = &mut |offset, bad: BadFrame| {
            self.salvaged.damage.push(Corruption {
                file: table.path.clone(),
                offset,
                expected: bad.expected.into(),
                found: bad.found.into(),
            });
        };
        let mut remains = Remains::read(&contents, table.file_id, on_damage);
        if let Some(properties) = &table.properties {
            remains.bound(properties);
        }
        for range in remains.lost.clone() {
            self.lose(&table.path, &range);
        }
        self.advance(&table.path, contents.len() as u64);
        Some(Source::of_table(remains, file, table.file_id))
    }

    fn lose(&mut self, path: &Path, range: &LostRange) {
        self.salvaged.lost.push(Lost::Keys {
            file: path.to_path_buf(),
            offset: range.offset,
            from: range.after.clone(),
            until: range.until.clone(),
        });
    }

    fn advance(&mut self, path: &Path, bytes: u64) {
        self.done = self.total.min(self.done + bytes);
        (self.on_progress)(Progress {
            done: self.done,
            total: self.total,
            file: path,
        });
    }

    /// The versions in the log, in order of key, and the epoch that is over with them.
    fn log(
        &mut self,
        version: Option<&Version>,
        edit: &mut VersionEdit,
    ) -> Result<(Vec<(InternalKey, Value)>, u64)> {
        let newest = wal::list(self.fs.as_ref(), self.dir)?
            .last()
            .map_or(0, |segment| segment.epoch);
        let epoch = version.map_or(newest, |version| version.epoch() + 1);
        let flushed = version.map(Version::flushed_sequence);
        let (fs, dir) = (self.fs.as_ref(), self.dir);
        let mut read = |path: &Path| {
            read_file(fs, path)
                .map_err(|error| self.salvaged.damage.push(error.into_corruption(path)))
                .ok()
        };
        let remains = wal::salvage(fs, dir, epoch, flushed, &mut read)?;
        for (file, offset, first, last) in remains.lost {
            self.salvaged.lost.push(Lost::Commits {
                file,
                offset,
                first,
                last,
            });
        }
        let mut entries = Vec::new();
        for (sequence, time_ms, operations) in remains.commits {
            self.salvaged.commits += 1;
            edit.flushed_sequence = edit.flushed_sequence.max(Some(sequence));
            edit.times.push((sequence, time_ms));
            for operation in operations {
                entries.push(match operation {
                    Operation::Put(key, value) => {
                        (InternalKey::new(&key, sequence, Kind::Put), value)
                    }
                    Operation::StampedPut(key, value) => {
                        let mut key = key.to_vec();
                        stamp(&mut key, sequence);
                        (InternalKey::new(&key, sequence, Kind::Put), value)
                    }
                    Operation::Delete(key) => {
                        (InternalKey::new(&key, sequence, Kind::Delete), Value::new())
                    }
                    Operation::DropKeyspace(keyspace) => {
                        edit.dropped.push((keyspace, sequence));
                        continue;
                    }
                });
            }
        }
        entries.sort_unstable_by(|(one, _), (two, _)| one.cmp(two));
        Ok((entries, epoch.max(1)))
    }

    /// Writes everything into new files. Raises `highest`, a sequence number and the number of a keyspace.
    fn write(
        &mut self,
        set: &VersionSet,
        mut merge: Merge,
        options: &Options,
        highest: &mut (u64, u32),
    ) -> Result<Vec<FileMeta>> {
        let writer_options = WriterOptions {
            block_size: options.block_size,
            compression_level: options.compression_level,
            bloom_bits_per_key: options.bloom_bits_per_key,
        };
        let mut written = Vec::new();
        let mut writer: Option<Writer> = None;
        while let Some((key, value)) = merge.next()? {
            let key = key.as_ref();
            if let Some(full) = writer.take_if(|writer| {
                writer.size() >= options.sstable_size && writer.last_user_key() != key.user
            }) {
                written.push(full.finish()?);
            }
            if writer.is_none() {
                let file_id = set.allocate_file_id();
                let file = set.store().create(file_id)?;
                writer = Some(Writer::new(file, file_id, writer_options));
            }
            if let Some(writer) = &mut writer {
                writer.add(key, &value)?;
            }
            self.salvaged.entries += 1;
            highest.0 = highest.0.max(key.sequence());
            let keyspace = keyspace_of(key.user).unwrap_or(KeyspaceId(0));
            highest.1 = highest.1.max(keyspace.number());
            if self.salvaged.entries.is_multiple_of(1024) {
                self.advance(set.store().dir(), 0);
            }
        }
        if let Some(writer) = writer {
            written.push(writer.finish()?);
        }
        self.salvaged.left_out = merge.left_out();
        self.advance(set.store().dir(), self.total);
        Ok(written)
    }
}
