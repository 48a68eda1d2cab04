//! Recovery: what is in the log and not in SSTables is written into SSTables, and the log of the
//! next epoch begins empty.
//!
//! What was read from the log need not be durable itself (after a failed sync the page cache still
//! shows it), so it must not be served before it is in a file of its own that is synced. That is
//! also why nothing is ever appended to a log that was read.

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
    let mut part = Part::default();
    let visit = &mut |sequence, time_ms, operations| {
        part.add(sequence, time_ms, operations);
        if part.size >= options.memtable_size {
            std::mem::take(&mut part).write(versions, options, VersionEdit::default())?;
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
    // A new epoch if anything of this one is left, be it only an empty segment of the name that the
    // next one would have. The usual first opening of a directory is spared the sync.
    let retired = if is_fresh { retired } else { epoch };
    let over = || segments.iter().filter(|segment| segment.epoch <= retired);
    if is_on(Mutant::EditBeforeLog) {
        over().try_for_each(|segment| env.fs.remove(&segment.path))?;
    }
    if !is_fresh {
        let edit = VersionEdit {
            epoch: Some(retired),
            ..VersionEdit::default()
        };
        part.write(versions, options, edit)?;
    }
    versions.begin()?;
    if !is_on(Mutant::EditBeforeLog) {
        over().try_for_each(|segment| env.fs.remove(&segment.path))?;
    }
    versions.delete_orphans()?;
    Ok(Recovered {
        last_sequence: replayed.last_sequence,
        epoch: retired + 1,
    })
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

    /// Writes it into SSTables and into the manifest, together with another edit.
    fn write(
        mut self,
        versions: &Arc<VersionSet>,
        options: &Options,
        mut edit: VersionEdit,
    ) -> Result<()> {
        self.entries
            .sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        // Nobody reads yet, and who will read sees the end.
        let version = versions.current();
        let windows = version.histories().windows();
        let floors = windows.map(|(keyspace, window)| (keyspace, window.floor));
        let retention = Retention::new([], u64::MAX, Arc::clone(version.dropped()))
            .with_histories(version.histories(), floors);
        let input = Box::new(SortedIter::from_sorted(self.entries));
        let mut job = Job::flush(versions, &version, input, retention, options);
        edit.added = loop {
            if let Progress::Done(written) = job.step()? {
                break written.added;
            }
        };
        edit.flushed_sequence = self.times.last().map(|(sequence, _)| *sequence);
        edit.times = self.times;
        edit.dropped = self.dropped;
        versions.apply(edit)?;
        Ok(())
    }
}
