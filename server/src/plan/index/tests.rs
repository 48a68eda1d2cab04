use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    item::{ItemBuilder, Value},
    plan::fixture::{item, table},
    table::Projection,
};

/// A table with every kind of index: local and global, all projections, several key attributes, keys
/// shared with the table.
fn indexed() -> Arc<Table> {
    let include = Projection::Include(vec!["x".into(), "y".into()]);
    table(
        &[
            ("local-all", &["pk"], &["a"], Projection::All),
            ("local-keys", &["pk"], &["n"], Projection::KeysOnly),
        ],
        &[
            ("global-include", &["a"], &[], include.clone()),
            ("global-keys", &["a"], &["n"], Projection::KeysOnly),
            ("global-many", &["a", "sk"], &["n", "x"], include),
            ("global-swapped", &["sk"], &["pk"], Projection::All),
        ],
    )
}

fn names(item: &Item) -> Vec<&str> {
    item.iter().map(|(name, _)| name).collect()
}

#[test]
fn an_entry_needs_every_key_attribute() {
    let table = indexed();
    let item = item(r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"a"},"z":{"S":"z"}}"#);
    let present: Vec<&str> = table
        .indexes()
        .iter()
        .filter(|index| entry(&table, index, &item).is_some())
        .map(SecondaryIndex::name)
        .collect();
    assert_eq!(present, ["local-all", "global-include", "global-swapped"]);
}

#[test]
fn an_attribute_of_another_type_keeps_an_item_out() {
    let table = indexed();
    let item = item(r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"N":"1"}}"#);
    let index = table.index("global-include").unwrap();
    assert_eq!(entry(&table, index, &item), None);
}

#[test]
fn an_entry_carries_both_keys_and_the_projection() {
    let table = indexed();
    let whole = item(
        r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"a"},"n":{"N":"1"},"y":{"S":"y"},"z":{"S":"z"}}"#,
    );
    let carried = |name| {
        let index = table.index(name).unwrap();
        entry(&table, index, &whole).unwrap().item
    };
    assert_eq!(carried("local-all"), whole);
    assert_eq!(names(&carried("local-keys")), ["n", "pk", "sk"]);
    assert_eq!(names(&carried("global-include")), ["a", "pk", "sk", "y"]);
    assert_eq!(names(&carried("global-keys")), ["a", "n", "pk", "sk"]);
}

#[test]
fn changes_cost_one_write_per_entry_that_comes_goes_or_changes() {
    let table = table(
        &[],
        &[("i", &["a"], &[], Projection::Include(vec!["x".into()]))],
    );
    let none = None;
    let small = Some(item(
        r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"1"},"z":{"S":"1"}}"#,
    ));
    let other = Some(item(
        r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"1"},"z":{"S":"2"}}"#,
    ));
    let moved = Some(item(r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"2"}}"#));
    let sparse = Some(item(r#"{"pk":{"S":"p"},"sk":{"S":"s"}}"#));
    let long = "x".repeat(1500);
    let large = Some(item(&format!(
        r#"{{"pk":{{"S":"p"}},"sk":{{"S":"s"}},"a":{{"S":"1"}},"x":{{"S":"{long}"}}}}"#
    )));
    for (old, new, cost, count) in [
        (&none, &small, Some(1.0), 1),
        (&small, &none, Some(1.0), -1),
        (&small, &other, None, 0),
        (&small, &moved, Some(2.0), 0),
        (&small, &sparse, Some(1.0), -1),
        (&none, &sparse, None, 0),
        (&small, &large, Some(2.0), 0),
        (&large, &small, Some(2.0), 0),
        (&large, &moved, Some(3.0), 0),
    ] {
        let changes = changes(&table, old.as_ref(), new.as_ref(), &[]);
        assert_eq!(
            changes.first().map(|change| change.units.as_f64()),
            cost,
            "{old:?} {new:?}"
        );
        assert_eq!(
            changes.iter().map(|change| change.count).sum::<i64>(),
            count
        );
    }
}

/// Attributes that exercise the indexes: present or not, of the right type or another.
fn attributes() -> impl Strategy<Value = Item> {
    let value = prop_oneof![
        "[ab]{0,2}".prop_map(|text| Value::from(text.as_str())),
        (0..3i64).prop_map(|number| Value::from(crate::item::Number::from(number))),
    ];
    let name = prop_oneof![Just("a"), Just("n"), Just("x"), Just("y"), Just("z")];
    (
        prop::collection::btree_map(name, value, 0..5),
        "[ab]",
        "[ab]",
    )
        .prop_map(|(attributes, pk, sk)| {
            let mut builder = ItemBuilder::new();
            for (name, value) in &attributes {
                builder.put(name, value.as_ref());
            }
            builder
                .with("pk", pk.as_str())
                .with("sk", sk.as_str())
                .build()
        })
}

proptest! {
    /// Whatever is put, replaced and deleted: applying only the changes leaves in every index exactly
    /// the entries of the items that the table holds.
    #[test]
    fn every_index_is_a_function_of_its_table(
        writes in prop::collection::vec((attributes(), any::<bool>()), 1..40)
    ) {
        let table = indexed();
        let mut items: BTreeMap<Vec<u8>, Item> = BTreeMap::new();
        let mut entries: Vec<BTreeMap<Vec<u8>, Item>> = vec![BTreeMap::new(); table.indexes().len()];
        let mut counts = vec![0; table.indexes().len()];
        let mut sizes = vec![0; table.indexes().len()];
        for (item, put) in writes {
            let key = key::primary_key(&table, item.as_ref()).unwrap().as_bytes().to_vec();
            let old = items.get(&key).cloned();
            let new = put.then_some(item);
            for change in changes(&table, old.as_ref(), new.as_ref(), &[]) {
                let stored = &mut entries[change.position];
                if let Some(key) = change.delete {
                    prop_assert!(stored.remove(key.as_bytes()).is_some());
                }
                if let Some(entry) = change.put {
                    stored.insert(entry.key.as_bytes().to_vec(), entry.item);
                }
                counts[change.position] += change.count;
                sizes[change.position] += change.bytes;
            }
            match new {
                Some(item) => items.insert(key, item),
                None => items.remove(&key),
            };
        }
        for (position, index) in table.indexes().iter().enumerate() {
            let expected: BTreeMap<Vec<u8>, Item> = items
                .values()
                .filter_map(|item| entry(&table, index, item))
                .map(|entry| (entry.key.as_bytes().to_vec(), entry.item))
                .collect();
            prop_assert_eq!(&entries[position], &expected);
            prop_assert_eq!(counts[position], expected.len() as i64);
            let size: i64 = expected.values().map(|item| item.size() as i64).sum();
            prop_assert_eq!(sizes[position], size);
        }
    }
}
