//! Items and attribute values in their stored, binary form, and the 38-digit number.
//!
//! A value has one form in Stator, from the request's JSON to the disk and back: the bytes of
//! [`layout`]. They are canonical, so that equal values are equal bytes whatever the request looked
//! like: attributes and map entries are sorted by name, sets are sorted, numbers are normalised. Most
//! of the server works on them in place, through [`ValueRef`] and [`ItemRef`]; [`Tree`] is the form
//! to change a document in.
//!
//! - From a request: [`decode_json`] and [`decode_json_value`], one pass from text to bytes.
//! - From the store: [`Item::from_stored`] and [`ItemRef::from_stored`], which check what makes every
//!   view of the item safe to use. [`ItemRef::verify`] checks all there is to check.
//! - In code: [`ItemBuilder`], [`Value`]'s constructors, [`Tree::encode`].
//! - Into keys: [`key`].

mod encoder;
mod error;
mod json;
pub mod key;
pub mod layout;
mod number;
mod stored;
mod tree;
mod value;
mod verify;

#[cfg(test)]
mod tests;

pub use error::{CorruptItem, DecodeError, ValueError, Wording};
pub use json::{decode_json, decode_json_value};
pub use number::{MAX_NUMBER_BYTES, Number, NumberError, NumberText};
pub use stored::{Item, ItemBuilder, ItemRef};
pub use tree::Tree;
pub use value::{Kind, ListRef, MapRef, SetRef, Value, ValueRef, Values};

/// The largest size of an item, in DynamoDB's bytes: 400 KB.
pub const MAX_ITEM_SIZE: usize = 400 * 1024;

/// How deep values may nest: an attribute's own value is level 1, what a list or map in it holds is
/// level 2, and so on.
pub const MAX_NESTING: usize = 32;

/// The longest name of an attribute, in bytes.
pub const MAX_NAME_BYTES: usize = 65_535;
