//! Attribute definitions and key schemas.
//!
//! DynamoDB looks at them in this order: the table's key by itself, then that every key attribute
//! of table and indexes is defined, then that every definition is used, and only then at the rest of
//! each index (DDB-TABLE-127).

use super::{
    Refusal,
    hash_order::{default_set_order, sized_map_order},
};
use crate::{
    table::{
        KeyType, ScalarType,
        record::{Attribute, KeyElement},
    },
    wire::shapes::{AttributeDefinition, KeySchemaElement},
};

/// Most partition key attributes, and most sort key attributes, of a global secondary index
/// (API reference, `GlobalSecondaryIndex`).
const MULTI_ATTRIBUTE_LIMIT: usize = 4;

/// `AttributeDefinitions`, each name once.
pub(crate) struct Attributes(Vec<Attribute>);

impl Attributes {
    /// Takes the definitions of a request that passed the model's constraints.
    pub(crate) fn new(definitions: &[AttributeDefinition]) -> Result<Self, Refusal> {
        let mut attributes: Vec<Attribute> = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let name = definition.attribute_name.clone().unwrap_or_default();
            if attributes.iter().any(|attribute| attribute.name == name) {
                return Err(Refusal::AttributeTwice { name });
            }
            let scalar = definition
                .attribute_type
                .as_deref()
                .and_then(ScalarType::from_name);
            attributes.push(Attribute {
                name,
                scalar: scalar.unwrap_or(ScalarType::S),
            });
        }
        Ok(Self(attributes))
    }

    /// The definitions sorted by name, which is how DynamoDB describes them.
    pub(crate) fn sorted(mut self) -> Vec<Attribute> {
        self.0.sort_by(|left, right| left.name.cmp(&right.name));
        self.0
    }

    /// That all attributes of the key `elements` are defined.
    pub(super) fn check_defined(&self, elements: &[KeyElement]) -> Result<(), Refusal> {
        if elements.iter().all(|element| self.contains(&element.name)) {
            return Ok(());
        }
        let keys: Vec<&str> = elements
            .iter()
            .map(|element| element.name.as_str())
            .collect();
        Err(Refusal::KeyUndefined {
            keys: default_set_order(&keys).join(", "),
            attributes: self.listed().join(", "),
        })
    }

    fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|attribute| attribute.name == name)
    }

    fn listed(&self) -> Vec<&str> {
        let names: Vec<&str> = self
            .0
            .iter()
            .map(|attribute| attribute.name.as_str())
            .collect();
        sized_map_order(&names, names.len())
    }
}

/// The elements of a key schema that passed the model's constraints.
pub(super) fn elements(schema: &[KeySchemaElement]) -> Vec<KeyElement> {
    let element = |element: &KeySchemaElement| KeyElement {
        name: element.attribute_name.clone().unwrap_or_default(),
        key_type: match element.key_type.as_deref().and_then(KeyType::from_name) {
            Some(key_type) => key_type,
            None => KeyType::Range,
        },
    };
    schema.iter().map(element).collect()
}

/// The key of a table.
pub(crate) fn table_key(
    schema: &[KeySchemaElement],
    attributes: &Attributes,
) -> Result<Vec<KeyElement>, Refusal> {
    let key = elements(schema);
    if key.len() > attributes.0.len() {
        return Err(Refusal::FewerAttributesThanKeys);
    }
    check_pair(&key)?;
    attributes.check_defined(&key)?;
    Ok(key)
}

/// A key of one partition key attribute and perhaps one sort key attribute: that of a table or a
/// local secondary index.
pub(super) fn check_pair(key: &[KeyElement]) -> Result<(), Refusal> {
    let mut elements = key.iter();
    let hash = elements
        .next()
        .filter(|first| first.key_type == KeyType::Hash);
    let hash = hash.ok_or(Refusal::FirstNotHash)?;
    if let Some(range) = elements.next() {
        if range.name == hash.name {
            return Err(Refusal::HashIsRange);
        }
        if range.key_type != KeyType::Range {
            return Err(Refusal::SecondNotRange);
        }
    }
    Ok(())
}

/// The key of a global secondary index: one to four partition key attributes, then up to four sort
/// key attributes (developer guide, "Multi-attribute keys pattern").
pub(super) fn check_global(key: &[KeyElement]) -> Result<(), Refusal> {
    if key
        .first()
        .is_none_or(|first| first.key_type != KeyType::Hash)
    {
        return Err(Refusal::FirstNotHash);
    }
    let ranges = key
        .iter()
        .skip_while(|element| element.key_type == KeyType::Hash);
    if ranges
        .clone()
        .any(|element| element.key_type == KeyType::Hash)
    {
        return Err(Refusal::HashAfterRange);
    }
    let range_count = ranges.count();
    if key.len() - range_count > MULTI_ATTRIBUTE_LIMIT {
        return Err(Refusal::TooManyKeyAttributes {
            key_type: KeyType::Hash.name(),
        });
    }
    if range_count > MULTI_ATTRIBUTE_LIMIT {
        return Err(Refusal::TooManyKeyAttributes {
            key_type: KeyType::Range.name(),
        });
    }
    let twice = |(at, element): (usize, &KeyElement)| {
        key.iter()
            .take(at)
            .any(|earlier| earlier.name == element.name)
    };
    if key.iter().enumerate().any(twice) {
        return Err(Refusal::KeyAttributeTwice);
    }
    Ok(())
}

/// The key of a global secondary index that is added to a table.
pub(crate) struct AddedKey {
    pub(crate) key: Vec<KeyElement>,
    /// All attributes of the table, with the new ones among them.
    pub(crate) attributes: Vec<Attribute>,
}

impl AddedKey {
    /// Takes the key of a request with its definitions. What the table, whose attributes are `known`,
    /// defines already need not be defined again; if it is, or if something else is, that is not
    /// looked at (DDB-TABLE-162).
    pub(crate) fn new(
        schema: &[KeySchemaElement],
        given: &Attributes,
        known: &[Attribute],
    ) -> Result<Self, Refusal> {
        let key = elements(schema);
        let is_known = |name: &str| known.iter().any(|attribute| attribute.name == name);
        if !key.iter().all(|element| is_known(&element.name)) {
            let new: Vec<KeyElement> = key
                .iter()
                .filter(|element| !is_known(&element.name))
                .cloned()
                .collect();
            if given.check_defined(&new).is_err() {
                given.check_defined(&key)?;
            }
        }
        check_global(&key)?;
        let used = |attribute: &&Attribute| key.iter().any(|key| key.name == attribute.name);
        let new = given.0.iter().filter(used);
        let new = new.filter(|attribute| !is_known(&attribute.name)).cloned();
        let attributes = Attributes(known.iter().cloned().chain(new).collect());
        Ok(Self {
            key,
            attributes: attributes.sorted(),
        })
    }
}

/// That every definition is used by the table's key or by one of `index_keys`.
pub(crate) fn check_use(
    attributes: &Attributes,
    table_key: &[KeyElement],
    index_keys: &[&[KeyElement]],
) -> Result<(), Refusal> {
    let all = table_key.iter().chain(index_keys.iter().copied().flatten());
    let used: Vec<&str> = all.map(|element| element.name.as_str()).collect();
    if attributes
        .0
        .iter()
        .all(|attribute| used.contains(&attribute.name.as_str()))
    {
        return Ok(());
    }
    if index_keys.is_empty() {
        return Err(Refusal::AttributesUnusedByTable);
    }
    Err(Refusal::AttributesUnused {
        attributes: attributes.listed().join(", "),
        keys: default_set_order(&used).join(", "),
    })
}
