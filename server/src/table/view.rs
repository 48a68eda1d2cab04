//! A table as requests see it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
};

use arc_swap::ArcSwapWeak;

use super::{
    ExpiryIndex, IndexKind, KeyAttribute, KeySchema, Namespace, Projection, ScalarType,
    SecondaryIndex, Statistics, TableStatus, TimeToLiveStatus, arn::table_arn, filling::Filling,
    record::Record, record::RecordError, status,
};
use crate::{
    item::{ItemRef, ValueRef},
    store::{Key, KeyspaceId, layout::entry_key},
    streams::Stream,
};

/// The size limit of item collections (developer guide, "Item collection size limit").
pub const COLLECTION_LIMIT: u64 = 10 << 30;

/// An immutable view of a table's definition. Only the [`Statistics`] move, and what
/// [`Table::current`] answers.
#[derive(Debug)]
pub struct Table {
    record: Record,
    namespace: Namespace,
    arn: String,
    key: KeySchema,
    indexes: Box<[SecondaryIndex]>,
    /// Global indexes that are being deleted: they have no entries, and only show.
    leaving: Box<[SecondaryIndex]>,
    statistics: Arc<Statistics>,
    expiry: Option<Arc<ExpiryIndex>>,
    /// Bytes that an item collection may have.
    collection_limit: u64,
    /// The stream that it writes to.
    stream: Option<Arc<Stream>>,
    /// The newest view of this table: one place that all its views share. It does not keep that view
    /// alive, which would keep itself alive by it.
    newest: Arc<ArcSwapWeak<Self>>,
}

impl Table {
    /// The view of `record`. `statistics` gives the live figures of a keyspace: those of the view
    /// that is replaced, or new ones.
    ///
    /// Fails if the record contradicts itself, as one read from disk may.
    pub fn new(
        record: Record,
        mut statistics: impl FnMut(KeyspaceId) -> Arc<Statistics>,
    ) -> Result<Self, RecordError> {
        let inconsistent = |what| RecordError::Inconsistent {
            table: record.name.clone(),
            what,
        };
        let namespace = Namespace::new(record.account.as_str(), record.region.as_str());
        let arn = table_arn(&namespace, &record.name);
        let key = record
            .resolve(&record.key)
            .ok_or_else(|| inconsistent("its key"))?;
        let kinds = (record
            .local_indexes
            .iter()
            .map(|index| (IndexKind::Local, index)))
        .chain(
            record
                .global_indexes
                .iter()
                .map(|index| (IndexKind::Global, index)),
        );
        let (mut indexes, mut leaving) = (Vec::new(), Vec::new());
        for (kind, index) in kinds {
            let index_key = record
                .resolve(&index.key)
                .ok_or_else(|| inconsistent("an index key"))?;
            let keyspace = KeyspaceId(index.keyspace);
            let leaves = index.state.change == status::Change::Delete;
            let view = SecondaryIndex {
                kind,
                record: index.clone(),
                arn: format!("{arn}/index/{}", index.name),
                carried: carried(&key, &index_key, &index.projection),
                key: index_key,
                statistics: match leaves {
                    false => statistics(keyspace),
                    true => Statistics::new(keyspace),
                },
                filling: Filling::new(index.allocated_ms.is_some() && !leaves),
            };
            if leaves {
                leaving.push(view);
            } else {
                indexes.push(view);
            }
        }
        let statistics = statistics(KeyspaceId(record.keyspace));
        let expiry = record.time_to_live.as_ref().and_then(|time_to_live| {
            let keyspace = KeyspaceId(time_to_live.keyspace?);
            Some(Arc::new(ExpiryIndex::new(
                &time_to_live.attribute,
                keyspace,
            )))
        });
        Ok(Self {
            record,
            namespace,
            arn,
            key,
            indexes: indexes.into(),
            leaving: leaving.into(),
            statistics,
            expiry,
            collection_limit: COLLECTION_LIMIT,
            stream: None,
            newest: Arc::new(ArcSwapWeak::new(Weak::new())),
        })
    }

    /// Sets the size that an item collection may have, in bytes.
    #[must_use]
    pub(super) fn with_collection_limit(mut self, limit: u64) -> Self {
        self.collection_limit = limit;
        self
    }

    /// The view of a table that writes to this stream.
    #[must_use]
    pub(super) fn with_stream(mut self, stream: Option<Arc<Stream>>) -> Self {
        self.stream = stream;
        self
    }

    /// This view as one that requests may have. It is the current one as soon as it is
    /// [published](Self::publish).
    pub(super) fn succeed(mut self, before: Option<&Self>) -> Arc<Self> {
        let Some(before) = before else {
            return Arc::new(self);
        };
        self.newest = Arc::clone(&before.newest);
        for index in &mut self.indexes {
            if let Some(old) = before.index_in(index.keyspace()) {
                index.filling = Arc::clone(&old.filling);
            }
        }
        for index in &mut self.leaving {
            if let Some(old) = before.index_in(index.keyspace()) {
                index.statistics = Arc::clone(&old.statistics);
            }
        }
        if let (Some(own), Some(old)) = (&mut self.expiry, &before.expiry)
            && own.keyspace() == old.keyspace()
        {
            *own = Arc::clone(old);
        }
        Arc::new(self)
    }

    /// Makes this the current view of its table.
    pub fn publish(self: &Arc<Self>) {
        self.newest.store(Arc::downgrade(self));
    }

    /// From now on the table has no current view.
    pub(super) fn withdraw(&self) {
        self.newest.store(Weak::new());
    }

    /// The newest view of this very table, or `None` if it has been deleted.
    ///
    /// A write asks once it has its items' locks, and goes by the answer. Whoever changes a
    /// definition waits, once it is published, until no write that may have gone by the one before
    /// is under way ([`crate::store::Store::settle`]): that is what lets an index be filled, and a
    /// stream begin, without missing a write.
    pub fn current(&self) -> Option<Arc<Self>> {
        let newest = self.newest.load().upgrade()?;
        (newest.record.state.change != status::Change::Delete).then_some(newest)
    }

    /// Name of the table.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// Account and Region.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// `arn:aws:dynamodb:<region>:<account>:table/<name>`.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// `TableId`: differs between two tables of one name that existed one after the other.
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// Keyspace that holds the items.
    pub fn keyspace(&self) -> KeyspaceId {
        KeyspaceId(self.record.keyspace)
    }

    /// Keyspace of the sizes of item collections, if the table has collections: if any index is local.
    pub fn collections(&self) -> Option<KeyspaceId> {
        self.record.collections.map(KeyspaceId)
    }

    /// Bytes that an item collection may have.
    pub fn collection_limit(&self) -> u64 {
        self.collection_limit
    }

    /// All keyspaces of the table: that of the items, that of the collections, those of the
    /// indexes, and that of what expires.
    pub fn keyspaces(&self) -> impl Iterator<Item = KeyspaceId> {
        let indexes = self.indexes.iter().map(SecondaryIndex::keyspace);
        let expiry = self.expiry.iter().map(|index| index.keyspace());
        std::iter::once(self.keyspace())
            .chain(self.collections())
            .chain(indexes)
            .chain(expiry)
    }

    /// The indexes that can be added to a table that has items: their keyspaces, and whether they
    /// lack entries.
    pub fn fillings(&self) -> impl Iterator<Item = (KeyspaceId, &Filling)> {
        let indexes = self.indexes.iter();
        let expiry = self.expiry.iter();
        indexes
            .map(|index| (index.keyspace(), &*index.filling))
            .chain(expiry.map(|index| (index.keyspace(), index.filling())))
    }

    /// Whether the index in `keyspace` lacks entries, if the table has it.
    pub fn filling(&self, keyspace: KeyspaceId) -> Option<&Filling> {
        let mut fillings = self.fillings();
        fillings.find_map(|(of, filling)| (of == keyspace).then_some(filling))
    }

    /// Primary key: one partition key attribute, at most one sort key attribute.
    pub fn key_schema(&self) -> &KeySchema {
        &self.key
    }

    /// Declared type of the attribute `name`, if it is part of any key.
    pub fn attribute_type(&self, name: &str) -> Option<ScalarType> {
        self.record.scalar(name)
    }

    /// All secondary indexes that have entries, local ones first.
    pub fn indexes(&self) -> &[SecondaryIndex] {
        &self.indexes
    }

    /// Global secondary indexes that are being deleted at `now_ms`.
    pub fn leaving_indexes(&self, now_ms: u64) -> impl Iterator<Item = &SecondaryIndex> {
        self.leaving
            .iter()
            .filter(move |index| !index.record.state.is_gone(now_ms))
    }

    /// The index whose entries are, or were, in this keyspace.
    pub fn index_in(&self, keyspace: KeyspaceId) -> Option<&SecondaryIndex> {
        self.indexes
            .iter()
            .chain(&self.leaving)
            .find(|index| index.keyspace() == keyspace)
    }

    /// The secondary index `name`.
    pub fn index(&self, name: &str) -> Option<&SecondaryIndex> {
        self.indexes.iter().find(|index| index.name() == name)
    }

    /// Where an item with the primary key that is in `item` stands. `None` if one of its attributes
    /// is missing or cannot be part of a key, which validation has ruled out.
    pub fn item_key(&self, item: ItemRef<'_>) -> Option<Key> {
        let partition = values(item, self.key.partition())?;
        entry_key(self.keyspace(), partition, values(item, self.key.sort())?)
    }

    /// Where the entry of `item` in `index` stands. `None` if the item has no entry, because it
    /// lacks an attribute of the index's key.
    pub fn entry_key(&self, index: &SecondaryIndex, item: ItemRef<'_>) -> Option<Key> {
        let own = index.key_schema();
        let mut sort = values(item, own.sort())?;
        if index.kind() == IndexKind::Global {
            sort.extend(values(item, self.key.partition())?);
        }
        sort.extend(values(item, self.key.sort())?);
        entry_key(index.keyspace(), values(item, own.partition())?, sort)
    }

    /// State at `now_ms` (Unix milliseconds). While an index is deleted, and while the resources of a
    /// new one are allocated, the table shows UPDATING; while that one is filled it is ACTIVE
    /// (DDB-TABLE-148).
    pub fn status(&self, now_ms: u64) -> TableStatus {
        let allocates = |index: &SecondaryIndex| index.backfilling(now_ms) == Some(false);
        match self.own_status(now_ms) {
            TableStatus::Active
                if self.indexes.iter().any(allocates)
                    || self.leaving_indexes(now_ms).next().is_some() =>
            {
                TableStatus::Updating
            }
            status => status,
        }
    }

    /// State at `now_ms`, but for what its indexes do.
    pub fn own_status(&self, now_ms: u64) -> TableStatus {
        self.record.state.status(now_ms)
    }

    /// Whether the table was deleted and that is over at `now_ms`.
    pub fn is_gone(&self, now_ms: u64) -> bool {
        self.record.state.is_gone(now_ms)
    }

    /// The stream that every change of an item is written to, if one is enabled.
    pub fn stream(&self) -> Option<&Arc<Stream>> {
        self.stream.as_ref()
    }

    /// What was defined, in the form that is written.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The index of what expires when, where time to live is on.
    pub fn expiry(&self) -> Option<&Arc<ExpiryIndex>> {
        self.expiry.as_ref()
    }

    /// `TimeToLiveStatus` at `now_ms`, and the attribute that it is about. It is being switched on
    /// until the index has the entries of all items, and for as long as that is to be seen.
    pub fn time_to_live(&self, now_ms: u64) -> (TimeToLiveStatus, Option<&str>) {
        let Some(record) = &self.record.time_to_live else {
            return (TimeToLiveStatus::Disabled, None);
        };
        let shows = now_ms < record.until_ms;
        let status = match &self.expiry {
            Some(index) if shows || index.filling().is_pending() => TimeToLiveStatus::Enabling,
            Some(_) => TimeToLiveStatus::Enabled,
            None if shows => TimeToLiveStatus::Disabling,
            // What the attribute was, nobody can tell any more (DDB-TABLE-144).
            None => return (TimeToLiveStatus::Disabled, None),
        };
        (status, Some(&record.attribute))
    }

    /// Live count and size of the items.
    pub fn statistics(&self) -> &Arc<Statistics> {
        &self.statistics
    }

    /// Live figures of every keyspace of the table.
    pub fn all_statistics(&self) -> impl Iterator<Item = &Arc<Statistics>> {
        let indexes = self.indexes.iter().map(|index| &index.statistics);
        std::iter::once(&self.statistics).chain(indexes)
    }
}

/// The values of the key attributes in `item`, if it has them all.
fn values<'a>(item: ItemRef<'a>, attributes: &[KeyAttribute]) -> Option<Vec<ValueRef<'a>>> {
    attributes
        .iter()
        .map(|attribute| item.get(&attribute.name))
        .collect()
}

/// Sorted names of the attributes that entries of an index carry: both keys, and the projection.
fn carried(
    table: &KeySchema,
    index: &KeySchema,
    projection: &Projection,
) -> Option<Box<[Box<str>]>> {
    let included: &[String] = match projection {
        Projection::All => return None,
        Projection::KeysOnly => &[],
        Projection::Include(names) => names,
    };
    let keys = table
        .attributes()
        .chain(index.attributes())
        .map(|attribute| attribute.name.clone());
    let names: BTreeSet<Box<str>> = keys
        .chain(included.iter().map(|name| name.as_str().into()))
        .collect();
    Some(names.into_iter().collect())
}
