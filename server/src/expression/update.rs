//! Updates: what they are, binding them, and the item that comes of one.

mod apply;
mod charge;
mod check;
mod value;

use std::fmt;
use std::sync::Arc;

use super::ast::{Action, Printed, Slots};
use super::binding::{self, Bindings};
use super::error::{ExpressionError, ExpressionKind, ItemError, SchemaError};
use super::parser;
use super::path_tree::{self, Attributes};
use super::placeholders::Placeholders;
use crate::item::{Item, ItemRef};

/// A parsed `UpdateExpression`, or `AttributeUpdates`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    actions: Vec<Action>,
    slots: Slots,
    /// Whether it was `AttributeUpdates`.
    legacy: bool,
}

impl Update {
    /// Parses the text.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the text alone.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let (actions, slots) = parser::actions(text)?;
        Ok(Self {
            actions,
            slots,
            legacy: false,
        })
    }

    /// An update that no text stands for. Without actions it changes nothing, and still brings the
    /// item into being.
    #[must_use]
    pub fn new(actions: Vec<Action>, slots: Slots) -> Self {
        Self {
            actions,
            slots,
            legacy: false,
        }
    }

    /// The update that `AttributeUpdates` make, which has words of its own for an item that it does
    /// not fit ([`ItemError::AttributeType`]).
    #[must_use]
    pub fn legacy(actions: Vec<Action>, slots: Slots) -> Self {
        Self {
            legacy: true,
            ..Self::new(actions, slots)
        }
    }

    /// The clauses, in the order they are written.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Binds it to the placeholders of a request.
    ///
    /// # Errors
    ///
    /// Undefined placeholders, paths that overlap or conflict, and operands that do not fit, in this
    /// order.
    pub fn bind(
        self: &Arc<Self>,
        placeholders: &mut Placeholders,
    ) -> Result<BoundUpdate, ExpressionError> {
        let (bindings, undefined) = binding::bind(&self.slots, placeholders);
        let paths = self
            .actions
            .iter()
            .enumerate()
            .map(|(place, action)| (action.path(), place));
        let targets = check::check_defined(&self.actions, &undefined)
            .and_then(|()| path_tree::build(&bindings, paths))
            .and_then(|targets| {
                check::check_operands(&self.actions, &bindings)?;
                Ok(targets)
            })
            .map_err(|reason| reason.in_expression(ExpressionKind::Update))?;
        Ok(BoundUpdate {
            update: Arc::clone(self),
            bindings,
            targets,
        })
    }
}

/// The expression, as it might have been written.
impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut section = "";
        for action in &self.actions {
            let (name, value): (_, &dyn fmt::Display) = match action {
                Action::Set(_, value) => ("SET", &Printed(value, &self.slots)),
                Action::Remove(_) => ("REMOVE", &""),
                Action::Add(_, value) => ("ADD", &self.slots.value_of(*value)),
                Action::Delete(_, value) => ("DELETE", &self.slots.value_of(*value)),
            };
            match (section == name, section.is_empty()) {
                (true, _) => f.write_str(", ")?,
                (false, true) => write!(f, "{name} ")?,
                (false, false) => write!(f, " {name} ")?,
            }
            section = name;
            Printed(action.path(), &self.slots).fmt(f)?;
            match action {
                Action::Set(..) => write!(f, " = {value}")?,
                Action::Remove(_) => {}
                Action::Add(..) | Action::Delete(..) => write!(f, " {value}")?,
            }
        }
        Ok(())
    }
}

/// An update that can be applied. Owns all it needs, so that it can go to another thread.
#[derive(Clone, Debug)]
pub struct BoundUpdate {
    update: Arc<Update>,
    bindings: Bindings,
    /// The paths it changes; at their ends, the action's place in the update.
    targets: Attributes<usize>,
}

impl BoundUpdate {
    /// The names of the attributes it changes, in order.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().map(|(name, _)| &**name)
    }

    /// Refuses an update of key attributes.
    ///
    /// # Errors
    ///
    /// [`SchemaError::UpdateOfKey`] for the first such attribute.
    pub fn check_keys(&self, keys: &[&str]) -> Result<(), ExpressionError> {
        let mut changed = self
            .update
            .actions
            .iter()
            .map(|action| self.bindings.attribute(action.path()));
        match changed.find(|name| keys.contains(name)) {
            Some(name) => Err(SchemaError::UpdateOfKey {
                attribute: name.to_owned(),
            }
            .into()),
            None => Ok(()),
        }
    }

    /// The item after the update. Where there is none yet it starts as its `key`.
    ///
    /// Every operand is read from the item before the update, and indexes count its elements: what
    /// one clause does, no other sees.
    ///
    /// # Errors
    ///
    /// [`super::error::ItemError`]: the item lacks what the update refers to, or has it of another
    /// type.
    pub fn apply(
        &self,
        item: Option<ItemRef<'_>>,
        key: ItemRef<'_>,
    ) -> Result<UpdateResult, ExpressionError> {
        let mut changes = Vec::with_capacity(self.update.actions.len());
        for action in &self.update.actions {
            let change = value::change(action, &self.bindings, item);
            changes.push(change.map_err(|error| match error {
                ItemError::OperandType if self.update.legacy => ItemError::AttributeType,
                other => other,
            })?);
        }
        let item = apply::apply(&self.targets, &changes, item.unwrap_or(key))?;
        Ok(UpdateResult {
            updated_new: apply::updated_new(&self.targets, &changes),
            item,
        })
    }

    /// What an item has at the paths that the update changes; `None` if it has nothing there. Of the
    /// item before the update it is what `ReturnValues: UPDATED_OLD` and PartiQL's `MODIFIED OLD *`
    /// return, of the item after it what `MODIFIED NEW *` does (recorded answers:
    /// `tests/tier2/partiql/executeStatement.test.ts`, "MODIFIED over list-index edges").
    #[must_use]
    pub fn at_targets(&self, item: Option<ItemRef<'_>>) -> Option<Item> {
        let found = path_tree::project(&self.targets, item?);
        (!found.as_ref().is_empty()).then_some(found)
    }
}

/// What comes of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateResult {
    /// The item after it.
    pub item: Item,
    /// What `ReturnValues: UPDATED_NEW` returns: what the update wrote, in the places it wrote it,
    /// lists without gaps. `None` if it wrote nothing, as REMOVE does (recorded answers:
    /// `tests/tier1/updateItem/basic.test.ts`, "ReturnValues granularity").
    pub updated_new: Option<Item>,
}
