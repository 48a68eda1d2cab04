//! TransactGetItems: reads up to 100 items of any tables, all as they are at one point in time.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    Stator,
    expression::BoundProjection,
    item::Item,
    operation::{
        RequestContext,
        layer::Layer,
        projection,
        respond::{ReturnCapacity, TransactionCapacity},
    },
    plan::{
        Rejection,
        capacity::{Consistency, Units, Usage},
        key, read,
    },
    store::Key,
    table::Table,
    wire::{
        Error, Operation,
        error::CancellationReason,
        shapes::{ItemResponse, TransactGetItem, TransactGetItemsInput, TransactGetItemsOutput},
    },
};

/// One read, right by itself.
struct Get {
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
    let layer = Layer::new(Operation::TransactGetItems, stator.wording());
    let capacity = ReturnCapacity::requested(input.return_consumed_capacity.as_deref());
    let gets = input
        .transact_items
        .unwrap_or_default()
        .into_iter()
        .map(|action| validate(stator, layer, action))
        .collect::<Result<Vec<_>, Error>>()?;
    let tables = gets
        .iter()
        .map(|get| stator.table(context, &get.table_name))
        .collect::<Result<Vec<_>, Error>>()?;
    let keys = plan(&gets, &tables)?;
    let items = read::get_many(stator.store(), keys, usize::MAX).await?;
    Ok(respond(gets, &tables, items, capacity))
}

/// Checks one read by itself: its expression, then its key.
fn validate(stator: &Stator, layer: Layer, action: TransactGetItem) -> Result<Get, Error> {
    // The model requires it.
    let get = action.get.unwrap_or_default();
    let projection = projection::of(
        layer,
        stator.expressions(),
        projection::Parameters {
            expression: get.projection_expression,
            names: get.expression_attribute_names,
            attributes_to_get: None,
        },
    )?;
    Ok(Get {
        table_name: get.table_name.unwrap_or_default(),
        key: layer.item(get.key)?,
        projection,
    })
}

/// Checks the keys against their tables. No item may be named twice.
fn plan(gets: &[Get], tables: &[Arc<Table>]) -> Result<Vec<Key>, Error> {
    let mut keys = Vec::with_capacity(gets.len());
    let mut seen = BTreeSet::new();
    let mut reasons = Vec::with_capacity(gets.len());
    for (get, table) in gets.iter().zip(tables) {
        reasons.push(match key::lookup_key(table, get.key.as_ref()) {
            Ok(key) => {
                if !seen.insert(key.as_bytes().to_vec()) {
                    return Err(Rejection::OneItemTwice.into());
                }
                keys.push(key);
                CancellationReason::none()
            }
            Err(rejection @ Rejection::EmptyKey { .. }) => return Err(rejection.into()),
            Err(rejection) => CancellationReason::validation(rejection.to_string()),
        });
    }
    if keys.len() < gets.len() {
        return Err(Error::TransactionCanceled { reasons });
    }
    Ok(keys)
}

fn respond(
    gets: Vec<Get>,
    tables: &[Arc<Table>],
    items: Vec<Option<Item>>,
    capacity: ReturnCapacity,
) -> TransactGetItemsOutput {
    let consumed: Vec<TransactionCapacity> = items
        .iter()
        .map(|item| {
            let size = item.as_ref().map_or(0, Item::size);
            let mut usage = Usage::new();
            usage.charge_table(Units::read(size as u64, Consistency::Transactional));
            TransactionCapacity::Read(usage)
        })
        .collect();
    let names = gets.iter().map(|get| &*get.table_name);
    let tables = tables.iter().map(|table| &**table);
    let consumed_capacity = capacity.of_transaction(names.zip(tables).zip(&consumed));
    let responses = gets.into_iter().zip(items).map(|(get, item)| ItemResponse {
        item: item.map(|item| projection::apply(get.projection.as_ref(), item)),
    });
    TransactGetItemsOutput {
        consumed_capacity,
        responses: Some(responses.collect()),
    }
}
