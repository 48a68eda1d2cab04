//! When an item expires, and what a write does to the expiry index of its table.
//!
//! An item has an entry if time to live is on and its attribute is a number of seconds (developer
//! guide, "Using time to live (TTL) in DynamoDB"): a top-level attribute of type Number, in Unix
//! seconds. Whether the time has come, or was so long ago that it does not count, is not asked here,
//! but when the index is swept: so that an entry is a function of its item, and of nothing else.

use crate::{
    item::Item,
    mutants::{Mutant, is_on},
    store::{Key, Transaction, layout},
    table::{ExpiryIndex, Table},
};

/// The Unix second at which `item` expires, if it does. Fractions of seconds do not count.
pub fn expires_at(table: &Table, item: &Item) -> Option<u64> {
    table.expiry().and_then(|index| second(index, item))
}

fn second(index: &ExpiryIndex, item: &Item) -> Option<u64> {
    let number = item.get(index.attribute())?.as_number()?;
    // What is before 1970 is too long ago, always, and what does not fit never comes.
    u64::try_from(number.whole()?)
        .ok()
        .filter(|_| !number.is_negative())
}

/// Puts the difference that a write makes to the expiry index into its batch.
pub(super) fn stage(
    transaction: &mut Transaction,
    table: &Table,
    key: &Key,
    old: Option<&Item>,
    new: Option<&Item>,
) {
    let Some(index) = table.expiry() else {
        return;
    };
    let of = |item: Option<&Item>| item.and_then(|item| second(index, item));
    let (old, new) = (of(old), of(new));
    if old == new {
        return;
    }
    let place = |second| layout::expiry_key(index.keyspace(), second, key);
    if let Some(old) = old
        && !is_on(Mutant::ExpiryDelete)
    {
        transaction.delete(place(old));
    }
    if let Some(new) = new
        && !is_on(Mutant::ExpiryPut)
    {
        transaction.put(place(new), Vec::new());
    }
}

/// Where the entry of `item`, which is at `key`, stands, if it has one.
pub(super) fn place(index: &ExpiryIndex, key: &Key, item: &Item) -> Option<Key> {
    second(index, item).map(|second| layout::expiry_key(index.keyspace(), second, key))
}

/// Puts the entry of an item that is older than the index into a batch, under the item's lock.
/// Returns the second it is for, which is to be [noted](ExpiryIndex::note) once that is committed.
pub(super) fn fill(
    transaction: &mut Transaction,
    index: &ExpiryIndex,
    key: &Key,
    item: &Item,
) -> Option<u64> {
    transaction.put(place(index, key, item)?, Vec::new());
    second(index, item)
}

/// Notes what a committed write put into the index.
pub(super) fn note(table: &Table, new: Option<&Item>) {
    if let Some(index) = table.expiry()
        && let Some(second) = new.and_then(|item| second(index, item))
    {
        index.note(second);
    }
}
