//! SSTables: immutable sorted files of blocks.
//!
//! # Layout of a file
//!
//! | part | content |
//! |---|---|
//! | data blocks | all entries in order ([`block`]), each block framed ([`block::frame`]) |
//! | index partitions | where the data blocks are ([`index`]) |
//! | top-level index | where the partitions are |
//! | filter | which keys and partitions are certainly not here ([`filter`]) |
//! | properties | see [`Properties`] |
//! | footer | where the parts are ([`footer`]) |
//!
//! The parts follow each other without gaps. Data blocks may be compressed; the parts behind them
//! are not, since they are used where they lie. Every byte is under a checksum.
//!
//! An SSTable knows nothing of levels, of snapshots, or of other SSTables.

mod block;
mod check;
mod filter;
mod footer;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod index;
mod iter;
mod parts;
mod properties;
mod reader;
mod salvage;
mod scan;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use block::frame::BadFrame;
pub(crate) use check::check;
pub(crate) use iter::{CacheUse, SstableIter};
#[cfg(test)]
pub(crate) use properties::KeyspaceUse;
pub(crate) use properties::{FileMeta, Properties};
pub(crate) use reader::{FoundVersion, Lookup, Reader};
pub(crate) use salvage::{Entries, LostRange, Remains};
pub(crate) use writer::{Writer, WriterOptions};
