//! What DynamoDB's developer guide says that requests consume, on JSON values: written for the tests
//! from the guide's text, apart from the code of `plan` and `item`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::attributes::{bytes, parts};

/// The size of an item: the sum of the lengths of names and values ("Item sizes and formats").
pub(super) fn item_size(item: &Value) -> usize {
    let attributes = item.as_object().unwrap().iter();
    attributes
        .map(|(name, value)| name.len() + size(value))
        .sum()
}

/// The size of a value: text as UTF-8, binary as raw bytes, one byte for NULL and BOOL, three for a
/// list or map and one more for each of its elements (same page). A set is its elements.
fn size(value: &Value) -> usize {
    let (kind, content) = parts(value);
    let elements = || content.as_array().unwrap().iter();
    match kind {
        "S" => content.as_str().unwrap().len(),
        "N" => digits(content.as_str().unwrap()),
        "B" => bytes(content).len(),
        "BOOL" | "NULL" => 1,
        "SS" => elements().map(|one| one.as_str().unwrap().len()).sum(),
        "NS" => elements().map(|one| digits(one.as_str().unwrap())).sum(),
        "BS" => elements().map(|one| bytes(one).len()).sum(),
        "L" => 3 + elements().map(|one| 1 + size(one)).sum::<usize>(),
        "M" => {
            let entries = content.as_object().unwrap().iter();
            3 + entries
                .map(|(name, one)| 1 + name.len() + size(one))
                .sum::<usize>()
        }
        other => panic!("no type: {other}"),
    }
}

/// The size of a number in plain notation: a byte for two significant digits, and one. What the page
/// calls approximate was measured on AWS (paritysuite/dynamodb-conformance, `src/item-size.ts`):
/// digits before and behind the point are rounded up each, and a minus costs one more.
fn digits(number: &str) -> usize {
    let (minus, number) = match number.strip_prefix('-') {
        Some(rest) => (1, rest),
        None => (0, number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut whole = whole.trim_start_matches('0');
    let mut fraction = fraction.trim_end_matches('0');
    if whole.is_empty() {
        fraction = fraction.trim_start_matches('0');
    }
    if fraction.is_empty() {
        whole = whole.trim_end_matches('0');
    }
    if whole.is_empty() && fraction.is_empty() {
        return 1;
    }
    1 + whole.len().div_ceil(2) + fraction.len().div_ceil(2) + minus
}

/// How a read is made: what 4 KB of it cost.
pub(super) fn per_step(consistent: bool) -> f64 {
    if consistent { 1.0 } else { 0.5 }
}

/// What a transaction's read costs for 4 KB ("Capacity management for transactions").
pub(super) const TRANSACTIONAL: f64 = 2.0;

/// A read of so many bytes ("Capacity unit consumption for read operations"): rounded up to the next
/// 4 KB; what does not exist costs what the smallest item does.
pub(super) fn read_units(bytes: usize, per_step: f64) -> f64 {
    (bytes as f64 / 4096.0).ceil().max(1.0) * per_step
}

/// A write of so many bytes ("Capacity unit consumption for write operations"): rounded up to the
/// next 1 KB, and at least one unit.
pub(super) fn write_units(bytes: usize) -> f64 {
    (bytes as f64 / 1024.0).ceil().max(1.0)
}

/// What maintaining an index costs when its entry `old` becomes `new` ("Provisioned throughput
/// considerations" of global and of local secondary indexes, "Write capacity units"): one write
/// for an entry that comes, goes or whose projected attributes change, a deletion and a put for one
/// whose key changes, nothing where nothing changes.
pub(super) fn index_units(old: Option<&Value>, new: Option<&Value>, same_key: bool) -> f64 {
    match (old, new) {
        (None, None) => 0.0,
        (Some(gone), None) => write_units(item_size(gone)),
        (None, Some(come)) => write_units(item_size(come)),
        (Some(old), Some(new)) if old == new => 0.0,
        (Some(old), Some(new)) if same_key => write_units(item_size(old).max(item_size(new))),
        (Some(old), Some(new)) => write_units(item_size(old)) + write_units(item_size(new)),
    }
}

/// Whether units were consumed by reading or by writing, where an answer tells it.
#[derive(Clone, Copy)]
pub(super) enum Told {
    Nothing,
    Read,
    Write,
}

/// What a request consumes on one table.
#[derive(Clone, Debug, Default)]
pub(super) struct Bill {
    pub(super) table: f64,
    /// By the name of the index: whether it is local, and the units.
    pub(super) indexes: BTreeMap<String, (bool, f64)>,
}

impl Bill {
    pub(super) fn of_table(table: f64) -> Self {
        Self {
            table,
            ..Self::default()
        }
    }

    pub(super) fn charge(&mut self, index: &str, local: bool, units: f64) {
        if units > 0.0 {
            self.indexes.entry(index.into()).or_insert((local, 0.0)).1 += units;
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.table += other.table;
        for (index, (local, units)) in &other.indexes {
            self.charge(index, *local, *units);
        }
    }

    /// The same writes in a transaction. Twice the units for the table ("Capacity management for
    /// transactions"); the indexes cost what they cost otherwise, as measured on AWS
    /// (nubo-db/dynoxide, pull request 188).
    pub(super) fn in_transaction(mut self) -> Self {
        self.table *= 2.0;
        self
    }

    /// `ConsumedCapacity` for `ReturnConsumedCapacity: kind`, `null` for `NONE`.
    pub(super) fn consumed(&self, table: &str, kind: &str, told: Told) -> Value {
        let capacity = |units: f64| {
            let mut capacity = json!({ "CapacityUnits": units });
            match told {
                Told::Nothing => {}
                Told::Read => capacity["ReadCapacityUnits"] = units.into(),
                Told::Write => capacity["WriteCapacityUnits"] = units.into(),
            }
            capacity
        };
        if kind == "NONE" {
            return Value::Null;
        }
        let total = self.table + self.indexes.values().map(|(_, units)| units).sum::<f64>();
        let mut consumed = capacity(total);
        consumed["TableName"] = table.into();
        if kind == "INDEXES" {
            consumed["Table"] = capacity(self.table);
            for (member, wanted) in [
                ("LocalSecondaryIndexes", true),
                ("GlobalSecondaryIndexes", false),
            ] {
                let indexes: Map<String, Value> = self
                    .indexes
                    .iter()
                    .filter(|(_, (local, _))| *local == wanted)
                    .map(|(name, (_, units))| (name.clone(), capacity(*units)))
                    .collect();
                if !indexes.is_empty() {
                    consumed[member] = indexes.into();
                }
            }
        }
        consumed
    }
}

/// The guide's own examples.
#[test]
fn the_calculator_agrees_with_the_guide() {
    for (number, bytes) in [
        ("0", 1),
        ("100.5", 4),
        ("3.14159", 5),
        ("123456", 4),
        ("-1", 3),
    ] {
        assert_eq!(digits(number), bytes, "{number}");
    }
    // "Capacity unit consumption for read operations": two items of 1.5 KB and 6.5 KB are 12 KB.
    let batch = read_units(1536, 1.0) + read_units(6656, 1.0);
    assert_eq!((batch, read_units(1536 + 6656, 1.0)), (3.0, 2.0));
    assert_eq!(write_units(1536), 2.0);
    assert_eq!(
        item_size(&json!({"a": {"L": []}, "b": {"M": {"c": {"BOOL": true}}}})),
        11
    );
}
