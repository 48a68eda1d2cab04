//! UpdateItem: changes attributes of an item, and makes the item if there is none.

use std::sync::Arc;

use crate::{
    Stator,
    expression::{
        BoundCondition, BoundUpdate, Placeholders, Update,
        ast::{Action as Clause, Slots},
    },
    item::{Item, MAX_ITEM_SIZE},
    operation::{
        RequestContext, condition,
        layer::{Layer, Parameter},
        legacy,
        respond::ReturnValues,
        single_write::{Answer, answer},
    },
    plan::{
        Rejection,
        key::{self, Origin},
        write::{Action, Write, Written},
    },
    table::Table,
    validation::Wording,
    wire::{
        Error, Operation,
        shapes::{UpdateItemInput, UpdateItemOutput},
    },
};

/// What of the request decides the write.
struct Request {
    key: Item,
    update: BoundUpdate,
    creates: bool,
    /// What the statement is charged against the size limit.
    charge: usize,
    condition: Option<BoundCondition>,
}

/// Executes an UpdateItem request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, `ConditionalCheckFailedException`, and
/// failures of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: UpdateItemInput,
) -> Result<UpdateItemOutput, Error> {
    let layer = Layer::new(Operation::UpdateItem, context.wording);
    let (request, answer) = validate(stator, layer, input)?;
    let table = stator.table(context, &answer.table_name)?;
    let (key, update) = (request.key.clone(), request.update.clone());
    let write = plan(layer, &table, request)?;
    let written = answer.run(stator, write).await?;
    Ok(respond(&key, &update, written, &answer))
}

/// Checks the request alone.
fn validate(
    stator: &Stator,
    layer: Layer,
    input: UpdateItemInput,
) -> Result<(Request, Answer), Error> {
    let expressions: [Parameter; 2] = [
        ("UpdateExpression", input.update_expression.is_some()),
        ("ConditionExpression", input.condition_expression.is_some()),
    ];
    layer.check_mixed(
        &[
            ("AttributeUpdates", input.attribute_updates.is_some()),
            ("Expected", input.expected.is_some()),
            ("ConditionalOperator", input.conditional_operator.is_some()),
        ],
        &expressions,
    )?;
    let mut placeholders = layer.placeholders(
        input.expression_attribute_names,
        input.expression_attribute_values,
        &expressions,
    )?;
    let cache = stator.expressions();
    let (update, bound) = match (&input.update_expression, input.attribute_updates) {
        (Some(text), _) => {
            let update = cache
                .update(text)
                .map_err(|error| layer.expression(error))?;
            bind(layer, update, &mut placeholders)?
        }
        (None, Some(updates)) => legacy::attribute_updates(layer, updates)?,
        (None, None) => {
            let nothing = Arc::new(Update::new(Vec::new(), Slots::default()));
            bind(layer, nothing, &mut placeholders)?
        }
    };
    let condition = condition::bind(
        layer,
        cache,
        input.condition_expression.as_deref(),
        &mut placeholders,
    )?;
    layer.check_used(&placeholders)?;
    let condition = match condition {
        Some(condition) => Some(condition),
        None => legacy::expected(layer, input.expected, input.conditional_operator.as_deref())?,
    };
    let key = layer.item(input.key)?;
    // What legacy parameters update is measured by the finished item alone, and so was everything
    // before the newer layer.
    let charged = input.update_expression.is_some() && layer.wording() == Wording::Current;
    let charge = if charged { bound.charge() } else { 0 };
    Ok((
        Request {
            key,
            creates: creates(&update),
            update: bound,
            charge,
            condition,
        },
        answer!(input),
    ))
}

fn bind(
    layer: Layer,
    update: Arc<Update>,
    placeholders: &mut Placeholders,
) -> Result<(Arc<Update>, BoundUpdate), Error> {
    let bound = update
        .bind(placeholders)
        .map_err(|error| layer.expression(error))?;
    Ok((update, bound))
}

/// Whether the update makes an item that does not exist. One that only removes does not, but one
/// without any clause does (API reference, `AttributeValueUpdate`, "If no item with the specified key
/// is found": `DELETE` "causes nothing to happen").
pub(super) fn creates(update: &Update) -> bool {
    let mut clauses = update.actions().iter();
    clauses.len() == 0 || clauses.any(|clause| matches!(clause, Clause::Set(..) | Clause::Add(..)))
}

/// Checks the request against the table's keys.
fn plan(layer: Layer, table: &Arc<Table>, request: Request) -> Result<Write, Error> {
    let key = key::lookup_key(table, request.key.as_ref())?;
    request
        .update
        .check_keys(&table.key_schema().names())
        .map_err(|error| layer.expression(error))?;
    if request.charge > MAX_ITEM_SIZE {
        return Err(Rejection::UpdatedItemSize.into());
    }
    Ok(Write {
        table: Arc::clone(table),
        key,
        condition: request.condition,
        action: Action::Update {
            key: request.key,
            update: request.update,
            creates: request.creates,
            origin: Origin::Update,
        },
    })
}

fn respond(
    key: &Item,
    update: &BoundUpdate,
    written: Written,
    answer: &Answer,
) -> UpdateItemOutput {
    UpdateItemOutput {
        consumed_capacity: answer.consumed_capacity(&written),
        item_collection_metrics: answer.item_collection_metrics(&written, key),
        attributes: match answer.values {
            ReturnValues::None => None,
            ReturnValues::AllOld => written.old,
            ReturnValues::AllNew => written.new,
            ReturnValues::UpdatedOld => update.at_targets(written.old.as_ref().map(Item::as_ref)),
            ReturnValues::UpdatedNew => written.updated_new,
        },
    }
}
