//! The tables, and what an item has in each of their indexes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

/// An item as its JSON.
pub(super) type Item = Map<String, Value>;

/// All items.
pub(super) type Items = BTreeMap<ItemKey, Arc<Item>>;

/// Where an item stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ItemKey {
    /// In which of [`TABLES`].
    pub(super) table: usize,
    pub(super) pk: String,
    /// Absent in a table without a sort key.
    pub(super) sk: Option<u32>,
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    has_sort: bool,
    pub(super) indexes: &'static [Index],
}

/// A secondary index.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) name: &'static str,
    hash: &'static str,
    sort: Option<&'static str>,
    local: bool,
    projection: Projection,
}

#[derive(Debug)]
enum Projection {
    All,
    KeysOnly,
    Include(&'static str),
}

/// The tables: one with everything, and one that is simpler, for what spans tables.
pub(super) const TABLES: [Table; 2] = [
    Table {
        name: "torture.left",
        has_sort: true,
        indexes: &[
            Index {
                name: "by-group",
                hash: "g",
                sort: Some("s"),
                local: false,
                projection: Projection::All,
            },
            Index {
                name: "by-stamp",
                hash: "pk",
                sort: Some("s"),
                local: true,
                projection: Projection::KeysOnly,
            },
        ],
    },
    Table {
        name: "torture.right",
        has_sort: false,
        indexes: &[Index {
            name: "by-group",
            hash: "g",
            sort: None,
            local: false,
            projection: Projection::Include("v"),
        }],
    },
];

/// An index that the first table has at times.
pub(super) const ADDED: Index = Index {
    name: "added",
    hash: "s",
    sort: Some("v"),
    local: false,
    projection: Projection::KeysOnly,
};

/// The attribute that says when an item expires.
pub(super) const TTL: &str = "ttl";

/// The table with a number. There is none but those.
pub(super) fn table(number: usize) -> &'static Table {
    static ALL: [Table; 2] = TABLES;
    ALL.get(number).unwrap_or(&ALL[0])
}

impl ItemKey {
    /// The attributes of the key.
    pub(super) fn attributes(&self) -> Item {
        let mut key = Item::new();
        key.insert("pk".into(), json!({"S": self.pk}));
        if let Some(sk) = self.sk {
            key.insert("sk".into(), number(sk));
        }
        key
    }

    /// The key of an item, or of a record's `Keys`.
    pub(super) fn of(table: usize, item: &Value) -> Option<Self> {
        let pk = item.get("pk")?.get("S")?.as_str()?.to_owned();
        let sk = match item.get("sk") {
            Some(sk) => Some(sk.get("N")?.as_str()?.parse().ok()?),
            None => None,
        };
        Some(Self { table, pk, sk })
    }
}

/// A number as an attribute.
pub(super) fn number(of: impl std::fmt::Display) -> Value {
    json!({"N": of.to_string()})
}

/// The number that an attribute is.
pub(super) fn as_number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.get("N")?.as_str()?.parse().ok()
}

fn kind(attribute: &str) -> &'static str {
    match attribute {
        "pk" | "g" => "S",
        _ => "N",
    }
}

fn definitions<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    let names: std::collections::BTreeSet<&str> = names.into_iter().collect();
    let each = |name: &str| json!({"AttributeName": name, "AttributeType": kind(name)});
    names.into_iter().map(each).collect()
}

impl Table {
    /// CreateTable.
    pub(super) fn creation(&self) -> Value {
        let sort = self.has_sort.then_some("sk");
        let of = |local: bool| {
            let indexes = self
                .indexes
                .iter()
                .filter(move |index| index.local == local);
            indexes.map(Index::definition).collect::<Vec<_>>()
        };
        let keys = self.indexes.iter().flat_map(Index::key);
        let mut request = json!({
            "TableName": self.name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": definitions(keys.chain(["pk"]).chain(sort)),
            "KeySchema": schema("pk", sort),
            "GlobalSecondaryIndexes": of(false),
            "StreamSpecification": {
                "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        });
        let locals = of(true);
        if let (Some(request), false) = (request.as_object_mut(), locals.is_empty()) {
            request.insert("LocalSecondaryIndexes".into(), locals.into());
        }
        request
    }

    /// UpdateTimeToLive.
    pub(super) fn expiry(&self, enabled: bool) -> Value {
        json!({
            "TableName": self.name,
            "TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": TTL},
        })
    }

    /// UpdateTable, to have an index more or less.
    pub(super) fn change(&self, index: &Index, add: bool) -> Value {
        match add {
            true => json!({
                "TableName": self.name,
                "AttributeDefinitions": definitions(index.key()),
                "GlobalSecondaryIndexUpdates": [{"Create": index.definition()}],
            }),
            false => json!({
                "TableName": self.name,
                "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": index.name}}],
            }),
        }
    }
}

fn schema(hash: &str, sort: Option<&str>) -> Value {
    let sort = sort.map(|sort| json!({"AttributeName": sort, "KeyType": "RANGE"}));
    let hash = json!({"AttributeName": hash, "KeyType": "HASH"});
    std::iter::once(hash).chain(sort).collect()
}

impl Index {
    fn key(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.hash).chain(self.sort)
    }

    fn definition(&self) -> Value {
        let projection = match self.projection {
            Projection::All => json!({"ProjectionType": "ALL"}),
            Projection::KeysOnly => json!({"ProjectionType": "KEYS_ONLY"}),
            Projection::Include(name) => {
                json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": [name]})
            }
        };
        json!({
            "IndexName": self.name,
            "KeySchema": schema(self.hash, self.sort),
            "Projection": projection,
        })
    }

    /// What an item has in the index.
    pub(super) fn entry(&self, item: &Item) -> Option<Item> {
        if self.key().any(|name| !item.contains_key(name)) {
            return None;
        }
        let carried = |name: &str| {
            ["pk", "sk"].contains(&name)
                || self.key().any(|key| key == name)
                || match self.projection {
                    Projection::All => true,
                    Projection::KeysOnly => false,
                    Projection::Include(more) => more == name,
                }
        };
        let attributes = item.iter().filter(|(name, _)| carried(name));
        Some(
            attributes
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }
}
