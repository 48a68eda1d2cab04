//! The logs: keyspaces that hold the records of all streams, each those of some hours.
//!
//! A shard's records are in the log that was current when the shard was made, and no shard takes
//! records for longer than its life: so everything in a log has been trimmed a while after it stopped
//! being the current one, and it is dropped with all that is in it, at the cost of one record.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::{RETENTION_MS, SHARD_LIFE_MS};
use crate::store::{
    Batch, Commit, EngineError, Generation, Generations, KeyspaceId, ReadMode, Store, system,
};

/// How long a log is the current one.
const CURRENT_MS: u64 = SHARD_LIFE_MS;

/// All logs.
pub(super) struct Logs {
    store: Store,
    /// Newest first.
    generations: Mutex<Generations>,
}

impl Logs {
    /// Reads which logs there are.
    pub(super) fn load(store: Store) -> Result<Self, EngineError> {
        let stored = store.get(&system::stream_logs(), ReadMode::Blocking)?;
        let generations = Generations::decode(stored.as_deref().unwrap_or_default());
        Ok(Self {
            store,
            generations: Mutex::new(generations),
        })
    }

    /// The log that new shards write to. May wait for the disk.
    ///
    /// What is written here is before everything in the new log in the order of commits, so that
    /// nobody need wait for it.
    pub(super) fn current(&self, now_ms: u64) -> Result<KeyspaceId, EngineError> {
        let mut generations = self.generations.lock();
        if let Some(newest) = generations.0.first()
            && now_ms < newest.since_ms.saturating_add(CURRENT_MS)
        {
            return Ok(newest.keyspace);
        }
        let keyspace = self.store.create_log()?;
        let mut changed = generations.clone();
        let since_ms = now_ms;
        changed.0.insert(0, Generation { keyspace, since_ms });
        let mut batch = Batch::new();
        batch.put(system::stream_logs(), changed.encode());
        drop(self.store.write(batch)?);
        *generations = changed;
        Ok(keyspace)
    }

    /// Drops the logs in which everything is trimmed, but for those that an open shard writes to.
    pub(super) fn drop_expired(
        &self,
        now_ms: u64,
        in_use: &HashSet<KeyspaceId>,
    ) -> Result<Option<Commit>, EngineError> {
        let mut generations = self.generations.lock();
        let is_expired = |log: &Generation| {
            let life_ms = CURRENT_MS + SHARD_LIFE_MS + RETENTION_MS;
            now_ms >= log.since_ms.saturating_add(life_ms) && !in_use.contains(&log.keyspace)
        };
        let (expired, kept): (Vec<_>, Vec<_>) = generations.0.iter().copied().partition(is_expired);
        if expired.is_empty() {
            return Ok(None);
        }
        let kept = Generations(kept);
        let mut batch = Batch::new();
        for log in expired {
            batch.drop_keyspace(log.keyspace);
        }
        batch.put(system::stream_logs(), kept.encode());
        let commit = self.store.write(batch)?;
        *generations = kept;
        Ok(Some(commit))
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.generations.lock().0.len()
    }
}
