//! Chooses what to compact.
//!
//! In order of urgency:
//! 1. files all of whose keyspaces are dropped: they are deleted unread;
//! 2. the level that is fullest, as a part of what it may have, if that is full: L0 by sublevels,
//!    the others by size. Of a level that is one run, the file that overlaps least of the next
//!    level goes down;
//! 3. files of which a large part is tombstones, so that what they hide gives its space back;
//! 4. files of which a part is in dropped keyspaces.

use std::collections::HashSet;
use std::sync::Arc;

use super::levels::{LAST_LEVEL, Targets};
use super::retention::Retention;
use crate::key::KeyspaceId;
use crate::manifest::{Run, Table, Version, VersionEdit};
use crate::options::Options;

/// No job is larger than this many SSTables of full size, if it can be helped: a huge one holds up
/// L0 for long.
const MAX_JOB_TABLES: u64 = 25;

/// A file is moved down unread only if what it overlaps two levels down is at most this many
/// SSTables of full size; else its next compaction would be a large one.
const MAX_GRANDPARENT_TABLES: u64 = 10;

/// Tombstones that make a file worth compacting: one part in so many of its entries.
const TOMBSTONE_PART: u64 = 4;

/// Bytes in dropped keyspaces that make a file worth rewriting: one part in so many.
const DROPPED_PART: u64 = 10;

/// With more dropped keyspaces than this, any file with something of one is rewritten, so that they
/// can be forgotten.
const MAX_DROPPED: usize = 1024;

/// Files that a running job reads. They are no other job's inputs until it has ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Busy {
    file_ids: HashSet<u64>,
}

impl Busy {
    /// Marks the inputs of a compaction.
    pub(crate) fn insert(&mut self, compaction: &Compaction) {
        self.file_ids.extend(compaction.file_ids());
    }

    /// Frees them.
    pub(crate) fn remove(&mut self, compaction: &Compaction) {
        for file_id in compaction.file_ids() {
            self.file_ids.remove(&file_id);
        }
    }

    fn has_any(&self, tables: &[Arc<Table>]) -> bool {
        tables
            .iter()
            .any(|table| self.file_ids.contains(&table.file_id()))
    }
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
}

impl Compaction {
    /// Ids of all inputs.
    pub(crate) fn file_ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.tables().map(|table| table.file_id())
    }

    /// All inputs.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.inputs.iter().flat_map(|(_, tables)| tables)
    }

    /// Why it was chosen.
    pub(crate) fn reason(&self) -> Reason {
        self.reason
    }

    /// Bytes of all inputs.
    pub(crate) fn size(&self) -> u64 {
        self.tables().map(|table| table.meta().size).sum()
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

    /// An edit that removes the inputs.
    pub(super) fn removing_edit(&self) -> VersionEdit {
        let removed = self
            .inputs
            .iter()
            .flat_map(|(level, tables)| tables.iter().map(|table| (*level, table.file_id())));
        VersionEdit {
            removed: removed.collect(),
            ..VersionEdit::default()
        }
    }
}

/// How far compaction is behind.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Pressure {
    /// Sublevels of L0 as a part of the number that starts a compaction.
    pub(crate) l0_score: f64,
    /// Bytes that have to be compacted until no level is above its size.
    pub(crate) debt_bytes: u64,
}

/// How far compaction is behind for a version. Both are signals that [`pick`] acts on.
pub(crate) fn pressure(version: &Version, options: &Options) -> Pressure {
    let targets = Targets::new(version, options);
    let l0_score = l0_score(version, options);
    let mut debt_bytes = if l0_score >= 1.0 {
        version.level_size(0)
    } else {
        0
    };
    for level in targets.base..LAST_LEVEL {
        debt_bytes += version
            .level_size(level)
            .saturating_sub(targets.size(level));
    }
    Pressure {
        l0_score,
        debt_bytes,
    }
}

fn l0_score(version: &Version, options: &Options) -> f64 {
    let threshold = options.l0_compaction_threshold.max(1);
    let by_sublevels = version.sublevels().len() as f64 / threshold as f64;
    // Files that do not overlap cost a read nothing, but they must not pile up without bound.
    let by_size = version.level_size(0) as f64 / (2 * options.base_level_size.max(1)) as f64;
    by_sublevels.max(by_size)
}

/// The next compaction, if there is something worth doing whose files are not in another job.
pub(crate) fn pick(
    version: &Version,
    options: &Options,
    retention: &Retention,
    busy: &Busy,
) -> Option<Compaction> {
    let picker = Picker {
        version,
        options,
        retention,
        busy,
    };
    picker
        .dropped_files()
        .or_else(|| picker.fullest_level())
        .or_else(|| picker.densest_tombstones())
        .or_else(|| picker.dropped_keyspaces())
}

/// The next compaction of L0, if L0 is full: what may put aside a job of deeper levels, since every
/// read looks through L0 and only there do writes pile up.
pub(crate) fn pick_l0(
    version: &Version,
    options: &Options,
    retention: &Retention,
    busy: &Busy,
) -> Option<Compaction> {
    if l0_score(version, options) < 1.0 {
        return None;
    }
    let picker = Picker {
        version,
        options,
        retention,
        busy,
    };
    picker.oldest_of_l0(Targets::new(version, options).base)
}

/// Dropped keyspaces of which nothing is stored any more: an edit may forget them. All that was
/// written to them is flushed, and no SSTable has any of it.
pub(crate) fn forgettable(version: &Version) -> Vec<KeyspaceId> {
    let mut candidates: Vec<KeyspaceId> = version
        .dropped()
        .iter()
        .filter(|(_, dropped_at)| *dropped_at <= version.flushed_sequence())
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

struct Picker<'a> {
    version: &'a Version,
    options: &'a Options,
    retention: &'a Retention,
    busy: &'a Busy,
}

impl Picker<'_> {
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
        })
    }

    fn fullest_level(&self) -> Option<Compaction> {
        let targets = Targets::new(self.version, self.options);
        let mut scores = vec![(l0_score(self.version, self.options), 0)];
        for level in targets.base..LAST_LEVEL {
            let score = self.version.level_size(level) as f64 / targets.size(level).max(1) as f64;
            scores.push((score, level));
        }
        scores.retain(|(score, _)| *score >= 1.0);
        scores.sort_by(|left, right| right.0.total_cmp(&left.0));
        scores.into_iter().find_map(|(_, level)| match level {
            0 => self.oldest_of_l0(targets.base),
            _ => self.least_overlapping(level),
        })
    }

    /// The oldest sublevels of L0 into the base level.
    fn oldest_of_l0(&self, base: usize) -> Option<Compaction> {
        let limit = MAX_JOB_TABLES * self.options.sstable_size;
        let mut tables: Vec<Arc<Table>> = Vec::new();
        let mut size = 0;
        // Whole sublevels from the oldest on: whatever is older than a file of them and overlaps
        // it is then among them.
        // That also means one job at a time: while one has the oldest, no other takes any.
        for sublevel in self.version.sublevels().iter().rev() {
            size += sublevel.size();
            if (size > limit && !tables.is_empty()) || self.busy.has_any(sublevel.tables()) {
                break;
            }
            tables.extend(sublevel.tables().iter().cloned());
        }
        self.down(Reason::FullLevel, 0, tables, base)
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
        let (smallest, largest) = key_range(&tables)?;
        let overlapped = self
            .version
            .level(output_level)
            .overlapping(smallest, largest);
        if self.busy.has_any(&tables) || self.busy.has_any(overlapped) {
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
        })
    }

    /// Whether files without overlap in the output level may go there as they are.
    fn can_move(&self, tables: &[Arc<Table>], output_level: usize) -> bool {
        let grandparents = self.version.level(output_level + 1);
        let limit = MAX_GRANDPARENT_TABLES * self.options.sstable_size;
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
                let useful =
                    *level < LAST_LEVEL || properties.max_sequence <= self.retention.oldest();
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
fn key_range(tables: &[Arc<Table>]) -> Option<(&[u8], &[u8])> {
    let smallest = tables.iter().map(|table| table.smallest()).min()?;
    let largest = tables.iter().map(|table| table.largest()).max()?;
    Some((smallest, largest))
}

#[cfg(test)]
mod tests;
