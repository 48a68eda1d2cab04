//! A compaction or a flush, in steps.

use std::sync::Arc;

use super::levels::{Targets, flush_splits};
use super::log_cuts::pieces;
use super::output::{Cuts, Output};
use super::picker::{Compaction, ForkWork};
use super::retention::{Bottom, Retention, VersionFilter};
use crate::ReadMode;
use crate::error::Result;
use crate::iter::{InternalIterator, MergingIter};
use crate::key::InternalKeyRef;
use crate::manifest::{Run, Table, Version, VersionEdit, VersionSet};
use crate::options::Options;
use crate::sstable::CacheUse;

/// Bytes of keys and values that one step reads at most, but for the last entry: what a waiting
/// job of more urgency waits for.
const STEP_SIZE: u64 = 256 << 10;

/// Entries that one step reads at most: small ones cost more than their bytes.
const STEP_ENTRIES: u64 = 4096;

/// What a step has come to.
#[derive(Debug)]
pub(crate) enum Progress {
    /// There is more to do.
    Running,
    /// All output is durable. The edit removes the inputs and adds the outputs; the caller adds
    /// what it knows and applies it.
    Done(VersionEdit),
}

/// What a job has read and written so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) entries_read: u64,
    /// Bytes of keys and values.
    pub(crate) bytes_read: u64,
    pub(crate) entries_written: u64,
    /// Bytes of files.
    pub(crate) bytes_written: u64,
}

impl Totals {
    /// Bytes read and written since an earlier look.
    pub(crate) fn since(self, before: Totals) -> u64 {
        (self.bytes_read - before.bytes_read) + (self.bytes_written - before.bytes_written)
    }
}

/// A merge of sorted sources into SSTables, without the versions that nobody can see.
///
/// Dropping it before it is done deletes what it has written.
pub(crate) struct Job {
    input: Box<dyn InternalIterator>,
    filter: VersionFilter,
    /// Whether the filter was already asked for the version that the input is at, and keeps it.
    kept: bool,
    output: Output,
    output_level: usize,
    /// Removes the inputs.
    edit: VersionEdit,
    state: State,
    totals: Totals,
}

enum State {
    Starting,
    Merging,
    Done,
}

impl Job {
    /// A compaction that reads its inputs. `version` is the one that it was picked from; later ones
    /// have the same files, and more above them.
    pub(crate) fn compaction(
        set: &Arc<VersionSet>,
        version: &Version,
        compaction: &Compaction,
        retention: Retention,
        options: &Options,
    ) -> Result<Job> {
        let level = compaction.output_level;
        let within_l0 = level == 0;
        let mut sources = sources(compaction)?;
        let mut retention = retention;
        if let Some(ForkWork::Copy(part)) = &compaction.forks {
            // Behind the others: all that the fork has itself is newer.
            if let Some(layer) = version.layer_to_copy(part.keyspace, part.last.clone())? {
                sources.push(Box::new(layer));
            }
            retention = retention.copying(part.keyspace, part.last.as_ref());
        }
        let cuts = Cuts {
            sstable_size: Targets::new(version, options).sstable_size,
            grandparents: match within_l0 {
                true => Vec::new(),
                false => overlapped_below(version, compaction),
            },
            splits: Vec::new(),
            pieces: pieces(version),
        };
        Ok(Job {
            input: Box::new(MergingIter::new(sources)),
            filter: VersionFilter::new(retention, Bottom::below_level(version, level, within_l0)),
            kept: false,
            output: Output::new(Arc::clone(set), options, level, cuts),
            output_level: level,
            edit: compaction.removing_edit(),
            state: State::Starting,
            totals: Totals::default(),
        })
    }

    /// A flush of memtables, given as one sorted source, into L0. `version` is one that has all
    /// that was flushed before.
    pub(crate) fn flush(
        set: &Arc<VersionSet>,
        version: &Version,
        input: Box<dyn InternalIterator>,
        retention: Retention,
        options: &Options,
    ) -> Job {
        let cuts = Cuts {
            sstable_size: options.sstable_size.max(1),
            grandparents: Vec::new(),
            splits: flush_splits(version),
            pieces: pieces(version),
        };
        Job {
            input,
            filter: VersionFilter::new(retention, Bottom::below_flush(version)),
            kept: false,
            output: Output::new(Arc::clone(set), options, 0, cuts),
            output_level: 0,
            edit: VersionEdit::default(),
            state: State::Starting,
            totals: Totals::default(),
        }
    }

    /// What it has read and written.
    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    /// Does a bounded part of the work. After an error, or once done, there is no more to do: drop
    /// it.
    pub(crate) fn step(&mut self) -> Result<Progress> {
        match self.state {
            State::Starting => {
                self.input.seek_to_first()?;
                self.state = State::Merging;
                Ok(Progress::Running)
            }
            State::Merging => {
                if self.merge()? {
                    return Ok(Progress::Running);
                }
                self.state = State::Done;
                self.totals.bytes_written += self.output.cut()?;
                let files = self.output.finish()?;
                let mut edit = std::mem::take(&mut self.edit);
                edit.added = files
                    .into_iter()
                    .map(|file| (self.output_level, file))
                    .collect();
                Ok(Progress::Done(edit))
            }
            State::Done => Ok(Progress::Done(VersionEdit::default())),
        }
    }

    /// Merges until the step is full or a file is complete; `false` if there is no more input.
    fn merge(&mut self) -> Result<bool> {
        let Job {
            input,
            filter,
            kept,
            output,
            totals,
            ..
        } = self;
        let (mut bytes, mut entries) = (0, 0);
        while input.valid() {
            if bytes >= STEP_SIZE || entries >= STEP_ENTRIES {
                return Ok(true);
            }
            let key = input.key();
            if std::mem::take(kept) || filter.keeps(key) {
                if output.should_cut(key.user) {
                    // Completing a file waits for the disk: the rest is for the next step.
                    *kept = true;
                    totals.bytes_written += output.cut()?;
                    return Ok(true);
                }
                if let Some(trailer) = filter.take_aside() {
                    let user = key.user;
                    output.add(InternalKeyRef { user, trailer }, &[])?;
                    totals.entries_written += 1;
                }
                output.add(key, &input.value())?;
                totals.entries_written += 1;
            }
            let size = key.user.len() as u64 + input.value().len() as u64;
            bytes += size;
            entries += 1;
            totals.bytes_read += size;
            totals.entries_read += 1;
            input.next()?;
        }
        Ok(false)
    }
}

/// One source per run of the inputs, newest first.
fn sources(compaction: &Compaction) -> Result<Vec<Box<dyn InternalIterator>>> {
    let mut sources: Vec<Box<dyn InternalIterator>> = Vec::new();
    for (level, tables) in &compaction.inputs {
        match Run::new(tables.clone()) {
            // Read once, and not by anyone who waits: past the cache, as it is for readers.
            Some(run) => sources.push(Box::new(run.iter_all(ReadMode::Blocking, CacheUse::PassBy))),
            // Sublevels: they overlap, and each file is a source.
            None => {
                debug_assert_eq!(*level, 0);
                for table in tables {
                    sources.push(table.iter(ReadMode::Blocking, CacheUse::PassBy)?);
                }
            }
        }
    }
    Ok(sources)
}

/// The SSTables in the level below the output that the inputs overlap.
fn overlapped_below(version: &Version, compaction: &Compaction) -> Vec<Arc<Table>> {
    let smallest = compaction.tables().map(|table| table.smallest()).min();
    let largest = compaction.tables().map(|table| table.largest()).max();
    match (smallest, largest) {
        (Some(smallest), Some(largest))
            if compaction.output_level + 1 < crate::manifest::LEVELS =>
        {
            version
                .level(compaction.output_level + 1)
                .overlapping(smallest, largest)
                .to_vec()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
