//! Point reads: the memtables, newest first, then the SSTables, newest first. The first that has a
//! version has the newest. If none has one and the keyspace is a fork, the same in what it is read over.
//!
//! A memtable that is written out is first named by the version and then forgotten, so that whoever
//! looks at the memtables before the version misses nothing; at worst it finds the same twice.

use super::memtables::Memtables;
use super::shared::Shared;
use crate::error::Result;
use crate::key::{Key, Kind};
use crate::manifest::Version;
use crate::memtable::Found;
use crate::mutants::{Mutant, is_on};
use crate::sstable::Lookup;
use crate::{ReadMode, Value};

/// The newest applied version of a key, be it a value or a tombstone. Only whoever holds the key's
/// lock may go by it.
pub(super) fn newest(shared: &Shared, key: &Key, mode: ReadMode) -> Result<Option<Found>> {
    find(shared, key, mode, || u64::MAX)
}

/// The value of a key at a sequence number that a snapshot holds.
pub(super) fn get(
    shared: &Shared,
    key: &Key,
    sequence: u64,
    mode: ReadMode,
) -> Result<Option<Value>> {
    let found = find(shared, key, mode, || sequence)?;
    if shared.dropped.hides(key.keyspace(), sequence) {
        return Ok(None);
    }
    Ok(value(found))
}

/// The newest durable value of a key, without a snapshot to hold it.
pub(super) fn get_durable(shared: &Shared, key: &Key, mode: ReadMode) -> Result<Option<Value>> {
    let mut at = 0;
    let found = find(shared, key, mode, || {
        at = match is_on(Mutant::ReadDurable) {
            true => shared.applied.sequence(),
            false => shared.durable.sequence(),
        };
        at
    })?;
    if shared.dropped.hides(key.keyspace(), at) {
        return Ok(None);
    }
    Ok(value(found))
}

fn value(found: Option<Found>) -> Option<Value> {
    found
        .filter(|found| found.kind == Kind::Put)
        .map(|found| found.value)
}

/// The newest version up to a sequence number, which is asked for once it is fixed what is looked
/// into: a compaction in between could otherwise have dropped the version that an unheld number
/// asks for, in favour of a newer one.
fn find(
    shared: &Shared,
    key: &Key,
    mode: ReadMode,
    sequence: impl FnOnce() -> u64,
) -> Result<Option<Found>> {
    let memtables = shared.memtables.load();
    let version = shared.versions.load();
    let sequence = sequence();
    let found = find_own(&memtables, &version, key.as_bytes(), sequence, mode)?;
    if found.is_some() {
        return Ok(found);
    }
    let mut below = version.below(key.as_bytes(), sequence);
    while let Some((user_key, at)) = below {
        let found = find_own(&memtables, &version, &user_key, at, mode)?;
        if found.is_some() {
            return Ok(found);
        }
        below = version.below(&user_key, at);
    }
    Ok(None)
}

/// In the keyspace itself.
fn find_own(
    memtables: &Memtables,
    version: &Version,
    user_key: &[u8],
    sequence: u64,
    mode: ReadMode,
) -> Result<Option<Found>> {
    let in_memory = memtables
        .iter()
        .find_map(|memtable| memtable.get(user_key, sequence));
    if in_memory.is_some() {
        return Ok(in_memory);
    }
    let found = version.get(&Lookup::new(user_key, sequence), mode)?;
    Ok(found.map(|found| Found {
        sequence: found.sequence,
        kind: found.kind,
        value: found.value,
    }))
}
