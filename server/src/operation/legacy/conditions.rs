//! `Expected`, `QueryFilter` and `ScanFilter` as conditions.

use std::sync::Arc;

use super::{
    LegacyError, Values,
    comparison::{Comparison, Test},
};
use crate::{
    expression::{BoundCondition, Condition, ExpressionKind, ast::Predicate},
    operation::layer::Layer,
    plan::Rejection,
    wire::{
        Error,
        shapes::{Condition as ConditionShape, ExpectedAttributeValue},
    },
};

/// The condition that `Expected` and `ConditionalOperator` make, if there is one.
pub(in crate::operation) fn expected(
    layer: Layer,
    expected: Option<Vec<(String, ExpectedAttributeValue)>>,
    operator: Option<&str>,
) -> Result<Option<BoundCondition>, Error> {
    check_operator(layer, expected.as_ref().map(Vec::len), operator)?;
    let tests = expected
        .unwrap_or_default()
        .into_iter()
        .map(|(attribute, expected)| expectation(layer, attribute, expected))
        .collect::<Result<Vec<_>, Error>>()?;
    condition(layer, ExpressionKind::Condition, tests, operator)
}

/// The condition that `QueryFilter` or `ScanFilter` and `ConditionalOperator` make, if there is one,
/// and the attributes it reads.
pub(in crate::operation) fn filter(
    layer: Layer,
    filter: Option<Vec<(String, ConditionShape)>>,
    operator: Option<&str>,
) -> Result<Option<BoundCondition>, Error> {
    let count = filter.as_ref().map(Vec::len);
    if !layer.reads_values_first() {
        check_operator(layer, count, operator)?;
    }
    let tests = filter
        .unwrap_or_default()
        .into_iter()
        .map(|(attribute, condition)| read(layer, attribute, condition))
        .collect::<Result<Vec<_>, Error>>()?;
    if layer.reads_values_first() {
        check_operator(layer, count, operator)?;
    }
    for test in &tests {
        test.check().map_err(|error| layer.refuse(error))?;
    }
    condition(layer, ExpressionKind::Filter, tests, operator)
}

/// A comparison operator and its arguments.
pub(super) fn test(
    layer: Layer,
    attribute: String,
    condition: ConditionShape,
) -> Result<Test, Error> {
    let test = read(layer, attribute, condition)?;
    test.check().map_err(|error| layer.refuse(error))?;
    Ok(test)
}

/// The same, with arguments that may not fit the operator.
fn read(layer: Layer, attribute: String, condition: ConditionShape) -> Result<Test, Error> {
    layer.attribute_name(&attribute)?;
    Ok(Test {
        attribute,
        arguments: layer.values(condition.attribute_value_list.unwrap_or_default())?,
        comparison: comparison(condition.comparison_operator.as_deref()),
    })
}

/// Other names are refused by the model's constraints.
fn comparison(name: Option<&str>) -> Comparison {
    name.and_then(Comparison::from_name)
        .unwrap_or(Comparison::Eq)
}

/// What is expected of one attribute: either a comparison, or the older pair of `Exists` and `Value`.
fn expectation(
    layer: Layer,
    attribute: String,
    expected: ExpectedAttributeValue,
) -> Result<Test, Error> {
    layer.attribute_name(&attribute)?;
    let refuse = |error: LegacyError| layer.refuse(error);
    let name = || attribute.as_str().into();
    let value = expected.value.map(|value| layer.value(value)).transpose()?;
    let list = expected
        .attribute_value_list
        .map(|list| layer.values(list))
        .transpose()?;
    let (comparison, arguments) = match (expected.comparison_operator.as_deref(), value, list) {
        (Some(_), Some(_), Some(_)) => return Err(refuse(LegacyError::ValueTwice(name()))),
        (Some(_), _, _) if expected.exists.is_some() => {
            return Err(refuse(LegacyError::ExistsWithOperator(name())));
        }
        (Some(operator), value, list) => {
            let operator = comparison(Some(operator));
            match (value, list) {
                (Some(value), _) => (operator, vec![value]),
                (None, Some(list)) => (operator, list),
                (None, None) if operator.takes(0) => (operator, Vec::new()),
                (None, None) => {
                    let operator = operator.name();
                    return Err(refuse(LegacyError::NoValue {
                        operator,
                        attribute: name(),
                    }));
                }
            }
        }
        (None, _, Some(_)) => return Err(refuse(LegacyError::ListWithoutOperator(name()))),
        (None, value, None) => match (expected.exists, value) {
            (Some(false), Some(_)) => {
                return Err(refuse(LegacyError::ValueWithoutExists(name())));
            }
            (Some(false), None) => (Comparison::Null, Vec::new()),
            (_, Some(value)) => (Comparison::Eq, vec![value]),
            (exists, None) => {
                let exists = if exists.is_some() { "true" } else { "null" };
                return Err(refuse(LegacyError::ExistsWithoutValue {
                    exists,
                    attribute: name(),
                }));
            }
        },
    };
    let test = Test {
        attribute,
        comparison,
        arguments,
    };
    test.check().map_err(refuse)?;
    Ok(test)
}

/// `ConditionalOperator` joins at least two conditions.
fn check_operator(
    layer: Layer,
    conditions: Option<usize>,
    operator: Option<&str>,
) -> Result<(), Error> {
    match (operator, conditions) {
        (None, _) => Ok(()),
        (Some(_), None | Some(0)) => Err(layer.refuse(Rejection::OperatorAlone)),
        (Some(_), Some(1)) => Err(layer.refuse(Rejection::OperatorForOne)),
        (Some(_), Some(_)) => Ok(()),
    }
}

fn condition(
    layer: Layer,
    kind: ExpressionKind,
    tests: Vec<Test>,
    operator: Option<&str>,
) -> Result<Option<BoundCondition>, Error> {
    let mut values = Values::default();
    let mut predicates: Vec<Predicate> = tests
        .iter()
        .map(|test| test.predicate(&mut values))
        .collect();
    let root = match (predicates.len(), operator) {
        (0, _) => return Ok(None),
        (1, _) => predicates.remove(0),
        (_, Some("OR")) => Predicate::Or(predicates),
        _ => Predicate::And(predicates),
    };
    let (slots, mut placeholders) = values.finish();
    Arc::new(Condition::new(kind, root, slots))
        .bind(&mut placeholders)
        .map(Some)
        .map_err(|error| layer.expression(error))
}
