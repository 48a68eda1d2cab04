//! Generates the structures of requests and answers: their fields, and how they are read, written and
//! printed.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;

use crate::model::{Member, Model, Shape};
use crate::types::{Side, is_item, java, rust, snake};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) fn generate(model: &Model) -> Result<String> {
    let roots = model
        .operations
        .iter()
        .map(|operation| operation.input.clone());
    let inputs = model.closure(roots)?;
    let roots = model
        .operations
        .iter()
        .filter_map(|operation| operation.output.clone());
    let outputs = model.closure(roots)?;

    let mut out = String::new();
    for name in inputs.union(&outputs) {
        let side = if inputs.contains(name) {
            Side::Input
        } else {
            Side::Output
        };
        definition(model, name, side, &mut out)?;
        writeln!(out, "impl {name} {{")?;
        if side == Side::Input {
            if model
                .operations
                .iter()
                .any(|operation| operation.input == *name)
            {
                entry(name, &mut out)?;
            }
            read(model, name, &mut out)?;
            print(model, name, &mut out)?;
        }
        if outputs.contains(name) {
            write_structure(model, name, &mut out)?;
        }
        writeln!(out, "}}\n")?;
    }
    prints(&inputs, &mut out)?;
    Ok(out)
}

fn definition(model: &Model, name: &str, side: Side, out: &mut String) -> Result<()> {
    writeln!(out, "/// `{name}` of the API model.")?;
    writeln!(out, "#[derive(Clone, Debug, Default, PartialEq)]")?;
    writeln!(out, "pub struct {name} {{")?;
    for member in model.structure(name)? {
        let field = rust(model, &member.shape, side)?;
        writeln!(out, "    /// `{}`", member.name)?;
        writeln!(out, "    pub {}: Option<{field}>,", snake(&member.name))?;
    }
    writeln!(out, "}}\n")?;
    Ok(())
}

/// What the world calls on the input of an operation.
fn entry(name: &str, out: &mut String) -> Result<()> {
    writeln!(
        out,
        "    /// Reads the input from its JSON.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, SerializationError> {{
        Self::read(reader, Expected::Structure(\"{name}\"))
    }}

    /// Reads the input from the body of a request, which is nothing else.
    pub fn from_json(body: &[u8]) -> Result<Self, SerializationError> {{
        let mut reader = Reader::new(body);
        let input = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(input)
    }}
"
    )?;
    Ok(())
}

/// Unknown members are read over; of one that is there twice, the last counts; `null` is as if the
/// member were not there.
fn read(model: &Model, name: &str, out: &mut String) -> Result<()> {
    let members = model.structure(name)?;
    writeln!(
        out,
        "    fn read(reader: &mut Reader<'_>, expected: Expected) -> Result<Self, SerializationError> {{
        reader.begin_object_as(expected)?;"
    )?;
    if members.is_empty() {
        writeln!(out, "        let shape = Self::default();")?;
        writeln!(
            out,
            "        while reader.next_key()?.is_some() {{ reader.skip()?; }}"
        )?;
    } else {
        writeln!(out, "        let mut shape = Self::default();")?;
        writeln!(out, "        while let Some(key) = reader.next_key()? {{")?;
        writeln!(out, "            match key.as_ref() {{")?;
        for member in members {
            let field = snake(&member.name);
            let function = reading(model, &member.shape, true)?;
            writeln!(
                out,
                "                \"{}\" => shape.{field} = decode::optional(reader, {function})?,",
                member.name
            )?;
        }
        writeln!(
            out,
            "                _ => reader.skip()?,\n            }}\n        }}"
        )?;
    }
    writeln!(out, "        Ok(shape)\n    }}\n")?;
    Ok(())
}

/// A function that reads the shape: a path or a closure.
fn reading(model: &Model, name: &str, member: bool) -> Result<String> {
    if name == "AttributeValue" {
        return Ok("ValueInput::decode".to_owned());
    }
    if is_item(model, name)? {
        return Ok("ItemInput::decode".to_owned());
    }
    Ok(match model.shape(name)? {
        Shape::String { .. } => "decode::string".to_owned(),
        Shape::Integer { long: false, .. } => "decode::integer".to_owned(),
        Shape::Integer { long: true, .. } => "decode::long".to_owned(),
        Shape::Double => "decode::double".to_owned(),
        Shape::Timestamp => "decode::timestamp".to_owned(),
        Shape::Boolean => "Reader::boolean".to_owned(),
        Shape::Blob => "Reader::blob".to_owned(),
        Shape::List { element, .. } => {
            let element = reading(model, element, false)?;
            format!(
                "|reader| decode::list(reader, \"{}\", {element})",
                java(model, name)?
            )
        }
        Shape::Map { value, .. } => {
            let value = reading(model, value, false)?;
            format!(
                "|reader| decode::map(reader, \"{}\", {value})",
                java(model, name)?
            )
        }
        Shape::Structure(_) => {
            let expected = if member { "Member" } else { "Structure" };
            format!("|reader| {name}::read(reader, Expected::{expected}(\"{name}\"))")
        }
    })
}

fn write_structure(model: &Model, name: &str, out: &mut String) -> Result<()> {
    let members = model.structure(name)?;
    writeln!(
        out,
        "    /// Writes the structure as JSON, without the members that are `None`."
    )?;
    writeln!(out, "    pub fn encode(&self, writer: &mut Writer) {{")?;
    writeln!(out, "        writer.begin_object();")?;
    for member in members {
        writeln!(
            out,
            "        if let Some(value) = &self.{} {{",
            snake(&member.name)
        )?;
        writeln!(out, "            writer.key(\"{}\");", member.name)?;
        writing(model, &member.shape, "value", 0, out)?;
        writeln!(out, "        }}")?;
    }
    writeln!(out, "        writer.end_object();\n    }}\n")?;
    Ok(())
}

/// Statements that write `value`, a reference to the shape.
fn writing(model: &Model, name: &str, value: &str, depth: usize, out: &mut String) -> Result<()> {
    if name == "AttributeValue" || is_item(model, name)? {
        writeln!(out, "            {value}.write_json(writer);")?;
        return Ok(());
    }
    match model.shape(name)? {
        Shape::String { .. } => writeln!(out, "            writer.string({value});")?,
        Shape::Integer { .. } => writeln!(out, "            writer.integer(*{value});")?,
        Shape::Double | Shape::Timestamp => {
            writeln!(out, "            writer.double(*{value});")?;
        }
        Shape::Boolean => writeln!(out, "            writer.boolean(*{value});")?,
        Shape::Blob => writeln!(out, "            writer.base64({value});")?,
        Shape::List { element, .. } => {
            let inner = format!("element{depth}");
            writeln!(out, "            writer.begin_array();")?;
            writeln!(out, "            for {inner} in {value} {{")?;
            writing(model, element, &inner, depth + 1, out)?;
            writeln!(out, "            }}\n            writer.end_array();")?;
        }
        Shape::Map { value: shape, .. } => {
            let inner = format!("value{depth}");
            writeln!(out, "            writer.begin_object();")?;
            writeln!(out, "            for (key, {inner}) in {value} {{")?;
            writeln!(out, "            writer.key(key);")?;
            writing(model, shape, &inner, depth + 1, out)?;
            writeln!(out, "            }}\n            writer.end_object();")?;
        }
        Shape::Structure(_) => writeln!(out, "            {value}.encode(writer);")?,
    }
    Ok(())
}

/// Generates the implementation of `Print`: DynamoDB's messages show a value that breaks a constraint
/// in the form of Java's `toString`.
fn print(model: &Model, name: &str, out: &mut String) -> Result<()> {
    let members = model.structure(name)?;
    writeln!(out, "    fn print_members(&self, printer: &mut Printer) {{")?;
    for Member { name, .. } in members {
        writeln!(
            out,
            "        printer.member(\"{}\", self.{}.as_ref());",
            name,
            snake(name)
        )?;
    }
    for name in model.printed(name) {
        writeln!(out, "        printer.member(\"{name}\", None::<&String>);")?;
    }
    if members.is_empty() {
        writeln!(out, "        let _ = printer;")?;
    }
    writeln!(out, "    }}\n")?;
    Ok(())
}

/// Implements `Print` for all that comes in.
fn prints(inputs: &BTreeSet<String>, out: &mut String) -> Result<()> {
    for name in inputs {
        writeln!(
            out,
            "impl Print for {name} {{
    fn print(&self, printer: &mut Printer) {{
        printer.structure(\"{name}\", |printer| self.print_members(printer));
    }}
}}"
        )?;
    }
    Ok(())
}
