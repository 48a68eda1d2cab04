//! Key conditions: what a Query may ask of the key, and what that selects under a key schema.
//!
//! A key condition is a condition of which only a small part of the language is allowed: comparisons
//! of key attributes with values, joined by AND. It is bound like any condition, then taken apart
//! into one [`KeyClause`] per attribute; the clauses are matched with a key schema of any number of
//! HASH and RANGE attributes.

use std::fmt;
use std::sync::Arc;

use super::ast::{Call, Comparator, Function, Operand, Path, Predicate, Printed, Slots};
use super::binding::{self, Bindings};
use super::condition;
use super::error::{ExpressionError, ExpressionKind, KeyConditionError, Reason, SchemaError};
use super::parser;
use super::placeholders::Placeholders;
use crate::item::{Kind, Value};

/// A parsed `KeyConditionExpression`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCondition {
    root: Predicate,
    slots: Slots,
}

/// What is asked of one key attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyClause {
    /// The attribute.
    pub attribute: String,
    /// What it has to be.
    pub test: KeyTest,
}

/// A comparison with a key attribute on its left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyTest {
    /// `=`
    Equal(Value),
    /// `<`
    Less(Value),
    /// `<=`
    LessOrEqual(Value),
    /// `>`
    Greater(Value),
    /// `>=`
    GreaterOrEqual(Value),
    /// Both bounds are included.
    Between(Value, Value),
    /// `begins_with`
    BeginsWith(Value),
}

impl KeyTest {
    /// The value that the attribute has to be equal to, if that is what is asked.
    #[must_use]
    pub fn equal(&self) -> Option<&Value> {
        match self {
            Self::Equal(value) => Some(value),
            _ => None,
        }
    }

    /// The values compared with.
    fn values(&self) -> impl Iterator<Item = &Value> {
        let (first, second) = match self {
            Self::Equal(value)
            | Self::Less(value)
            | Self::LessOrEqual(value)
            | Self::Greater(value)
            | Self::GreaterOrEqual(value)
            | Self::BeginsWith(value) => (value, None),
            Self::Between(lower, upper) => (lower, Some(upper)),
        };
        std::iter::once(first).chain(second)
    }
}

/// An attribute of a key schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAttribute<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type: S, N or B.
    pub kind: Kind,
}

/// The key schema of a table or index. Global secondary indexes have up to four attributes of each
/// kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySchema<'a> {
    /// The HASH attributes, in the order of the schema. At least one.
    pub hash: &'a [KeyAttribute<'a>],
    /// The RANGE attributes, in the order of the schema.
    pub range: &'a [KeyAttribute<'a>],
}

/// What a key condition selects: one partition, and a contiguous part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySelection {
    /// The values of the HASH attributes, in the order of the schema.
    pub partition: Vec<Value>,
    /// The values of the first RANGE attributes, those that are compared for equality.
    pub sort_prefix: Vec<Value>,
    /// What is asked of the RANGE attribute after those; never [`KeyTest::Equal`].
    pub sort: Option<KeyTest>,
}

impl KeyCondition {
    /// Parses the text.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the text alone.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let (root, slots) = parser::predicate(text, ExpressionKind::KeyCondition)?;
        Ok(Self { root, slots })
    }

    /// A key condition that no text stands for.
    #[must_use]
    pub fn new(root: Predicate, slots: Slots) -> Self {
        Self { root, slots }
    }

    /// Binds it to the placeholders of a request and takes it apart, one clause per attribute.
    ///
    /// # Errors
    ///
    /// First what can be wrong with any condition, then what key conditions may not do, each in the
    /// order of the text.
    pub fn bind(
        self: &Arc<Self>,
        placeholders: &mut Placeholders,
    ) -> Result<Vec<KeyClause>, ExpressionError> {
        let (bindings, undefined) = binding::bind(&self.slots, placeholders);
        condition::check(&self.root, &bindings, &undefined).map_err(invalid)?;
        let mut clauses = Vec::new();
        collect(&self.root, &bindings, &mut clauses)?;
        Ok(clauses)
    }
}

/// The expression, as it might have been written.
impl fmt::Display for KeyCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printed(&self.root, &self.slots).fmt(f)
    }
}

fn invalid(reason: Reason) -> ExpressionError {
    reason.in_expression(ExpressionKind::KeyCondition)
}

/// Takes a condition apart.
fn collect(
    predicate: &Predicate,
    bindings: &Bindings,
    clauses: &mut Vec<KeyClause>,
) -> Result<(), ExpressionError> {
    let refuse = |operator| Err(KeyConditionError::Operator { operator }.into());
    let clause = match predicate {
        Predicate::And(parts) => {
            return parts
                .iter()
                .try_for_each(|part| collect(part, bindings, clauses));
        }
        Predicate::Or(_) => return refuse("OR"),
        Predicate::Not(_) => return refuse("NOT"),
        Predicate::In { .. } => return refuse("IN"),
        Predicate::Compare {
            comparator: Comparator::NotEqual,
            ..
        } => return refuse("<>"),
        Predicate::Call(call) if call.function != Function::BeginsWith => {
            return refuse(call.function.name());
        }
        Predicate::Compare {
            comparator,
            left,
            right,
        } => compare(*comparator, left, right, bindings)?,
        Predicate::Between {
            operand,
            lower,
            upper,
        } => {
            let path = first_path("BETWEEN", operand)?;
            let [lower, upper] = values_after(path, [lower, upper], bindings)?;
            clause(path, KeyTest::Between(lower, upper), bindings)
        }
        Predicate::Call(Call { operands, .. }) => {
            let [operand, prefix] = operands.as_slice() else {
                return refuse(Function::BeginsWith.name());
            };
            let path = first_path(Function::BeginsWith.name(), operand)?;
            let [prefix] = values_after(path, [prefix], bindings)?;
            clause(path, KeyTest::BeginsWith(prefix), bindings)
        }
    };
    if clauses
        .iter()
        .any(|known| known.attribute == clause.attribute)
    {
        return Err(invalid(Reason::RepeatedKey));
    }
    clauses.push(clause);
    Ok(())
}

fn clause(path: &Path, test: KeyTest, bindings: &Bindings) -> KeyClause {
    KeyClause {
        attribute: bindings.attribute(path).to_owned(),
        test,
    }
}

/// A comparison, whichever side the attribute is on.
fn compare(
    comparator: Comparator,
    left: &Operand,
    right: &Operand,
    bindings: &Bindings,
) -> Result<KeyClause, ExpressionError> {
    let (path, value, comparator) = match (left, right) {
        (Operand::Path(path), value) => (path, value, comparator),
        (Operand::Call(_), _) => return Err(invalid(Reason::NestedOperation)),
        (value, Operand::Path(path)) => (path, value, comparator.mirrored()),
        (_, Operand::Call(_)) => return Err(invalid(Reason::NestedOperation)),
        (Operand::Value(_), Operand::Value(_)) => {
            return Err(KeyConditionError::NoAttribute.into());
        }
    };
    let [value] = values_after(path, [value], bindings)?;
    let test = match comparator {
        Comparator::Less => KeyTest::Less(value),
        Comparator::LessOrEqual => KeyTest::LessOrEqual(value),
        Comparator::Greater => KeyTest::Greater(value),
        Comparator::GreaterOrEqual => KeyTest::GreaterOrEqual(value),
        Comparator::Equal | Comparator::NotEqual => KeyTest::Equal(value),
    };
    Ok(clause(path, test, bindings))
}

/// The first operand of BETWEEN and `begins_with`, which has to be the attribute.
fn first_path<'o>(
    operator: &'static str,
    operand: &'o Operand,
) -> Result<&'o Path, ExpressionError> {
    match operand {
        Operand::Path(path) => Ok(path),
        _ => Err(KeyConditionError::AttributeNotFirst { operator }.into()),
    }
}

/// The other operands, which have to be values; and the attribute has to be a top-level one.
fn values_after<const N: usize>(
    path: &Path,
    operands: [&Operand; N],
    bindings: &Bindings,
) -> Result<[Value; N], ExpressionError> {
    if path.0.len() > 1 {
        return Err(invalid(Reason::NestedKey));
    }
    for operand in operands {
        match operand {
            Operand::Path(_) => return Err(KeyConditionError::SeveralAttributes.into()),
            Operand::Call(_) => return Err(invalid(Reason::NestedOperation)),
            Operand::Value(_) => {}
        }
    }
    Ok(operands.map(|operand| match operand {
        Operand::Value(slot) => bindings.owned_value(*slot),
        _ => Value::null(),
    }))
}

/// Matches the clauses with a key schema.
///
/// All HASH attributes must be compared for equality. Of the RANGE attributes, any number from the
/// left may have conditions, of which only the last may be another comparison than equality
/// (recorded answers: `tests/tier1/query/multiAttributeGsiKey.test.ts`).
///
/// # Errors
///
/// [`SchemaError`].
pub fn select(
    clauses: &[KeyClause],
    schema: KeySchema<'_>,
) -> Result<KeySelection, ExpressionError> {
    let attributes = schema.hash.len() + schema.range.len();
    if clauses.len() > attributes {
        let conditions = clauses.len();
        return Err(SchemaError::TooManyConditions {
            conditions,
            attributes,
        }
        .into());
    }
    let test = |name: &str| {
        clauses
            .iter()
            .find(|clause| clause.attribute == name)
            .map(|clause| &clause.test)
    };
    let missing = |key: &KeyAttribute<'_>| SchemaError::MissingCondition {
        attribute: key.name.to_owned(),
    };
    let hash = schema
        .hash
        .iter()
        .map(|key| Ok((key, test(key.name).ok_or_else(|| missing(key))?)))
        .collect::<Result<Vec<_>, SchemaError>>()?;
    let range: Vec<_> = schema
        .range
        .iter()
        .map_while(|key| Some((key, test(key.name)?)))
        .collect();
    check_gap(schema, range.len(), test)?;
    if clauses.len() > hash.len() + range.len()
        && let Some(key) = schema.range.get(range.len())
    {
        // A clause names no attribute of the key.
        return Err(missing(key).into());
    }
    let mut partition = Vec::with_capacity(hash.len());
    for (_, test) in &hash {
        match test {
            KeyTest::Equal(value) => partition.push(value.clone()),
            _ => return Err(SchemaError::HashNotEqual.into()),
        }
    }
    for (key, test) in hash.iter().chain(&range) {
        check_values(key, test)?;
    }
    let mut sort_prefix = Vec::with_capacity(range.len());
    let mut sort = None;
    for (_, test) in range {
        match test {
            KeyTest::Equal(value) => sort_prefix.push(value.clone()),
            other => sort = Some(other.clone()),
        }
    }
    Ok(KeySelection {
        partition,
        sort_prefix,
        sort,
    })
}

/// All RANGE attributes before the last one with a condition are compared for equality.
fn check_gap<'t>(
    schema: KeySchema<'_>,
    leading: usize,
    test: impl Fn(&str) -> Option<&'t KeyTest>,
) -> Result<(), SchemaError> {
    let Some(last) = schema
        .range
        .iter()
        .rposition(|key| test(key.name).is_some())
    else {
        return Ok(());
    };
    debug_assert!(leading <= last + 1);
    let attributes: Vec<String> = schema
        .range
        .iter()
        .take(last)
        .filter(|key| !matches!(test(key.name), Some(KeyTest::Equal(_))))
        .map(|key| key.name.to_owned())
        .collect();
    if attributes.is_empty() {
        return Ok(());
    }
    let because = schema
        .range
        .get(last)
        .map(|key| key.name.to_owned())
        .unwrap_or_default();
    Err(SchemaError::RangeNotEqual {
        attributes,
        because,
    })
}

/// The values are of the attribute's type, and could be key values.
fn check_values(key: &KeyAttribute<'_>, test: &KeyTest) -> Result<(), SchemaError> {
    for value in test.values() {
        if value.kind() != key.kind {
            return Err(SchemaError::ConditionType);
        }
    }
    for value in test.values() {
        let kind = match value.kind() {
            Kind::S => "string",
            _ => "binary",
        };
        if matches!(value.kind(), Kind::S | Kind::B) && value.size() == 0 {
            return Err(SchemaError::EmptyKeyValue {
                kind,
                attribute: key.name.to_owned(),
            });
        }
    }
    Ok(())
}
