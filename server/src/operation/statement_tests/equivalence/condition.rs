//! Random values and conditions, in the words of a statement and in those of an expression.

use proptest::prelude::*;
use serde_json::{Value, json};

/// A value, and whether a statement has it as a parameter.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) value: Value,
    pub(super) parameter: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    Compare(&'static str, &'static str, Constant),
    Between(&'static str, Constant, Constant),
    In(&'static str, Vec<Constant>),
    BeginsWith(&'static str, Constant),
    Contains(&'static str, Constant),
    Exists(&'static str),
    IsMissing(&'static str),
    IsType(&'static str, &'static str, &'static str),
    Size(&'static str, &'static str, Constant),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

/// The two texts of something, and the values that each goes with.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) parameters: Vec<Value>,
    pub(super) values: serde_json::Map<String, Value>,
}

impl Texts {
    /// A value in both languages.
    pub(super) fn value(&mut self, constant: &Constant) -> (String, String) {
        let name = format!(":v{}", self.values.len());
        self.values.insert(name.clone(), constant.value.clone());
        let literal = match constant.parameter {
            true => None,
            // A statement has 8,192 characters at most.
            false => literal(&constant.value).filter(|literal| literal.len() < 100),
        };
        let statement = literal.unwrap_or_else(|| {
            self.parameters.push(constant.value.clone());
            "?".to_owned()
        });
        (statement, name)
    }

    pub(super) fn values(&mut self, constants: &[Constant]) -> (String, String) {
        let (statements, names): (Vec<String>, Vec<String>) = constants
            .iter()
            .map(|constant| self.value(constant))
            .unzip();
        (statements.join(", "), names.join(", "))
    }

    pub(super) fn condition(&mut self, condition: &Condition) -> (String, String) {
        let both =
            |one: (String, String), text: &dyn Fn(&str) -> String| (text(&one.0), text(&one.1));
        match condition {
            Condition::Compare(path, operator, constant) => both(self.value(constant), &|value| {
                format!("{path} {operator} {value}")
            }),
            Condition::Between(path, lower, upper) => {
                let (lower, upper) = (self.value(lower), self.value(upper));
                let text = |lower: &str, upper: &str| format!("{path} BETWEEN {lower} AND {upper}");
                (text(&lower.0, &upper.0), text(&lower.1, &upper.1))
            }
            Condition::In(path, constants) => {
                let (statement, names) = self.values(constants);
                (
                    format!("{path} IN [{statement}]"),
                    format!("{path} IN ({names})"),
                )
            }
            Condition::BeginsWith(path, constant) => both(self.value(constant), &|value| {
                format!("begins_with({path}, {value})")
            }),
            Condition::Contains(path, constant) => both(self.value(constant), &|value| {
                format!("contains({path}, {value})")
            }),
            Condition::Exists(path) => (
                format!("{path} IS NOT MISSING"),
                format!("attribute_exists({path})"),
            ),
            Condition::IsMissing(path) => (
                format!("{path} IS MISSING"),
                format!("attribute_not_exists({path})"),
            ),
            Condition::IsType(path, word, kind) => {
                let kind = Constant {
                    value: json!({ "S": kind }),
                    parameter: false,
                };
                let (_, name) = self.value(&kind);
                (
                    format!("{path} IS {word}"),
                    format!("attribute_type({path}, {name})"),
                )
            }
            Condition::Size(path, operator, constant) => both(self.value(constant), &|value| {
                format!("size({path}) {operator} {value}")
            }),
            Condition::Not(part) => both(self.condition(part), &|part| format!("NOT ({part})")),
            Condition::And(parts) => self.joined(parts, " AND "),
            Condition::Or(parts) => self.joined(parts, " OR "),
        }
    }

    pub(super) fn joined(&mut self, parts: &[Condition], operator: &str) -> (String, String) {
        let (statements, expressions): (Vec<String>, Vec<String>) = parts
            .iter()
            .map(|part| {
                let (statement, expression) = self.condition(part);
                (format!("({statement})"), format!("({expression})"))
            })
            .unzip();
        (statements.join(operator), expressions.join(operator))
    }
}

/// A value as a statement writes it down, if it can.
pub(super) fn literal(value: &Value) -> Option<String> {
    let (kind, content) = value.as_object()?.iter().next()?;
    let quoted = |text: &Value| Some(format!("'{}'", text.as_str()?.replace('\'', "''")));
    let joined = |parts: Vec<String>| parts.join(", ");
    Some(match kind.as_str() {
        "S" => quoted(content)?,
        "N" => content.as_str()?.to_owned(),
        "BOOL" => content.to_string(),
        "NULL" => "NULL".to_owned(),
        "L" => {
            let parts = content.as_array()?.iter().map(literal);
            format!("[{}]", joined(parts.collect::<Option<_>>()?))
        }
        "M" => {
            let parts = content.as_object()?.iter();
            let parts = parts.map(|(name, value)| Some(format!("'{name}': {}", literal(value)?)));
            format!("{{{}}}", joined(parts.collect::<Option<_>>()?))
        }
        "SS" => {
            let parts = content.as_array()?.iter().map(quoted);
            format!("<<{}>>", joined(parts.collect::<Option<_>>()?))
        }
        "NS" => {
            let parts = content.as_array()?.iter();
            let parts = parts.map(|number| Some(number.as_str()?.to_owned()));
            format!("<<{}>>", joined(parts.collect::<Option<_>>()?))
        }
        _ => return None,
    })
}

/// Attributes that are no keys. Each may have values of any type.
pub(super) const NAMES: &[&str] = &["a", "b", "m.x", "g"];

pub(super) fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NAMES)
}

pub(super) fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        "[xy']{0,2}".prop_map(|text| json!({ "S": text })),
        (-3..3i32).prop_map(|number| json!({"N": number.to_string()})),
        prop::sample::select(vec![json!({"B": "AQ=="}), json!({"B": "AQI="})]),
        any::<bool>().prop_map(|value| json!({ "BOOL": value })),
        Just(json!({"NULL": true})),
        Just(json!({"SS": ["x", "y"]})),
        Just(json!({"NS": ["-1", "2"]})),
        // Many bytes, so that capacity has something to count.
        (1..5000usize).prop_map(|length| json!({"S": "x".repeat(length)})),
    ];
    scalar.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|list| json!({ "L": list })),
            prop::collection::btree_map("[xz]", inner, 0..3).prop_map(|map| json!({ "M": map })),
        ]
    })
}

pub(super) fn constant(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Constant> {
    (value, any::<bool>()).prop_map(|(value, parameter)| Constant { value, parameter })
}

pub(super) fn number() -> impl Strategy<Value = Constant> {
    constant((-3..3i32).prop_map(|number| json!({"N": number.to_string()})))
}

pub(super) fn text() -> impl Strategy<Value = Constant> {
    constant("[xy]{1,2}".prop_map(|text| json!({ "S": text })))
}

pub(super) fn condition() -> impl Strategy<Value = Condition> {
    let comparator = || prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        (
            name(),
            prop::sample::select(vec!["=", "<>"]),
            constant(value())
        )
            .prop_map(|(path, operator, value)| Condition::Compare(path, operator, value)),
        (name(), comparator(), prop_oneof![number(), text()])
            .prop_map(|(path, operator, value)| Condition::Compare(path, operator, value)),
        (name(), -3..0i32, 0..3i32, any::<bool>()).prop_map(|(path, lower, upper, parameter)| {
            let bound = |number: i32| Constant {
                value: json!({"N": number.to_string()}),
                parameter,
            };
            Condition::Between(path, bound(lower), bound(upper))
        }),
        (name(), prop::collection::vec(constant(value()), 1..4))
            .prop_map(|(path, values)| Condition::In(path, values)),
        (name(), text()).prop_map(|(path, value)| Condition::BeginsWith(path, value)),
        (name(), prop_oneof![number(), text()])
            .prop_map(|(path, value)| Condition::Contains(path, value)),
        name().prop_map(Condition::Exists),
        name().prop_map(Condition::IsMissing),
        (
            name(),
            prop::sample::select(vec![
                ("STRING", "S"),
                ("DECIMAL", "N"),
                ("BOOL", "BOOL"),
                ("NULL", "NULL"),
                ("LIST", "L"),
                ("STRUCT", "M"),
                ("BLOB", "B"),
            ])
        )
            .prop_map(|(path, (word, kind))| Condition::IsType(path, word, kind)),
        (name(), comparator(), number())
            .prop_map(|(path, operator, value)| Condition::Size(path, operator, value)),
    ];
    leaf.prop_recursive(3, 6, 3, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_map(|part| Condition::Not(Box::new(part))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::And),
            prop::collection::vec(inner, 2..4).prop_map(Condition::Or),
        ]
    })
}

/// What is asked of a sort key.
pub(super) fn sort_test(attribute: &'static str) -> impl Strategy<Value = Option<Condition>> {
    let test = prop_oneof![
        (
            prop::sample::select(vec!["=", "<", "<=", ">", ">="]),
            text()
        )
            .prop_map(move |(operator, value)| Condition::Compare(attribute, operator, value)),
        text().prop_map(move |value| Condition::BeginsWith(attribute, value)),
        (any::<bool>(),).prop_map(move |(parameter,)| {
            let bound = |text: &str| Constant {
                value: json!({ "S": text }),
                parameter,
            };
            Condition::Between(attribute, bound("x"), bound("yx"))
        }),
    ];
    prop::option::of(test)
}
