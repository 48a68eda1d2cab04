//! The tree of a statement, as it is written.

use std::fmt;

use crate::expression::ast::Comparator;

/// Where a token stands: `line:column:length`, in characters and counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column of its first character.
    pub column: u32,
    /// Number of its characters.
    pub length: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.line, self.column, self.length)
    }
}

/// An expression and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expr {
    pub(super) node: Node,
    pub(super) at: Position,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Missing,
    Boolean(bool),
    String(Box<str>),
    /// With its sign.
    Number(Box<str>),
    /// `?`: which of them.
    Parameter(usize),
    List(Vec<Expr>),
    Bag(Vec<Expr>),
    Struct(Vec<(Expr, Expr)>),
    Path(Vec<Step>),
    /// The name is in lower case.
    Call(Box<str>, Vec<Expr>),
    /// `COUNT(*)`
    CountAll,
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Compare(Comparator, Box<Expr>, Box<Expr>),
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    Is(Box<Expr>, Type),
    /// `+` and `-`
    Arithmetic(Sign, Box<Expr>, Box<Expr>),
    /// What PartiQL has and DynamoDB has not, by the name of its node.
    Other(&'static str),
    Statement(Box<Query>),
}

/// `+` or `-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

/// One step of a path. The first is a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Name(Box<str>),
    Index(u32),
}

/// The type after IS, as far as DynamoDB has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Missing,
    /// The value is of one of these types.
    Kinds(&'static [&'static str]),
    /// DynamoDB has no such values.
    Foreign,
}

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Query {
    Select(SelectQuery),
    Insert {
        table: Vec<Step>,
        value: Expr,
        returning: Option<Returned>,
    },
    Update {
        source: Source,
        clauses: Vec<Clause>,
        condition: Option<Expr>,
        returning: Option<Returned>,
    },
    Delete {
        source: Source,
        condition: Option<Expr>,
        returning: Option<Returned>,
    },
}

/// SELECT.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SelectQuery {
    pub(super) columns: Vec<Column>,
    pub(super) source: Source,
    pub(super) condition: Option<Expr>,
    pub(super) order: Vec<(Expr, Direction)>,
    /// A clause that DynamoDB has not.
    pub(super) foreign: Option<(&'static str, Position)>,
}

/// ASC or DESC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the least.
    Ascending,
    /// From the greatest.
    Descending,
}

/// What SELECT returns.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Column {
    All,
    Expr(Expr),
    Aliased,
}

/// What a statement is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    pub(super) expr: Expr,
    pub(super) aliased: bool,
    /// There are several.
    pub(super) joined: bool,
}

/// A clause of UPDATE.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clause {
    Set(Vec<Step>, Expr),
    Remove(Vec<Step>),
    /// `INSERT INTO` within another statement.
    Insert,
}

/// RETURNING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Which state of the item.
    pub state: ReturnedState,
    /// Whether only what the statement names is returned.
    pub modified: bool,
}

/// The item before or after the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnedState {
    /// Before.
    Old,
    /// After.
    New,
}

impl fmt::Display for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = if self.modified { "MODIFIED" } else { "ALL" };
        let state = match self.state {
            ReturnedState::Old => "OLD",
            ReturnedState::New => "NEW",
        };
        write!(f, "RETURNING {which} {state} *")
    }
}
