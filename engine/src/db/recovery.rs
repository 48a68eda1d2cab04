//! Recovery: what is in the log and not in SSTables is written into SSTables, and the log of the
//! next epoch begins empty.
//!
//! What was read from the log need not be durable itself (after a failed sync the page cache still
//! shows it), so it must not be served before it is in a file of its own that is synced. That is
//! also why nothing is ever appended to a log that was read.

use std::path::Path;
use std::sync::Arc;

use super::output::Output;
use crate::Value;
use crate::error::Result;
use crate::io::Env;
use crate::key::{InternalKey, Kind};
use crate::manifest::{VersionEdit, VersionSet};
use crate::options::Options;
use crate::wal::{self, Operation};

/// What a database continues with.
pub(super) struct Recovered {
    /// Of the last commit.
    pub(super) last_sequence: u64,
    /// Of the log that is to be begun.
    pub(super) epoch: u64,
}

/// Reads the log of the last epoch, and makes what it holds part of the SSTables.
pub(super) fn recover(
    env: &Env,
    dir: &Path,
    options: &Options,
    versions: &Arc<VersionSet>,
) -> Result<Recovered> {
    let (epoch, flushed) = {
        let version = versions.current();
        (version.epoch(), version.flushed_sequence())
    };
    let mut run = Run {
        versions,
        options,
        entries: Vec::new(),
        size: 0,
        edit: VersionEdit::default(),
    };
    let mut last_time = None;
    let replayed = wal::replay(
        &*env.fs,
        dir,
        epoch,
        flushed,
        &mut |sequence, time_ms, operations| {
            last_time = Some((sequence, time_ms));
            run.add(sequence, operations)
        },
    )?;
    if let Some((path, offset)) = &replayed.torn {
        tracing::info!(
            "the log ends in a commit that was not finished, at offset {offset} of {}",
            path.display()
        );
    }
    run.write()?;
    let mut edit = run.edit;
    edit.flushed_sequence = Some(replayed.last_sequence);
    edit.epoch = Some(epoch + 1);
    edit.times.extend(last_time);
    versions.apply(edit)?;
    delete_leftovers(env, dir, versions, epoch)?;
    Ok(Recovered {
        last_sequence: replayed.last_sequence,
        epoch: epoch + 1,
    })
}

/// Deletes the logs of past epochs, and files that no manifest names.
fn delete_leftovers(env: &Env, dir: &Path, versions: &VersionSet, epoch: u64) -> Result<()> {
    for segment in wal::list(&*env.fs, dir)? {
        if segment.epoch <= epoch {
            env.fs.remove(&segment.path)?;
        }
    }
    versions.delete_orphans()?;
    Ok(())
}

/// Commits that were read and not yet written, at most about a memtable full. Sorting a list is
/// several times faster than filling a memtable.
struct Run<'a> {
    versions: &'a Arc<VersionSet>,
    options: &'a Options,
    entries: Vec<(InternalKey, Value)>,
    size: usize,
    edit: VersionEdit,
}

impl Run<'_> {
    fn add(&mut self, sequence: u64, operations: Vec<Operation>) -> Result<()> {
        for operation in operations {
            let (key, kind, value) = match operation {
                Operation::Put(key, value) => (key, Kind::Put, value),
                Operation::Delete(key) => (key, Kind::Delete, Value::new()),
                Operation::DropKeyspace(keyspace) => {
                    self.edit.dropped.push((keyspace, sequence));
                    continue;
                }
            };
            self.size += key.len() + value.len();
            self.entries
                .push((InternalKey::new(&key, sequence, kind), value));
        }
        if self.size >= self.options.memtable_size {
            self.write()?;
        }
        Ok(())
    }

    /// Writes what was read into SSTables.
    fn write(&mut self) -> Result<()> {
        self.entries
            .sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        let mut output = Output::new(self.versions, self.options);
        for (key, value) in self.entries.drain(..) {
            output.add(key.as_ref(), &value)?;
        }
        self.size = 0;
        self.edit
            .added
            .extend(output.finish()?.into_iter().map(|file| (0, file)));
        Ok(())
    }
}
