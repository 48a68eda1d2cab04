//! Recovery: what is in the log and not in SSTables is written into SSTables, and the log of the
//! next epoch begins empty.
//!
//! What was read from the log need not be durable itself (after a failed sync the page cache still
//! shows it), so it must not be served before it is in a file of its own that is synced. That is
//! also why nothing is ever appended to a log that was read.
//!
//! Whether the log is whole is known only when it has been read to its end. Until then nothing counts
//! that was written, a part of the log after the other: the manifest names it all at once, or an opening
//! that is refused would have changed which manifest it is that somebody has to mend.

use std::path::Path;
use std::sync::Arc;

use crate::Value;
use crate::compaction::{Job, Progress, Retention};
use crate::error::{Error, Result};
use crate::io::Env;
use crate::iter::SortedIter;
use crate::key::{InternalKey, KeyspaceId, Kind, stamp};
use crate::manifest::{VersionEdit, VersionSet};
use crate::mutants::{Mutant, is_on};
use crate::options::Options;
use crate::wal::{self, Operation};

/// What a database continues with.
pub(super) struct Recovered {
    /// Of the last commit.
    pub(super) last_sequence: u64,
    /// Of the log that is to be begun.
    pub(super) epoch: u64,
}

/// Reads the log of the epoch behind the last one that the manifest says is over, and makes what it
/// holds part of the SSTables.
pub(super) fn recover(
    env: &Env,
    dir: &Path,
    options: &Options,
    versions: &Arc<VersionSet>,
) -> Result<Recovered> {
    versions.check_stored()?;
    let (retired, flushed) = {
        let version = versions.current();
        (version.epoch(), version.flushed_sequence())
    };
    let epoch = retired + 1;
    let segments = wal::list(&*env.fs, dir)?;
    if let Some(unknown) = segments.last().filter(|last| last.epoch > epoch) {
        return Err(Error::corruption(
            &unknown.path,
            0,
            format!("a log of epoch {epoch} or an earlier one, as the manifest says"),
            format!("one of epoch {}", unknown.epoch),
        ));
    }
    let is_fresh = segments.last().is_none_or(|last| last.epoch < epoch);
    let mut staged = Staged::new(versions);
    let mut part = Part::default();
    let visit = &mut |sequence, time_ms, operations| {
        part.add(sequence, time_ms, operations);
        if part.size >= options.memtable_size {
            staged.add(std::mem::take(&mut part), options, None)?;
        }
        Ok(())
    };
    let replayed = wal::replay(&*env.fs, dir, epoch, flushed, visit)?;
    if let Some((path, offset)) = &replayed.torn {
        tracing::info!(
            "the log ends in a commit that was not finished, at offset {offset} of {}",
            path.display()
        );
    }
    // What windows, pins and forks name was on the disk before the manifest named it.
    let named = versions.current().newest_named();
    if named > replayed.last_sequence {
        let (path, offset) = replayed.torn.unwrap_or_else(|| (dir.to_path_buf(), 0));
        return Err(Error::corruption(
            path,
            offset,
            format!("commits up to {named}, which the manifest names"),
            format!("commits up to {}", replayed.last_sequence),
        ));
    }
    // A new epoch if anything of this one is left, be it only an empty segment of the name that the
    // next one would have. The usual first opening of a directory is spared the sync.
    let retired = if is_fresh { retired } else { epoch };
    let over = || segments.iter().filter(|segment| segment.epoch <= retired);
    if is_on(Mutant::EditBeforeLog) {
        over().try_for_each(|segment| env.fs.remove(&segment.path))?;
    }
    if !is_fresh {
        staged.add(part, options, Some(retired))?;
    }
    staged.begin()?;
    if !is_on(Mutant::EditBeforeLog) {
        over().try_for_each(|segment| env.fs.remove(&segment.path))?;
    }
    versions.delete_orphans()?;
    Ok(Recovered {
        last_sequence: replayed.last_sequence,
        epoch: retired + 1,
    })
}

/// What was read from the log so far and is in SSTables that no manifest names yet.
struct Staged<'a> {
    versions: &'a Arc<VersionSet>,
    /// Deleted again if recovery does not come to its end.
    files: Vec<u64>,
}

impl<'a> Staged<'a> {
    fn new(versions: &'a Arc<VersionSet>) -> Self {
        Staged {
            versions,
            files: Vec::new(),
        }
    }

    /// Writes a part into SSTables; those behind it know what is in them.
    fn add(&mut self, part: Part, options: &Options, epoch: Option<u64>) -> Result<()> {
        let mut edit = part.write(self.versions, options)?;
        edit.epoch = epoch;
        let files = edit.added.iter().map(|(_, file)| file.file_id);
        self.files.extend(files);
        self.versions.stage(edit)
    }

    /// Makes all of it count.
    fn begin(mut self) -> Result<()> {
        // From here on it may be so, whatever else is answered.
        self.files.clear();
        self.versions.begin()
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        for file_id in &self.files {
            if let Err(error) = self.versions.store().delete(*file_id) {
                // The next opening deletes it as an orphan.
                tracing::warn!(file_id, %error, "can't delete what a refused opening has written");
            }
        }
    }
}

/// Commits that were read and not yet written out: about a memtable full. Sorting a list is several
/// times faster than filling a memtable.
#[derive(Default)]
struct Part {
    entries: Vec<(InternalKey, Value)>,
    dropped: Vec<(KeyspaceId, u64)>,
    size: usize,
    /// The last commit of each group, with its time in milliseconds since 1970.
    times: Vec<(u64, u64)>,
}

impl Part {
    fn add(&mut self, sequence: u64, time_ms: u64, operations: Vec<Operation>) {
        for operation in operations {
            let (key, kind, value) = match operation {
                Operation::Put(key, value) => (key, Kind::Put, value),
                Operation::StampedPut(key, value) => {
                    let mut key = key.to_vec();
                    stamp(&mut key, sequence);
                    (key.into(), Kind::Put, value)
                }
                Operation::Delete(key) => (key, Kind::Delete, Value::new()),
                Operation::DropKeyspace(keyspace) => {
                    self.dropped.push((keyspace, sequence));
                    continue;
                }
            };
            self.size += key.len() + value.len();
            self.entries
                .push((InternalKey::new(&key, sequence, kind), value));
        }
        match self.times.last_mut() {
            Some((last, time)) if *time == time_ms => *last = sequence,
            _ => self.times.push((sequence, time_ms)),
        }
    }

    /// Writes it into SSTables. Answers the edit that names them.
    fn write(mut self, versions: &Arc<VersionSet>, options: &Options) -> Result<VersionEdit> {
        self.entries
            .sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        // Nobody reads yet, and who will read sees the end.
        let version = versions.current();
        let windows = version.histories().windows();
        let floors = windows.map(|(keyspace, window)| (keyspace, window.floor));
        let retention = Retention::new([], u64::MAX, Arc::clone(version.dropped()))
            .with_histories(version.histories(), floors)
            .with_forks(version.histories());
        let input = Box::new(SortedIter::from_sorted(self.entries));
        let mut job = Job::flush(versions, &version, input, retention, options);
        let added = loop {
            if let Progress::Done(written) = job.step()? {
                break written.added;
            }
        };
        Ok(VersionEdit {
            added,
            flushed_sequence: self.times.last().map(|(sequence, _)| *sequence),
            times: self.times,
            dropped: self.dropped,
            ..VersionEdit::default()
        })
    }
}
