//! Random work on a database and on a plain model of it, side by side.
//!
//! The model keeps every version of every key with its sequence number, so that it can say what a
//! reader at any of them must see. A run is made from one seed. With `STATOR_SEED` in the
//! environment, only that seed is run; a failure prints the seed it needs.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use super::*;
use crate::io::Simulation;
use crate::key::KeyRange;
use crate::{Direction, Durability, Step};

/// Every version of every key: its value, or `None` where it was deleted.
#[derive(Clone, Default)]
struct Model {
    versions: BTreeMap<Key, BTreeMap<u64, Option<Value>>>,
    dropped: BTreeMap<KeyspaceId, u64>,
}

impl Model {
    fn get(&self, key: &Key, sequence: u64) -> Option<Value> {
        if self
            .dropped
            .get(&key.keyspace())
            .is_some_and(|at| *at <= sequence)
        {
            return None;
        }
        self.versions
            .get(key)?
            .range(..=sequence)
            .next_back()?
            .1
            .clone()
    }

    fn range(&self, range: &KeyRange, sequence: u64) -> Vec<(Vec<u8>, Value)> {
        let keys = self
            .versions
            .keys()
            .filter(|key| range.contains(key.as_bytes()));
        let seen = keys.filter_map(|key| Some((key.as_bytes().to_vec(), self.get(key, sequence)?)));
        seen.collect()
    }

    fn newest_sequence(&self, key: &Key) -> u64 {
        let versions = self.versions.get(key);
        versions
            .and_then(|versions| versions.last_key_value())
            .map_or(0, |(newest, _)| *newest)
    }

    /// Forgets the commits behind one: they were lost.
    fn truncate(&mut self, sequence: u64) {
        for versions in self.versions.values_mut() {
            versions.split_off(&(sequence + 1));
        }
        self.dropped.retain(|_, at| *at <= sequence);
    }
}

/// A database, its model, and what a test holds of it.
struct Run {
    env: Env,
    simulation: Option<Simulation>,
    dir: std::path::PathBuf,
    options: Options,
    rng: ChaCha8Rng,
    db: Option<Db>,
    model: Model,
    keyspaces: Vec<KeyspaceId>,
    snapshots: Vec<Snapshot>,
    unacknowledged: Vec<Commit>,
    acknowledged: u64,
}

impl Run {
    fn new(env: Env, simulation: Option<Simulation>, dir: &Path, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut pick = |from: &[usize]| from[rng.next_u64() as usize % from.len()];
        let durability = match pick(&[0, 0, 1]) {
            0 => Durability::Sync,
            _ => Durability::Interval(Duration::from_millis(10)),
        };
        let options = Options {
            durability,
            memtable_size: pick(&[1 << 10, 8 << 10, 64 << 10]),
            immutable_memtables: pick(&[1, 4]),
            block_cache_size: pick(&[0, 16 << 10, 1 << 20]),
            wal_segment_size: pick(&[8 << 10, 64 << 10, 1 << 20]) as u64,
            block_size: pick(&[128, 1024, 16 << 10]),
            sstable_size: pick(&[2 << 10, 64 << 10]) as u64,
            l0_compression_level: pick(&[0, 1]) as i32,
            l0_compaction_threshold: pick(&[1, 4]),
            base_level_size: pick(&[4 << 10, 64 << 10]) as u64,
            level_fanout: pick(&[2, 10]) as u64,
            manifest_size: pick(&[1 << 10, 1 << 20]) as u64,
            skip_bound: pick(&[1, 3, 4096]),
            ..Options::default()
        };
        let db = Db::open(env.clone(), dir, options.clone()).unwrap();
        Run {
            env,
            simulation,
            dir: dir.to_path_buf(),
            options,
            rng,
            db: Some(db),
            model: Model::default(),
            keyspaces: vec![KeyspaceId(1), KeyspaceId(2)],
            snapshots: Vec::new(),
            unacknowledged: Vec::new(),
            acknowledged: 0,
        }
    }

    fn simulated(seed: u64) -> Self {
        let simulation = Simulation::new(seed);
        Run::new(
            simulation.env(),
            Some(simulation),
            Path::new("/parent/db"),
            seed,
        )
    }

    fn db(&self) -> Db {
        self.db.clone().unwrap()
    }

    fn below(&mut self, bound: usize) -> usize {
        self.rng.next_u64() as usize % bound
    }

    fn key(&mut self) -> Key {
        let keyspace = self.below(self.keyspaces.len());
        let partition = [self.below(4) as u8];
        let sort = [0, 0, self.below(10) as u8];
        let sort_len = self.below(4);
        Key::new(self.keyspaces[keyspace], &partition, &sort[3 - sort_len..])
    }

    fn value(&mut self) -> Value {
        let len = match self.below(20) {
            0 => 3_000,
            1..5 => 0,
            _ => 40,
        };
        let mut value = vec![0; len];
        self.rng.fill_bytes(&mut value);
        value.into()
    }

    /// What a commit did, for the model.
    fn note(&mut self, commit: Commit, writes: Vec<(Key, Option<Value>)>, dropped: &[KeyspaceId]) {
        let sequence = commit.sequence();
        for (key, value) in writes {
            self.model
                .versions
                .entry(key)
                .or_default()
                .insert(sequence, value);
        }
        for keyspace in dropped {
            self.model.dropped.entry(*keyspace).or_insert(sequence);
        }
        if self.below(3) == 0 {
            commit.wait().unwrap();
            self.acknowledged = self.acknowledged.max(sequence);
        } else {
            self.unacknowledged.push(commit);
        }
    }

    fn acknowledge_all(&mut self) {
        for commit in std::mem::take(&mut self.unacknowledged) {
            self.acknowledged = self.acknowledged.max(commit.sequence());
            commit.wait().unwrap();
        }
    }

    /// Lets what throttles be written out.
    fn settle(&self) {
        match &self.simulation {
            Some(simulation) => simulation.run_until_idle(),
            None => while self.db().write_delay().is_err() {},
        }
    }

    fn batch(&mut self) {
        let mut batch = Batch::new();
        let mut writes = BTreeMap::new();
        for _ in 0..=self.below(5) {
            let key = self.key();
            if self.below(4) == 0 {
                batch.delete(key.clone());
                writes.insert(key, None);
            } else {
                let value = self.value();
                batch.put(key.clone(), value.clone());
                writes.insert(key, Some(value));
            }
        }
        let mut dropped = Vec::new();
        if self.below(100) == 0 {
            let victim = self.below(self.keyspaces.len());
            let fresh = self.db().create_keyspace().unwrap();
            dropped.push(std::mem::replace(&mut self.keyspaces[victim], fresh));
            batch.drop_keyspace(dropped[0]);
        }
        match self.db().write(batch) {
            Ok(commit) => self.note(commit, writes.into_iter().collect(), &dropped),
            Err(Error::Throttled) => {
                self.keyspaces.extend(dropped);
                self.settle();
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn transaction(&mut self) {
        let keys: Vec<Key> = (0..=self.below(3)).map(|_| self.key()).collect();
        let mut transaction = self.db().transaction(&keys, ReadMode::Blocking).unwrap();
        let mut read_sequence = 0;
        let mut writes: BTreeMap<Key, Option<Value>> = BTreeMap::new();
        for key in &keys {
            let expected = match writes.get(key) {
                Some(written) => written.clone(),
                None => self.model.get(key, u64::MAX),
            };
            assert_eq!(transaction.get(key).unwrap(), expected, "{key:?}");
            if expected.is_some() && !writes.contains_key(key) {
                read_sequence = self.model.newest_sequence(key).max(read_sequence);
            }
            if self.below(2) == 0 {
                let value = self.value();
                transaction.put(key.clone(), value.clone());
                writes.insert(key.clone(), Some(value));
            } else if self.below(4) == 0 {
                transaction.delete(key.clone());
                writes.insert(key.clone(), None);
            }
        }
        assert!(transaction.read_sequence() >= read_sequence);
        if self.below(5) == 0 {
            return;
        }
        match transaction.commit() {
            Ok(commit) if writes.is_empty() => commit.wait().unwrap(),
            Ok(commit) => self.note(commit, writes.into_iter().collect(), &[]),
            Err(Error::Throttled) => self.settle(),
            Err(error) => panic!("{error}"),
        }
    }

    fn any_range(&mut self) -> KeyRange {
        let keyspace = self.below(self.keyspaces.len());
        let keyspace = self.keyspaces[keyspace];
        let partition = [self.below(4) as u8];
        let range = match self.below(4) {
            0 => KeyRange::keyspace(keyspace),
            1 => KeyRange::partition(keyspace, &partition),
            2 => KeyRange::sort_prefix(keyspace, &partition, &[0]),
            _ => KeyRange::segment(keyspace, self.below(3) as u32, 3),
        };
        match self.below(6) {
            0 => range.after(&self.key()),
            1 => range.before(&self.key()),
            _ => range,
        }
    }

    fn check_snapshot(&mut self) {
        let fresh = self.db().snapshot();
        assert!(
            fresh.sequence() >= self.acknowledged,
            "an acknowledged commit is not visible"
        );
        self.snapshots.push(fresh);
        let at = self.below(self.snapshots.len());
        let (key, range) = (self.key(), self.any_range());
        let snapshot = &self.snapshots[at];
        let sequence = snapshot.sequence();
        let found = snapshot.get(&key, ReadMode::Blocking).unwrap();
        assert_eq!(
            found,
            self.model.get(&key, sequence),
            "{key:?} at {sequence}"
        );
        let mut expected = self.model.range(&range, sequence);
        let forward = read(snapshot, &range, Direction::Forward);
        assert_eq!(forward, expected, "{range:?} at {sequence}");
        expected.reverse();
        let backward = read(snapshot, &range, Direction::Backward);
        assert_eq!(backward, expected, "{range:?} at {sequence}, backward");
        if self.snapshots.len() > 3 {
            self.snapshots.remove(at);
        }
    }

    fn check_get(&mut self) {
        let key = self.key();
        let before = self.db().durable_sequence();
        let found = self.db().get(&key, ReadMode::Blocking).unwrap();
        if self.simulation.is_some() {
            assert_eq!(found, self.model.get(&key, before));
        } else {
            // The writer runs meanwhile: any moment from before the call on will do.
            let after = self.db().durable_sequence();
            assert!(
                (before..=after).any(|at| found == self.model.get(&key, at)),
                "{key:?}"
            );
        }
        match self.db().get(&key, ReadMode::CachedOnly) {
            Ok(found) if self.simulation.is_some() => {
                assert_eq!(found, self.model.get(&key, before))
            }
            Ok(_) | Err(Error::WouldBlock) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn check_all(&self) {
        let snapshot = self.db().snapshot();
        for keyspace in &self.keyspaces {
            let range = KeyRange::keyspace(*keyspace);
            let found = read(&snapshot, &range, Direction::Forward);
            assert_eq!(found, self.model.range(&range, snapshot.sequence()));
        }
    }

    fn reopen(&mut self) {
        self.snapshots.clear();
        let last = self.db().applied_sequence();
        self.db.take().unwrap().close().unwrap();
        self.acknowledge_all();
        let db = Db::open(self.env.clone(), &self.dir, self.options.clone()).unwrap();
        assert_eq!(db.durable_sequence(), last);
        self.db = Some(db);
        self.check_all();
    }

    /// Pulls the plug: with `durability: sync`, all that was acknowledged is there afterwards; in
    /// any case a prefix of the commits, each of them whole.
    fn crash(&mut self, countdown: Option<u64>) {
        let simulation = self.simulation.clone().unwrap();
        self.snapshots.clear();
        if let Some(operations) = countdown {
            simulation.crash_after(operations);
            simulation.run_until_idle();
        }
        // What was published before the crash was shown to readers.
        let published = self.db().durable_sequence();
        simulation.crash();
        self.unacknowledged.clear();
        drop(self.db.take());
        self.env = simulation.env();
        let db = Db::open(self.env.clone(), &self.dir, self.options.clone()).unwrap();
        let last = db.durable_sequence();
        if self.options.durability == Durability::Sync {
            assert!(
                last >= published,
                "{last} is left of {published} published commits"
            );
            assert!(last >= self.acknowledged);
        }
        self.acknowledged = self.acknowledged.min(last);
        self.model.truncate(last);
        self.db = Some(db);
        self.check_all();
        // A second crash, right after recovery, must change nothing.
        if self.below(2) == 0 {
            simulation.crash();
            drop(self.db.take());
            self.env = simulation.env();
            let db = Db::open(self.env.clone(), &self.dir, self.options.clone()).unwrap();
            assert_eq!(db.durable_sequence(), last);
            self.db = Some(db);
            self.check_all();
        }
    }

    fn step(&mut self) {
        match self.below(1_000) {
            0..350 => self.batch(),
            350..600 => self.transaction(),
            600..700 => self.check_get(),
            700..800 => self.check_snapshot(),
            800..900 => self.acknowledge_all(),
            900..990 => {
                if let Some(simulation) = self.simulation.clone() {
                    for _ in 0..self.below(50) {
                        simulation.step();
                    }
                    if self.below(20) == 0 {
                        simulation.advance(Duration::from_millis(5));
                    }
                }
            }
            _ => self.reopen(),
        }
    }
}

fn read(snapshot: &Snapshot, range: &KeyRange, direction: Direction) -> Vec<(Vec<u8>, Value)> {
    let mut iter = snapshot.range(range.clone(), direction, ReadMode::Blocking);
    let mut found = Vec::new();
    loop {
        match iter.next().unwrap() {
            Step::Entry { key, value } => found.push((key.as_bytes().to_vec(), value)),
            Step::Paused(_) => {}
            Step::End => return found,
        }
    }
}

/// The seeds to run: those of the test, or the one that is asked for.
fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("STATOR_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (1..=count).collect(),
    }
}

fn work(run: &mut Run, steps: usize) {
    for _ in 0..steps {
        run.step();
    }
}

#[test]
fn behaves_like_the_model_in_the_simulator() {
    for seed in seeds(12) {
        println!("replay with STATOR_SEED={seed}");
        let mut run = Run::simulated(seed);
        work(&mut run, 1_500);
        run.reopen();
    }
}

#[test]
fn behaves_like_the_model_on_real_files() {
    for seed in seeds(4) {
        println!("replay with STATOR_SEED={seed}");
        let dir = tempfile::tempdir().unwrap();
        let mut run = Run::new(Env::real(), None, dir.path(), seed);
        work(&mut run, 800);
        run.reopen();
    }
}

#[test]
fn behaves_like_the_model_in_memory() {
    for seed in seeds(4) {
        println!("replay with STATOR_SEED={seed}");
        let mut run = Run::new(Env::memory(), None, Path::new("/db"), seed);
        work(&mut run, 1_500);
        run.reopen();
    }
}

#[test]
fn a_crash_loses_nothing_that_was_acknowledged_and_halves_nothing() {
    for seed in seeds(20) {
        println!("replay with STATOR_SEED={seed}");
        let mut run = Run::simulated(seed);
        for _ in 0..12 {
            let steps = run.below(120);
            work(&mut run, steps);
            let countdown = match run.below(3) {
                0 => None,
                _ => Some(1 + run.below(40) as u64),
            };
            run.crash(countdown);
        }
    }
}

#[test]
fn one_seed_gives_one_run() {
    let trace = |seed| {
        let mut run = Run::simulated(seed);
        work(&mut run, 600);
        run.crash(Some(5));
        work(&mut run, 300);
        run.simulation.unwrap().trace()
    };
    for seed in seeds(3) {
        assert_eq!(trace(seed), trace(seed), "seed {seed}");
        assert_ne!(trace(seed), trace(seed + 1_000));
    }
}
