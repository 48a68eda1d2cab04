//! BatchWriteItem: puts and deletes up to 25 items of one or more tables.
//!
//! DynamoDB promises each write to be atomic and not the batch; here all of it is one atomic batch of
//! the store, since that costs one commit. So nothing is ever left unprocessed.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    Stator,
    item::{Item, MAX_ITEM_SIZE},
    operation::{
        RequestContext,
        layer::Layer,
        respond::{ReturnCapacity, collections},
    },
    plan::{
        Rejection,
        capacity::Usage,
        key,
        write::{self, Action, Actor, Refusal, Write, Written},
    },
    table::Table,
    wire::{
        Error, Operation,
        shapes::{BatchWriteItemInput, BatchWriteItemOutput, WriteRequest},
    },
};

/// The most writes of one batch, over all tables (API reference, `BatchWriteItem`).
const MAX_WRITES: usize = 25;

/// One write, right by itself.
enum Change {
    Put(Item),
    Delete(Item),
}

impl Change {
    /// What has the item's key.
    fn item(&self) -> &Item {
        match self {
            Self::Put(item) | Self::Delete(item) => item,
        }
    }
}

/// The writes of one table, by the name that the request has for it.
struct TableWrites {
    name: String,
    changes: Vec<Change>,
}

/// Executes a BatchWriteItem request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, and failures of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: BatchWriteItemInput,
) -> Result<BatchWriteItemOutput, Error> {
    let layer = Layer::new(Operation::BatchWriteItem, context.wording);
    let capacity = ReturnCapacity::requested(input.return_consumed_capacity.as_deref());
    let metrics = input.return_item_collection_metrics;
    let groups = validate(layer, input.request_items.unwrap_or_default())?;
    let tables = groups
        .iter()
        .map(|group| stator.table(context, &group.name))
        .collect::<Result<Vec<_>, Error>>()?;
    let writes = plan(&groups, &tables)?;
    let results = write::run(stator.store(), writes.into(), Actor::Client).await?;
    let written = results
        .into_iter()
        .map(|result| result.map_err(refused))
        .collect::<Result<Vec<_>, Error>>()?;
    Ok(respond(
        &groups,
        &tables,
        &written,
        capacity,
        metrics.as_deref(),
    ))
}

/// Checks the request alone.
fn validate(
    layer: Layer,
    requests: Vec<(String, Vec<WriteRequest>)>,
) -> Result<Vec<TableWrites>, Error> {
    if requests
        .iter()
        .map(|(_, writes)| writes.len())
        .sum::<usize>()
        > MAX_WRITES
    {
        return Err(layer.refuse(Rejection::TooManyWrites));
    }
    requests
        .into_iter()
        .map(|(name, writes)| {
            let changes = writes.into_iter().map(|write| change(layer, write));
            Ok(TableWrites {
                name,
                changes: changes.collect::<Result<_, Error>>()?,
            })
        })
        .collect()
}

fn change(layer: Layer, request: WriteRequest) -> Result<Change, Error> {
    match (request.put_request, request.delete_request) {
        (Some(put), None) => {
            let item = layer.item(put.item)?;
            if item.size() > MAX_ITEM_SIZE {
                return Err(Rejection::ItemSize.into());
            }
            Ok(Change::Put(item))
        }
        (None, Some(delete)) => Ok(Change::Delete(layer.item(delete.key)?)),
        (Some(_), Some(_)) => Err(layer.refuse(Rejection::WriteRequestBoth)),
        (None, None) => Err(layer.refuse(Rejection::WriteRequestNeither)),
    }
}

/// Checks items and keys against their tables. No item may be named twice.
fn plan(groups: &[TableWrites], tables: &[Arc<Table>]) -> Result<Vec<Write>, Error> {
    let mut writes = Vec::new();
    let mut seen = BTreeSet::new();
    for (group, table) in groups.iter().zip(tables) {
        for change in &group.changes {
            let write = plan_one(table, change)?;
            if !seen.insert(write.key.as_bytes().to_vec()) {
                return Err(Rejection::DuplicateKeys.into());
            }
            writes.push(write);
        }
    }
    Ok(writes)
}

fn plan_one(table: &Arc<Table>, change: &Change) -> Result<Write, Rejection> {
    let (key, action) = match change {
        Change::Delete(key) => (key::lookup_key(table, key.as_ref())?, Action::Delete),
        Change::Put(item) => (
            key::batch_put_key(table, item.as_ref())?,
            Action::Put(item.clone()),
        ),
    };
    Ok(Write {
        table: Arc::clone(table),
        key,
        condition: None,
        action,
    })
}

/// Without conditions and updates no write is refused once it is planned.
fn refused(refusal: Refusal) -> Error {
    refusal.into_error(false)
}

fn respond(
    groups: &[TableWrites],
    tables: &[Arc<Table>],
    written: &[Written],
    capacity: ReturnCapacity,
    metrics: Option<&str>,
) -> BatchWriteItemOutput {
    let mut results = written.iter();
    let mut consumed = Vec::new();
    for (group, table) in groups.iter().zip(tables) {
        let mut usage = Usage::new();
        let mut current = table;
        for write in results.by_ref().take(group.changes.len()) {
            usage.merge(&write.usage);
            current = &write.table;
        }
        consumed.extend(capacity.of(&group.name, current, &usage));
    }
    let changes = groups
        .iter()
        .flat_map(|group| group.changes.iter().map(|change| (&*group.name, change)));
    let written = changes.zip(written).map(|((name, change), written)| {
        let size = written.collection_size();
        (name, &*written.table, change.item(), size)
    });
    BatchWriteItemOutput {
        unprocessed_items: Some(Vec::new()),
        item_collection_metrics: collections(metrics, written),
        consumed_capacity: (capacity != ReturnCapacity::None).then_some(consumed),
    }
}
