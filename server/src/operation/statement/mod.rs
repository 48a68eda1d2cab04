//! What the three PartiQL operations have in common: a statement of a request with its values, and
//! the plan it becomes against its table. The plans are those of the other operations.

pub(super) mod read;
mod token;
pub(super) mod write;

use std::sync::Arc;

use super::RequestContext;
use crate::{
    Stator,
    expression::ExpressionError,
    item::{Item, ItemBuilder, Value},
    partiql::{Bound, Statement, StatementError, keys::Whole},
    plan::Rejection,
    table::{KeySchema, Table},
    validation::Violations,
    wire::{Error, Operation, ValueInput},
};

pub(super) use token::Position;

/// Why a statement is refused.
#[derive(Debug)]
pub(super) enum Refused {
    /// For what it says. A transaction tells which statement it is.
    Statement(String),
    /// For anything else.
    Other(Error),
}

impl Refused {
    /// The error of a statement that is alone, or of a batch.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Statement(message) => Error::validation(message),
            Self::Other(error) => error,
        }
    }

    /// The error of a statement of a transaction, counted from zero.
    pub(super) fn in_transaction(self, place: usize) -> Error {
        match self {
            Self::Statement(message) => Error::validation(format!(
                "Validation failed in TransactStatements[{place}]: {message}"
            )),
            Self::Other(error) => error,
        }
    }
}

impl From<StatementError> for Refused {
    fn from(error: StatementError) -> Self {
        Self::Statement(error.to_string())
    }
}

/// A statement has no expressions that could be named.
impl From<ExpressionError> for Refused {
    fn from(error: ExpressionError) -> Self {
        Self::Statement(match error {
            ExpressionError::Invalid { reason, .. } => reason.to_string(),
            other => other.to_string(),
        })
    }
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Self::Other(rejection.into())
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// A statement and its values.
pub(super) struct Prepared {
    pub(super) statement: Arc<Statement>,
    pub(super) bound: Bound,
}

/// Parses a statement and binds it to its parameters. A statement that cannot be parsed is reported
/// before parameters that are none (error-messages/partiqlMultiAttributeIndex).
pub(super) fn prepare(
    stator: &Stator,
    text: Option<&str>,
    parameters: Option<Vec<ValueInput>>,
) -> Result<Prepared, Refused> {
    let statement = stator.statements().get(text.unwrap_or_default())?;
    let parameters = parameters
        .unwrap_or_default()
        .into_iter()
        .map(|input| input.into_value().map_err(StatementError::Value))
        .collect::<Result<Vec<Value>, StatementError>>()
        .map_err(Error::from)?;
    let bound = statement.bind(&parameters)?;
    Ok(Prepared { statement, bound })
}

/// The table that a statement names, or of which it has the ARN. An ARN of something else is taken to
/// be refused as everywhere on the way to an item, since a name that may be an ARN is the same thing
/// there (developer guide, "DynamoDB API operations supported by resource-based policies"); what
/// PartiQL answers to one was never recorded.
fn table(stator: &Stator, context: &RequestContext, name: &str) -> Result<Arc<Table>, Error> {
    let mut violations = Violations::new(Operation::ExecuteStatement);
    violations.arn(name);
    violations.finish(context.wording)?;
    stator.table(context, name)
}

/// The names of a key's attributes.
fn names(schema: &KeySchema) -> Vec<&str> {
    schema.attributes().map(|key| &*key.name).collect()
}

/// The key that a WHERE clause names.
fn key(table: &Table, whole: &Whole, bound: &mut Bound) -> Result<Item, ExpressionError> {
    let clauses = whole.condition.bind(&mut bound.placeholders)?;
    let mut key = ItemBuilder::new();
    for attribute in table.key_schema().attributes() {
        let clause = clauses
            .iter()
            .find(|clause| *clause.attribute == *attribute.name);
        if let Some(value) = clause.and_then(|clause| clause.test.equal()) {
            key.put(&attribute.name, value.as_ref());
        }
    }
    Ok(key.build())
}
