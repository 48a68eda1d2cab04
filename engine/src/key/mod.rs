//! Keys: how a (keyspace, partition, sort) key and its sequence number become ordered bytes.
//!
//! A **user key** ([`Key`], [`KeyRef`]) is what callers name an entry by. An **internal key**
//! ([`InternalKey`]) is a user key with the sequence number and the kind of one version of it; it
//! is what memtables and SSTables are sorted by, newest version first.
//!
//! This module is a leaf: it knows no files and no other part of the engine.

mod dropped;
mod internal;
mod range;
mod user;

pub(crate) use dropped::DroppedKeyspaces;
pub(crate) use internal::{InternalKey, InternalKeyRef, InternalOrd, Kind, TRAILER_SIZE, Trailer};
pub use range::KeyRange;
pub use user::{Key, KeyRef, KeyspaceId};
pub(crate) use user::{
    is_stampable, keyspace_of, log_partition, partition_end, stamp, user_key_hash,
};
