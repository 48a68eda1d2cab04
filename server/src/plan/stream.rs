//! What writes leave in streams: a record for each change, in the batch that makes the change.

use std::sync::Arc;

use crate::{
    item::Item,
    mutants::{Mutant, is_on},
    plan::write::Actor,
    store::{Batch, EngineError, Fault, Key, ReadMode, Store, Transaction},
    streams::{ChangeRecord, Event, Stream, Writer},
    wire::Error,
};

/// The streams that a plan writes to, with their shards held still. To be dropped once the commit has
/// its sequence number, and not before.
pub(super) struct Recorder<'a> {
    writers: Vec<(&'a Stream, Writer<'a>)>,
    store: &'a Store,
    by_service: bool,
    now_ms: u64,
    /// How many records there are already.
    ordinal: u16,
}

impl<'a> Recorder<'a> {
    /// Readies `streams`, each of which may come more than once. Shards that are due are replaced
    /// first, for which it may have to wait.
    pub(super) fn new(
        store: &'a Store,
        streams: impl Iterator<Item = &'a Arc<Stream>>,
        actor: Actor,
        mode: ReadMode,
    ) -> Result<Self, Fault> {
        let mut all: Vec<&'a Stream> = streams.map(AsRef::as_ref).collect();
        // In an order that all plans agree on: see `Stream::writer`.
        all.sort_unstable_by_key(|stream| std::ptr::from_ref(*stream));
        all.dedup_by(|one, other| std::ptr::eq(*one, *other));
        let now_ms = if all.is_empty() { 0 } else { store.now_ms() };
        for stream in &all {
            if stream.is_due(now_ms) {
                if mode == ReadMode::CachedOnly {
                    return Err(EngineError::WouldBlock.into());
                }
                stream.roll(now_ms)?;
            }
        }
        let writers = all.into_iter().map(|stream| (stream, stream.writer()));
        Ok(Self {
            writers: writers.collect(),
            store,
            by_service: actor == Actor::TimeToLive && !is_on(Mutant::ExpiryActor),
            now_ms,
            ordinal: 0,
        })
    }

    /// Puts the record of a change into the batch: the item at `key`, of a table with `stream`, was
    /// `old` and is `new`.
    pub(super) fn record(
        &mut self,
        transaction: &mut Transaction,
        stream: &Stream,
        key: &Key,
        old: Option<&Item>,
        new: Option<&Item>,
    ) -> Result<(), Fault> {
        let mut writers = self.writers.iter();
        let writer = writers.find(|(known, _)| std::ptr::eq(*known, stream));
        let hash = key.as_key_ref().hash();
        // No place: the stream was disabled meanwhile.
        let Some(place) = writer.and_then(|(_, writer)| writer.place(hash)) else {
            return Ok(());
        };
        let Some(change) = self.change(stream, old, new) else {
            return Ok(());
        };
        let suffix = self.ordinal.to_be_bytes();
        if is_on(Mutant::StreamBatch) {
            let mut batch = Batch::new();
            batch.put_stamped(place.keyspace, &place.partition, &suffix, change.encode());
            drop(self.store.write(batch)?);
        } else {
            transaction.put_stamped(place.keyspace, &place.partition, &suffix, change.encode());
        }
        self.ordinal = self.ordinal.checked_add(1).ok_or_else(|| {
            let message = "A commit changes more items of streams than can be told apart";
            Error::InternalServer(message.into())
        })?;
        Ok(())
    }

    fn change(
        &self,
        stream: &Stream,
        old: Option<&Item>,
        new: Option<&Item>,
    ) -> Option<ChangeRecord> {
        let (event, any) = match (old, new) {
            (None, None) => return None,
            (None, Some(new)) => (Event::Insert, new),
            (Some(_), Some(new)) => (Event::Modify, new),
            (Some(old), None) => (Event::Remove, old),
        };
        let view = stream.view();
        let new = new.filter(|_| view.has_new()).cloned();
        let old = old.filter(|_| view.has_old()).cloned();
        let no_image = new.is_none() && old.is_none();
        Some(ChangeRecord {
            event,
            by_service: self.by_service,
            time_ms: self.now_ms,
            keys: no_image.then(|| any.as_ref().only(stream.key_names())),
            new,
            old,
        })
    }
}
