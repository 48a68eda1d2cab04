//! PutItem: creates an item, or replaces it whole.

use std::sync::Arc;

use crate::{
    Stator,
    expression::BoundCondition,
    item::{Item, MAX_ITEM_SIZE},
    operation::{
        RequestContext, condition,
        layer::Layer,
        respond::{ReturnCapacity, ReturnValues, item_collection_metrics, returns_item_on_failure},
        single_write,
    },
    plan::{
        Rejection,
        key::{self, Origin},
        write::{Action, Write, Written},
    },
    table::Table,
    wire::{
        Error, Operation,
        shapes::{PutItemInput, PutItemOutput},
    },
};

/// What of the request decides the answer, once the write is planned.
struct Answer {
    table_name: String,
    values: ReturnValues,
    capacity: ReturnCapacity,
    metrics: Option<String>,
    item_on_failure: bool,
}

/// Executes a PutItem request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, `ConditionalCheckFailedException`, and
/// failures of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: PutItemInput,
) -> Result<PutItemOutput, Error> {
    let layer = Layer::new(Operation::PutItem, stator.wording());
    let (item, condition, answer) = validate(stator, layer, input)?;
    let table = stator.table(context, &answer.table_name)?;
    let write = plan(&table, item.clone(), condition)?;
    let written = single_write::run(stator, write, answer.item_on_failure).await?;
    Ok(respond(&table, &item, written, &answer))
}

/// Checks the request alone.
fn validate(
    stator: &Stator,
    layer: Layer,
    input: PutItemInput,
) -> Result<(Item, Option<BoundCondition>, Answer), Error> {
    let values = ReturnValues::requested(input.return_values.as_deref());
    if !matches!(values, ReturnValues::None | ReturnValues::AllOld) {
        return Err(layer.refuse(Rejection::ReturnValues));
    }
    let condition = condition::of(
        layer,
        stator.expressions(),
        condition::Parameters {
            expression: input.condition_expression,
            names: input.expression_attribute_names,
            values: input.expression_attribute_values,
            expected: input.expected,
            operator: input.conditional_operator,
        },
    )?;
    let item = layer.item(input.item)?;
    if item.size() > MAX_ITEM_SIZE {
        return Err(Rejection::ItemSize.into());
    }
    let answer = Answer {
        table_name: input.table_name.unwrap_or_default(),
        values,
        capacity: ReturnCapacity::requested(input.return_consumed_capacity.as_deref()),
        metrics: input.return_item_collection_metrics,
        item_on_failure: returns_item_on_failure(
            input.return_values_on_condition_check_failure.as_deref(),
        ),
    };
    Ok((item, condition, answer))
}

/// Checks the item against the table's keys.
fn plan(table: &Arc<Table>, item: Item, condition: Option<BoundCondition>) -> Result<Write, Error> {
    key::check_item_key(table.key_schema(), item.as_ref())?;
    key::check_index_keys(table, item.as_ref(), None, Origin::Put)?;
    let key = key::primary_key(table, item.as_ref()).ok_or(Rejection::KeyMismatch)?;
    Ok(Write {
        table: Arc::clone(table),
        key,
        condition,
        action: Action::Put(item),
    })
}

fn respond(table: &Table, item: &Item, written: Written, answer: &Answer) -> PutItemOutput {
    PutItemOutput {
        consumed_capacity: answer
            .capacity
            .of(&answer.table_name, &written.table, &written.usage),
        item_collection_metrics: item_collection_metrics(answer.metrics.as_deref(), table, item),
        attributes: match answer.values {
            ReturnValues::AllOld => written.old,
            _ => None,
        },
    }
}
