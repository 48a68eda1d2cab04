//! `DeleteResourcePolicy`.

use super::{RequestContext, policy::Slot};
use crate::{
    stator::Stator,
    store::Fault,
    table::Change,
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
    let now_ms = context.now_ms;
    let slot = Slot::of(
        stator,
        context,
        input.resource_arn.as_deref().unwrap_or_default(),
    )?;
    let changed = stator
        .catalog()
        .change(&slot.namespace, slot.table, now_ms, |table| {
            let table = slot.check(stator, table, now_ms)?;
            let current = slot.policy(table);
            slot.check_revision(current, input.expected_revision_id.as_deref())?;
            let revision = current.map(|policy| policy.changed_ms);
            if current.is_none_or(|policy| policy.document.is_none()) {
                return Ok((Change::Nothing, revision));
            }
            slot.check_changeable(stator, table, current, now_ms)?;
            let mut record = Box::new(table.record().clone());
            slot.fill(&mut record.policies, None, now_ms);
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
