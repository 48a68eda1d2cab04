//! `UpdateTable`: throughput, billing, deletion protection, class, encryption and global secondary
//! indexes.
//!
//! One request makes one change, with few exceptions (DDB-TABLE-433). What the request alone says is
//! checked first ([`request`]), then whether the table exists and can be changed, then what the
//! change means for the table as it is ([`change`], [`index`]). To fill an index that is added is the
//! one thing of this operation that takes time: [`backfill`] does it.

mod busy;
mod change;
mod index;
mod quotas;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::index::Times;
use super::{
    RequestContext,
    definition::{
        check_usable, describe, described_class, provisioned, quota, sse, stream_label,
        throughput::is_cold,
    },
};
use crate::{
    plan::backfill,
    stator::{Stator, table_not_found},
    store::{Fault, KeyspaceId},
    table::{Change, Changed, Record, SecondaryIndex, Table, TableStatus, status},
    wire::{
        Error,
        shapes::{
            OnDemandThroughput, SSEDescription, TableDescription, UpdateTableInput,
            UpdateTableOutput,
        },
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
    let deletes = input
        .global_secondary_index_updates
        .iter()
        .flatten()
        .any(|update| update.delete.is_some());
    // An index that is deleted is still there in the answer.
    let shown = if deletes { &before } else { &after };
    let mut description = describe(shown, context.now_ms);
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
    let times = Times {
        now_ms: context.now_ms,
        delay_ms: stator.table_state_delay_ms(),
    };
    let store = stator.store();
    let admits = quota::admits(stator, &namespace);
    let changed =
        stator
            .catalog()
            .change_within(&namespace, name, context.now_ms, admits, |table| {
                let table = table.ok_or_else(|| table_not_found(name))?;
                check_usable(table, context.now_ms)?;
                quota::check_change(stator, &namespace, context.now_ms)?;
                let mut record = Box::new(table.record().clone());
                record.purge(context.now_ms);
                change::apply(input, table, &mut record, times)?;
                let old = Some(table.record());
                quota::check_capacity(stator, &namespace, old, &record, context.now_ms)?;
                let mut stream = record.stream.as_mut();
                if let Some(stream) = stream.take_if(|stream| stream.label.is_empty()) {
                    stream.label = stream_label(stator, &namespace, name, context.now_ms);
                }
                for index in record.global_indexes.iter_mut() {
                    if index.keyspace == 0 {
                        index.keyspace = store.create_keyspace()?.0;
                    }
                }
                let dropped = dropped(table, &record);
                Ok((Change::Put { record, dropped }, ()))
            })?;
    if let Some(table) = &changed.after {
        let old = changed.before.as_ref();
        let is_new = |index: &&SecondaryIndex| {
            index.is_filling() && old.is_none_or(|old| old.index_in(index.keyspace()).is_none())
        };
        for index in table.indexes().iter().filter(is_new) {
            backfill::begin(store, table, index.keyspace())?;
        }
    }
    Ok(changed)
}

/// The keyspaces of `table`'s indexes that have no entries any more by `record`.
fn dropped(table: &Table, record: &Record) -> Vec<KeyspaceId> {
    let stays = |keyspace: &KeyspaceId| {
        record.indexes().any(|index| {
            index.keyspace == keyspace.0 && index.state.change != status::Change::Delete
        })
    };
    let indexes = table.indexes().iter().map(SecondaryIndex::keyspace);
    indexes.filter(|keyspace| !stays(keyspace)).collect()
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
        || input.table_class.is_some()
        || input.stream_specification.is_some();
    if slow {
        description.table_status = updating();
    }
    if input.table_class.is_some() {
        description.table_class_summary = old.class.as_ref().map(described_class);
    }
    if input.sse_specification.is_some() {
        let old = old.encryption.as_ref();
        let old = old.map(|encryption| sse(before.namespace(), encryption));
        description.sse_description = Some(SSEDescription {
            status: updating(),
            ..old.unwrap_or_default()
        });
    }
    if let Some(given) = &input.on_demand_throughput {
        // A maximum that is taken away is shown once more, as it was sent (DDB-TABLE-178).
        let shown = description.on_demand_throughput.get_or_insert_default();
        for (given, shown) in [
            (
                given.max_read_request_units,
                &mut shown.max_read_request_units,
            ),
            (
                given.max_write_request_units,
                &mut shown.max_write_request_units,
            ),
        ] {
            *shown = given.filter(|given| *given == -1).or(*shown);
        }
        if *shown == OnDemandThroughput::default() {
            description.on_demand_throughput = None;
        }
    }
    if input.provisioned_throughput.is_some()
        && let Some(shown) = &mut description.provisioned_throughput
    {
        let old = provisioned(&old.throughput, now_ms);
        shown.read_capacity_units = old.read_capacity_units;
        shown.write_capacity_units = old.write_capacity_units;
        shown.number_of_decreases_today = old.number_of_decreases_today;
    }
    if !is_cold(input.warm_throughput.as_ref())
        && let Some(shown) = &mut description.warm_throughput
    {
        shown.read_units_per_second = Some(old.warm.read_units);
        shown.write_units_per_second = Some(old.warm.write_units);
        shown.status = updating();
    }
    let updates = input.global_secondary_index_updates.iter().flatten();
    for update in updates.clone() {
        let created = update.create.as_ref().map(|create| &create.index_name);
        let deleted = update.delete.as_ref().map(|delete| &delete.index_name);
        let (Some(name), status) = (
            created.or(deleted),
            match created {
                Some(_) => TableStatus::Creating,
                None => TableStatus::Deleting,
            },
        ) else {
            continue;
        };
        description.table_status = updating();
        let mut indexes = description.global_secondary_indexes.iter_mut().flatten();
        if let Some(shown) = indexes.find(|index| index.index_name == *name) {
            shown.index_status = Some(status.name().to_owned());
            // However soon it is filled (DDB-TABLE-165).
            shown.backfilling = created.map(|_| false);
        }
    }
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
