//! Where files of logs end, so that what only grows need not be merged.
//!
//! A partition of a log is written to at its end. If each flush gives it files of its own, these lie
//! behind all older ones of it, overlap nothing, and go down to the last level as they are: they are the
//! log's *pieces*. A file that has several partitions lies across the older files of all of them but the
//! first, so that it has to be merged with them. So a file ends where a partition does that was worth a
//! piece; and one that began with small partitions ends within a large one, which has all files to itself
//! from there on: in the next flushes too, since no file goes across a piece that is there already.

use std::sync::Arc;

use crate::key::{keyspace_of, log_partition};
use crate::manifest::{Table, Version};

/// Where the files of one job end for the sake of logs.
pub(super) struct LogCuts {
    /// Bytes that make a piece.
    piece_size: u64,
    /// Number of the first piece that does not begin before the last key.
    next_piece: usize,
    /// Size of the current file where the partition began that it is in.
    partition_start: u64,
}

impl LogCuts {
    pub(super) fn new(piece_size: u64) -> LogCuts {
        LogCuts {
            piece_size: piece_size.max(1),
            next_piece: 0,
            partition_start: 0,
        }
    }

    /// A file begins.
    pub(super) fn begin(&mut self) {
        self.partition_start = 0;
    }

    /// Whether a file of `size` bytes with `last` as its last key should end before `next`, another
    /// user key. `pieces` are those of the version, in order.
    pub(super) fn should_cut(
        &mut self,
        pieces: &[Arc<Table>],
        last: &[u8],
        next: &[u8],
        size: u64,
    ) -> bool {
        let partition = log_partition(next);
        if keyspace_of(last) != keyspace_of(next) {
            // Files of a log are dropped with it, whole.
            return partition.is_some() || log_partition(last).is_some();
        }
        let Some(partition) = partition else {
            return false;
        };
        if last.starts_with(partition) {
            return self.partition_start > 0
                && size.saturating_sub(self.partition_start) >= self.piece_size;
        }
        let passed = self.next_piece;
        while pieces
            .get(self.next_piece)
            .is_some_and(|piece| piece.smallest() < next)
        {
            self.next_piece += 1;
        }
        let passed = pieces.get(passed..self.next_piece).unwrap_or_default();
        self.partition_start = size;
        size >= self.piece_size || passed.iter().any(|piece| piece.smallest() > last)
    }
}

/// The pieces of logs in a version, in order of keys.
pub(super) fn pieces(version: &Version) -> Vec<Arc<Table>> {
    let tables = version.tables().map(|(_, table)| table);
    let mut pieces: Vec<_> = tables
        .filter(|table| table.is_log_piece())
        .cloned()
        .collect();
    pieces.sort_by(|left, right| left.smallest().cmp(right.smallest()));
    pieces
}
