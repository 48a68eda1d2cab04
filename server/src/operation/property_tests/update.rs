//! Random updates: what they make of an item, as expressions and as `AttributeUpdates`.

use serde_json::{Map, Value, json};

use super::{
    attributes::{INDEXABLE, MAP_KEYS, OTHERS, kind, normal, other, parts, sum},
    condition::Placeholders,
    random::Random,
    schema::Schema,
};

/// An update whose clauses name different attributes.
pub(super) struct Update {
    clauses: Vec<(Place, Clause)>,
}

/// Where a clause works.
#[derive(Clone)]
enum Place {
    Attribute(&'static str),
    /// An entry of the map `m`.
    Entry(&'static str),
    /// An element of the list `l`.
    Element(usize),
}

enum Clause {
    Set(Operand),
    Remove,
    Add(Value),
    Delete(Value),
}

enum Operand {
    Value(Value),
    Attribute(&'static str),
    IfNotExists(&'static str, Value),
    /// Plus or minus; a minus is said with the value turned around.
    Plus(&'static str, Value),
    Minus(&'static str, Value),
    Append(Value),
}

/// The update does not fit the item.
#[derive(Debug)]
pub(super) struct Unfit;

impl Place {
    fn attribute(&self) -> &'static str {
        match self {
            Self::Attribute(name) => name,
            Self::Entry(_) => "m",
            Self::Element(_) => "l",
        }
    }
}

impl Update {
    pub(super) fn random(random: &mut Random, schema: &Schema, old: Option<&Value>) -> Self {
        let names = random.some(&[INDEXABLE, OTHERS].concat(), 4);
        let clauses = names
            .into_iter()
            .map(|name| clause(random, schema, name, old))
            .collect();
        Self { clauses }
    }

    /// Whether an item comes into being that is not there: an update that only takes away makes none
    /// (API reference, `AttributeValueUpdate`).
    fn creates(&self) -> bool {
        let mut clauses = self.clauses.iter();
        clauses.len() == 0
            || clauses.any(|(_, clause)| matches!(clause, Clause::Set(_) | Clause::Add(_)))
    }

    /// Whether every clause is about a whole attribute.
    pub(super) fn is_flat(&self) -> bool {
        let mut places = self.clauses.iter().map(|(place, _)| place);
        places.all(|place| matches!(place, Place::Attribute(_)))
    }

    /// The attributes that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.clauses.iter().map(|(place, _)| place.attribute())
    }

    /// The item after it.
    pub(super) fn apply(&self, old: Option<&Value>, key: &Value) -> Result<Option<Value>, Unfit> {
        if old.is_none() && !self.creates() {
            return Ok(None);
        }
        let before = old.unwrap_or(key);
        let mut after = before.clone();
        for (place, clause) in &self.clauses {
            let name = place.attribute();
            let present = before.get(name);
            match clause {
                Clause::Set(operand) => set(&mut after, place, operand.worth(before)?)?,
                Clause::Remove => remove(&mut after, place)?,
                Clause::Add(value) => after[name] = add(present, value)?,
                Clause::Delete(value) => match present.map(|set| without(set, value)) {
                    None => {}
                    Some(left) => match left? {
                        Some(left) => after[name] = left,
                        None => drop(after.as_object_mut().unwrap().remove(name)),
                    },
                },
            }
        }
        Ok(Some(after))
    }

    pub(super) fn write(
        &self,
        request: &mut Value,
        placeholders: &mut Placeholders,
        random: &mut Random,
    ) {
        let mut sections: [Vec<String>; 4] = Default::default();
        for (place, clause) in &self.clauses {
            let path = match place {
                Place::Attribute(name) => placeholders.name(random, name),
                Place::Entry(key) => {
                    let map = placeholders.name(random, "m");
                    format!("{map}.{}", placeholders.name(random, key))
                }
                Place::Element(index) => format!("{}[{index}]", placeholders.name(random, "l")),
            };
            let (section, text) = match clause {
                Clause::Set(operand) => (0, {
                    let operand = operand.expression(placeholders, random);
                    format!("{path} = {operand}")
                }),
                Clause::Remove => (1, path),
                Clause::Add(value) => (2, format!("{path} {}", placeholders.value(value))),
                Clause::Delete(value) => (3, format!("{path} {}", placeholders.value(value))),
            };
            sections[section].push(text);
        }
        let words = ["SET", "REMOVE", "ADD", "DELETE"];
        let sections: Vec<String> = words
            .into_iter()
            .zip(sections)
            .filter(|(_, clauses)| !clauses.is_empty())
            .map(|(word, clauses)| format!("{word} {}", clauses.join(", ")))
            .collect();
        let sections = random.shuffled(&sections);
        if !sections.is_empty() {
            request["UpdateExpression"] = sections.join(" ").into();
        }
    }

    /// Writes it as `AttributeUpdates`; not if that cannot say it.
    pub(super) fn write_legacy(&self, request: &mut Value) -> bool {
        let updates = self.clauses.iter().map(|(place, clause)| {
            let Place::Attribute(name) = place else {
                return None;
            };
            let update = match clause {
                Clause::Set(Operand::Value(value)) => json!({"Action": "PUT", "Value": value}),
                Clause::Set(_) => return None,
                Clause::Remove => json!({"Action": "DELETE"}),
                Clause::Add(value) => json!({"Action": "ADD", "Value": value}),
                Clause::Delete(value) => json!({"Action": "DELETE", "Value": value}),
            };
            Some(((*name).to_owned(), update))
        });
        let Some(updates) = updates.collect::<Option<Map<_, _>>>() else {
            return false;
        };
        if !updates.is_empty() {
            request["AttributeUpdates"] = updates.into();
        }
        true
    }
}

fn clause(
    random: &mut Random,
    schema: &Schema,
    name: &'static str,
    old: Option<&Value>,
) -> (Place, Clause) {
    let present = old.and_then(|old| old.get(name));
    let whole = Place::Attribute(name);
    let number = json!({"N": random.pick(&["1", "-3", "0.5", "0"])});
    if name == "m" && random.one_in(2) {
        let key = *random.pick(MAP_KEYS);
        let place = Place::Entry(key);
        return match present.is_some() && random.one_in(3) {
            true => (place, Clause::Remove),
            false => (place, Clause::Set(Operand::Value(other(random, "n")))),
        };
    }
    if name == "l" && random.one_in(2) {
        let place = Place::Element(random.below(4));
        return match present.is_some() && random.one_in(3) {
            true => (place, Clause::Remove),
            false => (place, Clause::Set(Operand::Value(other(random, "x")))),
        };
    }
    let clause = match (name, random.below(8)) {
        (_, 0) => Clause::Remove,
        ("n", 1 | 2) => Clause::Add(number),
        ("n", 3) => Clause::Set(Operand::Plus("n", number)),
        ("n", 4) => Clause::Set(Operand::Minus("n", number)),
        ("ss" | "ns" | "bs", 1..=3) => Clause::Add(schema.value(random, name)),
        ("ss" | "ns" | "bs", 4..=6) => Clause::Delete(schema.value(random, name)),
        ("l", 1..=3) => Clause::Set(Operand::Append(schema.value(random, "l"))),
        (_, 1) if INDEXABLE.contains(&name) && schema.types[name] == "N" => Clause::Add(number),
        (_, 2) => Clause::Set(Operand::IfNotExists(name, schema.value(random, name))),
        ("x", 3) => {
            let from = *random.pick(OTHERS);
            Clause::Set(Operand::Attribute(from))
        }
        _ => Clause::Set(Operand::Value(schema.value(random, name))),
    };
    (whole, clause)
}

impl Operand {
    /// What it is worth, read from the item as it was.
    fn worth(&self, before: &Value) -> Result<Value, Unfit> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Attribute(name) => before.get(*name).cloned().ok_or(Unfit),
            Self::IfNotExists(name, value) => Ok(before.get(*name).unwrap_or(value).clone()),
            Self::Plus(name, value) => match before.get(*name) {
                Some(number) if kind(number) == "N" => Ok(sum(&number["N"], &value["N"])),
                _ => Err(Unfit),
            },
            Self::Minus(name, value) => match before.get(*name) {
                Some(number) if kind(number) == "N" => Ok(sum(&number["N"], &negative(value))),
                _ => Err(Unfit),
            },
            Self::Append(value) => match before.get("l") {
                Some(list) if kind(list) == "L" => {
                    let elements = [list, value].map(|list| list["L"].as_array().unwrap().clone());
                    Ok(json!({"L": elements.concat()}))
                }
                _ => Err(Unfit),
            },
        }
    }

    fn expression(&self, placeholders: &mut Placeholders, random: &mut Random) -> String {
        match self {
            Self::Value(value) => placeholders.value(value),
            Self::Attribute(name) => placeholders.name(random, name),
            Self::IfNotExists(name, value) => {
                let name = placeholders.name(random, name);
                format!("if_not_exists({name}, {})", placeholders.value(value))
            }
            Self::Plus(name, value) => {
                let name = placeholders.name(random, name);
                format!("{name} + {}", placeholders.value(value))
            }
            Self::Minus(name, value) => {
                let name = placeholders.name(random, name);
                format!("{name} - {}", placeholders.value(value))
            }
            Self::Append(value) => {
                let name = placeholders.name(random, "l");
                format!("list_append({name}, {})", placeholders.value(value))
            }
        }
    }
}

fn negative(number: &Value) -> Value {
    let text = number["N"].as_str().unwrap();
    match text.strip_prefix('-') {
        Some(rest) => rest.into(),
        None => format!("-{text}").into(),
    }
}

fn set(item: &mut Value, place: &Place, value: Value) -> Result<(), Unfit> {
    match place {
        Place::Attribute(name) => item[*name] = value,
        Place::Entry(key) => match item.get_mut("m").and_then(|map| map["M"].as_object_mut()) {
            Some(map) => drop(map.insert((*key).to_owned(), value)),
            None => return Err(Unfit),
        },
        Place::Element(index) => {
            let list = item.get_mut("l").and_then(|list| list["L"].as_array_mut());
            let list = list.ok_or(Unfit)?;
            // "If you add an element behind the last, it is appended."
            match list.get_mut(*index) {
                Some(element) => *element = value,
                None => list.push(value),
            }
        }
    }
    Ok(())
}

fn remove(item: &mut Value, place: &Place) -> Result<(), Unfit> {
    match place {
        Place::Attribute(name) => drop(item.as_object_mut().unwrap().remove(*name)),
        Place::Entry(key) => match item.get_mut("m").and_then(|map| map["M"].as_object_mut()) {
            Some(map) => drop(map.remove(*key)),
            None => return Err(Unfit),
        },
        Place::Element(index) => {
            let list = item.get_mut("l").and_then(|list| list["L"].as_array_mut());
            let list = list.ok_or(Unfit)?;
            if *index < list.len() {
                list.remove(*index);
            }
        }
    }
    Ok(())
}

fn add(present: Option<&Value>, value: &Value) -> Result<Value, Unfit> {
    let Some(present) = present else {
        return Ok(value.clone());
    };
    let ((before, old), (given, new)) = (parts(present), parts(value));
    if before != given {
        return Err(Unfit);
    }
    if given == "N" {
        return Ok(sum(old, new));
    }
    let elements = [old, new].map(|set| set.as_array().unwrap().clone());
    Ok(normal(json!({given: elements.concat()})))
}

/// What is left of a set, if anything.
fn without(present: &Value, value: &Value) -> Result<Option<Value>, Unfit> {
    let ((before, old), (given, gone)) = (parts(present), parts(value));
    if before != given {
        return Err(Unfit);
    }
    let gone = gone.as_array().unwrap();
    let old = old.as_array().unwrap().iter();
    let left: Vec<&Value> = old.filter(|element| !gone.contains(element)).collect();
    Ok((!left.is_empty()).then(|| json!({given: left})))
}
