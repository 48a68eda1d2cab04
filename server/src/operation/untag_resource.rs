//! `UntagResource`.

use super::{
    Nothing, RequestContext,
    definition::{Refusal, tags},
    resource::change_tags,
};
use crate::{
    stator::Stator,
    table::record::Tag,
    wire::{Error, Operation, shapes::UntagResourceInput},
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: UntagResourceInput,
) -> Result<Nothing, Error> {
    let keys = input.tag_keys.unwrap_or_default();
    if keys.is_empty() {
        return Err(Refusal::NoTagKeys.into());
    }
    tags::check_tag_keys(&keys)?;
    // Keys that are not there do not matter (DDB-TABLE-441).
    let change = move |tags: &mut Vec<Tag>| {
        tags.retain(|tag| !keys.contains(&tag.key));
        Ok(())
    };
    let operation = Operation::UntagResource;
    change_tags(stator, context, operation, input.resource_arn, change).await
}
