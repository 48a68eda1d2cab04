//! What a statement comes to, and binding it to the parameters of a request.

use std::sync::Arc;

use super::{
    ast::{Direction, Position, Returned},
    columns::Columns,
    error::StatementError,
    lower, parser,
    values::Constant,
};
use crate::{
    expression::{self, Condition, Placeholders},
    item::{Item, Kind, Value},
};

/// A statement. It depends on its text alone.
#[derive(Debug)]
pub struct Statement {
    pub(super) body: Body,
    /// The values it writes down; `:n` in its trees is the n-th.
    pub(super) constants: Vec<Constant>,
    /// Those of them that have to be sets, with the function that wants it.
    pub(super) sets: Vec<SetArgument>,
    /// The number of its `?`.
    pub(super) parameters: usize,
}

/// The second argument of `set_add` or `set_delete`.
#[derive(Debug)]
pub(super) struct SetArgument {
    pub(super) constant: usize,
    pub(super) function: &'static str,
    /// Where the first argument stands.
    pub(super) at: Position,
}

/// What a statement does.
#[derive(Debug)]
pub enum Body {
    /// Reads items.
    Select(Select),
    /// Checks an item, in a transaction.
    Exists(Select),
    /// Makes an item.
    Insert(Insert),
    /// Changes an item.
    Update(Update),
    /// Removes an item.
    Delete(Delete),
}

/// SELECT.
#[derive(Debug)]
pub struct Select {
    /// The table's name or ARN.
    pub table: Box<str>,
    /// The index's name.
    pub index: Option<Box<str>>,
    /// What is returned of each item, `None` for all of it. What is wrong with it is found after the
    /// table and the index.
    pub columns: Result<Option<Columns>, StatementError>,
    /// WHERE.
    pub condition: Option<Arc<Condition>>,
    /// ORDER BY.
    pub order: Vec<Order>,
}

/// One key of ORDER BY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The attribute.
    pub attribute: Box<str>,
    /// From which end.
    pub direction: Direction,
}

/// INSERT.
#[derive(Debug)]
pub struct Insert {
    /// The table's name or ARN.
    pub table: Box<str>,
    /// The item's attributes: names, and places among the statement's values.
    pub(super) attributes: Vec<(Box<str>, usize)>,
}

/// UPDATE.
#[derive(Debug)]
pub struct Update {
    /// The table's name or ARN.
    pub table: Box<str>,
    /// What is changed.
    pub update: Arc<expression::Update>,
    /// WHERE.
    pub condition: Option<Arc<Condition>>,
    /// RETURNING.
    pub returning: Option<Returned>,
}

/// DELETE.
#[derive(Debug)]
pub struct Delete {
    /// The table's name or ARN.
    pub table: Box<str>,
    /// WHERE.
    pub condition: Option<Arc<Condition>>,
    /// RETURNING.
    pub returning: Option<Returned>,
}

impl Statement {
    /// Parses the text.
    ///
    /// # Errors
    /// Whatever is wrong with the text alone.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        lower::statement(parser::parse(text)?)
    }

    /// What it does.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Whether it only reads. EXISTS goes with the writes.
    #[must_use]
    pub fn is_read(&self) -> bool {
        matches!(self.body, Body::Select(_))
    }

    /// How many parameters it takes.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.parameters
    }

    /// Binds it to the parameters of a request.
    ///
    /// # Errors
    /// Another number of parameters than the statement has; parameters that cannot be where they are.
    pub fn bind(&self, parameters: &[Value]) -> Result<Bound, StatementError> {
        if parameters.len() != self.parameters {
            return Err(StatementError::ParameterCount);
        }
        let values = self
            .constants
            .iter()
            .map(|constant| constant.value(parameters))
            .collect::<Result<Vec<Value>, _>>()?;
        for argument in &self.sets {
            let kind = values.get(argument.constant).map(Value::kind);
            if !matches!(kind, Some(Kind::SS | Kind::NS | Kind::BS)) {
                return Err(StatementError::SetArgument {
                    name: argument.function,
                    at: argument.at,
                });
            }
        }
        let named = values.iter().enumerate();
        let named = named.map(|(place, value)| (lower::placeholder(place), value.clone()));
        Ok(Bound {
            placeholders: Placeholders::of_values(named.collect()),
            values,
        })
    }
}

/// The values of a statement in one request.
#[derive(Debug)]
pub struct Bound {
    /// What the statement's trees are bound to.
    pub placeholders: Placeholders,
    values: Vec<Value>,
}

impl Insert {
    /// The item.
    #[must_use]
    pub fn item(&self, bound: &Bound) -> Item {
        self.attributes
            .iter()
            .filter_map(|(name, place)| Some((name, bound.values.get(*place)?.as_ref())))
            .collect()
    }
}
