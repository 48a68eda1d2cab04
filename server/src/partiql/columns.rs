//! What SELECT returns of an item: the values of paths, each under a name of its own.

use std::collections::BTreeSet;

use super::error::StatementError;
use crate::{
    expression::{PathValue, ast::Path},
    item::{Item, ItemRef, Value},
};

/// The columns of a SELECT, in the order of the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<(Box<str>, PathValue)>);

impl Columns {
    /// Columns with these names.
    ///
    /// # Errors
    /// A name that is there twice.
    pub(super) fn new(columns: Vec<(Box<str>, Path)>) -> Result<Self, StatementError> {
        let mut names = BTreeSet::new();
        for (name, _) in &columns {
            if !names.insert(name.clone()) {
                return Err(StatementError::DuplicateColumn(name.clone()));
            }
        }
        let columns = columns.into_iter();
        let columns = columns.map(|(name, path)| (name, PathValue::new(path)));
        Ok(Self(columns.collect()))
    }

    /// The top-level attributes that are read, in the order of the statement, each once.
    #[must_use]
    pub fn attributes(&self) -> Vec<Box<str>> {
        let mut names: Vec<Box<str>> = Vec::with_capacity(self.0.len());
        for (_, path) in &self.0 {
            if !names.iter().any(|name| **name == *path.attribute()) {
                names.push(path.attribute().into());
            }
        }
        names
    }

    /// What the item has of them. A path that leads nowhere gives nothing.
    #[must_use]
    pub fn apply(&self, item: ItemRef<'_>) -> Item {
        let values: Vec<(&str, Value)> = self
            .0
            .iter()
            .filter_map(|(name, path)| Some((&**name, path.of(item)?.to_value())))
            .collect();
        values
            .iter()
            .map(|(name, value)| (*name, value.as_ref()))
            .collect()
    }
}
