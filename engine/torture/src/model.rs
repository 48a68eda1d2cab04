//! The oracle: every version of every key, and who sees which.

use std::collections::{BTreeMap, BTreeSet};

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
    forks: BTreeMap<KeyspaceId, Fork>,
    /// Keyspaces of which it does not say what is in them.
    left_out: BTreeSet<KeyspaceId>,
    last: u64,
}

/// What a keyspace was forked of.
#[derive(Clone, Copy, Debug)]
struct Fork {
    source: KeyspaceId,
    /// As of when.
    at: u64,
    /// Readers below see nothing in it.
    created: u64,
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

/// The same key in another keyspace.
fn in_keyspace(key: &Key, keyspace: KeyspaceId) -> Key {
    let parts = key.as_key_ref();
    Key::new(keyspace, &parts.partition(), parts.sort())
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

    /// Whether a keyspace is dropped.
    pub(crate) fn is_dropped(&self, keyspace: KeyspaceId) -> bool {
        self.is_dropped_at(keyspace, u64::MAX)
    }

    /// Whether a keyspace was dropped by a commit or an earlier one.
    pub(crate) fn is_dropped_at(&self, keyspace: KeyspaceId, sequence: u64) -> bool {
        let dropped = self.dropped.get(&keyspace);
        dropped.is_some_and(|at| *at <= sequence)
    }

    /// What a reader at a sequence number sees of a key.
    #[must_use]
    pub fn get(&self, key: &Key, sequence: u64) -> Option<Value> {
        if self.is_dropped_at(key.keyspace(), sequence) {
            return None;
        }
        let versions = self.versions.get(key);
        let own = versions.and_then(|versions| versions.range(..=sequence).next_back());
        if let Some((_, value)) = own {
            return value.clone();
        }
        let fork = self.forks.get(&key.keyspace())?;
        if sequence < fork.created {
            return None;
        }
        self.get(&in_keyspace(key, fork.source), fork.at)
    }

    /// A keyspace was forked of another one, as of a commit, when another one was the last.
    pub(crate) fn fork(&mut self, keyspace: KeyspaceId, source: KeyspaceId, at: u64, created: u64) {
        let fork = Fork {
            source,
            at,
            created,
        };
        self.forks.insert(keyspace, fork);
    }

    /// What a reader at a sequence number sees in a range, in order.
    #[must_use]
    pub fn range(&self, range: &KeyRange, sequence: u64) -> Vec<(Vec<u8>, Value)> {
        let keys = self.keys();
        let inside = keys.filter(|key| range.contains(key.as_bytes()));
        let seen = inside.filter_map(|key| {
            let value = self.get(&key, sequence)?;
            Some((key.as_bytes().to_vec(), value))
        });
        seen.collect()
    }

    /// Leaves out the forks: the manifest may have lost what made one.
    pub(crate) fn leave_out_forks(&mut self) {
        self.left_out.extend(self.forks.keys());
    }

    /// Leaves out the keyspaces that were dropped behind a commit; not what is forked of them.
    pub(crate) fn leave_out_dropped(&mut self, sequence: u64) {
        let dropped = self.dropped.iter().filter(|(_, at)| **at > sequence);
        self.left_out.extend(dropped.map(|(keyspace, _)| *keyspace));
    }

    /// All keys that were ever written, and those in forks that have them of others. In order.
    #[must_use]
    pub fn keys(&self) -> std::collections::btree_set::IntoIter<Key> {
        let mut keys: BTreeSet<Key> = self.versions.keys().cloned().collect();
        // A source is older than what is forked of it.
        for (keyspace, fork) in &self.forks {
            let first = Key::new(fork.source, b"", b"");
            let source = first.as_bytes().get(..4).unwrap_or_default();
            let below: Vec<Key> = keys
                .iter()
                .filter(|key| key.as_bytes().starts_with(source))
                .map(|key| in_keyspace(key, *keyspace))
                .collect();
            keys.extend(below);
        }
        keys.retain(|key| !self.left_out.contains(&key.keyspace()));
        keys.into_iter()
    }
}
