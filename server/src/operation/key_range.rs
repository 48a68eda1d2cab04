//! The entries that a key condition selects under the key of a table or index.

use crate::{
    expression::{self, ExpressionError, KeyClause, KeySelection, KeyTest},
    item::{Kind, Value},
    plan::{Rejection, key},
    store::{
        KeyRange, KeyspaceId,
        layout::{self, SortCondition},
    },
    table::{KeyAttribute, KeySchema, ScalarType},
};

/// Matches the clauses of a key condition with a key schema.
///
/// # Errors
/// Clauses that do not fit the schema.
pub(super) fn select(
    clauses: &[KeyClause],
    schema: &KeySchema,
) -> Result<KeySelection, ExpressionError> {
    let (hash, range) = (attributes(schema.partition()), attributes(schema.sort()));
    expression::select(
        clauses,
        expression::KeySchema {
            hash: &hash,
            range: &range,
        },
    )
}

/// That no item's key is too short for what a selection looks for.
///
/// # Errors
/// The refusal of a key of that size.
pub(super) fn check_sizes(selection: &KeySelection) -> Result<(), Rejection> {
    let size = |value: &Value| value.as_ref().size();
    let tested = match &selection.sort {
        None => 0,
        Some(KeyTest::Between(low, high)) => size(low).max(size(high)),
        Some(
            KeyTest::Equal(value)
            | KeyTest::Less(value)
            | KeyTest::LessOrEqual(value)
            | KeyTest::Greater(value)
            | KeyTest::GreaterOrEqual(value)
            | KeyTest::BeginsWith(value),
        ) => size(value),
    };
    let partition = selection.partition.iter().map(size).sum();
    let prefix: usize = selection.sort_prefix.iter().map(size).sum();
    key::check_compared(partition, prefix + tested)
}

/// The entries that a selection means; `None` if a value of it cannot be part of a key.
pub(super) fn entries(keyspace: KeyspaceId, selection: &KeySelection) -> Option<KeyRange> {
    layout::partition_range(
        keyspace,
        selection.partition.iter().map(|value| value.as_ref()),
        selection.sort_prefix.iter().map(|value| value.as_ref()),
        selection.sort.as_ref().map(sort_condition),
    )
}

fn attributes(keys: &[KeyAttribute]) -> Vec<expression::KeyAttribute<'_>> {
    keys.iter()
        .map(|key| expression::KeyAttribute {
            name: &key.name,
            kind: match key.scalar {
                ScalarType::S => Kind::S,
                ScalarType::N => Kind::N,
                ScalarType::B => Kind::B,
            },
        })
        .collect()
}

fn sort_condition(test: &KeyTest) -> SortCondition<'_> {
    match test {
        KeyTest::Equal(value) => SortCondition::Equal(value.as_ref()),
        KeyTest::Less(value) => SortCondition::Less(value.as_ref()),
        KeyTest::LessOrEqual(value) => SortCondition::LessOrEqual(value.as_ref()),
        KeyTest::Greater(value) => SortCondition::Greater(value.as_ref()),
        KeyTest::GreaterOrEqual(value) => SortCondition::GreaterOrEqual(value.as_ref()),
        KeyTest::Between(low, high) => SortCondition::Between(low.as_ref(), high.as_ref()),
        KeyTest::BeginsWith(value) => SortCondition::BeginsWith(value.as_ref()),
    }
}
