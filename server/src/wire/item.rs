//! Items and values as requests carry them: possibly wrong.
//!
//! A value that DynamoDB refuses is not the first thing it complains about: the constraints of the
//! model come before. So decoding a request does not fail on one, and the operation meets the error
//! where its order of checks has it.

use super::json::{Reader, SerializationError, Writer};
use crate::item::{DecodeError, Item, Value, ValueError, decode_json, decode_json_value};

/// An item or key of a request, or why it is none.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemInput(Result<Item, ValueError>);

impl ItemInput {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, SerializationError> {
        settle(decode_json(reader)).map(Self)
    }

    /// The item.
    pub fn get(&self) -> Result<&Item, &ValueError> {
        self.0.as_ref()
    }

    /// The item, by value.
    pub fn into_item(self) -> Result<Item, ValueError> {
        self.0
    }

    /// Writes the item. One that is none is written as an empty one; answers have no such item.
    pub fn write_json(&self, writer: &mut Writer) {
        match &self.0 {
            Ok(item) => item.write_json(writer),
            Err(_) => writer.raw(b"{}"),
        }
    }
}

impl From<Item> for ItemInput {
    fn from(item: Item) -> Self {
        Self(Ok(item))
    }
}

/// A value of a request, or why it is none.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueInput {
    read: Result<Value, ValueError>,
    /// Whether it nests one level more than an item may have.
    too_deep_for_items: bool,
}

impl ValueInput {
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, SerializationError> {
        let (read, too_deep_for_items) = match settle(decode_json_value(reader))? {
            Ok((value, too_deep)) => (Ok(value), too_deep),
            Err(error) => (Err(error), false),
        };
        Ok(Self {
            read,
            too_deep_for_items,
        })
    }

    /// The value.
    pub fn get(&self) -> Result<&Value, &ValueError> {
        self.read.as_ref()
    }

    /// The value, by value, if an item may have it.
    pub fn into_value(self) -> Result<Value, ValueError> {
        match self.too_deep_for_items {
            true => Err(ValueError::TooDeep),
            false => self.read,
        }
    }

    /// The value, by value, where it may nest 33 levels and not 32: DynamoDB's older validation layer
    /// lets that through in `ExpressionAttributeValues`, and no more (limits/nestingDepth of the
    /// conformance reference).
    pub fn into_value_of_33_levels(self) -> Result<Value, ValueError> {
        self.read
    }

    /// Writes the value. One that is none is written as an empty one; answers have no such value.
    pub fn write_json(&self, writer: &mut Writer) {
        match &self.read {
            Ok(value) => value.write_json(writer),
            Err(_) => writer.raw(b"{}"),
        }
    }
}

impl From<Value> for ValueInput {
    fn from(value: Value) -> Self {
        Self {
            read: Ok(value),
            too_deep_for_items: false,
        }
    }
}

/// Keeps a refusal for later. The reader stands behind the value either way.
fn settle<T>(decoded: Result<T, DecodeError>) -> Result<Result<T, ValueError>, SerializationError> {
    match decoded {
        Ok(value) => Ok(Ok(value)),
        Err(DecodeError::Validation(error)) => Ok(Err(error)),
        Err(DecodeError::Serialization(error)) => Err(error),
    }
}
