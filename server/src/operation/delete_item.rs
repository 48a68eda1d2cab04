//! DeleteItem: removes an item, if there is one.

use std::sync::Arc;

use crate::{
    Stator,
    expression::BoundCondition,
    item::Item,
    operation::{
        RequestContext, condition,
        layer::Layer,
        single_write::{self, Answer, answer},
    },
    plan::{
        key,
        write::{Action, Write, Written},
    },
    table::Table,
    wire::{
        Error, Operation,
        shapes::{DeleteItemInput, DeleteItemOutput},
    },
};

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
    let layer = Layer::new(Operation::DeleteItem, context.wording);
    let (key, condition, answer) = validate(stator, layer, input)?;
    let table = stator.table(context, &answer.table_name)?;
    let write = plan(&table, &key, condition)?;
    let written = answer.run(stator, write).await?;
    Ok(respond(&key, written, &answer))
}

/// Checks the request alone.
fn validate(
    stator: &Stator,
    layer: Layer,
    input: DeleteItemInput,
) -> Result<(Item, Option<BoundCondition>, Answer), Error> {
    single_write::check_return_values(layer, input.return_values.as_deref())?;
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
    Ok((key, condition, answer!(input)))
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

fn respond(key: &Item, written: Written, answer: &Answer) -> DeleteItemOutput {
    DeleteItemOutput {
        consumed_capacity: answer.consumed_capacity(&written),
        item_collection_metrics: answer.item_collection_metrics(&written, key),
        attributes: answer.old(written),
    }
}
