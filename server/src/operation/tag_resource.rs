//! `TagResource`.

use super::{
    Nothing, RequestContext,
    definition::{Refusal, tags},
    resource::change_tags,
};
use crate::{
    stator::Stator,
    table::record,
    wire::{
        Error, Operation,
        shapes::{Tag, TagResourceInput},
    },
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: TagResourceInput,
) -> Result<Nothing, Error> {
    let given = input.tags.unwrap_or_default();
    if given.is_empty() {
        return Err(Refusal::NoTags.into());
    }
    tags::check_tags(&given)?;
    let change = move |tags: &mut Vec<record::Tag>| {
        lay_over(tags, &given);
        tags::check_tag_set(tags)
    };
    let operation = Operation::TagResource;
    change_tags(stator, context, operation, input.resource_arn, change).await
}

/// Gives keys that are there their new value, and adds the others.
fn lay_over(tags: &mut Vec<record::Tag>, given: &[Tag]) {
    for given in given.iter().map(tags::record) {
        match tags.iter_mut().find(|tag| tag.key == given.key) {
            Some(tag) => tag.value = given.value,
            None => tags.push(given),
        }
    }
}
