//! PartiQL, as far as DynamoDB has it: from text to the trees of [`expression`](crate::expression).
//!
//! Text goes through one [`lexer`] and one [`parser`] into a tree ([`ast`]), and from there ([`lower`])
//! into a [`Statement`]: conditions, updates and columns as the other operations have them. There is
//! no second evaluator. A statement depends on its text alone, is cached by it ([`StatementCache`])
//! and bound to the parameters of a request for each use ([`Bound`]). Which part of a condition is
//! about the key is found in [`keys`]. This module knows no tables and no storage.
//!
//! The parser is our own. `partiql-parser` 0.15 (Apache-2.0, of the PartiQL project itself, in
//! releases since 2021) is a LALR grammar of PartiQL's query language: far more of that than DynamoDB
//! has (joins, grouping, subqueries, graph matching), and neither INSERT, UPDATE and DELETE nor `?`. And
//! what users see of a parser are its errors: DynamoDB's are those of the recursive-descent parser of
//! `partiql-lang-kotlin`, which names the production that failed; a parser of the same form gives the
//! same details at the same places.

mod ast;
mod cache;
mod columns;
mod error;
pub mod keys;
mod keywords;
mod lexer;
mod lower;
mod parser;
mod statement;
mod values;

#[cfg(test)]
mod tests;

pub use ast::{Direction, Position, Returned, ReturnedState};
pub use cache::StatementCache;
pub use columns::Columns;
pub use error::StatementError;
pub use statement::{Body, Bound, Delete, Insert, Order, Select, Statement, Update};

/// How deep a statement may nest: more than any value or condition that makes sense, and little
/// enough for the smallest stack.
const MAX_DEPTH: usize = 100;
/// The most values after IN (developer guide, "PartiQL arithmetic, comparison, and logical
/// operators").
const MAX_IN_VALUES: usize = 100;
