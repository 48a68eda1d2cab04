//! The keyspaces of the server itself, and the keys in them.
//!
//! Keyspaces below [`stator_engine::FIRST_CREATED_KEYSPACE`] are ours to number; those of tables and
//! indexes are created and come after them.
//!
//! These numbers and names are on disk: do not change them.

use stator_engine::{Batch, Error as EngineError, Key, KeyRange, KeyspaceId, ReadMode};

use super::Store;

/// Definitions of tables, and what is kept about tables as a whole.
pub const CATALOG: KeyspaceId = KeyspaceId(1);

/// Form of the system keyspaces.
const FORM: u8 = 1;

/// Definitions of tables: sorted by account, Region and name.
pub fn table_definition(account: &str, region: &str, name: &str) -> Key {
    // None of the three can contain a zero byte.
    let sort = [account, region, name].join("\0");
    Key::new(CATALOG, b"tables", sort.as_bytes())
}

/// All definitions of tables.
pub fn table_definitions() -> KeyRange {
    KeyRange::partition(CATALOG, b"tables")
}

/// Where the client tokens of transactions are.
pub fn token_keyspaces() -> Key {
    Key::new(CATALOG, b"tokens", b"")
}

/// Definitions of streams: sorted by account, Region, name of the table and label.
pub fn stream_definition(account: &str, region: &str, table: &str, label: &str) -> Key {
    // None of the four can contain a zero byte.
    let sort = [account, region, table, label].join("\0");
    Key::new(CATALOG, b"streams", sort.as_bytes())
}

/// All definitions of streams.
pub fn stream_definitions() -> KeyRange {
    KeyRange::partition(CATALOG, b"streams")
}

/// Where the records of streams are.
pub fn stream_logs() -> Key {
    Key::new(CATALOG, b"stream-logs", b"")
}

/// Where a clock that is driven stands.
pub fn clock() -> Key {
    Key::new(CATALOG, b"clock", b"")
}

/// What is known of the live statistics of a keyspace.
pub fn statistics(keyspace: KeyspaceId) -> Key {
    Key::new(CATALOG, b"statistics", &keyspace.0.to_be_bytes())
}

/// How far an index that was added to a table has been filled; gone once it has all its entries.
pub fn backfill(keyspace: KeyspaceId) -> Key {
    Key::new(CATALOG, b"backfills", &keyspace.0.to_be_bytes())
}

/// Those of all indexes.
pub fn backfills() -> KeyRange {
    KeyRange::partition(CATALOG, b"backfills")
}

/// Checks that we understand what is in the system keyspaces, and says in which form it is from now
/// on, if nothing is there yet.
pub(super) fn check_form(store: &Store) -> Result<(), EngineError> {
    let form = Key::new(CATALOG, b"form", b"");
    match store.get(&form, ReadMode::Blocking)? {
        Some(found) if *found == [FORM] => Ok(()),
        Some(found) => Err(EngineError::invalid(format!(
            "another version of Stator wrote this data: its system keyspaces have form {found:?}, \
             and this version reads form {FORM}"
        ))),
        None => {
            let mut batch = Batch::new();
            batch.put(form, vec![FORM]);
            // Whatever comes later is later in the log, so that this need not be waited for.
            drop(store.write_upkeep(batch)?);
            Ok(())
        }
    }
}
