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
    let read =
        move |store: &Store, mode| item(during(Stage::EngineRead, || store.get(&key, mode))?);
    store.run(read).await
}

/// Items as they are at one point in time, in the order of their keys in the request, until they come
/// to more than `limit` bytes: those behind are not read. At least one is.
pub async fn get_many(
    store: &Store,
    keys: Vec<Key>,
    limit: usize,
) -> Result<Vec<Option<Item>>, Error> {
    store
        .run(move |store, mode| {
            let snapshot: Snapshot = store.snapshot();
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
