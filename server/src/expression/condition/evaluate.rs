//! Whether an item satisfies a condition.
//!
//! Works on the item's bytes in place: nothing is decoded but what is compared, and equality is that
//! of the canonical bytes.

use crate::expression::ast::{Call, Comparator, Function, Operand, Predicate};
use crate::expression::binding::Bindings;
use crate::item::{ItemRef, Kind, Number, Value, ValueRef};

/// What an operand is worth: in the item, in the request, or computed.
enum Worth<'a> {
    Found(ValueRef<'a>),
    Computed(Value),
}

impl Worth<'_> {
    fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Found(value) => *value,
            Self::Computed(value) => value.as_ref(),
        }
    }
}

/// Whether the predicate holds. What was checked when it was bound is not reported again: a call with
/// the wrong operands is false.
pub(super) fn evaluate(
    predicate: &Predicate,
    bindings: &Bindings,
    item: Option<ItemRef<'_>>,
) -> bool {
    let worth = |operand| worth(operand, bindings, item);
    match predicate {
        Predicate::And(parts) => parts.iter().all(|part| evaluate(part, bindings, item)),
        Predicate::Or(parts) => parts.iter().any(|part| evaluate(part, bindings, item)),
        Predicate::Not(part) => !evaluate(part, bindings, item),
        Predicate::Compare {
            comparator,
            left,
            right,
        } => match (worth(left), worth(right)) {
            (Some(left), Some(right)) => compare(*comparator, left.as_ref(), right.as_ref()),
            // What is missing differs from everything, and is neither less nor more than anything.
            _ => *comparator == Comparator::NotEqual,
        },
        Predicate::Between {
            operand,
            lower,
            upper,
        } => match (worth(operand), worth(lower), worth(upper)) {
            (Some(operand), Some(lower), Some(upper)) => {
                let operand = operand.as_ref();
                operand >= lower.as_ref() && operand <= upper.as_ref()
            }
            _ => false,
        },
        Predicate::In {
            operand,
            candidates,
        } => worth(operand).is_some_and(|operand| {
            candidates
                .iter()
                .any(|candidate| worth(candidate).is_some_and(|c| c.as_ref() == operand.as_ref()))
        }),
        Predicate::Call(call) => holds(call, bindings, item),
    }
}

/// What an operand is worth, if anything.
fn worth<'a>(
    operand: &Operand,
    bindings: &'a Bindings,
    item: Option<ItemRef<'a>>,
) -> Option<Worth<'a>> {
    match operand {
        Operand::Path(path) => bindings.get(path, item?).map(Worth::Found),
        Operand::Value(slot) => Some(Worth::Found(bindings.value(*slot))),
        Operand::Call(call) => {
            let measured = worth(call.operands.first()?, bindings, item)?;
            let size = size(measured.as_ref())?;
            let size = Number::from(u64::try_from(size).unwrap_or(u64::MAX));
            Some(Worth::Computed(Value::number(size)))
        }
    }
}

/// Values of different types are unequal, and none is less than the other.
fn compare(comparator: Comparator, left: ValueRef<'_>, right: ValueRef<'_>) -> bool {
    match comparator {
        Comparator::Equal => left == right,
        Comparator::NotEqual => left != right,
        Comparator::Less => left < right,
        Comparator::LessOrEqual => left <= right,
        Comparator::Greater => left > right,
        Comparator::GreaterOrEqual => left >= right,
    }
}

/// Whether a function that is a condition holds.
fn holds(call: &Call, bindings: &Bindings, item: Option<ItemRef<'_>>) -> bool {
    let worth = |place: usize| {
        call.operands
            .get(place)
            .and_then(|operand| worth(operand, bindings, item))
    };
    match call.function {
        Function::AttributeExists => worth(0).is_some(),
        Function::AttributeNotExists => worth(0).is_none(),
        function => {
            let (Some(first), Some(second)) = (worth(0), worth(1)) else {
                return false;
            };
            let (first, second) = (first.as_ref(), second.as_ref());
            match function {
                Function::AttributeType => {
                    second.as_str().and_then(Kind::from_name) == Some(first.kind())
                }
                Function::BeginsWith => begins_with(first, second),
                Function::Contains => contains(first, second),
                _ => false,
            }
        }
    }
}

/// Strings and binary values begin with those of their own type.
pub(in crate::expression) fn begins_with(value: ValueRef<'_>, prefix: ValueRef<'_>) -> bool {
    match (value.as_str(), prefix.as_str()) {
        (Some(value), Some(prefix)) => value.starts_with(prefix),
        _ => match (value.as_binary(), prefix.as_binary()) {
            (Some(value), Some(prefix)) => value.starts_with(prefix),
            _ => false,
        },
    }
}

/// A string contains a string, a binary value a run of bytes, a set and a list an element.
fn contains(whole: ValueRef<'_>, part: ValueRef<'_>) -> bool {
    match whole.kind() {
        Kind::S => match (whole.as_str(), part.as_str()) {
            (Some(whole), Some(part)) => whole.contains(part),
            _ => false,
        },
        Kind::B => match (whole.as_binary(), part.as_binary()) {
            (Some(whole), Some(part)) => contains_bytes(whole, part),
            _ => false,
        },
        Kind::SS | Kind::NS | Kind::BS => whole.as_set().is_some_and(|set| set.contains(part)),
        Kind::L => whole
            .as_list()
            .is_some_and(|list| list.iter().any(|value| value == part)),
        Kind::N | Kind::Bool | Kind::Null | Kind::M => false,
    }
}

/// Whether `part` is somewhere in `whole`, byte for byte.
fn contains_bytes(whole: &[u8], part: &[u8]) -> bool {
    part.is_empty() || memchr::memmem::find(whole, part).is_some()
}

/// What `size` measures; `None` for types it does not.
///
/// A string's size is counted in UTF-16 code units, not in bytes as the developer guide has it
/// (recorded answers: `tests/tier1/query/expressions.test.ts`, "size() string encoding").
fn size(value: ValueRef<'_>) -> Option<usize> {
    match value.kind() {
        Kind::S => value.as_str().map(|text| text.encode_utf16().count()),
        Kind::B => value.as_binary().map(<[u8]>::len),
        Kind::SS | Kind::NS | Kind::BS => value.as_set().map(|set| set.len()),
        Kind::L => value.as_list().map(|list| list.len()),
        Kind::M => value.as_map().map(|map| map.len()),
        Kind::N | Kind::Bool | Kind::Null => None,
    }
}
