//! Forks: those that nobody can read any more end, and the others are copied out.
//!
//! A job copies a part of one, from where the last one has ended, into the last level: of every key the
//! fork's own versions are newer, and those that are not there yet lie above. Its edit adds the SSTables
//! and says how far the copy has come, both or neither.

use bytes::Bytes;

use super::{Action, Compaction, Picker, Reason};
use crate::compaction::levels::LAST_LEVEL;
use crate::key::KeyspaceId;
use crate::manifest::{HistoryChange, Overlay, Piece, PieceEnd};

/// A job copies about as much as so many SSTables of full size have.
const MAX_COPY_TABLES: u64 = 8;

/// What a compaction does to forks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::compaction) enum ForkWork {
    /// They end.
    End(Vec<KeyspaceId>),
    /// A part of one is copied.
    Copy(ForkPart),
}

/// A part of a fork.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::compaction) struct ForkPart {
    pub(in crate::compaction) keyspace: KeyspaceId,
    overlay: Overlay,
    /// Its last key, without keyspace id; `None` for the end of the fork.
    pub(in crate::compaction) last: Option<Bytes>,
    /// About so many bytes of SSTables.
    pub(in crate::compaction) size: u64,
}

impl ForkWork {
    /// What the manifest has to say of it.
    pub(in crate::compaction) fn changes(&self) -> Vec<HistoryChange> {
        match self {
            ForkWork::End(keyspaces) => {
                let keyspaces = keyspaces.iter().copied();
                keyspaces.map(HistoryChange::OverlayEnd).collect()
            }
            ForkWork::Copy(part) => vec![match &part.last {
                None => HistoryChange::OverlayEnd(part.keyspace),
                Some(last) => {
                    let overlay = Overlay {
                        copied: last.clone(),
                        ..part.overlay.clone()
                    };
                    HistoryChange::Overlay(part.keyspace, overlay)
                }
            }],
        }
    }
}

impl ForkPart {
    /// The first and the last key, or what has no key between it and them.
    pub(super) fn range(&self) -> (Vec<u8>, Vec<u8>) {
        let id = self.keyspace.0.to_be_bytes();
        let mut smallest = id.to_vec();
        if !self.overlay.copied.is_empty() {
            smallest.extend_from_slice(&self.overlay.copied);
            smallest.push(0);
        }
        let largest = match &self.last {
            Some(last) => [&id, &last[..]].concat(),
            None => self.keyspace.0.saturating_add(1).to_be_bytes().to_vec(),
        };
        (smallest, largest)
    }
}

impl Picker<'_> {
    /// The forks that nobody can read, now or later, nor what is forked of them: what they are read over
    /// need not be kept for them.
    pub(super) fn ended_forks(&self) -> Option<Compaction> {
        let forks = self.version.histories().overlays();
        let ended = forks.filter(|(keyspace, overlay)| {
            let all = ForkPart {
                keyspace: *keyspace,
                overlay: (*overlay).clone(),
                last: None,
                size: 0,
            };
            let (smallest, largest) = all.range();
            // Whoever copies it will say how far that has come.
            self.retention.is_dropped(*keyspace)
                && !self.busy.writes_to(LAST_LEVEL, &smallest, &largest)
        });
        let ended: Vec<KeyspaceId> = ended.map(|(keyspace, _)| keyspace).collect();
        (!ended.is_empty()).then_some(Compaction {
            reason: Reason::Forks,
            action: Action::Delete,
            inputs: Vec::new(),
            output_level: LAST_LEVEL,
            forks: Some(ForkWork::End(ended)),
        })
    }

    /// The next part of a fork, of which all that it is read over is in SSTables.
    pub(super) fn part_of_fork(&self) -> Option<Compaction> {
        let forks = self.version.histories().overlays();
        let mut ready = forks.filter(|(keyspace, overlay)| {
            overlay.created <= self.version.flushed_sequence()
                && !self.retention.has_ended(*keyspace)
                && !self.busy.is_stuck(*keyspace)
        });
        ready.find_map(|(keyspace, overlay)| self.next_part(keyspace, overlay))
    }

    fn next_part(&self, keyspace: KeyspaceId, overlay: &Overlay) -> Option<Compaction> {
        let mut pieces = self.version.uncopied(keyspace);
        if pieces.is_empty() {
            // There is nothing, or nothing more: no file has to be read to know it.
            return Some(self.copy(keyspace, overlay, None, 0)).filter(|compaction| {
                // But nobody may be at it.
                !self.is_in_the_way(compaction)
            });
        }
        // What it has of its own there is rewritten with it.
        let own = self.version.level(LAST_LEVEL).tables().iter();
        pieces.extend(own.filter_map(|table| table.piece(keyspace, &overlay.copied)));
        pieces.sort_unstable();
        let (last, size) = cut(&pieces, MAX_COPY_TABLES * self.sstable_size());
        let mut compaction = self.copy(keyspace, overlay, last, size);
        let (smallest, largest) = compaction.key_range()?;
        let level = self.version.level(LAST_LEVEL);
        let overlapped = level.overlapping(&smallest, &largest);
        if !overlapped.is_empty() {
            compaction.inputs.push((LAST_LEVEL, overlapped.to_vec()));
        }
        compaction.action = Action::Merge;
        (!self.is_in_the_way(&compaction)).then_some(compaction)
    }

    fn copy(
        &self,
        keyspace: KeyspaceId,
        overlay: &Overlay,
        last: Option<Bytes>,
        size: u64,
    ) -> Compaction {
        let part = ForkPart {
            keyspace,
            overlay: overlay.clone(),
            last,
            size,
        };
        Compaction {
            reason: Reason::Forks,
            action: Action::Move,
            inputs: Vec::new(),
            output_level: LAST_LEVEL,
            forks: Some(ForkWork::Copy(part)),
        }
    }

    /// Whether another job has one of the inputs, or writes to the same keys.
    fn is_in_the_way(&self, compaction: &Compaction) -> bool {
        let range = compaction.key_range();
        compaction.tables().any(|table| !self.is_idle(table))
            || range.is_some_and(|(smallest, largest)| {
                let level = compaction.output_level;
                self.busy.writes_to(level, &smallest, &largest)
            })
    }
}

/// The end of the first pieces that have so much together, and what they have; no end if those are all.
fn cut(pieces: &[Piece], limit: u64) -> (Option<Bytes>, u64) {
    let mut size = 0;
    for (number, piece) in pieces.iter().enumerate() {
        size += piece.size;
        match &piece.end {
            PieceEnd::Whole => break,
            PieceEnd::At(end) if size >= limit && number + 1 < pieces.len() => {
                return (Some(end.clone()), size);
            }
            PieceEnd::At(_) => {}
        }
    }
    (None, pieces.iter().map(|piece| piece.size).sum())
}
