//! Under which key an item or an index entry stands.
//!
//! ```text
//! entry of a          partition                 sort
//! table               partition key             sort key
//! local index         table's partition key     index sort key ‖ table's sort key
//! global index        index partition keys      index sort keys ‖ table's partition key
//!                                               ‖ table's sort key
//! ```
//!
//! Values are written as [`crate::item::key`] says. In the sort part each one ends itself, so that
//! whatever follows it, the order is first by the one before: one rule for bounds serves tables and
//! indexes. The partition part is hashed and compared as a whole; its last value needs no end.
//!
//! These forms are on disk: do not change them.

use std::ops::Bound;

use stator_engine::{Key, KeyRange, KeyspaceId};

use crate::item::{
    ValueRef,
    key::{Place, after_prefix, encode, encode_prefix},
};

/// The key of an entry with these values in its partition part and its sort part. `None` if one of
/// them is not of a type that can be part of a key, which validation has ruled out.
pub fn entry_key<'a>(
    keyspace: KeyspaceId,
    partition: impl IntoIterator<Item = ValueRef<'a>>,
    sort: impl IntoIterator<Item = ValueRef<'a>>,
) -> Option<Key> {
    Some(Key::new(
        keyspace,
        &partition_bytes(partition)?,
        &sort_bytes(sort)?,
    ))
}

/// A condition on one sort key value: what a key condition can say about the last sort key
/// attribute that it mentions.
#[derive(Clone, Copy, Debug)]
pub enum SortCondition<'a> {
    /// `=`.
    Equal(ValueRef<'a>),
    /// `<`.
    Less(ValueRef<'a>),
    /// `<=`.
    LessOrEqual(ValueRef<'a>),
    /// `>`.
    Greater(ValueRef<'a>),
    /// `>=`.
    GreaterOrEqual(ValueRef<'a>),
    /// `BETWEEN`: both ends belong to it.
    Between(ValueRef<'a>, ValueRef<'a>),
    /// `begins_with`, of strings and binary values.
    BeginsWith(ValueRef<'a>),
}

/// The entries of one partition whose first sort values equal `equal` and whose next one meets
/// `condition`. With neither it is the whole partition.
///
/// `None` if a value cannot be part of a key.
pub fn partition_range<'a>(
    keyspace: KeyspaceId,
    partition: impl IntoIterator<Item = ValueRef<'a>>,
    equal: impl IntoIterator<Item = ValueRef<'a>>,
    condition: Option<SortCondition<'a>>,
) -> Option<KeyRange> {
    let partition = partition_bytes(partition)?;
    let prefix = sort_bytes(equal)?;
    // Everything that starts with these values, as [first, end); no end is the partition's.
    let with = |value: ValueRef<'a>| {
        let mut bytes = prefix.clone();
        encode(value, Place::Inner, &mut bytes).then_some(bytes)
    };
    let first = prefix.clone();
    let end = after_prefix(&prefix);
    let (lower, upper) = match condition {
        None => (first, end),
        Some(SortCondition::Equal(value)) => {
            let at = with(value)?;
            let after = after_prefix(&at);
            (at, after)
        }
        Some(SortCondition::Less(value)) => (first, Some(with(value)?)),
        Some(SortCondition::LessOrEqual(value)) => (first, after_prefix(&with(value)?)),
        Some(SortCondition::Greater(value)) => match after_prefix(&with(value)?) {
            Some(after) => (after, end),
            // Nothing sorts behind a value that is all FF: an empty range.
            None => (first.clone(), Some(first)),
        },
        Some(SortCondition::GreaterOrEqual(value)) => (with(value)?, end),
        Some(SortCondition::Between(low, high)) => (with(low)?, after_prefix(&with(high)?)),
        Some(SortCondition::BeginsWith(value)) => {
            let mut at = prefix.clone();
            if !encode_prefix(value, Place::Inner, &mut at) {
                return None;
            }
            let after = after_prefix(&at);
            (at, after)
        }
    };
    let upper = upper.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    Some(KeyRange::sort(
        keyspace,
        &partition,
        Bound::Included(&lower),
        upper,
    ))
}

fn partition_bytes<'a>(values: impl IntoIterator<Item = ValueRef<'a>>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut values = values.into_iter().peekable();
    while let Some(value) = values.next() {
        let place = if values.peek().is_some() {
            Place::Inner
        } else {
            Place::Last
        };
        if !encode(value, place, &mut bytes) {
            return None;
        }
    }
    Some(bytes)
}

fn sort_bytes<'a>(values: impl IntoIterator<Item = ValueRef<'a>>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for value in values {
        if !encode(value, Place::Inner, &mut bytes) {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
