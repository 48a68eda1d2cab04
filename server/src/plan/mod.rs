//! Read and write plans: what operations lower to, those of PartiQL too.
//!
//! - What a request means for one item or one page is computed by pure functions: [`key`] says what
//!   may be a key and where it stands, [`index`] what an item has in each secondary index, [`expiry`]
//!   when it expires, [`select`]
//!   which attributes are read from where, [`capacity`] what it costs.
//! - [`write`], [`read`], [`page`] and [`transaction`] are what runs on the store, [`backfill`] what
//!   gives an index that comes later the entries of the items that were there before.
//! - Refusals are typed ([`Rejection`]); their texts are in one place.
//!
//! Plans are synchronous and take a read mode: they run inline as long as nothing has to wait, and
//! again on a thread that may where something does.

pub mod backfill;
pub mod capacity;
pub mod collection;
pub mod expiry;
#[cfg(test)]
pub(crate) mod fixture;
pub mod index;
pub mod key;
pub mod page;
pub mod read;
mod rejection;
pub mod select;
mod stream;
pub mod transaction;
pub mod write;

pub use rejection::Rejection;

use crate::{
    item::Item,
    store::{Fault, Value},
    wire::Error,
};

/// The item in a stored value. The store's checksums held, so that bytes which are none are a bug or
/// another version's; the client can do nothing about either.
fn stored_item(value: Value) -> Result<Item, Fault> {
    Item::from_stored(value).map_err(|error| {
        tracing::error!("a stored item cannot be read: {error}");
        Fault::Answer(Error::InternalServer(
            format!("A stored item cannot be read: {error}").into(),
        ))
    })
}
