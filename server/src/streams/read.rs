//! Reading a shard.

use std::ops::Bound;

use super::{ChangeRecord, Position, RETENTION_MS, Shard, Stream, stream::Place};
use crate::{
    mutants::{Mutant, is_on},
    store::{Direction, Fault, KeyRange, ReadMode, Snapshot, Step},
    wire::Error,
};

/// As users of AWS met it (ironSource/node-dynamodb-stream, issue 13).
const TRIMMED: &str = "The data you are trying to access has been trimmed";

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in its shard.
    pub position: Position,
    /// What is kept of the change.
    pub change: ChangeRecord,
}

/// Some records of a shard, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The records.
    pub records: Vec<Entry>,
    /// Where to go on; `None` at the end of a shard that is closed.
    pub next: Option<Position>,
}

impl Entry {
    /// What the record counts as, in DynamoDB's bytes: key and images, each by itself. (The samples
    /// in the developer guide, "DynamoDB Streams low-level API", have sizes that come from this.)
    pub fn size(&self, key_size: usize) -> usize {
        let images = [&self.change.new, &self.change.old];
        let images = images.into_iter().flatten().map(|image| image.size());
        key_size + images.sum::<usize>()
    }
}

/// A shard and its snapshot, from which it is read.
struct Reader<'a> {
    snapshot: &'a Snapshot,
    place: Place,
    mode: ReadMode,
}

/// What is older is trimmed at `now_ms`.
fn horizon_ms(now_ms: u64) -> u64 {
    let kept_ms = match is_on(Mutant::StreamKept) {
        true => RETENTION_MS / 24,
        false => RETENTION_MS,
    };
    now_ms.saturating_sub(kept_ms)
}

impl Stream {
    /// The shard `id`, if anything of it can be read at `now_ms`.
    pub fn shard(&self, id: &str, now_ms: u64) -> Option<Shard> {
        let state = self.state();
        let mut shards = state.definition.shards.iter();
        let shard = shards.find(|shard| shard.id() == id)?;
        (!shard.is_trimmed(now_ms)).then(|| shard.clone())
    }

    /// The records of the shard `id` from `from` on: at most `limit`, and as many as `fits` has room
    /// for, but at least one if there is one.
    ///
    /// # Errors
    /// `TrimmedDataAccessException` if `from` is at a record that counts as trimmed, or in a shard
    /// that does; failures of the store.
    pub fn read(
        &self,
        id: &str,
        from: Position,
        limit: usize,
        mut fits: impl FnMut(&Entry) -> bool,
        now_ms: u64,
        mode: ReadMode,
    ) -> Result<Page, Fault> {
        // The snapshot first: a shard that is found closed in it later was complete before.
        let snapshot = self.shared.store.snapshot();
        let (shard, changed) = {
            let shard = self.shard(id, now_ms).ok_or_else(trimmed)?;
            (shard, self.state().changed)
        };
        let reader = Reader::new(&snapshot, &shard, mode);
        let mut records: Vec<Entry> = Vec::new();
        let horizon_ms = horizon_ms(now_ms);
        let mut full = false;
        reader.each(from, |entry| {
            if records.is_empty() && entry.change.time_ms < horizon_ms {
                return Err(trimmed());
            }
            full = records.len() >= limit || (!fits(&entry) && !records.is_empty());
            if !full {
                records.push(entry);
            }
            Ok(!full)
        })?;
        let last = records.last().map(|entry| entry.position.next());
        if full {
            return Ok(Page {
                records,
                next: last,
            });
        }
        let is_complete = shard.closed.is_some() && changed <= snapshot.sequence();
        // Whatever comes is behind all that the snapshot sees.
        let behind = Position::behind_commit(snapshot.sequence());
        let next = (!is_complete).then(|| last.unwrap_or(from).max(behind).max(from));
        Ok(Page { records, next })
    }

    /// The first place in `shard` at or behind which every record is of `time_ms` or later. Times are
    /// in the order of places but for writers that race, which differ by less than they are shown by.
    pub fn position_at(
        &self,
        shard: &Shard,
        time_ms: u64,
        mode: ReadMode,
    ) -> Result<Position, Fault> {
        if shard.created_ms >= time_ms {
            return Ok(shard.start());
        }
        let snapshot = self.shared.store.snapshot();
        let reader = Reader::new(&snapshot, shard, mode);
        let last = shard
            .closed
            .map_or(snapshot.sequence(), |closed| closed.last_sequence);
        let (mut low, mut high) = (shard.start().sequence, last.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            let mut found = None;
            reader.each(
                Position {
                    sequence: middle,
                    ordinal: 0,
                },
                |entry| {
                    found = Some((entry.position.sequence, entry.change.time_ms));
                    Ok(false)
                },
            )?;
            match found {
                Some((sequence, found_ms)) if found_ms < time_ms => low = sequence + 1,
                _ => high = middle,
            }
        }
        Ok(Position {
            sequence: low,
            ordinal: 0,
        }
        .max(shard.start()))
    }

    /// The first place in `shard` that is not trimmed at `now_ms`.
    pub fn trim_horizon(
        &self,
        shard: &Shard,
        now_ms: u64,
        mode: ReadMode,
    ) -> Result<Position, Fault> {
        self.position_at(shard, horizon_ms(now_ms), mode)
    }

    /// That what stands at or behind a place is not trimmed at `now_ms`, and that the place is not
    /// before the shard.
    pub fn check_untrimmed(
        &self,
        shard: &Shard,
        position: Position,
        now_ms: u64,
        mode: ReadMode,
    ) -> Result<(), Fault> {
        if position < self.trim_horizon(shard, now_ms, mode)? {
            return Err(trimmed());
        }
        Ok(())
    }

    /// The place behind everything in `shard` that can be read now.
    pub fn latest(&self, shard: &Shard) -> Position {
        let durable = Position::behind_commit(self.shared.store.durable_sequence());
        durable.max(shard.start())
    }
}

impl<'a> Reader<'a> {
    fn new(snapshot: &'a Snapshot, shard: &Shard, mode: ReadMode) -> Self {
        Self {
            snapshot,
            place: shard.place(),
            mode,
        }
    }

    /// Goes through the records from a place on, until there are no more or `visit` has enough.
    fn each(
        &self,
        from: Position,
        mut visit: impl FnMut(Entry) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let lower = from.sort_bytes();
        let range = KeyRange::sort(
            self.place.keyspace,
            &self.place.partition,
            Bound::Included(&lower),
            Bound::Unbounded,
        );
        let mut rows = self.snapshot.range(range, Direction::Forward, self.mode);
        loop {
            let (position, value) = match rows.next()? {
                Step::Entry { key, value } => (Position::from_sort(key.sort()), value),
                Step::Paused(..) => continue,
                Step::End => return Ok(()),
            };
            let change = ChangeRecord::decode(value);
            let (Some(position), Ok(change)) = (position, change) else {
                tracing::error!("a stream record cannot be read");
                let message = "A stream record cannot be read";
                return Err(Error::InternalServer(message.into()).into());
            };
            if !visit(Entry { position, change })? {
                return Ok(());
            }
        }
    }
}

fn trimmed() -> Fault {
    Error::TrimmedDataAccess(TRIMMED.into()).into()
}
