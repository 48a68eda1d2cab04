//! Item collections: in a table with local secondary indexes, the items of one partition key together
//! with their entries in those indexes. They have a size limit (developer guide, "Item collections",
//! "Item collection size limit").
//!
//! The size of each collection is a row of its own, which every write to the collection changes in its
//! own batch, under a lock of its own: so it is exact at every moment and after every crash. Tables
//! without local indexes have no such rows.

use super::write::{Action, Refusal, Results, Write, Written};
use crate::{
    item::ItemRef,
    plan::key,
    stopwatch::{Stage, during},
    store::{Fault, Key, Store, Transaction, Value},
    table::{IndexKind, Table},
    wire::Error,
};

/// The size of a collection after a write, and where it is kept.
#[derive(Clone, Debug)]
pub(super) struct Collection {
    row: Key,
    size: u64,
}

impl Collection {
    /// Bytes of the items and entries.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Puts the size into the batch. An empty collection has no row.
    pub(super) fn stage(&self, transaction: &mut Transaction) {
        if self.size == 0 {
            transaction.delete(self.row.clone());
        } else {
            transaction.put(self.row.clone(), self.size.to_be_bytes().to_vec());
        }
    }
}

/// Where the size of the collection of the item at `key` is kept, if the table has collections.
fn row(table: &Table, key: &Key) -> Option<Key> {
    let keyspace = table.collections()?;
    Some(Key::new(keyspace, &key.as_key_ref().partition(), b""))
}

/// The rows that a plan may change: they are locked together with its items.
pub(super) fn rows(writes: &[Write]) -> Vec<Key> {
    writes
        .iter()
        .filter(|write| !matches!(write.action, Action::Check))
        .filter_map(|write| row(&write.table, &write.key))
        .collect()
}

/// Adds up what the writes of a plan make of their collections, one after the other, and refuses
/// those that make one larger that is too large then. Others are never refused: a collection that is
/// too large can be read, and shrunk.
pub(super) fn measure(
    transaction: &Transaction,
    writes: &[Write],
    results: &mut Results,
) -> Result<(), Fault> {
    let mut known: Vec<Collection> = Vec::new();
    for (write, result) in writes.iter().zip(results) {
        let Ok(written) = result else { continue };
        if matches!(write.action, Action::Check) {
            continue;
        }
        let Some(row) = row(&written.table, &write.key) else {
            continue;
        };
        let place = match known.iter().position(|collection| collection.row == row) {
            Some(place) => place,
            None => {
                let size = stored_size(during(Stage::EngineRead, || transaction.get(&row))?)?;
                known.push(Collection { row, size });
                known.len() - 1
            }
        };
        let Some(collection) = known.get_mut(place) else {
            continue;
        };
        let difference = difference(written);
        let size = collection.size.saturating_add_signed(difference);
        if difference > 0 && size > written.table.collection_limit() {
            *result = Err(Refusal::CollectionFull);
            continue;
        }
        collection.size = size;
        written.collection = Some(collection.clone());
    }
    Ok(())
}

/// By how many bytes a write makes its collection larger.
fn difference(written: &Written) -> i64 {
    let size = |item: Option<ItemRef<'_>>| item.map_or(0, |item| item.size() as i64);
    let new = size(written.new.as_ref().map(|item| item.as_ref()));
    let old = size(written.old.as_ref().map(|item| item.as_ref()));
    let entries: i64 = written
        .changes()
        .iter()
        .filter(|change| {
            let index = written.table.indexes().get(change.position);
            index.is_some_and(|index| index.kind() == IndexKind::Local)
        })
        .map(|change| change.bytes)
        .sum();
    new - old + entries
}

fn stored_size(stored: Option<Value>) -> Result<u64, Fault> {
    let Some(stored) = stored else { return Ok(0) };
    match <[u8; 8]>::try_from(&*stored) {
        Ok(bytes) => Ok(u64::from_be_bytes(bytes)),
        Err(_) => {
            tracing::error!("the size of an item collection cannot be read: {stored:?}");
            Err(
                Error::InternalServer("The size of an item collection cannot be read".into())
                    .into(),
            )
        }
    }
}

/// The size of the collection that `item` belongs to, as it is now. `None` if its table has none.
///
/// # Errors
/// Failures of the store.
pub async fn size(store: &Store, table: &Table, item: ItemRef<'_>) -> Result<Option<u64>, Error> {
    let row = key::primary_key(table, item).and_then(|key| row(table, &key));
    let Some(row) = row else { return Ok(None) };
    store
        .run(move |store, mode| Ok(Some(stored_size(store.get(&row, mode)?)?)))
        .await
}
