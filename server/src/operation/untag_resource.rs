//! `UntagResource`.

use super::{
    Nothing, RequestContext,
    definition::{Refusal, check_usable, tags},
    resource::{not_found, tagged_table},
};
use crate::{
    stator::Stator,
    store::Fault,
    table::Change,
    wire::{Error, shapes::UntagResourceInput},
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: UntagResourceInput,
) -> Result<Nothing, Error> {
    let keys = input.tag_keys.as_deref().unwrap_or_default();
    if keys.is_empty() {
        return Err(Refusal::NoTagKeys.into());
    }
    tags::check_tag_keys(keys)?;
    let (owner, own_context) = (stator.clone(), context.clone());
    let work = move || untag(&owner, &own_context, &input);
    stator.store().run_blocking(work).await?;
    Ok(Nothing)
}

/// Removes the tags. Keys that are not there do not matter (DDB-TABLE-441).
fn untag(
    stator: &Stator,
    context: &RequestContext,
    input: &UntagResourceInput,
) -> Result<(), Fault> {
    let arn = input.resource_arn.as_deref().unwrap_or_default();
    let (namespace, name) = tagged_table(stator, context, arn)?;
    stator
        .catalog()
        .change(&namespace, name, context.now_ms, |table| {
            let table = table.ok_or_else(|| not_found(context, "UntagResource", arn))?;
            check_usable(table, context.now_ms)?;
            let mut record = Box::new(table.record().clone());
            let keys = input.tag_keys.as_deref().unwrap_or_default();
            record.tags.retain(|tag| !keys.contains(&tag.key));
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
