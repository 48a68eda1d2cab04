//! The service models, read and merged.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// Both services, as one name space: shapes of one name are equal in both, which is checked.
pub(crate) struct Model {
    /// In the order of the files.
    pub(crate) operations: Vec<Operation>,
    pub(crate) shapes: BTreeMap<String, Value>,
}

/// One operation.
pub(crate) struct Operation {
    pub(crate) name: String,
    /// What `X-Amz-Target` has before the dot.
    pub(crate) prefix: String,
}

impl Model {
    pub(crate) fn load(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut model = Self {
            operations: Vec::new(),
            shapes: BTreeMap::new(),
        };
        for file in ["dynamodb.json", "dynamodbstreams.json"] {
            let source: Value = serde_json::from_slice(&fs::read(folder.join(file))?)?;
            model.add(&source)?;
        }
        Ok(model)
    }

    fn add(&mut self, source: &Value) -> Result<(), Box<dyn Error>> {
        let prefix = text(source.pointer("/metadata/targetPrefix"))?;
        for (name, _) in members(source.get("operations"))? {
            self.operations.push(Operation {
                name: name.clone(),
                prefix: prefix.to_owned(),
            });
        }
        for (name, shape) in members(source.get("shapes"))? {
            match self.shapes.insert(name.clone(), shape.clone()) {
                Some(other) if other != *shape => {
                    return Err(format!("two shapes are called {name}").into());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The text of a value that has to be one.
pub(crate) fn text(value: Option<&Value>) -> Result<&str, String> {
    value
        .and_then(Value::as_str)
        .ok_or_else(|| format!("{value:?} is no text"))
}

/// The members of a value that has to be an object.
pub(crate) fn members(value: Option<&Value>) -> Result<&serde_json::Map<String, Value>, String> {
    value
        .and_then(Value::as_object)
        .ok_or_else(|| format!("{value:?} is no object"))
}
