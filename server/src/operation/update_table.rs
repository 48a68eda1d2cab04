//! `UpdateTable`: throughput, billing, deletion protection, class and encryption.
//!
//! One request makes one change, with few exceptions (DDB-TABLE-433). What the request alone says is
//! checked first ([`request`]), then whether the table exists and can be changed, then what the
//! change means for the table as it is ([`change`]). Creating and deleting global secondary indexes
//! is the one thing of this operation that takes time. It is not built yet, and refused by its name
//! (`model/members.json`).

mod change;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{
    RequestContext,
    definition::{check_usable, describe, provisioned},
};
use crate::{
    stator::{Stator, table_not_found},
    store::Fault,
    table::{Change, Changed, Record, Table, TableStatus},
    wire::{
        Error,
        shapes::{TableDescription, UpdateTableInput, UpdateTableOutput},
    },
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: UpdateTableInput,
) -> Result<UpdateTableOutput, Error> {
    request::check(&input)?;
    let (owner, own_context) = (stator.clone(), context.clone());
    let work = move || {
        let changed = update(&owner, &own_context, &input)?;
        Ok((changed, input))
    };
    let (changed, input) = stator.store().run_blocking(work).await?;
    let (Some(before), Some(after)) = (changed.before, changed.after) else {
        return Err(Error::InternalServer("Internal server error".into()));
    };
    let mut description = describe(&after, context.now_ms);
    as_updated(&mut description, &before, &input, context.now_ms);
    Ok(UpdateTableOutput {
        table_description: Some(description),
    })
}

fn update(
    stator: &Stator,
    context: &RequestContext,
    input: &UpdateTableInput,
) -> Result<Changed<()>, Fault> {
    let given = input.table_name.as_deref().unwrap_or_default();
    let (namespace, name) = stator.resolve(context, given);
    let until_ms = context.now_ms.saturating_add(stator.table_state_delay_ms());
    stator
        .catalog()
        .change(&namespace, name, context.now_ms, |table| {
            let table = table.ok_or_else(|| table_not_found(name))?;
            check_usable(table, context.now_ms)?;
            let mut record: Record = table.record().clone();
            change::apply(input, table, &mut record, context.now_ms, until_ms)?;
            Ok((
                Change::Put {
                    record: Box::new(record),
                    dropped: Vec::new(),
                },
                (),
            ))
        })
}

/// Makes of a description the one that UpdateTable answers with: what is changed in the background
/// still has its old value there, and the state says that it is under way (DDB-TABLE-058, -064,
/// -155, -165, -184).
fn as_updated(
    description: &mut TableDescription,
    before: &Arc<Table>,
    input: &UpdateTableInput,
    now_ms: u64,
) {
    let old = before.record();
    let updating = || Some(TableStatus::Updating.name().to_owned());
    let slow = input.provisioned_throughput.is_some()
        || input.billing_mode.is_some()
        || input.table_class.is_some();
    if slow {
        description.table_status = updating();
    }
    if input.provisioned_throughput.is_some()
        && let Some(shown) = &mut description.provisioned_throughput
    {
        let old = provisioned(&old.throughput, now_ms);
        shown.read_capacity_units = old.read_capacity_units;
        shown.write_capacity_units = old.write_capacity_units;
        shown.number_of_decreases_today = old.number_of_decreases_today;
    }
    if input.warm_throughput.is_some()
        && let Some(shown) = &mut description.warm_throughput
    {
        shown.read_units_per_second = Some(old.warm.read_units);
        shown.write_units_per_second = Some(old.warm.write_units);
        shown.status = updating();
    }
    let updates = input.global_secondary_index_updates.iter().flatten();
    for update in updates.filter_map(|update| update.update.as_ref()) {
        let indexes = description.global_secondary_indexes.iter_mut().flatten();
        let mut named = indexes.filter(|index| index.index_name == update.index_name);
        let old = update
            .index_name
            .as_deref()
            .and_then(|name| before.index(name));
        let (Some(shown), Some(old)) = (named.next(), old) else {
            continue;
        };
        if update.provisioned_throughput.is_some() {
            shown.index_status = updating();
            shown.provisioned_throughput = Some(provisioned(&old.record().throughput, now_ms));
        }
        if update.on_demand_throughput.is_some() {
            shown.index_status = updating();
        }
        if update.warm_throughput.is_some()
            && let (Some(shown), Some(old)) = (&mut shown.warm_throughput, old.record().warm)
        {
            shown.read_units_per_second = Some(old.read_units);
            shown.write_units_per_second = Some(old.write_units);
            shown.status = updating();
        }
    }
}
