//! The client tokens of the last ten minutes.
//!
//! SDKs send one with every transaction, so that there may be millions. Each is a row that is written
//! with its transaction. Rows are not looked for to be removed: they are written into one keyspace for
//! ten minutes, then into a new one, and when that is ten minutes old, everything in the one before
//! has expired and is dropped with it, at the cost of one record.

use std::{collections::HashSet, sync::Arc};

use parking_lot::Mutex;

use super::token::{Record, VALID_MS};
use crate::{
    mutants::{Mutant, is_on},
    store::{
        Batch, Commit, EngineError, Fault, Generation, Generations, Key, KeyspaceId, ReadMode,
        Store, system,
    },
    table::Namespace,
    wire::Operation,
};

/// A token among all those that requests ever have: the same text is another token in another
/// operation, account or Region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenId(Box<[u8]>);

impl TokenId {
    /// The token that `operation` was given in `namespace`.
    pub fn new(operation: Operation, namespace: &Namespace, token: &str) -> Self {
        // Only the last of these can contain a zero byte.
        let parts = [
            operation.name(),
            &namespace.account,
            &namespace.region,
            token,
        ];
        Self(parts.join("\0").into_bytes().into())
    }

    fn row(&self, keyspace: KeyspaceId) -> Key {
        Key::new(keyspace, &self.0, b"")
    }
}

/// All client tokens.
pub struct Tokens {
    store: Store,
    /// The keyspaces of tokens, newest first: at most two.
    generations: Mutex<Generations>,
    in_flight: Arc<Mutex<HashSet<TokenId>>>,
}

/// The only request in progress with its token, until this is dropped.
pub struct InFlight {
    id: TokenId,
    all: Arc<Mutex<HashSet<TokenId>>>,
}

impl Tokens {
    /// Reads where the tokens are, and drops what has expired.
    pub fn load(store: Store) -> Result<Self, EngineError> {
        let stored = store.get(&system::token_keyspaces(), ReadMode::Blocking)?;
        let stored = stored.filter(|_| !is_on(Mutant::TokenLoaded));
        let generations = Generations::decode(stored.as_deref().unwrap_or_default());
        let now_ms = store.now_ms();
        let tokens = Self {
            store,
            generations: Mutex::new(generations),
            in_flight: Arc::default(),
        };
        // If it is lost, it is done again.
        drop(tokens.drop_expired(now_ms)?);
        Ok(tokens)
    }

    /// Drops all keyspaces if everything in them has expired by `now_ms`, and nobody is about to write
    /// into them: a request in progress may have been told where, before the clock was moved.
    pub fn drop_expired(&self, now_ms: u64) -> Result<Commit, EngineError> {
        let mut generations = self.generations.lock();
        let expired = generations
            .0
            .first()
            .is_some_and(|newest| now_ms >= newest.since_ms.saturating_add(2 * VALID_MS));
        if !expired || !self.in_flight.lock().is_empty() {
            return Ok(self.store.wait_durable(0));
        }
        let mut batch = Batch::new();
        for generation in std::mem::take(&mut generations.0) {
            batch.drop_keyspace(generation.keyspace);
        }
        batch.delete(system::token_keyspaces());
        self.store.write(batch)
    }

    /// Begins a request with a token. `None` if another is in progress.
    pub fn begin(&self, id: TokenId) -> Option<InFlight> {
        // Made only if it is the first: dropping it takes the token out of the set.
        let is_first = self.in_flight.lock().insert(id.clone());
        is_first.then(|| InFlight {
            id,
            all: Arc::clone(&self.in_flight),
        })
    }

    /// What is kept of the transaction that had this token, if it still counts. It may not be shown
    /// before the commit is durable.
    pub fn find(
        &self,
        token: &InFlight,
        mode: ReadMode,
    ) -> Result<(Option<Record>, Commit), Fault> {
        let generations = self.generations.lock().clone();
        let rows: Vec<Key> = generations
            .0
            .iter()
            .map(|generation| token.id.row(generation.keyspace))
            .collect();
        let transaction = self.store.transaction(&rows, mode)?;
        let now_ms = self.store.now_ms();
        let mut found = None;
        for row in &rows {
            let record = transaction.get(row)?.and_then(|row| Record::decode(&row));
            found = found.or(record.filter(|record| record.is_valid(now_ms)));
        }
        Ok((found, transaction.commit()?))
    }

    /// Where the row of a token is to be written now.
    pub fn row(&self, token: &InFlight) -> Result<Key, Fault> {
        let mut generations = self.generations.lock();
        let now_ms = self.store.now_ms();
        let keyspace = match generations.0.first() {
            Some(newest) if now_ms < newest.since_ms.saturating_add(VALID_MS) => newest.keyspace,
            _ => self.begin_generation(&mut generations, now_ms)?,
        };
        Ok(token.id.row(keyspace))
    }

    /// Makes a new keyspace, and drops the one before the one that was newest: a generation takes no
    /// rows once it is ten minutes old, so that those of the oldest have all expired.
    ///
    /// What is written here is before all rows of the new generation in the log, so that nobody need
    /// wait for it.
    fn begin_generation(
        &self,
        generations: &mut Generations,
        now_ms: u64,
    ) -> Result<KeyspaceId, EngineError> {
        let keyspace = self.store.create_keyspace()?;
        let newest = Generation {
            keyspace,
            since_ms: now_ms,
        };
        let mut kept = vec![newest];
        kept.extend(generations.0.first());
        let mut batch = Batch::new();
        for expired in generations.0.iter().skip(1) {
            batch.drop_keyspace(expired.keyspace);
        }
        let kept = Generations(kept);
        batch.put(system::token_keyspaces(), kept.encode());
        drop(self.store.write_upkeep(batch)?);
        *generations = kept;
        Ok(keyspace)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.all.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
