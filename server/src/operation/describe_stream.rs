//! `DescribeStream`.

use super::{
    RequestContext,
    definition::{seconds, stream_arn},
    stream::{find, namespace, settled},
};
use crate::{
    stator::Stator,
    streams::{Definition, Shard},
    wire::{
        Error,
        shapes::{
            self, DescribeStreamInput, DescribeStreamOutput, KeySchemaElement, SequenceNumberRange,
            ShardFilter, StreamDescription,
        },
    },
};

/// Shards on a page, if the request does not want fewer.
const PAGE: usize = 100;

/// Lists the shards in the order in which they were made, which is that of their ids: parents come
/// before their children. One that is trimmed is not there any more; its children still name it.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: DescribeStreamInput,
) -> Result<DescribeStreamOutput, Error> {
    let parent = input.shard_filter.as_ref().map(parent).transpose()?;
    let arn = input.stream_arn.unwrap_or_default();
    let stream = find(stator, context, &arn).await?;
    let (definition, changed) = stream.definition();
    settled(stator, changed).await?;

    let limit = input
        .limit
        .map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(PAGE));
    let after = input.exclusive_start_shard_id.as_deref();
    let mut shards = definition
        .shards
        .iter()
        .filter(|shard| !shard.is_trimmed(context.now_ms))
        .filter(|shard| parent.is_none() || shard.parent.as_deref() == parent)
        .filter(|shard| after.is_none_or(|after| *shard.id() > *after));
    let page: Vec<shapes::Shard> = shards.by_ref().take(limit).map(described).collect();
    let more = shards.next().is_some();
    let last = page.last().filter(|_| more);
    let last = last.and_then(|shard| shard.shard_id.clone());
    let name = stream.name();
    Ok(DescribeStreamOutput {
        stream_description: Some(StreamDescription {
            stream_arn: Some(stream_arn(&namespace(name), &name.table, &name.label)),
            stream_label: Some(name.label.to_string()),
            stream_status: Some(status(&definition, stator, context.now_ms).to_owned()),
            stream_view_type: Some(stream.view().name().to_owned()),
            creation_request_date_time: Some(seconds(definition.created_ms)),
            table_name: Some(name.table.to_string()),
            key_schema: Some(key_schema(&definition)),
            shards: Some(page),
            last_evaluated_shard_id: last,
        }),
    })
}

/// The shard whose children are asked for. The model demands neither member of a filter.
fn parent(filter: &ShardFilter) -> Result<&str, Error> {
    let missing = |member| Error::validation(format!("ShardFilter: {member} is required"));
    if filter.type_.is_none() {
        return Err(missing("Type"));
    }
    filter.shard_id.as_deref().ok_or_else(|| missing("ShardId"))
}

/// What takes time in DynamoDB does so here for as long as states of tables are shown.
fn status(definition: &Definition, stator: &Stator, now_ms: u64) -> &'static str {
    let is_over = |ms: u64| now_ms >= ms.saturating_add(stator.table_state_delay_ms());
    match definition.disabled_ms {
        Some(disabled_ms) if is_over(disabled_ms) => "DISABLED",
        Some(_) => "DISABLING",
        None if is_over(definition.created_ms) => "ENABLED",
        None => "ENABLING",
    }
}

fn key_schema(definition: &Definition) -> Vec<KeySchemaElement> {
    let element = |name: &String, key_type: &str| KeySchemaElement {
        attribute_name: Some(name.clone()),
        key_type: Some(key_type.to_owned()),
    };
    let partition = element(&definition.partition_key, "HASH");
    let sort = definition
        .sort_key
        .iter()
        .map(|name| element(name, "RANGE"));
    std::iter::once(partition).chain(sort).collect()
}

fn described(shard: &Shard) -> shapes::Shard {
    shapes::Shard {
        shard_id: Some(shard.id()),
        sequence_number_range: Some(SequenceNumberRange {
            starting_sequence_number: Some(shard.start().to_string()),
            ending_sequence_number: shard.end().map(|end| end.to_string()),
        }),
        parent_shard_id: shard.parent.clone(),
    }
}
