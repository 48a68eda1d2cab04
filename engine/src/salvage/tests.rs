//! What is not damaged comes back, and nothing comes back wrong.

use std::collections::BTreeMap;

use super::*;
use crate::error::ErrorKind;
use crate::io::Simulation;
use crate::key::Key;
use crate::verify::fixture::{DIR, Fixture, Random, entries, options};
use crate::{AsOf, Batch, Db, Direction, KeyRange, ReadMode, Step};

const NEW: &str = "/new";

fn save(fixture: &Fixture) -> Result<Salvaged> {
    let (dir, to) = (Path::new(DIR), Path::new(NEW));
    let before = fixture.contents(DIR);
    let salvaged = salvage(&fixture.env(), dir, to, &options(), &mut |_| {});
    assert_eq!(
        fixture.contents(DIR),
        before,
        "the old directory has changed"
    );
    salvaged
}

/// What the new directory serves. It has to be sound.
fn served(fixture: &Fixture) -> BTreeMap<Key, Value> {
    let verified = crate::verify(&fixture.env(), Path::new(NEW), &mut |_| {}).unwrap();
    assert!(verified.damage.is_empty(), "{verified:?}");
    let db = fixture.open(NEW).unwrap();
    let found = entries(&db).unwrap();
    db.close().unwrap();
    found
}

fn names(fixture: &Fixture, suffix: &str) -> Vec<String> {
    let names = fixture.contents(DIR).into_keys();
    names.filter(|name| name.ends_with(suffix)).collect()
}

#[test]
fn of_a_sound_database_everything_comes_back() {
    for seed in 0..8 {
        let fixture = Fixture::new(seed);
        let salvaged = save(&fixture).unwrap();
        assert!(
            salvaged.damage.is_empty() && salvaged.lost.is_empty(),
            "{salvaged:?}"
        );
        assert_eq!(salvaged.left_out, 0);
        assert!(served(&fixture) == fixture.live(), "seed {seed}");
        // It goes on from there.
        let db = fixture.open(NEW).unwrap();
        let mut batch = crate::Batch::new();
        let key = Key::new(KeyspaceId(1), b"new", b"");
        batch.put(key.clone(), "value");
        db.write(batch).unwrap().wait().unwrap();
        let mode = crate::ReadMode::Blocking;
        assert_eq!(db.get(&key, mode).unwrap().unwrap(), "value");
        assert!(db.create_keyspace().unwrap() >= FIRST_CREATED_KEYSPACE);
    }
}

#[test]
fn without_a_manifest_nothing_that_lives_is_missing() {
    for seed in 0..8 {
        for lost in ["CURRENT", "MANIFEST"] {
            let fixture = Fixture::new(seed);
            for name in fixture.contents(DIR).into_keys() {
                if name.starts_with(lost) {
                    fixture.damage(&name, |contents| contents.fill(7));
                }
            }
            let salvaged = save(&fixture).unwrap();
            assert_eq!(salvaged.remarks.len(), 1);
            let found = served(&fixture);
            for (key, value) in fixture.live() {
                assert_eq!(found.get(&key), Some(&value), "seed {seed}: {key:?}");
            }
        }
    }
}

/// Whether the salvage says that a key may be lost.
fn is_lost(salvaged: &Salvaged, key: &Key) -> bool {
    salvaged.lost.iter().any(|lost| match lost {
        Lost::Keys { from, until, .. } => {
            from.as_slice() <= key.as_bytes()
                && until.as_deref().is_none_or(|until| key.as_bytes() <= until)
        }
        Lost::Commits { .. } => false,
    })
}

#[test]
fn damaged_sstables_give_what_is_whole_and_never_an_old_value() {
    let mut lost_something = 0;
    for seed in 0..25 {
        let fixture = Fixture::new(seed);
        let mut random = Random::new(seed);
        let tables = names(&fixture, ".sst");
        for _ in 0..=random.below(3) {
            let Some(name) = tables.get(random.below(tables.len() as u64) as usize) else {
                continue;
            };
            let (place, kind) = (random.below(1 << 32) as usize, random.below(4));
            fixture.damage(name, |contents| {
                let at = place % contents.len().max(1);
                match kind {
                    0 => contents[at] ^= 1 << (place % 8),
                    1 => contents.truncate(at),
                    2 => contents[at..]
                        .iter_mut()
                        .take(300)
                        .for_each(|byte| *byte = 0),
                    // The index, the filter, the properties or the footer.
                    _ => {
                        let end = contents.len() - 1 - place % 200.min(contents.len());
                        contents[end] ^= 255;
                    }
                }
            });
        }
        let salvaged = save(&fixture).unwrap();
        let found = served(&fixture);
        let live = fixture.live();
        for (key, value) in &found {
            assert_eq!(live.get(key), Some(value), "seed {seed}: {key:?} is wrong");
        }
        for key in live.keys().filter(|key| !found.contains_key(key)) {
            assert!(
                is_lost(&salvaged, key),
                "seed {seed}: {key:?}, {salvaged:?}"
            );
            lost_something += 1;
        }
    }
    assert!(lost_something > 0);
}

#[test]
fn an_index_is_no_loss() {
    for seed in 0..6 {
        let fixture = Fixture::new(seed);
        for name in names(&fixture, ".sst") {
            // The footer is what leads to everything else.
            fixture.damage(&name, |contents| *contents.last_mut().unwrap() ^= 255);
        }
        let salvaged = save(&fixture).unwrap();
        assert!(salvaged.lost.is_empty(), "seed {seed}: {:?}", salvaged.lost);
        assert!(served(&fixture) == fixture.live(), "seed {seed}");
    }
}

#[test]
fn a_damaged_group_costs_its_own_commits() {
    let fixture = Fixture::new(1);
    let db = fixture.open(DIR).unwrap();
    let key = |number: u8| Key::new(KeyspaceId(1), b"p", &[number]);
    let mut first = 0;
    for number in 0..5 {
        let mut batch = crate::Batch::new();
        batch.put(key(number), "value");
        let commit = db.write(batch).unwrap();
        first = commit.sequence() - u64::from(number);
        commit.wait().unwrap();
    }
    fixture.simulation.kill();
    let log = names(&fixture, "-0000000000000000.wal").pop().unwrap();
    fixture.damage(&log, |contents| contents[2 * 4096 + 70] ^= 1);
    let salvaged = save(&fixture).unwrap();
    match &salvaged.lost[..] {
        [
            Lost::Commits {
                file,
                first: one,
                last,
                ..
            },
        ] => {
            assert_eq!(file, &Path::new(DIR).join(&log));
            assert_eq!((*one, *last), (first + 2, first + 2));
        }
        other => panic!("{other:?}"),
    }
    let found = served(&fixture);
    let there: Vec<bool> = (0..5)
        .map(|number| found.contains_key(&key(number)))
        .collect();
    assert_eq!(there, [true, true, false, true, true]);
}

#[test]
fn an_open_database_and_a_directory_with_files_are_refused() {
    let fixture = Fixture::new(1);
    let db = fixture.open(DIR).unwrap();
    let refused = salvage(
        &fixture.env(),
        Path::new(DIR),
        Path::new(NEW),
        &options(),
        &mut |_| {},
    );
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Locked);
    db.close().unwrap();
    fixture.env().fs.create_dir_all(Path::new(NEW)).unwrap();
    fixture.env().fs.create(&Path::new(NEW).join("a")).unwrap();
    assert_eq!(
        save(&fixture).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
}

const BASE: KeyspaceId = KeyspaceId(1);

/// All entries of a keyspace, by their names.
fn in_keyspace(db: &Db, keyspace: KeyspaceId) -> BTreeMap<Vec<u8>, Value> {
    let snapshot = db.snapshot();
    let range = KeyRange::keyspace(keyspace);
    let mut iter = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
    let mut found = BTreeMap::new();
    loop {
        match iter.next().unwrap() {
            Step::Entry { key, value } => {
                found.insert(key.partition().to_vec(), value);
            }
            Step::Paused(_) => {}
            Step::End => return found,
        }
    }
}

/// A fork that has overwritten and deleted a part of what it is made of, and is not copied out.
fn forked() -> (Fixture, KeyspaceId) {
    let fixture = Fixture {
        simulation: Simulation::new(9),
        random: Random::new(9),
        history: BTreeMap::new(),
        dropped: Vec::new(),
    };
    let write = |db: &Db, keyspace, own: &str, of: u64| {
        let mut batch = Batch::new();
        for number in (0..1600u64).filter(|number| number % of == 0) {
            let key = Key::new(keyspace, number.to_string().as_bytes(), b"");
            match number % 4 == 0 && of > 1 {
                true => batch.delete(key),
                false => batch.put(key, format!("{own} {number} ").repeat(6)),
            }
        }
        // It may be larger than a memtable.
        db.write_unthrottled(batch).unwrap().wait().unwrap();
    };
    let db = fixture.open(DIR).unwrap();
    write(&db, BASE, "base", 1);
    db.close().unwrap();
    let db = fixture.open(DIR).unwrap();
    let fork = db.fork(BASE, AsOf::Now).unwrap();
    write(&db, fork, "fork", 2);
    drop(db);
    fixture.simulation.kill();
    // What the log has gets into SSTables when it is opened.
    let db = fixture.open(DIR).unwrap();
    assert_eq!(db.forks().len(), 1, "it is not copied out");
    db.close().unwrap();
    (fixture, fork)
}

#[test]
fn a_fork_never_shows_what_it_had_replaced() {
    let mut lost = 0;
    let (sound, fork) = forked();
    let copy = |seed| Fixture {
        simulation: sound.simulation.fork(seed),
        random: Random::new(seed),
        history: BTreeMap::new(),
        dropped: Vec::new(),
    };
    let db = copy(0).open(DIR).unwrap();
    let live = in_keyspace(&db, fork);
    assert_eq!(live.len(), 1200);
    db.close().unwrap();
    for round in 0..16 {
        let fixture = copy(round);
        if round > 0 {
            let mut random = Random::new(round);
            let tables = names(&fixture, ".sst");
            let name = &tables[random.below(tables.len() as u64) as usize];
            let place = random.below(1 << 32) as usize;
            fixture.damage(name, |contents| {
                let at = place % contents.len();
                match round % 3 {
                    0 => contents.truncate(at),
                    _ => contents[at] ^= 16,
                }
            });
        }
        let salvaged = save(&fixture).unwrap();
        let verified = crate::verify(&fixture.env(), Path::new(NEW), &mut |_| {}).unwrap();
        assert!(verified.damage.is_empty(), "{verified:?}");
        let db = fixture.open(NEW).unwrap();
        for _ in 0..2 {
            let found = in_keyspace(&db, fork);
            for (name, value) in &found {
                assert_eq!(live.get(name), Some(value), "round {round}");
            }
            for name in live.keys().filter(|name| !found.contains_key(*name)) {
                let in_either = [fork, BASE].map(|keyspace| Key::new(keyspace, name, b""));
                assert!(in_either.iter().any(|key| is_lost(&salvaged, key)));
                lost += 1;
            }
            if round == 0 {
                assert_eq!(found, live);
            }
            // And once more when it is copied out.
            fixture.simulation.run_until_idle();
            assert_eq!(db.forks(), []);
        }
        db.close().unwrap();
    }
    assert!(lost > 0);
}
