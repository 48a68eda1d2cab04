//! Chooses what to compact.
//!
//! In order of urgency:
//! 1. files all of whose keyspaces are dropped: they are deleted unread; and forks that are: they end;
//! 2. pieces of logs in L0: they go to the last level unread ([`logs`]);
//! 3. L0, if it has too many sublevels or is too large: its deepest stack goes down ([`l0`]). For a
//!    worker that has deeper levels to look after this comes last;
//! 4. the level that is fullest, as a part of what it may have, if that is full: the file that
//!    overlaps least of the next level goes down;
//! 5. files of which a large part is tombstones, so that what they hide gives its space back;
//! 6. files of which a part is in dropped keyspaces;
//! 7. pieces of logs that are many and small: they are put together;
//! 8. when nothing else is to do, the next part of a fork that is not copied out ([`forks`]).
//!
//! Jobs that run at the same time have no file in common, and do not write to the same keys of a
//! level ([`Busy`]).

mod forks;
mod l0;
mod logs;

use std::collections::HashSet;
use std::sync::Arc;

pub(super) use self::forks::ForkWork;
use super::levels::{LAST_LEVEL, Targets};
use super::output::MAX_GRANDPARENT_TABLES;
use super::pressure::l0_score;
use super::retention::Retention;
use crate::key::KeyspaceId;
use crate::manifest::{Run, Table, Version, VersionEdit};
use crate::options::Options;
use crate::sstable::Properties;

/// No job is larger than this many SSTables of full size, if it can be helped: a huge one holds up
/// L0 for long.
const MAX_JOB_TABLES: u64 = 25;

/// Tombstones that make a file worth compacting: one part in so many of its entries.
const TOMBSTONE_PART: u64 = 4;

/// Tombstones in L0 that make it worth compacting before it is full: as many as one part in so many of
/// the entries below.
const L0_TOMBSTONE_PART: u64 = 8;

/// But not fewer than these: a few thousand hide little, whatever they hide.
const L0_TOMBSTONES: u64 = 1000;

/// Bytes in dropped keyspaces that make a file worth rewriting: one part in so many.
const DROPPED_PART: u64 = 10;

/// With more dropped keyspaces than this, any file with something of one is rewritten, so that they
/// can be forgotten.
const MAX_DROPPED: usize = 1024;

/// What running jobs have: files that are no other job's inputs until they have ended, and the keys
/// of each level that they write to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Busy {
    file_ids: HashSet<u64>,
    outputs: Vec<OutputRange>,
    /// Forks that can't be copied out, as a file is damaged.
    stuck: HashSet<KeyspaceId>,
}

/// Keys of a level, the first and the last included.
#[derive(Clone, PartialEq, Eq, Debug)]
struct OutputRange {
    level: usize,
    smallest: Vec<u8>,
    largest: Vec<u8>,
}

impl OutputRange {
    /// Where the output of a compaction may be: between the first and the last key that it reads.
    /// Of none if it only deletes.
    fn of(compaction: &Compaction) -> Option<OutputRange> {
        if compaction.action == Action::Delete {
            return None;
        }
        let (smallest, largest) = compaction.key_range()?;
        Some(OutputRange {
            level: compaction.output_level,
            smallest,
            largest,
        })
    }
}

impl Busy {
    /// Marks what a compaction has.
    pub(crate) fn insert(&mut self, compaction: &Compaction) {
        self.file_ids.extend(compaction.file_ids());
        self.outputs.extend(OutputRange::of(compaction));
    }

    /// Frees it.
    pub(crate) fn remove(&mut self, compaction: &Compaction) {
        for file_id in compaction.file_ids() {
            self.file_ids.remove(&file_id);
        }
        self.remove_output(compaction);
    }

    /// Frees what it would have written to. Its inputs stay marked.
    fn remove_output(&mut self, compaction: &Compaction) {
        let output = OutputRange::of(compaction);
        let place = self.outputs.iter().position(|o| Some(o) == output.as_ref());
        if let Some(place) = place {
            self.outputs.swap_remove(place);
        }
    }

    /// A compaction can't be done: its inputs stay marked, as does the fork that it is about.
    pub(crate) fn give_up(&mut self, compaction: &Compaction) {
        self.remove_output(compaction);
        if let Some(ForkWork::Copy(part)) = &compaction.forks {
            self.stuck.insert(part.keyspace);
        }
    }

    fn is_stuck(&self, fork: KeyspaceId) -> bool {
        self.stuck.contains(&fork)
    }

    fn has_any(&self, tables: &[Arc<Table>]) -> bool {
        tables
            .iter()
            .any(|table| self.file_ids.contains(&table.file_id()))
    }

    fn writes_to(&self, level: usize, smallest: &[u8], largest: &[u8]) -> bool {
        self.outputs.iter().any(|output| {
            output.level == level
                && output.smallest.as_slice() <= largest
                && smallest <= output.largest.as_slice()
        })
    }
}

/// What a worker looks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Work {
    /// Only L0, which every read looks through and where writes pile up: so that it never waits for
    /// a job of deeper levels.
    L0,
    /// Everything, deeper levels first: so that they never wait for L0.
    Deep,
}

/// Why a compaction was chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    /// All keyspaces of the files are dropped.
    DroppedFiles,
    /// The level is full.
    FullLevel,
    /// A large part of the file is tombstones.
    Tombstones,
    /// A part of the file is in dropped keyspaces.
    DroppedKeyspaces,
    /// The files are pieces of logs, behind which nothing is.
    LogPieces,
    /// The files are small pieces of a log.
    SmallLogPieces,
    /// Forks end, or are copied out.
    Forks,
}

/// What is done with the inputs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// They are merged into new files.
    Merge,
    /// They go to the output level as they are.
    Move,
    /// They are deleted.
    Delete,
}

/// What to do next.
#[derive(Clone, Debug)]
pub(crate) struct Compaction {
    pub(super) reason: Reason,
    pub(super) action: Action,
    /// The files of each level.
    pub(super) inputs: Vec<(usize, Vec<Arc<Table>>)>,
    pub(super) output_level: usize,
    /// What it does to forks, if it is about them.
    pub(super) forks: Option<ForkWork>,
}

impl Compaction {
    /// Ids of all inputs.
    pub(crate) fn file_ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.tables().map(|table| table.file_id())
    }

    /// All inputs.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Arc<Table>> + Clone {
        self.inputs.iter().flat_map(|(_, tables)| tables)
    }

    /// All SSTables into the last level; `None` if there are none.
    #[cfg(test)]
    pub(crate) fn everything(version: &Version) -> Option<Compaction> {
        let mut inputs: Vec<(usize, Vec<Arc<Table>>)> = Vec::new();
        for (level, table) in version.tables() {
            match inputs.last_mut() {
                Some((last, tables)) if *last == level => tables.push(Arc::clone(table)),
                _ => inputs.push((level, vec![Arc::clone(table)])),
            }
        }
        (!inputs.is_empty()).then_some(Compaction {
            reason: Reason::FullLevel,
            action: Action::Merge,
            inputs,
            output_level: LAST_LEVEL,
            forks: None,
        })
    }

    /// Why it was chosen.
    pub(crate) fn reason(&self) -> Reason {
        self.reason
    }

    /// Bytes of all inputs.
    pub(crate) fn size(&self) -> u64 {
        let copied = self.copied_size().unwrap_or(0);
        copied + self.tables().map(|table| table.meta().size).sum::<u64>()
    }

    /// About how many bytes it copies, where it does that: the database is larger by as much then.
    pub(crate) fn copied_size(&self) -> Option<u64> {
        match &self.forks {
            Some(ForkWork::Copy(part)) => Some(part.size),
            _ => None,
        }
    }

    /// No key that it reads is before the first of these, or behind the last.
    fn key_range(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let tables = key_range(self.tables());
        let tables = tables.map(|(smallest, largest)| (smallest.to_vec(), largest.to_vec()));
        let Some(ForkWork::Copy(part)) = &self.forks else {
            return tables;
        };
        let (first, last) = part.range();
        Some(match tables {
            Some((smallest, largest)) => (smallest.min(first), largest.max(last)),
            None => (first, last),
        })
    }

    /// Whether it reads L0: more urgent than others.
    pub(crate) fn is_from_l0(&self) -> bool {
        self.inputs.iter().any(|(level, _)| *level == 0)
    }

    /// The whole of it, if no file need be read for it; else it takes a [`Job`](super::Job).
    pub(crate) fn immediate_edit(&self) -> Option<VersionEdit> {
        let mut edit = self.removing_edit();
        match self.action {
            Action::Merge => return None,
            Action::Delete => {}
            Action::Move => {
                let moved = self
                    .tables()
                    .map(|table| (self.output_level, table.meta().clone()));
                edit.added.extend(moved);
            }
        }
        Some(edit)
    }

    /// An edit that removes the inputs, and says what becomes of forks.
    pub(super) fn removing_edit(&self) -> VersionEdit {
        let removed = self
            .inputs
            .iter()
            .flat_map(|(level, tables)| tables.iter().map(|table| (*level, table.file_id())));
        VersionEdit {
            removed: removed.collect(),
            histories: self.forks.iter().flat_map(ForkWork::changes).collect(),
            ..VersionEdit::default()
        }
    }
}

/// The next compaction, if there is something worth doing that no other job is in the way of.
pub(crate) fn pick(
    version: &Version,
    options: &Options,
    retention: &Retention,
    busy: &Busy,
    work: Work,
) -> Option<Compaction> {
    let targets = Targets::new(version, options);
    let picker = Picker {
        version,
        options,
        targets,
        retention,
        busy,
    };
    // What needs no file read, and is out of the way of all that does.
    let at_once = picker.dropped_files().or_else(|| picker.log_pieces_of_l0());
    if at_once.is_some() {
        return at_once;
    }
    let l0 = picker.full_l0();
    if work == Work::L0 {
        return l0;
    }
    let ended = picker.ended_forks();
    if ended.is_some() {
        return ended;
    }
    // What L0 needs next is left to its own worker, which may be about to take it. If all of it is in
    // somebody's way, nothing is begun that would be in its way again.
    let mut reserved = busy.clone();
    match &l0 {
        Some(compaction) => reserved.insert(compaction),
        None if picker.is_l0_held_up() => return None,
        None => {}
    }
    let deep = Picker {
        busy: &reserved,
        ..picker
    };
    deep.fullest_level()
        .or_else(|| deep.densest_tombstones())
        .or_else(|| deep.dropped_keyspaces())
        .or_else(|| deep.small_log_pieces())
        .or(l0)
        .or_else(|| picker.tombstones_of_l0())
        .or_else(|| deep.part_of_fork())
}

/// Dropped keyspaces of which nothing is stored any more: an edit may say that they are gone. All that
/// was written to them before is flushed, and no SSTable has any of it; what is written to them later
/// never gets into one.
pub(crate) fn forgettable(version: &Version) -> Vec<KeyspaceId> {
    let mut candidates: Vec<KeyspaceId> = version
        .dropped()
        .iter()
        .filter(|(keyspace, dropped_at)| {
            // A fork may be read where it is not written to.
            *dropped_at <= version.flushed_sequence()
                && version.histories().overlay(*keyspace).is_none()
        })
        .map(|(keyspace, _)| keyspace)
        .collect();
    if !candidates.is_empty() {
        let stored: HashSet<KeyspaceId> = version
            .tables()
            .flat_map(|(_, table)| &table.meta().properties.keyspaces)
            .map(|keyspace| keyspace.keyspace)
            .collect();
        candidates.retain(|keyspace| !stored.contains(keyspace));
    }
    candidates
}

#[derive(Clone, Copy)]
struct Picker<'a> {
    version: &'a Version,
    options: &'a Options,
    targets: Targets,
    retention: &'a Retention,
    busy: &'a Busy,
}

impl Picker<'_> {
    /// Bytes of a full SSTable.
    fn sstable_size(&self) -> u64 {
        self.targets.sstable_size
    }

    fn is_idle(&self, table: &Arc<Table>) -> bool {
        !self.busy.file_ids.contains(&table.file_id())
    }

    fn dropped_files(&self) -> Option<Compaction> {
        if self.retention.dropped_count() == 0 {
            return None;
        }
        let mut inputs: Vec<(usize, Vec<Arc<Table>>)> = Vec::new();
        for (level, table) in self.version.tables() {
            let keyspaces = &table.meta().properties.keyspaces;
            let dropped = keyspaces
                .iter()
                .all(|used| self.retention.is_dropped(used.keyspace));
            if dropped && !keyspaces.is_empty() && self.is_idle(table) {
                match inputs.last_mut() {
                    Some((last, tables)) if *last == level => tables.push(Arc::clone(table)),
                    _ => inputs.push((level, vec![Arc::clone(table)])),
                }
            }
        }
        (!inputs.is_empty()).then_some(Compaction {
            reason: Reason::DroppedFiles,
            action: Action::Delete,
            inputs,
            output_level: 0,
            forks: None,
        })
    }

    /// A part of L0, if L0 is full.
    fn full_l0(&self) -> Option<Compaction> {
        match l0_score(self.version, self.options) >= 1.0 {
            true => self.deepest_of_l0(self.targets.base),
            false => None,
        }
    }

    /// Whether L0 is full and no job takes from it, while others run that can be what it waits for.
    fn is_l0_held_up(&self) -> bool {
        let mut l0 = self.version.sublevels().iter().flat_map(Run::tables);
        l0_score(self.version, self.options) >= 1.0
            && !self.busy.outputs.is_empty()
            && l0.all(|table| self.is_idle(table))
    }

    /// A part of L0, if what its tombstones hide is a large part of all, so that a mass deletion
    /// gives its space back without a write behind it.
    fn tombstones_of_l0(&self) -> Option<Compaction> {
        let count = |level: usize, of: fn(&Properties) -> u64| -> u64 {
            let tables = self.version.tables().filter(|(at, _)| *at == level);
            tables.map(|(_, table)| of(&table.meta().properties)).sum()
        };
        let hiding = count(0, |properties| properties.tombstones);
        if hiding == 0 {
            return None;
        }
        let hidden: u64 = (1..=LAST_LEVEL)
            .map(|level| count(level, |properties| properties.entries))
            .sum();
        let much = hiding >= L0_TOMBSTONES.max(hidden.div_ceil(L0_TOMBSTONE_PART));
        match much {
            true => self.deepest_of_l0(self.targets.base),
            false => None,
        }
    }

    fn fullest_level(&self) -> Option<Compaction> {
        let targets = &self.targets;
        let mut scores: Vec<(f64, usize)> = (targets.base..LAST_LEVEL)
            .map(|level| {
                let size = self.version.level_size(level) as f64;
                (size / targets.size(level).max(1) as f64, level)
            })
            .filter(|(score, _)| *score >= 1.0)
            .collect();
        scores.sort_by(|left, right| right.0.total_cmp(&left.0));
        scores
            .into_iter()
            .find_map(|(_, level)| self.least_overlapping(level))
    }

    /// The file of a level that overlaps least of the next, by its size: the cheapest way to make
    /// the level smaller.
    fn least_overlapping(&self, level: usize) -> Option<Compaction> {
        let next = self.version.level(level + 1);
        let idle = self
            .version
            .level(level)
            .tables()
            .iter()
            .filter(|table| self.is_idle(table));
        let mut by_cost: Vec<_> = idle
            .map(|table| {
                let overlap = size(next.overlapping(table.smallest(), table.largest()));
                (overlap as f64 / table.meta().size.max(1) as f64, table)
            })
            .collect();
        by_cost.sort_by(|left, right| left.0.total_cmp(&right.0));
        by_cost.into_iter().find_map(|(_, table)| {
            self.down(Reason::FullLevel, level, vec![Arc::clone(table)], level + 1)
        })
    }

    /// Compacts files of a level into a deeper one; `None` if that needs files of another job.
    fn down(
        &self,
        reason: Reason,
        level: usize,
        tables: Vec<Arc<Table>>,
        output_level: usize,
    ) -> Option<Compaction> {
        let (smallest, largest) = key_range(tables.iter())?;
        let overlapped = self
            .version
            .level(output_level)
            .overlapping(smallest, largest);
        let all = tables.iter().chain(overlapped);
        let (smallest, largest) = key_range(all)?;
        if self.busy.has_any(&tables)
            || self.busy.has_any(overlapped)
            || self.busy.writes_to(output_level, smallest, largest)
        {
            return None;
        }
        let action = if overlapped.is_empty() && self.can_move(&tables, output_level) {
            Action::Move
        } else {
            Action::Merge
        };
        let overlapped = overlapped.to_vec();
        let mut inputs = vec![(level, tables), (output_level, overlapped)];
        inputs.retain(|(_, tables)| !tables.is_empty());
        Some(Compaction {
            reason,
            action,
            inputs,
            output_level,
            forks: None,
        })
    }

    /// Whether files without overlap in the output level may go there as they are.
    fn can_move(&self, tables: &[Arc<Table>], output_level: usize) -> bool {
        let grandparents = self.version.level(output_level + 1);
        let limit = MAX_GRANDPARENT_TABLES * self.sstable_size();
        Run::new(tables.to_vec()).is_some()
            && tables.iter().all(|table| {
                let properties = &table.meta().properties;
                let dropped = properties
                    .keyspaces
                    .iter()
                    .any(|used| self.retention.is_dropped(used.keyspace));
                // In the last level a tombstone hides nothing, and only a merge drops it.
                let needless_tombstones = output_level == LAST_LEVEL && properties.tombstones > 0;
                let below = grandparents.overlapping(table.smallest(), table.largest());
                !dropped
                    && !needless_tombstones
                    && (output_level == LAST_LEVEL || size(below) <= limit)
            })
    }

    /// The file with the largest part of tombstones, if that is large.
    fn densest_tombstones(&self) -> Option<Compaction> {
        let mut dense: Vec<_> = (1..=LAST_LEVEL)
            .flat_map(|level| {
                self.version
                    .level(level)
                    .tables()
                    .iter()
                    .map(move |t| (level, t))
            })
            .filter(|(level, table)| {
                let properties = &table.meta().properties;
                // In the last level a rewrite must be sure to drop them, or it would be done again
                // and again.
                let useful = *level < LAST_LEVEL || self.retention.is_settled(properties);
                useful
                    && properties.tombstones > 0
                    && properties.tombstones * TOMBSTONE_PART >= properties.entries
                    && self.is_idle(table)
            })
            .collect();
        dense.sort_by(|(_, left), (_, right)| {
            tombstone_density(right).total_cmp(&tombstone_density(left))
        });
        dense.into_iter().find_map(|(level, table)| {
            let tables = vec![Arc::clone(table)];
            match level {
                LAST_LEVEL => Some(rewrite(Reason::Tombstones, level, tables)),
                _ => self.down(Reason::Tombstones, level, tables, level + 1),
            }
        })
    }

    /// The file with the largest part in dropped keyspaces, if that is worth a rewrite.
    fn dropped_keyspaces(&self) -> Option<Compaction> {
        let count = self.retention.dropped_count();
        if count == 0 {
            return None;
        }
        let part = |table: &Arc<Table>| {
            let keyspaces = &table.meta().properties.keyspaces;
            let all: u64 = keyspaces.iter().map(|used| used.bytes).sum();
            let dropped = keyspaces
                .iter()
                .filter(|used| self.retention.is_dropped(used.keyspace));
            dropped.map(|used| used.bytes).sum::<u64>() as f64 / all.max(1) as f64
        };
        let worth = if count > MAX_DROPPED {
            0.0
        } else {
            1.0 / DROPPED_PART as f64
        };
        let candidates = self
            .version
            .tables()
            .filter(|(_, table)| self.is_idle(table));
        let (_, level, table) = candidates
            .map(|(level, table)| (part(table), level, table))
            .filter(|(part, ..)| *part > 0.0 && *part >= worth)
            .max_by(|left, right| left.0.total_cmp(&right.0))?;
        Some(rewrite(
            Reason::DroppedKeyspaces,
            level,
            vec![Arc::clone(table)],
        ))
    }
}

/// A merge of one file with nothing, into its own level.
fn rewrite(reason: Reason, level: usize, tables: Vec<Arc<Table>>) -> Compaction {
    let inputs = vec![(level, tables)];
    Compaction {
        reason,
        action: Action::Merge,
        inputs,
        output_level: level,
        forks: None,
    }
}

fn tombstone_density(table: &Arc<Table>) -> f64 {
    let properties = &table.meta().properties;
    properties.tombstones as f64 / properties.entries.max(1) as f64
}

fn size(tables: &[Arc<Table>]) -> u64 {
    tables.iter().map(|table| table.meta().size).sum()
}

/// The first and the last user key of some files.
fn key_range<'a>(
    tables: impl Iterator<Item = &'a Arc<Table>> + Clone,
) -> Option<(&'a [u8], &'a [u8])> {
    let smallest = tables.clone().map(|table| table.smallest()).min()?;
    let largest = tables.map(|table| table.largest()).max()?;
    Some((smallest, largest))
}

#[cfg(test)]
mod tests;
