//! Tables for the tests of this folder.

use std::sync::Arc;

use crate::{
    item::Item,
    table::{
        BillingMode, Changes, KeyType, Projection, ProvisionedThroughput, Record, ScalarType,
        Statistics, Table, WarmThroughput,
        record::{Attribute, Index, KeyElement, VERSION},
        status::{Change, State},
    },
    wire::json::Reader,
};

/// Name and attributes of an index: (name, partition keys, sort keys, projection).
pub(crate) type IndexSpec<'a> = (&'a str, &'a [&'a str], &'a [&'a str], Projection);

/// A table with key `pk` and `sk`. Attributes whose names start with `n` are numbers, with `b`
/// binary; all others are strings.
pub(crate) fn table(local: &[IndexSpec<'_>], global: &[IndexSpec<'_>]) -> Arc<Table> {
    let mut next = 100;
    let record = record("table", &["sk"], local, global, || {
        next += 1;
        next
    });
    let table = Arc::new(Table::new(record, Statistics::new).unwrap());
    table.publish();
    table
}

/// The definition of such a table, with the sort key attributes given and its keyspaces from
/// `keyspace`.
pub(crate) fn record(
    name: &str,
    sort: &[&str],
    local: &[IndexSpec<'_>],
    global: &[IndexSpec<'_>],
    mut keyspace: impl FnMut() -> u32,
) -> Record {
    let key = elements(&["pk"], sort);
    let own = keyspace();
    let mut indexes = |specs: &[IndexSpec<'_>]| -> Vec<Index> {
        specs
            .iter()
            .map(|(name, partition, sort, projection)| Index {
                name: (*name).into(),
                keyspace: keyspace(),
                state: state(),
                allocated_ms: None,
                key: elements(partition, sort),
                projection: projection.clone(),
                throughput: throughput(),
                on_demand: None,
                warm: None,
            })
            .collect()
    };
    let (local_indexes, global_indexes) = (indexes(local), indexes(global));
    let collections = (!local_indexes.is_empty()).then(keyspace);
    let mut names: Vec<String> = local_indexes
        .iter()
        .chain(&global_indexes)
        .flat_map(|index| index.key.iter())
        .chain(&key)
        .map(|element| element.name.clone())
        .collect();
    names.sort();
    names.dedup();
    let attributes = names
        .into_iter()
        .map(|name| {
            let scalar = match name.as_bytes().first() {
                Some(b'n') => ScalarType::N,
                Some(b'b') => ScalarType::B,
                _ => ScalarType::S,
            };
            Attribute { name, scalar }
        })
        .collect();
    Record {
        version: VERSION,
        account: "000000000000".into(),
        region: "us-east-1".into(),
        name: name.into(),
        id: "id".into(),
        keyspace: own,
        created_ms: 0,
        state: state(),
        attributes,
        key,
        collections,
        local_indexes,
        global_indexes,
        billing: BillingMode::PayPerRequest,
        on_demand_since_ms: None,
        throughput: throughput(),
        on_demand: None,
        warm: WarmThroughput::ON_DEMAND,
        class: None,
        encryption: None,
        deletion_protection: false,
        policies: Vec::new(),
        changes: Changes::default(),
        tags: Vec::new(),
        time_to_live: None,
        stream: None,
    }
}

fn elements(partition: &[&str], sort: &[&str]) -> Vec<KeyElement> {
    let of = |names: &[&str], key_type| -> Vec<KeyElement> {
        names
            .iter()
            .map(|name| KeyElement {
                name: (*name).into(),
                key_type,
            })
            .collect()
    };
    [of(partition, KeyType::Hash), of(sort, KeyType::Range)].concat()
}

fn throughput() -> ProvisionedThroughput {
    ProvisionedThroughput::default()
}

fn state() -> State {
    State {
        change: Change::Create,
        until_ms: 0,
    }
}

/// An item from `{"pk":{"S":"a"},…}`.
pub(crate) fn item(json: &str) -> Item {
    crate::item::decode_json(&mut Reader::new(json.as_bytes())).unwrap()
}
