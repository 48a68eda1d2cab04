//! `DeleteTable`.

use std::sync::Arc;

use super::{
    RequestContext,
    definition::{Refusal, check_usable, describe, quota},
    policy::is_pending,
};
use crate::{
    stator::{Stator, table_not_found},
    store::Fault,
    table::{
        Change, Table, TableStatus,
        status::{self, State},
    },
    wire::{
        Error,
        shapes::{DeleteTableInput, DeleteTableOutput, TableDescription},
    },
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: DeleteTableInput,
) -> Result<DeleteTableOutput, Error> {
    let name = input.table_name.unwrap_or_default();
    let (owner, own_context) = (stator.clone(), context.clone());
    let work = move || delete(&owner, &own_context, &name);
    let table = stator.store().run_blocking(work).await?;
    let description = as_deleted(describe(&table, context.now_ms));
    Ok(DeleteTableOutput {
        table_description: Some(description),
    })
}

/// Takes the table out of the catalog, or marks it as DELETING if that is to be seen for a while. Its
/// items and index entries are dropped at once either way. Gives the table as it was.
fn delete(stator: &Stator, context: &RequestContext, name: &str) -> Result<Arc<Table>, Fault> {
    let (namespace, name) = stator.resolve(context, name);
    let now_ms = context.now_ms;
    let delay_ms = stator.table_state_delay_ms();
    let (catalog, admits) = (stator.catalog(), quota::admits(stator, &namespace));
    let changed = catalog.change_within(&namespace, name, now_ms, admits, |table| {
        let table = table.ok_or_else(|| table_not_found(name))?;
        check(table, now_ms)?;
        check_policies(table, delay_ms, now_ms)?;
        quota::check_change(stator, &namespace, now_ms)?;
        if delay_ms == 0 {
            return Ok((Change::Remove, ()));
        }
        let mut record = Box::new(table.record().clone());
        record.state = State {
            change: status::Change::Delete,
            until_ms: now_ms.saturating_add(delay_ms),
        };
        let dropped = table.keyspaces().collect();
        Ok((Change::Put { record, dropped }, ()))
    })?;
    changed.before.ok_or_else(|| table_not_found(name).into())
}

/// Whether the table can be deleted: its state comes before its protection.
fn check(table: &Table, now_ms: u64) -> Result<(), Fault> {
    check_usable(table, now_ms)?;
    let in_use = |message: String| Error::ResourceInUse(message.into());
    if table.own_status(now_ms) == TableStatus::Updating {
        // DDB-TABLE-002, -063, -284.
        let reason = match table.record().state.change {
            status::Change::Stream => {
                "Cannot delete table while stream is being enabled/disabled.".to_owned()
            }
            _ => format!(
                "Table: {} is in the process of being updated.",
                table.name()
            ),
        };
        let message = format!("Attempt to change a resource which is still in use: {reason}");
        return Err(in_use(message).into());
    }
    if table
        .indexes()
        .iter()
        .chain(table.leaving_indexes(now_ms))
        .any(|index| index.status(now_ms) != TableStatus::Active)
    {
        // DDB-TABLE-150.
        let message = "Attempt to change a resource which is still in use: Cannot delete table \
                       while indexes are being created, updated, or deleted.";
        return Err(in_use(message.to_owned()).into());
    }
    if table.record().deletion_protection {
        return Err(Refusal::Protected.into());
    }
    Ok(())
}

/// That no change of a policy is still being applied (DDB-TABLE-348).
fn check_policies(table: &Table, delay_ms: u64, now_ms: u64) -> Result<(), Error> {
    let policies = &table.record().policies;
    if !policies
        .iter()
        .any(|policy| is_pending(policy, delay_ms, now_ms))
    {
        return Ok(());
    }
    let message = format!(
        "Attempt to change a resource which is still in use: Table: {} has a pending resource-based \
         policy update.",
        table.name()
    );
    Err(Error::ResourceInUse(message.into()))
}

/// What DeleteTable shows of a table (API reference, `DeleteTable`, the sample response, and the
/// members that came since).
fn as_deleted(description: TableDescription) -> TableDescription {
    TableDescription {
        table_name: description.table_name,
        table_status: Some(TableStatus::Deleting.name().to_owned()),
        provisioned_throughput: description.provisioned_throughput,
        table_size_bytes: description.table_size_bytes,
        item_count: description.item_count,
        table_arn: description.table_arn,
        table_id: description.table_id,
        billing_mode_summary: description.billing_mode_summary,
        table_class_summary: description.table_class_summary,
        deletion_protection_enabled: description.deletion_protection_enabled,
        ..TableDescription::default()
    }
}
