//! Projections: which parts of an item a read returns.

use std::fmt;
use std::sync::Arc;

use super::ast::{Path, Printed, Slots};
use super::binding;
use super::error::{ExpressionError, ExpressionKind, Reason};
use super::parser;
use super::path_tree::{self, Attributes};
use super::placeholders::Placeholders;
use crate::item::{Item, ItemRef};

/// A parsed `ProjectionExpression`, or `AttributesToGet`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    paths: Vec<Path>,
    slots: Slots,
}

impl Projection {
    /// Parses the text.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the text alone.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let (paths, slots) = parser::paths(text)?;
        Ok(Self { paths, slots })
    }

    /// A projection that no text stands for.
    #[must_use]
    pub fn new(paths: Vec<Path>, slots: Slots) -> Self {
        Self { paths, slots }
    }

    /// Binds it to the placeholders of a request.
    ///
    /// # Errors
    ///
    /// Undefined names, and paths that overlap or conflict.
    pub fn bind(
        self: &Arc<Self>,
        placeholders: &mut Placeholders,
    ) -> Result<BoundProjection, ExpressionError> {
        let (bindings, undefined) = binding::bind(&self.slots, placeholders);
        let build = || -> Result<Attributes<()>, Reason> {
            for path in &self.paths {
                undefined.check_path(path)?;
            }
            path_tree::build(&bindings, self.paths.iter().map(|path| (path, ())))
        };
        let attributes =
            build().map_err(|reason| reason.in_expression(ExpressionKind::Projection))?;
        Ok(BoundProjection { attributes })
    }
}

/// The expression, as it might have been written.
impl fmt::Display for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, path) in self.paths.iter().enumerate() {
            f.write_str(if position == 0 { "" } else { ", " })?;
            Printed(path, &self.slots).fmt(f)?;
        }
        Ok(())
    }
}

/// A projection that can be applied to items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundProjection {
    attributes: Attributes<()>,
}

impl BoundProjection {
    /// The projected part of an item, which may be empty.
    ///
    /// Maps on the way to a path hold only what was asked for; lists hold the elements asked for,
    /// without gaps and in their order (recorded answers: `tests/tier1/getItem/projection.test.ts`).
    /// A path that leads nowhere gives nothing, not even the maps on its way.
    #[must_use]
    pub fn apply(&self, item: ItemRef<'_>) -> Item {
        path_tree::project(&self.attributes, item)
    }

    /// The names of the attributes it reads, in order.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| &**name)
    }
}
