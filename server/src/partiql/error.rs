//! Why a statement is refused, and DynamoDB's words for it.
//!
//! The words are the `Display` of this type and exist nowhere else. They are AWS's recorded answers
//! where there are any (`paritysuite/dynamodb-conformance`, error-messages/partiql, partiqlGrammar,
//! partiqlFunctions and tier2/partiql; eu-west-2, October 2026), else what users quote. Details of a
//! malformed statement are those of `partiql-lang-kotlin`, whose parser DynamoDB runs.

use thiserror::Error;

use super::ast::{Position, Returned};
use crate::{
    item::{NumberError, ValueError, Wording},
    wire::Error as WireError,
};

/// A refusal of a statement by itself, or of what it says about its table. It becomes a
/// `ValidationException`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StatementError {
    // What cannot be parsed.
    /// A token that is none; AWS gives no detail.
    #[error("Statement wasn't well formed, can't be processed: ")]
    Unreadable,
    /// The grammar does not allow it.
    #[error("Statement wasn't well formed, can't be processed: {0}")]
    Malformed(&'static str),
    /// Deeper nesting than anybody writes.
    #[error("Statement wasn't well formed, can't be processed: The statement is nested too deeply")]
    TooDeep,

    // What is PartiQL, but not DynamoDB's.
    /// A name for a table or column.
    #[error("Aliasing is not supported")]
    Alias,
    /// `a.b.c` after FROM.
    #[error("A path may contain at most 2 components in the FROM clause")]
    LongSource,
    /// `""` after FROM.
    #[error("Path component cannot be an empty string")]
    EmptyComponent,
    /// Several tables, or something that is no table.
    #[error("FROM clause may only contain a single table name")]
    Source,
    /// A write to an index.
    #[error("This operation is not supported on an index")]
    WriteToIndex,
    /// A function that does not exist, or not here.
    #[error("Unrecognized function: {name} at {at}")]
    UnknownFunction {
        /// Its name, in lower case.
        name: Box<str>,
        /// Where it stands.
        at: Position,
    },
    /// An expression where a path has to be.
    #[error("Unexpected path component at {at}")]
    PathComponent {
        /// Where it stands.
        at: Position,
    },
    /// An operator or statement that DynamoDB does not have.
    #[error("Unsupported operation: {0}")]
    Operation(&'static str),
    /// A clause of SELECT that DynamoDB does not have.
    #[error("Unsupported clause: {clause} at {at}")]
    Clause {
        /// Its keyword.
        clause: &'static str,
        /// Where it stands.
        at: Position,
    },
    /// Two columns of one name.
    #[error("Duplicate column name in SELECT list: {0}")]
    DuplicateColumn(Box<str>),
    /// What is no value, in a value.
    #[error("Unsupported data type: {name} under key root at {at}")]
    DataType {
        /// What it is.
        name: Box<str>,
        /// Where it stands.
        at: Position,
    },
    /// RETURNING something else than `*`.
    #[error("Unsupported syntax in RETURNING columns.")]
    ReturningColumns,
    /// RETURNING of a DELETE.
    #[error(
        "Invalid returning clause: {0}. \
         Only RETURNING ALL OLD * is allowed in DELETE statements."
    )]
    DeleteReturning(Returned),
    /// RETURNING of an INSERT.
    #[error("Invalid returning clause: {0}. RETURNING is not allowed in INSERT statements.")]
    InsertReturning(Returned),

    // Values.
    /// A number that DynamoDB does not store, with the way to it.
    #[error("{error} under {path}")]
    Number {
        /// Why not.
        error: NumberError,
        /// `root`, `root.x`, `root[1]`.
        path: Box<str>,
    },
    /// `<<>>`
    #[error("Empty bags are not supported")]
    EmptyBag,
    /// A set of values that cannot be in one set.
    #[error(
        "A bag becomes a set, so its elements have to be all strings, all numbers or all binary values"
    )]
    BagElements,
    /// A value that DynamoDB refuses wherever it comes from.
    #[error("{}", .0.message(Wording::Older))]
    Value(ValueError),
    /// As many `?` as `Parameters`.
    #[error("Number of parameters in request and statement don't match.")]
    ParameterCount,

    // Conditions.
    /// A path of more than 32 elements.
    #[error("The document path has too many nesting levels; nesting levels: {0}")]
    PathLevels(usize),
    /// More than 100 values after IN.
    #[error("The IN operator is provided with too many operands; number of operands: {0}")]
    InOperands(usize),
    /// Something else than a list after IN.
    #[error("The right-hand side of IN must be a list of values at {at}")]
    InList {
        /// Where it stands.
        at: Position,
    },

    // Clauses of UPDATE.
    /// `SET a = set_add(b, …)`
    #[error("The first argument to {name} must equal the assignment value at {at}")]
    SetTarget {
        /// The function.
        name: &'static str,
        /// Where it stands.
        at: Position,
    },
    /// `SET a = set_add(a, 'x')`
    #[error("The second argument to {name} must be a value with type SET at {at}")]
    SetArgument {
        /// The function.
        name: &'static str,
        /// Where its first argument stands.
        at: Position,
    },
    /// `SET a = set_add(a)`
    #[error("{name} must have exactly two arguments at {at}")]
    SetArity {
        /// The function.
        name: &'static str,
        /// Where it stands.
        at: Position,
    },

    // Keys and indexes.
    /// A write that does not say which item.
    #[error("Where clause does not contain a mandatory equality on all key attributes")]
    KeyRequired,
    /// A read of the index of that name, which there is none of.
    #[error("The table does not have the specified index")]
    NoSuchIndex,
    /// `ConsistentRead` of a global secondary index.
    #[error("Strongly consistent read is not supported on Global Secondary Indexes")]
    ConsistentGlobalIndex,
    /// A read of an index whose key has several attributes of one kind.
    #[error(
        "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or \
         multi-attribute RANGE keys."
    )]
    MultiAttributeKey,
    /// OR or IN with ranges of which two share items.
    #[error("Overlapping conditions with range keys are not supported in where clause")]
    Overlap,
    /// More than 50 partitions.
    #[error(
        "The IN operator is provided with too many hash key values; \
         number of values: {0}, maximum: 50"
    )]
    HashValues(usize),
    /// ORDER BY of everything.
    #[error("Must have WHERE clause in the statement when using ORDER BY clause.")]
    OrderWithoutWhere,
    /// ORDER BY of what is scanned.
    #[error(
        "Must have at least one non-optional hash key condition in WHERE clause when using ORDER \
         BY clause."
    )]
    OrderWithoutKey,
    /// ORDER BY of anything but the key.
    #[error("Variable reference {0} in ORDER BY clause must be part of the primary key")]
    OrderByOther(Box<str>),
    /// ORDER BY the sort key over several partitions.
    #[error(
        "Must have hash key in ORDER BY clause when more than one hash key condition specified in \
         WHERE clause."
    )]
    OrderWithoutHash,

    // Several statements at once.
    /// A batch reads single items of tables.
    #[error(
        "Select statements within BatchExecuteStatement must specify the primary key in the where \
         clause."
    )]
    BatchKey,
    /// So does a transaction.
    #[error(
        "Select statements within ExecuteTransaction must specify the primary key in the where \
         clause."
    )]
    TransactionKey,
    /// A read of an index in a transaction.
    #[error("Reads on indices are not supported within transactions.")]
    TransactionIndex,
    /// RETURNING in a transaction.
    #[error("RETURNING clause is not supported in ExecuteTransaction.")]
    TransactionReturning,
    /// EXISTS of a read without a further condition, or without a key.
    #[error("EXISTS() must contain a single item read with additional condition")]
    Exists,

    // Pages.
    /// A token of another statement, or none of ours.
    #[error("NextToken does not match request")]
    NextToken,
}

impl From<StatementError> for WireError {
    fn from(error: StatementError) -> Self {
        Self::validation(error.to_string())
    }
}
