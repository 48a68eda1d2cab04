//! Everything that can be wrong with an expression, typed; and DynamoDB's words for it.
//!
//! The words are the `Display` of these types and exist nowhere else. They were taken from the
//! developer guide ("Expressions", "Constraints"), from AWS's recorded answers
//! (`paritysuite/dynamodb-conformance`) and from errors users quote in public issue threads. What
//! operations put around them (the `1 validation error detected: ` envelope of today's validation
//! layer on PutItem, UpdateItem and DeleteItem) is the wire edge's business; [`ExpressionError::stage`]
//! says which errors the envelope covers.

use std::fmt;

/// Which request parameter an expression came from. DynamoDB names it in every complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpressionKind {
    /// `ConditionExpression`.
    Condition,
    /// `FilterExpression`.
    Filter,
    /// `KeyConditionExpression`.
    KeyCondition,
    /// `ProjectionExpression`.
    Projection,
    /// `UpdateExpression`.
    Update,
}

impl ExpressionKind {
    /// The parameter's name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::KeyCondition => "KeyConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
        }
    }
}

impl fmt::Display for ExpressionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When DynamoDB notices an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the request alone, before the table is looked up.
    Request,
    /// Against the table's key schema.
    Schema,
    /// Against the item.
    Item,
}

/// What is wrong with an expression, its placeholders, or its use on a table or an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// The expression itself is wrong.
    #[error("Invalid {kind}: {reason}")]
    Invalid {
        /// The parameter it came in.
        kind: ExpressionKind,
        /// What is wrong.
        reason: Reason,
    },
    /// `ExpressionAttributeNames` or `ExpressionAttributeValues` is wrong.
    #[error(transparent)]
    Placeholders(#[from] PlaceholderError),
    /// A well-formed condition that is not a key condition.
    #[error(transparent)]
    KeyCondition(#[from] KeyConditionError),
    /// A key condition, filter or update that does not fit the key schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// An update that cannot be applied to the item found.
    #[error(transparent)]
    Item(#[from] ItemError),
}

impl ExpressionError {
    /// When DynamoDB notices this error: errors of [`Stage::Request`] are the ones that today's
    /// validation layer wraps in its envelope.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Invalid { .. } | Self::Placeholders(_) | Self::KeyCondition(_) => Stage::Request,
            Self::Schema(_) => Stage::Schema,
            Self::Item(_) => Stage::Item,
        }
    }
}

/// What is wrong with an expression. DynamoDB's wording, without the `Invalid …Expression: ` that
/// precedes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No token at all.
    #[error("The expression can not be empty;")]
    Empty,
    /// More than 4,096 bytes as sent. An update expression is not told its size.
    #[error("Expression size has exceeded the maximum allowed size;{}", OptionalSize(*.size))]
    TooLong {
        /// Bytes, where DynamoDB reports them.
        size: Option<usize>,
    },
    /// A token that the grammar does not allow at its place.
    #[error("Syntax error; token: \"{token}\", near: \"{near}\"")]
    Syntax {
        /// The token, or `<EOF>`.
        token: String,
        /// The text from the token before it to the token after it.
        near: String,
    },
    /// `((a = b))`.
    #[error("The expression has redundant parentheses;")]
    RedundantParentheses,
    /// More than 300 operators and functions.
    #[error("The expression contains too many operators; operator count: {count}")]
    TooManyOperators {
        /// The operator that was one too many.
        count: usize,
    },
    /// More than 100 operands on the right of IN.
    #[error("The IN operator is provided with too many operands; number of operands: {count}")]
    TooManyInOperands {
        /// How many there are.
        count: usize,
    },
    /// A document path of more than 32 elements.
    #[error("The document path has too many nesting levels; nesting levels: {levels}")]
    PathTooDeep {
        /// Its elements.
        levels: usize,
    },
    /// A list index above 2^31 - 1.
    #[error("List index is not within the allowable range; index: [{index}]")]
    IndexOutOfRange {
        /// The digits, as written.
        index: String,
    },
    /// No function has this name (names of functions are case-sensitive).
    #[error("Invalid function name; function: {name}")]
    UnknownFunction {
        /// The name, as written.
        name: String,
    },
    /// `size` as a condition, or another function as an operand.
    #[error("The function is not allowed to be used this way in an expression; function: {name}")]
    MisusedFunction {
        /// The function.
        name: &'static str,
    },
    /// A bare attribute name from the list of reserved words.
    #[error("Attribute name is a reserved keyword; reserved keyword: {word}")]
    ReservedWord {
        /// The name, as written.
        word: String,
    },
    /// `#name` without its entry in `ExpressionAttributeNames`.
    #[error(
        "An expression attribute name used in the document path is not defined; \
         attribute name: {name}"
    )]
    UndefinedName {
        /// The placeholder.
        name: String,
    },
    /// `:value` without its entry in `ExpressionAttributeValues`.
    #[error(
        "An expression attribute value used in expression is not defined; attribute value: {name}"
    )]
    UndefinedValue {
        /// The placeholder.
        name: String,
    },
    /// A function with too few or too many operands.
    #[error(
        "Incorrect number of operands for operator or function; \
         operator or function: {name}, number of operands: {count}"
    )]
    OperandCount {
        /// The function.
        name: &'static str,
        /// How many operands it was given.
        count: usize,
    },
    /// An operand that the operator or function never accepts.
    #[error(
        "Incorrect operand type for operator or function; \
         operator or function: {name}, operand type: {operand}"
    )]
    OperandType {
        /// The operator or function.
        name: &'static str,
        /// The operand's type (`S`, `BOOL`, …).
        operand: &'static str,
    },
    /// An operand that ADD or DELETE never accepts.
    #[error(
        "Incorrect operand type for operator or function; \
         operator: {section}, operand type: {operand}, typeSet: ALLOWED_FOR_{section}_OPERAND"
    )]
    SectionOperandType {
        /// `ADD` or `DELETE`.
        section: &'static str,
        /// The operand's type, in words (`STRING`, `MAP`, …).
        operand: &'static str,
    },
    /// A value where only a document path will do.
    #[error("Operator or function requires a document path; operator or function: {name}")]
    PathRequired {
        /// The function.
        name: &'static str,
    },
    /// `a = a`, `contains(a, a)`.
    #[error(
        "The first operand must be distinct from the remaining operands for this operator or \
         function; operator: {name}, first operand: {operand}"
    )]
    NotDistinct {
        /// The operator or function.
        name: &'static str,
        /// The path, `[a, b]`.
        operand: String,
    },
    /// The second operand of `attribute_type` is no type's name.
    #[error(
        "Invalid attribute type name found; type: {name}, \
         valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
    )]
    UnknownType {
        /// What was given.
        name: String,
    },
    /// BETWEEN with bounds of two types.
    #[error(
        "The BETWEEN operator requires same data type for lower and upper bounds; \
         lower bound operand: AttributeValue: {lower}, upper bound operand: AttributeValue: {upper}"
    )]
    BetweenTypes {
        /// `{S:a}`.
        lower: String,
        /// `{N:1}`.
        upper: String,
    },
    /// BETWEEN with its bounds the wrong way round.
    #[error(
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; \
         lower bound operand: AttributeValue: {lower}, upper bound operand: AttributeValue: {upper}"
    )]
    BetweenOrder {
        /// `{N:2}`.
        lower: String,
        /// `{N:1}`.
        upper: String,
    },
    /// SET, REMOVE, ADD or DELETE twice.
    #[error("The \"{section}\" section can only be used once in an update expression;")]
    RepeatedSection {
        /// The section.
        section: &'static str,
    },
    /// One path is the other, or leads to it.
    #[error(
        "Two document paths overlap with each other; must remove or rewrite one of these paths; \
         path one: {one}, path two: {two}"
    )]
    PathsOverlap {
        /// The earlier path, `[a]`.
        one: String,
        /// The later path, `[a, b]`.
        two: String,
    },
    /// One path takes for a map what the other takes for a list.
    #[error(
        "Two document paths conflict with each other; must remove or rewrite one of these paths; \
         path one: {one}, path two: {two}"
    )]
    PathsConflict {
        /// The earlier path, `[a, b]`.
        one: String,
        /// The later path, `[a, [0]]`.
        two: String,
    },
    /// Two conditions on one key attribute.
    #[error("KeyConditionExpressions must only contain one condition per key")]
    RepeatedKey,
    /// A key condition on an attribute inside another.
    #[error("KeyConditionExpressions cannot have conditions on nested attributes")]
    NestedKey,
    /// `size(…)` in a key condition.
    #[error("KeyConditionExpressions cannot contain nested operations")]
    NestedOperation,
}

/// The tail of [`Reason::TooLong`], or nothing.
struct OptionalSize(Option<usize>);

impl fmt::Display for OptionalSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .map_or(Ok(()), |size| write!(f, " expression size: {size}"))
    }
}

impl Reason {
    /// The error that names the parameter too.
    #[must_use]
    pub fn in_expression(self, kind: ExpressionKind) -> ExpressionError {
        ExpressionError::Invalid { kind, reason: self }
    }
}

/// Which of the two placeholder parameters is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceholderKind {
    /// `ExpressionAttributeNames`.
    Names,
    /// `ExpressionAttributeValues`.
    Values,
}

impl fmt::Display for PlaceholderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Names => "ExpressionAttributeNames",
            Self::Values => "ExpressionAttributeValues",
        })
    }
}

/// What is wrong with the placeholders of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceholderError {
    /// Present, but without an entry.
    #[error("{kind} must not be empty")]
    Empty {
        /// The parameter.
        kind: PlaceholderKind,
    },
    /// A key that is not `#` or `:` followed by letters, digits and underscores.
    #[error("{kind} contains invalid key: Syntax error; key: \"{key}\"")]
    InvalidKey {
        /// The parameter.
        kind: PlaceholderKind,
        /// The key.
        key: String,
    },
    /// A key of more than 255 bytes. Of a value's key the size is not told (captured for
    /// ExtendDB/extenddb#181).
    #[error(
        "{kind} contains invalid key: The expression attribute map contains a key that is too \
         long;{}", KeySize(*.kind, *.size)
    )]
    KeyTooLong {
        /// The parameter.
        kind: PlaceholderKind,
        /// Bytes, with the sign.
        size: usize,
    },
    /// Names and values together exceed 2 MB. The limit is documented, the words are ours.
    #[error("{kind} size has exceeded the maximum allowed size")]
    TooLarge {
        /// The parameter that went over it.
        kind: PlaceholderKind,
    },
    /// Entries that no expression of the request uses.
    #[error("Value provided in {kind} unused in expressions: keys: {{{}}}", .keys.join(", "))]
    Unused {
        /// The parameter.
        kind: PlaceholderKind,
        /// The unused keys.
        keys: Vec<String>,
    },
}

/// The tail of [`PlaceholderError::KeyTooLong`], or nothing.
struct KeySize(PlaceholderKind, usize);

impl fmt::Display for KeySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            PlaceholderKind::Names => write!(f, " size of key: {}", self.1),
            PlaceholderKind::Values => Ok(()),
        }
    }
}

/// Why a condition cannot be a key condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyConditionError {
    /// OR, NOT, IN, <> or a function other than `begins_with`.
    #[error("Invalid operator used in KeyConditionExpression: {operator}")]
    Operator {
        /// The operator or function.
        operator: &'static str,
    },
    /// `a BETWEEN b AND :c`.
    #[error(
        "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
    )]
    SeveralAttributes,
    /// `:a = :b`.
    #[error("Invalid condition in KeyConditionExpression: No key attribute specified")]
    NoAttribute,
    /// `begins_with(:a, key)`, `:a BETWEEN key AND :b`.
    #[error(
        "Invalid condition in KeyConditionExpression: \
         {operator} operator must have the key attribute as its first operand"
    )]
    AttributeNotFirst {
        /// The operator or function.
        operator: &'static str,
    },
}

/// What does not fit the key schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// More conditions than key attributes.
    #[error(
        "The number of query conditions ({conditions}) exceeds the number of key attributes \
         defined in the schema ({attributes})"
    )]
    TooManyConditions {
        /// Conditions in the expression.
        conditions: usize,
        /// Attributes in the key schema.
        attributes: usize,
    },
    /// A key attribute without a condition.
    #[error("Query condition missed key schema element: {attribute}")]
    MissingCondition {
        /// The key attribute.
        attribute: String,
    },
    /// A HASH attribute that is not compared for equality.
    #[error("Query key condition not supported")]
    HashNotEqual,
    /// A value of another type than the key attribute's.
    #[error(
        "One or more parameter values were invalid: \
         Condition parameter type does not match schema type"
    )]
    ConditionType,
    /// A gap, or an inequality before the last RANGE attribute used.
    #[error(
        "RANGE key attributes {} must have equality conditions specified in the query because \
         a condition is present on key attribute {because}", .attributes.join(", ")
    )]
    RangeNotEqual {
        /// The RANGE attributes that lack an equality.
        attributes: Vec<String>,
        /// The last RANGE attribute with a condition.
        because: String,
    },
    /// A key attribute compared with an empty string or binary.
    #[error(
        "One or more parameter values are not valid. \
         The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {attribute}"
    )]
    EmptyKeyValue {
        /// `string` or `binary`.
        kind: &'static str,
        /// The key attribute.
        attribute: String,
    },
    /// A filter that mentions the primary key of what is queried.
    #[error(
        "Filter Expression can only contain non-primary key attributes: \
         Primary key attribute: {attribute}"
    )]
    FilterOnKey {
        /// The key attribute.
        attribute: String,
    },
    /// An update of the primary key.
    #[error(
        "One or more parameter values were invalid: Cannot update attribute {attribute}. \
         This attribute is part of the key"
    )]
    UpdateOfKey {
        /// The key attribute.
        attribute: String,
    },
}

/// Why an update cannot be applied to an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// An operand of a type that the operation does not take.
    #[error("An operand in the update expression has an incorrect data type")]
    OperandType,
    /// The same of `AttributeUpdates` (aws/aws-sdk-java#905).
    #[error("Type mismatch for attribute to update")]
    AttributeType,
    /// A path on the right that leads nowhere.
    #[error("The provided expression refers to an attribute that does not exist in the item")]
    MissingAttribute,
    /// A path on the left whose parent is missing, or is no map or list.
    #[error("The document path provided in the update expression is invalid for update")]
    InvalidPath,
    /// A sum that a Number cannot hold; DynamoDB's words for it.
    #[error("{0}")]
    Number(String),
    /// More than 32 levels after the update. A request that holds as many is told more
    /// ([`ValueError::TooDeep`](crate::item::ValueError::TooDeep)); this is the reason that AWS has for
    /// the cancellation of a transaction (limits/nestingDepth, `NEST_REASON`).
    #[error("Nesting Levels have exceeded supported limits")]
    TooDeep,
}
