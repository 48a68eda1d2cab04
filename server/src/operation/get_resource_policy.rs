//! `GetResourcePolicy`.

use super::{
    RequestContext,
    policy::{Slot, shown},
};
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{GetResourcePolicyInput, GetResourcePolicyOutput},
    },
};

/// Shows the policy as it is. AWS may show for seconds what was there before; it says so and
/// promises nothing (API reference, `GetResourcePolicy`).
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: GetResourcePolicyInput,
) -> Result<GetResourcePolicyOutput, Error> {
    let arn = input.resource_arn.as_deref().unwrap_or_default();
    let slot = Slot::of(stator, context, arn)?;
    let table = stator
        .catalog()
        .find(&slot.namespace, slot.table, context.now_ms);
    let table = slot.check(stator, table.as_ref(), context.now_ms)?;
    let policy = slot.policy(table).ok_or_else(|| slot.not_found())?;
    let document = policy.document.as_ref().ok_or_else(|| slot.not_found())?;
    Ok(GetResourcePolicyOutput {
        policy: Some(shown(document)),
        revision_id: Some(policy.changed_ms.to_string()),
    })
}
