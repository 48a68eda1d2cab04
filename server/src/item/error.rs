//! What can be wrong with a value, and DynamoDB's words for it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use super::MAX_NAME_BYTES;
use super::number::NumberError;
use super::value::Kind;
use crate::wire::json::SerializationError;

/// Which of its two validation layers' words DynamoDB uses. The layers differ by operation and, while
/// AWS rolls the current one out, by Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// Today's.
    Current,
    /// That of before 2026, which BatchWriteItem, Scan and most transactions still have.
    Older,
}

/// A value that is well-formed JSON of the right shape, and that DynamoDB refuses.
///
/// The texts are those of AWS's recorded answers in the public conformance suite
/// (`tests/tier3/error-messages/valueLayers.test.ts`, `putItem.test.ts`, October 2026).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueError {
    /// None of the ten types is given.
    Empty,
    /// More than one is.
    Ambiguous,
    /// `{"NULL": false}`.
    NullIsFalse,
    /// A set without elements.
    EmptySet(Kind),
    /// A set with `null` among its elements.
    NullElement(Kind),
    /// A set with the same element twice.
    RepeatedElement {
        /// The type of the set.
        kind: Kind,
        /// The elements in the order of the request: text, bytes, or a number's canonical bytes.
        elements: Vec<Vec<u8>>,
    },
    /// A number that DynamoDB does not store.
    Number {
        /// The request's text.
        text: String,
        /// Why not.
        error: NumberError,
    },
    /// Lists and maps nested deeper than 32 levels.
    TooDeep,
    /// An attribute, or an entry of a map, with an empty name.
    EmptyName,
    /// An attribute, or an entry of a map, with a name of more than 65,535 bytes.
    LongName,
}

const INVALID: &str = "One or more parameter values were invalid: ";

impl ValueError {
    /// The limits of an attribute's name, and of a name in a map.
    pub fn check_name(name: &str) -> Result<(), Self> {
        match name.len() {
            0 => Err(Self::EmptyName),
            length if length > MAX_NAME_BYTES => Err(Self::LongName),
            _ => Ok(()),
        }
    }

    /// DynamoDB's message, without what an operation puts around it.
    pub fn message(&self, wording: Wording) -> Cow<'static, str> {
        match self {
            ValueError::Empty => "Supplied AttributeValue is empty, must contain exactly one of \
                                  the supported datatypes"
                .into(),
            ValueError::Ambiguous => "Supplied AttributeValue has more than one datatypes set, \
                                      must contain exactly one of the supported datatypes"
                .into(),
            ValueError::NullIsFalse => {
                format!("{INVALID}Null attribute value types must have the value of true").into()
            }
            ValueError::EmptySet(kind) => match kind {
                Kind::BS => format!("{INVALID}Binary sets should not be empty"),
                // Both spaces are DynamoDB's.
                _ => format!("{INVALID}An {} set  may not be empty", element_name(*kind)),
            }
            .into(),
            ValueError::NullElement(kind) => match kind {
                Kind::BS => format!("{INVALID}Binary sets may not contain null values"),
                _ => {
                    let name = element_name(*kind);
                    format!("{INVALID}An {name} set may not have a null {name} as a member")
                }
            }
            .into(),
            ValueError::RepeatedElement { kind, elements } => {
                repeated(*kind, elements, wording).into()
            }
            ValueError::Number { text, error } => number(text, *error, wording).into(),
            ValueError::TooDeep => "Nesting Levels have exceeded supported limits: Attributes in \
                                    the item have nested levels beyond supported limit"
                .into(),
            ValueError::EmptyName => "Empty attribute name".into(),
            ValueError::LongName => {
                "Attribute name is too large, must be less than 65536 bytes".into()
            }
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(Wording::Current))
    }
}

impl std::error::Error for ValueError {}

fn element_name(kind: Kind) -> &'static str {
    if kind == Kind::NS { "number" } else { "string" }
}

/// The older layer prints the elements as they were sent. The current one has read them into a sorted
/// set up to the repeated one: it prints that set, the repeated one, and the rest as sent.
fn repeated(kind: Kind, elements: &[Vec<u8>], wording: Wording) -> String {
    if kind == Kind::NS {
        return match wording {
            Wording::Current => format!("{INVALID}Input collection contains duplicates."),
            Wording::Older => "Input collection contains duplicates".to_owned(),
        };
    }
    let shown = |element: &[u8]| match kind {
        Kind::BS => base64_simd::STANDARD.encode_to_string(element),
        _ => String::from_utf8_lossy(element).into_owned(),
    };
    let listed = match wording {
        Wording::Older => elements
            .iter()
            .map(|element| shown(element))
            .collect::<Vec<_>>(),
        Wording::Current => {
            let mut seen = BTreeSet::new();
            let fresh = elements
                .iter()
                .take_while(|element| seen.insert(element.as_slice()));
            let fresh = fresh.count();
            let rest = elements.iter().skip(fresh).map(Vec::as_slice);
            let all = seen.iter().copied().chain(rest);
            all.map(|element| format!("\"{}\"", shown(element)))
                .collect()
        }
    };
    // The missing spaces are DynamoDB's.
    let separator = match (kind, wording) {
        (Kind::BS, Wording::Current) => ",",
        _ => ", ",
    };
    let of_type = if kind == Kind::BS { "of type BS" } else { "" };
    format!(
        "{INVALID}Input collection [{}]{of_type} contains duplicates.",
        listed.join(separator)
    )
}

fn number(text: &str, error: NumberError, wording: Wording) -> String {
    let error = match wording {
        Wording::Current => error,
        Wording::Older => narrow_exponent(text, error),
    };
    match (error, wording) {
        (NumberError::NotNumeric, Wording::Older) if text.is_empty() => error.to_string(),
        (NumberError::NotNumeric, _) => format!("{error}: {text}"),
        _ => error.to_string(),
    }
}

/// The older layer reads numbers as Java's `BigDecimal` does, whose exponent and scale have 32 bits: a
/// larger one is no number, and the magnitude computed from it wraps.
fn narrow_exponent(text: &str, error: NumberError) -> NumberError {
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else {
        return error;
    };
    if !matches!(error, NumberError::Overflow | NumberError::Underflow) {
        return error;
    }
    let fraction = digits
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    let precision = digits
        .trim_start_matches(['+', '-', '0', '.'])
        .bytes()
        .filter(u8::is_ascii_digit)
        .count()
        .max(1);
    let scale = exponent.parse::<i32>().ok().and_then(|exponent| {
        i32::try_from(i64::try_from(fraction).ok()? - i64::from(exponent)).ok()
    });
    match (scale, i32::try_from(precision)) {
        (Some(scale), Ok(precision)) => {
            if precision.wrapping_sub(scale) > 126 {
                NumberError::Overflow
            } else {
                NumberError::Underflow
            }
        }
        _ => NumberError::NotNumeric,
    }
}

/// Why a value could not be read from a request's JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// It is no JSON, or not of the shape. The reader is of no further use.
    Serialization(SerializationError),
    /// It is of the shape, and DynamoDB refuses it. The reader stands behind the value: whatever else
    /// is wrong with the request may come first.
    Validation(ValueError),
}

impl From<SerializationError> for DecodeError {
    fn from(error: SerializationError) -> Self {
        DecodeError::Serialization(error)
    }
}

impl From<ValueError> for DecodeError {
    fn from(error: ValueError) -> Self {
        DecodeError::Validation(error)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Serialization(error) => error.fmt(f),
            DecodeError::Validation(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Bytes from the store that are no item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("corrupt item: expected {expected} at byte {offset}")]
pub struct CorruptItem {
    /// Where in the bytes.
    pub offset: usize,
    /// What should be there.
    pub expected: &'static str,
}

impl CorruptItem {
    pub(super) fn new(offset: usize, expected: &'static str) -> Self {
        Self { offset, expected }
    }
}
