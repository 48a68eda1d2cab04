//! What PutItem, UpdateItem and DeleteItem do with the one write they plan.

use crate::{
    Stator,
    plan::write::{self, Actor, Write, Written},
    wire::Error,
};

/// Runs a plan of one write, unless a transaction is in progress on its item. `item_on_failure` says whether a failed condition shows the item.
pub(super) async fn run(
    stator: &Stator,
    write: Write,
    item_on_failure: bool,
) -> Result<Written, Error> {
    stator.transactions().check_free(&write.key)?;
    let results = write::run(stator.store(), [write].into(), Actor::Client).await?;
    match results.into_iter().next() {
        Some(result) => result.map_err(|refusal| refusal.into_error(item_on_failure)),
        None => Err(Error::InternalServer("a write came to no result".into())),
    }
}
