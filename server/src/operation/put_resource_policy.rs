//! `PutResourcePolicy`.

use super::{
    RequestContext,
    policy::{Edit, Slot},
};
use crate::{
    stator::Stator,
    store::Fault,
    wire::{
        Error,
        shapes::{PutResourcePolicyInput, PutResourcePolicyOutput},
    },
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: PutResourcePolicyInput,
) -> Result<PutResourcePolicyOutput, Error> {
    let (owner, own_context) = (stator.clone(), context.clone());
    let work = move || put(&owner, &own_context, &input);
    let revision = stator.store().run_blocking(work).await?;
    Ok(PutResourcePolicyOutput {
        revision_id: revision.map(|revision| revision.to_string()),
    })
}

/// Attaches the policy, and gives its revision. The document is looked at before the table: one that
/// is no policy of a stream is refused also for a stream that does not exist (DDB-TABLE-212).
fn put(
    stator: &Stator,
    context: &RequestContext,
    input: &PutResourcePolicyInput,
) -> Result<Option<u64>, Fault> {
    let arn = input.resource_arn.as_deref().unwrap_or_default();
    let slot = Slot::of(stator, context, arn)?;
    let document = slot.document(input.policy.as_deref().unwrap_or_default())?;
    let edit = Edit {
        document: Some(&document),
        expected: input.expected_revision_id.as_deref(),
        confirmed: input.confirm_remove_self_resource_access == Some(true),
    };
    Ok(slot.change(stator, &edit, context.now_ms)?.after)
}
