//! DeleteItem: removes an item, if there is one.

use std::sync::Arc;

use crate::{
    Stator,
    expression::BoundCondition,
    item::Item,
    operation::{
        RequestContext, condition,
        layer::Layer,
        respond::{ReturnCapacity, ReturnValues, item_collection_metrics, returns_item_on_failure},
        single_write,
    },
    plan::{
        Rejection, key,
        write::{Action, Write, Written},
    },
    table::Table,
    wire::{
        Error, Operation,
        shapes::{DeleteItemInput, DeleteItemOutput},
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

/// Executes a DeleteItem request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, `ConditionalCheckFailedException`, and
/// failures of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: DeleteItemInput,
) -> Result<DeleteItemOutput, Error> {
    let layer = Layer::new(Operation::DeleteItem, stator.wording());
    let (key, condition, answer) = validate(stator, layer, input)?;
    let table = stator.table(context, &answer.table_name)?;
    let write = plan(&table, &key, condition)?;
    let written = single_write::run(stator, write, answer.item_on_failure).await?;
    Ok(respond(&table, &key, written, &answer))
}

/// Checks the request alone.
fn validate(
    stator: &Stator,
    layer: Layer,
    input: DeleteItemInput,
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
    let key = layer.item(input.key)?;
    let answer = Answer {
        table_name: input.table_name.unwrap_or_default(),
        values,
        capacity: ReturnCapacity::requested(input.return_consumed_capacity.as_deref()),
        metrics: input.return_item_collection_metrics,
        item_on_failure: returns_item_on_failure(
            input.return_values_on_condition_check_failure.as_deref(),
        ),
    };
    Ok((key, condition, answer))
}

/// Checks the key against the table's.
fn plan(table: &Arc<Table>, key: &Item, condition: Option<BoundCondition>) -> Result<Write, Error> {
    let key = key::lookup_key(table, key.as_ref())?;
    Ok(Write {
        table: Arc::clone(table),
        key,
        condition,
        action: Action::Delete,
    })
}

fn respond(table: &Table, key: &Item, written: Written, answer: &Answer) -> DeleteItemOutput {
    DeleteItemOutput {
        consumed_capacity: answer
            .capacity
            .of(&answer.table_name, &written.table, &written.usage),
        item_collection_metrics: item_collection_metrics(answer.metrics.as_deref(), table, key),
        attributes: match answer.values {
            ReturnValues::AllOld => written.old,
            _ => None,
        },
    }
}
