//! Values as a tree, to change documents in.

use std::collections::{BTreeMap, BTreeSet};

use super::encoder::Encoder;
use super::layout::{BINARY_SET, LIST, MAP, NUMBER_SET, STRING_SET, WALK_DEPTH};
use super::number::Number;
use super::value::{Kind, Value, ValueRef};

/// A value with everything in it taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// String.
    S(String),
    /// Number.
    N(Number),
    /// Binary.
    B(Vec<u8>),
    /// Boolean.
    Bool(bool),
    /// Null.
    Null,
    /// Map.
    M(BTreeMap<String, Tree>),
    /// List.
    L(Vec<Tree>),
    /// String set.
    SS(BTreeSet<String>),
    /// Number set.
    NS(BTreeSet<Number>),
    /// Binary set.
    BS(BTreeSet<Vec<u8>>),
}

impl Tree {
    /// The type.
    pub fn kind(&self) -> Kind {
        match self {
            Tree::S(_) => Kind::S,
            Tree::N(_) => Kind::N,
            Tree::B(_) => Kind::B,
            Tree::Bool(_) => Kind::Bool,
            Tree::Null => Kind::Null,
            Tree::M(_) => Kind::M,
            Tree::L(_) => Kind::L,
            Tree::SS(_) => Kind::SS,
            Tree::NS(_) => Kind::NS,
            Tree::BS(_) => Kind::BS,
        }
    }

    /// The value in its bytes. An empty set, which no item holds, is encoded like any other: whoever
    /// takes the last element out has to remove the attribute.
    pub fn encode(&self) -> Value {
        let mut encoder = Encoder::default();
        self.write(&mut encoder);
        Value::of(encoder.finish())
    }

    fn write(&self, out: &mut Encoder) {
        match self {
            Tree::S(text) => out.string(text),
            Tree::N(number) => out.number(number),
            Tree::B(bytes) => out.binary(bytes),
            Tree::Bool(value) => out.boolean(*value),
            Tree::Null => out.null(),
            Tree::M(entries) => {
                let open = out.begin(MAP);
                for (name, value) in entries {
                    out.name(name);
                    value.write(out);
                }
                out.end_map(&open);
            }
            Tree::L(elements) => {
                let open = out.begin(LIST);
                elements.iter().for_each(|element| element.write(out));
                out.end_list(&open);
            }
            // The sets of the tree are in the order of the layout.
            Tree::SS(elements) => {
                let open = out.begin(STRING_SET);
                elements.iter().for_each(|element| out.string(element));
                out.end_list(&open);
            }
            Tree::NS(elements) => {
                let open = out.begin(NUMBER_SET);
                elements.iter().for_each(|element| out.number(element));
                out.end_list(&open);
            }
            Tree::BS(elements) => {
                let open = out.begin(BINARY_SET);
                elements.iter().for_each(|element| out.binary(element));
                out.end_list(&open);
            }
        }
    }

    fn read(value: ValueRef<'_>, depth: usize) -> Tree {
        let texts = |value: ValueRef<'_>| value.as_str().unwrap_or_default().to_owned();
        let number = |value: ValueRef<'_>| value.as_number().unwrap_or(Number::ZERO);
        let bytes = |value: ValueRef<'_>| value.as_binary().unwrap_or_default().to_vec();
        match value.kind() {
            Kind::S => Tree::S(texts(value)),
            Kind::N => Tree::N(number(value)),
            Kind::B => Tree::B(bytes(value)),
            Kind::Bool => Tree::Bool(value.as_bool() == Some(true)),
            Kind::Null => Tree::Null,
            Kind::SS => Tree::SS(value.values().map(texts).collect()),
            Kind::NS => Tree::NS(value.values().map(number).collect()),
            Kind::BS => Tree::BS(value.values().map(bytes).collect()),
            // Nothing in a checked item goes deeper.
            Kind::L | Kind::M if depth == 0 => Tree::Null,
            Kind::L => Tree::L(
                value
                    .values()
                    .map(|value| Tree::read(value, depth - 1))
                    .collect(),
            ),
            Kind::M => {
                let entries = value.as_map().into_iter().flat_map(|map| map.iter());
                let entries =
                    entries.map(|(name, value)| (name.to_owned(), Tree::read(value, depth - 1)));
                Tree::M(entries.collect())
            }
        }
    }
}

impl From<ValueRef<'_>> for Tree {
    fn from(value: ValueRef<'_>) -> Self {
        Tree::read(value, WALK_DEPTH)
    }
}

impl From<&Value> for Tree {
    fn from(value: &Value) -> Self {
        value.as_ref().into()
    }
}
