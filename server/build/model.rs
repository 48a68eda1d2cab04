//! The service models, read, checked and merged.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

/// Both services, as one name space: shapes of one name are equal in both, which is checked.
pub(crate) struct Model {
    /// In the order of the files.
    pub(crate) operations: Vec<Operation>,
    shapes: BTreeMap<String, Shape>,
    service: Service,
}

/// One operation.
pub(crate) struct Operation {
    pub(crate) name: String,
    /// What `X-Amz-Target` has before the dot.
    pub(crate) prefix: String,
    pub(crate) input: String,
    /// Some operations answer with an empty body.
    pub(crate) output: Option<String>,
}

/// A type of the API.
#[derive(Clone, PartialEq)]
pub(crate) enum Shape {
    String {
        limits: Limits,
        pattern: Option<String>,
        values: Vec<String>,
    },
    /// Of 32 or 64 bits: the messages tell them apart.
    Integer {
        limits: Limits,
        long: bool,
    },
    Double,
    Boolean,
    Timestamp,
    Blob,
    List {
        limits: Limits,
        element: String,
    },
    Map {
        limits: Limits,
        key: String,
        value: String,
    },
    Structure(Vec<Member>),
}

/// Smallest and largest value or length.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) struct Limits {
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
}

impl Limits {
    pub(crate) fn any(self) -> bool {
        self.min.is_some() || self.max.is_some()
    }
}

/// A member of a structure.
#[derive(Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) shape: String,
    pub(crate) required: bool,
}

/// `model/service.json`.
struct Service {
    enumerations: BTreeMap<String, Vec<String>>,
    order: BTreeMap<String, Vec<String>>,
    required: BTreeMap<String, Vec<String>>,
    unchecked: Vec<String>,
    limits: BTreeMap<String, Limits>,
    length_first: BTreeMap<String, Vec<String>>,
    own_words: BTreeMap<String, Vec<String>>,
    printed: BTreeMap<String, Vec<String>>,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

impl Model {
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        let service: Value = serde_json::from_slice(&fs::read(folder.join("service.json"))?)?;
        let service = Service::parse(&service)?;
        let mut model = Self {
            operations: Vec::new(),
            shapes: BTreeMap::new(),
            service,
        };
        for file in ["dynamodb.json", "dynamodbstreams.json"] {
            let source: Value = serde_json::from_slice(&fs::read(folder.join(file))?)?;
            model.add(&source)?;
        }
        model.check()?;
        model.amend()?;
        Ok(model)
    }

    /// Makes required what the service requires, and takes away the constraints that it checks later.
    fn amend(&mut self) -> Result<()> {
        for (structure, names) in &self.service.required {
            let Some(Shape::Structure(members)) = self.shapes.get_mut(structure) else {
                return Err(format!("{structure} is no structure").into());
            };
            for name in names {
                let found = members.iter_mut().find(|member| member.name == *name);
                let member = found.ok_or_else(|| format!("{structure} has no member {name}"))?;
                member.required = true;
            }
        }
        for name in &self.service.unchecked {
            match self.shapes.get_mut(name) {
                Some(Shape::Structure(members)) => {
                    members
                        .iter_mut()
                        .for_each(|member| member.required = false);
                }
                Some(Shape::String {
                    limits,
                    pattern,
                    values,
                }) => {
                    *limits = Limits::default();
                    *pattern = None;
                    values.clear();
                }
                _ => return Err(format!("{name} is no structure and no string").into()),
            }
        }
        Ok(())
    }

    fn add(&mut self, source: &Value) -> Result<()> {
        let prefix = text(source.pointer("/metadata/targetPrefix"))?;
        for (name, operation) in object(source.get("operations"))? {
            let output = operation.pointer("/output/shape").and_then(Value::as_str);
            self.operations.push(Operation {
                name: name.clone(),
                prefix: prefix.to_owned(),
                input: text(operation.pointer("/input/shape"))?.to_owned(),
                output: output.map(str::to_owned),
            });
        }
        for (name, source) in object(source.get("shapes"))? {
            let shape = shape(source).map_err(|error| format!("shape {name}: {error}"))?;
            match self.shapes.insert(name.clone(), shape.clone()) {
                Some(other) if other != shape => {
                    return Err(format!("two shapes are called {name}").into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What `service.json` says has to be about something that exists.
    fn check(&self) -> Result<()> {
        for (name, values) in &self.service.enumerations {
            let Shape::String { values: model, .. } = self.shape(name)? else {
                return Err(format!("{name} is no enumeration").into());
            };
            let same = values.iter().collect::<BTreeSet<_>>() == model.iter().collect();
            if !same {
                return Err(format!("{name} has other values in the model").into());
            }
        }
        let service = &self.service;
        let lists = [&service.order, &service.length_first, &service.own_words];
        for (name, members) in lists.into_iter().flatten() {
            for member in members {
                self.member(name, member)?;
            }
        }
        for place in self.service.limits.keys() {
            let (structure, member) = place.split_once('.').ok_or("a limit needs a member")?;
            self.member(structure, member)?;
        }
        Ok(())
    }

    pub(crate) fn member(&self, structure: &str, name: &str) -> Result<&Member> {
        let found = self
            .structure(structure)?
            .iter()
            .find(|member| member.name == name);
        found.ok_or_else(|| format!("{structure} has no member {name}").into())
    }

    pub(crate) fn shape(&self, name: &str) -> Result<&Shape> {
        self.shapes
            .get(name)
            .ok_or_else(|| format!("no shape is called {name}").into())
    }

    /// The members of the structure `name`, in the model's order.
    pub(crate) fn structure(&self, name: &str) -> Result<&[Member]> {
        match self.shape(name)? {
            Shape::Structure(members) => Ok(members),
            _ => Err(format!("{name} is no structure").into()),
        }
    }

    /// The members of the structure `name`, in the order in which the service checks them.
    pub(crate) fn checked(&self, name: &str) -> Result<Vec<&Member>> {
        let order = self
            .service
            .order
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let place = |member: &&Member| {
            order
                .iter()
                .position(|other| *other == member.name)
                .unwrap_or(order.len())
        };
        let mut members: Vec<&Member> = self.structure(name)?.iter().collect();
        members.sort_by_key(place);
        Ok(members)
    }

    /// An enumeration's values, in the order in which the service prints them.
    pub(crate) fn values<'a>(&'a self, name: &str, model: &'a [String]) -> &'a [String] {
        self.service
            .enumerations
            .get(name)
            .map_or(model, Vec::as_slice)
    }

    /// Whether of this member the length is checked before the pattern.
    pub(crate) fn length_first(&self, structure: &str, member: &str) -> bool {
        names(&self.service.length_first, structure, member)
    }

    /// Whether the operation checks the constraints of this member's shape itself.
    pub(crate) fn own_words(&self, structure: &str, member: &str) -> bool {
        names(&self.service.own_words, structure, member)
    }

    /// Limits of this member beyond those of its shape.
    pub(crate) fn member_limits(&self, structure: &str, member: &str) -> Option<Limits> {
        self.service
            .limits
            .get(&format!("{structure}.{member}"))
            .copied()
    }

    /// Members that the service prints and the model does not have.
    pub(crate) fn printed(&self, structure: &str) -> &[String] {
        self.service
            .printed
            .get(structure)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Every structure that can be reached from `roots`, but for attribute values, which the `item`
    /// module knows.
    pub(crate) fn closure(&self, roots: impl Iterator<Item = String>) -> Result<BTreeSet<String>> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<String> = roots.collect();
        while let Some(name) = open.pop() {
            if name == "AttributeValue" {
                continue;
            }
            match self.shape(&name)? {
                Shape::Structure(members) if reached.insert(name.clone()) => {
                    open.extend(members.iter().map(|member| member.shape.clone()));
                }
                Shape::List { element, .. } => open.push(element.clone()),
                Shape::Map { value, .. } => open.push(value.clone()),
                _ => {}
            }
        }
        Ok(reached)
    }
}

impl Service {
    fn parse(source: &Value) -> Result<Self> {
        let section = |name: &str| -> Result<Map<String, Value>> {
            let mut entries = object(source.get(name))?.clone();
            entries.remove("about");
            Ok(entries)
        };
        let lists = |name: &str| -> Result<BTreeMap<String, Vec<String>>> {
            section(name)?
                .iter()
                .map(|(name, list)| Ok((name.clone(), texts(Some(list))?)))
                .collect()
        };
        Ok(Self {
            enumerations: lists("enumerations")?,
            order: lists("order")?,
            limits: section("limits")?
                .iter()
                .map(|(n, s)| (n.clone(), limits(s)))
                .collect(),
            required: lists("required")?,
            unchecked: lists("unchecked")?.into_values().flatten().collect(),
            length_first: lists("length_first")?,
            own_words: lists("own_words")?,
            printed: lists("printed")?,
        })
    }
}

fn shape(source: &Value) -> Result<Shape> {
    let limits = limits(source);
    Ok(match text(source.get("type"))? {
        "string" => Shape::String {
            limits,
            pattern: source
                .get("pattern")
                .and_then(Value::as_str)
                .map(str::to_owned),
            values: source
                .get("enum")
                .map_or(Ok(Vec::new()), |list| texts(Some(list)))?,
        },
        "integer" => Shape::Integer {
            limits,
            long: false,
        },
        "long" => Shape::Integer { limits, long: true },
        "double" => Shape::Double,
        "boolean" => Shape::Boolean,
        "timestamp" => Shape::Timestamp,
        "blob" => Shape::Blob,
        "list" => Shape::List {
            limits,
            element: text(source.pointer("/member/shape"))?.to_owned(),
        },
        "map" => Shape::Map {
            limits,
            key: text(source.pointer("/key/shape"))?.to_owned(),
            value: text(source.pointer("/value/shape"))?.to_owned(),
        },
        "structure" => Shape::Structure(structure(source)?),
        other => return Err(format!("a type {other}").into()),
    })
}

fn structure(source: &Value) -> Result<Vec<Member>> {
    let required = source
        .get("required")
        .map_or(Ok(Vec::new()), |list| texts(Some(list)))?;
    let member = |(name, member): (&String, &Value)| {
        Ok(Member {
            name: name.clone(),
            shape: text(member.get("shape"))?.to_owned(),
            required: required.contains(name),
        })
    };
    object(source.get("members"))?.iter().map(member).collect()
}

fn limits(source: &Value) -> Limits {
    let limit = |name: &str| source.get(name).and_then(Value::as_i64);
    Limits {
        min: limit("min"),
        max: limit("max"),
    }
}

fn text(value: Option<&Value>) -> Result<&str> {
    value
        .and_then(Value::as_str)
        .ok_or_else(|| format!("{value:?} is no text").into())
}

fn names(lists: &BTreeMap<String, Vec<String>>, structure: &str, member: &str) -> bool {
    lists
        .get(structure)
        .is_some_and(|members| members.iter().any(|name| name == member))
}

pub(crate) fn texts(value: Option<&Value>) -> Result<Vec<String>> {
    let list = value
        .and_then(Value::as_array)
        .ok_or("no list where one is needed")?;
    list.iter()
        .map(|element| Ok(text(Some(element))?.to_owned()))
        .collect()
}

pub(crate) fn object(value: Option<&Value>) -> Result<&Map<String, Value>> {
    value
        .and_then(Value::as_object)
        .ok_or_else(|| "no object where one is needed".into())
}
