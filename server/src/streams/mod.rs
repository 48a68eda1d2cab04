//! Streams: what DynamoDB Streams keeps of the changes of a table, for 24 hours.
//!
//! **The record of a change is part of the batch that makes it.** It stands in a keyspace that many
//! streams share (a [log](logs)), under its shard and a key that the commit stamps with its sequence
//! number. So within a shard records are in the order of commits, whichever writers raced; a reader
//! at the durable sequence number sees a prefix of that order, and never finds later what it has
//! passed. Nothing polls, and a crash keeps an item and its record together.
//!
//! **A [stream](Stream)** has open shards, each for a range of the partition hash. A writer holds the
//! set of them still ([`Writer`]) from when it chooses a shard until its commit has its sequence
//! number. Whoever replaces a shard by its children waits until no writer does, and the last sequence
//! number given out then divides them: everything in the parent is before it, everything in the
//! children behind it. Shards are replaced every four hours, when they are split, and when the stream
//! is disabled.
//!
//! **Time** makes three things due, by the clock of the store: shards are replaced, records count as
//! trimmed when they are a day old, and logs are dropped as a whole when everything in them is. The
//! first two also happen when somebody looks; [`Streams::maintain`] does all three.

mod definition;
mod iterator;
mod logs;
mod position;
mod read;
mod record;
mod registry;
mod stream;

pub use definition::{Definition, DefinitionError, Shard, View};
pub use iterator::{ITERATOR_LIFE_MS, ShardIterator};
pub use position::Position;
pub use read::{Entry, Page};
pub use record::{ChangeRecord, CorruptRecord, Event};
pub use registry::{NewStream, StreamName, Streams, StreamsError};
pub use stream::{Closing, Stream, Writer};

/// How long a shard takes records. "Shards are rolled over about every four hours" (AWS knowledge
/// base and the Kinesis adapter's notes; the developer guide says that shards are ephemeral).
pub const SHARD_LIFE_MS: u64 = 4 * 3_600_000;

/// How long a record is kept (developer guide, "Data retention limit for DynamoDB Streams").
pub const RETENTION_MS: u64 = 24 * 3_600_000;
