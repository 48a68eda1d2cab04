//! The oracle: every version of every key, and who sees which.

use std::collections::BTreeMap;

use stator_engine::{Batch, Key, KeyRange, KeyspaceId, Value};

/// What one commit does.
#[derive(Clone, Debug, Default)]
pub struct Change {
    writes: BTreeMap<Key, Option<Value>>,
    dropped: Vec<KeyspaceId>,
    /// Values under keys that have the sequence number of the commit in them.
    stamped: Vec<Stamped>,
}

/// Keyspace, partition, what follows the sequence number in the sort key, and the value.
type Stamped = (KeyspaceId, Vec<u8>, Vec<u8>, Value);

/// All versions of all keys, by the sequence numbers of the commits that wrote them. A commit that
/// was not acknowledged is in it too: which of those there are after a crash, the database says, and
/// then it has to be exactly the model up to that one.
#[derive(Clone, Debug, Default)]
pub struct Model {
    versions: BTreeMap<Key, BTreeMap<u64, Option<Value>>>,
    dropped: BTreeMap<KeyspaceId, u64>,
    last: u64,
}

impl Change {
    /// Sets or removes a key.
    pub fn write(&mut self, key: Key, value: Option<Value>) {
        self.writes.insert(key, value);
    }

    /// Drops a keyspace.
    pub fn drop_keyspace(&mut self, keyspace: KeyspaceId) {
        self.dropped.push(keyspace);
    }

    /// Sets a key that is made at the commit.
    pub fn stamp(
        &mut self,
        keyspace: KeyspaceId,
        partition: Vec<u8>,
        suffix: Vec<u8>,
        value: Value,
    ) {
        self.stamped.push((keyspace, partition, suffix, value));
    }

    /// What it has for a key, if anything.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Option<Value>> {
        self.writes.get(key).cloned()
    }

    /// Whether it does nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.dropped.is_empty() && self.stamped.is_empty()
    }

    /// The same for the database.
    #[must_use]
    pub fn to_batch(&self) -> Batch {
        let mut batch = Batch::new();
        for keyspace in &self.dropped {
            batch.drop_keyspace(*keyspace);
        }
        for (keyspace, partition, suffix, value) in &self.stamped {
            batch.put_stamped(*keyspace, partition, suffix, value.clone());
        }
        for (key, value) in &self.writes {
            match value {
                Some(value) => batch.put(key.clone(), value.clone()),
                None => batch.delete(key.clone()),
            }
        }
        batch
    }
}

impl Model {
    /// A commit was given its place.
    pub fn apply(&mut self, sequence: u64, change: Change) {
        for (keyspace, partition, suffix, value) in change.stamped {
            let sort = [&sequence.to_be_bytes(), suffix.as_slice()].concat();
            let key = Key::new(keyspace, &partition, &sort);
            self.versions
                .entry(key)
                .or_default()
                .insert(sequence, Some(value));
        }
        for (key, value) in change.writes {
            self.versions
                .entry(key)
                .or_default()
                .insert(sequence, value);
        }
        for keyspace in change.dropped {
            self.dropped.entry(keyspace).or_insert(sequence);
        }
        self.last = self.last.max(sequence);
    }

    /// The last commit.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Forgets the commits behind one: they were lost.
    pub fn truncate(&mut self, sequence: u64) {
        for versions in self.versions.values_mut() {
            versions.split_off(&(sequence + 1));
        }
        self.versions.retain(|_, versions| !versions.is_empty());
        self.dropped.retain(|_, at| *at <= sequence);
        self.last = self.last.min(sequence);
    }

    /// What a reader at a sequence number sees of a key.
    #[must_use]
    pub fn get(&self, key: &Key, sequence: u64) -> Option<Value> {
        let dropped = self.dropped.get(&key.keyspace());
        if dropped.is_some_and(|at| *at <= sequence) {
            return None;
        }
        let versions = self.versions.get(key)?;
        versions.range(..=sequence).next_back()?.1.clone()
    }

    /// What a reader at a sequence number sees in a range, in order.
    #[must_use]
    pub fn range(&self, range: &KeyRange, sequence: u64) -> Vec<(Vec<u8>, Value)> {
        let inside = self
            .versions
            .keys()
            .filter(|key| range.contains(key.as_bytes()));
        let seen = inside.filter_map(|key| {
            let value = self.get(key, sequence)?;
            Some((key.as_bytes().to_vec(), value))
        });
        seen.collect()
    }

    /// Leaves out the keyspaces that were dropped behind a commit, with all that was in them.
    pub(crate) fn leave_out_dropped(&mut self, sequence: u64) {
        let dropped = &self.dropped;
        self.versions.retain(|key, _| {
            let at = dropped.get(&key.keyspace());
            at.is_none_or(|at| *at <= sequence)
        });
    }

    /// All keys that were ever written.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.versions.keys()
    }
}
