//! Why an operation on items refuses a request that is well formed, and DynamoDB's words for it.
//!
//! Control flow knows the variants; the texts stand here alone, as data. Where AWS documents no
//! text, it is what its service answers in practice; captures of the public conformance reference
//! (`captures/`, `registry/splits.json` there) were used where they exist.

use std::fmt;

use thiserror::Error;

use crate::{expression::ExpressionError, wire::error::Error};

/// A refusal by the rules of items, keys, indexes and pages. It becomes a `ValidationException`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    // Keys that are given to find an item (`Key`, `Keys`, `DeleteRequest`).
    /// An attribute of the key is missing, has another type, or is none of the key's.
    #[error("The provided key element does not match the schema")]
    KeyMismatch,
    /// More attributes than the key has.
    #[error("The number of conditions on the keys is invalid")]
    KeyCount,

    // Keys within an item that is put.
    /// An attribute of the key is missing.
    #[error("One or more parameter values were invalid: Missing the key {0} in the item")]
    MissingKey(Box<str>),
    /// An attribute of the key has another type.
    #[error(
        "One or more parameter values were invalid: \
         Type mismatch for key {name} expected: {expected} actual: {actual}"
    )]
    KeyType {
        /// Name of the attribute.
        name: Box<str>,
        /// Declared type.
        expected: &'static str,
        /// Type that was given.
        actual: &'static str,
    },
    /// A key attribute is an empty string or empty binary.
    #[error(
        "One or more parameter values are not valid. The AttributeValue for a key attribute \
         cannot contain an empty {kind} value. Key: {name}"
    )]
    EmptyKey {
        /// Name of the attribute.
        name: Box<str>,
        /// `string` or `binary`.
        kind: &'static str,
    },
    /// A partition key of more than 2,048 bytes. The missing space is DynamoDB's.
    #[error(
        "One or more parameter values were invalid: \
         Size of hashkey has exceeded the maximum size limit of2048 bytes"
    )]
    PartitionKeySize,
    /// A sort key of more than 1,024 bytes.
    #[error(
        "One or more parameter values were invalid: \
         Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
    )]
    SortKeySize,

    // Keys of secondary indexes within an item.
    /// An index key attribute has another type.
    #[error(
        "One or more parameter values were invalid: Type mismatch for Index Key {name} \
         Expected: {expected} Actual: {actual} IndexName: {index}"
    )]
    IndexKeyType {
        /// Name of the attribute.
        name: Box<str>,
        /// Declared type.
        expected: &'static str,
        /// Type that was given.
        actual: &'static str,
        /// Name of the index.
        index: Box<str>,
    },
    /// An index key attribute is an empty string or empty binary.
    #[error(
        "One or more parameter values are not valid. A value specified for a secondary index key \
         is not supported. The AttributeValue for a key attribute cannot contain an empty {kind} \
         value. IndexName: {index}, IndexKey: {name}"
    )]
    EmptyIndexKey {
        /// Name of the attribute.
        name: Box<str>,
        /// `string` or `binary`.
        kind: &'static str,
        /// Name of the index.
        index: Box<str>,
    },
    /// An update gives an index key attribute another type.
    #[error(
        "The update expression attempted to update the secondary index key to unsupported type"
    )]
    UpdateIndexKeyType,
    /// An update gives an index key attribute an empty value.
    #[error(
        "One or more parameter values are not valid. The update expression attempted to update a \
         secondary index key to a value that is not supported. The AttributeValue for a key \
         attribute cannot contain an empty {kind} value."
    )]
    UpdateEmptyIndexKey {
        /// `string` or `binary`.
        kind: &'static str,
    },
    /// An update makes an index key attribute too long.
    #[error(
        "The update expression attempted to update the secondary index key beyond allowed size \
         limits"
    )]
    UpdateIndexKeySize,

    // Items.
    /// An item of more than 400 KB is put.
    #[error("Item size has exceeded the maximum allowed size")]
    ItemSize,
    /// An update makes an item larger than 400 KB.
    #[error("Item size to update has exceeded the maximum allowed size")]
    UpdatedItemSize,
    /// `ReturnValues` other than `ALL_OLD` or `NONE` for an operation that knows no more.
    #[error("ReturnValues can only be ALL_OLD or NONE")]
    ReturnValues,

    // Batches.
    /// One item is named twice in a batch.
    #[error("Provided list of item keys contains duplicates")]
    DuplicateKeys,
    /// Batch write of more than 25 requests over all tables.
    #[error("Too many items requested for the BatchWriteItem call")]
    TooManyWrites,
    /// Batch read of more than 100 keys over all tables.
    #[error("Too many items requested for the BatchGetItem call")]
    TooManyReads,
    /// A write request with both or neither of put and delete.
    #[error(
        "Supplied AttributeValue has more than one datatypes set, \
         must contain exactly one of the supported datatypes"
    )]
    WriteRequestBoth,
    /// A write request with neither put nor delete.
    #[error(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
    )]
    WriteRequestNeither,

    // Transactions.
    /// An item is named twice.
    #[error("Transaction request cannot include multiple operations on one item")]
    SeveralOperations,
    /// An entry of `TransactItems` with more than one action.
    #[error("TransactItems can only contain one of Check, Put, Update or Delete")]
    SeveralActions,
    /// An entry of `TransactItems` without any.
    #[error("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")]
    NoAction,
    /// An update that cannot be one of the table's items, in the words of the expression.
    #[error(transparent)]
    Expression(ExpressionError),
    /// More than 4 MB of items. The API reference has the rule and no capture has the text: these are
    /// the reference's words.
    #[error("The aggregate size of the items in the transaction exceeds 4 MB")]
    TransactionSize,

    // Pages: Query and Scan.
    /// The index does not exist.
    #[error("The table does not have the specified index: {0}")]
    NoSuchIndex(Box<str>),
    /// The index was added to its table and is not ready (as users of AWS met it).
    #[error("Cannot read from backfilling global secondary index: {0}")]
    Backfilling(Box<str>),
    /// `ConsistentRead` on a global secondary index.
    #[error("Consistent reads are not supported on global secondary indexes")]
    ConsistentGlobalIndex,
    /// `ALL_ATTRIBUTES` of a global secondary index that does not carry all.
    #[error(
        "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported \
         for global secondary index {0} because its projection type is not ALL"
    )]
    AllAttributesOfGlobalIndex(Box<str>),
    /// Attributes are asked of a global secondary index that it does not carry.
    #[error(
        "One or more parameter values were invalid: Global secondary index {index} does not \
         project [{}]", .attributes.join(", ")
    )]
    NotProjected {
        /// Name of the index.
        index: Box<str>,
        /// Attributes, sorted.
        attributes: Vec<Box<str>>,
    },
    /// A filter of Query names attributes that the index does not carry.
    #[error(
        "One or more parameter values were invalid: Secondary index {index} does not project one \
         or more filter attributes: [{}]", .attributes.join(", ")
    )]
    FilterNotProjected {
        /// Name of the index.
        index: Box<str>,
        /// Attributes, sorted.
        attributes: Vec<Box<str>>,
    },
    /// `ALL_PROJECTED_ATTRIBUTES` without an index.
    #[error(
        "One or more parameter values were invalid: \
         ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"
    )]
    ProjectedWithoutIndex,
    /// `SPECIFIC_ATTRIBUTES` without saying which.
    #[error(
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get \
         SPECIFIC_ATTRIBUTES"
    )]
    SpecificWithoutProjection,
    /// A projection with a `Select` that needs none.
    #[error("Cannot specify the {parameter} when choosing to get {choice}")]
    ProjectionWithSelect {
        /// `ProjectionExpression` or `AttributesToGet`.
        parameter: &'static str,
        /// What was chosen, in DynamoDB's words.
        choice: &'static str,
    },
    /// Neither way of giving a key condition was used.
    #[error(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the \
         request."
    )]
    NoKeyCondition,
    /// A `QueryFilter` names a key attribute.
    #[error("QueryFilter can only contain non-primary key attributes: Primary key attribute: {0}")]
    LegacyFilterOnKey(Box<str>),
    /// An `ExclusiveStartKey` without the attributes, or with others.
    #[error("The provided starting key is invalid")]
    StartKey,
    /// An `ExclusiveStartKey` of Scan without the attributes, or with others.
    #[error(
        "The provided starting key is invalid: The provided key element does not match the schema"
    )]
    ScanStartKey,
    /// An `ExclusiveStartKey` that the key condition can never reach.
    #[error("The provided starting key is outside query boundaries based on provided conditions")]
    StartKeyOutside,
    /// An `ExclusiveStartKey` of another segment.
    #[error(
        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use \
         ExclusiveStartKey with correct Segment. TotalSegments: {total} Segment: {segment}"
    )]
    StartKeySegment {
        /// `TotalSegments`.
        total: u32,
        /// `Segment`.
        segment: u32,
    },
    /// `Segment` without `TotalSegments`.
    #[error(
        "The TotalSegments parameter is required but was not present in the request when Segment \
         parameter is present"
    )]
    SegmentAlone,
    /// `TotalSegments` without `Segment`.
    #[error(
        "The Segment parameter is required but was not present in the request when parameter \
         TotalSegments is present"
    )]
    TotalSegmentsAlone,
    /// `Segment` not below `TotalSegments`.
    #[error(
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: \
         Segment: {segment} is not less than TotalSegments: {total}"
    )]
    SegmentRange {
        /// `TotalSegments`.
        total: i64,
        /// `Segment`.
        segment: i64,
    },

    // Old and new parameters.
    /// Expression parameters together with those they replaced.
    #[error(
        "Can not use both expression and non-expression parameters in the same request: \
         Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
        .legacy.join(", "), .expression.join(", ")
    )]
    Mixed {
        /// Legacy parameters, in DynamoDB's order.
        legacy: Vec<&'static str>,
        /// Expression parameters, in DynamoDB's order.
        expression: Vec<&'static str>,
    },
    /// A placeholder map without any expression.
    #[error("{map} can only be specified when using expressions{}", Missing(.missing))]
    PlaceholdersAlone {
        /// `ExpressionAttributeNames` or `ExpressionAttributeValues`.
        map: &'static str,
        /// The expressions that could have used it, if the answer names them.
        missing: Vec<&'static str>,
    },
    /// `ConditionalOperator` without conditions.
    #[error("ConditionalOperator cannot be used without Filter or Expected")]
    OperatorAlone,
    /// `ConditionalOperator` with a single condition.
    #[error(
        "ConditionalOperator can only be used when Filter or Expected has two or more elements"
    )]
    OperatorForOne,
}

/// `: A is null`, `: A and B are null`, or nothing.
struct Missing<'a>(&'a [&'static str]);

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            [one] => write!(f, ": {one} is null"),
            several => write!(f, ": {} are null", several.join(" and ")),
        }
    }
}

impl Rejection {
    /// Whether a transaction is refused for it before it begins. AWS does so for what it finds in the
    /// request alone, be it by the table's key schema; what the key schema makes of types, and what
    /// only shows when the item is there, becomes the reason of a cancellation
    /// (error-messages/transactWriteItems and transactIndexKeys; of sizes, nothing is recorded).
    pub fn precedes_transaction(&self) -> bool {
        matches!(
            self,
            Self::EmptyKey { .. }
                | Self::EmptyIndexKey { .. }
                | Self::UpdateEmptyIndexKey { .. }
                | Self::PartitionKeySize
                | Self::SortKeySize
        )
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::validation(rejection.to_string())
    }
}
