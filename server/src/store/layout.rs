//! Under which key an item or an index entry stands.
//!
//! ```text
//! entry of a          partition                 sort
//! table               partition key             sort key
//! local index         table's partition key     index sort key ‖ table's sort key
//! global index        index partition keys      index sort keys ‖ table's partition key
//!                                               ‖ table's sort key
//! expiry index        empty                     second (`u64`, big-endian) ‖ key of the table's
//!                                               entry, without its keyspace
//! ```
//!
//! Values are written as [`crate::item::key`] says. In the sort part each one ends itself, so that
//! whatever follows it, the order is first by the one before: one rule for bounds serves tables and
//! indexes. The partition part is hashed and compared as a whole; its last value needs no end.
//!
//! These forms are on disk: do not change them.

use std::{cell::RefCell, ops::Bound};

use stator_engine::{Key, KeyRange, KeyRef, KeyspaceId};

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
    thread_local! {
        /// Every request makes a key: its parts are put together in the same memory each time.
        static PARTS: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
    }
    PARTS.with_borrow_mut(|(partition_part, sort_part)| {
        partition_part.clear();
        sort_part.clear();
        let complete = append_partition(partition, partition_part) && append_sort(sort, sort_part);
        complete.then(|| Key::new(keyspace, partition_part, sort_part))
    })
}

/// Bytes that most parts of keys fit in: what is set aside for one before its values are looked at.
const PART_SIZE: usize = 64;

/// Bytes of a keyspace in front of an encoded key.
const KEYSPACE_SIZE: usize = 4;

/// The key of the entry that says that the item at `item` expires at the Unix second `expires_at`.
pub fn expiry_key(keyspace: KeyspaceId, expires_at: u64, item: &Key) -> Key {
    let mut sort = expires_at.to_be_bytes().to_vec();
    sort.extend_from_slice(item.as_bytes().get(KEYSPACE_SIZE..).unwrap_or_default());
    Key::new(keyspace, b"", &sort)
}

/// What such an entry says, for an item whose table has the keyspace `table`. `None` if it is none.
pub fn expiry_entry(entry: KeyRef<'_>, table: KeyspaceId) -> Option<(u64, Key)> {
    let (expires_at, rest) = entry.sort().split_first_chunk()?;
    let mut item = table.0.to_be_bytes().to_vec();
    item.extend_from_slice(rest);
    Some((
        u64::from_be_bytes(*expires_at),
        KeyRef::parse(&item)?.into(),
    ))
}

/// The entries of what expires from the second `start` on and before `end`.
pub fn expiry_range(keyspace: KeyspaceId, start: u64, end: u64) -> KeyRange {
    KeyRange::sort(
        keyspace,
        b"",
        Bound::Included(&start.to_be_bytes()),
        Bound::Excluded(&end.to_be_bytes()),
    )
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
    let mut bytes = Vec::with_capacity(PART_SIZE);
    append_partition(values, &mut bytes).then_some(bytes)
}

/// Appends a partition part; `false` if a value cannot be part of a key.
fn append_partition<'a>(
    values: impl IntoIterator<Item = ValueRef<'a>>,
    bytes: &mut Vec<u8>,
) -> bool {
    let mut values = values.into_iter().peekable();
    while let Some(value) = values.next() {
        let place = if values.peek().is_some() {
            Place::Inner
        } else {
            Place::Last
        };
        if !encode(value, place, bytes) {
            return false;
        }
    }
    true
}

fn sort_bytes<'a>(values: impl IntoIterator<Item = ValueRef<'a>>) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(PART_SIZE);
    append_sort(values, &mut bytes).then_some(bytes)
}

/// Appends a sort part; `false` if a value cannot be part of a key.
fn append_sort<'a>(values: impl IntoIterator<Item = ValueRef<'a>>, bytes: &mut Vec<u8>) -> bool {
    let mut values = values.into_iter();
    values.all(|value| encode(value, Place::Inner, bytes))
}

#[cfg(test)]
mod tests;
