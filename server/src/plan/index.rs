//! Secondary index entries as functions of an item: nothing here reads or writes.
//!
//! An item has an entry in an index if it has every attribute of the index's key, with the declared
//! types (developer guide, "Sparse indexes"), and of a size that keys may have. The entry carries both keys and what the projection
//! asks for. A write changes an index by the difference between the entry of the old item and that
//! of the new one, so that whatever a write does, each index stays a function of its table.

use crate::{
    item::Item,
    plan::{capacity::Units, key},
    store::Key,
    table::{SecondaryIndex, Table},
};

/// One entry of a secondary index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it is stored.
    pub key: Key,
    /// What it carries.
    pub item: Item,
}

/// The entry that `item` has in `index`, if it has one.
pub fn entry(table: &Table, index: &SecondaryIndex, item: &Item) -> Option<Entry> {
    let view = item.as_ref();
    if !key::is_indexable(index.key_schema(), view) {
        return None;
    }
    let key = key::index_key(table, index, view)?;
    Some(Entry {
        key,
        item: projected(index, item),
    })
}

/// What an entry of `index` carries of `item`.
fn projected(index: &SecondaryIndex, item: &Item) -> Item {
    match index.carried() {
        None => item.clone(),
        Some(names) => item.as_ref().only(names),
    }
}

/// What a write does to one index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Position of the index in the table's definition.
    pub position: usize,
    /// The entry that goes, if its place is not taken by the new one.
    pub delete: Option<Key>,
    /// The entry that comes, or that replaces the one in its place.
    pub put: Option<Entry>,
    /// What it costs.
    pub units: Units,
    /// Difference in the number of entries: -1, 0 or 1.
    pub count: i64,
    /// Difference in the size of all entries, in DynamoDB's bytes.
    pub bytes: i64,
}

/// The difference that a write makes to `table`'s indexes. Indexes that stay as they are, are not in
/// it. Those at the positions `unfilled` do not have the entry of the old item yet.
pub fn changes(
    table: &Table,
    old: Option<&Item>,
    new: Option<&Item>,
    unfilled: &[usize],
) -> Vec<Change> {
    let of = |index, item: Option<&Item>| item.and_then(|item| entry(table, index, item));
    table
        .indexes()
        .iter()
        .enumerate()
        .filter_map(|(position, index)| {
            let old = old.filter(|_| !unfilled.contains(&position));
            change(position, of(index, old), of(index, new))
        })
        .collect()
}

/// The change of the index at `position` that gives it the entry of `item`, where it has `existing`.
pub fn fill(
    table: &Table,
    position: usize,
    item: &Item,
    existing: Option<Entry>,
) -> Option<Change> {
    let index = table.indexes().get(position)?;
    change(position, existing, entry(table, index, item))
}

/// The change from one entry to another, and its price (developer guide, "Provisioned throughput
/// considerations for global secondary indexes", the same for local ones): none if nothing that is
/// projected changes, one write for an entry that comes, goes or is replaced, two if it moves.
fn change(position: usize, old: Option<Entry>, new: Option<Entry>) -> Option<Change> {
    let size = |entry: &Option<Entry>| entry.as_ref().map_or(0, |entry| entry.item.size());
    let (old_size, new_size) = (size(&old), size(&new));
    let (delete, units) = match (&old, &new) {
        (None, None) => return None,
        (Some(old), Some(new)) if old == new => return None,
        (Some(old), Some(new)) if old.key == new.key => {
            (None, Units::write(wide(old_size.max(new_size))))
        }
        (Some(old), Some(_)) => (
            Some(old.key.clone()),
            Units::write(wide(old_size)) + Units::write(wide(new_size)),
        ),
        (Some(old), None) => (Some(old.key.clone()), Units::write(wide(old_size))),
        (None, Some(_)) => (None, Units::write(wide(new_size))),
    };
    Some(Change {
        position,
        delete,
        units,
        count: i64::from(new.is_some()) - i64::from(old.is_some()),
        bytes: signed(new_size) - signed(old_size),
        put: new,
    })
}

fn wide(size: usize) -> u64 {
    size as u64
}

fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
