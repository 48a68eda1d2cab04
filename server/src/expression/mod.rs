//! DynamoDB's expression language: conditions, filters, key conditions, updates and projections.
//!
//! Text goes through one lexer and one parser into a tree without values (`ast`), which can be cached
//! by its text (`cache`) or built by hand (legacy parameters, PartiQL). Binding a tree to a request's
//! placeholders (`placeholders`) finds what is wrong without a table, in DynamoDB's order; what comes
//! of it is evaluated against items. This module knows items and nothing of requests, tables or
//! storage.
//!
//! A request's placeholders are checked first. Its expressions are then parsed and bound one after the
//! other: update, condition, key condition, filter, projection; the first error is the request's. When
//! all are bound, [`Placeholders::finish`] finds what none of them used. Only then is the table
//! looked at.
//!
//! Limits are from the developer guide, "Constraints in Amazon DynamoDB", "Expression parameters".

pub mod ast;
mod binding;
mod cache;
mod condition;
pub mod error;
mod key_condition;
mod lexer;
mod parser;
mod path_tree;
mod path_value;
mod placeholders;
mod projection;
pub mod reserved;
mod update;

#[cfg(test)]
mod tests;

pub use cache::ExpressionCache;
pub use condition::{BoundCondition, Condition};
pub use error::{ExpressionError, ExpressionKind, Stage};
pub use key_condition::{
    KeyAttribute, KeyClause, KeyCondition, KeySchema, KeySelection, KeyTest, select,
};
pub use path_value::PathValue;
pub use placeholders::Placeholders;
pub use projection::{BoundProjection, Projection};
pub use update::{BoundUpdate, Update, UpdateResult};

/// The most bytes of an expression, as sent.
pub const MAX_EXPRESSION_BYTES: usize = 4096;
/// The most operators and functions of an expression. SET's `=` is none.
pub const MAX_OPERATORS: usize = 300;
/// The most operands on the right of IN.
pub const MAX_IN_OPERANDS: usize = 100;
/// The most elements of a document path.
pub const MAX_PATH_ELEMENTS: usize = 32;
/// The largest index into a list.
pub const MAX_LIST_INDEX: u32 = 2_147_483_647;
