//! The projection of a read, however the request gives it: `ProjectionExpression`, or
//! `AttributesToGet`.

use crate::{
    expression::{BoundProjection, ExpressionCache, Placeholders},
    item::Item,
    operation::{
        layer::{Layer, Parameter},
        legacy,
    },
    wire::Error,
};

/// The parameters of GetItem and BatchGetItem that make the projection.
pub(super) struct Parameters {
    pub(super) expression: Option<String>,
    pub(super) names: Option<Vec<(String, String)>>,
    pub(super) attributes_to_get: Option<Vec<String>>,
}

/// The projection that they make, if there is one.
pub(super) fn of(
    layer: Layer,
    cache: &ExpressionCache,
    parameters: Parameters,
) -> Result<Option<BoundProjection>, Error> {
    let expressions: [Parameter; 1] = [("ProjectionExpression", parameters.expression.is_some())];
    layer.check_mixed(
        &[("AttributesToGet", parameters.attributes_to_get.is_some())],
        &expressions,
    )?;
    let mut placeholders = layer.placeholders(parameters.names, None, &expressions)?;
    let projection = bind(
        layer,
        cache,
        parameters.expression.as_deref(),
        &mut placeholders,
    )?;
    layer.check_used(&placeholders)?;
    match (projection, parameters.attributes_to_get) {
        (None, Some(names)) => legacy::attributes_to_get(layer, &names).map(Some),
        (projection, _) => Ok(projection),
    }
}

/// Binds a projection expression, if there is one.
pub(super) fn bind(
    layer: Layer,
    cache: &ExpressionCache,
    text: Option<&str>,
    placeholders: &mut Placeholders,
) -> Result<Option<BoundProjection>, Error> {
    text.map(|text| cache.projection(text)?.bind(placeholders))
        .transpose()
        .map_err(|error| layer.expression(error))
}

/// What is returned of an item. Without a projection that is the stored bytes as they are.
pub(super) fn apply(projection: Option<&BoundProjection>, item: Item) -> Item {
    match projection {
        None => item,
        Some(projection) => projection.apply(item.as_ref()),
    }
}
