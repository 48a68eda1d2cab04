//! Which Rust type stands for which shape, and under which names.

use std::error::Error;

use crate::model::{Model, Shape};

/// Whether a structure is read from requests. One that is both in requests and in answers is written
/// from the form in which it is read.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Side {
    Input,
    Output,
}

/// The Rust type of the shape `name`.
pub(crate) fn rust(model: &Model, name: &str, side: Side) -> Result<String, Box<dyn Error>> {
    if name == "AttributeValue" {
        return Ok(if side == Side::Input {
            "ValueInput"
        } else {
            "Value"
        }
        .to_owned());
    }
    if is_item(model, name)? {
        return Ok(if side == Side::Input {
            "ItemInput"
        } else {
            "Item"
        }
        .to_owned());
    }
    Ok(match model.shape(name)? {
        Shape::String { .. } => "String".to_owned(),
        Shape::Integer { .. } => "i64".to_owned(),
        Shape::Double | Shape::Timestamp => "f64".to_owned(),
        Shape::Boolean => "bool".to_owned(),
        Shape::Blob => "Vec<u8>".to_owned(),
        Shape::List { element, .. } => format!("Vec<{}>", rust(model, element, side)?),
        Shape::Map { value, .. } => format!("Vec<(String, {})>", rust(model, value, side)?),
        Shape::Structure(_) => name.to_owned(),
    })
}

/// Whether the shape is an item or a key. The values of an expression are not: each is looked at, and
/// complained about, by itself.
pub(crate) fn is_item(model: &Model, name: &str) -> Result<bool, Box<dyn Error>> {
    Ok(match model.shape(name)? {
        Shape::Map { value, .. } => {
            value == "AttributeValue" && name != "ExpressionAttributeValueMap"
        }
        _ => false,
    })
}

/// The type's name in the messages of DynamoDB's Java code.
pub(crate) fn java(model: &Model, name: &str) -> Result<String, Box<dyn Error>> {
    Ok(match model.shape(name)? {
        Shape::String { .. } => "java.lang.String".to_owned(),
        Shape::Integer { long: false, .. } => "java.lang.Integer".to_owned(),
        Shape::Integer { long: true, .. } => "java.lang.Long".to_owned(),
        Shape::Double => "java.lang.Double".to_owned(),
        Shape::Timestamp => "java.util.Date".to_owned(),
        Shape::Boolean => "java.lang.Boolean".to_owned(),
        Shape::Blob => "java.nio.ByteBuffer".to_owned(),
        Shape::List { element, .. } => format!("java.util.List<{}>", java(model, element)?),
        Shape::Map { value, .. } => {
            format!("java.util.Map<java.lang.String, {}>", java(model, value)?)
        }
        Shape::Structure(_) => format!("com.amazonaws.dynamodb.v20120810.{name}"),
    })
}

/// `SSESpecification` as `sse_specification`.
pub(crate) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (place, letter) in letters.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| letters.get(place));
        let after = letters.get(place + 1);
        let starts = before.is_some_and(|letter| !letter.is_uppercase())
            || (before.is_some() && after.is_some_and(|letter| letter.is_lowercase()));
        if letter.is_uppercase() && starts {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    match snake.as_str() {
        "type" | "match" | "ref" | "use" => snake + "_",
        _ => snake,
    }
}
