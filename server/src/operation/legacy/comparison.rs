//! One comparison of an attribute with values: what it may be, and the condition that says the same.

use super::{LegacyError, Values};
use crate::{
    expression::ast::{Call, Comparator, Function, Operand, Path, Predicate},
    item::{Kind, Value},
};

/// `ComparisonOperator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Between,
    In,
    BeginsWith,
    Contains,
    NotContains,
    Null,
    NotNull,
}

impl Comparison {
    const ALL: [(Self, &'static str); 13] = [
        (Self::Eq, "EQ"),
        (Self::Ne, "NE"),
        (Self::Lt, "LT"),
        (Self::Le, "LE"),
        (Self::Gt, "GT"),
        (Self::Ge, "GE"),
        (Self::Between, "BETWEEN"),
        (Self::In, "IN"),
        (Self::BeginsWith, "BEGINS_WITH"),
        (Self::Contains, "CONTAINS"),
        (Self::NotContains, "NOT_CONTAINS"),
        (Self::Null, "NULL"),
        (Self::NotNull, "NOT_NULL"),
    ];

    /// The operator of that name. Others are refused by the model's constraints.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(_, known)| *known == name)
            .map(|(operator, _)| operator)
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(operator, _)| *operator == self)
            .map_or("", |(_, name)| name)
    }

    /// Whether it compares with so many values.
    pub(super) fn takes(self, count: usize) -> bool {
        match self {
            Self::Null | Self::NotNull => count == 0,
            Self::Between => count == 2,
            Self::In => count > 0,
            _ => count == 1,
        }
    }

    /// Which types its values may have (API reference, `Condition`, `ComparisonOperator`).
    fn accepts(self, kind: Kind) -> bool {
        let scalar = matches!(kind, Kind::S | Kind::N | Kind::B);
        match self {
            Self::Eq | Self::Ne | Self::Null | Self::NotNull => true,
            Self::Lt | Self::Le | Self::Gt | Self::Ge | Self::Between | Self::In => scalar,
            Self::BeginsWith => matches!(kind, Kind::S | Kind::B),
            Self::Contains | Self::NotContains => scalar || matches!(kind, Kind::Bool | Kind::Null),
        }
    }

    /// The comparator of the expression language, for those operators that are one.
    fn comparator(self) -> Option<Comparator> {
        Some(match self {
            Self::Eq => Comparator::Equal,
            Self::Ne => Comparator::NotEqual,
            Self::Lt => Comparator::Less,
            Self::Le => Comparator::LessOrEqual,
            Self::Gt => Comparator::Greater,
            Self::Ge => Comparator::GreaterOrEqual,
            _ => return None,
        })
    }
}

/// What is asked of one attribute.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) attribute: String,
    pub(super) comparison: Comparison,
    pub(super) arguments: Vec<Value>,
}

impl Test {
    /// Checks number and types of the arguments.
    pub(super) fn check(&self) -> Result<(), LegacyError> {
        let operator = self.comparison.name();
        if !self.comparison.takes(self.arguments.len()) {
            return Err(LegacyError::ArgumentCount { operator });
        }
        let mut kinds = self.arguments.iter().map(Value::kind);
        let Some(first) = kinds.next() else {
            return Ok(());
        };
        if kinds.any(|kind| kind != first) {
            return Err(LegacyError::ArgumentTypes);
        }
        if !self.comparison.accepts(first) {
            return Err(LegacyError::ArgumentType {
                operator,
                kind: first.name(),
            });
        }
        match (self.comparison, self.arguments.as_slice()) {
            (Comparison::Between, [lower, upper]) if lower.as_ref() > upper.as_ref() => {
                Err(LegacyError::BetweenOrder)
            }
            _ => Ok(()),
        }
    }

    /// The condition that says the same.
    pub(super) fn predicate(&self, values: &mut Values) -> Predicate {
        let path = || Operand::Path(Path::attribute(&self.attribute));
        let mut operands: Vec<Operand> = self
            .arguments
            .iter()
            .map(|value| Operand::Value(values.slot(value)))
            .collect();
        let call = |function, operands: Vec<Operand>| {
            let operands = std::iter::once(path()).chain(operands).collect();
            Predicate::Call(Call { function, operands })
        };
        if let (Some(comparator), [_]) = (self.comparison.comparator(), operands.as_slice()) {
            let right = operands.remove(0);
            return Predicate::Compare {
                comparator,
                left: path(),
                right,
            };
        }
        match self.comparison {
            Comparison::Between if operands.len() == 2 => {
                let (lower, upper) = (operands.remove(0), operands.remove(0));
                Predicate::Between {
                    operand: path(),
                    lower,
                    upper,
                }
            }
            Comparison::In => Predicate::In {
                operand: path(),
                candidates: operands,
            },
            Comparison::BeginsWith => call(Function::BeginsWith, operands),
            Comparison::Contains => call(Function::Contains, operands),
            Comparison::NotContains => Predicate::And(vec![
                call(Function::AttributeExists, Vec::new()),
                Predicate::Not(Box::new(call(Function::Contains, operands))),
            ]),
            Comparison::Null => call(Function::AttributeNotExists, Vec::new()),
            _ => call(Function::AttributeExists, Vec::new()),
        }
    }
}
