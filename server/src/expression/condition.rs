//! Conditions and filters: what they are, binding them, and whether an item satisfies them.

mod check;
mod evaluate;

use std::fmt;
use std::sync::Arc;

pub(super) use self::check::{check, check_call_count, required_path};
use super::ast::{Operand, Path, Predicate, Printed, Slots};
use super::binding::{self, Bindings};
use super::error::{ExpressionError, ExpressionKind, SchemaError};
use super::parser;
use super::placeholders::Placeholders;
use crate::item::ItemRef;

/// A parsed `ConditionExpression` or `FilterExpression`, or what legacy parameters say in their
/// stead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    kind: ExpressionKind,
    root: Predicate,
    slots: Slots,
}

impl Condition {
    /// Parses the text; `kind` is what errors call it.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the text alone.
    pub fn parse(text: &str, kind: ExpressionKind) -> Result<Self, ExpressionError> {
        let (root, slots) = parser::predicate(text, kind)?;
        Ok(Self { kind, root, slots })
    }

    /// A condition that no text stands for.
    #[must_use]
    pub fn new(kind: ExpressionKind, root: Predicate, slots: Slots) -> Self {
        Self { kind, root, slots }
    }

    /// What has to hold.
    #[must_use]
    pub fn root(&self) -> &Predicate {
        &self.root
    }

    /// The placeholders of [`Condition::root`].
    #[must_use]
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Binds it to the placeholders of a request.
    ///
    /// # Errors
    ///
    /// Undefined placeholders and operands that do not fit, clause by clause in the order they are
    /// written.
    pub fn bind(
        self: &Arc<Self>,
        placeholders: &mut Placeholders,
    ) -> Result<BoundCondition, ExpressionError> {
        let (bindings, undefined) = binding::bind(&self.slots, placeholders);
        check(&self.root, &bindings, &undefined)
            .map_err(|reason| reason.in_expression(self.kind))?;
        Ok(BoundCondition {
            condition: Arc::clone(self),
            bindings,
        })
    }
}

/// The expression, as it might have been written.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printed(&self.root, &self.slots).fmt(f)
    }
}

/// A condition that can be evaluated. Owns all it needs, so that it can go to another thread.
#[derive(Clone, Debug)]
pub struct BoundCondition {
    condition: Arc<Condition>,
    bindings: Bindings,
}

impl BoundCondition {
    /// Whether the item satisfies the condition; an item that does not exist has no attributes.
    ///
    /// There is no third truth value: a comparison with something missing is false, except that `<>`
    /// is true (recorded answers: `tests/tier1/putItem/conditions.test.ts`).
    #[must_use]
    pub fn evaluate(&self, item: Option<ItemRef<'_>>) -> bool {
        evaluate::evaluate(&self.condition.root, &self.bindings, item)
    }

    /// The names of the attributes it reads, in order of appearance, as often as they appear.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        let mut paths = Vec::new();
        collect_paths(&self.condition.root, &mut paths);
        paths.into_iter().map(|path| self.bindings.attribute(path))
    }

    /// Refuses a filter that reads the primary key of what is queried, as Query does.
    ///
    /// # Errors
    ///
    /// [`SchemaError::FilterOnKey`] for the first such attribute.
    pub fn check_filter(&self, keys: &[&str]) -> Result<(), ExpressionError> {
        match self.attributes().find(|name| keys.contains(name)) {
            Some(name) => Err(SchemaError::FilterOnKey {
                attribute: name.to_owned(),
            }
            .into()),
            None => Ok(()),
        }
    }
}

/// All paths of a condition.
fn collect_paths<'a>(predicate: &'a Predicate, paths: &mut Vec<&'a Path>) {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().for_each(|part| collect_paths(part, paths));
        }
        Predicate::Not(part) => collect_paths(part, paths),
        leaf => operands(leaf).for_each(|operand| collect_operand_paths(operand, paths)),
    }
}

fn collect_operand_paths<'a>(operand: &'a Operand, paths: &mut Vec<&'a Path>) {
    match operand {
        Operand::Path(path) => paths.push(path),
        Operand::Value(_) => {}
        Operand::Call(call) => {
            call.operands
                .iter()
                .for_each(|operand| collect_operand_paths(operand, paths));
        }
    }
}

/// The operands of a leaf, in the order they are written.
fn operands(leaf: &Predicate) -> impl Iterator<Item = &Operand> {
    let (first, rest): (Vec<&Operand>, &[Operand]) = match leaf {
        Predicate::And(_) | Predicate::Or(_) | Predicate::Not(_) => (Vec::new(), &[]),
        Predicate::Compare { left, right, .. } => (vec![left, right], &[]),
        Predicate::Between {
            operand,
            lower,
            upper,
        } => (vec![operand, lower, upper], &[]),
        Predicate::In {
            operand,
            candidates,
        } => (vec![operand], candidates),
        Predicate::Call(call) => (Vec::new(), &call.operands),
    };
    first.into_iter().chain(rest)
}
