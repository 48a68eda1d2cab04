//! What opening makes of what it finds: a torn tail, damage, logs of several epochs, leftovers.

use std::path::PathBuf;

use super::*;
use crate::io::{PAGE_SIZE, Simulation};
use crate::{Direction, KeyRange, Step};

fn files(env: &Env, suffix: &str) -> Vec<PathBuf> {
    let entries = env.fs.list(Path::new(DIR)).unwrap();
    let named = entries
        .into_iter()
        .filter(|entry| entry.name.ends_with(suffix));
    named.map(|entry| Path::new(DIR).join(entry.name)).collect()
}

/// A database that three commits, in a group each, have gone through, after a crash.
fn crashed() -> Simulation {
    let simulation = Simulation::new(1);
    let db = open(&simulation.env());
    for name in ["a", "b", "c"] {
        put(&db, name, name);
    }
    simulation.crash();
    simulation
}

#[test]
fn a_torn_last_group_is_dropped_and_the_others_are_there() {
    let simulation = crashed();
    let log = files(&simulation.env(), ".wal").remove(0);
    simulation
        .damage(&log, |contents| contents[2 * PAGE_SIZE + 80] ^= 1)
        .unwrap();
    let db = open(&simulation.env());
    assert_eq!(db.durable_sequence(), 2);
    assert_eq!(get(&db, "b").as_deref(), Some("b"));
    assert_eq!(get(&db, "c"), None);
    put(&db, "c", "again");
    simulation.crash();
    assert_eq!(get(&open(&simulation.env()), "c").as_deref(), Some("again"));
}

#[test]
fn damage_in_the_middle_of_the_log_is_refused_with_file_and_offset() {
    for offset in [4, 63, 64, 96] {
        let simulation = crashed();
        let log = files(&simulation.env(), ".wal").remove(0);
        simulation
            .damage(&log, |contents| contents[PAGE_SIZE + offset] ^= 1)
            .unwrap();
        let opened = Db::open(simulation.env(), Path::new(DIR), Options::default());
        let Err(Error::Corruption(corruption)) = opened else {
            panic!("damage at {offset}")
        };
        assert_eq!(corruption.file, log);
        assert_eq!(corruption.offset, PAGE_SIZE as u64);
        assert_eq!(
            corruption.expected,
            "the WAL group of epoch 1 with commit 2"
        );
        // Nothing was changed: the same answer again, and the lock is free.
        let again = Db::open(simulation.env(), Path::new(DIR), Options::default());
        assert!(matches!(again, Err(Error::Corruption(_))));
    }
}

/// Found by the simulation: what a replay had written out before it came to the damage was in a manifest
/// of its own by then, so that mending the one that had been damaged was of no use.
#[test]
fn an_opening_that_is_refused_half_way_changes_nothing() {
    let simulation = Simulation::new(1);
    let options = Options {
        memtable_size: 1 << 10,
        ..Options::default()
    };
    let db = open(&simulation.env());
    for number in 0..8 {
        put(&db, &format!("k{number}"), &"v".repeat(600));
    }
    simulation.crash();
    let env = simulation.env();
    let contents = || {
        let entries = env.fs.list(Path::new(DIR)).unwrap();
        let all = entries.into_iter().map(|entry| {
            let file = env.fs.open_read(&Path::new(DIR).join(&entry.name)).unwrap();
            let mut bytes = vec![0; usize::try_from(entry.len).unwrap()];
            file.read_exact_at(&mut bytes, 0).unwrap();
            (entry.name, bytes)
        });
        all.collect::<Vec<_>>()
    };
    let log = files(&env, ".wal").remove(0);
    // The sixth group, when most of what is before it has been written into SSTables.
    let flip = |contents: &mut Vec<u8>| contents[5 * PAGE_SIZE + 80] ^= 1;
    simulation.damage(&log, flip).unwrap();
    let before = contents();
    let opened = Db::open(env.clone(), Path::new(DIR), options.clone());
    assert!(matches!(opened, Err(Error::Corruption(_))));
    assert_eq!(contents(), before);
    simulation.damage(&log, flip).unwrap();
    let db = Db::open(env.clone(), Path::new(DIR), options).unwrap();
    assert_eq!(db.durable_sequence(), 8);
    assert!((0..8).all(|number| get(&db, &format!("k{number}")).is_some()));
}

#[test]
fn damage_after_a_clean_close_is_refused_wherever_it_is() {
    let simulation = Simulation::new(1);
    let db = open(&simulation.env());
    put(&db, "a", "a");
    db.close().unwrap();
    let log = files(&simulation.env(), ".wal").remove(0);
    simulation
        .damage(&log, |contents| contents[70] ^= 1)
        .unwrap();
    let opened = Db::open(simulation.env(), Path::new(DIR), Options::default());
    assert!(matches!(opened, Err(Error::Corruption(_))));
}

#[test]
fn a_log_of_an_epoch_that_the_manifest_does_not_know_is_refused() {
    let simulation = crashed();
    let env = simulation.env();
    let log = files(&env, ".wal").remove(0);
    let later = Path::new(DIR).join(format!("{:016x}-{:016x}.wal", 9, 0));
    env.fs.rename(&log, &later).unwrap();
    let opened = Db::open(env, Path::new(DIR), Options::default());
    let Err(Error::Corruption(corruption)) = opened else {
        panic!("it was not seen")
    };
    assert_eq!(corruption.file, later);
}

#[test]
fn nothing_piles_up_over_openings() {
    let simulation = Simulation::new(1);
    for round in 0..20 {
        let db = open(&simulation.env());
        assert_eq!(db.durable_sequence(), round);
        put(&db, "a", &round.to_string());
        if round % 2 == 0 {
            db.close().unwrap();
        }
        simulation.crash();
    }
    let db = open(&simulation.env());
    simulation.run_until_idle();
    let env = simulation.env();
    assert!(files(&env, ".wal").len() <= 1, "{:?}", files(&env, ".wal"));
    assert!(files(&env, ".sst").len() <= 5, "{:?}", files(&env, ".sst"));
    assert_eq!(get(&db, "a").as_deref(), Some("19"));
    assert_eq!(env.fs.list(Path::new(DIR)).unwrap().len(), db_files(&env));
}

/// Files of the kinds that a database has.
fn db_files(env: &Env) -> usize {
    let known = |name: &str| {
        [".wal", ".sst", "LOCK", "CURRENT"]
            .iter()
            .any(|end| name.ends_with(end))
            || name.starts_with("MANIFEST-")
    };
    let entries = env.fs.list(Path::new(DIR)).unwrap();
    entries.iter().filter(|entry| known(&entry.name)).count()
}

#[test]
fn a_delete_outlives_what_it_hides_over_parts_of_a_replay() {
    let options = Options {
        memtable_size: 4 << 10,
        ..Options::default()
    };
    let simulation = Simulation::new(1);
    let large = Options {
        memtable_size: 1 << 20,
        ..Options::default()
    };
    let db = Db::open(simulation.env(), Path::new(DIR), large).unwrap();
    put(&db, "a", "1");
    put(&db, "filler", &"x".repeat(5_000));
    let mut batch = Batch::new();
    batch.delete(key("a"));
    db.write(batch).unwrap().wait().unwrap();
    put(&db, "filler", &"y".repeat(5_000));
    simulation.crash();
    drop(db);
    let db = Db::open(simulation.env(), Path::new(DIR), options).unwrap();
    assert_eq!(get(&db, "a"), None);
    assert!(get(&db, "filler").unwrap().starts_with('y'));
}

#[test]
fn keyspace_ids_are_never_given_out_twice() {
    let simulation = Simulation::new(1);
    let mut all = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let db = open(&simulation.env());
        for _ in 0..100 {
            let keyspace = db.create_keyspace().unwrap();
            assert!(keyspace >= FIRST_CREATED_KEYSPACE);
            assert!(all.insert(keyspace), "{keyspace:?} again");
        }
        simulation.crash();
    }
}

#[test]
fn stamped_keys_are_in_the_order_of_commits_also_after_a_crash() {
    let simulation = Simulation::new(1);
    let log = |db: &Db| -> Vec<(Vec<u8>, Value)> {
        let snapshot = db.snapshot();
        let range = KeyRange::partition(KEYSPACE, b"log");
        let mut entries = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
        let mut found = Vec::new();
        while let Step::Entry { key, value } = entries.next().unwrap() {
            found.push((key.sort().to_vec(), value));
        }
        found
    };
    let db = open(&simulation.env());
    for value in ["one", "two"] {
        let mut batch = Batch::new();
        batch.put(key(value), value);
        batch.put_stamped(KEYSPACE, b"log", b"b", value);
        batch.put_stamped(KEYSPACE, b"log", b"a", value);
        db.write(batch).unwrap().wait().unwrap();
    }
    let stamped = |sequence: u64, suffix: &[u8]| [&sequence.to_be_bytes(), suffix].concat();
    let expected: Vec<(Vec<u8>, Value)> = vec![
        (stamped(1, b"a"), "one".into()),
        (stamped(1, b"b"), "one".into()),
        (stamped(2, b"a"), "two".into()),
        (stamped(2, b"b"), "two".into()),
    ];
    assert_eq!(db.last_sequence(), 2);
    assert_eq!(log(&db), expected);
    simulation.crash();
    let db = open(&simulation.env());
    assert_eq!(log(&db), expected);
    assert_eq!(get(&db, "two").as_deref(), Some("two"));
}

#[test]
fn an_sstable_that_is_missing_is_damage() {
    let simulation = crashed();
    // What recovery has written is one SSTable.
    drop(open(&simulation.env()));
    simulation.run_until_idle();
    let table = files(&simulation.env(), ".sst").remove(0);
    simulation.env().fs.remove(&table).unwrap();
    let opened = Db::open(simulation.env(), Path::new(DIR), Options::default());
    let read = opened.and_then(|db| db.get(&key("a"), ReadMode::Blocking));
    let Err(Error::Corruption(corruption)) = read else {
        panic!("{read:?}")
    };
    assert_eq!(corruption.file, table);
    assert_eq!(corruption.found, "no file");
}

#[test]
fn a_missing_sstable_is_refused_before_anything_is_changed() {
    let simulation = Simulation::new(1);
    let db = open(&simulation.env());
    put(&db, "a", "a");
    db.close().unwrap();
    simulation.crash();
    open(&simulation.env()).close().unwrap();
    simulation.crash();
    let env = simulation.env();
    let sstable = files(&env, ".sst").remove(0);
    let aside = Path::new(DIR).join("aside");
    env.fs.rename(&sstable, &aside).unwrap();
    let names = || env.fs.list(Path::new(DIR)).unwrap();
    let before = names();
    let opened = Db::open(env.clone(), Path::new(DIR), Options::default());
    let Err(Error::Corruption(corruption)) = opened else {
        panic!("it was not missed")
    };
    assert_eq!(corruption.file, sstable);
    assert_eq!(names(), before);
    env.fs.rename(&aside, &sstable).unwrap();
    assert_eq!(get(&open(&env), "a").as_deref(), Some("a"));
}

/// Found by the simulation: readers saw the drop, a flush discarded what it dropped, and the power
/// cut took the drop away again.
#[test]
fn a_drop_that_may_be_lost_discards_nothing() {
    let simulation = Simulation::new(1);
    let options = Options {
        durability: crate::Durability::Interval(Duration::from_secs(60)),
        memtable_size: 1 << 10,
        ..Options::default()
    };
    let open = || Db::open(simulation.env(), Path::new(DIR), options.clone()).unwrap();
    let db = open();
    // The first sync is at once, the next in a minute.
    put(&db, "a", "1");
    simulation.run_until_idle();
    let mut batch = Batch::new();
    batch.put(key("a"), vec![0; 2_000]);
    let full = db.write(batch).unwrap();
    let mut batch = Batch::new();
    batch.drop_keyspace(KEYSPACE);
    db.write(batch).unwrap().wait().unwrap();
    full.wait().unwrap();
    assert_eq!(get(&db, "a"), None);
    simulation.run_until_idle();
    assert_eq!(db.statistics().flushes, 1);
    simulation.crash();
    let db = open();
    assert_eq!(
        db.durable_sequence(),
        2,
        "the drop was only with the operating system"
    );
    assert_eq!(get(&db, "a").map(|value| value.len()), Some(2_000));
}
