//! BatchGetItem: reads up to 100 items of one or more tables.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    Stator,
    expression::BoundProjection,
    item::Item,
    operation::{
        RequestContext,
        layer::{Layer, Parameter},
        projection,
        respond::ReturnCapacity,
    },
    plan::{
        Rejection,
        capacity::{Consistency, Usage},
        key, read,
    },
    store::Key,
    table::Table,
    wire::{
        Error, Operation,
        shapes::{BatchGetItemInput, BatchGetItemOutput, KeysAndAttributes},
    },
};

/// The most keys of one batch, over all tables (API reference, `BatchGetItem`).
const MAX_KEYS: usize = 100;
/// How much is returned at most, in bytes of items; what comes behind is left unprocessed (ibid.).
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What is read of one table, by the name that the request has for it.
struct TableReads {
    name: String,
    keys: Vec<Item>,
    projection: Option<BoundProjection>,
    consistency: Consistency,
    /// The request for this table without its keys, in case some have to be asked for again.
    again: KeysAndAttributes,
}

/// Executes a BatchGetItem request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, and failures of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: BatchGetItemInput,
) -> Result<BatchGetItemOutput, Error> {
    let layer = Layer::new(Operation::BatchGetItem, context.wording);
    let capacity = ReturnCapacity::requested(input.return_consumed_capacity.as_deref());
    let groups = validate(stator, layer, input.request_items.unwrap_or_default())?;
    let tables = groups
        .iter()
        .map(|group| stator.table(context, &group.name))
        .collect::<Result<Vec<_>, Error>>()?;
    let keys = plan(&groups, &tables)?;
    let items = read::get_many(stator.store(), keys, MAX_BYTES).await?;
    Ok(respond(groups, &tables, items, capacity))
}

/// Checks the request alone.
fn validate(
    stator: &Stator,
    layer: Layer,
    requests: Vec<(String, KeysAndAttributes)>,
) -> Result<Vec<TableReads>, Error> {
    let count = |request: &KeysAndAttributes| request.keys.as_ref().map_or(0, Vec::len);
    if requests
        .iter()
        .map(|(_, request)| count(request))
        .sum::<usize>()
        > MAX_KEYS
    {
        return Err(layer.refuse(Rejection::TooManyReads));
    }
    // What one table is read with excludes the other form for all tables.
    let any = |has: fn(&KeysAndAttributes) -> bool| requests.iter().any(|(_, one)| has(one));
    let legacy: [Parameter; 1] = [(
        "AttributesToGet",
        any(|one| one.attributes_to_get.is_some()),
    )];
    let expressions: [Parameter; 1] = [(
        "ProjectionExpression",
        any(|one| one.projection_expression.is_some()),
    )];
    layer.check_mixed(&legacy, &expressions)?;
    requests
        .into_iter()
        .map(|(name, request)| table_reads(stator, layer, name, request))
        .collect()
}

fn table_reads(
    stator: &Stator,
    layer: Layer,
    name: String,
    mut request: KeysAndAttributes,
) -> Result<TableReads, Error> {
    let keys = request.keys.take().unwrap_or_default();
    let again = request.clone();
    let projection = projection::of(
        layer,
        stator.expressions(),
        projection::Parameters {
            expression: request.projection_expression,
            names: request.expression_attribute_names,
            attributes_to_get: request.attributes_to_get,
        },
    )?;
    let keys = keys
        .into_iter()
        .map(|key| layer.item(Some(key)))
        .collect::<Result<_, Error>>()?;
    let consistency = Consistency::requested(request.consistent_read);
    Ok(TableReads {
        name,
        keys,
        projection,
        consistency,
        again,
    })
}

/// Checks the keys against their tables. No item may be named twice.
fn plan(groups: &[TableReads], tables: &[Arc<Table>]) -> Result<Vec<Key>, Error> {
    let mut keys = Vec::new();
    let mut seen = BTreeSet::new();
    for (group, table) in groups.iter().zip(tables) {
        for item in &group.keys {
            let key = key::lookup_key(table, item.as_ref())?;
            if !seen.insert(key.as_bytes().to_vec()) {
                return Err(Rejection::DuplicateKeys.into());
            }
            keys.push(key);
        }
    }
    Ok(keys)
}

/// `items` are those that were read, in the order of all keys; the keys behind them were not.
fn respond(
    groups: Vec<TableReads>,
    tables: &[Arc<Table>],
    items: Vec<Option<Item>>,
    capacity: ReturnCapacity,
) -> BatchGetItemOutput {
    let mut items = items.into_iter();
    let (mut responses, mut unprocessed, mut consumed) = (Vec::new(), Vec::new(), Vec::new());
    for (group, table) in groups.into_iter().zip(tables) {
        let mut usage = Usage::new();
        let mut found = Vec::new();
        let mut left = Vec::new();
        for key in group.keys {
            let Some(item) = items.next() else {
                left.push(key.into());
                continue;
            };
            usage.merge(&Usage::of_read(item.as_ref(), group.consistency));
            found.extend(item.map(|item| projection::apply(group.projection.as_ref(), item)));
        }
        consumed.extend(capacity.of(&group.name, table, &usage));
        if !left.is_empty() {
            let again = KeysAndAttributes {
                keys: Some(left),
                ..group.again
            };
            unprocessed.push((group.name.clone(), again));
        }
        responses.push((group.name, found));
    }
    BatchGetItemOutput {
        responses: Some(responses),
        unprocessed_keys: Some(unprocessed),
        consumed_capacity: (capacity != ReturnCapacity::None).then_some(consumed),
    }
}
