//! The checks of the model's constraints, generated per input: `PutItemInput::constraints` and so on.

use super::{Violations, Wording, pattern};
use crate::wire::shapes::*;
use crate::wire::{Error, ItemInput, Operation, ValueInput};

include!(concat!(env!("OUT_DIR"), "/constraints.rs"));

#[cfg(test)]
mod tests;
