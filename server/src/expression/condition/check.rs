//! What can be wrong with a condition once its names and values are known, without an item.
//!
//! DynamoDB walks the clauses in the order they are written and reports the first that has a problem
//! (recorded answers: `tests/tier3/validation-ordering/queryKeyCondition.test.ts`). Within a clause:
//! undefined placeholders, the number of operands, operands that should differ, their types.

use super::operands;
use crate::expression::ast::{Call, Function, Operand, Path, Predicate};
use crate::expression::binding::{Bindings, Undefined};
use crate::expression::error::Reason;
use crate::item::{Kind, ValueRef};

/// Checks all clauses.
pub(in crate::expression) fn check(
    predicate: &Predicate,
    bindings: &Bindings,
    undefined: &Undefined<'_>,
) -> Result<(), Reason> {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => parts
            .iter()
            .try_for_each(|part| check(part, bindings, undefined)),
        Predicate::Not(part) => check(part, bindings, undefined),
        leaf => {
            operands(leaf).try_for_each(|operand| check_defined(operand, undefined))?;
            check_counts(leaf)?;
            check_distinct(leaf, bindings)?;
            check_types(leaf, bindings)
        }
    }
}

/// Every placeholder of an operand is defined.
pub(in crate::expression) fn check_defined(
    operand: &Operand,
    undefined: &Undefined<'_>,
) -> Result<(), Reason> {
    match operand {
        Operand::Path(path) => undefined.check_path(path),
        Operand::Value(slot) => undefined.check_value(*slot),
        Operand::Call(call) => call
            .operands
            .iter()
            .try_for_each(|operand| check_defined(operand, undefined)),
    }
}

/// Functions have as many operands as they take.
fn check_counts(leaf: &Predicate) -> Result<(), Reason> {
    operands(leaf).try_for_each(check_operand_count)?;
    match leaf {
        Predicate::Call(call) => check_call_count(call),
        _ => Ok(()),
    }
}

fn check_operand_count(operand: &Operand) -> Result<(), Reason> {
    let Operand::Call(call) = operand else {
        return Ok(());
    };
    call.operands.iter().try_for_each(check_operand_count)?;
    check_call_count(call)
}

/// A function has as many operands as it takes.
pub(in crate::expression) fn check_call_count(call: &Call) -> Result<(), Reason> {
    let count = call.operands.len();
    if count == call.function.arity() {
        return Ok(());
    }
    Err(Reason::OperandCount {
        name: call.function.name(),
        count,
    })
}

/// The first operand is a path that is not among the others.
fn check_distinct(leaf: &Predicate, bindings: &Bindings) -> Result<(), Reason> {
    let mut operands = operands(leaf);
    let Some(Operand::Path(first)) = operands.next() else {
        return Ok(());
    };
    let repeated = |operand: &Operand| match operand {
        Operand::Path(path) => bindings.same(first, path),
        _ => false,
    };
    if operands.any(repeated) {
        return Err(Reason::NotDistinct {
            name: name(leaf),
            operand: bindings.show(first),
        });
    }
    Ok(())
}

/// The operator or function, as errors name it.
fn name(leaf: &Predicate) -> &'static str {
    match leaf {
        Predicate::Compare { comparator, .. } => comparator.name(),
        Predicate::Between { .. } => "BETWEEN",
        Predicate::In { .. } => "IN",
        Predicate::Call(call) => call.function.name(),
        Predicate::And(_) => "AND",
        Predicate::Or(_) => "OR",
        Predicate::Not(_) => "NOT",
    }
}

/// Operands whose type is known without an item are of a type that fits.
fn check_types(leaf: &Predicate, bindings: &Bindings) -> Result<(), Reason> {
    for operand in operands(leaf) {
        if let Operand::Call(call) = operand {
            check_call(call, bindings)?;
        }
    }
    match leaf {
        Predicate::Compare {
            comparator,
            left,
            right,
        } if comparator.orders() => check_ordered([left, right], comparator.name(), bindings),
        Predicate::Between {
            operand,
            lower,
            upper,
        } => {
            check_ordered([operand, lower, upper], "BETWEEN", bindings)?;
            check_bounds(lower, upper, bindings)
        }
        Predicate::Call(call) => check_call(call, bindings),
        _ => Ok(()),
    }
}

/// The type of an operand, where it does not depend on the item.
fn known_kind(operand: &Operand, bindings: &Bindings) -> Option<Kind> {
    match operand {
        Operand::Value(slot) => Some(bindings.value(*slot).kind()),
        Operand::Call(call) if call.function == Function::Size => Some(Kind::N),
        _ => None,
    }
}

/// The value of an operand that is a value.
fn known_value<'a>(operand: &Operand, bindings: &'a Bindings) -> Option<ValueRef<'a>> {
    match operand {
        Operand::Value(slot) => Some(bindings.value(*slot)),
        _ => None,
    }
}

/// Operands are of none but these types, as far as is known.
fn check_kinds<'o>(
    operands: impl IntoIterator<Item = &'o Operand>,
    name: &'static str,
    allowed: &[Kind],
    bindings: &Bindings,
) -> Result<(), Reason> {
    let mut kinds = operands
        .into_iter()
        .filter_map(|operand| known_kind(operand, bindings));
    match kinds.find(|kind| !allowed.contains(kind)) {
        Some(kind) => Err(Reason::OperandType {
            name,
            operand: kind.name(),
        }),
        None => Ok(()),
    }
}

fn check_ordered<'o>(
    operands: impl IntoIterator<Item = &'o Operand>,
    name: &'static str,
    bindings: &Bindings,
) -> Result<(), Reason> {
    check_kinds(operands, name, &[Kind::S, Kind::N, Kind::B], bindings)
}

/// The bounds of BETWEEN are of one type and in order.
fn check_bounds(lower: &Operand, upper: &Operand, bindings: &Bindings) -> Result<(), Reason> {
    let (Some(lower), Some(upper)) = (known_value(lower, bindings), known_value(upper, bindings))
    else {
        return Ok(());
    };
    let (shown_lower, shown_upper) = (show_scalar(lower), show_scalar(upper));
    if lower.kind() != upper.kind() {
        return Err(Reason::BetweenTypes {
            lower: shown_lower,
            upper: shown_upper,
        });
    }
    if lower > upper {
        return Err(Reason::BetweenOrder {
            lower: shown_lower,
            upper: shown_upper,
        });
    }
    Ok(())
}

/// A string, number or binary value as errors show it: `{N:1}`.
fn show_scalar(value: ValueRef<'_>) -> String {
    let content = match value.kind() {
        Kind::N => value.as_number().map(|number| number.to_string()),
        Kind::B => value
            .as_binary()
            .map(|bytes| base64_simd::STANDARD.encode_to_string(bytes)),
        _ => value.as_str().map(str::to_owned),
    };
    format!(
        "{{{}:{}}}",
        value.kind().name(),
        content.unwrap_or_default()
    )
}

/// The operands of a function suit it. Their number does.
fn check_call(call: &Call, bindings: &Bindings) -> Result<(), Reason> {
    let name = call.function.name();
    match call.function {
        Function::AttributeExists | Function::AttributeNotExists => required_path(call).map(|_| ()),
        Function::BeginsWith => check_kinds(&call.operands, name, &[Kind::S, Kind::B], bindings),
        Function::Size => {
            let measured = [
                Kind::S,
                Kind::B,
                Kind::M,
                Kind::L,
                Kind::SS,
                Kind::NS,
                Kind::BS,
            ];
            check_kinds(&call.operands, name, &measured, bindings)
        }
        Function::AttributeType => check_type_name(call, bindings),
        Function::Contains | Function::IfNotExists | Function::ListAppend => Ok(()),
    }
}

/// The first operand of a function that takes nothing but a path there.
pub(in crate::expression) fn required_path(call: &Call) -> Result<&Path, Reason> {
    match call.operands.first() {
        Some(Operand::Path(path)) => Ok(path),
        _ => Err(Reason::PathRequired {
            name: call.function.name(),
        }),
    }
}

/// The second operand of `attribute_type` is a string that names a type.
fn check_type_name(call: &Call, bindings: &Bindings) -> Result<(), Reason> {
    // What DynamoDB says where the operand's type is unknown, since it is no value.
    const ANY: &str = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}";
    let name = call.function.name();
    let Some(value) = call
        .operands
        .get(1)
        .and_then(|operand| known_value(operand, bindings))
    else {
        return Err(Reason::OperandType { name, operand: ANY });
    };
    let Some(text) = value.as_str() else {
        return Err(Reason::OperandType {
            name,
            operand: value.kind().name(),
        });
    };
    match Kind::from_name(text) {
        Some(_) => Ok(()),
        None => Err(Reason::UnknownType {
            name: text.to_owned(),
        }),
    }
}
