//! One document path, followed by itself.

use super::ast::Path;
use super::binding::Bindings;
use crate::item::{ItemRef, ValueRef};

/// A path without placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathValue {
    path: Path,
    bindings: Bindings,
}

impl PathValue {
    /// The path. A placeholder in it leads nowhere.
    #[must_use]
    pub fn new(path: Path) -> Self {
        Self {
            path,
            bindings: Bindings::default(),
        }
    }

    /// The top-level attribute that it starts at.
    #[must_use]
    pub fn attribute(&self) -> &str {
        self.bindings.attribute(&self.path)
    }

    /// What an item has there.
    #[must_use]
    pub fn of<'i>(&self, item: ItemRef<'i>) -> Option<ValueRef<'i>> {
        self.bindings.get(&self.path, item)
    }
}
