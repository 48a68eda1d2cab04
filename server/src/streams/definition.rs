//! The persisted form of a stream.
//!
//! A row per stream, one JSON object like a [table's definition](crate::store::system): unknown
//! members and versions are refused. The names of the members are on disk: do not change them.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Position, RETENTION_MS, SHARD_LIFE_MS};

/// Version that is written, and the newest that is read.
pub(super) const VERSION: u32 = 1;

/// Why bytes are no definition of a stream.
#[derive(Debug, Error)]
pub enum DefinitionError {
    /// Not JSON, or not the members that are expected.
    #[error("the definition of a stream cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Written by a newer Stator.
    #[error("the definition of a stream has version {found}; this Stator reads {VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
}

/// `StreamViewType`: what a record shows of its item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum View {
    /// The key alone.
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    /// Both.
    NewAndOldImages,
}

impl View {
    /// DynamoDB's name of the view.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }

    /// The view with DynamoDB's `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::KeysOnly,
            Self::NewImage,
            Self::OldImage,
            Self::NewAndOldImages,
        ]
        .into_iter()
        .find(|view| view.name() == name)
    }

    /// Whether records have the item after the change.
    pub fn has_new(self) -> bool {
        matches!(self, Self::NewImage | Self::NewAndOldImages)
    }

    /// Whether records have the item before the change.
    pub fn has_old(self) -> bool {
        matches!(self, Self::OldImage | Self::NewAndOldImages)
    }
}

/// A stream as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Form of this record: [`VERSION`].
    pub version: u32,
    /// Account of the table's namespace.
    pub account: String,
    /// Region of the table's namespace.
    pub region: String,
    /// Name of the table.
    pub table: String,
    /// `StreamLabel`: no two streams of tables of one name have the same.
    pub label: String,
    /// What its records show.
    pub view: View,
    /// Name of the table's partition key.
    pub partition_key: String,
    /// Name of the table's sort key, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_key: Option<String>,
    /// When it was enabled: Unix milliseconds.
    pub created_ms: u64,
    /// When it was disabled or its table deleted: Unix milliseconds. It takes no more records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_ms: Option<u64>,
    /// Its shards, in the order in which they were made.
    pub shards: Vec<Shard>,
}

/// A shard. Its records are those of items whose partition hash is in its range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// The partition of its records is this, u32 big-endian. Of two shards that are kept at the same
    /// time no two have the same.
    pub number: u32,
    /// Keyspace of its records: that of the log which was current when it was made.
    pub keyspace: u32,
    /// `ParentShardId`, if it took another's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Lowest hash of its range.
    #[serde(with = "hash")]
    pub first_hash: u64,
    /// Highest hash of its range.
    #[serde(with = "hash")]
    pub last_hash: u64,
    /// When it was made: Unix milliseconds.
    pub created_ms: u64,
    /// Its records are of commits with higher sequence numbers than this.
    pub after_sequence: u64,
    /// Absent while it takes records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

/// The end of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// When it was due: Unix milliseconds. No record in it is newer.
    pub at_ms: u64,
    /// Its records are of commits with this sequence number at most.
    pub last_sequence: u64,
}

impl Shard {
    /// `ShardId`: the time it was made in twenty digits and its number in hexadecimal, so that ids
    /// are in the order in which shards were made.
    pub fn id(&self) -> String {
        format!("shardId-{:020}-{:08x}", self.created_ms, self.number)
    }

    /// `StartingSequenceNumber`: the first place in it.
    pub fn start(&self) -> Position {
        Position::behind_commit(self.after_sequence)
    }

    /// `EndingSequenceNumber`: the last place in it, if it is closed.
    pub fn end(&self) -> Option<Position> {
        let closed = self.closed?;
        Some(Position::end_of_commit(closed.last_sequence).max(self.start()))
    }

    /// When it is to be replaced by another one, if it is open.
    pub fn due_ms(&self) -> Option<u64> {
        let due_ms = self.created_ms.saturating_add(SHARD_LIFE_MS);
        self.closed.is_none().then_some(due_ms)
    }

    /// Whether all that was in it counts as trimmed at `now_ms`.
    pub fn is_trimmed(&self, now_ms: u64) -> bool {
        self.closed
            .is_some_and(|closed| now_ms >= closed.at_ms.saturating_add(RETENTION_MS))
    }
}

impl Definition {
    /// The bytes to write.
    pub fn encode(&self) -> Result<Vec<u8>, DefinitionError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// The definition in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DefinitionError> {
        #[derive(Deserialize)]
        struct Form {
            version: u32,
        }
        let Form { version } = serde_json::from_slice(bytes)?;
        if version != VERSION {
            return Err(DefinitionError::Version { found: version });
        }
        Ok(serde_json::from_slice(bytes)?)
    }

    /// Whether nothing of it can be read any more at `now_ms`.
    pub fn is_gone(&self, now_ms: u64) -> bool {
        self.disabled_ms
            .is_some_and(|disabled_ms| now_ms >= disabled_ms.saturating_add(RETENTION_MS))
    }
}

/// Hashes as sixteen hexadecimal digits: not every JSON reader has whole numbers of 64 bits.
mod hash {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(hash: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{hash:016x}"))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Definition {
        Definition {
            version: VERSION,
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            table: "Music".to_owned(),
            label: "2023-11-14T22:13:20.000".to_owned(),
            view: View::NewAndOldImages,
            partition_key: "Artist".to_owned(),
            sort_key: None,
            created_ms: 1_700_000_000_000,
            disabled_ms: None,
            shards: vec![Shard {
                number: 42,
                keyspace: 1027,
                parent: None,
                first_hash: 0,
                last_hash: u64::MAX,
                created_ms: 1_700_000_000_000,
                after_sequence: 7,
                closed: None,
            }],
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_nothing_else() {
        let text = String::from_utf8(definition().encode().unwrap()).unwrap();
        assert_eq!(Definition::decode(text.as_bytes()).unwrap(), definition());
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("\"view\"", "\"wiev\""),
            ("ffffffffffffffff", "fffffffffffffffff"),
            ("NEW_AND_OLD_IMAGES", "ALL"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            assert!(Definition::decode(changed.as_bytes()).is_err(), "{to}");
        }
    }

    #[test]
    fn ids_and_ends_are_those_of_the_api() {
        let mut shard = definition().shards.remove(0);
        assert_eq!(shard.id(), "shardId-00000001700000000000-0000002a");
        assert_eq!(shard.start().to_string(), "10000000000000000000800000");
        assert_eq!(shard.end(), None);
        let closed = |last_sequence| Closed {
            at_ms: 5,
            last_sequence,
        };
        shard.closed = Some(closed(7));
        assert_eq!(shard.end(), Some(shard.start()), "it never had a record");
        shard.closed = Some(closed(9));
        assert_eq!(shard.end(), Some(Position::end_of_commit(9)));
        assert!(!shard.is_trimmed(5 + RETENTION_MS - 1));
        assert!(shard.is_trimmed(5 + RETENTION_MS));
    }
}
