//! Sound databases are found sound, and damage is found wherever it is.

use std::path::Path;

use super::fixture::{DIR, Fixture, Random};
use super::*;
use crate::cache::BlockCache;
use crate::error::ErrorKind;
use crate::io::MemoryFs;
use crate::key::{InternalKey, Key, KeyspaceId, Kind};
use crate::manifest::{VersionEdit, VersionSet};
use crate::sstable::{FileMeta, Writer, WriterOptions};

fn check(env: &Env) -> Verified {
    verify(env, Path::new(DIR), &mut |_| {}).unwrap()
}

#[test]
fn sound_databases_are_sound_and_stay_as_they_are() {
    for seed in 0..8 {
        let fixture = Fixture::new(seed);
        let before = fixture.contents(DIR);
        let mut last = 0;
        let verified = verify(&fixture.env(), Path::new(DIR), &mut |progress| {
            assert!(progress.done >= last && progress.done <= progress.total);
            last = progress.done;
        })
        .unwrap();
        assert!(verified.damage.is_empty(), "seed {seed}: {verified:?}");
        assert!(verified.sstables > 0 || verified.commits > 0, "seed {seed}");
        assert_eq!(fixture.contents(DIR), before, "seed {seed}");
    }
}

#[test]
fn every_flipped_bit_of_what_is_needed_is_found_where_it_is() {
    for seed in 0..2 {
        let fixture = Fixture::new(seed);
        let sound = check(&fixture.env());
        let spare: Vec<&Path> = sound.leftovers.iter().map(|left| &*left.file).collect();
        let mut random = Random::new(seed);
        for (name, contents) in fixture.contents(DIR) {
            let path = Path::new(DIR).join(&name);
            if spare.contains(&path.as_path()) || name.ends_with(".wal") {
                continue;
            }
            for _ in 0..6 {
                let bit = random.below(contents.len() as u64 * 8) as usize;
                let flip = |bytes: &mut Vec<u8>| bytes[bit / 8] ^= 1 << (bit % 8);
                fixture.damage(&name, flip);
                let found = check(&fixture.env());
                let there = found
                    .damage
                    .iter()
                    .any(|damage| damage.file == path && damage.offset <= bit as u64 / 8);
                // The last edit of a manifest cannot be told from one that was not finished: then the
                // files do not fit it, or a part of it shows as unfinished.
                let shows =
                    there || (name.starts_with("MANIFEST") && found.leftovers != sound.leftovers);
                assert!(shows, "seed {seed}: bit {bit} of {name}: {found:?}");
                fixture.damage(&name, flip);
            }
            fixture.damage(&name, |bytes| bytes.truncate(contents.len() / 2));
            let found = check(&fixture.env());
            let shows = !found.damage.is_empty() || found.leftovers != sound.leftovers;
            assert!(shows, "seed {seed}: half of {name}: {found:?}");
            fixture.damage(&name, |bytes| bytes.clone_from(&contents));
        }
    }
}

#[test]
fn damage_in_the_log_is_found_and_a_torn_tail_is_none() {
    let fixture = Fixture::new(1);
    let db = fixture.open(DIR).unwrap();
    for number in 0..3 {
        let mut batch = crate::Batch::new();
        batch.put(Key::new(KeyspaceId(1), b"p", &[number]), "value");
        db.write(batch).unwrap().wait().unwrap();
    }
    fixture.simulation.kill();
    let logs: Vec<String> = fixture.contents(DIR).into_keys().collect();
    let log = logs
        .into_iter()
        .rfind(|name| name.ends_with("-0000000000000000.wal"))
        .unwrap();
    let flip_at = |offset: usize| {
        fixture.damage(&log, |contents| contents[offset] ^= 1);
        let found = check(&fixture.env());
        fixture.damage(&log, |contents| contents[offset] ^= 1);
        found
    };
    let first = flip_at(70);
    assert_eq!(first.damage.len(), 1, "{first:?}");
    assert_eq!(first.damage[0].file, Path::new(DIR).join(&log));
    let last = flip_at(2 * 4096 + 70);
    assert_eq!(last.damage.len(), 0, "{last:?}");
    let mut reasons = last.leftovers.iter().map(|left| &left.reason);
    assert!(
        reasons.any(|reason| reason.contains("offset 8192")),
        "{last:?}"
    );
}

#[test]
fn one_damage_does_not_hide_the_others() {
    let fixture = Fixture::new(3);
    let names: Vec<String> = fixture.contents(DIR).into_keys().collect();
    let sound = check(&fixture.env());
    let spare = |name: &String| sound.leftovers.iter().any(|left| left.file.ends_with(name));
    let tables: Vec<&String> = names
        .iter()
        .filter(|name| name.ends_with(".sst") && !spare(name))
        .collect();
    assert!(tables.len() >= 3);
    fixture.damage(tables[0], |contents| contents[9] ^= 1);
    fixture.damage(tables[0], |contents| *contents.last_mut().unwrap() ^= 1);
    fixture.damage(tables[1], |contents| contents[9] ^= 1);
    let gone = Path::new(DIR).join(tables[2]);
    fixture.env().fs.remove(&gone).unwrap();
    let found = check(&fixture.env());
    for file in [tables[0], tables[1], tables[2]] {
        let path = Path::new(DIR).join(file);
        assert!(
            found.damage.iter().any(|damage| damage.file == path),
            "{found:?}"
        );
    }
}

#[test]
fn what_is_not_needed_is_named() {
    let fixture = Fixture::new(5);
    let (env, dir) = (fixture.env(), Path::new(DIR));
    for name in [
        "000000999999.sst",
        "MANIFEST-999999",
        "CURRENT.tmp",
        "notes.txt",
    ] {
        env.fs.create(&dir.join(name)).unwrap();
    }
    let found = check(&env);
    assert!(found.damage.is_empty(), "{found:?}");
    let reasons: Vec<(&Path, &str)> = found
        .leftovers
        .iter()
        .map(|left| (&*left.file, &*left.reason))
        .collect();
    for (name, reason) in [
        (
            "000000999999.sst",
            "an SSTable that the manifest does not name",
        ),
        ("MANIFEST-999999", "a manifest of another generation"),
        ("CURRENT.tmp", "a CURRENT that was not finished"),
        ("notes.txt", "no file of the database"),
    ] {
        assert!(reasons.contains(&(&*dir.join(name), reason)), "{reasons:?}");
    }
}

#[test]
fn an_open_database_is_locked_and_an_empty_directory_is_none() {
    let fixture = Fixture::new(1);
    let (env, dir) = (fixture.env(), Path::new(DIR));
    let db = fixture.open(DIR).unwrap();
    let error = verify(&env, dir, &mut |_| {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    db.close().unwrap();
    assert!(check(&env).damage.is_empty());
    let error = verify(&env, Path::new("/none"), &mut |_| {}).unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::InvalidArgument | ErrorKind::Io
    ));
}

/// A database of hand-made SSTables: each a level, a sequence number and keys.
fn handmade(tables: &[(usize, u64, &[&str])], change: impl Fn(&mut FileMeta)) -> Env {
    let env = Env {
        fs: Arc::new(MemoryFs::new()),
        ..Env::memory()
    };
    let cache = Arc::new(BlockCache::new(0, 1));
    let set = VersionSet::open(Arc::clone(&env.fs), Path::new(DIR), cache, 1 << 20).unwrap();
    let mut edit = VersionEdit {
        flushed_sequence: Some(10),
        ..VersionEdit::default()
    };
    for (level, sequence, names) in tables {
        let file_id = set.allocate_file_id();
        let options = WriterOptions {
            block_size: 128,
            compression_level: 0,
            bloom_bits_per_key: 10,
        };
        let file = set.store().create(file_id).unwrap();
        let mut writer = Writer::new(file, file_id, options);
        for name in *names {
            let key = Key::new(KeyspaceId(1), b"p", name.as_bytes());
            let key = InternalKey::new(key.as_bytes(), *sequence, Kind::Put);
            writer.add(key.as_ref(), b"value").unwrap();
        }
        let mut meta = writer.finish().unwrap();
        change(&mut meta);
        edit.added.push((*level, meta));
    }
    set.apply(edit).unwrap();
    env
}

#[test]
fn what_the_manifest_says_of_a_file_has_to_be_true() {
    let sound = handmade(&[(1, 3, &["a", "b"])], |_| {});
    assert!(check(&sound).damage.is_empty());
    let changes: [fn(&mut FileMeta); 4] = [
        |meta| meta.properties.entries += 1,
        |meta| meta.properties.max_sequence = 11,
        |meta| meta.checksum ^= 1,
        |meta| meta.size += 1,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let found = check(&handmade(&[(1, 3, &["a", "b"])], change));
        assert!(!found.damage.is_empty(), "change {number}");
    }
}

#[test]
fn versions_out_of_the_order_of_levels_are_found() {
    let sound = handmade(&[(1, 5, &["a", "b"]), (2, 3, &["b", "c"])], |_| {});
    assert!(check(&sound).damage.is_empty());
    for older_sequence in [5, 7] {
        let tables: [(usize, u64, &[&str]); 2] =
            [(1, 5, &["a", "b"]), (2, older_sequence, &["b", "c"])];
        let found = check(&handmade(&tables, |_| {}));
        assert_eq!(found.damage.len(), 1, "{found:?}");
        assert!(found.damage[0].expected.contains("order of the levels"));
    }
}
