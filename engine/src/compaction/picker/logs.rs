//! Pieces of logs: SSTables that lie behind all older ones of their partition. They are not merged, but
//! moved, and later put together where they are many.

use std::sync::Arc;

use super::{Action, Compaction, Picker, Reason, rewrite};
use crate::compaction::levels::LAST_LEVEL;
use crate::manifest::Table;

/// A piece is small if it has at most one part in so many of a full SSTable.
const SMALL_PIECE_PART: u64 = 16;

/// So many small pieces side by side are put together: what is written to a log is written again once or
/// twice, and no file is open for less than a few of them.
const SMALL_PIECES: usize = 8;

impl Picker<'_> {
    /// The pieces of logs in L0 that overlap nothing older. They go to the last level as they are, where
    /// they are in nobody's way until their log is dropped.
    pub(super) fn log_pieces_of_l0(&self) -> Option<Compaction> {
        let sublevels = self.version.sublevels();
        let mut free: Vec<Arc<Table>> = Vec::new();
        for (number, sublevel) in sublevels.iter().enumerate() {
            let older = sublevels.get(number + 1..).unwrap_or_default();
            // In the last level a tombstone hides nothing, and only a merge drops it.
            let pieces = sublevel.tables().iter().filter(|table| {
                let tombstones = table.meta().properties.tombstones;
                table.is_log_piece() && tombstones == 0 && self.is_idle(table)
            });
            for piece in pieces {
                let (smallest, largest) = (piece.smallest(), piece.largest());
                let below = (1..=LAST_LEVEL).map(|level| self.version.level(level));
                let is_free = older
                    .iter()
                    .chain(below)
                    .all(|run| run.overlapping(smallest, largest).is_empty());
                if is_free && !self.busy.writes_to(LAST_LEVEL, smallest, largest) {
                    free.push(Arc::clone(piece));
                }
            }
        }
        (!free.is_empty()).then_some(Compaction {
            reason: Reason::LogPieces,
            action: Action::Move,
            inputs: vec![(0, free)],
            output_level: LAST_LEVEL,
            forks: None,
        })
    }

    /// The first of the last level's small pieces that are enough, side by side and of one partition.
    pub(super) fn small_log_pieces(&self) -> Option<Compaction> {
        let full = self.options.sstable_size.max(1);
        let is_small = |table: &Arc<Table>| {
            table.is_log_piece()
                && table.meta().size <= full / SMALL_PIECE_PART
                && self.is_idle(table)
        };
        let tables = self.version.level(LAST_LEVEL).tables();
        let groups = tables.chunk_by(|left, right| {
            is_small(left) && is_small(right) && left.is_of_same_partition(right)
        });
        // What is dropped goes as it is.
        let mut groups = groups.filter(|group| {
            let mut keyspaces = group.iter().flat_map(|t| &t.meta().properties.keyspaces);
            let ends = group.first().zip(group.last());
            // What a fork gets may come to lie between them.
            let is_free = ends.is_some_and(|(first, last)| {
                let (smallest, largest) = (first.smallest(), last.largest());
                !self.busy.writes_to(LAST_LEVEL, smallest, largest)
            });
            is_free
                && group.len() >= SMALL_PIECES
                && !keyspaces.any(|k| self.retention.is_dropped(k.keyspace))
        });
        let group = groups.next()?;
        let mut size = 0;
        let fitting = group.iter().take_while(|table| {
            size += table.meta().size;
            size <= full
        });
        let pieces = fitting.cloned().collect();
        Some(rewrite(Reason::SmallLogPieces, LAST_LEVEL, pieces))
    }
}
