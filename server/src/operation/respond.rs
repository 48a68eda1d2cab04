//! What the answers of several operations have in common: `ConsumedCapacity`, `ItemCollectionMetrics`
//! and the choice of returned values.

use crate::{
    item::{Item, ItemBuilder},
    plan::capacity::{Units, Usage},
    table::{IndexKind, Table},
    wire::shapes::{Capacity, ConsumedCapacity, ItemCollectionMetrics},
};

/// `ReturnConsumedCapacity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReturnCapacity {
    None,
    Total,
    Indexes,
}

impl ReturnCapacity {
    /// What the member asks for. Other values are refused by the model's constraints.
    pub(super) fn requested(member: Option<&str>) -> Self {
        match member {
            Some("TOTAL") => Self::Total,
            Some("INDEXES") => Self::Indexes,
            _ => Self::None,
        }
    }

    /// `ConsumedCapacity` of one table. `name` is how the request calls it: "if you had specified
    /// the ARN in the input, you'll see the ARN in the response".
    pub(super) fn of(self, name: &str, table: &Table, usage: &Usage) -> Option<ConsumedCapacity> {
        if self == Self::None {
            return None;
        }
        let mut consumed = ConsumedCapacity {
            table_name: Some(name.to_owned()),
            capacity_units: Some(usage.total().as_f64()),
            ..ConsumedCapacity::default()
        };
        if self == Self::Indexes {
            consumed.table = Some(capacity(usage.table()));
            consumed.local_secondary_indexes = of_kind(table, usage, IndexKind::Local);
            consumed.global_secondary_indexes = of_kind(table, usage, IndexKind::Global);
        }
        Some(consumed)
    }
}

/// What one action of a transaction consumed.
pub(super) enum TransactionCapacity {
    /// By writing.
    Write(Usage),
    /// By reading.
    Read(Usage),
}

impl ReturnCapacity {
    /// `ConsumedCapacity` of a transaction: one per table, in the order in which the actions name
    /// them. Here, and nowhere else, the units are told apart: read and write capacity beside their
    /// sum (AWS as measured for paritysuite/dynamodb-conformance, issue 69).
    pub(super) fn of_transaction<'a>(
        self,
        actions: impl Iterator<Item = ((&'a str, &'a Table), &'a TransactionCapacity)>,
    ) -> Option<Vec<ConsumedCapacity>> {
        if self == Self::None {
            return None;
        }
        let mut sums: Vec<(&str, &Table, Usage, Units, Units)> = Vec::new();
        for ((name, table), consumed) in actions {
            let (usage, read, written) = match consumed {
                TransactionCapacity::Write(usage) => (usage, Units::ZERO, usage.total()),
                TransactionCapacity::Read(usage) => (usage, usage.total(), Units::ZERO),
            };
            match sums
                .iter_mut()
                .find(|(_, known, ..)| known.keyspace() == table.keyspace())
            {
                Some((_, _, sum, reads, writes)) => {
                    sum.merge(usage);
                    *reads += read;
                    *writes += written;
                }
                None => sums.push((name, table, usage.clone(), read, written)),
            }
        }
        let told = |units: Units| (!units.is_zero()).then(|| units.as_f64());
        let consumed = sums
            .into_iter()
            .filter_map(|(name, table, usage, reads, writes)| {
                let mut consumed = self.of(name, table, &usage)?;
                consumed.read_capacity_units = told(reads);
                consumed.write_capacity_units = told(writes);
                let writing = !writes.is_zero();
                let indexes = [
                    consumed.local_secondary_indexes.as_mut(),
                    consumed.global_secondary_indexes.as_mut(),
                ];
                let capacities = indexes
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|(_, units)| units);
                for capacity in capacities.chain(consumed.table.as_mut()) {
                    if writing {
                        capacity.write_capacity_units = capacity.capacity_units;
                    } else {
                        capacity.read_capacity_units = capacity.capacity_units;
                    }
                }
                Some(consumed)
            });
        Some(consumed.collect())
    }
}

fn capacity(units: Units) -> Capacity {
    Capacity {
        capacity_units: Some(units.as_f64()),
        ..Capacity::default()
    }
}

/// The indexes of one kind that consumed anything; `None` if none did.
fn of_kind(table: &Table, usage: &Usage, kind: IndexKind) -> Option<Vec<(String, Capacity)>> {
    let indexes: Vec<(String, Capacity)> = usage
        .indexes()
        .iter()
        .filter_map(|&(position, units)| Some((table.indexes().get(position)?, units)))
        .filter(|(index, _)| index.kind() == kind)
        .map(|(index, units)| (index.name().to_owned(), capacity(units)))
        .collect();
    (!indexes.is_empty()).then_some(indexes)
}

/// `ItemCollectionMetrics` of all collections that were written to, by the names that the request has
/// for their tables; each collection once, as it is after the last write. Of each write: the table's
/// name, the table, what has the collection's key, and the collection's size.
pub(super) fn collections<'a>(
    requested: Option<&str>,
    written: impl Iterator<Item = (&'a str, &'a Table, &'a Item, Option<u64>)>,
) -> Option<Vec<(String, Vec<ItemCollectionMetrics>)>> {
    let mut found: Vec<(String, Vec<ItemCollectionMetrics>)> = Vec::new();
    for (name, table, item, size) in written {
        let Some(metrics) = item_collection_metrics(requested, table, item, size) else {
            continue;
        };
        let Some((_, known)) = found.iter_mut().find(|(known, _)| known == name) else {
            found.push((name.to_owned(), vec![metrics]));
            continue;
        };
        let same = |other: &&mut ItemCollectionMetrics| {
            other.item_collection_key == metrics.item_collection_key
        };
        match known.iter_mut().find(same) {
            Some(earlier) => *earlier = metrics,
            None => known.push(metrics),
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Bytes of a gigabyte.
const GIGABYTE: u64 = 1 << 30;

/// `ItemCollectionMetrics` of the collection of `size` bytes that `item` belongs to, if they are asked
/// for and the table has collections: "if the table does not have any local secondary indexes, this
/// information is not returned".
///
/// The size is told as the whole gigabytes below it and above.
pub(super) fn item_collection_metrics(
    requested: Option<&str>,
    table: &Table,
    item: &Item,
    size: Option<u64>,
) -> Option<ItemCollectionMetrics> {
    let size = size.filter(|_| requested == Some("SIZE"))?;
    let mut key = ItemBuilder::new();
    for attribute in table.key_schema().partition() {
        key.put(&attribute.name, item.get(&attribute.name)?);
    }
    // As many gigabytes as any disk has are exact in a double.
    let below = (size / GIGABYTE) as f64;
    Some(ItemCollectionMetrics {
        item_collection_key: Some(key.build()),
        size_estimate_range_gb: Some(vec![below, below + 1.0]),
    })
}

/// `ReturnValues`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReturnValues {
    None,
    AllOld,
    UpdatedOld,
    AllNew,
    UpdatedNew,
}

impl ReturnValues {
    /// What the member asks for. Other values are refused by the model's constraints.
    pub(super) fn requested(member: Option<&str>) -> Self {
        match member {
            Some("ALL_OLD") => Self::AllOld,
            Some("UPDATED_OLD") => Self::UpdatedOld,
            Some("ALL_NEW") => Self::AllNew,
            Some("UPDATED_NEW") => Self::UpdatedNew,
            _ => Self::None,
        }
    }
}

/// Whether `ReturnValuesOnConditionCheckFailure` asks for the item.
pub(super) fn returns_item_on_failure(member: Option<&str>) -> bool {
    member == Some("ALL_OLD")
}
