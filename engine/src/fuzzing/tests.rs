//! The seeds in `fuzz/seeds`, and what once was a finding, go through their targets with every test
//! run. `STATOR_REWRITE=1` writes the seeds anew, from what the writers write now.

#![expect(
    clippy::disallowed_methods,
    reason = "the seeds are files of the source tree and not of a database"
)]

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::cache::BlockCache;
use crate::io::{Env, File, Fs, LogMode, MemoryFs};
use crate::key::Kind;
use crate::manifest::{HistoryChange, VersionEdit, VersionSet, Window};
use crate::sstable::{FileMeta, Writer, WriterOptions};
use crate::wal::{RecordBuilder, Segments};

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 7] = [
    ("key", key),
    ("wal", wal),
    ("block", block),
    ("frame", frame),
    ("sstable", sstable),
    ("edit", edit),
    ("manifest", manifest),
];

fn folder(target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    root.join(target)
}

#[test]
fn seeds_and_findings_of_the_past() {
    for (name, target) in TARGETS {
        if std::env::var_os("STATOR_REWRITE").is_some() {
            write_seeds(name);
        }
        for (seed, expected) in seeds(name) {
            let path = folder(name).join(seed);
            let found = std::fs::read(&path).unwrap();
            assert!(found == expected, "{}: STATOR_REWRITE=1", path.display());
        }
        for seed in std::fs::read_dir(folder(name)).unwrap() {
            target(&std::fs::read(seed.unwrap().path()).unwrap());
        }
    }
}

fn write_seeds(name: &str) {
    std::fs::create_dir_all(folder(name)).unwrap();
    for (seed, contents) in seeds(name) {
        std::fs::write(folder(name).join(seed), contents).unwrap();
    }
}

/// The seeds of a target by their names; each is one that a target gets far with.
fn seeds(target: &str) -> Vec<(&'static str, Vec<u8>)> {
    match target {
        "key" => vec![("key", user_key(3, "user\0one", "2026").as_bytes().to_vec())],
        "wal" => vec![
            ("buffered", wal_seed(LogMode::Buffered)),
            ("durable", wal_seed(LogMode::Durable)),
        ],
        "block" => vec![("data", data_block())],
        "frame" => vec![
            ("raw", sealed(&framed(0, &data_block()))),
            ("zstd", sealed(&framed(3, &[7; 64]))),
        ],
        "sstable" => vec![
            ("raw", sealed(&table(0).0)),
            ("zstd", sealed(&table(3).0)),
            ("empty-data-block", sealed(&empty_data_block())),
        ],
        "edit" => vec![("edit", encoded(&an_edit()))],
        "manifest" => vec![("manifest", sealed(&manifest_file()))],
        other => panic!("no seeds for {other}"),
    }
}

/// As the input of a target that seals.
fn sealed(contents: &[u8]) -> Vec<u8> {
    [&[1], contents].concat()
}

fn user_key(keyspace: u32, partition: &str, sort: &str) -> Key {
    Key::new(KeyspaceId(keyspace), partition.as_bytes(), sort.as_bytes())
}

fn read_all(file: &Arc<dyn File>) -> Vec<u8> {
    let mut contents = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut contents, 0).unwrap();
    contents
}

fn wal_seed(mode: LogMode) -> Vec<u8> {
    let env = Env::memory();
    let dir = Path::new("/db");
    let segments = Arc::new(Segments::new(&env, dir, 3, mode, 16 << 10));
    let mut writer = crate::wal::Writer::new(segments, 0);
    for sequence in 1..=3 {
        let mut record = RecordBuilder::new(0, 0);
        record.put(user_key(1, "p", "s").as_bytes(), b"value");
        record.delete(user_key(1, "p", "t").as_bytes());
        record.drop_keyspace(KeyspaceId(9));
        let record = record.finish().unwrap();
        writer
            .append(sequence, [&record].into_iter(), 1_700_000_000_000)
            .unwrap();
    }
    let path = dir.join("0000000000000003-0000000000000000.wal");
    let contents = read_all(&env.fs.open(&path).unwrap());
    let len = u16::try_from(contents.len()).unwrap().to_le_bytes();
    [&[1, 0], &len[..], &contents].concat()
}

/// A small SSTable with several data blocks and index partitions.
fn table(compression_level: i32) -> (Vec<u8>, FileMeta) {
    let file = MemoryFs::new().create(Path::new("/sst")).unwrap();
    let options = WriterOptions {
        block_size: 160,
        compression_level,
        bloom_bits_per_key: 10,
    };
    let mut writer = Writer::new(Arc::clone(&file), 42, options);
    let mut keys: Vec<Key> = (0..20)
        .map(|i| user_key(16 + i / 12, &format!("p{}", i % 4), &format!("sort {i}")))
        .collect();
    keys.sort();
    for (i, key) in (0..).zip(&keys) {
        let user = key.as_bytes();
        let tombstone = crate::key::InternalKeyRef::new(user, 100 + i, Kind::Delete);
        let value = crate::key::InternalKeyRef::new(user, i, Kind::Put);
        writer.add(tombstone, b"").unwrap();
        writer.add(value, &[b'v'; 30]).unwrap();
    }
    let meta = writer.finish().unwrap();
    (read_all(&file), meta)
}

/// A finding of the past: forward and backward, an iterator took it for the end.
fn empty_data_block() -> Vec<u8> {
    let mut contents = table(0).0;
    let third = crate::sstable::fuzzing::data_blocks(&mut contents)[2];
    // The number of its entries.
    contents[third..third + 4].fill(0);
    contents
}

fn data_block() -> Vec<u8> {
    let mut block = crate::sstable::fuzzing::builder();
    let keys: Vec<Key> = (10..30)
        .map(|i| user_key(1, "p", &format!("sort {i}")))
        .collect();
    for key in &keys {
        let key = crate::key::InternalKeyRef::new(key.as_bytes(), 7, Kind::Put);
        block.add(key, b"v");
    }
    block.finish().to_vec()
}

fn framed(level: i32, contents: &[u8]) -> Vec<u8> {
    crate::sstable::fuzzing::framed(level, contents)
}

fn an_edit() -> VersionEdit {
    VersionEdit {
        added: vec![(0, table(0).1)],
        flushed_sequence: Some(119),
        keyspace_limit: Some(64),
        dropped: vec![(KeyspaceId(17), 118)],
        epoch: Some(2),
        times: vec![(117, 1_700_000_000_000), (119, 1_700_000_001_000)],
        histories: vec![
            HistoryChange::Window(
                KeyspaceId(1),
                Window {
                    length_ms: 86_400_000,
                    floor: 100,
                },
            ),
            HistoryChange::Pin(5, KeyspaceId(1), 90),
            HistoryChange::Pin(6, KeyspaceId(1), 91),
            HistoryChange::Unpin(6),
        ],
        ..VersionEdit::default()
    }
}

fn encoded(edit: &VersionEdit) -> Vec<u8> {
    let mut bytes = Vec::new();
    edit.encode(&mut bytes);
    bytes
}

fn manifest_file() -> Vec<u8> {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::new());
    let dir = Path::new("/db");
    let cache = Arc::new(BlockCache::new(0, 1));
    let set = VersionSet::open(Arc::clone(&fs), dir, cache, 1 << 20).unwrap();
    while set.allocate_file_id() < 42 {}
    set.apply(an_edit()).unwrap();
    let moved = VersionEdit {
        added: vec![(6, table(0).1)],
        removed: vec![(0, 42)],
        gone: vec![(17, 17), (20, 90)],
        ..VersionEdit::default()
    };
    set.apply(moved).unwrap();
    read_all(&fs.open(&dir.join("MANIFEST-000001")).unwrap())
}
