//! What DynamoDB demands of key attributes: of a key that finds an item, of the keys within an item
//! that is stored, and of the attributes that secondary indexes use as keys.
//!
//! The order of the checks is DynamoDB's: presence and type of each attribute in the order of the
//! key schema, then emptiness, then size; the table's key before those of its indexes.

use smallvec::SmallVec;

use crate::{
    item::{ItemRef, Kind, ValueRef},
    plan::rejection::Rejection,
    store::{Key, layout},
    table::{IndexKind, KeyAttribute, KeySchema, ScalarType, SecondaryIndex, Table},
};

/// Largest partition key in bytes (developer guide, "Quotas": "partition key length").
const MAX_PARTITION_KEY_BYTES: usize = 2048;
/// Largest sort key in bytes (developer guide, "Quotas": "sort key length").
const MAX_SORT_KEY_BYTES: usize = 1024;

/// What an item came from, where DynamoDB words the same refusal in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The item was given whole.
    Put,
    /// The item is what an update made of another.
    Update,
    /// So it is, within a transaction: a wrong type is worded as of an item that is put, anything
    /// else as of an update (error-messages/transactIndexKeys).
    TransactionalUpdate,
}

/// Checks a key that names an item: exactly the attributes of the schema, of their types, not empty,
/// not too long.
pub fn check_lookup_key(schema: &KeySchema, key: ItemRef<'_>) -> Result<(), Rejection> {
    lookup_values(schema, key).map(drop)
}

/// The values of the attributes of a key, in their order. They are looked for once: an item is gone
/// through from its beginning each time.
type KeyValues<'i> = SmallVec<[ValueRef<'i>; 4]>;

/// Those of a key that names an item.
fn lookup_values<'i>(schema: &KeySchema, key: ItemRef<'i>) -> Result<KeyValues<'i>, Rejection> {
    if key.len() > schema.attribute_count() {
        return Err(Rejection::KeyCount);
    }
    let mut values = KeyValues::new();
    for attribute in schema.attributes() {
        match key.get(&attribute.name) {
            Some(value) if has_type(value, attribute.scalar) => values.push(value),
            _ => return Err(Rejection::KeyMismatch),
        }
    }
    check_values(schema, &values)?;
    Ok(values)
}

/// Those of an item that is put.
fn item_values<'i>(schema: &KeySchema, item: ItemRef<'i>) -> Result<KeyValues<'i>, Rejection> {
    let mut values = KeyValues::new();
    for attribute in schema.attributes() {
        let Some(value) = item.get(&attribute.name) else {
            return Err(Rejection::MissingKey(attribute.name.clone()));
        };
        if !has_type(value, attribute.scalar) {
            return Err(Rejection::KeyType {
                name: attribute.name.clone(),
                expected: attribute.scalar.name(),
                actual: value.kind().name(),
            });
        }
        values.push(value);
    }
    check_values(schema, &values)?;
    Ok(values)
}

/// Checks that no value is empty, and that they are not too long.
fn check_values(schema: &KeySchema, values: &[ValueRef<'_>]) -> Result<(), Rejection> {
    for (attribute, value) in schema.attributes().zip(values) {
        if let Some(kind) = empty_kind(*value) {
            return Err(Rejection::EmptyKey {
                name: attribute.name.clone(),
                kind,
            });
        }
    }
    let (partition, sort) = parts(schema, values);
    let size = |values: &[ValueRef<'_>]| values.iter().map(|value| value.size()).sum();
    check_compared(size(partition), size(sort))
}

/// The values of the partition key and those of the sort key.
fn parts<'v, 'i>(
    schema: &KeySchema,
    values: &'v [ValueRef<'i>],
) -> (&'v [ValueRef<'i>], &'v [ValueRef<'i>]) {
    values
        .split_at_checked(schema.partition().len())
        .unwrap_or((values, &[]))
}

/// Where the item with these values in its primary key stands.
fn key_of(table: &Table, values: &[ValueRef<'_>]) -> Option<Key> {
    let (partition, sort) = parts(table.key_schema(), values);
    let (partition, sort) = (partition.iter().copied(), sort.iter().copied());
    layout::entry_key(table.keyspace(), partition, sort)
}

/// Checks the sizes of what a key condition looks for: a partition key and a sort key of so many bytes
/// (a user's report of a Query, facebook/ThreatExchange issue 1324; that of the sort key is the answer
/// of the other operations).
pub fn check_compared(partition: usize, sort: usize) -> Result<(), Rejection> {
    if partition > MAX_PARTITION_KEY_BYTES {
        return Err(Rejection::PartitionKeySize);
    }
    if sort > MAX_SORT_KEY_BYTES {
        return Err(Rejection::SortKeySize);
    }
    Ok(())
}

/// Where the item stands that `key` names, if it is a key of the table.
pub fn lookup_key(table: &Table, key: ItemRef<'_>) -> Result<Key, Rejection> {
    let values = lookup_values(table.key_schema(), key)?;
    key_of(table, &values).ok_or(Rejection::KeyMismatch)
}

/// Checks the primary key within an item that is put.
pub fn check_item_key(schema: &KeySchema, item: ItemRef<'_>) -> Result<(), Rejection> {
    item_values(schema, item).map(drop)
}

/// Where an item stands that is put, if the table and its indexes can hold it.
pub fn put_key(table: &Table, item: ItemRef<'_>) -> Result<Key, Rejection> {
    let values = item_values(table.key_schema(), item)?;
    check_index_keys(table, item, None, Origin::Put)?;
    key_of(table, &values).ok_or(Rejection::KeyMismatch)
}

/// The same of an item of a batch, where DynamoDB does not say what is wrong with the primary key:
/// AWS answered a wrong type this way in the capture `bw_table_wrongtype`.
pub fn batch_put_key(table: &Table, item: ItemRef<'_>) -> Result<Key, Rejection> {
    put_key(table, item).map_err(|rejection| match rejection {
        Rejection::MissingKey(_) | Rejection::KeyType { .. } => Rejection::KeyMismatch,
        other => other,
    })
}

/// Checks the attributes of `item` that are keys of secondary indexes: an item without one is not in
/// the index, but one that has it must have it in the declared type, not empty and not too long.
/// Where an attribute is part of several indexes, the first in the order of names is blamed.
///
/// After an update (`origin`), only what differs from `old` is checked: an attribute may be older
/// than the index.
pub fn check_index_keys(
    table: &Table,
    item: ItemRef<'_>,
    old: Option<ItemRef<'_>>,
    origin: Origin,
) -> Result<(), Rejection> {
    let indexes = in_order_of_names(table);
    let kept = |attribute: &KeyAttribute| {
        origin != Origin::Put
            && old.and_then(|old| old.get(&attribute.name)) == item.get(&attribute.name)
    };
    for index in &indexes {
        for attribute in index.key_schema().attributes() {
            if let Some(value) = item.get(&attribute.name)
                && !kept(attribute)
            {
                check_index_attribute(index, attribute, value, origin)?;
            }
        }
    }
    for index in indexes {
        let schema = index.key_schema();
        let parts = [
            (
                schema.partition(),
                MAX_PARTITION_KEY_BYTES,
                Rejection::PartitionKeySize,
            ),
            (schema.sort(), MAX_SORT_KEY_BYTES, Rejection::SortKeySize),
        ];
        for (attributes, limit, rejection) in parts {
            if size(attributes, item) > limit && !attributes.iter().all(kept) {
                return Err(match origin {
                    Origin::Put => rejection,
                    Origin::Update | Origin::TransactionalUpdate => Rejection::UpdateIndexKeySize,
                });
            }
        }
    }
    Ok(())
}

/// Whether an item may have an entry in an index with this key: it has all attributes of the key,
/// and none that a write would be refused for, as items can that are older than the index (developer
/// guide, "Detecting and correcting index key violations").
pub fn is_indexable(schema: &KeySchema, item: ItemRef<'_>) -> bool {
    let fits = |key: &KeyAttribute| {
        item.get(&key.name)
            .is_some_and(|value| has_type(value, key.scalar) && empty_kind(value).is_none())
    };
    schema.attributes().all(fits) && check_sizes(schema, item).is_ok()
}

/// Where the item with the primary key attributes of `item` stands. `None` if it lacks one, or one
/// is not of a type that can be a key.
pub fn primary_key(table: &Table, item: ItemRef<'_>) -> Option<Key> {
    let schema = table.key_schema();
    let partition = values(schema.partition(), item)?;
    let sort = values(schema.sort(), item)?;
    layout::entry_key(table.keyspace(), partition, sort)
}

/// Where the entry of `item` in `index` stands, under the same conditions for both keys.
pub fn index_key(table: &Table, index: &SecondaryIndex, item: ItemRef<'_>) -> Option<Key> {
    let (primary, secondary) = (table.key_schema(), index.key_schema());
    let partition = values(secondary.partition(), item)?;
    let mut sort = values(secondary.sort(), item)?;
    if index.kind() == IndexKind::Global {
        sort.extend(values(primary.partition(), item)?);
    }
    sort.extend(values(primary.sort(), item)?);
    layout::entry_key(index.keyspace(), partition, sort)
}

/// The values of all `attributes`, in their order.
fn values<'a>(
    attributes: &[KeyAttribute],
    item: ItemRef<'a>,
) -> Option<SmallVec<[ValueRef<'a>; 4]>> {
    attributes
        .iter()
        .map(|attribute| item.get(&attribute.name))
        .collect()
}

fn check_index_attribute(
    index: &SecondaryIndex,
    attribute: &KeyAttribute,
    value: ValueRef<'_>,
    origin: Origin,
) -> Result<(), Rejection> {
    if !has_type(value, attribute.scalar) {
        return Err(match origin {
            Origin::Update => Rejection::UpdateIndexKeyType,
            Origin::Put | Origin::TransactionalUpdate => Rejection::IndexKeyType {
                name: attribute.name.clone(),
                expected: attribute.scalar.name(),
                actual: value.kind().name(),
                index: index.name().into(),
            },
        });
    }
    let Some(kind) = empty_kind(value) else {
        return Ok(());
    };
    Err(match origin {
        Origin::Update | Origin::TransactionalUpdate => Rejection::UpdateEmptyIndexKey { kind },
        Origin::Put => Rejection::EmptyIndexKey {
            name: attribute.name.clone(),
            kind,
            index: index.name().into(),
        },
    })
}

/// The table's indexes sorted by name. There are at most 25, and most tables have none.
fn in_order_of_names(table: &Table) -> Vec<&SecondaryIndex> {
    let mut indexes: Vec<&SecondaryIndex> = table.indexes().iter().collect();
    indexes.sort_by_key(|index| index.name());
    indexes
}

fn check_sizes(schema: &KeySchema, item: ItemRef<'_>) -> Result<(), Rejection> {
    check_compared(size(schema.partition(), item), size(schema.sort(), item))
}

/// Size of the values of `attributes`, names not counted.
fn size(attributes: &[KeyAttribute], item: ItemRef<'_>) -> usize {
    attributes
        .iter()
        .filter_map(|attribute| item.get(&attribute.name))
        .map(|value| value.size())
        .sum()
}

/// Whether `value` has the type that a key attribute was declared with.
fn has_type(value: ValueRef<'_>, scalar: ScalarType) -> bool {
    matches!(
        (value.kind(), scalar),
        (Kind::S, ScalarType::S) | (Kind::N, ScalarType::N) | (Kind::B, ScalarType::B)
    )
}

/// `string` or `binary` if the value is an empty one of these.
fn empty_kind(value: ValueRef<'_>) -> Option<&'static str> {
    match value.kind() {
        Kind::S if value.as_str().is_some_and(str::is_empty) => Some("string"),
        Kind::B if value.as_binary().is_some_and(<[u8]>::is_empty) => Some("binary"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
