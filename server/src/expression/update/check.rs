//! What can be wrong with an update once its names and values are known, without an item.
//!
//! Unlike for conditions, one kind of problem is looked for in all clauses before the next.

use crate::expression::ast::{Action, Call, Function, Operand, SetValue};
use crate::expression::binding::{Bindings, Undefined};
use crate::expression::condition::{check_call_count, required_path};
use crate::expression::error::Reason;
use crate::item::Kind;

/// Every placeholder is defined: names first.
pub(super) fn check_defined(actions: &[Action], undefined: &Undefined<'_>) -> Result<(), Reason> {
    for action in actions {
        undefined.check_path(action.path())?;
        operands(action).try_for_each(|operand| check_names(operand, undefined))?;
    }
    for action in actions {
        if let Action::Add(_, slot) | Action::Delete(_, slot) = action {
            undefined.check_value(*slot)?;
        }
        operands(action).try_for_each(|operand| check_values(operand, undefined))?;
    }
    Ok(())
}

/// The operands of SET.
fn operands(action: &Action) -> impl Iterator<Item = &Operand> {
    let operands = match action {
        Action::Set(_, SetValue::Operand(operand)) => vec![operand],
        Action::Set(_, SetValue::Sum(left, right) | SetValue::Difference(left, right)) => {
            vec![left, right]
        }
        Action::Remove(_) | Action::Add(..) | Action::Delete(..) => Vec::new(),
    };
    operands.into_iter()
}

fn check_names(operand: &Operand, undefined: &Undefined<'_>) -> Result<(), Reason> {
    match operand {
        Operand::Path(path) => undefined.check_path(path),
        Operand::Value(_) => Ok(()),
        Operand::Call(call) => call
            .operands
            .iter()
            .try_for_each(|operand| check_names(operand, undefined)),
    }
}

fn check_values(operand: &Operand, undefined: &Undefined<'_>) -> Result<(), Reason> {
    match operand {
        Operand::Path(_) => Ok(()),
        Operand::Value(slot) => undefined.check_value(*slot),
        Operand::Call(call) => call
            .operands
            .iter()
            .try_for_each(|operand| check_values(operand, undefined)),
    }
}

/// Operands whose type is known without an item are of a type that fits.
pub(super) fn check_operands(actions: &[Action], bindings: &Bindings) -> Result<(), Reason> {
    for action in actions {
        check_section_operand(action, bindings)?;
    }
    for action in actions {
        for operand in operands(action) {
            check_calls(operand, bindings)?;
        }
        match action {
            Action::Set(_, SetValue::Sum(left, right)) => {
                check_kinds([left, right], "+", Kind::N, bindings)?;
            }
            Action::Set(_, SetValue::Difference(left, right)) => {
                check_kinds([left, right], "-", Kind::N, bindings)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// ADD takes numbers and sets, DELETE takes sets.
fn check_section_operand(action: &Action, bindings: &Bindings) -> Result<(), Reason> {
    let (section, slot) = match action {
        Action::Add(_, slot) => ("ADD", slot),
        Action::Delete(_, slot) => ("DELETE", slot),
        Action::Set(..) | Action::Remove(_) => return Ok(()),
    };
    let operand = match bindings.value(*slot).kind() {
        Kind::SS | Kind::NS | Kind::BS => return Ok(()),
        Kind::N if section == "ADD" => return Ok(()),
        Kind::N => "NUMBER",
        Kind::S => "STRING",
        Kind::B => "BINARY",
        Kind::Bool => "BOOLEAN",
        Kind::Null => "NULL",
        Kind::L => "LIST",
        Kind::M => "MAP",
    };
    Err(Reason::SectionOperandType { section, operand })
}

/// Functions have as many operands as they take, of types that fit.
fn check_calls(operand: &Operand, bindings: &Bindings) -> Result<(), Reason> {
    let Operand::Call(call) = operand else {
        return Ok(());
    };
    call.operands
        .iter()
        .try_for_each(|operand| check_calls(operand, bindings))?;
    check_call(call, bindings)
}

fn check_call(call: &Call, bindings: &Bindings) -> Result<(), Reason> {
    check_call_count(call)?;
    match call.function {
        Function::IfNotExists => required_path(call).map(|_| ()),
        Function::ListAppend => {
            check_kinds(&call.operands, call.function.name(), Kind::L, bindings)
        }
        function => Err(Reason::UnknownFunction {
            name: function.name().to_owned(),
        }),
    }
}

/// Operands that are values are of this type.
fn check_kinds<'o>(
    operands: impl IntoIterator<Item = &'o Operand>,
    name: &'static str,
    allowed: Kind,
    bindings: &Bindings,
) -> Result<(), Reason> {
    for operand in operands {
        if let Operand::Value(slot) = operand {
            let kind = bindings.value(*slot).kind();
            if kind != allowed {
                return Err(Reason::OperandType {
                    name,
                    operand: kind.name(),
                });
            }
        }
    }
    Ok(())
}
