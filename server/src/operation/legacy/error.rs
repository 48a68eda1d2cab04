//! What is wrong with a legacy parameter, in DynamoDB's words.

use thiserror::Error;

/// A refusal of a legacy parameter. It becomes a `ValidationException`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum LegacyError {
    /// A comparison with too few or too many values.
    #[error(
        "One or more parameter values were invalid: \
         Invalid number of argument(s) for the {operator} ComparisonOperator"
    )]
    ArgumentCount {
        /// The operator.
        operator: &'static str,
    },
    /// A comparison that its value's type does not have.
    #[error(
        "One or more parameter values were invalid: \
         ComparisonOperator {operator} is not valid for {kind} AttributeValue type"
    )]
    ArgumentType {
        /// The operator.
        operator: &'static str,
        /// The type.
        kind: &'static str,
    },
    /// Values of several types for one comparison.
    #[error(
        "One or more parameter values were invalid: \
         AttributeValues inside AttributeValueList must be of same type"
    )]
    ArgumentTypes,
    /// BETWEEN with its bounds the wrong way round.
    #[error(
        "The BETWEEN condition was provided a range where the lower bound is greater than the \
         upper bound"
    )]
    BetweenOrder,
    /// Two ways of giving the value.
    #[error(
        "One or more parameter values were invalid: \
         Value and AttributeValueList cannot be used together for Attribute: {0}"
    )]
    ValueTwice(Box<str>),
    /// `Exists` where an operator says what is expected.
    #[error(
        "One or more parameter values were invalid: \
         Exists and ComparisonOperator cannot be used together for Attribute: {0}"
    )]
    ExistsWithOperator(Box<str>),
    /// An operator that compares with nothing.
    #[error(
        "One or more parameter values were invalid: Value or AttributeValueList must be used with \
         ComparisonOperator: {operator} for Attribute: {attribute}"
    )]
    NoValue {
        /// The operator.
        operator: &'static str,
        /// The attribute.
        attribute: Box<str>,
    },
    /// A list of values without an operator.
    #[error(
        "One or more parameter values were invalid: \
         AttributeValueList can only be used with a ComparisonOperator for Attribute: {0}"
    )]
    ListWithoutOperator(Box<str>),
    /// An attribute that has to exist, with no value given.
    #[error(
        "One or more parameter values were invalid: \
         Value must be provided when Exists is {exists} for Attribute: {attribute}"
    )]
    ExistsWithoutValue {
        /// `true` or `null`.
        exists: &'static str,
        /// The attribute.
        attribute: Box<str>,
    },
    /// An attribute that must not exist, with a value given.
    #[error(
        "One or more parameter values were invalid: \
         Value cannot be used when Exists is false for Attribute: {0}"
    )]
    ValueWithoutExists(Box<str>),
    /// An update without a value that does not delete.
    #[error(
        "One or more parameter values were invalid: \
         Only DELETE action is allowed when no attribute value is specified"
    )]
    NoUpdateValue,
    /// DELETE of elements with a value that is no set.
    #[error(
        "One or more parameter values were invalid: \
         DELETE action with value is not supported for the type {kind}"
    )]
    DeleteType {
        /// The type.
        kind: &'static str,
    },
    /// ADD of a value that is no number, set or list.
    #[error(
        "One or more parameter values were invalid: ADD action is not supported for the type {kind}"
    )]
    AddType {
        /// The type.
        kind: &'static str,
    },
    /// An attribute that is asked for twice.
    #[error("One or more parameter values were invalid: Duplicate value in attribute name: {0}")]
    DuplicateAttribute(Box<str>),
    /// A comparison that no key has.
    #[error("Attempted conditional constraint is not an indexable operation")]
    NotIndexable,
}
