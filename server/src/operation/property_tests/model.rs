//! The plain model: items as JSON, by their keys.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    attributes::text,
    calculator::{Bill, index_units, item_size, write_units},
    random::Random,
    schema::Schema,
};

pub(super) struct Model {
    pub(super) tables: Vec<Table>,
}

pub(super) struct Table {
    pub(super) schema: Schema,
    items: BTreeMap<String, Value>,
    /// Sizes that its items or their entries are filled up to.
    sizes: &'static [usize],
}

/// At and around the steps of capacity.
const SIZES: &[usize] = &[
    1023, 1024, 1025, 2047, 2048, 2049, 3072, 4095, 4096, 4097, 8192, 8193,
];
/// For tables that do not fit into one page.
const LARGE: &[usize] = &[1024, 4097, 100_000, 262_144, 409_599, 409_600];

impl Model {
    pub(super) fn random(random: &mut Random) -> Self {
        let tables = ["first", "second"].map(|name| Table {
            schema: Schema::random(random, name),
            items: BTreeMap::new(),
            sizes: if random.one_in(24) { LARGE } else { SIZES },
        });
        Self {
            tables: tables.into(),
        }
    }
}

impl Table {
    pub(super) fn get(&self, key: &Value) -> Option<&Value> {
        self.items.get(&self.schema.key(key).to_string())
    }

    pub(super) fn set(&mut self, key: &Value, item: Option<Value>) {
        let key = self.schema.key(key).to_string();
        match item {
            Some(item) => self.items.insert(key, item),
            None => self.items.remove(&key),
        };
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Value> {
        self.items.values()
    }

    /// A key: more often than not of an item.
    pub(super) fn random_key(&self, random: &mut Random) -> Value {
        if self.items.is_empty() || random.one_in(2) {
            return self.schema.random_key(random);
        }
        let item = self.items.values().nth(random.below(self.items.len()));
        self.schema.key(item.unwrap())
    }

    /// An item, which now and then has exactly the size at which it, or its entry in an index, costs
    /// more.
    pub(super) fn random_item(&self, random: &mut Random, key: Value) -> Value {
        let mut item = self.schema.random_item(random, key);
        if !random.one_in(3) {
            return item;
        }
        item["t"] = text(0);
        let indexes = &self.schema.indexes;
        let measured = match random.below(indexes.len() + 1).checked_sub(1) {
            None => Some(item_size(&item)),
            Some(index) => {
                let entry = indexes[index].entry(&self.schema, &item);
                entry.map(|entry| item_size(&entry))
            }
        };
        let wanted = *random.pick(self.sizes);
        if let Some(missing) = measured.and_then(|size| wanted.checked_sub(size)) {
            item["t"] = text(missing);
            if item_size(&item) > 400 * 1024 {
                item["t"] = text(0);
            }
        }
        item
    }

    /// What it costs that an item becomes another: the larger of both for the table ("Capacity unit
    /// consumption for write operations", PutItem and UpdateItem; DeleteItem by what is deleted).
    pub(super) fn write_bill(&self, old: Option<&Value>, new: Option<&Value>) -> Bill {
        let size = |item: Option<&Value>| item.map_or(0, item_size);
        let mut bill = Bill::of_table(write_units(size(old).max(size(new))));
        for index in &self.schema.indexes {
            let of = |item: Option<&Value>| item.and_then(|item| index.entry(&self.schema, item));
            let (before, after) = (of(old), of(new));
            let position = |entry: &Option<Value>| {
                entry
                    .as_ref()
                    .map(|entry| index.position(&self.schema, entry))
            };
            let same_key = position(&before) == position(&after);
            let units = index_units(before.as_ref(), after.as_ref(), same_key);
            bill.charge(&index.name, index.local, units);
        }
        bill
    }
}
