//! Reading single items.

use crate::{
    item::Item,
    plan::stored_item,
    stopwatch::{Stage, during},
    store::{Fault, Key, Snapshot, Store},
    wire::Error,
};

/// The newest durable version of one item. What is durable is what was ever acknowledged, so that
/// both kinds of consistency are served by it.
pub async fn get(store: &Store, key: Key) -> Result<Option<Item>, Error> {
    let worker = store.clone();
    let read = move |mode| item(during(Stage::EngineRead, || worker.get(&key, mode))?);
    store.run(read).await
}

/// Items as they are at one point in time, in the order of their keys in the request, until they come
/// to more than `limit` bytes: those behind are not read. At least one is.
pub async fn get_many(
    store: &Store,
    keys: Vec<Key>,
    limit: usize,
) -> Result<Vec<Option<Item>>, Error> {
    let worker = store.clone();
    store
        .run(move |mode| {
            let snapshot: Snapshot = worker.snapshot();
            let (mut items, mut size) = (Vec::with_capacity(keys.len()), 0);
            for key in &keys {
                if size > limit {
                    break;
                }
                let found = item(during(Stage::EngineRead, || snapshot.get(key, mode))?)?;
                size += found.as_ref().map_or(0, Item::size);
                items.push(found);
            }
            Ok(items)
        })
        .await
}

fn item(stored: Option<crate::store::Value>) -> Result<Option<Item>, Fault> {
    stored.map(stored_item).transpose()
}
