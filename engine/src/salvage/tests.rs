//! What is not damaged comes back, and nothing comes back wrong.

use std::collections::BTreeMap;

use super::*;
use crate::error::ErrorKind;
use crate::key::Key;
use crate::verify::fixture::{DIR, Fixture, Random, entries, options};

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
