//! Scripts: expressions, what they are applied to, and what comes of it.
//!
//! A script is a file of blocks between blank lines; `#` begins a comment. A block's first line is a
//! kind of expression and its text; lines below give placeholders and what the expression is used on;
//! lines that begin with `=>` are what has to come of it. Run with `STATOR_REWRITE=1` to have those
//! lines rewritten as they are, and read the difference before you commit it.
//!
//! ```text
//! condition contains(tags, :tag)
//!   values {":tag": {"S": "a"}}
//!   item {"tags": {"SS": ["a", "b"]}}
//! => true
//! ```
//!
//! Without placeholders or anything to be used on, the tree is printed.

mod oracle;
mod properties;

use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::item::{Item, Kind, Value, decode_json};
use crate::wire::json::{Reader, Writer};

#[test]
fn syntax() {
    run("syntax");
}

#[test]
fn conditions() {
    run("conditions");
}

#[test]
fn key_conditions() {
    run("key_conditions");
}

#[test]
fn projections() {
    run("projections");
}

#[test]
fn updates() {
    run("updates");
}

#[test]
fn placeholders() {
    run("placeholders");
}

/// Runs a script and compares, or rewrites it.
fn run(name: &str) {
    let path = format!(
        "{}/src/expression/testdata/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let script = std::fs::read_to_string(&path).unwrap();
    let actual: Vec<String> = script.split("\n\n").map(run_block).collect();
    let actual = actual.join("\n\n") + "\n";
    if std::env::var_os("STATOR_REWRITE").is_some() {
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let mut differences = String::new();
    for (expected, actual) in script.split("\n\n").zip(actual.split("\n\n")) {
        if expected.trim_end() != actual.trim_end() {
            writeln!(differences, "expected\n{expected}\nactual\n{actual}\n").unwrap();
        }
    }
    assert!(differences.is_empty(), "{path}:\n\n{differences}");
}

/// Gives the block with its outcome as it is.
fn run_block(block: &str) -> String {
    let mut lines: Vec<&str> = block
        .lines()
        .filter(|line| !line.starts_with("=>"))
        .collect();
    let used: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    let Some((first, parameters)) = used.split_first() else {
        return block.to_owned();
    };
    let (kind, text) = first.split_once(' ').unwrap_or((first, ""));
    let outcome = Block::new(kind, text, parameters)
        .run()
        .unwrap_or_else(|error| error.to_string());
    let outcome: Vec<String> = outcome.lines().map(|line| format!("=> {line}")).collect();
    lines.extend(outcome.iter().map(String::as_str));
    lines.join("\n")
}

/// A block, taken apart.
struct Block<'a> {
    kind: &'a str,
    text: &'a str,
    names: Option<Vec<(String, String)>>,
    values: Option<Item>,
    /// Twice an option: without an item at all the expression is not evaluated.
    item: Option<Option<Item>>,
    hash: Vec<KeyAttribute<'a>>,
    range: Vec<KeyAttribute<'a>>,
    keys: Vec<&'a str>,
}

impl<'a> Block<'a> {
    fn new(kind: &'a str, text: &'a str, parameters: &[&'a str]) -> Self {
        let mut block = Block {
            kind,
            text,
            names: None,
            values: None,
            item: None,
            hash: Vec::new(),
            range: Vec::new(),
            keys: Vec::new(),
        };
        for parameter in parameters {
            let (name, value) = parameter.trim().split_once(' ').unwrap();
            match name {
                "names" => block.names = Some(names(value)),
                "values" => block.values = Some(item(value)),
                "item" if value == "none" => block.item = Some(None),
                "item" => block.item = Some(Some(item(value))),
                "hash" => block.hash = value.split(' ').map(key_attribute).collect(),
                "range" => block.range = value.split(' ').map(key_attribute).collect(),
                "keys" => block.keys = value.split(' ').collect(),
                other => panic!("unknown parameter {other}"),
            }
        }
        block
    }

    fn is_used(&self) -> bool {
        self.names.is_some()
            || self.values.is_some()
            || self.item.is_some()
            || !self.hash.is_empty()
    }

    fn run(&self) -> Result<String, ExpressionError> {
        let mut placeholders = Placeholders::new(self.names.clone(), self.values.as_ref())?;
        let outcome = match self.kind {
            "condition" => self.condition(ExpressionKind::Condition, &mut placeholders)?,
            "filter" => self.condition(ExpressionKind::Filter, &mut placeholders)?,
            "key" => self.key_condition(&mut placeholders)?,
            "projection" => self.projection(&mut placeholders)?,
            "update" => self.update(&mut placeholders)?,
            other => panic!("unknown kind {other}"),
        };
        placeholders.finish()?;
        Ok(outcome)
    }

    fn condition(
        &self,
        kind: ExpressionKind,
        placeholders: &mut Placeholders,
    ) -> Result<String, ExpressionError> {
        let parsed = Arc::new(Condition::parse(self.text, kind)?);
        if !self.is_used() {
            return Ok(parsed.to_string());
        }
        let bound = parsed.bind(placeholders)?;
        bound.check_filter(&self.keys)?;
        let item = self
            .item
            .as_ref()
            .map(|item| item.as_ref().map(Item::as_ref));
        Ok(item.map_or("bound".to_owned(), |item| bound.evaluate(item).to_string()))
    }

    fn key_condition(&self, placeholders: &mut Placeholders) -> Result<String, ExpressionError> {
        let parsed = Arc::new(KeyCondition::parse(self.text)?);
        if !self.is_used() {
            return Ok(parsed.to_string());
        }
        let clauses = parsed.bind(placeholders)?;
        if self.hash.is_empty() {
            return Ok("bound".to_owned());
        }
        let selection = select(
            &clauses,
            KeySchema {
                hash: &self.hash,
                range: &self.range,
            },
        )?;
        let mut outcome = format!("partition {}", shown(&selection.partition));
        if !selection.sort_prefix.is_empty() {
            write!(outcome, " prefix {}", shown(&selection.sort_prefix)).unwrap();
        }
        if let Some(test) = &selection.sort {
            write!(outcome, " sort {}", shown_test(test)).unwrap();
        }
        Ok(outcome)
    }

    fn projection(&self, placeholders: &mut Placeholders) -> Result<String, ExpressionError> {
        let parsed = Arc::new(Projection::parse(self.text)?);
        if !self.is_used() {
            return Ok(parsed.to_string());
        }
        let bound = parsed.bind(placeholders)?;
        let Some(Some(item)) = &self.item else {
            return Ok("bound".to_owned());
        };
        let projected = bound.apply(item.as_ref());
        projected.as_ref().verify().unwrap();
        Ok(json(&projected))
    }

    fn update(&self, placeholders: &mut Placeholders) -> Result<String, ExpressionError> {
        let parsed = Arc::new(Update::parse(self.text)?);
        if !self.is_used() {
            return Ok(parsed.to_string());
        }
        let bound = parsed.bind(placeholders)?;
        bound.check_keys(&self.keys)?;
        let Some(item) = &self.item else {
            return Ok("bound".to_owned());
        };
        let item = item.as_ref().map(Item::as_ref);
        let key = self::item(r#"{"pk": {"S": "k"}}"#);
        let result = bound.apply(item, key.as_ref())?;
        result.item.as_ref().verify().unwrap();
        let optional = |item: Option<Item>| item.map_or("none".to_owned(), |item| json(&item));
        let (old, new) = (bound.at_targets(item), result.updated_new);
        Ok(format!(
            "{}\nold {}\nnew {}",
            json(&result.item),
            optional(old),
            optional(new)
        ))
    }
}

fn names(json: &str) -> Vec<(String, String)> {
    let names: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap();
    names
        .into_iter()
        .map(|(key, name)| (key, name.as_str().unwrap().to_owned()))
        .collect()
}

pub(super) fn item(json: &str) -> Item {
    decode_json(&mut Reader::new(json.as_bytes())).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn key_attribute(text: &str) -> KeyAttribute<'_> {
    let (name, kind) = text.split_once(':').unwrap();
    KeyAttribute {
        name,
        kind: Kind::from_name(kind).unwrap(),
    }
}

fn json(item: &Item) -> String {
    let mut writer = Writer::new();
    item.as_ref().write_json(&mut writer);
    String::from_utf8(writer.into_bytes()).unwrap()
}

fn shown(values: &[Value]) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|value| format!("{:?}", value.as_ref()))
        .collect();
    format!("[{}]", values.join(", "))
}

fn shown_test(test: &KeyTest) -> String {
    match test {
        KeyTest::Equal(value) => format!("= {:?}", value.as_ref()),
        KeyTest::Less(value) => format!("< {:?}", value.as_ref()),
        KeyTest::LessOrEqual(value) => format!("<= {:?}", value.as_ref()),
        KeyTest::Greater(value) => format!("> {:?}", value.as_ref()),
        KeyTest::GreaterOrEqual(value) => format!(">= {:?}", value.as_ref()),
        KeyTest::Between(lower, upper) => {
            format!("between {:?} and {:?}", lower.as_ref(), upper.as_ref())
        }
        KeyTest::BeginsWith(prefix) => format!("begins with {:?}", prefix.as_ref()),
    }
}
