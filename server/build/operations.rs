//! Generates the enum of all operations.

use std::fmt::{self, Write};

use crate::model::Model;

pub(crate) fn generate(model: &Model) -> Result<String, fmt::Error> {
    let mut out = String::new();
    let count = model.operations.len();
    writeln!(out, "/// An operation of DynamoDB or of DynamoDB Streams.")?;
    writeln!(
        out,
        "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]"
    )?;
    writeln!(out, "pub enum Operation {{")?;
    for operation in &model.operations {
        writeln!(out, "    /// `{0}`\n    {0},", operation.name)?;
    }
    writeln!(out, "}}\n\nimpl Operation {{")?;
    writeln!(out, "    /// All operations, in the order of the models.")?;
    writeln!(out, "    pub const ALL: [Self; {count}] = [")?;
    for operation in &model.operations {
        writeln!(out, "        Self::{},", operation.name)?;
    }
    writeln!(out, "    ];\n")?;
    writeln!(out, "    /// The name in the API.")?;
    writeln!(
        out,
        "    pub fn name(self) -> &'static str {{\n        match self {{"
    )?;
    for operation in &model.operations {
        writeln!(out, "            Self::{0} => \"{0}\",", operation.name)?;
    }
    writeln!(out, "        }}\n    }}\n")?;
    writeln!(out, "    /// What `X-Amz-Target` has before the dot.")?;
    writeln!(
        out,
        "    pub fn target_prefix(self) -> &'static str {{\n        match self {{"
    )?;
    for operation in &model.operations {
        writeln!(
            out,
            "            Self::{} => \"{}\",",
            operation.name, operation.prefix
        )?;
    }
    writeln!(out, "        }}\n    }}\n")?;
    writeln!(out, "    /// The whole of `X-Amz-Target`.")?;
    writeln!(out, "    pub fn target(self) -> String {{")?;
    writeln!(
        out,
        "        format!(\"{{}}.{{}}\", self.target_prefix(), self.name())\n    }}\n"
    )?;
    writeln!(
        out,
        "    /// The operation that `X-Amz-Target` names, if there is one."
    )?;
    writeln!(
        out,
        "    pub fn from_target(target: &str) -> Option<Self> {{"
    )?;
    // The prefix once for all operations that have it, and not with each name again.
    let mut prefixes: Vec<&str> = model
        .operations
        .iter()
        .map(|operation| operation.prefix.as_str())
        .collect();
    prefixes.sort_unstable();
    prefixes.dedup();
    for prefix in prefixes {
        writeln!(
            out,
            "        if let Some(name) = target.strip_prefix(\"{prefix}.\") {{\n            return match name {{"
        )?;
        for operation in &model.operations {
            if operation.prefix == prefix {
                writeln!(
                    out,
                    "                \"{0}\" => Some(Self::{0}),",
                    operation.name
                )?;
            }
        }
        writeln!(
            out,
            "                _ => None,\n            }};\n        }}"
        )?;
    }
    writeln!(out, "        None\n    }}\n}}")?;
    Ok(out)
}
