//! Point reads: the memtables, newest first, then the SSTables.

use super::shared::Shared;
use crate::error::Result;
use crate::key::{Key, Kind};
use crate::memtable::Found;
use crate::{ReadMode, Value};

/// The newest applied version of a key, be it a value or a tombstone. Only whoever holds the key's
/// lock may go by it.
pub(super) fn newest(shared: &Shared, key: &Key, mode: ReadMode) -> Result<Option<Found>> {
    find(shared, key, u64::MAX, mode)
}

/// The value of a key at a sequence number that a snapshot holds.
pub(super) fn get(
    shared: &Shared,
    key: &Key,
    sequence: u64,
    mode: ReadMode,
) -> Result<Option<Value>> {
    if shared.dropped.hides(key.keyspace(), sequence) {
        return Ok(None);
    }
    let found = find(shared, key, sequence, mode)?;
    Ok(found
        .filter(|found| found.kind == Kind::Put)
        .map(|found| found.value))
}

/// The newest durable value of a key, without a snapshot to hold it.
///
/// What is looked into is fixed before the sequence number is read: a compaction in between could
/// otherwise have dropped the version that the number asks for, in favour of a newer one.
pub(super) fn get_durable(shared: &Shared, key: &Key, mode: ReadMode) -> Result<Option<Value>> {
    get(shared, key, shared.durable.sequence(), mode)
}

fn find(shared: &Shared, key: &Key, sequence: u64, _mode: ReadMode) -> Result<Option<Found>> {
    let memtables = shared.memtables.load();
    Ok(memtables
        .iter()
        .find_map(|memtable| memtable.get(key.as_bytes(), sequence)))
}
