//! Random tables and their indexes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    attributes::{INDEXABLE, OTHERS, kind, other, scalar},
    random::Random,
};

const KINDS: &[&str] = &["S", "N", "B"];

/// The definition of a table. Its key is `pk`, or `pk` and `sk`.
pub(super) struct Schema {
    pub(super) name: String,
    /// Types of all attributes that are keys of the table or may be keys of its indexes.
    pub(super) types: BTreeMap<&'static str, &'static str>,
    pub(super) has_sort: bool,
    pub(super) indexes: Vec<Index>,
}

pub(super) struct Index {
    pub(super) name: String,
    pub(super) local: bool,
    pub(super) partition: Vec<&'static str>,
    pub(super) sort: Vec<&'static str>,
    projection: Projection,
}

enum Projection {
    All,
    KeysOnly,
    Include(Vec<&'static str>),
}

impl Projection {
    fn random(random: &mut Random) -> Self {
        match random.below(3) {
            0 => Self::All,
            1 => Self::KeysOnly,
            _ => {
                let mut names = vec![*random.pick(OTHERS)];
                names.extend(random.some(OTHERS, 3));
                names.sort_unstable();
                names.dedup();
                Self::Include(names)
            }
        }
    }

    fn request(&self) -> Value {
        match self {
            Self::All => json!({"ProjectionType": "ALL"}),
            Self::KeysOnly => json!({"ProjectionType": "KEYS_ONLY"}),
            Self::Include(names) => {
                json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names})
            }
        }
    }
}

impl Schema {
    pub(super) fn random(random: &mut Random, name: &str) -> Self {
        let names = ["pk", "sk"].iter().chain(INDEXABLE);
        let types = names.map(|name| (*name, *random.pick(KINDS))).collect();
        let has_sort = !random.one_in(4);
        let locals = if has_sort { random.below(4) } else { 0 };
        let mut indexes = Vec::new();
        for number in 0..locals {
            indexes.push(Index {
                name: format!("local-{number}"),
                local: true,
                partition: vec!["pk"],
                sort: vec![*random.pick(INDEXABLE)],
                projection: Projection::random(random),
            });
        }
        for number in 0..random.below(5) {
            let name = format!("global-{number}");
            indexes.push(Index::random_global(random, name, has_sort));
        }
        Self {
            name: name.into(),
            types,
            has_sort,
            indexes,
        }
    }

    /// The CreateTable request.
    pub(super) fn request(&self, random: &mut Random) -> Value {
        let mut used: BTreeSet<&str> = self.key_names().into_iter().collect();
        let mut request = json!({"TableName": self.name, "BillingMode": "PAY_PER_REQUEST"});
        let sort: &[&str] = if self.has_sort { &["sk"] } else { &[] };
        request["KeySchema"] = key_schema(&["pk"], sort);
        for (member, local) in [
            ("LocalSecondaryIndexes", true),
            ("GlobalSecondaryIndexes", false),
        ] {
            let mut indexes = Vec::new();
            for index in self.indexes.iter().filter(|index| index.local == local) {
                used.extend(index.key_names());
                indexes.push(index.request());
            }
            if !indexes.is_empty() {
                request[member] = indexes.into();
            }
        }
        let used: Vec<&str> = used.into_iter().collect();
        request["AttributeDefinitions"] = self.definitions(&random.shuffled(&used));
        request
    }

    pub(super) fn definitions(&self, names: &[&str]) -> Value {
        let definition =
            |name: &&str| json!({"AttributeName": name, "AttributeType": self.types[name]});
        names.iter().map(definition).collect()
    }

    pub(super) fn key_names(&self) -> Vec<&'static str> {
        if self.has_sort {
            vec!["pk", "sk"]
        } else {
            vec!["pk"]
        }
    }

    /// The primary key of an item.
    pub(super) fn key(&self, item: &Value) -> Value {
        only(item, &self.key_names())
    }

    /// A key that an item may have, or has.
    pub(super) fn random_key(&self, random: &mut Random) -> Value {
        let names = self.key_names().into_iter();
        let key: Map<String, Value> = names
            .map(|name| (name.into(), scalar(random, self.types[name])))
            .collect();
        key.into()
    }

    /// A value that the attribute may have, or now and then one that an index does not allow.
    pub(super) fn value(&self, random: &mut Random, name: &str) -> Value {
        match self.types.get(name) {
            Some(_) if random.one_in(60) => other(random, "x"),
            Some(kind) => scalar(random, kind),
            None => other(random, name),
        }
    }

    /// An item with this key.
    pub(super) fn random_item(&self, random: &mut Random, key: Value) -> Value {
        let mut item = key;
        for name in random.some(INDEXABLE, INDEXABLE.len()) {
            item[name] = self.value(random, name);
        }
        for name in random.some(OTHERS, OTHERS.len()) {
            item[name] = self.value(random, name);
        }
        item
    }

    /// Whether the indexes allow an item: an attribute that is a key of one must be fit for it, but
    /// an update may leave one as it was before there was the index.
    pub(super) fn allows(&self, item: &Value, old: Option<&Value>) -> bool {
        self.indexes
            .iter()
            .flat_map(Index::key_names)
            .filter(|name| item.get(name).is_some())
            .filter(|name| old.is_none_or(|old| old.get(name) != item.get(name)))
            .all(|name| self.fits(item, name))
    }

    /// Whether the item's attribute can be that of a key: of the declared type and not empty
    /// (developer guide, "Global secondary indexes", "Detecting and correcting index key violations").
    fn fits(&self, item: &Value, name: &str) -> bool {
        item.get(name).is_some_and(|value| {
            kind(value) == self.types[name] && value[self.types[name]] != json!("")
        })
    }
}

impl Index {
    /// A global index of a table that has a sort key, or none.
    pub(super) fn random_global(random: &mut Random, name: String, has_sort: bool) -> Self {
        let own: &[&str] = if has_sort { &["pk", "sk"] } else { &["pk"] };
        let names = random.shuffled(&[INDEXABLE, own].concat());
        // Most indexes have simple keys, and so do most entries.
        let most = if random.one_in(3) { 4 } else { 1 };
        let partition = 1 + random.below(most);
        let sort = random.below(most + 1).min(names.len() - partition);
        Self {
            name,
            local: false,
            partition: names[..partition].to_vec(),
            sort: names[partition..partition + sort].to_vec(),
            projection: Projection::random(random),
        }
    }

    /// It, as CreateTable and UpdateTable are given it.
    pub(super) fn request(&self) -> Value {
        json!({
            "IndexName": self.name,
            "KeySchema": key_schema(&self.partition, &self.sort),
            "Projection": self.projection.request(),
        })
    }

    pub(super) fn key_names(&self) -> Vec<&'static str> {
        [&self.partition[..], &self.sort].concat()
    }

    /// Whether entries have the attribute of items that have it.
    pub(super) fn carries(&self, schema: &Schema, name: &str) -> bool {
        match &self.projection {
            Projection::All => true,
            Projection::Include(names) if names.contains(&name) => true,
            _ => schema.key_names().contains(&name) || self.key_names().contains(&name),
        }
    }

    pub(super) fn carries_all(&self) -> bool {
        matches!(self.projection, Projection::All)
    }

    /// What an item has in the index, if it has every attribute of its key and each is fit for it.
    pub(super) fn entry(&self, schema: &Schema, item: &Value) -> Option<Value> {
        if !self.key_names().iter().all(|name| schema.fits(item, name)) {
            return None;
        }
        let attributes = item.as_object().unwrap().iter();
        let carried: Map<String, Value> = attributes
            .filter(|(name, _)| self.carries(schema, name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Some(carried.into())
    }

    /// The attributes that tell where an entry stands.
    pub(super) fn position(&self, schema: &Schema, entry: &Value) -> Value {
        only(entry, &[schema.key_names(), self.key_names()].concat())
    }
}

fn key_schema(partition: &[&str], sort: &[&str]) -> Value {
    let element = |name: &&str, key: &str| json!({"AttributeName": name, "KeyType": key});
    let partition = partition.iter().map(|name| element(name, "HASH"));
    let sort = sort.iter().map(|name| element(name, "RANGE"));
    partition.chain(sort).collect()
}

/// The item without other attributes than these.
fn only(item: &Value, names: &[&str]) -> Value {
    let attributes = names
        .iter()
        .map(|name| ((*name).to_owned(), item[*name].clone()));
    attributes.collect::<Map<_, _>>().into()
}
