//! Read plans of Query and Scan: one page of a table or an index.
//!
//! A page walks over entries in key order, counts each one it looks at, and stops at the limit or at
//! 1 MB of what it looked at; only then comes the filter. So a page can be empty and still not be the
//! last (API reference, `Query`: `Limit`, `FilterExpression`, `LastEvaluatedKey`).

use std::sync::Arc;

use crate::{
    expression::{BoundCondition, BoundProjection},
    item::{Item, ItemBuilder, ItemRef},
    mutants::{Mutant, is_on},
    plan::{
        capacity::{Consistency, Units, Usage},
        key,
        select::Fetch,
        stored_item,
    },
    stopwatch::{Stage, during},
    store::{Direction, Fault, KeyRange, ReadMode, Snapshot, Step, Store},
    table::{SecondaryIndex, Table},
    wire::Error,
};

/// How much a page looks at before it ends: 1 MB. The item that crosses the line still belongs to the
/// page, which is why a full page costs half a unit more than 128 when read eventually consistent.
pub const PAGE_BYTES: u64 = 1024 * 1024;

/// What a page reads.
#[derive(Debug)]
pub struct PagePlan {
    /// The table.
    pub table: Arc<Table>,
    /// The index that is read instead, by its position in the table's definition.
    pub index: Option<usize>,
    /// The entries, without those of earlier pages.
    pub range: KeyRange,
    /// In which order.
    pub direction: Direction,
    /// How many entries are looked at, at most.
    pub limit: Option<u64>,
    /// Which items of those count.
    pub filter: Option<BoundCondition>,
    /// What is returned of them.
    pub output: Output,
    /// Where they are read.
    pub fetch: Fetch,
    /// What reading costs.
    pub consistency: Consistency,
}

/// What a page returns of its items.
#[derive(Debug)]
pub enum Output {
    /// The number of them.
    Count,
    /// Everything that was read.
    Whole,
    /// A part.
    Projected(BoundProjection),
}

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// The items; none if only their number was wanted.
    pub items: Vec<Item>,
    /// How many passed the filter.
    pub count: u64,
    /// How many were looked at.
    pub scanned: u64,
    /// How much was looked at, in bytes.
    pub bytes: u64,
    /// The keys of the last one looked at, if there may be more behind it.
    pub last_evaluated_key: Option<Item>,
    /// What it consumed.
    pub usage: Usage,
}

/// Counts what a page looks at.
#[derive(Debug)]
struct Meter {
    limit: u64,
    scanned: u64,
    /// Sizes of the entries.
    bytes: u64,
    /// Sizes of the items that were fetched for them.
    fetched_bytes: u64,
}

impl Meter {
    fn new(limit: Option<u64>) -> Self {
        Self {
            limit: limit.unwrap_or(u64::MAX),
            scanned: 0,
            bytes: 0,
            fetched_bytes: 0,
        }
    }

    /// Takes one more entry into account, and the size of the item that was fetched for it.
    fn add(&mut self, entry: usize, fetched: usize) {
        self.scanned += 1;
        self.bytes += entry as u64;
        self.fetched_bytes += fetched as u64;
    }

    /// Whether the page ends here. What was fetched counts like what was looked at: many small
    /// entries can stand for large items.
    fn is_full(&self) -> bool {
        self.scanned >= self.limit || self.bytes.max(self.fetched_bytes) >= PAGE_BYTES
    }
}

impl PagePlan {
    fn secondary_index(&self) -> Option<&SecondaryIndex> {
        self.index
            .and_then(|position| self.table.indexes().get(position))
    }

    /// Reads the page, all of it at one point in time. Has no effect: if it fails because it may not
    /// wait for the disk, it can be run again.
    pub fn read(&self, store: &Store, mode: ReadMode) -> Result<Page, Fault> {
        let snapshot = store.snapshot();
        let mut entries = snapshot.range(self.range.clone(), self.direction, mode);
        let mut page = Page::default();
        let mut meter = Meter::new(self.limit);
        let mut fetched = Units::ZERO;
        loop {
            let entry = match entries.next()? {
                Step::End => break,
                Step::Paused(_) => continue,
                Step::Entry { value, .. } => stored_item(value)?,
            };
            let item = match self.fetch {
                Fetch::Entries => {
                    meter.add(entry.size(), 0);
                    entry.clone()
                }
                Fetch::Items => {
                    let item = self.fetch_item(&snapshot, entry.as_ref(), mode)?;
                    meter.add(entry.size(), item.size());
                    fetched += Units::read(item.size() as u64, self.consistency);
                    item
                }
            };
            self.take(&mut page, item);
            if meter.is_full() {
                let last = match is_on(Mutant::PageKey) {
                    true => match entries.next()? {
                        Step::Entry { value, .. } => stored_item(value)?,
                        _ => entry,
                    },
                    false => entry,
                };
                page.last_evaluated_key = Some(self.position(last.as_ref()));
                break;
            }
        }
        page.scanned = meter.scanned;
        page.bytes = meter.bytes.max(meter.fetched_bytes);
        self.charge(&mut page.usage, meter.bytes, fetched);
        Ok(page)
    }

    /// Counts an item that passes the filter, and keeps what is wanted of it.
    fn take(&self, page: &mut Page, item: Item) {
        let passes = self
            .filter
            .as_ref()
            .is_none_or(|filter| filter.evaluate(Some(item.as_ref())));
        if !passes {
            return;
        }
        page.count += 1;
        match &self.output {
            Output::Count => {}
            Output::Whole => page.items.push(item),
            Output::Projected(projection) => page.items.push(projection.apply(item.as_ref())),
        }
    }

    /// The item of an entry of a local index, from the table. It is read at the same point in time,
    /// so it is there; were it not, the entry would have to do.
    fn fetch_item(
        &self,
        snapshot: &Snapshot,
        entry: ItemRef<'_>,
        mode: ReadMode,
    ) -> Result<Item, Fault> {
        let stored = match key::primary_key(&self.table, entry) {
            Some(key) => snapshot.get(&key, mode)?,
            None => None,
        };
        stored.map_or_else(|| Ok(entry.to_item()), stored_item)
    }

    /// The keys of an entry: what goes on from it as `ExclusiveStartKey`.
    fn position(&self, entry: ItemRef<'_>) -> Item {
        let index = self.secondary_index().map(SecondaryIndex::key_schema);
        let names = self
            .table
            .key_schema()
            .attributes()
            .chain(index.into_iter().flat_map(|schema| schema.attributes()));
        let mut builder = ItemBuilder::new();
        for attribute in names {
            if let Some(value) = entry.get(&attribute.name) {
                builder.put(&attribute.name, value);
            }
        }
        builder.build()
    }

    /// A page costs by the sum of the sizes of what it looked at, rounded up once; items that were
    /// fetched cost each by itself (developer guide, "Local secondary indexes", "Read capacity
    /// units").
    fn charge(&self, usage: &mut Usage, bytes: u64, fetched: Units) {
        let units = Units::read(bytes, self.consistency);
        match self.index {
            None => usage.charge_table(units),
            Some(position) => usage.charge_index(position, units),
        }
        usage.charge_table(fetched);
    }
}

/// Reads a page.
pub async fn read(store: &Store, plan: PagePlan) -> Result<Page, Error> {
    let read = move |store: &Store, mode| during(Stage::EngineRead, || plan.read(store, mode));
    store.run(read).await
}
