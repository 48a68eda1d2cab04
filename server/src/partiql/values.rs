//! The values of a statement: its literals, and what they hold of the parameters.

use std::fmt::Write;

use super::{
    ast::{Expr, Node},
    error::StatementError,
};
use crate::item::{Kind, MAX_NESTING, Number, Value, ValueError, ValueRef};

/// A value that a statement writes down.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Constant {
    /// It is known.
    Value(Value),
    /// There are parameters in it.
    Open(Expr),
}

impl Constant {
    /// The value that an expression writes down.
    ///
    /// # Errors
    /// What DynamoDB refuses as a value, or has no type for.
    pub(super) fn of(expr: Expr) -> Result<Self, StatementError> {
        match has_parameter(&expr) {
            true => Ok(Self::Open(expr)),
            false => evaluate(&expr, &[]).map(Self::Value),
        }
    }

    /// The value with these parameters.
    ///
    /// # Errors
    /// As [`Constant::of`].
    pub(super) fn value(&self, parameters: &[Value]) -> Result<Value, StatementError> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Open(expr) => evaluate(expr, parameters),
        }
    }
}

/// Whether an expression writes a value down.
pub(super) fn is_value(expr: &Expr) -> bool {
    matches!(
        expr.node,
        Node::Null
            | Node::Boolean(_)
            | Node::String(_)
            | Node::Number(_)
            | Node::Parameter(_)
            | Node::List(_)
            | Node::Bag(_)
            | Node::Struct(_)
    )
}

fn has_parameter(expr: &Expr) -> bool {
    match &expr.node {
        Node::Parameter(_) => true,
        Node::List(parts) | Node::Bag(parts) => parts.iter().any(has_parameter),
        Node::Struct(entries) => entries.iter().any(|(_, value)| has_parameter(value)),
        _ => false,
    }
}

fn evaluate(expr: &Expr, parameters: &[Value]) -> Result<Value, StatementError> {
    let mut path = String::from("root");
    let value = value(expr, parameters, &mut path)?;
    if value.as_ref().depth() > MAX_NESTING {
        return Err(StatementError::Value(ValueError::TooDeep));
    }
    Ok(value)
}

fn value(expr: &Expr, parameters: &[Value], path: &mut String) -> Result<Value, StatementError> {
    Ok(match &expr.node {
        Node::Null => Value::null(),
        Node::Boolean(value) => Value::boolean(*value),
        Node::String(text) => Value::string(text),
        Node::Number(text) => {
            let number = Number::parse(text).map_err(|error| StatementError::Number {
                error,
                path: path.as_str().into(),
            });
            Value::number(number?)
        }
        Node::Parameter(place) => parameters
            .get(*place)
            .cloned()
            .ok_or(StatementError::ParameterCount)?,
        Node::List(parts) => {
            let parts = elements(parts, parameters, path)?;
            Value::list(parts.iter().map(Value::as_ref))
        }
        Node::Bag(parts) => set(&elements(parts, parameters, path)?)?,
        Node::Struct(entries) => {
            let mut values = Vec::with_capacity(entries.len());
            for (name, entry) in entries {
                let name = self::name(name)?;
                let length = path.len();
                path.push('.');
                path.push_str(name);
                values.push((name, value(entry, parameters, path)?));
                path.truncate(length);
            }
            Value::map(values.iter().map(|(name, value)| (*name, value.as_ref())))
        }
        other => {
            return Err(StatementError::DataType {
                name: match other {
                    Node::Call(name, _) => name.clone(),
                    other => node_name(other).to_ascii_lowercase().into(),
                },
                at: expr.at,
            });
        }
    })
}

/// The values of a list or bag.
fn elements(
    parts: &[Expr],
    parameters: &[Value],
    path: &mut String,
) -> Result<Vec<Value>, StatementError> {
    let mut values = Vec::with_capacity(parts.len());
    for (place, part) in parts.iter().enumerate() {
        let length = path.len();
        // Writing to a string does not fail.
        let _ = write!(path, "[{place}]");
        values.push(value(part, parameters, path)?);
        path.truncate(length);
    }
    Ok(values)
}

/// The name of an attribute or of an entry of a map.
pub(super) fn name(expr: &Expr) -> Result<&str, StatementError> {
    match &expr.node {
        Node::String(name) if name.is_empty() => Err(StatementError::Value(ValueError::EmptyName)),
        Node::String(name) => Ok(name),
        other => Err(StatementError::DataType {
            name: node_name(other).to_ascii_lowercase().into(),
            at: expr.at,
        }),
    }
}

fn set(elements: &[Value]) -> Result<Value, StatementError> {
    let Some(kind) = elements.first().map(Value::kind) else {
        return Err(StatementError::EmptyBag);
    };
    let set_kind = kind.set().ok_or(StatementError::BagElements)?;
    if elements.iter().any(|element| element.kind() != kind) {
        return Err(StatementError::BagElements);
    }
    let set = Value::set(elements.iter().map(Value::as_ref)).ok_or(StatementError::BagElements)?;
    let distinct = set.as_ref().as_set().map_or(0, |set| set.len());
    if distinct < elements.len() {
        let elements = elements.iter().map(|element| bytes(element.as_ref()));
        return Err(StatementError::Value(ValueError::RepeatedElement {
            kind: set_kind,
            elements: elements.collect(),
        }));
    }
    Ok(set)
}

/// An element as [`ValueError::RepeatedElement`] has it.
fn bytes(element: ValueRef<'_>) -> Vec<u8> {
    match element.kind() {
        Kind::S => element.as_str().unwrap_or_default().as_bytes().to_vec(),
        Kind::B => element.as_binary().unwrap_or_default().to_vec(),
        _ => element
            .as_number()
            .map_or_else(Vec::new, |number| number.as_bytes().to_vec()),
    }
}

/// A node as PartiQL's tree calls it.
pub(super) fn node_name(node: &Node) -> &'static str {
    use crate::expression::ast::Comparator;

    match node {
        Node::Null | Node::Boolean(_) | Node::String(_) | Node::Number(_) => "Lit",
        Node::Missing => "Missing",
        Node::Parameter(_) => "Parameter",
        Node::List(_) => "List",
        Node::Bag(_) => "Bag",
        Node::Struct(_) => "Struct",
        Node::Path(steps) if steps.len() == 1 => "Id",
        Node::Path(_) => "Path",
        Node::Call(..) => "Call",
        Node::CountAll => "CallAgg",
        Node::And(_) => "And",
        Node::Or(_) => "Or",
        Node::Not(_) => "Not",
        Node::Compare(comparator, ..) => match comparator {
            Comparator::Equal => "Eq",
            Comparator::NotEqual => "Ne",
            Comparator::Less => "Lt",
            Comparator::LessOrEqual => "Lte",
            Comparator::Greater => "Gt",
            Comparator::GreaterOrEqual => "Gte",
        },
        Node::Between(..) => "Between",
        Node::In(..) => "InCollection",
        Node::Is(..) => "IsType",
        Node::Arithmetic(super::ast::Sign::Plus, ..) => "Plus",
        Node::Arithmetic(super::ast::Sign::Minus, ..) => "Minus",
        Node::Other(name) => name,
        Node::Statement(_) => "Select",
    }
}
