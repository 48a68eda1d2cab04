//! A transaction: reads and writes of keys that nobody else may touch meanwhile.

use std::fmt;
use std::sync::Arc;

use super::batch::Batch;
use super::commit::Commit;
use super::locks::KeyGuard;
use super::read;
use super::shared::Shared;
use crate::error::Result;
use crate::key::{Key, KeyspaceId, Kind};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::{ReadMode, Value};

/// Reads, checks and writes under the locks of its keys. What it writes is one batch, committed as a
/// whole; dropping it instead abandons it.
///
/// It reads the newest *applied* version of a key, which may not be durable yet: whoever shows
/// what was read, without committing anything, first waits for
/// [`read_sequence`](Transaction::read_sequence) with [`Db::wait_durable`](crate::Db::wait_durable).
/// A commit of its own is durable no sooner than all it has read.
///
/// The locks are those of the keys it was opened with. It may write other keys too, if those are
/// only ever written under these locks (a secondary index's entries under the lock of the item);
/// and read others, if it does not matter that they may change before it commits.
pub struct Transaction {
    shared: Arc<Shared>,
    locks: KeyGuard,
    mode: ReadMode,
    batch: Batch,
    read_sequence: AtomicU64,
}

impl Transaction {
    pub(super) fn new(shared: Arc<Shared>, locks: KeyGuard, mode: ReadMode) -> Self {
        let (batch, read_sequence) = (Batch::new(), AtomicU64::new(0));
        Transaction {
            shared,
            locks,
            mode,
            batch,
            read_sequence,
        }
    }

    /// The value of a key: what this transaction wrote, or else the newest one that was applied.
    pub fn get(&self, key: &Key) -> Result<Option<Value>> {
        if let Some(written) = self.batch.get(key) {
            return Ok(written);
        }
        if self.shared.dropped.hides(key.keyspace(), u64::MAX) {
            return Ok(None);
        }
        let Some(found) = read::newest(&self.shared, key, self.mode)? else {
            return Ok(None);
        };
        self.read_sequence
            .fetch_max(found.sequence, Ordering::Relaxed);
        Ok((found.kind == Kind::Put).then_some(found.value))
    }

    /// Sets the value of a key.
    pub fn put(&mut self, key: Key, value: impl Into<Value>) {
        self.batch.put(key, value);
    }

    /// Sets the value of a key that the commit makes; see [`Batch::put_stamped`].
    pub fn put_stamped(
        &mut self,
        keyspace: KeyspaceId,
        partition: &[u8],
        suffix: &[u8],
        value: impl Into<Value>,
    ) {
        self.batch.put_stamped(keyspace, partition, suffix, value);
    }

    /// Removes a key, whether it exists or not.
    pub fn delete(&mut self, key: Key) {
        self.batch.delete(key);
    }

    /// Drops a keyspace; see [`Batch::drop_keyspace`].
    pub fn drop_keyspace(&mut self, keyspace: KeyspaceId) {
        self.batch.drop_keyspace(keyspace);
    }

    /// Whether its reads may wait.
    #[must_use]
    pub fn mode(&self) -> ReadMode {
        self.mode
    }

    /// The newest commit of which it has read something; 0 if there is none.
    #[must_use]
    pub fn read_sequence(&self) -> u64 {
        self.read_sequence.load(Ordering::Relaxed)
    }

    /// Commits what was written, and gives the locks back: who takes them next sees it, although it
    /// is not durable yet. Fails before any effect. Without writes, the commit is that of the newest
    /// one of which something was read.
    pub fn commit(self) -> Result<Commit> {
        let Transaction {
            shared,
            locks,
            batch,
            read_sequence,
            ..
        } = self;
        let commit = if batch.is_empty() {
            Commit::new(shared, read_sequence.into_inner(), None)
        } else {
            shared.commit(batch)?
        };
        drop(locks);
        Ok(commit)
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("batch", &self.batch)
            .finish_non_exhaustive()
    }
}
