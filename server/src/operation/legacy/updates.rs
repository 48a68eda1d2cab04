//! `AttributeUpdates` as an update, `AttributesToGet` as a projection.

use std::{collections::BTreeSet, sync::Arc};

use super::{LegacyError, Values};
use crate::{
    expression::{
        BoundProjection, BoundUpdate, Placeholders, Projection, Update,
        ast::{Action, Call, Function, Operand, Path, SetValue, Slots},
    },
    item::{Kind, Value},
    operation::layer::Layer,
    wire::{Error, shapes::AttributeValueUpdate},
};

/// The update that `AttributeUpdates` make; whether it only removes is told beside it.
pub(in crate::operation) fn attribute_updates(
    layer: Layer,
    updates: Vec<(String, AttributeValueUpdate)>,
) -> Result<(Arc<Update>, BoundUpdate), Error> {
    let mut values = Values::default();
    let mut actions = Vec::with_capacity(updates.len());
    for (attribute, update) in updates {
        layer.attribute_name(&attribute)?;
        let value = update.value.map(|value| layer.value(value)).transpose()?;
        let action = action(&attribute, update.action.as_deref(), value, &mut values);
        actions.push(action.map_err(|error| layer.refuse(error))?);
    }
    let (slots, mut placeholders) = values.finish();
    let update = Arc::new(Update::legacy(actions, slots));
    let bound = update
        .bind(&mut placeholders)
        .map_err(|error| layer.expression(error))?;
    Ok((update, bound))
}

/// `PUT`, the default, `ADD`, or `DELETE`, which without a value removes the attribute and with one
/// removes elements from a set (API reference, `AttributeValueUpdate`).
fn action(
    attribute: &str,
    action: Option<&str>,
    value: Option<Value>,
    values: &mut Values,
) -> Result<Action, LegacyError> {
    let path = Path::attribute(attribute);
    let set = |kind| matches!(kind, Kind::SS | Kind::NS | Kind::BS);
    match (action, value) {
        (Some("DELETE"), None) => Ok(Action::Remove(path)),
        (_, None) => Err(LegacyError::NoUpdateValue),
        (Some("DELETE"), Some(value)) if set(value.kind()) => {
            Ok(Action::Delete(path, values.slot(&value)))
        }
        (Some("DELETE"), Some(value)) => Err(LegacyError::DeleteType {
            kind: value.kind().name(),
        }),
        (Some("ADD"), Some(value)) if value.kind() == Kind::N || set(value.kind()) => {
            Ok(Action::Add(path, values.slot(&value)))
        }
        // Neither the API reference nor the developer guide has it, but AWS does it: as users saw
        // (architect/dynalite#57) and the authors of other implementations verified
        // (getmoto/moto#3585). What `ADD` of an UpdateExpression refuses, is `list_append` there.
        (Some("ADD"), Some(value)) if value.kind() == Kind::L => {
            let nothing = values.slot(&Value::list(std::iter::empty()));
            let before = call(
                Function::IfNotExists,
                [Operand::Path(path.clone()), Operand::Value(nothing)],
            );
            let added = Operand::Value(values.slot(&value));
            let after = call(Function::ListAppend, [before, added]);
            Ok(Action::Set(path, SetValue::Operand(after)))
        }
        (Some("ADD"), Some(value)) => Err(LegacyError::AddType {
            kind: value.kind().name(),
        }),
        (_, Some(value)) => {
            let operand = Operand::Value(values.slot(&value));
            Ok(Action::Set(path, SetValue::Operand(operand)))
        }
    }
}

fn call(function: Function, operands: [Operand; 2]) -> Operand {
    Operand::Call(Call {
        function,
        operands: operands.into(),
    })
}

/// The projection that `AttributesToGet` makes. Its names are whole top-level attributes, whatever
/// characters they have.
pub(in crate::operation) fn attributes_to_get(
    layer: Layer,
    names: &[String],
) -> Result<BoundProjection, Error> {
    for name in names {
        layer.attribute_name(name)?;
    }
    let mut seen = BTreeSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(*name)) {
        return Err(layer.refuse(LegacyError::DuplicateAttribute(name.as_str().into())));
    }
    let paths = names.iter().map(|name| Path::attribute(name)).collect();
    Arc::new(Projection::new(paths, Slots::default()))
        .bind(&mut Placeholders::default())
        .map_err(|error| layer.expression(error))
}
