//! Key schemas: which attributes make a table's or an index's key, in which order and of which type.

use serde::{Deserialize, Serialize};

/// Type of a key attribute. Only these three can be part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ScalarType {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
}

impl ScalarType {
    /// DynamoDB's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }

    /// The type with DynamoDB's `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "S" => Some(Self::S),
            "N" => Some(Self::N),
            "B" => Some(Self::B),
            _ => None,
        }
    }
}

/// Role of an attribute in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyType {
    /// Partition key.
    #[serde(rename = "HASH")]
    Hash,
    /// Sort key.
    #[serde(rename = "RANGE")]
    Range,
}

impl KeyType {
    /// DynamoDB's name of the role.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hash => "HASH",
            Self::Range => "RANGE",
        }
    }

    /// The role with DynamoDB's `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "HASH" => Some(Self::Hash),
            "RANGE" => Some(Self::Range),
            _ => None,
        }
    }
}

/// One attribute of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAttribute {
    /// Name of the attribute, 1 to 255 bytes.
    pub name: Box<str>,
    /// Its declared type.
    pub scalar: ScalarType,
}

/// The key of a table or of a secondary index.
///
/// A table and a local secondary index have one partition key attribute and at most one sort key
/// attribute; a global secondary index has up to four of each, and their order counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySchema {
    partition: Box<[KeyAttribute]>,
    sort: Box<[KeyAttribute]>,
}

impl KeySchema {
    /// A key of `partition` attributes (at least one) and `sort` attributes (possibly none).
    pub fn new(partition: Vec<KeyAttribute>, sort: Vec<KeyAttribute>) -> Self {
        Self {
            partition: partition.into(),
            sort: sort.into(),
        }
    }

    /// Attributes of the partition key, in order. Never empty in a table that was validated.
    pub fn partition(&self) -> &[KeyAttribute] {
        &self.partition
    }

    /// Attributes of the sort key, in order; empty if there is none.
    pub fn sort(&self) -> &[KeyAttribute] {
        &self.sort
    }

    /// All attributes: those of the partition key, then those of the sort key.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.partition.iter().chain(self.sort.iter())
    }

    /// The names of all attributes.
    pub fn names(&self) -> Vec<&str> {
        self.attributes()
            .map(|attribute| &*attribute.name)
            .collect()
    }

    /// How many attributes the key has.
    pub fn attribute_count(&self) -> usize {
        self.partition.len() + self.sort.len()
    }

    /// Whether the attribute `name` is part of the key.
    pub fn contains(&self, name: &str) -> bool {
        self.attributes().any(|attribute| &*attribute.name == name)
    }
}
