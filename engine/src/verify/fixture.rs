//! Random databases for the tests of verification and salvage: small files on many levels, with
//! overwritten, deleted and dropped things.

use std::collections::BTreeMap;
use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use crate::io::{Env, Simulation};
use crate::{
    Batch, Db, Direction, Key, KeyRange, KeyspaceId, Options, ReadMode, Result, Step, Value,
};

pub(crate) const DIR: &str = "/db";

/// Every value that a key ever had, by the sequence number of its commit; `None` is a deletion.
pub(crate) type History = BTreeMap<Key, BTreeMap<u64, Option<Value>>>;

/// A database that is closed, or was killed, small enough to be damaged everywhere.
pub(crate) struct Fixture {
    pub(crate) simulation: Simulation,
    pub(crate) random: Random,
    pub(crate) history: History,
    pub(crate) dropped: Vec<KeyspaceId>,
}

pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound.max(1)
    }
}

pub(crate) fn options() -> Options {
    Options {
        memtable_size: 8 << 10,
        wal_segment_size: 16 << 10,
        block_size: 256,
        sstable_size: 2 << 10,
        base_level_size: 8 << 10,
        level_fanout: 3,
        manifest_size: 8 << 10,
        ..Options::default()
    }
}

impl Fixture {
    /// Makes one from a seed.
    pub(crate) fn new(seed: u64) -> Fixture {
        let simulation = Simulation::new(seed);
        let mut fixture = Fixture {
            simulation,
            random: Random::new(seed),
            history: History::new(),
            dropped: Vec::new(),
        };
        for life in 0..=fixture.random.below(2) {
            let db = fixture.open(DIR).unwrap();
            fixture.work(&db, life);
            match fixture.random.below(3) {
                0 => fixture.simulation.kill(),
                _ => db.close().unwrap(),
            }
        }
        fixture
    }

    pub(crate) fn env(&self) -> Env {
        self.simulation.env()
    }

    pub(crate) fn open(&self, dir: &str) -> Result<Db> {
        Db::open(self.env(), Path::new(dir), options())
    }

    fn work(&mut self, db: &Db, life: u64) {
        let random = &mut self.random;
        for _ in 0..50 + random.below(350) {
            let mut batch = Batch::new();
            let mut written = BTreeMap::new();
            for _ in 0..=random.below(4) {
                let partition = random.below(40).to_string();
                let sort = random.below(4).to_string();
                let keyspace = KeyspaceId(1 + random.below(3) as u32);
                let key = Key::new(keyspace, partition.as_bytes(), sort.as_bytes());
                if self.dropped.contains(&keyspace) {
                    continue;
                }
                let value = (random.below(5) > 0).then(|| {
                    let text = format!("{} ", random.below(1 << 40));
                    Value::from(text.repeat(random.below(20) as usize + 1))
                });
                written.insert(key, value);
            }
            for (key, value) in &written {
                match value {
                    Some(value) => batch.put(key.clone(), value.clone()),
                    None => batch.delete(key.clone()),
                }
            }
            if life == 1 && self.dropped.is_empty() && random.below(100) == 0 {
                batch = Batch::new();
                written.clear();
                batch.drop_keyspace(KeyspaceId(3));
                self.dropped.push(KeyspaceId(3));
            }
            let commit = db.write(batch).unwrap();
            let sequence = commit.sequence();
            for (key, value) in written {
                self.history.entry(key).or_default().insert(sequence, value);
            }
            commit.wait().unwrap();
        }
    }

    /// What is to be seen now.
    pub(crate) fn live(&self) -> BTreeMap<Key, Value> {
        let there = self
            .history
            .iter()
            .filter(|(key, _)| !self.dropped.contains(&key.keyspace()));
        there
            .filter_map(|(key, versions)| {
                let (_, newest) = versions.last_key_value()?;
                Some((key.clone(), newest.clone()?))
            })
            .collect()
    }

    /// The files of a directory with their contents, but for the lock.
    pub(crate) fn contents(&self, dir: &str) -> BTreeMap<String, Vec<u8>> {
        let (env, dir) = (self.env(), Path::new(dir));
        let entries = env.fs.list(dir).unwrap().into_iter();
        let files = entries.filter(|entry| entry.name != "LOCK");
        files
            .map(|entry| {
                let file = env.fs.open(&dir.join(&entry.name)).unwrap();
                let mut contents = vec![0; entry.len as usize];
                file.read_exact_at(&mut contents, 0).unwrap();
                (entry.name, contents)
            })
            .collect()
    }

    /// Changes a file of the database.
    pub(crate) fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        self.simulation
            .damage(&Path::new(DIR).join(name), change)
            .unwrap();
    }
}

/// All entries of the keyspaces that a fixture uses.
pub(crate) fn entries(db: &Db) -> Result<BTreeMap<Key, Value>> {
    let mut entries = BTreeMap::new();
    let snapshot = db.snapshot();
    for keyspace in 1..=3 {
        let range = KeyRange::keyspace(KeyspaceId(keyspace));
        let mut iter = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
        loop {
            match iter.next()? {
                Step::Entry { key, value } => {
                    entries.insert(Key::from(key), value.clone());
                }
                Step::Paused(_) => {}
                Step::End => break,
            }
        }
    }
    Ok(entries)
}
