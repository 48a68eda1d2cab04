//! The manifest over a file system: what was applied is found again, and damage is refused.

use bytes::Bytes;

use super::*;
use crate::error::ErrorKind;
use crate::io::{MemoryFs, Simulation};
use crate::key::KeyspaceId;
use crate::sstable::{FileMeta, Properties};

const DIR: &str = "/db";

fn meta(file_id: u64, smallest: &str, largest: &str, max_sequence: u64) -> FileMeta {
    let properties = Properties {
        smallest: Bytes::copy_from_slice(smallest.as_bytes()),
        largest: Bytes::copy_from_slice(largest.as_bytes()),
        max_sequence,
        entries: 1,
        ..Properties::default()
    };
    FileMeta {
        file_id,
        size: 100,
        checksum: 1,
        properties,
    }
}

fn open(fs: &Arc<dyn Fs>) -> Result<VersionSet> {
    let cache = Arc::new(BlockCache::new(0, 1));
    VersionSet::open(Arc::clone(fs), Path::new(DIR), cache, 1 << 20)
}

fn memory() -> Arc<dyn Fs> {
    Arc::new(MemoryFs::new())
}

fn add(level: usize, file: FileMeta) -> VersionEdit {
    VersionEdit {
        added: vec![(level, file)],
        ..VersionEdit::default()
    }
}

/// The files of a version, as text: L0's sublevels newest first, then the levels.
fn layout(version: &Version) -> String {
    let ids = |run: &super::super::Run| {
        let ids = run.tables().iter().map(|table| table.file_id().to_string());
        ids.collect::<Vec<_>>().join(",")
    };
    let sublevels = version
        .sublevels()
        .iter()
        .map(|run| format!("L0 {}", ids(run)));
    let levels = (1..crate::manifest::LEVELS)
        .filter(|level| !version.level(*level).is_empty())
        .map(|level| format!("L{level} {}", ids(version.level(level))));
    sublevels.chain(levels).collect::<Vec<_>>().join("; ")
}

fn manifest_path(generation: u64) -> std::path::PathBuf {
    Path::new(DIR).join(current::manifest_name(generation))
}

fn names(fs: &Arc<dyn Fs>) -> Vec<String> {
    fs.list(Path::new(DIR))
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect()
}

#[test]
fn what_was_applied_is_found_again() {
    let fs = memory();
    let set = open(&fs).unwrap();
    set.apply(add(0, meta(set.allocate_file_id(), "a", "m", 10)))
        .unwrap();
    set.apply(add(0, meta(set.allocate_file_id(), "n", "z", 20)))
        .unwrap();
    set.apply(add(0, meta(set.allocate_file_id(), "c", "d", 30)))
        .unwrap();
    set.apply(add(6, meta(set.allocate_file_id(), "a", "z", 5)))
        .unwrap();
    set.apply(VersionEdit {
        flushed_sequence: Some(30),
        keyspace_limit: Some(64),
        dropped: vec![(KeyspaceId(3), 25), (KeyspaceId(4), 26)],
        gone: vec![(4, 4), (9, 12)],
        epoch: Some(2),
        times: vec![(30, 1000)],
        ..VersionEdit::default()
    })
    .unwrap();
    for _ in 0..3 {
        let version = open(&fs).unwrap().current();
        assert_eq!(layout(&version), "L0 3; L0 1,2; L6 4");
        assert_eq!(version.flushed_sequence(), 30);
        assert_eq!(version.keyspace_limit(), 64);
        assert_eq!(version.epoch(), 2);
        assert_eq!(
            version.dropped().iter().collect::<Vec<_>>(),
            [(KeyspaceId(3), 25)]
        );
        assert_eq!(
            version.dropped().gone().collect::<Vec<_>>(),
            [(4, 4), (9, 12)]
        );
        assert_eq!(version.times().sequence_at(1000), Some(30));
    }
}

#[test]
fn ids_are_never_given_twice() {
    let fs = memory();
    let set = open(&fs).unwrap();
    set.apply(add(1, meta(set.allocate_file_id(), "a", "b", 1)))
        .unwrap();
    // Taken for a file that was not finished: its id need not be known to the manifest.
    let orphan = set.allocate_file_id();
    set.store().create(orphan).unwrap();
    let set = open(&fs).unwrap();
    assert!(set.allocate_file_id() > orphan);
    assert_eq!(set.delete_orphans().unwrap(), 1);
}

#[test]
fn two_generations_are_kept() {
    let fs = memory();
    for _ in 0..4 {
        open(&fs).unwrap();
    }
    assert_eq!(
        names(&fs),
        ["CURRENT", "MANIFEST-000003", "MANIFEST-000004"]
    );
}

#[test]
fn a_large_manifest_is_written_anew() {
    let fs = memory();
    let cache = Arc::new(BlockCache::new(0, 1));
    let set = VersionSet::open(Arc::clone(&fs), Path::new(DIR), cache, 1000).unwrap();
    for sequence in 1..=200 {
        set.apply(VersionEdit {
            flushed_sequence: Some(sequence),
            ..VersionEdit::default()
        })
        .unwrap();
    }
    let manifests: Vec<_> = names(&fs).split_off(1);
    assert_eq!(manifests.len(), 2);
    assert!(manifests[1].as_str() > "MANIFEST-000004", "{manifests:?}");
    assert!(
        fs.open(&Path::new(DIR).join(&manifests[1]))
            .unwrap()
            .len()
            .unwrap()
            < 1100
    );
    assert_eq!(open(&fs).unwrap().current().flushed_sequence(), 200);
}

#[test]
fn files_go_with_the_last_version_that_names_them() {
    let fs = memory();
    let set = open(&fs).unwrap();
    set.apply(add(0, meta(1, "a", "b", 1))).unwrap();
    let reader = set.current();
    set.apply(VersionEdit {
        removed: vec![(0, 1)],
        ..VersionEdit::default()
    })
    .unwrap();
    assert_eq!(set.store().take_garbage(), None);
    drop(reader);
    assert_eq!(set.store().take_garbage(), Some(1));
    assert_eq!(set.store().take_garbage(), None);
}

#[test]
fn a_moved_file_stays() {
    let fs = memory();
    let set = open(&fs).unwrap();
    let file = meta(1, "a", "b", 1);
    set.apply(add(0, file.clone())).unwrap();
    let edit = VersionEdit {
        removed: vec![(0, 1)],
        added: vec![(6, file)],
        ..VersionEdit::default()
    };
    assert_eq!(layout(&set.apply(edit).unwrap()), "L6 1");
    assert_eq!(set.store().take_garbage(), None);
    assert_eq!(layout(&open(&fs).unwrap().current()), "L6 1");
}

#[test]
fn a_torn_edit_is_dropped_and_nothing_is_appended_behind_it() {
    let fs = memory();
    let set = open(&fs).unwrap();
    let manifest = fs.open(&manifest_path(1)).unwrap();
    set.apply(VersionEdit {
        flushed_sequence: Some(1),
        ..VersionEdit::default()
    })
    .unwrap();
    let before = manifest.len().unwrap();
    set.apply(VersionEdit {
        flushed_sequence: Some(2),
        ..VersionEdit::default()
    })
    .unwrap();
    manifest.write_at(&[0; 8], before).unwrap();
    let set = open(&fs).unwrap();
    assert_eq!(set.current().flushed_sequence(), 1);
    set.apply(VersionEdit {
        flushed_sequence: Some(3),
        ..VersionEdit::default()
    })
    .unwrap();
    assert_eq!(open(&fs).unwrap().current().flushed_sequence(), 3);
}

#[test]
fn a_damaged_edit_before_a_good_one_is_corruption() {
    let fs = memory();
    let set = open(&fs).unwrap();
    let manifest = fs.open(&manifest_path(1)).unwrap();
    let first = manifest.len().unwrap();
    for sequence in [1, 2] {
        set.apply(VersionEdit {
            flushed_sequence: Some(sequence),
            ..VersionEdit::default()
        })
        .unwrap();
    }
    manifest.write_at(&[0; 1], first).unwrap();
    match open(&fs).err() {
        Some(Error::Corruption(corruption)) => {
            assert_eq!(corruption.file, manifest_path(1));
            assert_eq!(corruption.offset, first);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn edits_that_do_not_fit_are_corruption() {
    let removed = VersionEdit {
        removed: vec![(1, 9)],
        ..VersionEdit::default()
    };
    let back = VersionEdit {
        flushed_sequence: Some(1),
        ..VersionEdit::default()
    };
    let deep = add(9, meta(7, "a", "b", 1));
    let overlap = add(1, meta(7, "b", "c", 1));
    let again = add(2, meta(1, "a", "b", 1));
    let twice = VersionEdit {
        added: vec![(0, meta(7, "a", "b", 1)), (0, meta(7, "c", "d", 2))],
        ..VersionEdit::default()
    };
    for bad in [removed, back, deep, overlap, again, twice] {
        let fs = memory();
        let set = open(&fs).unwrap();
        set.apply(VersionEdit {
            flushed_sequence: Some(5),
            ..add(1, meta(1, "a", "b", 1))
        })
        .unwrap();
        let manifest = fs.open(&manifest_path(1)).unwrap();
        let (mut payload, mut record) = (Vec::new(), Vec::new());
        bad.encode(&mut payload);
        push_record(&mut record, 1, 2, &payload);
        manifest.write_at(&record, manifest.len().unwrap()).unwrap();
        assert_eq!(
            open(&fs).err().map(|e| e.kind()),
            Some(ErrorKind::Corruption),
            "{bad:?}"
        );
    }
}

#[test]
#[should_panic(expected = "does not fit")]
fn an_edit_that_does_not_fit_is_never_written() {
    let set = open(&memory()).unwrap();
    let _ = set.apply(VersionEdit {
        removed: vec![(1, 9)],
        ..VersionEdit::default()
    });
}

#[test]
fn stray_files_with_the_last_numbers_do_no_harm() {
    let fs = memory();
    for name in ["MANIFEST-18446744073709551615", "18446744073709551615.sst"] {
        fs.create(&Path::new(DIR).join(name)).unwrap();
    }
    // Without `CURRENT` they say that a database is lost; with it they are left-overs.
    assert_eq!(open(&fs).err().unwrap().kind(), ErrorKind::Corruption);
    current::write(fs.as_ref(), Path::new(DIR), u64::MAX).unwrap();
    assert!(open(&fs).is_err());
    current::write(fs.as_ref(), Path::new(DIR), 1).unwrap();
    let first = encode_header(1);
    let manifest = fs.create(&Path::new(DIR).join("MANIFEST-000001")).unwrap();
    let mut bytes = first;
    push_record(&mut bytes, 1, 0, &[]);
    manifest.write_at(&bytes, 0).unwrap();
    let set = open(&fs).unwrap();
    assert_eq!(set.delete_orphans().unwrap(), 1);
}

#[test]
fn a_crash_at_any_moment_loses_no_edit_that_was_acknowledged() {
    // Opens, applies five edits with a new generation in between, and opens again: with the disk
    // failing from its n-th operation on, for every n.
    let script = |fs: &Arc<dyn Fs>| -> (u64, Result<()>) {
        let mut acknowledged = 0;
        let result = (|| {
            for _ in 0..2 {
                let cache = Arc::new(BlockCache::new(0, 1));
                let set = VersionSet::open(Arc::clone(fs), Path::new(DIR), cache, 150)?;
                for _ in 0..5 {
                    let flushed_sequence = Some(acknowledged + 1);
                    set.apply(VersionEdit {
                        flushed_sequence,
                        ..VersionEdit::default()
                    })?;
                    acknowledged += 1;
                }
            }
            Ok(())
        })();
        (acknowledged, result)
    };
    let mut crash_at = 0;
    loop {
        let simulation = Simulation::new(crash_at);
        simulation.env().fs.create_dir_all(Path::new(DIR)).unwrap();
        simulation.crash_after(crash_at);
        let (acknowledged, result) = script(&simulation.env().fs);
        simulation.crash();
        let found = open(&simulation.env().fs)
            .unwrap()
            .current()
            .flushed_sequence();
        // The edit that was under way may be there or not.
        assert!(
            found == acknowledged || (result.is_err() && found == acknowledged + 1),
            "crash at {crash_at}: {found} of {acknowledged}"
        );
        if result.is_ok() {
            break;
        }
        crash_at += 1;
    }
    assert!(crash_at > 50, "{crash_at}");
}
