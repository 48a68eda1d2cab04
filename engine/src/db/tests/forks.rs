//! Forks: what they show, what they cost, that they are copied out, and that nothing is kept for them
//! which nobody can read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use super::versions::{History, compact_all, kind, needed, reopen, shape, simulated, stored};
use super::*;
use crate::error::ErrorKind;
use crate::io::Simulation;
use crate::key::KeyRange;
use crate::{Direction, Step};

fn key_in(keyspace: KeyspaceId, name: &str) -> Key {
    Key::new(keyspace, name.as_bytes(), b"")
}

fn put_in(db: &Db, keyspace: KeyspaceId, name: &str, value: Option<&str>) -> u64 {
    let mut batch = Batch::new();
    match value {
        Some(value) => batch.put(key_in(keyspace, name), value.to_owned()),
        None => batch.delete(key_in(keyspace, name)),
    }
    let commit = db.write(batch).unwrap();
    let sequence = commit.sequence();
    commit.wait().unwrap();
    sequence
}

fn drop_in(db: &Db, keyspace: KeyspaceId) {
    let mut batch = Batch::new();
    batch.drop_keyspace(keyspace);
    db.write(batch).unwrap().wait().unwrap();
}

/// Everything in a keyspace, read in both directions and key by key.
fn all(snapshot: &Snapshot, keyspace: KeyspaceId) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let read = |direction| {
        let range = KeyRange::keyspace(keyspace);
        let mut iter = snapshot.range(range, direction, ReadMode::Blocking);
        let mut found = Vec::new();
        loop {
            match iter.next().unwrap() {
                Step::Entry { key, value } => {
                    assert_eq!(key.keyspace(), keyspace);
                    found.push((key.as_bytes()[4..].to_vec(), value.to_vec()));
                }
                Step::Paused(_) => {}
                Step::End => return found,
            }
        }
    };
    let forward = read(Direction::Forward);
    let mut backward = read(Direction::Backward);
    backward.reverse();
    assert_eq!(forward, backward, "{keyspace}");
    for (suffix, value) in &forward {
        let bytes = [&keyspace.0.to_be_bytes(), &suffix[..]].concat();
        let key = Key::from(crate::KeyRef::parse(&bytes).unwrap());
        let found = snapshot.get(&key, ReadMode::Blocking).unwrap();
        assert_eq!(found.as_deref(), Some(&value[..]), "{key:?}");
    }
    forward.into_iter().collect()
}

fn names(db: &Db, keyspace: KeyspaceId) -> Vec<String> {
    let found = all(&db.snapshot(), keyspace).into_values();
    let mut names: Vec<_> = found
        .map(|value| String::from_utf8(value).unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_fork_goes_its_own_way() {
    for copied in [false, true] {
        let (simulation, db) = simulated(1);
        for name in ["a", "b", "c"] {
            put_in(&db, KEYSPACE, name, Some(name));
        }
        let before = db.durable_sequence();
        put_in(&db, KEYSPACE, "d", Some("d"));
        let now = db.fork(KEYSPACE, AsOf::Now).unwrap();
        let past = db.fork(KEYSPACE, AsOf::Sequence(before)).unwrap();
        put_in(&db, KEYSPACE, "a", Some("source"));
        assert_eq!(db.forks().len(), 2);
        if copied {
            simulation.run_until_idle();
            assert_eq!(db.forks(), []);
            assert_eq!(db.statistics().forks, 0);
        }
        assert_eq!(names(&db, now), ["a", "b", "c", "d"]);
        assert_eq!(names(&db, past), ["a", "b", "c"]);
        put_in(&db, now, "b", None);
        put_in(&db, now, "e", Some("fork"));
        let snapshot = db.snapshot();
        put_in(&db, now, "c", Some("later"));
        let again = db.fork(now, AsOf::Now).unwrap();
        put_in(&db, now, "d", None);
        drop_in(&db, KEYSPACE);
        for round in 0..3 {
            assert_eq!(names(&db, KEYSPACE), [""; 0]);
            assert_eq!(names(&db, now), ["a", "fork", "later"], "{round}");
            assert_eq!(names(&db, past), ["a", "b", "c"], "{round}");
            assert_eq!(names(&db, again), ["a", "d", "fork", "later"], "{round}");
            assert_eq!(all(&snapshot, now).len(), 4, "{round}");
            assert_eq!(all(&snapshot, again).len(), 0, "it was not there");
            compact_all(&simulation, &db);
        }
        drop(snapshot);
        simulation.run_until_idle();
        assert_eq!(db.forks(), []);
        let db = reopen(&simulation, db);
        assert_eq!(names(&db, again), ["a", "d", "fork", "later"]);
        compact_all(&simulation, &db);
        assert_eq!(stored(&db, KEYSPACE).len(), 0);
        assert_eq!(stored(&db, now).len(), 3);
    }
}

#[test]
fn what_can_not_be_forked_is_refused() {
    let (simulation, db) = simulated(2);
    put_in(&db, KEYSPACE, "a", Some("1"));
    put_in(&db, KEYSPACE, "a", Some("2"));
    let past = db.durable_sequence() - 1;
    compact_all(&simulation, &db);
    let refused = db.fork(KEYSPACE, AsOf::Sequence(past));
    assert_eq!(kind(refused), ErrorKind::NotKept);
    let refused = db.fork(KEYSPACE, AsOf::Sequence(past + 10));
    assert_eq!(kind(refused), ErrorKind::InvalidArgument);
    let refused = db.fork(KeyspaceId(u32::MAX), AsOf::Now);
    assert_eq!(kind(refused), ErrorKind::InvalidArgument);
    // A chain, none of which gets the time to be copied out.
    let mut last = KEYSPACE;
    for _ in 0..16 {
        last = db.fork(last, AsOf::Now).unwrap();
    }
    assert_eq!(names(&db, last), ["2"]);
    assert_eq!(kind(db.fork(last, AsOf::Now)), ErrorKind::InvalidArgument);
    simulation.run_until_idle();
    assert_eq!(db.forks(), []);
    assert_eq!(names(&db, last), ["2"]);
    db.fork(last, AsOf::Now).unwrap();
    drop_in(&db, last);
    assert_eq!(kind(db.fork(last, AsOf::Now)), ErrorKind::InvalidArgument);
}

#[test]
fn a_fork_in_a_window_or_at_a_pin() {
    let (simulation, db) = simulated(3);
    db.set_retention(KEYSPACE, Some(Duration::from_secs(60)))
        .unwrap();
    put_in(&db, KEYSPACE, "a", Some("1"));
    let time_ms = db.env().clock.now_ms();
    let pinned = db.pin(1, &[KEYSPACE], AsOf::Now).unwrap();
    simulation.advance(Duration::from_secs(10));
    put_in(&db, KEYSPACE, "a", Some("2"));
    compact_all(&simulation, &db);
    let within = db.fork(KEYSPACE, AsOf::TimeMs(time_ms)).unwrap();
    assert_eq!(names(&db, within), ["1"]);
    db.set_retention(KEYSPACE, None).unwrap();
    put_in(&db, KEYSPACE, "b", Some("3"));
    drop_in(&db, KEYSPACE);
    compact_all(&simulation, &db);
    // Dropped since, and kept by the pin.
    let at_pin = db.fork(KEYSPACE, AsOf::Sequence(pinned)).unwrap();
    db.unpin(1).unwrap();
    assert_eq!(names(&db, at_pin), ["1"]);
    simulation.run_until_idle();
    compact_all(&simulation, &db);
    let db = reopen(&simulation, db);
    assert_eq!(
        (names(&db, at_pin), names(&db, within)),
        (vec!["1".into()], vec!["1".into()])
    );
    assert_eq!(stored(&db, KEYSPACE).len(), 0);
}

#[test]
fn a_fork_that_is_dropped_keeps_nothing() {
    let (simulation, db) = simulated(4);
    put_in(&db, KEYSPACE, "a", Some("1"));
    let fork = db.fork(KEYSPACE, AsOf::Now).unwrap();
    let fork_of_it = db.fork(fork, AsOf::Now).unwrap();
    put_in(&db, KEYSPACE, "a", Some("2"));
    let snapshot = db.snapshot();
    drop_in(&db, fork);
    // Nobody has written to it: only what is below can be read, by the snapshot and by the fork of it.
    compact_all(&simulation, &db);
    assert_eq!(names(&db, fork_of_it), ["1"]);
    assert_eq!(all(&snapshot, fork).len(), 1);
    simulation.run_until_idle();
    assert_eq!(all(&snapshot, fork).len(), 1);
    drop(snapshot);
    simulation.run_until_idle();
    assert_eq!(db.forks(), []);
    compact_all(&simulation, &db);
    assert_eq!(stored(&db, KEYSPACE).len(), 1);
    assert_eq!(names(&db, fork_of_it), ["1"]);
}

/// Bytes in files, and operations of the disk.
fn cost(simulation: &Simulation) -> (u64, u64) {
    (simulation.disk_used(), simulation.disk_operations())
}

#[test]
fn a_fork_costs_one_edit_and_is_copied_in_bounded_parts() {
    let (simulation, db) = simulated(5);
    let value = "v".repeat(900);
    for number in 0..600 {
        put_in(&db, KEYSPACE, &number.to_string(), Some(&value));
    }
    compact_all(&simulation, &db);
    simulation.run_until_idle();
    // So that no ids need be reserved.
    db.create_keyspace().unwrap();
    let before = cost(&simulation);
    let fork = db.fork(KEYSPACE, AsOf::Now).unwrap();
    let after = cost(&simulation);
    assert!(after.0 - before.0 < 128, "{} bytes", after.0 - before.0);
    assert_eq!(after.1 - before.1, 2, "a write and its sync");
    let left = db.forks()[0].uncopied_size;
    assert!(left > 0);
    let mut parts = BTreeSet::new();
    while let [fork] = db.forks()[..] {
        parts.insert(fork.uncopied_size);
        assert!(simulation.step());
    }
    assert!(parts.len() > 3, "{parts:?}");
    assert_eq!(names(&db, fork).len(), 600);
    // What has been copied stays so, wherever the process ends.
    let second = db.fork(KEYSPACE, AsOf::Now).unwrap();
    let whole = db.forks()[0].uncopied_size;
    while db.forks()[0].uncopied_size > whole / 2 {
        assert!(simulation.step());
    }
    drop_in(&db, KEYSPACE);
    drop(db);
    simulation.crash();
    let db = Db::open(
        simulation.env(),
        Path::new("/parent/db"),
        super::versions::options(),
    )
    .unwrap();
    assert!(db.forks()[0].uncopied_size <= whole / 2);
    assert_eq!(names(&db, second).len(), 600);
    simulation.run_until_idle();
    assert_eq!(db.forks(), []);
    assert_eq!(names(&db, second).len(), 600);
    assert_eq!(
        stored(&db, KEYSPACE).len(),
        0,
        "dropped, and held by nobody"
    );
}

/// By user key without keyspace id, and by sequence number.
type Versions = BTreeMap<Vec<u8>, BTreeMap<u64, Option<Vec<u8>>>>;

/// Every keyspace there ever was.
#[derive(Default)]
struct Model {
    versions: BTreeMap<KeyspaceId, Versions>,
    dropped: BTreeMap<KeyspaceId, u64>,
    /// Source, as of when, and when it was made.
    forks: BTreeMap<KeyspaceId, (KeyspaceId, u64, u64)>,
}

impl Model {
    fn see(&self, keyspace: KeyspaceId, suffix: &[u8], at: u64) -> Option<Vec<u8>> {
        let versions = self
            .versions
            .get(&keyspace)
            .and_then(|keys| keys.get(suffix));
        let own = versions.and_then(|versions| versions.range(..=at).next_back());
        if let Some((_, value)) = own {
            return value.clone();
        }
        let (source, below, created) = self.forks.get(&keyspace)?;
        (*created <= at)
            .then(|| self.see(*source, suffix, *below))
            .flatten()
    }

    fn suffixes(&self) -> BTreeSet<Vec<u8>> {
        let keys = self.versions.values();
        keys.flat_map(|keys| keys.keys().cloned()).collect()
    }

    fn all(&self, keyspace: KeyspaceId, at: u64) -> BTreeMap<Vec<u8>, Vec<u8>> {
        if self
            .dropped
            .get(&keyspace)
            .is_some_and(|dropped| *dropped <= at)
        {
            return BTreeMap::new();
        }
        let suffixes = self.suffixes().into_iter();
        let seen = suffixes.filter_map(|suffix| {
            let value = self.see(keyspace, &suffix, at)?;
            Some((suffix, value))
        });
        seen.collect()
    }

    /// The versions that a keyspace has once it is copied out.
    fn history(&self, keyspace: KeyspaceId) -> History {
        let mut history = History::new();
        let id = keyspace.0.to_be_bytes();
        let key = |suffix: &[u8]| [&id, suffix].concat();
        for (suffix, versions) in self.versions.get(&keyspace).into_iter().flatten() {
            let versions = versions.iter().map(|(at, value)| (*at, value.is_some()));
            history.insert(key(suffix), versions.collect());
        }
        if let Some((source, at, created)) = self.forks.get(&keyspace) {
            for suffix in self.suffixes() {
                if self.see(*source, &suffix, *at).is_some() {
                    let versions = history.entry(key(&suffix)).or_default();
                    versions.insert(*created, true);
                }
            }
        }
        history
    }

    fn check(&self, snapshot: &Snapshot) {
        let written = self.versions.keys().chain(self.forks.keys());
        for keyspace in written.copied().collect::<BTreeSet<_>>() {
            let expected = self.all(keyspace, snapshot.sequence());
            assert_eq!(
                all(snapshot, keyspace),
                expected,
                "{keyspace} at {}",
                snapshot.sequence()
            );
        }
    }
}

#[test]
fn forks_read_and_end_as_in_a_model() {
    let seeds = match std::env::var("STATOR_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (1..=16).collect(),
    };
    for seed in seeds {
        println!("replay with STATOR_SEED={seed}");
        one_run(seed);
    }
}

fn one_run(seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut below = move |bound: u64| rng.next_u64() % bound;
    let (simulation, mut db) = simulated(seed);
    let mut model = Model::default();
    let mut live = vec![KEYSPACE, KeyspaceId(2)];
    let mut snapshots: Vec<Snapshot> = Vec::new();
    for number in 0..500u32 {
        let place = below(live.len() as u64) as usize;
        let keyspace = live[place];
        match below(100) {
            0..60 => {
                let key = Key::new(keyspace, &[below(6) as u8], &[below(8) as u8]);
                let value = (below(4) > 0)
                    .then(|| [&number.to_be_bytes()[..], &vec![7; below(150) as usize]].concat());
                let mut batch = Batch::new();
                match value.clone() {
                    Some(value) => batch.put(key.clone(), value),
                    None => batch.delete(key.clone()),
                }
                let commit = db.write(batch).unwrap();
                let keys = model.versions.entry(keyspace).or_default();
                let versions = keys.entry(key.as_bytes()[4..].to_vec()).or_default();
                versions.insert(commit.sequence(), value);
                commit.wait().unwrap();
            }
            60..65 => {
                let durable = db.durable_sequence();
                let at = match below(2) {
                    0 => durable,
                    _ => durable - below(durable.min(10) + 1),
                };
                match db.fork(keyspace, AsOf::Sequence(at)) {
                    Ok(fork) => {
                        model.forks.insert(fork, (keyspace, at, durable));
                        live.push(fork);
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::NotKept),
                }
            }
            65..68 if live.len() > 2 => {
                let mut batch = Batch::new();
                batch.drop_keyspace(keyspace);
                let commit = db.write(batch).unwrap();
                model.dropped.insert(keyspace, commit.sequence());
                commit.wait().unwrap();
                live.swap_remove(place);
            }
            68..71 => snapshots.push(db.snapshot()),
            71..74 if !snapshots.is_empty() => {
                snapshots.swap_remove(below(snapshots.len() as u64) as usize);
            }
            74..88 => {
                for _ in 0..below(60) {
                    simulation.step();
                }
            }
            88..90 => compact_all(&simulation, &db),
            90 => {
                snapshots.clear();
                db = reopen(&simulation, db);
            }
            91 => {
                snapshots.clear();
                drop(db);
                simulation.crash();
                let options = super::versions::options();
                db = Db::open(simulation.env(), Path::new("/parent/db"), options).unwrap();
            }
            92..94 => {
                db.set_retention(keyspace, (below(2) == 0).then(|| Duration::from_secs(5)))
                    .unwrap();
                simulation.advance(Duration::from_millis(below(2000)));
            }
            94..98 => {
                model.check(&db.snapshot());
                snapshots.iter().for_each(|snapshot| model.check(snapshot));
            }
            _ => {}
        }
    }
    model.check(&db.snapshot());
    snapshots.iter().for_each(|snapshot| model.check(snapshot));
    // All that is alive gets copied out; what is dropped and held by a snapshot need not be.
    for keyspace in &live {
        db.set_retention(*keyspace, None).unwrap();
    }
    simulation.run_until_idle();
    let alive = db.forks().into_iter();
    let alive: Vec<_> = alive.filter(|fork| live.contains(&fork.keyspace)).collect();
    assert_eq!(alive, []);
    snapshots.iter().for_each(|snapshot| model.check(snapshot));
    snapshots.clear();
    simulation.run_until_idle();
    assert_eq!(db.forks(), []);
    compact_all(&simulation, &db);
    let snapshot = db.snapshot();
    model.check(&snapshot);
    let durable = snapshot.sequence();
    for keyspace in model.versions.keys().chain(model.forks.keys()) {
        let expected = match model.dropped.contains_key(keyspace) {
            true => BTreeSet::new(),
            false => needed(&model.history(*keyspace), &BTreeSet::from([durable])),
        };
        assert_eq!(shape(stored(&db, *keyspace)), shape(expected), "{keyspace}");
    }
}
