//! `DeleteResourcePolicy`.

use super::{
    RequestContext,
    policy::{Edit, Slot},
};
use crate::{
    stator::Stator,
    store::Fault,
    wire::{
        Error,
        shapes::{DeleteResourcePolicyInput, DeleteResourcePolicyOutput},
    },
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: DeleteResourcePolicyInput,
) -> Result<DeleteResourcePolicyOutput, Error> {
    let (owner, own_context) = (stator.clone(), context.clone());
    let work = move || delete(&owner, &own_context, &input);
    let revision = stator.store().run_blocking(work).await?;
    Ok(DeleteResourcePolicyOutput {
        revision_id: revision.map(|revision| revision.to_string()),
    })
}

/// Takes the policy away, and gives the revision that it had. Where there is none any more, that is
/// the revision of its deletion; where there never was one, there is none (DDB-TABLE-205).
fn delete(
    stator: &Stator,
    context: &RequestContext,
    input: &DeleteResourcePolicyInput,
) -> Result<Option<u64>, Fault> {
    let arn = input.resource_arn.as_deref().unwrap_or_default();
    let slot = Slot::of(stator, context, arn)?;
    let edit = Edit {
        document: None,
        expected: input.expected_revision_id.as_deref(),
        confirmed: false,
    };
    Ok(slot.change(stator, &edit, context.now_ms)?.before)
}
