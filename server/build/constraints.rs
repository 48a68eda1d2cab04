//! Generates the checks of the model's constraints.
//!
//! A structure's check goes over its members in the service's order; a member whose shape has no
//! constraint anywhere below it costs nothing. Per shape there is one function, so that `IndexName`
//! is checked in one place wherever it appears.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;

use crate::model::{Limits, Model, Shape};
use crate::types::{Side, is_item, rust, snake};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) fn generate(model: &Model) -> Result<String> {
    let roots = model
        .operations
        .iter()
        .map(|operation| operation.input.clone());
    let inputs = model.closure(roots)?;
    let mut out = String::new();
    for name in &inputs {
        writeln!(out, "impl {name} {{")?;
        if model
            .operations
            .iter()
            .any(|operation| operation.input == *name)
        {
            writeln!(out, "    /// Checks the constraints of the API model.")?;
            writeln!(
                out,
                "    pub fn constraints<'a>(&'a self, violations: &mut Violations<'a>) {{
        self.check(violations);
    }}
"
            )?;
        }
        structure(model, name, &mut out)?;
        writeln!(out, "}}\n")?;
    }
    shapes(model, &inputs, &mut out)?;
    operations(model, &mut out)?;
    Ok(out)
}

/// What goes over all operations.
fn operations(model: &Model, out: &mut String) -> Result<()> {
    writeln!(
        out,
        "/// Reads the input of `operation` from `body` and checks its constraints, as a request does before
/// anything else; the input itself is dropped. For tools and tests that go over all operations.
pub fn check(operation: Operation, body: &[u8], wording: Wording) -> Result<(), Error> {{
    match operation {{"
    )?;
    for operation in &model.operations {
        writeln!(
            out,
            "        Operation::{} => {{
            let input = {}::from_json(body)?;
            let mut violations = Violations::new(operation);
            input.constraints(&mut violations);
            violations.finish(wording)
        }}",
            operation.name, operation.input
        )?;
    }
    writeln!(out, "    }}\n}}")?;
    Ok(())
}

/// Whether anything in the shape can break a constraint.
fn constrained(model: &Model, name: &str) -> Result<bool> {
    if name == "AttributeValue" || is_item(model, name)? {
        return Ok(false);
    }
    Ok(match model.shape(name)? {
        Shape::String {
            limits,
            pattern,
            values,
        } => limits.any() || pattern.is_some() || !values.is_empty(),
        Shape::Integer { limits, .. } => limits.any(),
        Shape::List { limits, element } => limits.any() || constrained(model, element)?,
        Shape::Map { limits, key, value } => {
            limits.any() || key == "TableArn" || constrained(model, value)?
        }
        Shape::Structure(members) => {
            let mut any = false;
            for member in members {
                any |= member.required
                    || model.member_limits(name, &member.name).is_some()
                    || constrained(model, &member.shape)?;
            }
            any
        }
        _ => false,
    })
}

/// The `check` method of a structure.
fn structure(model: &Model, name: &str, out: &mut String) -> Result<()> {
    let input = model
        .operations
        .iter()
        .any(|operation| operation.input == name);
    if !input && !constrained(model, name)? {
        return Ok(());
    }
    writeln!(
        out,
        "    fn check<'a>(&'a self, violations: &mut Violations<'a>) {{"
    )?;
    let mut empty = true;
    for member in model.checked(name)? {
        let shape = constrained(model, &member.shape)? && !model.own_words(name, &member.name);
        let limits = model.member_limits(name, &member.name);
        let length_first = model.length_first(name, &member.name);
        if !member.required && !shape && limits.is_none() {
            continue;
        }
        empty = false;
        let field = snake(&member.name);
        let name = &member.name;
        if !shape && limits.is_none() {
            writeln!(
                out,
                "        if self.{field}.is_none() {{ violations.missing(\"{name}\"); }}"
            )?;
            continue;
        }
        writeln!(out, "        if let Some(value) = &self.{field} {{")?;
        writeln!(
            out,
            "            violations.member(\"{name}\", |violations| {{"
        )?;
        if let Some(limits) = limits {
            match model.shape(&member.shape)? {
                Shape::Integer { .. } => ranged(limits, out)?,
                _ => counted(limits, out)?,
            }
        }
        if length_first {
            length_then_pattern(model, &member.shape, out)?;
        } else if shape {
            writeln!(
                out,
                "                {}",
                checking(model, &member.shape, "value")?
            )?;
        }
        writeln!(out, "            }});")?;
        if member.required {
            writeln!(out, "        }} else {{ violations.missing(\"{name}\");")?;
        }
        writeln!(out, "        }}")?;
    }
    if empty {
        writeln!(out, "        let _ = violations;")?;
    }
    writeln!(out, "    }}\n")?;
    Ok(())
}

/// A statement that checks `value`.
fn checking(model: &Model, name: &str, value: &str) -> Result<String> {
    Ok(match model.shape(name)? {
        Shape::Structure(_) => format!("{value}.check(violations);"),
        _ => format!("check_{}({value}, violations);", snake(name)),
    })
}

/// The functions of all other shapes that members of `structures` have.
fn shapes(model: &Model, structures: &BTreeSet<String>, out: &mut String) -> Result<()> {
    let mut done = BTreeSet::new();
    let mut open = Vec::new();
    for name in structures {
        open.extend(
            model
                .structure(name)?
                .iter()
                .map(|member| member.shape.clone()),
        );
    }
    while let Some(name) = open.pop() {
        if !constrained(model, &name)? || !done.insert(name.clone()) {
            continue;
        }
        match model.shape(&name)? {
            Shape::String {
                limits,
                pattern,
                values,
            } => {
                string(model, &name, *limits, pattern.as_deref(), values, out)?;
            }
            Shape::Integer { limits, .. } => integer(&name, *limits, out)?,
            Shape::List { limits, element } => {
                open.push(element.clone());
                list(model, &name, *limits, element, out)?;
            }
            Shape::Map { limits, key, value } => {
                // The check of a list in a map is written into the map's.
                open.push(match model.shape(value)? {
                    Shape::List { element, .. } => element.clone(),
                    _ => value.clone(),
                });
                map(model, &name, *limits, key, value, out)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn string(
    model: &Model,
    name: &str,
    limits: Limits,
    pattern: Option<&str>,
    values: &[String],
    out: &mut String,
) -> Result<()> {
    writeln!(
        out,
        "fn check_{}(value: &str, violations: &mut Violations<'_>) {{",
        snake(name)
    )?;
    if name == "TableArn" {
        // A name or an ARN: the model says no more than that it is neither empty nor endless.
        writeln!(out, "    violations.table(value);")?;
    } else {
        if !values.is_empty() {
            let values = model.values(name, values);
            writeln!(out, "    violations.one_of(value, &{values:?});")?;
        }
        if let Some(pattern) = pattern {
            writeln!(
                out,
                "    violations.pattern(value, &pattern::{});",
                pattern_name(pattern)?
            )?;
        }
        if limits.any() {
            writeln!(
                out,
                "    violations.length(value, {:?}, {:?});",
                limits.min, limits.max
            )?;
        }
    }
    writeln!(out, "}}\n")?;
    Ok(())
}

/// The checks of a text in the other order than [`string`] has them.
fn length_then_pattern(model: &Model, name: &str, out: &mut String) -> Result<()> {
    let Shape::String {
        limits,
        pattern: Some(pattern),
        ..
    } = model.shape(name)?
    else {
        return Err(format!("{name} is no text with a pattern").into());
    };
    writeln!(
        out,
        "                violations.length(value, {:?}, {:?});
                violations.pattern(value, &pattern::{});",
        limits.min,
        limits.max,
        pattern_name(pattern)?
    )?;
    Ok(())
}

/// The matcher in `validation/pattern.rs` that is written for this pattern. There are few of them, so
/// that each is a line of code instead of an engine for all.
fn pattern_name(pattern: &str) -> Result<&'static str> {
    Ok(match pattern {
        "[a-zA-Z0-9_.-]+" => "NAME",
        r"\p{Print}+" => "PRINTABLE",
        "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*" => "TEXT",
        "([0-9a-f]{16})+" => "HEX_WORDS",
        r"^[^\$]+$" => "NO_DOLLAR",
        r"[A-Za-z0-9][A-Za-z0-9\-\_\.]{0,126}[A-Za-z0-9]" => "INSIGHTS_RULE",
        r"[,;:|\t ]" => "CSV_DELIMITER",
        r"[\x20-\x21\x23-\x2B\x2D-\x7E]*" => "CSV_HEADER",
        r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$" => "BUCKET",
        "[0-9]{12}" => "ACCOUNT",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}" => "UUID",
        other => {
            return Err(format!(
                "the model has a new pattern, {other}: write its matcher in \
                 src/validation/pattern.rs and name it here"
            )
            .into());
        }
    })
}

fn integer(name: &str, limits: Limits, out: &mut String) -> Result<()> {
    writeln!(
        out,
        "fn check_{}(value: &i64, violations: &mut Violations<'_>) {{",
        snake(name)
    )?;
    ranged(limits, out)?;
    writeln!(out, "}}\n")?;
    Ok(())
}

fn ranged(limits: Limits, out: &mut String) -> Result<()> {
    writeln!(
        out,
        "    violations.range(*value, {:?}, {:?});",
        limits.min, limits.max
    )?;
    Ok(())
}

/// What a function takes instead of a reference to a vector.
fn slice(vector: &str) -> String {
    let element = vector
        .strip_prefix("Vec<")
        .and_then(|rest| rest.strip_suffix('>'));
    element.map_or_else(|| vector.to_owned(), |element| format!("[{element}]"))
}

fn counted(limits: Limits, out: &mut String) -> Result<()> {
    writeln!(
        out,
        "    violations.count(value.len(), {:?}, {:?}, value);",
        limits.min, limits.max
    )?;
    Ok(())
}

fn list(model: &Model, name: &str, limits: Limits, element: &str, out: &mut String) -> Result<()> {
    let ty = slice(&rust(model, name, Side::Input)?);
    writeln!(
        out,
        "fn check_{}<'a>(value: &'a {ty}, violations: &mut Violations<'a>) {{",
        snake(name)
    )?;
    if limits.any() {
        counted(limits, out)?;
    }
    if constrained(model, element)? {
        writeln!(
            out,
            "    for (place, element) in value.iter().enumerate() {{"
        )?;
        writeln!(out, "        violations.element(place, |violations| {{")?;
        writeln!(out, "            {}", checking(model, element, "element")?)?;
        writeln!(out, "        }});\n    }}")?;
    }
    writeln!(out, "}}\n")?;
    Ok(())
}

/// The limits of a list that is a map's value are reported on the map; those of one deeper are not.
fn map(
    model: &Model,
    name: &str,
    limits: Limits,
    key: &str,
    value: &str,
    out: &mut String,
) -> Result<()> {
    let ty = slice(&rust(model, name, Side::Input)?);
    writeln!(
        out,
        "fn check_{}<'a>(value: &'a {ty}, violations: &mut Violations<'a>) {{",
        snake(name)
    )?;
    if limits.any() {
        counted(limits, out)?;
    }
    if key == "TableArn" {
        writeln!(out, "    violations.table_keys(value);")?;
    }
    let mut inner = checking(model, value, "entry")?;
    let mut any = constrained(model, value)?;
    if let Shape::List { limits, element } = model.shape(value)? {
        if limits.any() {
            writeln!(
                out,
                "    violations.value_counts(value, {:?}, {:?});",
                limits.min, limits.max
            )?;
        }
        any = constrained(model, element)?;
        inner = format!(
            "for (place, element) in entry.iter().enumerate() {{
                violations.element(place, |violations| {{ {} }});
            }}",
            checking(model, element, "element")?
        );
    }
    if any {
        writeln!(out, "    for (key, entry) in value {{")?;
        writeln!(
            out,
            "        violations.entry(key, |violations| {{ {inner} }});\n    }}"
        )?;
    }
    writeln!(out, "}}\n")?;
    Ok(())
}
