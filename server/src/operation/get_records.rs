//! `GetRecords`.

use xxhash_rust::xxh3::xxh3_128;

use super::{
    RequestContext,
    stream::{find, settled},
};
use crate::{
    item::Item,
    stator::Stator,
    stopwatch::{Stage, during},
    store::Store,
    streams::{Entry, ITERATOR_LIFE_MS, ShardIterator, Stream},
    wire::{
        Error,
        shapes::{GetRecordsInput, GetRecordsOutput, Identity, Record, StreamRecord},
    },
};

/// Records on a page, if the request does not want fewer.
const PAGE: usize = 1_000;
/// Bytes on a page (developer guide, "Quotas in Amazon DynamoDB", DynamoDB Streams).
const PAGE_BYTES: usize = 1 << 20;

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: GetRecordsInput,
) -> Result<GetRecordsOutput, Error> {
    let limit = input
        .limit
        .map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(PAGE));
    let text = input.shard_iterator.unwrap_or_default();
    // The words of these two are ours: no answer of AWS is known.
    let iterator = ShardIterator::decode(&text)
        .ok_or_else(|| Error::validation("Invalid ShardIterator".to_owned()))?;
    let now_ms = context.now_ms;
    if iterator.is_expired(now_ms) {
        let message = format!(
            "The shard iterator has expired and can no longer be used to retrieve stream records. A \
             shard iterator expires {} minutes after it is retrieved.",
            ITERATOR_LIFE_MS / 60_000
        );
        return Err(Error::ExpiredIterator(message.into()));
    }
    let stream = find(stator, context, &iterator.arn).await?;
    settled(stator, stream.definition().1).await?;
    let (reader, shard, from) = (stream.clone(), iterator.shard.clone(), iterator.position);
    let work = move |_: &Store, mode| {
        let mut bytes = 0;
        let fits = |entry: &Entry| {
            bytes += entry.size(keys(&reader, entry).size());
            bytes <= PAGE_BYTES
        };
        during(Stage::EngineRead, || {
            reader.read(&shard, from, limit, fits, now_ms, mode)
        })
    };
    let page = stator.store().run(work).await?;
    let records = page.records.iter().map(|entry| record(&stream, entry));
    Ok(GetRecordsOutput {
        records: Some(records.collect()),
        next_shard_iterator: page.next.map(|position| {
            let next = ShardIterator {
                position,
                issued_ms: now_ms,
                ..iterator
            };
            next.encode()
        }),
    })
}

/// The attributes of the primary key of a record's item.
fn keys(stream: &Stream, entry: &Entry) -> Item {
    let change = &entry.change;
    match (&change.keys, change.new.as_ref().or(change.old.as_ref())) {
        (Some(keys), _) => keys.clone(),
        (None, Some(image)) => image.as_ref().only(stream.key_names()),
        (None, None) => Item::empty(),
    }
}

/// A record as DynamoDB shows it (developer guide, "DynamoDB Streams low-level API" and "DynamoDB
/// Streams and Time to Live"; times are in whole seconds).
fn record(stream: &Stream, entry: &Entry) -> Record {
    let change = &entry.change;
    let keys = keys(stream, entry);
    let size = entry.size(keys.size());
    Record {
        event_id: Some(event_id(stream, entry)),
        event_name: Some(change.event.name().to_owned()),
        event_version: Some("1.1".to_owned()),
        event_source: Some("aws:dynamodb".to_owned()),
        aws_region: Some(stream.name().region.to_string()),
        dynamodb: Some(StreamRecord {
            approximate_creation_date_time: Some((change.time_ms / 1000) as f64),
            keys: Some(keys),
            new_image: change.new.clone(),
            old_image: change.old.clone(),
            sequence_number: Some(entry.position.to_string()),
            size_bytes: i64::try_from(size).ok(),
            stream_view_type: Some(stream.view().name().to_owned()),
        }),
        user_identity: change.by_service.then(|| Identity {
            principal_id: Some("dynamodb.amazonaws.com".to_owned()),
            type_: Some("Service".to_owned()),
        }),
    }
}

/// The same record has the same id whenever it is read, and no other record has it.
fn event_id(stream: &Stream, entry: &Entry) -> String {
    let name = stream.name();
    let place = entry.position.to_string();
    let parts = [
        &*name.account,
        &*name.region,
        &*name.table,
        &*name.label,
        &*place,
    ];
    format!("{:032x}", xxh3_128(parts.join("\0").as_bytes()))
}
