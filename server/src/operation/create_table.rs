//! `CreateTable`.

mod define;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{
    RequestContext,
    definition::{describe, quota, stream_label, uuid},
};
use crate::{
    stator::Stator,
    store::{Fault, Store},
    table::{Change, Namespace, Record, Table, TableStatus},
    wire::{
        Error,
        shapes::{CreateTableInput, CreateTableOutput, TableDescription},
    },
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: CreateTableInput,
) -> Result<CreateTableOutput, Error> {
    let record = define::define(stator, context, &input)?;
    let (owner, now_ms) = (stator.clone(), context.now_ms);
    let work = move || create(&owner, record, now_ms);
    let table = stator.store().run_blocking(work).await?;
    let mut description = describe(&table, now_ms);
    as_created(&mut description, &input);
    Ok(CreateTableOutput {
        table_description: Some(description),
    })
}

/// Puts the definition into the catalog, unless there is a table of that name.
fn create(stator: &Stator, mut record: Record, now_ms: u64) -> Result<Arc<Table>, Fault> {
    let namespace = Namespace::new(record.account.as_str(), record.region.as_str());
    let name = record.name.clone();
    let admits = quota::admits(stator, &namespace);
    let changed =
        stator
            .catalog()
            .change_within(&namespace, &name, now_ms, admits, |existing| {
                if let Some(table) = existing {
                    return Err(taken(table, now_ms).into());
                }
                let indexed = !record.local_indexes.is_empty() || !record.global_indexes.is_empty();
                quota::check_creation(stator, &namespace, indexed, now_ms)?;
                quota::check_capacity(stator, &namespace, None, &record, now_ms)?;
                give_keyspaces(stator.store(), &mut record)?;
                record.id = table_id(stator.store())?;
                if let Some(stream) = &mut record.stream {
                    stream.label = stream_label(stator, &namespace, &name, now_ms);
                }
                Ok((
                    Change::Put {
                        record: Box::new(record),
                        dropped: Vec::new(),
                    },
                    (),
                ))
            })?;
    changed
        .after
        .ok_or_else(|| Error::InternalServer("Internal server error".into()).into())
}

/// The answer for a name that is taken (DDB-TABLE-005).
fn taken(table: &Table, now_ms: u64) -> Error {
    let name = table.name();
    let message = match table.status(now_ms) {
        TableStatus::Creating => format!(
            "Attempt to change a resource which is still in use: Table is being created: {name}"
        ),
        _ => format!("Table already exists: {name}"),
    };
    Error::ResourceInUse(message.into())
}

/// Gives the table, each index and the item collections a keyspace of their own.
fn give_keyspaces(store: &Store, record: &mut Record) -> Result<(), Fault> {
    record.keyspace = store.create_keyspace()?.0;
    if !record.local_indexes.is_empty() {
        record.collections = Some(store.create_keyspace()?.0);
    }
    for index in record
        .local_indexes
        .iter_mut()
        .chain(&mut record.global_indexes)
    {
        index.keyspace = store.create_keyspace()?.0;
    }
    Ok(())
}

/// A random UUID.
fn table_id(store: &Store) -> Result<String, Fault> {
    let mut bytes = [0u8; 16];
    store.random(&mut bytes)?;
    Ok(uuid(u128::from_be_bytes(bytes)))
}

/// Makes of a description the one that CreateTable answers with: everything is CREATING, however
/// soon that is over, and some of what DescribeTable shows is not there yet (DDB-TABLE-033, -134).
fn as_created(description: &mut TableDescription, input: &CreateTableInput) {
    let creating = || Some("CREATING".to_owned());
    description.table_status = creating();
    if let Some(billing) = &mut description.billing_mode_summary {
        billing.last_update_to_pay_per_request_date_time = None;
    }
    match &mut description.warm_throughput {
        Some(warm) if input.warm_throughput.is_some() => warm.status = Some("UPDATING".to_owned()),
        warm => *warm = None,
    }
    for index in description.global_secondary_indexes.iter_mut().flatten() {
        index.index_status = creating();
        index.warm_throughput = None;
    }
}
