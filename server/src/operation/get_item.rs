//! GetItem: reads one item.

use crate::{
    Stator,
    expression::BoundProjection,
    item::Item,
    operation::{RequestContext, layer::Layer, projection, respond::ReturnCapacity},
    plan::{
        capacity::{Consistency, Usage},
        key, read,
    },
    wire::{
        Error, Operation,
        shapes::{GetItemInput, GetItemOutput},
    },
};

/// A request that is right by itself.
struct Request {
    table_name: String,
    key: Item,
    projection: Option<BoundProjection>,
    consistency: Consistency,
    capacity: ReturnCapacity,
}

/// Executes a GetItem request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, and failures of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: GetItemInput,
) -> Result<GetItemOutput, Error> {
    let layer = Layer::new(Operation::GetItem, context.wording);
    let request = validate(stator, layer, input)?;
    let table = stator.look_up(context, &request.table_name)?;
    let key = key::lookup_key(&table, request.key.as_ref())?;
    let item = read::get(stator.store(), key).await?;
    let usage = Usage::of_read(item.as_ref(), request.consistency);
    Ok(GetItemOutput {
        item: item.map(|item| projection::apply(request.projection.as_ref(), item)),
        consumed_capacity: request.capacity.of(&request.table_name, &table, &usage),
    })
}

/// Checks the request alone.
fn validate(stator: &Stator, layer: Layer, input: GetItemInput) -> Result<Request, Error> {
    let projection = projection::of(
        layer,
        stator.expressions(),
        projection::Parameters {
            expression: input.projection_expression,
            names: input.expression_attribute_names,
            attributes_to_get: input.attributes_to_get,
        },
    )?;
    Ok(Request {
        table_name: input.table_name.unwrap_or_default(),
        key: layer.item(input.key)?,
        projection,
        consistency: Consistency::requested(input.consistent_read),
        capacity: ReturnCapacity::requested(input.return_consumed_capacity.as_deref()),
    })
}
