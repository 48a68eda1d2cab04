use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::operation::SERVED;

const CLASSES: [&str; 3] = ["works", "stored", "refused"];

/// The models and the classes, as they lie in the tree.
struct Model {
    services: Vec<Value>,
    classes: Value,
}

impl Model {
    fn load() -> Self {
        let read = |name: &str| -> Value {
            let path = format!("{}/model/{name}", env!("CARGO_MANIFEST_DIR"));
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
        };
        Self {
            services: vec![read("dynamodb.json"), read("dynamodbstreams.json")],
            classes: read("members.json")["structures"].take(),
        }
    }

    fn input(&self, operation: &str) -> &str {
        let path = format!("/operations/{operation}/input/shape");
        let found = self
            .services
            .iter()
            .find_map(|service| service.pointer(&path));
        found.unwrap().as_str().unwrap()
    }

    fn shape(&self, name: &str) -> &Value {
        let found = self
            .services
            .iter()
            .find_map(|service| service["shapes"].get(name));
        found.unwrap_or_else(|| panic!("no shape {name}"))
    }

    fn class(&self, structure: &str, member: &str) -> Option<&'static str> {
        let classes = self.classes.get(structure)?;
        let has = |class: &&str| {
            let members = classes.get(*class).and_then(Value::as_array);
            members.is_some_and(|members| members.iter().any(|name| name == member))
        };
        CLASSES.into_iter().find(has)
    }

    /// Goes over the members of `shape` and all that is nested in them, but for what is in a member
    /// that is refused as a whole.
    fn walk(&self, shape: &str, seen: &mut BTreeMap<String, BTreeSet<String>>) {
        let definition = self.shape(shape);
        match definition["type"].as_str().unwrap() {
            "structure" if shape != "AttributeValue" && !seen.contains_key(shape) => {
                let members = definition["members"].as_object().unwrap();
                seen.insert(shape.to_owned(), members.keys().cloned().collect());
                for (name, member) in members {
                    if self.class(shape, name) != Some("refused") {
                        self.walk(member["shape"].as_str().unwrap(), seen);
                    }
                }
            }
            "list" => self.walk(definition["member"]["shape"].as_str().unwrap(), seen),
            "map" => self.walk(definition["value"]["shape"].as_str().unwrap(), seen),
            _ => {}
        }
    }
}

/// Members of served operations that have no class.
fn unclassified(model: &Model) -> Vec<String> {
    let mut structures = BTreeMap::new();
    for operation in SERVED {
        model.walk(model.input(operation.name()), &mut structures);
    }
    structures
        .iter()
        .flat_map(|(structure, members)| members.iter().map(move |member| (structure, member)))
        .filter(|(structure, member)| model.class(structure, member).is_none())
        .map(|(structure, member)| format!("{structure}.{member}"))
        .collect()
}

#[test]
fn every_member_of_a_served_operation_has_a_class() {
    let unclassified = unclassified(&Model::load());
    assert!(
        unclassified.is_empty(),
        "say in model/members.json what becomes of these: {unclassified:#?}"
    );
}

/// What happens when AWS publishes a new model.
#[test]
fn a_new_member_of_the_model_is_found() {
    let mut model = Model::load();
    let shapes = &mut model.services[0]["shapes"];
    shapes["Projection"]["members"]["Depth"] = json!({"shape": "PositiveIntegerObject"});
    shapes["PutItemInput"]["members"]["Twice"] = json!({"shape": "NewStructure"});
    shapes["NewStructure"] = json!({
        "type": "structure", "members": {"Inner": {"shape": "PositiveIntegerObject"}},
    });
    assert_eq!(
        unclassified(&model),
        [
            "NewStructure.Inner",
            "Projection.Depth",
            "PutItemInput.Twice"
        ]
    );
}

/// And what is classified is in the model: a class for a member that is gone says nothing.
#[test]
fn every_class_is_of_a_member_of_the_model() {
    let model = Model::load();
    for (structure, classes) in model.classes.as_object().unwrap() {
        let members = &model.shape(structure)["members"];
        for class in CLASSES {
            for member in classes[class].as_array().into_iter().flatten() {
                let member = member.as_str().unwrap();
                assert!(members.get(member).is_some(), "{structure}.{member}");
            }
        }
        for member in classes["refused_values"].as_object().into_iter().flatten() {
            assert!(members.get(member.0).is_some(), "{structure}.{}", member.0);
        }
    }
}

#[test]
fn a_refused_member_is_named_with_its_way() {
    let path = |body: Value| {
        let body = body.to_string();
        CreateTableInput::from_json(body.as_bytes())
            .unwrap()
            .refused()
    };
    assert_eq!(
        path(json!({"TableName": "t", "TableClass": "STANDARD"})),
        None
    );
    assert_eq!(path(json!({"VectorIndexes": null})), None);
    assert_eq!(
        path(json!({"VectorIndexes": []})).as_deref(),
        Some("VectorIndexes")
    );
    let error = not_served("VectorIndexes");
    assert_eq!(
        error.message().as_deref(),
        Some("VectorIndexes is not served by this version of Stator")
    );
}
