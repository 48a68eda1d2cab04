//! The persisted form of a table definition.
//!
//! A record is one JSON object under one key of the catalog keyspace. JSON, because definitions are
//! small and read once at start, because a reader that shares no code with us must be able to read
//! them, and because members can be added without a new version as long as their absence has a
//! meaning. `version` rises when that is not so. Unknown members and unknown versions are refused:
//! what we do not understand we must not drop when the record is next written.
//!
//! The names of the members are on disk: do not change them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    changes::Changes,
    key_schema::{KeyAttribute, KeySchema, KeyType, ScalarType},
    secondary_index::Projection,
    status::{Change, State},
    throughput::{BillingMode, OnDemandThroughput, ProvisionedThroughput, WarmThroughput},
    time_to_live::TimeToLive,
};
use crate::streams::View;

/// Version that is written, and the newest that is read.
pub const VERSION: u32 = 1;

/// The most shards that a stream begins with, whatever the capacity of its table.
const MAX_SHARDS: i64 = 64;

/// Why bytes of the catalog are no table definition. The bytes passed the engine's checksum, so
/// either a newer Stator wrote them or there is a bug.
#[derive(Debug, Error)]
pub enum RecordError {
    /// Not JSON, or not the members that are expected.
    #[error("table definition cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Written by a newer Stator.
    #[error("table definition has version {found}; this Stator reads versions up to {VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
    /// The members contradict each other.
    #[error("table definition of {table:?} contradicts itself: {what}")]
    Inconsistent {
        /// Name of the table.
        table: String,
        /// What is wrong.
        what: &'static str,
    },
}

/// A table definition as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Form of this record: [`VERSION`].
    pub version: u32,
    /// Account of the namespace.
    pub account: String,
    /// Region of the namespace.
    pub region: String,
    /// Name of the table.
    pub name: String,
    /// `TableId`, a random UUID. A table of the same name created later has another.
    pub id: String,
    /// Keyspace of the items.
    pub keyspace: u32,
    /// `CreationDateTime`, Unix milliseconds.
    pub created_ms: u64,
    /// What was begun last.
    pub state: State,
    /// Types of the attributes that are part of any key, sorted by name, as they are described.
    pub attributes: Vec<Attribute>,
    /// Key of the table, in the order it was given.
    pub key: Vec<KeyElement>,
    /// Keyspace of the sizes of item collections: of tables with local secondary indexes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collections: Option<u32>,
    /// Local secondary indexes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub local_indexes: Vec<Index>,
    /// Global secondary indexes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub global_indexes: Vec<Index>,
    /// Billing mode.
    pub billing: BillingMode,
    /// `LastUpdateToPayPerRequestDateTime`, Unix milliseconds; absent if never on demand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand_since_ms: Option<u64>,
    /// Provisioned capacity, zero units if on demand.
    pub throughput: ProvisionedThroughput,
    /// Maximums, if any were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand: Option<OnDemandThroughput>,
    /// Warm throughput: the most the table ever had, never less.
    pub warm: WarmThroughput,
    /// Table class, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Encryption with a key in KMS, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// `DeletionProtectionEnabled`.
    #[serde(default)]
    pub deletion_protection: bool,
    /// Tags, in the order they were given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Resource policies of the table and of its streams, at most one each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    /// Changes that may be made only so often.
    #[serde(default, skip_serializing_if = "Changes::is_empty")]
    pub changes: Changes,
    /// Time to live, if it was ever switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_live: Option<TimeToLive>,
    /// The stream that was enabled last, if one ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<LatestStream>,
}

/// `AttributeDefinition`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Name.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub scalar: ScalarType,
}

/// `KeySchemaElement`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyElement {
    /// Name of the attribute.
    pub name: String,
    /// Its role.
    #[serde(rename = "type")]
    pub key_type: KeyType,
}

/// A secondary index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Name.
    pub name: String,
    /// Keyspace of the entries.
    pub keyspace: u32,
    /// What was begun last. Of local indexes it is the table's creation.
    pub state: State,
    /// When the resources of an index that UpdateTable added are allocated, and filling it begins to
    /// show: Unix milliseconds. Absent if the index came with its table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated_ms: Option<u64>,
    /// Key of the index, in the order it was given.
    pub key: Vec<KeyElement>,
    /// Projection.
    pub projection: Projection,
    /// Provisioned capacity; zero units if on demand, and for local indexes, which have none.
    pub throughput: ProvisionedThroughput,
    /// Maximums, if any were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand: Option<OnDemandThroughput>,
    /// Warm throughput: the most the index ever had, never less. Absent for local indexes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<WarmThroughput>,
}

/// `TableClassSummary`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// `TableClass`.
    pub name: TableClass,
    /// When it was changed after creation, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_ms: Option<u64>,
}

/// `TableClass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableClass {
    /// DynamoDB Standard.
    #[serde(rename = "STANDARD")]
    Standard,
    /// DynamoDB Standard-Infrequent Access.
    #[serde(rename = "STANDARD_INFREQUENT_ACCESS")]
    StandardInfrequentAccess,
}

impl TableClass {
    /// DynamoDB's name of the class.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::StandardInfrequentAccess => "STANDARD_INFREQUENT_ACCESS",
        }
    }

    /// The class with DynamoDB's `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "STANDARD" => Some(Self::Standard),
            "STANDARD_INFREQUENT_ACCESS" => Some(Self::StandardInfrequentAccess),
            _ => None,
        }
    }
}

/// `SSESpecification` with `Enabled`: the key that DynamoDB would encrypt with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encryption {
    /// `KMSMasterKeyId` as given; absent for the AWS managed key of DynamoDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The stream that a table had last. What is to be known of the stream itself is in a row of its
/// own, which outlives the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatestStream {
    /// `LatestStreamLabel`.
    pub label: String,
    /// What its records show.
    pub view: View,
    /// Whether the table writes to it.
    pub enabled: bool,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// Key, unique within the table.
    pub key: String,
    /// Value, possibly empty.
    pub value: String,
}

/// A resource policy, or that there was one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Label of the stream that it is attached to; absent for the table itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The document, in the one form that equal ones have; absent once it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// `RevisionId`: when it was attached, changed or deleted, Unix milliseconds.
    pub changed_ms: u64,
}

impl Record {
    /// The bytes to write.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        self.check()?;
        Ok(serde_json::to_vec(self)?)
    }

    /// The definition in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        // The version comes first and alone, so that a newer form is called that and not malformed.
        #[derive(Deserialize)]
        struct Form {
            version: u32,
        }
        let Form { version } = serde_json::from_slice(bytes)?;
        if version == 0 || version > VERSION {
            return Err(RecordError::Version { found: version });
        }
        let record: Self = serde_json::from_slice(bytes)?;
        record.check()?;
        Ok(record)
    }

    /// All secondary indexes, local ones first.
    pub fn indexes(&self) -> impl Iterator<Item = &Index> {
        self.local_indexes.iter().chain(&self.global_indexes)
    }

    /// Forgets the indexes whose deletion is over at `now_ms`, and the attributes that only they
    /// used.
    pub fn purge(&mut self, now_ms: u64) {
        if !self.has_gone(now_ms) {
            return;
        }
        self.global_indexes
            .retain(|index| !index.state.is_gone(now_ms));
        let mut attributes = std::mem::take(&mut self.attributes);
        attributes.retain(|attribute| {
            let indexes = self.indexes().flat_map(|index| &index.key);
            let mut keys = self.key.iter().chain(indexes);
            keys.any(|element| element.name == attribute.name)
        });
        self.attributes = attributes;
    }

    /// The definition as it shows at `now_ms`: [purged](Self::purge).
    pub fn at(&self, now_ms: u64) -> Cow<'_, Self> {
        if !self.has_gone(now_ms) {
            return Cow::Borrowed(self);
        }
        let mut purged = self.clone();
        purged.purge(now_ms);
        Cow::Owned(purged)
    }

    fn has_gone(&self, now_ms: u64) -> bool {
        self.global_indexes
            .iter()
            .any(|index| index.state.is_gone(now_ms))
    }

    /// All keyspaces of the table: that of the items, that of the collections, those of the
    /// indexes, and that of what expires.
    pub fn keyspaces(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.keyspace)
            .chain(self.collections)
            .chain(self.indexes().map(|index| index.keyspace))
            .chain(self.expiry_keyspace())
    }

    /// Keyspace of the expiry index, where time to live is on.
    pub fn expiry_keyspace(&self) -> Option<u32> {
        self.time_to_live.as_ref()?.keyspace
    }

    /// Provisioned capacity of the table and its global secondary indexes together: units to read,
    /// and units to write.
    pub fn provisioned(&self) -> (i64, i64) {
        let indexes = self.global_indexes.iter().map(|index| &index.throughput);
        std::iter::once(&self.throughput).chain(indexes).fold(
            (0, 0),
            |(read, write), throughput| {
                (read + throughput.read_units, write + throughput.write_units)
            },
        )
    }

    /// The stream that the table writes to, if it has one.
    pub fn enabled_stream(&self) -> Option<&LatestStream> {
        let stream = self.stream.as_ref().filter(|stream| stream.enabled);
        stream.filter(|_| self.state.change != Change::Delete)
    }

    /// How many partitions DynamoDB would give the table for its capacity, and so how many shards its
    /// stream has: each takes 3,000 reads and 1,000 writes a second (developer guide, "Partitions and
    /// data distribution" and "Best practices for designing partition keys").
    pub fn partitions(&self) -> usize {
        let (reads, writes) = match self.billing {
            BillingMode::Provisioned => (self.throughput.read_units, self.throughput.write_units),
            BillingMode::PayPerRequest => (self.warm.read_units, self.warm.write_units),
        };
        let partitions = (reads / 3_000).max(writes / 1_000).clamp(1, MAX_SHARDS);
        usize::try_from(partitions).unwrap_or(1)
    }

    /// Type of the attribute `name`, if it is defined.
    pub fn scalar(&self, name: &str) -> Option<ScalarType> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .map(|found| found.scalar)
    }

    /// `elements` with the types of their attributes. `None` if one of them is not defined or there
    /// is no partition key.
    pub fn resolve(&self, elements: &[KeyElement]) -> Option<KeySchema> {
        let of = |key_type| {
            elements
                .iter()
                .filter(|element| element.key_type == key_type)
                .map(|element| {
                    let scalar = self.scalar(&element.name)?;
                    Some(KeyAttribute {
                        name: element.name.as_str().into(),
                        scalar,
                    })
                })
                .collect::<Option<Vec<_>>>()
        };
        let partition = of(KeyType::Hash)?;
        let sort = of(KeyType::Range)?;
        (!partition.is_empty()).then(|| KeySchema::new(partition, sort))
    }

    /// What every reader of a definition relies on. Checked before writing and after reading.
    fn check(&self) -> Result<(), RecordError> {
        let wrong = |what| {
            Err(RecordError::Inconsistent {
                table: self.name.clone(),
                what,
            })
        };
        if self.name.is_empty() {
            return wrong("it has no name");
        }
        let Some(key) = self.resolve(&self.key) else {
            return wrong("its key has an attribute without definition or no partition key");
        };
        if key.partition().len() != 1 || key.sort().len() > 1 {
            return wrong("its key has more than one partition key or sort key");
        }
        if self
            .indexes()
            .any(|index| self.resolve(&index.key).is_none())
        {
            return wrong("an index key has an attribute without definition or no partition key");
        }
        if self.collections.is_none() && !self.local_indexes.is_empty() {
            return wrong(
                "it has local indexes and no keyspace for the sizes of item collections (a build from \
                 before the first release wrote it; there is no way to go on with its data)",
            );
        }
        if self.collections.is_some() && self.local_indexes.is_empty() {
            return wrong("it has a keyspace for item collections and no local indexes");
        }
        let mut keyspaces: Vec<u32> = self.keyspaces().collect();
        keyspaces.sort_unstable();
        if keyspaces.windows(2).any(|pair| pair.first() == pair.last()) {
            return wrong("two of its keyspaces are the same");
        }
        let mut names: Vec<&str> = self.indexes().map(|index| index.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return wrong("two of its indexes have the same name");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
