//! What can be wrong with a request before its meaning is looked at, and DynamoDB's words for it.

use std::fmt;

/// The kind of the next value, told from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `null`: DynamoDB treats a null member as one that is not there.
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A whole number, kept as text.
    Number,
    /// A number with a fraction or an exponent. [`super::Reader::peek`], which sees one byte, says
    /// `Number` of these too; errors tell them apart.
    Decimal,
    /// A string.
    String,
    /// `[`
    Array,
    /// `{`
    Object,
}

impl Token {
    /// The name that DynamoDB's messages have for a scalar.
    fn name(self) -> &'static str {
        match self {
            Token::Null => "NULL_VALUE",
            Token::True => "TRUE_VALUE",
            Token::False => "FALSE_VALUE",
            Token::Number => "NUMBER_VALUE",
            Token::Decimal => "DECIMAL_VALUE",
            Token::String => "STRING_VALUE",
            Token::Array => "START_ARRAY",
            Token::Object => "START_OBJECT",
        }
    }
}

/// The type that the shape of the request asks for at one place.
///
/// Messages name the class of DynamoDB's own Java code, so the containers carry that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A string or a value of an enumeration.
    String,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// A number with a fraction.
    Double,
    /// `true` or `false`.
    Boolean,
    /// Base64 in a string.
    Blob,
    /// Seconds since 1970, with a fraction.
    Timestamp,
    /// A list, by its Java type (`java.util.List<…>`).
    List(&'static str),
    /// A map, by its Java type (`java.util.Map<java.lang.String, …>`).
    Map(&'static str),
    /// A structure that is an element of a list or map, by its name in the API model.
    Structure(&'static str),
    /// A structure that is a member of another, by its name in the API model. It differs from
    /// [`Expected::Structure`] in the message alone.
    Member(&'static str),
}

impl Expected {
    /// The type's name behind "cannot be converted to".
    fn scalar_name(self) -> &'static str {
        match self {
            Expected::String => "String",
            Expected::Integer => "Integer",
            Expected::Long => "Long",
            Expected::Double => "Double",
            Expected::Boolean => "Boolean",
            Expected::Blob => "ByteBuffer",
            Expected::Timestamp => "Date",
            Expected::List(_) | Expected::Map(_) | Expected::Structure(_) | Expected::Member(_) => {
                "Object"
            }
        }
    }
}

/// A request that is no JSON, or whose JSON has a value of the wrong kind somewhere.
///
/// Answered as `SerializationException`, with [`fmt::Display`] as the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SerializationError {
    /// The bytes are no JSON, or no UTF-8, from this offset on. DynamoDB gives no message for it.
    Malformed {
        /// Where the parser stopped, in bytes.
        offset: usize,
    },
    /// Arrays and objects nested deeper than [`super::MAX_DEPTH`].
    TooDeep,
    /// A value of another kind than the shape has there.
    Unexpected {
        /// What the shape has.
        expected: Expected,
        /// What the request has.
        found: Token,
    },
    /// A number where the shape has one, but not one that the type can hold.
    OutOfRange(Expected),
    /// A string that is no base64 where the shape has a blob.
    Base64(Base64Error),
}

/// How a blob's text breaks the rules of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base64Error {
    /// The length is no multiple of four.
    Length(usize),
    /// A character outside the alphabet.
    Byte(u8),
    /// Bits that are lost are set in the last character before the padding.
    LastCharacter,
}

impl fmt::Display for SerializationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SerializationError::Malformed { .. } | SerializationError::TooDeep => Ok(()),
            SerializationError::Unexpected { expected, found } => unexpected(f, *expected, *found),
            SerializationError::OutOfRange(expected) => {
                write!(
                    f,
                    "NUMBER_VALUE cannot be converted to {}",
                    expected.scalar_name()
                )
            }
            SerializationError::Base64(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Base64Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Base64Error::Length(length) => write!(
                f,
                "Base64 encoded length is expected a multiple of 4 bytes but found: {length}"
            ),
            Base64Error::Byte(byte) => {
                write!(f, "Invalid Base64 character: '{}'", char::from(*byte))
            }
            // Spelled as DynamoDB's Java code spells it.
            Base64Error::LastCharacter => {
                f.write_str("Invalid last non-pad Base64 character dectected")
            }
        }
    }
}

impl std::error::Error for SerializationError {}

/// The texts are those of AWS's own answers to such requests, as tools that met them report: issues
/// `localstack/localstack` 9412 (`NUMBER_VALUE cannot be converted to String`), `aws/aws-sdk-js-v3`
/// 7102 (`Start of structure or map found where not expected`), `JuliaCloud/AWS.jl` 673
/// (`Unexpected field type`), and the type checks of dynalite, which were made from such answers.
fn unexpected(f: &mut fmt::Formatter<'_>, expected: Expected, found: Token) -> fmt::Result {
    match (expected, found) {
        (Expected::Structure(name) | Expected::Member(name), Token::Array) => {
            write!(
                f,
                "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.{name}"
            )
        }
        (Expected::Map(java), Token::Array) => write!(f, "Unrecognized collection type {java}"),
        (scalar, Token::Array) => {
            write!(
                f,
                "Unrecognized collection type class {}",
                java_class(scalar)
            )
        }
        (_, Token::Object) => f.write_str("Start of structure or map found where not expected"),
        (Expected::Structure(_), _) => f.write_str("Unexpected value type in payload"),
        (Expected::Member(_) | Expected::List(_) | Expected::Map(_), _) => {
            f.write_str("Unexpected field type")
        }
        (Expected::Boolean, Token::String) => f.write_str("Unexpected token received from parser"),
        (Expected::Blob, _) => f.write_str("only base-64-encoded strings are convertible to bytes"),
        (scalar, found) => {
            write!(
                f,
                "{} cannot be converted to {}",
                found.name(),
                scalar.scalar_name()
            )
        }
    }
}

/// The class of a scalar in DynamoDB's Java code.
fn java_class(scalar: Expected) -> &'static str {
    match scalar {
        Expected::Blob => "java.nio.ByteBuffer",
        Expected::Timestamp => "java.util.Date",
        Expected::Integer => "java.lang.Integer",
        Expected::Long => "java.lang.Long",
        Expected::Double => "java.lang.Double",
        Expected::Boolean => "java.lang.Boolean",
        _ => "java.lang.String",
    }
}
