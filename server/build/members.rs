//! Reads `model/members.json` and generates the refusal of members that are not served.
//!
//! Per structure that has such a member, or from which one can be reached, there is one method; all
//! other inputs cost nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::model::{Model, Shape, object, texts};
use crate::types::{is_item, snake};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What `members.json` says of one structure.
#[derive(Default)]
struct Structure {
    /// Members that are refused whatever they say.
    refused: BTreeSet<String>,
}

/// All that is refused, by structure.
struct Refusals(BTreeMap<String, Structure>);

pub(crate) fn generate(model: &Model, file: &Path) -> Result<String> {
    let refusals = Refusals::load(model, file)?;
    let inputs: BTreeSet<&str> = model
        .operations
        .iter()
        .map(|operation| operation.input.as_str())
        .collect();
    let roots = inputs.iter().map(|name| (*name).to_owned());
    let mut out = String::new();
    for name in model.closure(roots)? {
        let reached = refusals.reach(model, &name, &mut BTreeSet::new())?;
        if !reached && !inputs.contains(name.as_str()) {
            continue;
        }
        writeln!(out, "impl {name} {{")?;
        writeln!(
            out,
            "    /// The path to the first member that is there and not served, if there is one."
        )?;
        let visible = if inputs.contains(name.as_str()) {
            "pub "
        } else {
            ""
        };
        writeln!(out, "    {visible}fn refused(&self) -> Option<String> {{")?;
        if reached {
            refusals.structure(model, &name, &mut out)?;
        }
        writeln!(out, "        None\n    }}\n}}\n")?;
    }
    Ok(out)
}

impl Refusals {
    /// Every name has to be one of the model's, and to have one class.
    fn load(model: &Model, file: &Path) -> Result<Self> {
        let source: Value = serde_json::from_slice(&fs::read(file)?)?;
        let mut structures = BTreeMap::new();
        for (name, classes) in object(source.get("structures"))? {
            let structure = Structure::parse(model, name, classes)
                .map_err(|error| format!("{}: {name}: {error}", file.display()))?;
            structures.insert(name.clone(), structure);
        }
        Ok(Self(structures))
    }

    /// Whether something that is refused can be in the shape. `open` are the structures that are
    /// being looked at: some shapes contain themselves.
    fn reach(&self, model: &Model, name: &str, open: &mut BTreeSet<String>) -> Result<bool> {
        if name == "AttributeValue" || is_item(model, name)? {
            return Ok(false);
        }
        match model.shape(name)? {
            Shape::List { element, .. } => self.reach(model, element, open),
            Shape::Map { value, .. } => self.reach(model, value, open),
            Shape::Structure(members) => {
                if !open.insert(name.to_owned()) {
                    return Ok(false);
                }
                let mut reached = self.0.get(name).is_some_and(Structure::refuses);
                for member in members {
                    reached |= self.reach(model, &member.shape, open)?;
                }
                Ok(reached)
            }
            _ => Ok(false),
        }
    }

    /// Statements that return the path of what is refused in a structure.
    fn structure(&self, model: &Model, name: &str, out: &mut String) -> Result<()> {
        let none = Structure::default();
        let refusals = self.0.get(name).unwrap_or(&none);
        for member in model.structure(name)? {
            let (name, field) = (&member.name, snake(&member.name));
            if refusals.refused.contains(name) {
                writeln!(
                    out,
                    "        if self.{field}.is_some() {{ return Some(\"{name}\".to_owned()); }}"
                )?;
                continue;
            }
            if self.reach(model, &member.shape, &mut BTreeSet::new())? {
                writeln!(
                    out,
                    "        if let Some(path) = self.{field}.as_ref().and_then(|value| {}) {{
            return Some(format!(\"{name}.{{path}}\"));
        }}",
                    inside(model, &member.shape, "value")?
                )?;
            }
        }
        Ok(())
    }
}

/// An expression for the path within `value`, a reference to the shape.
fn inside(model: &Model, name: &str, value: &str) -> Result<String> {
    Ok(match model.shape(name)? {
        Shape::List { element, .. } => format!(
            "{value}.iter().find_map(|element| {})",
            inside(model, element, "element")?
        ),
        Shape::Map { value: entry, .. } => format!(
            "{value}.iter().find_map(|(_, entry)| {})",
            inside(model, entry, "entry")?
        ),
        _ => format!("{value}.refused()"),
    })
}

impl Structure {
    fn parse(model: &Model, name: &str, classes: &Value) -> Result<Self> {
        let mut structure = Self::default();
        let mut classified = BTreeSet::new();
        for (class, members) in object(Some(classes))? {
            for member in texts(Some(members))? {
                model.member(name, &member)?;
                if !classified.insert(member.clone()) {
                    return Err(format!("{member} has two classes").into());
                }
                match class.as_str() {
                    "works" | "stored" => {}
                    "refused" => {
                        structure.refused.insert(member);
                    }
                    other => return Err(format!("there is no class {other}").into()),
                }
            }
        }
        Ok(structure)
    }

    fn refuses(&self) -> bool {
        !self.refused.is_empty()
    }
}
