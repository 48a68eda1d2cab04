//! The parameters that expressions replaced: `Expected`, `QueryFilter`, `ScanFilter`,
//! `KeyConditions`, `AttributeUpdates`, `AttributesToGet` and `ConditionalOperator`, translated into
//! the trees that expressions are parsed into (developer guide, "Legacy conditional parameters").
//!
//! A request uses either these or expressions; both together are refused ([`super::layer`]). Rules
//! and words are AWS's recorded answers (`tests/tier3/error-messages/deleteItem.test.ts` of the
//! conformance reference) where there are any.

mod comparison;
mod conditions;
mod error;
mod key_conditions;
mod updates;

#[cfg(test)]
mod tests;

pub(super) use conditions::{expected, filter};
pub(super) use key_conditions::key_conditions;
pub(super) use updates::{attribute_updates, attributes_to_get};

use self::error::LegacyError;
use crate::{
    expression::{
        Placeholders,
        ast::{Slots, ValueSlot},
    },
    item::Value,
};

/// The values of a tree under construction. Each gets a placeholder of its own.
#[derive(Debug, Default)]
struct Values {
    slots: Slots,
    values: Vec<(String, Value)>,
}

impl Values {
    /// The slot that stands for `value`.
    fn slot(&mut self, value: &Value) -> ValueSlot {
        let placeholder = format!(":{}", self.values.len());
        let slot = self.slots.value(&placeholder);
        self.values.push((placeholder, value.clone()));
        slot
    }

    /// The slots of the tree, and what they stand for.
    fn finish(self) -> (Slots, Placeholders) {
        (self.slots, Placeholders::of_values(self.values))
    }
}
