//! TransactGetItems: reads up to 100 items of one or more tables as they are at one moment.

use std::sync::Arc;

use crate::{
    Stator,
    expression::BoundProjection,
    item::Item,
    operation::{
        RequestContext,
        layer::Layer,
        projection,
        respond::{ReturnCapacity, TransactionCapacity},
        transactional,
    },
    plan::{
        capacity::{Consistency, Usage},
        key,
        transaction::{self, Reads},
    },
    store::Key,
    table::Table,
    wire::{
        Error, Operation,
        shapes::{Get, ItemResponse, TransactGetItemsInput, TransactGetItemsOutput},
    },
};

/// One item that is asked for, right by itself.
struct Wanted {
    table_name: String,
    key: Item,
    projection: Option<BoundProjection>,
}

/// Executes a TransactGetItems request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, `TransactionCanceledException`, and failures
/// of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: TransactGetItemsInput,
) -> Result<TransactGetItemsOutput, Error> {
    let capacity = ReturnCapacity::requested(input.return_consumed_capacity.as_deref());
    let layer = Layer::new(Operation::TransactGetItems, context.wording);
    let wanted = input
        .transact_items
        .unwrap_or_default()
        .into_iter()
        .map(|item| validate(stator, layer, item.get.unwrap_or_default()))
        .collect::<Result<Vec<_>, Error>>()?;
    let tables = wanted
        .iter()
        .map(|one| stator.table(context, &one.table_name))
        .collect::<Result<Vec<_>, Error>>()?;
    let keys = plan(&wanted, &tables)?;
    match transaction::read(stator.transactions(), stator.store(), keys.into()).await? {
        Reads::Conflict(conflicts) => Err(transactional::conflict(&conflicts)),
        Reads::Items(items) => Ok(respond(&wanted, &tables, items, capacity)),
    }
}

/// Checks one part of the request alone.
fn validate(stator: &Stator, layer: Layer, get: Get) -> Result<Wanted, Error> {
    let projection = projection::of(
        layer,
        stator.expressions(),
        projection::Parameters {
            expression: get.projection_expression,
            names: get.expression_attribute_names,
            attributes_to_get: None,
        },
    )?;
    Ok(Wanted {
        table_name: get.table_name.unwrap_or_default(),
        key: layer.item(get.key)?,
        projection,
    })
}

/// Checks the keys against their tables.
fn plan(wanted: &[Wanted], tables: &[Arc<Table>]) -> Result<Vec<Key>, Error> {
    let keys = wanted
        .iter()
        .zip(tables)
        .map(|(one, table)| key::lookup_key(table, one.key.as_ref()))
        .collect();
    transactional::settle(keys, |key| key)
}

fn respond(
    wanted: &[Wanted],
    tables: &[Arc<Table>],
    items: Vec<Option<Item>>,
    capacity: ReturnCapacity,
) -> TransactGetItemsOutput {
    let consumed: Vec<TransactionCapacity> = items
        .iter()
        .map(|item| Usage::of_read(item.as_ref(), Consistency::Transactional))
        .map(TransactionCapacity::Read)
        .collect();
    let names = wanted.iter().map(|one| &*one.table_name);
    let on_tables = names.zip(tables.iter().map(|table| &**table));
    let consumed_capacity = capacity.of_transaction(on_tables.zip(&consumed));
    let responses = wanted.iter().zip(items).map(|(one, item)| ItemResponse {
        item: item.map(|item| projection::apply(one.projection.as_ref(), item)),
    });
    TransactGetItemsOutput {
        responses: Some(responses.collect()),
        consumed_capacity,
    }
}
