//! The condition of a write, however the request gives it: `ConditionExpression`, or `Expected` and
//! `ConditionalOperator`.

use crate::{
    expression::{BoundCondition, ExpressionCache, Placeholders},
    operation::{
        layer::{Layer, Parameter},
        legacy,
    },
    wire::{Error, ValueInput, shapes::ExpectedAttributeValue},
};

/// The parameters of PutItem and DeleteItem that make the condition.
pub(super) struct Parameters {
    pub(super) expression: Option<String>,
    pub(super) names: Option<Vec<(String, String)>>,
    pub(super) values: Option<Vec<(String, ValueInput)>>,
    pub(super) expected: Option<Vec<(String, ExpectedAttributeValue)>>,
    pub(super) operator: Option<String>,
}

/// The condition that they make, if there is one.
pub(super) fn of(
    layer: Layer,
    cache: &ExpressionCache,
    parameters: Parameters,
) -> Result<Option<BoundCondition>, Error> {
    let expressions: [Parameter; 1] = [("ConditionExpression", parameters.expression.is_some())];
    layer.check_mixed(
        &[
            ("Expected", parameters.expected.is_some()),
            ("ConditionalOperator", parameters.operator.is_some()),
        ],
        &expressions,
    )?;
    let mut placeholders = layer.placeholders(parameters.names, parameters.values, &expressions)?;
    let condition = bind(
        layer,
        cache,
        parameters.expression.as_deref(),
        &mut placeholders,
    )?;
    layer.check_used(&placeholders)?;
    match condition {
        Some(condition) => Ok(Some(condition)),
        None => legacy::expected(layer, parameters.expected, parameters.operator.as_deref()),
    }
}

/// Binds a condition expression, if there is one.
pub(super) fn bind(
    layer: Layer,
    cache: &ExpressionCache,
    text: Option<&str>,
    placeholders: &mut Placeholders,
) -> Result<Option<BoundCondition>, Error> {
    text.map(|text| cache.condition(text)?.bind(placeholders))
        .transpose()
        .map_err(|error| layer.expression(error))
}
