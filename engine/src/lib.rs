//! Stator's storage engine: ordered keyspaces of bytes, all in one log-structured merge tree with
//! one write-ahead log and one order of sequence numbers.
//!
//! The engine knows bytes. It has never heard of DynamoDB, JSON or HTTP.

mod cache;
mod compaction;
mod db;
pub mod io;
mod iter;
mod key;
mod manifest;
mod memtable;
mod sstable;
mod wal;

pub use key::{Key, KeyRange, KeyRef, KeyspaceId};
