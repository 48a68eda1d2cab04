//! `ListStreams`.

use super::{
    RequestContext,
    definition::stream_arn,
    stream::{namespace, parse_arn},
};
use crate::{
    stator::{Stator, table_not_found},
    streams::Stream,
    wire::{
        Error,
        shapes::{self, ListStreamsInput, ListStreamsOutput},
    },
};

/// Streams on a page, if the request does not want fewer.
const PAGE: usize = 100;

/// Lists streams by table and label. Those that were disabled, or whose table was deleted, are listed
/// for as long as they can be read.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: ListStreamsInput,
) -> Result<ListStreamsOutput, Error> {
    let limit = input
        .limit
        .map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(PAGE));
    let start = input.exclusive_start_stream_arn.as_deref();
    let after = start.map(parse_arn).transpose()?;
    let table = input.table_name.as_deref();
    let own = &context.namespace;
    let (streams, more) = stator.streams().list(
        (&own.account, &own.region),
        table,
        after.as_ref().map(|(arn, label)| (arn.table, *label)),
        limit,
        context.now_ms,
    );
    if let Some(name) = table
        && streams.is_empty()
        && stator.catalog().find(own, name, context.now_ms).is_none()
    {
        return Err(table_not_found(name));
    }
    let streams: Vec<shapes::Stream> = streams.iter().map(|stream| listed(stream)).collect();
    let last = streams.last().filter(|_| more);
    Ok(ListStreamsOutput {
        last_evaluated_stream_arn: last.and_then(|stream| stream.stream_arn.clone()),
        streams: Some(streams),
    })
}

fn listed(stream: &Stream) -> shapes::Stream {
    let name = stream.name();
    shapes::Stream {
        stream_arn: Some(stream_arn(&namespace(name), &name.table, &name.label)),
        table_name: Some(name.table.to_string()),
        stream_label: Some(name.label.to_string()),
    }
}
