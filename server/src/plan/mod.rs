//! Read and write plans: what operations, and later PartiQL, lower to.
//!
//! - What a request means for one item or one page is computed by pure functions: [`key`] says what
//!   may be a key and where it stands, [`index`] what an item has in each secondary index, [`select`]
//!   which attributes are read from where, [`capacity`] what it costs.
//! - Refusals are typed ([`Rejection`]); their texts are in one place.
//!
//! Plans are synchronous and take a read mode: they run inline as long as nothing has to wait, and
//! again on a thread that may where something does.

pub mod capacity;
#[cfg(test)]
pub(crate) mod fixture;
pub mod index;
pub mod key;
mod rejection;
pub mod select;

pub use rejection::Rejection;
