//! What forks are read over.

use bytes::Bytes;

use super::version::Version;
use crate::ReadMode;
use crate::error::Result;
use crate::iter::{InternalIterator, Layer, LayerIter, MergingIter};
use crate::key::{KeyRange, KeyspaceId, keyspace_of};
use crate::sstable::CacheUse;

/// Sorted sources, newest first.
type Sources = Vec<Box<dyn InternalIterator>>;

/// How the sources of a layer are read.
pub(crate) struct LayerReads<'a> {
    pub(crate) mode: ReadMode,
    pub(crate) cache_use: CacheUse,
    /// Adds what is in no SSTable.
    pub(crate) memtables: &'a dyn Fn(&mut Sources),
}

/// What one SSTable has of a keyspace.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Piece {
    /// Where the next one begins: its last user key, without keyspace id, and so behind all keys of the
    /// keyspace if it has others too.
    pub(crate) end: PieceEnd,
    /// About so many bytes of its file.
    pub(crate) size: u64,
}

/// The end of a [`Piece`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum PieceEnd {
    /// At this key, without keyspace id.
    At(Bytes),
    /// At the end of the keyspace.
    Whole,
}

impl Version {
    /// What a reader as of a sequence number looks up, and as of when, where a keyspace does not have a
    /// key itself; `None` if it is no fork, or the key is copied.
    pub(crate) fn below(&self, user_key: &[u8], sequence: u64) -> Option<(Vec<u8>, u64)> {
        let overlay = self.histories().overlay(keyspace_of(user_key)?)?;
        if sequence < overlay.created || !overlay.needs_source(user_key) {
            return None;
        }
        let mut below = overlay.source.0.to_be_bytes().to_vec();
        below.extend_from_slice(user_key.get(size_of::<KeyspaceId>()..)?);
        Some((below, overlay.at))
    }

    /// What lies below a range of a keyspace, for a reader as of a sequence number; `None` if that
    /// is nothing.
    pub(crate) fn layer_below(
        &self,
        range: &KeyRange,
        sequence: u64,
        reads: &LayerReads<'_>,
    ) -> Result<Option<LayerIter>> {
        let Some(keyspace) = keyspace_of(range.start()) else {
            return Ok(None);
        };
        self.layer(keyspace, range, sequence, None, reads)
    }

    /// What of a fork is not copied yet, up to a key without keyspace id, if one is given. All of it is
    /// in SSTables.
    pub(crate) fn layer_to_copy(
        &self,
        keyspace: KeyspaceId,
        last: Option<Bytes>,
    ) -> Result<Option<LayerIter>> {
        let reads = LayerReads {
            mode: ReadMode::Blocking,
            // Read once, and not by anyone who waits.
            cache_use: CacheUse::PassBy,
            memtables: &|_| {},
        };
        let range = KeyRange::keyspace(keyspace);
        self.layer(keyspace, &range, u64::MAX, last, &reads)
    }

    fn layer(
        &self,
        keyspace: KeyspaceId,
        range: &KeyRange,
        sequence: u64,
        last: Option<Bytes>,
        reads: &LayerReads<'_>,
    ) -> Result<Option<LayerIter>> {
        let overlay = self.histories().overlay(keyspace);
        let Some(overlay) = overlay.filter(|overlay| overlay.created <= sequence) else {
            return Ok(None);
        };
        let layer = Layer {
            source: overlay.source,
            at: overlay.at,
            keyspace,
            created: overlay.created,
            behind: overlay.copied.clone(),
            last,
        };
        let range = range.in_keyspace(overlay.source);
        let mut sources = Sources::new();
        (reads.memtables)(&mut sources);
        for run in self.runs() {
            sources.extend(run.iter(&range, reads.mode, reads.cache_use)?);
        }
        // The source may be a fork too.
        if let Some(below) = self.layer(overlay.source, &range, overlay.at, None, reads)? {
            sources.push(Box::new(below));
        }
        let input = Box::new(MergingIter::new(sources));
        Ok(Some(LayerIter::new(input, layer)))
    }

    /// What the SSTables have of what a fork is read over and that is not copied yet, in the order of
    /// its ends.
    pub(crate) fn uncopied(&self, fork: KeyspaceId) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let (mut above, mut sequence) = (fork, u64::MAX);
        let mut behind = Bytes::new();
        while let Some(overlay) = self
            .histories()
            .overlay(above)
            .filter(|overlay| overlay.created <= sequence)
        {
            behind = behind.max(overlay.copied.clone());
            let tables = self.tables().map(|(_, table)| table);
            let tables = tables.filter(|table| table.meta().properties.min_sequence <= overlay.at);
            pieces.extend(tables.filter_map(|table| table.piece(overlay.source, &behind)));
            (above, sequence) = (overlay.source, overlay.at);
        }
        pieces.sort_unstable();
        pieces
    }
}
