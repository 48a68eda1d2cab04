//! `PutResourcePolicy`.

use super::{RequestContext, policy::Slot};
use crate::{
    stator::Stator,
    store::Fault,
    table::Change,
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
        revision_id: Some(revision.to_string()),
    })
}

/// Attaches the policy, and gives its revision. The document is looked at before the table: one that
/// is no policy of a stream is refused also for a stream that does not exist (DDB-TABLE-212).
fn put(
    stator: &Stator,
    context: &RequestContext,
    input: &PutResourcePolicyInput,
) -> Result<u64, Fault> {
    let now_ms = context.now_ms;
    let slot = Slot::of(
        stator,
        context,
        input.resource_arn.as_deref().unwrap_or_default(),
    )?;
    let document = slot.document(input.policy.as_deref().unwrap_or_default())?;
    let confirmed = input.confirm_remove_self_resource_access == Some(true);
    let changed = stator
        .catalog()
        .change(&slot.namespace, slot.table, now_ms, |table| {
            let table = slot.check(stator, table, now_ms)?;
            if !confirmed && document.locks_out {
                return Err(Error::AccessDenied(
                    "The new resource policy will not allow you to update the resource policy in \
                     the future."
                        .into(),
                )
                .into());
            }
            let current = slot.policy(table);
            slot.check_revision(current, input.expected_revision_id.as_deref())?;
            if let Some(current) = current
                && current.document.as_ref() == Some(&document.canonical)
            {
                return Ok((Change::Nothing, current.changed_ms));
            }
            slot.check_changeable(stator, table, current, now_ms)?;
            let mut record = Box::new(table.record().clone());
            let revision = slot.fill(&mut record.policies, Some(document.canonical), now_ms);
            Ok((
                Change::Put {
                    record,
                    dropped: Vec::new(),
                },
                revision,
            ))
        })?;
    Ok(changed.outcome)
}
