//! The write-ahead log: groups of commits, written and synced once each.
//!
//! The log of one epoch (one opening of the database) is a row of segments,
//! `<epoch>-<number>.wal`, both in 16 hexadecimal digits. A segment is a row of groups; a group is
//! what one write wrote. Integers are little-endian.
//!
//! ```text
//! offset size
//!  0     4    magic, "SWG1"
//!  4     4    crc32 (IEEE) of the header from offset 8 on and of the payload
//!  8     4    payload length
//! 12     4    number of commits
//! 16     8    epoch
//! 24     8    segment number
//! 32     8    offset of this header in the segment
//! 40     8    sequence number of the first commit; the others follow without gaps
//! 48     8    sequence number up to which the log was durable when this group was written
//! 56     8    wall-clock time of writing, in milliseconds since 1970
//! 64          payload: the commits' records, see `record`, and then zeros up to where the next
//!             group may start
//! ```
//!
//! With `Durability::Sync` every group is a number of whole pages, so that no later write touches
//! the sectors of what was acknowledged. With `Durability::Interval` its length is a multiple of 8
//! bytes, and the next one starts on a new page only where a sync lay between.
//!
//! Epoch, segment and offset are under the checksum, so that neither what an older life of the disk
//! left behind nor a copy of a log that somebody stored as a value is ever taken for a group.
//!
//! **The rule of the tail.** The sectors of a group that was being written when the power went may
//! be torn in any pattern. A bad group is such a tail, and is dropped with all behind it, unless a
//! valid group behind it says that the log was durable beyond it: then it was once acknowledged,
//! and is corruption, which refuses to open.

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod group;
mod reader;
mod record;
mod salvage;
mod segment;
mod writer;

pub(crate) use reader::replay;
pub(crate) use record::{Operation, Record, RecordBuilder};
pub(crate) use salvage::salvage;
pub(crate) use segment::{Preparer, Segments, is_segment, list};
pub(crate) use writer::{Syncer, Writer};

#[cfg(test)]
mod tests;
