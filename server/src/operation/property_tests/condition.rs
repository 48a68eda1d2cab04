//! Random conditions and filters: what they say of an item, as expressions and as legacy parameters.

use std::{cmp::Ordering, collections::BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    attributes::{bytes, is_scalar, kind, order, parts},
    random::Random,
    schema::Schema,
};

/// Names and values behind `#` and `:`.
#[derive(Default)]
pub(super) struct Placeholders {
    names: Map<String, Value>,
    values: Map<String, Value>,
}

impl Placeholders {
    /// How an attribute is named in an expression: by itself where that is allowed, or not.
    pub(super) fn name(&mut self, random: &mut Random, name: &str) -> String {
        if name.is_ascii() && random.one_in(2) {
            return name.to_owned();
        }
        let known = self.names.iter().find(|(_, known)| **known == *name);
        if let Some((placeholder, _)) = known {
            return placeholder.clone();
        }
        let placeholder = format!("#n{}", self.names.len());
        self.names.insert(placeholder.clone(), name.into());
        placeholder
    }

    pub(super) fn value(&mut self, value: &Value) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value.clone());
        placeholder
    }

    /// Writes what was used into a request.
    pub(super) fn write(self, request: &mut Value) {
        if !self.names.is_empty() {
            request["ExpressionAttributeNames"] = self.names.into();
        }
        if !self.values.is_empty() {
            request["ExpressionAttributeValues"] = self.values.into();
        }
    }
}

/// A condition. `And` and `Or` of tests of different attributes can be said by legacy parameters.
pub(super) enum Condition {
    Test(Test),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

/// What is asked of one attribute.
pub(super) struct Test {
    name: String,
    operator: Operator,
    arguments: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Between,
    In,
    BeginsWith,
    Contains,
    Exists,
    Missing,
}

use Operator::*;

impl Operator {
    /// Its name in legacy parameters.
    fn name(self) -> &'static str {
        match self {
            Eq => "EQ",
            Ne => "NE",
            Lt => "LT",
            Le => "LE",
            Gt => "GT",
            Ge => "GE",
            Between => "BETWEEN",
            In => "IN",
            BeginsWith => "BEGINS_WITH",
            Contains => "CONTAINS",
            Exists => "NOT_NULL",
            Missing => "NULL",
        }
    }
}

impl Test {
    /// A test of an attribute, for which `item` gives values that it may have.
    fn random(random: &mut Random, schema: &Schema, name: &str, item: Option<&Value>) -> Self {
        let value = |random: &mut Random| match item.and_then(|item| item.get(name)) {
            Some(value) if random.one_in(2) => value.clone(),
            _ => schema.value(random, name),
        };
        let first = value(random);
        let operators: &[Operator] = match kind(&first) {
            "S" | "B" => &[Eq, Ne, Lt, Le, Gt, Ge, Between, In, BeginsWith, Contains],
            "N" => &[Eq, Ne, Lt, Le, Gt, Ge, Between, In],
            _ => &[Eq, Ne],
        };
        let operator = match random.below(4) {
            0 => *random.pick(&[Exists, Missing]),
            _ => *random.pick(operators),
        };
        Self::new(random, name, operator, first, value)
    }

    fn new(
        random: &mut Random,
        name: &str,
        operator: Operator,
        first: Value,
        more: impl Fn(&mut Random) -> Value,
    ) -> Self {
        let another = |random: &mut Random| {
            let next = more(random);
            if kind(&next) == kind(&first) {
                next
            } else {
                first.clone()
            }
        };
        let arguments = match operator {
            Exists | Missing => Vec::new(),
            Between => {
                let second = another(random);
                match order(&first, &second) {
                    Some(Ordering::Greater) => vec![second, first],
                    _ => vec![first, second],
                }
            }
            In => {
                let others: Vec<Value> = (0..random.below(3)).map(|_| another(random)).collect();
                [vec![first], others].concat()
            }
            _ => vec![first],
        };
        Self {
            name: name.into(),
            operator,
            arguments,
        }
    }

    /// A test that a sort key condition can be.
    pub(super) fn of_key(random: &mut Random, name: &str, values: &[Value]) -> Self {
        let first = random.pick(values).clone();
        let mut operators = vec![Eq, Lt, Le, Gt, Ge, Between];
        if kind(&first) != "N" {
            operators.push(BeginsWith);
        }
        let operator = *random.pick(&operators);
        Self::new(random, name, operator, first, |random| {
            random.pick(values).clone()
        })
    }

    pub(super) fn equals(name: &str, value: Value) -> Self {
        Self {
            name: name.into(),
            operator: Eq,
            arguments: vec![value],
        }
    }

    pub(super) fn is_equality(&self) -> bool {
        self.operator == Eq
    }

    /// Whether it holds. What is missing differs from everything and compares with nothing.
    pub(super) fn holds(&self, item: Option<&Value>) -> bool {
        let value = item.and_then(|item| item.get(&self.name));
        let Some(value) = value else {
            return matches!(self.operator, Missing | Ne);
        };
        let first = self.arguments.first();
        let compare = |argument: &Value| order(value, argument);
        match (self.operator, first) {
            (Exists, _) => true,
            (Missing, _) => false,
            (In, _) => self.arguments.contains(value),
            (_, None) => panic!("{:?} has an argument", self.operator),
            (Eq, Some(first)) => value == first,
            (Ne, Some(first)) => value != first,
            (Lt, Some(first)) => compare(first).is_some_and(Ordering::is_lt),
            (Le, Some(first)) => compare(first).is_some_and(Ordering::is_le),
            (Gt, Some(first)) => compare(first).is_some_and(Ordering::is_gt),
            (Ge, Some(first)) => compare(first).is_some_and(Ordering::is_ge),
            (Between, Some(first)) => {
                compare(first).is_some_and(Ordering::is_ge)
                    && compare(&self.arguments[1]).is_some_and(Ordering::is_le)
            }
            (BeginsWith, Some(first)) => begins_with(value, first),
            (Contains, Some(first)) => contains(value, first),
        }
    }

    pub(super) fn expression(
        &self,
        placeholders: &mut Placeholders,
        random: &mut Random,
    ) -> String {
        let path = placeholders.name(random, &self.name);
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .map(|value| placeholders.value(value))
            .collect();
        let comparator = match self.operator {
            Eq => "=",
            Ne => "<>",
            Lt => "<",
            Le => "<=",
            Gt => ">",
            Ge => ">=",
            Between => return format!("{path} BETWEEN {} AND {}", arguments[0], arguments[1]),
            In => return format!("{path} IN ({})", arguments.join(", ")),
            BeginsWith => return format!("begins_with({path}, {})", arguments[0]),
            Contains => return format!("contains({path}, {})", arguments[0]),
            Exists => return format!("attribute_exists({path})"),
            Missing => return format!("attribute_not_exists({path})"),
        };
        format!("{path} {comparator} {}", arguments[0])
    }

    /// As an entry of `Expected`, `QueryFilter`, `ScanFilter` or `KeyConditions`.
    pub(super) fn legacy(&self) -> (String, Value) {
        let mut condition = json!({"ComparisonOperator": self.operator.name()});
        if !self.arguments.is_empty() {
            condition["AttributeValueList"] = json!(self.arguments);
        }
        (self.name.clone(), condition)
    }

    /// The older form of `Expected`, for the two tests that it can say.
    fn oldest(&self) -> (String, Value) {
        let condition = match self.operator {
            Eq => json!({"Value": self.arguments[0]}),
            Missing => json!({"Exists": false}),
            _ => return self.legacy(),
        };
        (self.name.clone(), condition)
    }
}

fn begins_with(value: &Value, start: &Value) -> bool {
    match (parts(value), parts(start)) {
        (("S", value), ("S", start)) => {
            value.as_str().unwrap().starts_with(start.as_str().unwrap())
        }
        (("B", value), ("B", start)) => bytes(value).starts_with(&bytes(start)),
        _ => false,
    }
}

/// A part of a text or binary, or an element of a set or list.
fn contains(value: &Value, part: &Value) -> bool {
    let ((kind, value), (part_kind, content)) = (parts(value), parts(part));
    match (kind, part_kind) {
        ("S", "S") => value.as_str().unwrap().contains(content.as_str().unwrap()),
        ("B", "B") => {
            let (value, part) = (bytes(value), bytes(content));
            part.is_empty() || value.windows(part.len()).any(|window| window == part)
        }
        ("SS", "S") | ("NS", "N") | ("BS", "B") => value.as_array().unwrap().contains(content),
        ("L", _) => value.as_array().unwrap().contains(part),
        _ => false,
    }
}

impl Condition {
    /// A condition on some of these attributes, each named once.
    pub(super) fn random(
        random: &mut Random,
        schema: &Schema,
        names: &[&str],
        item: Option<&Value>,
    ) -> Self {
        let mut chosen = vec![*random.pick(names)];
        for name in random.some(names, 2) {
            if name != chosen[0] {
                chosen.push(name);
            }
        }
        let mut parts: Vec<Condition> = chosen
            .into_iter()
            .map(|name| Self::Test(Test::random(random, schema, name, item)))
            .collect();
        if random.one_in(4) {
            let last = parts.pop().unwrap();
            parts.push(Self::Not(Box::new(last)));
        }
        if parts.len() == 1 {
            return parts.remove(0);
        }
        match random.below(3) {
            0 => Self::Or(parts),
            1 => Self::And(parts),
            _ => {
                let first = parts.remove(0);
                let rest = match parts.len() {
                    1 => parts.remove(0),
                    _ => Self::And(parts),
                };
                Self::Or(vec![rest, first])
            }
        }
    }

    pub(super) fn holds(&self, item: Option<&Value>) -> bool {
        match self {
            Self::Test(test) => test.holds(item),
            Self::Not(inner) => !inner.holds(item),
            Self::And(parts) => parts.iter().all(|part| part.holds(item)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(item)),
        }
    }

    pub(super) fn expression(
        &self,
        placeholders: &mut Placeholders,
        random: &mut Random,
    ) -> String {
        let mut join = |parts: &[Self], word: &str, random: &mut Random| {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| format!("({})", part.expression(placeholders, random)))
                .collect();
            parts.join(word)
        };
        match self {
            Self::And(parts) => join(parts, " AND ", random),
            Self::Or(parts) => join(parts, " OR ", random),
            Self::Not(inner) => format!("NOT ({})", inner.expression(placeholders, random)),
            Self::Test(test) => test.expression(placeholders, random),
        }
    }

    /// The tests and their `ConditionalOperator`, if it can be said that way.
    fn flat(&self) -> Option<(Vec<&Test>, Option<&'static str>)> {
        let (parts, operator) = match self {
            Self::Test(test) => return Some((vec![test], None)),
            Self::And(parts) => (parts, "AND"),
            Self::Or(parts) => (parts, "OR"),
            Self::Not(_) => return None,
        };
        let tests = parts.iter().map(|part| match part {
            Self::Test(test) => Some(test),
            _ => None,
        });
        let tests: Vec<&Test> = tests.collect::<Option<_>>()?;
        let names: BTreeSet<&str> = tests.iter().map(|test| &*test.name).collect();
        // An argument of these has to be a scalar there.
        let fits = |test: &&Test| match test.operator {
            In | Contains => test.arguments.iter().all(is_scalar),
            _ => true,
        };
        let one_each = names.len() == tests.len() && tests.len() > 1;
        (one_each && tests.iter().all(fits)).then_some((tests, Some(operator)))
    }

    /// Writes it as `Expected`, `QueryFilter` or `ScanFilter`; not if that cannot say it.
    pub(super) fn write_legacy(&self, request: &mut Value, member: &str, oldest: bool) -> bool {
        let Some((tests, operator)) = self.flat() else {
            return false;
        };
        let entries = tests.into_iter().map(|test| match oldest {
            true => test.oldest(),
            false => test.legacy(),
        });
        request[member] = entries.collect::<Map<_, _>>().into();
        if let Some(operator) = operator {
            request["ConditionalOperator"] = operator.into();
        }
        true
    }
}
