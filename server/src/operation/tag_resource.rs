//! `TagResource`.

use super::{
    Nothing, RequestContext,
    definition::{Refusal, check_usable, tags},
    resource::{not_found, tagged_table},
};
use crate::{
    stator::Stator,
    store::Fault,
    table::{Change, record},
    wire::{
        Error,
        shapes::{Tag, TagResourceInput},
    },
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: TagResourceInput,
) -> Result<Nothing, Error> {
    let given = input.tags.as_deref().unwrap_or_default();
    if given.is_empty() {
        return Err(Refusal::NoTags.into());
    }
    tags::check_tags(given)?;
    let (owner, own_context) = (stator.clone(), context.clone());
    let work = move || tag(&owner, &own_context, &input);
    stator.store().run_blocking(work).await?;
    Ok(Nothing)
}

fn tag(stator: &Stator, context: &RequestContext, input: &TagResourceInput) -> Result<(), Fault> {
    let arn = input.resource_arn.as_deref().unwrap_or_default();
    let (namespace, name) = tagged_table(stator, context, arn)?;
    stator
        .catalog()
        .change(&namespace, name, context.now_ms, |table| {
            let table = table.ok_or_else(|| not_found(context, "TagResource", arn))?;
            check_usable(table, context.now_ms)?;
            let mut record = Box::new(table.record().clone());
            lay_over(&mut record.tags, input.tags.as_deref().unwrap_or_default());
            tags::check_tag_count(record.tags.len())?;
            if record.tags == table.record().tags {
                return Ok((Change::Nothing, ()));
            }
            Ok((
                Change::Put {
                    record,
                    dropped: Vec::new(),
                },
                (),
            ))
        })?;
    Ok(())
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
