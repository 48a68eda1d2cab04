//! `GetShardIterator`.

use super::{
    RequestContext,
    stream::{find, no_shard, settled},
};
use crate::{
    stator::Stator,
    store::{Fault, ReadMode, Store},
    streams::{Position, Shard, ShardIterator, Stream},
    wire::{
        Error,
        shapes::{GetShardIteratorInput, GetShardIteratorOutput},
    },
};

/// Where an iterator begins.
#[derive(Clone, Copy)]
enum Start {
    TrimHorizon,
    Latest,
    At(Position),
    Time(u64),
}

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: GetShardIteratorInput,
) -> Result<GetShardIteratorOutput, Error> {
    let start = start(&input)?;
    let arn = input.stream_arn.unwrap_or_default();
    let stream = find(stator, context, &arn).await?;
    settled(stator, stream.definition().1).await?;
    let id = input.shard_id.unwrap_or_default();
    let shard = stream.shard(&id, context.now_ms).ok_or_else(no_shard)?;
    let now_ms = context.now_ms;
    let work = move |_: &Store, mode| position(&stream, &shard, start, now_ms, mode);
    let iterator = ShardIterator {
        arn,
        shard: id,
        position: stator.store().run(work).await?,
        issued_ms: now_ms,
    };
    Ok(GetShardIteratorOutput {
        shard_iterator: Some(iterator.encode()),
    })
}

/// What the request's type needs is there. The words are ours: no answer of AWS is known.
fn start(input: &GetShardIteratorInput) -> Result<Start, Error> {
    let kind = input.shard_iterator_type.as_deref().unwrap_or_default();
    let missing = |member| {
        Error::validation(format!(
            "One or more parameter values were invalid: {member} is required for ShardIteratorType \
             {kind}"
        ))
    };
    let sequence_number = || {
        let text = input.sequence_number.as_deref();
        let text = text.ok_or_else(|| missing("SequenceNumber"))?;
        Position::parse(text)
            .ok_or_else(|| Error::validation(format!("Invalid SequenceNumber: {text}")))
    };
    Ok(match kind {
        "LATEST" => Start::Latest,
        "AT_SEQUENCE_NUMBER" => Start::At(sequence_number()?),
        "AFTER_SEQUENCE_NUMBER" => Start::At(sequence_number()?.next()),
        "AT_TIMESTAMP" => {
            let seconds = input.timestamp.ok_or_else(|| missing("Timestamp"))?;
            // A number that is no time saturates.
            Start::Time((seconds * 1000.0) as u64)
        }
        // The model knows no others.
        _ => Start::TrimHorizon,
    })
}

/// A place before the shard, or one of which the records are trimmed, is refused as such; one behind
/// its end stands at the end.
fn position(
    stream: &Stream,
    shard: &Shard,
    start: Start,
    now_ms: u64,
    mode: ReadMode,
) -> Result<Position, Fault> {
    match start {
        Start::TrimHorizon => stream.trim_horizon(shard, now_ms, mode),
        Start::Latest => Ok(stream.latest(shard)),
        Start::Time(time_ms) => {
            let horizon = stream.trim_horizon(shard, now_ms, mode)?;
            Ok(stream.position_at(shard, time_ms, mode)?.max(horizon))
        }
        Start::At(position) => {
            stream.check_untrimmed(shard, position, now_ms, mode)?;
            Ok(position)
        }
    }
}
