//! Secondary indexes of a table, as requests see them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Filling, IndexStatus, KeySchema, Statistics, record};
use crate::store::KeyspaceId;

/// Local or global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IndexKind {
    /// Shares the table's partition key; entries live beside each other within one partition.
    Local,
    /// Has a partition key of its own, of up to four attributes.
    Global,
}

/// Which attributes of an item an index entry carries besides the keys of index and table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Projection {
    /// Every attribute.
    #[serde(rename = "ALL")]
    All,
    /// None.
    #[serde(rename = "KEYS_ONLY")]
    KeysOnly,
    /// These, in the order of the definition.
    #[serde(rename = "INCLUDE")]
    Include(Vec<String>),
}

/// A secondary index of a [`super::Table`].
#[derive(Debug)]
pub struct SecondaryIndex {
    pub(super) kind: IndexKind,
    pub(super) record: record::Index,
    pub(super) arn: String,
    pub(super) key: KeySchema,
    /// Sorted names of all attributes that entries carry; `None` if all are carried.
    pub(super) carried: Option<Box<[Box<str>]>>,
    pub(super) statistics: Arc<Statistics>,
    pub(super) filling: Arc<Filling>,
}

impl SecondaryIndex {
    /// Name, unique within the table.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// `arn:aws:dynamodb:<region>:<account>:table/<table>/index/<name>`.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Local or global.
    pub fn kind(&self) -> IndexKind {
        self.kind
    }

    /// Keyspace that holds the entries.
    pub fn keyspace(&self) -> KeyspaceId {
        KeyspaceId(self.record.keyspace)
    }

    /// The key of the index itself, without the table's key that makes an entry unique.
    pub fn key_schema(&self) -> &KeySchema {
        &self.key
    }

    /// The projection as it was defined.
    pub fn projection(&self) -> &Projection {
        &self.record.projection
    }

    /// Whether entries carry the attribute `name`: as a key of the index or of the table, or by
    /// projection.
    pub fn carries(&self, name: &str) -> bool {
        match &self.carried {
            None => true,
            Some(names) => names
                .binary_search_by(|carried| (**carried).cmp(name))
                .is_ok(),
        }
    }

    /// Sorted names of the attributes that entries carry, or `None` if they carry all.
    pub fn carried(&self) -> Option<&[Box<str>]> {
        self.carried.as_deref()
    }

    /// State at `now_ms` (Unix milliseconds). An index is being created until it has all its
    /// entries, and for as long as that is to be seen.
    pub fn status(&self, now_ms: u64) -> IndexStatus {
        match self.record.state.status(now_ms) {
            IndexStatus::Deleting => IndexStatus::Deleting,
            _ if self.is_filling() => IndexStatus::Creating,
            status => status,
        }
    }

    /// `Backfilling`: of an index that was added to its table and is being created, whether that is
    /// past the allocation of resources (developer guide, "Managing global secondary indexes",
    /// "Phases of index creation"). `None` of all others.
    pub fn backfilling(&self, now_ms: u64) -> Option<bool> {
        let creating = self.status(now_ms) == IndexStatus::Creating;
        self.record
            .allocated_ms
            .filter(|_| creating)
            .map(|allocated_ms| now_ms >= allocated_ms)
    }

    /// Whether it may lack entries of items that are older than itself.
    pub fn is_filling(&self) -> bool {
        self.filling.is_pending()
    }

    /// What was defined, in the form that is written.
    pub fn record(&self) -> &record::Index {
        &self.record
    }

    /// Live count and size of the entries.
    pub fn statistics(&self) -> &Arc<Statistics> {
        &self.statistics
    }
}
