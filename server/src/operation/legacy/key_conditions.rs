//! `KeyConditions` as the clauses of a key condition.

use super::{
    LegacyError,
    comparison::{Comparison, Test},
    conditions::test,
};
use crate::{
    expression::{KeyClause, KeyTest},
    operation::layer::Layer,
    wire::{Error, shapes::Condition},
};

/// The clauses that `KeyConditions` make.
pub(in crate::operation) fn key_conditions(
    layer: Layer,
    conditions: Vec<(String, Condition)>,
) -> Result<Vec<KeyClause>, Error> {
    conditions
        .into_iter()
        .map(|(attribute, condition)| {
            let test = test(layer, attribute, condition)?;
            clause(test).map_err(|error| layer.refuse(error))
        })
        .collect()
}

/// Only comparisons that select one stretch of the key's order can be key conditions.
fn clause(test: Test) -> Result<KeyClause, LegacyError> {
    let mut arguments = test.arguments.into_iter();
    let (Some(first), second) = (arguments.next(), arguments.next()) else {
        return Err(LegacyError::NotIndexable);
    };
    let key_test = match (test.comparison, second) {
        (Comparison::Eq, None) => KeyTest::Equal(first),
        (Comparison::Lt, None) => KeyTest::Less(first),
        (Comparison::Le, None) => KeyTest::LessOrEqual(first),
        (Comparison::Gt, None) => KeyTest::Greater(first),
        (Comparison::Ge, None) => KeyTest::GreaterOrEqual(first),
        (Comparison::BeginsWith, None) => KeyTest::BeginsWith(first),
        (Comparison::Between, Some(second)) => KeyTest::Between(first, second),
        _ => return Err(LegacyError::NotIndexable),
    };
    Ok(KeyClause {
        attribute: test.attribute,
        test: key_test,
    })
}
