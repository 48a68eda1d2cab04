//! `ListTagsOfResource`.

use super::{
    RequestContext,
    resource::{Resource, taggable, tagged_table},
    stream,
};
use crate::{
    stator::Stator,
    table::record,
    wire::{
        Error,
        shapes::{ListTagsOfResourceInput, ListTagsOfResourceOutput, Tag},
    },
};

/// Lists all tags: there are at most fifty, so that there is no second page. A `NextToken` is not
/// looked at, as AWS does not look at one that it did not give (DDB-TABLE-073).
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: ListTagsOfResourceInput,
) -> Result<ListTagsOfResourceOutput, Error> {
    let arn = input.resource_arn.as_deref().unwrap_or_default();
    // A stream has tags of its own on AWS, and here none (DDB-TABLE-373).
    if let Resource::Stream(..) = Resource::parse(arn)?
        && stream::find(stator, context, arn).await.is_ok()
    {
        return Ok(ListTagsOfResourceOutput {
            tags: Some(Vec::new()),
            next_token: None,
        });
    }
    let (namespace, name) = tagged_table(stator, context, "ListTagsOfResource", arn)?;
    let table = stator.catalog().find(&namespace, name, context.now_ms);
    let table = taggable(context, "ListTagsOfResource", arn, table.as_ref())?;
    let tag = |tag: &record::Tag| Tag {
        key: Some(tag.key.clone()),
        value: Some(tag.value.clone()),
    };
    Ok(ListTagsOfResourceOutput {
        tags: Some(table.record().tags.iter().map(tag).collect()),
        next_token: None,
    })
}
