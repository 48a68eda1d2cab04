//! The state of the database at one moment.

use std::sync::Arc;

use super::edit::{Fit, VersionEdit};
use super::histories::Histories;
use super::run::Run;
use super::table::{Table, TableStore};
use super::times::TimeMap;
use crate::ReadMode;
use crate::error::Result;
use crate::iter::InternalIterator;
use crate::key::{DroppedKeyspaces, KeyRange};
use crate::sstable::{CacheUse, FileMeta, FoundVersion, Lookup};

/// Number of levels. The last holds most of the data; with a fanout of 10, six below L0 reach
/// hundreds of terabytes.
pub(crate) const LEVELS: usize = 7;

/// The SSTables of each level, and a few numbers. Never changes.
///
/// Whatever the version of a key, all older versions of that key are in the same SSTable, in an
/// older sublevel of L0, or in a deeper level: the first place that has one, has the newest.
#[derive(Clone, Default)]
pub(crate) struct Version {
    /// L1 and deeper; the first is always empty, so that levels are found by their number.
    levels: [Run; LEVELS],
    /// SSTables of L0 as sublevels, newest first.
    sublevels: Arc<[Run]>,
    numbers: Numbers,
}

/// What a version is besides its SSTables.
#[derive(Clone, Default)]
struct Numbers {
    flushed_sequence: u64,
    next_file_id: u64,
    keyspace_limit: u32,
    epoch: u64,
    dropped: Arc<DroppedKeyspaces>,
    times: Arc<TimeMap>,
    histories: Arc<Histories>,
}

impl Version {
    /// All commits up to this sequence number are in SSTables.
    pub(crate) fn flushed_sequence(&self) -> u64 {
        self.numbers.flushed_sequence
    }

    /// File ids from this one on were not used when the version was made.
    pub(super) fn next_file_id(&self) -> u64 {
        self.numbers.next_file_id
    }

    /// Keyspace ids from this one on were never used.
    pub(crate) fn keyspace_limit(&self) -> u32 {
        self.numbers.keyspace_limit
    }

    /// The last epoch of the WAL whose commits are all in SSTables: what is written now is of the
    /// next one.
    pub(crate) fn epoch(&self) -> u64 {
        self.numbers.epoch
    }

    /// Keyspaces that were dropped and may still have data in SSTables.
    pub(crate) fn dropped(&self) -> &Arc<DroppedKeyspaces> {
        &self.numbers.dropped
    }

    /// When sequence numbers were written.
    pub(crate) fn times(&self) -> &Arc<TimeMap> {
        &self.numbers.times
    }

    /// What of the past is kept.
    pub(crate) fn histories(&self) -> &Arc<Histories> {
        &self.numbers.histories
    }

    /// Commits up to this one are in the log or in SSTables: they were before the manifest named it.
    pub(crate) fn newest_named(&self) -> u64 {
        self.numbers.histories.newest_sequence()
    }

    /// A level below L0; empty for any other number.
    pub(crate) fn level(&self, level: usize) -> &Run {
        // The run of L0 is always empty.
        self.levels.get(level).unwrap_or(&self.levels[0])
    }

    /// The sublevels of L0, newest first.
    pub(crate) fn sublevels(&self) -> &[Run] {
        &self.sublevels
    }

    /// All runs, newest first: the order in which a key is looked for.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.sublevels
            .iter()
            .chain(self.levels.iter().filter(|run| !run.is_empty()))
    }

    /// All SSTables with their level.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (usize, &Arc<Table>)> {
        let l0 = self
            .sublevels
            .iter()
            .flat_map(|run| run.tables())
            .map(|table| (0, table));
        let deeper = self.levels.iter().enumerate();
        l0.chain(deeper.flat_map(|(level, run)| run.tables().iter().map(move |t| (level, t))))
    }

    /// Bytes of the files of a level.
    pub(crate) fn level_size(&self, level: usize) -> u64 {
        match level {
            0 => self.sublevels.iter().map(Run::size).sum(),
            _ => self.level(level).size(),
        }
    }

    /// Bytes of the largest level below L0, but for the pieces of logs: those pile up for as long as
    /// their log is kept, and lie beside all the rest.
    pub(crate) fn largest_level_size(&self) -> u64 {
        let sizes = self.levels.iter().map(Run::size_without_logs);
        sizes.max().unwrap_or(0)
    }

    /// The newest version of a user key in SSTables that the lookup may see.
    pub(crate) fn get(&self, lookup: &Lookup<'_>, mode: ReadMode) -> Result<Option<FoundVersion>> {
        for run in self.runs() {
            if let Some(found) = run.get(lookup, mode)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Appends iterators over what a range may need of the SSTables.
    pub(crate) fn push_iterators(
        &self,
        range: &KeyRange,
        mode: ReadMode,
        iterators: &mut Vec<Box<dyn InternalIterator>>,
    ) -> Result<()> {
        for run in self.runs() {
            iterators.extend(run.iter(range, mode, CacheUse::Keep)?);
        }
        Ok(())
    }

    /// The next version; the error says what in the edit does not fit this one.
    pub(super) fn apply(&self, edit: &VersionEdit, store: &Arc<TableStore>) -> Fit<Version> {
        let mut changes: [Changes; LEVELS] = Default::default();
        let mut removed_tables = Vec::new();
        for (level, file_id) in &edit.removed {
            let table = self
                .tables()
                .find(|(at, table)| at == level && table.file_id() == *file_id);
            let (_, table) =
                table.ok_or_else(|| format!("file {file_id}, which is not in L{level}"))?;
            removed_tables.push(table);
            if let Some(change) = changes.get_mut(*level) {
                change.removed.push(*file_id);
            }
        }
        if let Some(file_id) = added_twice(edit) {
            return Err(format!("file {file_id} twice"));
        }
        for (level, meta) in &edit.added {
            let change = changes
                .get_mut(*level)
                .ok_or_else(|| format!("a file of the level {level}"))?;
            let moved = removed_tables
                .iter()
                .find(|table| table.file_id() == meta.file_id);
            let known = self
                .tables()
                .any(|(_, table)| table.file_id() == meta.file_id);
            change.added.push(match moved {
                Some(table) => Arc::clone(table),
                None if known => return Err(format!("file {}, which is there", meta.file_id)),
                None => Table::new(meta.clone(), Arc::clone(store)),
            });
        }

        let mut next = self.clone();
        for (level, (run, mut change)) in next.levels.iter_mut().zip(changes).enumerate() {
            if change.is_empty() {
                continue;
            }
            if level == 0 {
                let tables = change.apply(self.sublevels.iter().flat_map(|run| run.tables()));
                next.sublevels = sublevels(tables);
            } else {
                let tables = change.apply(run.tables());
                *run = Run::new(tables).ok_or_else(|| format!("overlapping files in L{level}"))?;
            }
        }
        next.numbers.apply(edit)?;
        Ok(next)
    }

    /// An edit that makes this version of an empty one.
    pub(crate) fn to_edit(&self) -> VersionEdit {
        let numbers = &self.numbers;
        VersionEdit {
            added: self
                .tables()
                .map(|(level, table)| (level, table.meta().clone()))
                .collect(),
            removed: Vec::new(),
            flushed_sequence: Some(numbers.flushed_sequence),
            next_file_id: Some(numbers.next_file_id),
            keyspace_limit: Some(numbers.keyspace_limit),
            dropped: numbers.dropped.iter().collect(),
            gone: numbers.dropped.gone().collect(),
            epoch: Some(numbers.epoch),
            times: numbers.times.iter().collect(),
            histories: numbers.histories.to_changes(),
        }
    }
}

/// A file that an edit adds in two places.
fn added_twice(edit: &VersionEdit) -> Option<u64> {
    let mut ids: Vec<u64> = edit.added.iter().map(|(_, meta)| meta.file_id).collect();
    ids.sort_unstable();
    ids.windows(2)
        .find(|pair| pair.first() == pair.last())
        .and_then(|pair| pair.first().copied())
}

impl Numbers {
    fn apply(&mut self, edit: &VersionEdit) -> Fit<()> {
        fn raise<T: Copy + Ord + std::fmt::Display>(
            number: &mut T,
            to: Option<T>,
            what: &str,
        ) -> Fit<()> {
            match to {
                Some(to) if to < *number => Err(format!("{what} {to}, which was {number} before")),
                Some(to) => {
                    *number = to;
                    Ok(())
                }
                None => Ok(()),
            }
        }
        raise(
            &mut self.flushed_sequence,
            edit.flushed_sequence,
            "flushed sequence number",
        )?;
        raise(&mut self.next_file_id, edit.next_file_id, "next file id")?;
        raise(
            &mut self.keyspace_limit,
            edit.keyspace_limit,
            "keyspace limit",
        )?;
        raise(&mut self.epoch, edit.epoch, "epoch")?;
        if !edit.dropped.is_empty() || !edit.gone.is_empty() {
            let dropped = Arc::make_mut(&mut self.dropped);
            edit.dropped
                .iter()
                .for_each(|(keyspace, at)| dropped.insert(*keyspace, *at));
            for (first, last) in &edit.gone {
                dropped.set_gone(*first, *last);
                self.histories.forget(*first, *last);
            }
        }
        if !edit.histories.is_empty() {
            let histories = Arc::make_mut(&mut self.histories);
            edit.histories
                .iter()
                .try_for_each(|change| histories.apply(change))?;
        }
        if !edit.times.is_empty() {
            let exact_ms = self.histories.longest_window_ms();
            Arc::make_mut(&mut self.times).extend(&edit.times, exact_ms);
        }
        Ok(())
    }
}

/// What an edit does to one level.
#[derive(Default)]
struct Changes {
    removed: Vec<u64>,
    added: Vec<Arc<Table>>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    /// The level's SSTables after the change.
    fn apply<'a>(&mut self, before: impl IntoIterator<Item = &'a Arc<Table>>) -> Vec<Arc<Table>> {
        let removed = &self.removed;
        let kept = before
            .into_iter()
            .filter(|table| !removed.contains(&table.file_id()));
        kept.cloned().chain(self.added.drain(..)).collect()
    }
}

/// Splits the SSTables of L0 into sublevels, newest first: each is as far down as the overlap with
/// older ones lets it be. Sublevels, not files, are what a read has to look at one after the other.
fn sublevels(mut tables: Vec<Arc<Table>>) -> Arc<[Run]> {
    tables.sort_by_key(|table| l0_order(table.meta()));
    let mut sublevels: Vec<Vec<Arc<Table>>> = Vec::new();
    for table in tables {
        let overlapped = sublevels.iter().rposition(|sublevel| {
            sublevel
                .iter()
                .any(|older| older.overlaps(table.smallest(), table.largest()))
        });
        let place = overlapped.map_or(0, |below| below + 1);
        match sublevels.get_mut(place) {
            Some(sublevel) => sublevel.push(table),
            None => sublevels.push(vec![table]),
        }
    }
    sublevels.into_iter().rev().filter_map(Run::new).collect()
}

/// Age of an SSTable of L0. Memtables have sequence numbers apart from each other's, and of what a
/// flush has split the pieces do not overlap.
fn l0_order(meta: &FileMeta) -> (u64, u64) {
    (meta.properties.max_sequence, meta.file_id)
}
