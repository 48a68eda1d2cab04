//! Attributes: their names, random values, and what JSON values mean as attribute values.

use std::{cmp::Ordering, str::FromStr};

use bigdecimal::BigDecimal;
use serde_json::{Map, Value, json};

use super::random::Random;

/// Attributes that secondary indexes may have as keys; their types are the table's.
pub(super) const INDEXABLE: &[&str] = &["a", "b", "c", "d", "e"];
/// All others, besides `pk` and `sk`.
pub(super) const OTHERS: &[&str] = &["x", "n", "w", "m", "l", "ss", "ns", "bs", "t", "größe"];
/// The entries of the map `m`.
pub(super) const MAP_KEYS: &[&str] = &["k", "j"];

/// Type and content of a value.
pub(super) fn parts(value: &Value) -> (&str, &Value) {
    let (kind, content) = value.as_object().unwrap().iter().next().unwrap();
    (kind, content)
}

pub(super) fn kind(value: &Value) -> &str {
    parts(value).0
}

pub(super) fn is_scalar(value: &Value) -> bool {
    matches!(kind(value), "S" | "N" | "B")
}

/// A value with which keys are made: few, so that they meet.
pub(super) fn scalar(random: &mut Random, kind: &str) -> Value {
    match kind {
        "S" => json!({"S": random.pick(&["a", "b", "ba", "é"])}),
        "N" => json!({"N": random.pick(&["-10.5", "-1", "0", "2", "10"])}),
        _ => json!({"B": random.pick(&["AA==", "AAA=", "AQ==", "/w=="])}),
    }
}

/// A value of one of the attributes that no index has as key.
pub(super) fn other(random: &mut Random, name: &str) -> Value {
    match name {
        "x" => random
            .pick(&[
                json!({"S": "a"}),
                json!({"S": ""}),
                json!({"N": "2"}),
                json!({"B": ""}),
                json!({"BOOL": true}),
                json!({"BOOL": false}),
                json!({"NULL": true}),
            ])
            .clone(),
        "n" => json!({"N": random.pick(&["-0.25", "0", "1", "12.5", "99", "100"])}),
        "w" => json!({"N": random.pick(&[
            "12345678901234567890123456789012345678", "0.000001", "-100.5", "1000000",
            "3.14159", "0.05", "-0.0101", "100.01", "123456", "-9900000000000000000000",
        ])}),
        "m" => {
            let mut map = Map::new();
            for key in random.some(MAP_KEYS, 2) {
                map.insert(key.into(), inner(random));
            }
            json!({ "M": map })
        }
        "l" => {
            let count = random.below(4);
            json!({"L": (0..count).map(|_| inner(random)).collect::<Vec<_>>()})
        }
        "ss" => set(random, "SS", &["a", "b", "c", "ß"]),
        "ns" => set(random, "NS", &["-1.5", "0", "10", "100"]),
        "bs" => set(random, "BS", &["AA==", "AQ==", "AQI="]),
        "t" => text(random.below(40)),
        _ => json!({"S": random.pick(&["klein", "groß"])}),
    }
}

/// The value of `t` that is `size` bytes long.
pub(super) fn text(size: usize) -> Value {
    json!({"S": "x".repeat(size)})
}

fn set(random: &mut Random, kind: &str, elements: &[&str]) -> Value {
    let mut chosen = vec![*random.pick(elements)];
    chosen.extend(random.some(elements, 3));
    normal(json!({kind: chosen}))
}

fn inner(random: &mut Random) -> Value {
    random
        .pick(&[
            json!({"N": "1"}),
            json!({"N": "-20"}),
            json!({"S": "b"}),
            json!({"L": [{"S": "deep"}, {"M": {}}]}),
            json!({"NULL": true}),
        ])
        .clone()
}

/// An answer, an item or a value with all its sets sorted: their order means nothing.
pub(super) fn normal(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let texts = member
                    .as_array()
                    .is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string));
                if texts && matches!(name.as_str(), "SS" | "NS" | "BS") {
                    let list = member.as_array_mut().unwrap();
                    list.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
                    list.dedup();
                } else {
                    *member = normal(member.take());
                }
            }
        }
        Value::Array(elements) => {
            for element in elements {
                *element = normal(element.take());
            }
        }
        _ => {}
    }
    value
}

/// How two values are ordered, if they are of one type that has an order.
pub(super) fn order(one: &Value, other: &Value) -> Option<Ordering> {
    let ((one_kind, one), (other_kind, other)) = (parts(one), parts(other));
    if one_kind != other_kind {
        return None;
    }
    match one_kind {
        "S" => Some(one.as_str()?.as_bytes().cmp(other.as_str()?.as_bytes())),
        "N" => Some(decimal(one).cmp(&decimal(other))),
        "B" => Some(bytes(one).cmp(&bytes(other))),
        _ => None,
    }
}

pub(super) fn decimal(text: &Value) -> BigDecimal {
    BigDecimal::from_str(text.as_str().unwrap()).unwrap()
}

/// The sum of two numbers, as DynamoDB writes it.
pub(super) fn sum(one: &Value, other: &Value) -> Value {
    let sum = (decimal(one) + decimal(other)).normalized();
    json!({"N": sum.to_plain_string()})
}

/// The bytes of a binary value.
pub(super) fn bytes(content: &Value) -> Vec<u8> {
    base64_simd::STANDARD
        .decode_to_vec(content.as_str().unwrap())
        .unwrap()
}
