//! PutItem: creates an item, or replaces it whole.

use std::sync::Arc;

use crate::{
    Stator,
    expression::BoundCondition,
    item::{Item, MAX_ITEM_SIZE},
    operation::{
        RequestContext, condition,
        layer::Layer,
        single_write::{self, Answer, answer},
    },
    plan::{
        Rejection, key,
        write::{Action, Write, Written},
    },
    table::Table,
    wire::{
        Error, Operation,
        shapes::{PutItemInput, PutItemOutput},
    },
};

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
    let layer = Layer::new(Operation::PutItem, context.wording);
    let (item, condition, answer) = validate(stator, layer, input)?;
    let table = stator.table(context, &answer.table_name)?;
    let write = plan(&table, item.clone(), condition)?;
    let written = answer.run(stator, write).await?;
    Ok(respond(&item, written, &answer))
}

/// Checks the request alone.
fn validate(
    stator: &Stator,
    layer: Layer,
    input: PutItemInput,
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
    let item = layer.item(input.item)?;
    if item.size() > MAX_ITEM_SIZE {
        return Err(Rejection::ItemSize.into());
    }
    Ok((item, condition, answer!(input)))
}

/// Checks the item against the table's keys.
fn plan(table: &Arc<Table>, item: Item, condition: Option<BoundCondition>) -> Result<Write, Error> {
    let key = key::put_key(table, item.as_ref())?;
    Ok(Write {
        table: Arc::clone(table),
        key,
        condition,
        action: Action::Put(item),
    })
}

fn respond(item: &Item, written: Written, answer: &Answer) -> PutItemOutput {
    PutItemOutput {
        consumed_capacity: answer.consumed_capacity(&written),
        item_collection_metrics: answer.item_collection_metrics(&written, item),
        attributes: answer.old(written),
    }
}
