//! What each clause of an update writes, computed from the item before it.

use std::collections::HashSet;

use crate::expression::ast::{Action, Call, Function, Operand, Path, SetValue};
use crate::expression::binding::Bindings;
use crate::expression::error::ItemError;
use crate::item::{ItemRef, Kind, Number, NumberError, Value, ValueRef};

/// What happens at the end of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// This is put there.
    Set(Value),
    /// What is there goes.
    Remove,
    /// Nothing: DELETE found no set.
    Keep,
}

/// What a clause does.
pub(super) fn change(
    action: &Action,
    bindings: &Bindings,
    item: Option<ItemRef<'_>>,
) -> Result<Change, ItemError> {
    let current = |path: &Path| item.and_then(|item| bindings.get(path, item));
    match action {
        Action::Set(_, value) => set_value(value, bindings, item).map(Change::Set),
        Action::Remove(_) => Ok(Change::Remove),
        Action::Add(path, slot) => match current(path) {
            Some(current) => add(current, bindings.value(*slot)).map(Change::Set),
            None => Ok(Change::Set(bindings.owned_value(*slot))),
        },
        Action::Delete(path, slot) => match current(path) {
            Some(current) => delete(current, bindings.value(*slot)),
            None => Ok(Change::Keep),
        },
    }
}

/// What SET writes.
fn set_value(
    value: &SetValue,
    bindings: &Bindings,
    item: Option<ItemRef<'_>>,
) -> Result<Value, ItemError> {
    let number = |operand| number(&self::operand(operand, bindings, item)?);
    match value {
        SetValue::Operand(operand) => self::operand(operand, bindings, item),
        SetValue::Sum(left, right) => sum(number(left)?.checked_add(&number(right)?)),
        SetValue::Difference(left, right) => sum(number(left)?.checked_sub(&number(right)?)),
    }
}

/// The value of an operand.
fn operand(
    operand: &Operand,
    bindings: &Bindings,
    item: Option<ItemRef<'_>>,
) -> Result<Value, ItemError> {
    match operand {
        Operand::Path(path) => item
            .and_then(|item| bindings.get(path, item))
            .map(ValueRef::to_value)
            .ok_or(ItemError::MissingAttribute),
        Operand::Value(slot) => Ok(bindings.owned_value(*slot)),
        Operand::Call(call) => self::call(call, bindings, item),
    }
}

/// The value of a function.
fn call(call: &Call, bindings: &Bindings, item: Option<ItemRef<'_>>) -> Result<Value, ItemError> {
    let [first, second] = call.operands.as_slice() else {
        return Err(ItemError::OperandType);
    };
    match call.function {
        Function::IfNotExists => match operand(first, bindings, item) {
            Err(ItemError::MissingAttribute) => operand(second, bindings, item),
            existing => existing,
        },
        Function::ListAppend => {
            let first = operand(first, bindings, item)?;
            let second = operand(second, bindings, item)?;
            match (first.as_ref().as_list(), second.as_ref().as_list()) {
                (Some(first), Some(second)) => Ok(Value::list(first.iter().chain(second.iter()))),
                _ => Err(ItemError::OperandType),
            }
        }
        _ => Err(ItemError::OperandType),
    }
}

fn number(value: &Value) -> Result<Number, ItemError> {
    value.as_ref().as_number().ok_or(ItemError::OperandType)
}

/// A sum, or why it is no number.
fn sum(sum: Result<Number, NumberError>) -> Result<Value, ItemError> {
    sum.map(Value::number)
        .map_err(|error| ItemError::Number(error.to_string()))
}

/// ADD to what is there: numbers are added, sets are united.
fn add(current: ValueRef<'_>, operand: ValueRef<'_>) -> Result<Value, ItemError> {
    if let (Some(current), Some(operand)) = (current.as_number(), operand.as_number()) {
        return sum(current.checked_add(&operand));
    }
    match (current.as_set(), operand.as_set()) {
        (Some(one), Some(two)) if current.kind() == operand.kind() => {
            Value::set(one.iter().chain(two.iter())).ok_or(ItemError::OperandType)
        }
        _ => Err(ItemError::OperandType),
    }
}

/// DELETE from what is there: an empty set is no value, so with its last element the set goes.
fn delete(current: ValueRef<'_>, operand: ValueRef<'_>) -> Result<Change, ItemError> {
    let (Some(set), Some(gone)) = (current.as_set(), operand.as_set()) else {
        return Err(ItemError::OperandType);
    };
    if current.kind() != operand.kind() {
        return Err(ItemError::OperandType);
    }
    debug_assert!(matches!(current.kind(), Kind::SS | Kind::NS | Kind::BS));
    let gone: HashSet<ValueRef<'_>> = gone.iter().collect();
    let left = set.iter().filter(|element| !gone.contains(element));
    Ok(Value::set(left).map_or(Change::Remove, Change::Set))
}
