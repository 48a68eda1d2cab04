use super::*;
use crate::{
    plan::fixture::{IndexSpec, item, record},
    store::StoreOptions,
    streams::Streams,
    table::{COLLECTION_LIMIT, Catalog, Change as Definition, Namespace, Projection},
};

const GLOBAL: &[IndexSpec<'_>] = &[("global", &["g"], &[], Projection::All)];

struct Tables {
    store: Store,
    catalog: Catalog,
    namespace: Namespace,
}

impl Tables {
    fn new() -> Self {
        let store = Store::open(StoreOptions::default()).unwrap();
        let streams = Streams::load(store.clone()).unwrap();
        let catalog = Catalog::load(store.clone(), streams, COLLECTION_LIMIT).unwrap();
        let namespace = Namespace::new("000000000000", "us-east-1");
        Self {
            store,
            catalog,
            namespace,
        }
    }

    /// Gives the table these indexes. Its items stay where they are.
    fn define(&self, global: &[IndexSpec<'_>]) -> Arc<Table> {
        let define = |before: Option<&Arc<Table>>| {
            let mut own = before.map(|table| table.keyspace().0);
            let record = record("table", &[], &[], global, || {
                own.take()
                    .unwrap_or_else(|| self.store.create_keyspace().unwrap().0)
            });
            let change = Definition::Put {
                record: Box::new(record),
                dropped: Vec::new(),
            };
            Ok((change, ()))
        };
        let changed = self.catalog.change(&self.namespace, "table", 0, define);
        changed.unwrap().after.unwrap()
    }

    fn put(&self, planned: &Arc<Table>, json: &str) -> Result<Written, Refusal> {
        let item = item(json);
        let write = Write {
            table: Arc::clone(planned),
            key: key::primary_key(planned, item.as_ref()).unwrap(),
            condition: None,
            action: Action::Put(item),
        };
        let results = self
            .store
            .block_on(run(&self.store, [write].into(), Actor::Client));
        results.unwrap().unwrap().pop().unwrap()
    }
}

#[test]
fn a_write_goes_by_the_definition_that_is_current_when_it_has_its_lock() {
    let tables = Tables::new();
    let old = tables.define(&[]);
    let new = tables.define(GLOBAL);
    let json = r#"{"pk": {"S": "a"}, "g": {"S": "b"}}"#;
    let written = tables.put(&old, json).unwrap();
    assert!(Arc::ptr_eq(&written.table, &new));
    assert_eq!(written.usage.indexes().len(), 1);
    let entry = index::entry(&new, &new.indexes()[0], &item(json)).unwrap();
    assert!(
        tables
            .store
            .get(&entry.key, ReadMode::Blocking)
            .unwrap()
            .is_some()
    );
    // What the new index does not take is refused, though it was right when it was planned.
    let refused = tables.put(&old, r#"{"pk": {"S": "a"}, "g": {"N": "1"}}"#);
    assert!(matches!(refused, Err(Refusal::Rejected(_))));
}

#[test]
fn a_table_that_was_deleted_is_not_written_to() {
    let tables = Tables::new();
    let old = tables.define(&[]);
    let remove = |_: Option<&Arc<Table>>| Ok((Definition::Remove, ()));
    let removed = tables.catalog.change(&tables.namespace, "table", 0, remove);
    removed.unwrap();
    let another = tables.define(&[]);
    assert!(old.current().is_none() && another.current().is_some());
    let write = Write {
        table: Arc::clone(&old),
        key: key::primary_key(&old, item(r#"{"pk": {"S": "a"}}"#).as_ref()).unwrap(),
        condition: None,
        action: Action::Delete,
    };
    let results = tables
        .store
        .block_on(run(&tables.store, [write].into(), Actor::Client))
        .unwrap();
    assert!(matches!(results, Err(Error::ResourceNotFound(_))));
}
