//! What DynamoDB charges an update expression against the limit of 400 KB, besides the item it makes.
//!
//! UpdateItem does not only measure the finished item: what the statement itself writes, and a fixed
//! price for each of its parts, may not exceed the limit either. AWS documents none of it; the prices
//! are those of its recorded answers (`tests/tier3/limits/itemSizeBySurface.test.ts` of the
//! conformance reference, eu-west-2, August to October 2026). They depend on the request alone.

use super::{
    super::{
        ast::{Action, Call, Function, Operand, Path, SetValue},
        binding::{Bindings, Step},
    },
    BoundUpdate,
};

/// The update itself.
const UPDATE: usize = 3;
/// A clause that writes: SET or ADD.
const WRITE: usize = 19;
/// A clause that only removes: REMOVE or DELETE.
const REMOVE: usize = 1;
/// Each element of a target but the first.
const TARGET_ELEMENT: usize = 4;
/// A path that is read.
const OPERAND: usize = 1;
/// Each element of a path that is read.
const OPERAND_ELEMENT: usize = 14;
const PLUS: usize = 34;
const MINUS: usize = 37;
const IF_NOT_EXISTS: usize = 39;
const LIST_APPEND: usize = 37;

impl BoundUpdate {
    /// Bytes that the statement is charged.
    #[must_use]
    pub fn charge(&self) -> usize {
        let clauses = self
            .update
            .actions
            .iter()
            .map(|action| clause(action, &self.bindings));
        UPDATE + clauses.sum::<usize>()
    }
}

fn clause(action: &Action, bindings: &Bindings) -> usize {
    let target = target(action.path(), bindings);
    match action {
        Action::Set(_, value) => WRITE + target + set_value(value, bindings),
        Action::Add(_, value) => WRITE + target + bindings.value(*value).size(),
        Action::Remove(_) | Action::Delete(..) => REMOVE + target,
    }
}

fn set_value(value: &SetValue, bindings: &Bindings) -> usize {
    let of = |operand| operand_charge(operand, bindings);
    match value {
        SetValue::Operand(operand) => of(operand),
        SetValue::Sum(left, right) => PLUS + of(left) + of(right),
        SetValue::Difference(left, right) => MINUS + of(left) + of(right),
    }
}

fn operand_charge(operand: &Operand, bindings: &Bindings) -> usize {
    match operand {
        Operand::Value(slot) => bindings.value(*slot).size(),
        Operand::Path(path) => {
            let elements = bindings
                .steps(path)
                .map(|step| OPERAND_ELEMENT + bytes(step));
            OPERAND + elements.sum::<usize>()
        }
        Operand::Call(Call { function, operands }) => {
            let own = match function {
                Function::IfNotExists => IF_NOT_EXISTS,
                _ => LIST_APPEND,
            };
            own + operands
                .iter()
                .map(|operand| operand_charge(operand, bindings))
                .sum::<usize>()
        }
    }
}

fn target(path: &Path, bindings: &Bindings) -> usize {
    let mut steps = bindings.steps(path);
    let first = steps.next().map_or(0, bytes);
    first
        + steps
            .map(|step| TARGET_ELEMENT + bytes(step))
            .sum::<usize>()
}

/// A name's bytes, or an index's digits.
fn bytes(step: Step<'_>) -> usize {
    match step {
        Step::Attribute(name) => name.len(),
        Step::Index(index) => index
            .checked_ilog10()
            .map_or(1, |digits| digits as usize + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::{
        expression::{Placeholders, Update},
        item::{Number, Value},
    };

    fn charge(text: &str, values: &[(&str, Value)]) -> usize {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let mut placeholders = Placeholders::of_values(values.collect());
        Arc::new(Update::parse(text).unwrap())
            .bind(&mut placeholders)
            .unwrap()
            .charge()
    }

    #[test]
    fn every_kind_of_clause_has_its_price() {
        let ten = Value::from("yyyyyyyyyy");
        let one = Value::from(Number::from(1i64));
        let list = Value::list([ten.as_ref()]);
        for (text, values, expected) in [
            ("SET b = :v", vec![(":v", &ten)], 19 + 1 + 10),
            ("SET b = :v, c = :v", vec![(":v", &ten)], 2 * (19 + 1 + 10)),
            ("SET c = m.z", vec![], 19 + 1 + 1 + 2 * (14 + 1)),
            ("SET c = l[10]", vec![], 19 + 1 + 1 + (14 + 1) + (14 + 2)),
            ("SET d[0] = :v", vec![(":v", &ten)], 19 + 1 + 4 + 1 + 10),
            ("SET n = n + :v", vec![(":v", &one)], 19 + 1 + 34 + 16 + 2),
            ("SET n = n - :v", vec![(":v", &one)], 19 + 1 + 37 + 16 + 2),
            (
                "SET c = if_not_exists(c, :v)",
                vec![(":v", &ten)],
                19 + 1 + 39 + 16 + 10,
            ),
            (
                "SET l = list_append(l, :v)",
                vec![(":v", &list)],
                19 + 1 + 37 + 16 + 14,
            ),
            ("ADD abcdefghij :v", vec![(":v", &one)], 19 + 10 + 2),
            ("REMOVE r", vec![], 1 + 1),
            ("REMOVE m.yyyyyyyyyy", vec![], 1 + 1 + 4 + 10),
            ("REMOVE l[10]", vec![], 1 + 1 + 4 + 2),
        ] {
            let values: Vec<(&str, Value)> = values
                .into_iter()
                .map(|(name, value)| (name, value.clone()))
                .collect();
            assert_eq!(charge(text, &values), 3 + expected, "{text}");
        }
    }
}
