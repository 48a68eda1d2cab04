//! The examples of the engine's chapters of `format-spec/`, from the writers; and what the readers
//! make of them as they are printed there.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use stator_format_spec::{Dump, bytes, check};

use crate::cache::BlockCache;
use crate::io::{Env, Fs, LogMode, MemoryFs};
use crate::iter::InternalIterator;
use crate::key::{InternalKey, InternalKeyRef, Kind};
use crate::manifest::{HistoryChange, Overlay, VersionEdit, VersionSet, Window};
use crate::sstable::{CacheUse, FileMeta, Reader, SstableIter, Writer, WriterOptions};
use crate::wal::{Operation, RecordBuilder, Segments, replay};
use crate::{Key, KeyRef, KeyspaceId, ReadMode};

const DIR: &str = "/db";
const TIME_MS: u64 = 1_700_000_000_000;

fn key(partition: &[u8], sort: &[u8]) -> Key {
    Key::new(KeyspaceId(1024), partition, sort)
}

fn contents(fs: &dyn Fs, name: &str) -> Vec<u8> {
    let file = fs.open(&Path::new(DIR).join(name)).unwrap();
    let mut contents = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut contents, 0).unwrap();
    contents
}

fn put_file(fs: &dyn Fs, name: &str, contents: &[u8]) {
    let file = fs.create(&Path::new(DIR).join(name)).unwrap();
    file.write_at(contents, 0).unwrap();
}

#[test]
fn keys() {
    let user = key(b"a\0b", b"\0s");
    let internal = InternalKey::new(user.as_bytes(), 5, Kind::Put);
    let user_dump = |bytes: &[u8]| {
        Dump::new(bytes)
            .field(4, "keyspace 1024")
            .field(8, "XXH3-64 of the three bytes 61 00 62")
            .field(4, "partition: 61, 00 as 00 ff, 62")
            .field(2, "end of the partition")
            .field(2, "sort bytes, as they are")
    };
    check(
        "keys",
        &[
            ("user-key", user_dump(user.as_bytes()).finish()),
            (
                "internal-key",
                user_dump(internal.as_bytes())
                    .field(8, "complement of sequence number 5")
                    .field(1, "kind 1: value")
                    .finish(),
            ),
        ],
    );
    let read = bytes("keys", "user-key");
    let read = KeyRef::parse(&read).unwrap();
    assert_eq!(read.keyspace(), KeyspaceId(1024));
    assert_eq!(read.partition(), &b"a\0b"[..]);
    assert_eq!(read.sort(), b"\0s");
    let read = bytes("keys", "internal-key");
    let read = InternalKeyRef::parse(&read).unwrap();
    assert_eq!((read.sequence(), read.kind()), (5, Some(Kind::Put)));
}

const SEGMENT: &str = "0000000000000002-0000000000000000.wal";

#[test]
fn wal() {
    let env = Env::memory();
    let segments = Segments::new(&env, Path::new(DIR), 2, LogMode::Buffered, 1 << 20);
    let mut writer = crate::wal::Writer::new(Arc::new(segments), 6);
    let mut first = RecordBuilder::new(0, 0);
    first.drop_keyspace(KeyspaceId(1030));
    first.put(key(b"a", b"1").as_bytes(), b"one");
    let mut second = RecordBuilder::new(0, 0);
    second.delete(key(b"a", b"1").as_bytes());
    let stamped = Key::stamped(KeyspaceId(1024), b"a", b"s");
    second.put_stamped(stamped.as_bytes(), b"two");
    let records = [first.finish().unwrap(), second.finish().unwrap()];
    writer.append(7, records.iter(), TIME_MS).unwrap();
    let group = contents(env.fs.as_ref(), SEGMENT);
    let dump = Dump::new(group)
        .field(4, "magic \"SWG1\"")
        .field(4, "checksum")
        .field(4, "payload length: 120")
        .field(4, "2 commits")
        .field(8, "epoch 2")
        .field(8, "segment 0")
        .field(8, "offset of this header: 0")
        .field(8, "the first commit has sequence number 7")
        .field(8, "durable up to 6")
        .field(8, "written at 1,700,000,000,000 ms after 1970")
        .field(4, "record: 45 bytes follow")
        .field(4, "2 operations")
        .field(1, "drop a keyspace")
        .field(4, "key length")
        .field(4, "value length")
        .field(4, "keyspace 1030")
        .field(1, "put")
        .field(4, "key length")
        .field(4, "value length")
        .field(16, "user key")
        .field(3, "value \"one\"")
        .field(4, "record: 65 bytes follow")
        .field(4, "2 operations")
        .field(1, "delete")
        .field(4, "key length")
        .field(4, "value length")
        .field(16, "user key")
        .field(1, "stamped put")
        .field(4, "key length")
        .field(4, "value length")
        .field(15, "user key up to its sort part")
        .field(8, "sequence number, not yet known")
        .field(1, "the rest of the sort part")
        .field(3, "value \"two\"")
        .field(2, "padding up to a multiple of 8");
    check("wal", &[("group", dump.finish())]);

    let fs = MemoryFs::new();
    put_file(&fs, SEGMENT, &bytes("wal", "group"));
    let mut found = Vec::new();
    let replayed = replay(&fs, Path::new(DIR), 2, 6, &mut |sequence, _, operations| {
        found.push((sequence, operations));
        Ok(())
    })
    .unwrap();
    assert_eq!((replayed.last_sequence, replayed.torn), (8, None));
    let user = Bytes::copy_from_slice(key(b"a", b"1").as_bytes());
    let put = Operation::Put(user.clone(), Bytes::from("one"));
    let dropped = Operation::DropKeyspace(KeyspaceId(1030));
    let expected = vec![
        (7, vec![dropped, put]),
        (
            8,
            vec![
                Operation::Delete(user),
                Operation::StampedPut(
                    Bytes::copy_from_slice(stamped.as_bytes()),
                    Bytes::from("two"),
                ),
            ],
        ),
    ];
    assert_eq!(found, expected);
}

const FILE_ID: u64 = 4;

/// Three versions of two keys.
fn versions() -> Vec<(InternalKey, &'static [u8])> {
    let one = key(b"a", b"1");
    let two = key(b"a", b"22");
    vec![
        (InternalKey::new(one.as_bytes(), 8, Kind::Delete), b""),
        (InternalKey::new(one.as_bytes(), 7, Kind::Put), b"one"),
        (InternalKey::new(two.as_bytes(), 9, Kind::Put), b"two"),
    ]
}

fn sstable_file() -> (Vec<u8>, FileMeta) {
    let fs = MemoryFs::new();
    let file = fs.create(&Path::new(DIR).join("sst")).unwrap();
    let options = WriterOptions {
        block_size: 16 << 10,
        compression_level: 0,
        bloom_bits_per_key: 10,
    };
    let mut writer = Writer::new(file, FILE_ID, options);
    for (key, value) in versions() {
        writer.add(key.as_ref(), value).unwrap();
    }
    let meta = writer.finish().unwrap();
    (contents(&fs, "sst"), meta)
}

#[test]
fn sstable() {
    let (file, _) = sstable_file();
    let dump = Dump::new(file)
        .field(4, "data block: 2 × 3 entries, offsets of 2 bytes")
        .field(4, "57 bytes of keys")
        .field(6, "offsets of the keys")
        .field(4, "key 0: 0 shared, 16 unshared, value at 0 of 0")
        .field(16, "user key")
        .field(9, "trailer: sequence number 8, tombstone")
        .field(4, "key 1: 16 shared, 0 unshared, value at 0 of 3")
        .field(9, "trailer: sequence number 7, value")
        .field(4, "key 2: 15 shared, 2 unshared, value at 3 of 3")
        .field(2, "rest of the user key")
        .field(9, "trailer: sequence number 9, value")
        .field(6, "the values: \"one\", \"two\"")
        .field(5, "stored as it is; checksum")
        .field(4, "index partition: 2 × 1 entry")
        .field(4, "30 bytes of keys")
        .field(2, "offset of the key")
        .field(4, "0 shared, 17 unshared, value at 0 of 2")
        .field(17, "separator: the last key of the block")
        .field(9, "its trailer")
        .field(2, "the data block: at 0, 82 bytes")
        .field(5, "stored as it is; checksum")
        .field(4, "top-level index: 2 × 1 entry")
        .field(4, "30 bytes of keys")
        .field(2, "offset of the key")
        .field(4, "0 shared, 17 unshared, value at 0 of 2")
        .field(17, "separator: the last key of the partition")
        .field(9, "its trailer")
        .field(2, "the partition: at 82, 47 bytes")
        .field(5, "stored as it is; checksum")
        .field(32, "filter: one block")
        .field(5, "stored as it is; checksum")
        .field(17, "properties: smallest user key")
        .field(18, "largest user key")
        .field(2, "sequence numbers 7 to 9")
        .field(2, "3 entries, 1 tombstone")
        .field(2, "49 bytes of keys, 6 of values")
        .field(2, "1 data block, 1 keyspace")
        .field(4, "keyspace 1024: 3 entries, 55 bytes")
        .field(5, "stored as it is; checksum")
        .field(8, "footer: file id 4")
        .field(8, "end of the data blocks")
        .field(12, "top-level index: at 129, 47 bytes")
        .field(12, "filter: at 176, 37 bytes")
        .field(12, "properties: at 213, 52 bytes")
        .field(4, "format version 1")
        .field(4, "zero")
        .field(4, "checksum of the footer")
        .field(8, "magic \"STATRSST\"");
    check("sstable", &[("file", dump.finish())]);

    let fs = MemoryFs::new();
    put_file(&fs, "sst", &bytes("sstable", "file"));
    let file = fs.open(&Path::new(DIR).join("sst")).unwrap();
    let cache = Arc::new(BlockCache::new(0, 1));
    let reader = Arc::new(Reader::open(file, FILE_ID, cache).unwrap());
    assert_eq!(reader.properties().unwrap().entries, 3);
    let mut iter = SstableIter::new(reader, ReadMode::Blocking, CacheUse::PassBy);
    iter.seek_to_first().unwrap();
    for (key, value) in versions() {
        assert_eq!(iter.key(), key.as_ref());
        assert_eq!(iter.value(), value);
        iter.next().unwrap();
    }
    assert!(!iter.valid());
}

#[test]
fn manifest() {
    let fs: Arc<dyn Fs> = Arc::new(MemoryFs::new());
    let cache = || Arc::new(BlockCache::new(0, 1));
    let set = VersionSet::open(Arc::clone(&fs), Path::new(DIR), cache(), 1 << 20).unwrap();
    while set.allocate_file_id() < FILE_ID {}
    let window = Window {
        length_ms: 60_000,
        floor: 7,
    };
    let overlay = Overlay {
        source: KeyspaceId(1024),
        at: 8,
        created: 9,
        copied: key(b"a", b"1").as_bytes()[4..].to_vec().into(),
    };
    let edit = VersionEdit {
        added: vec![(0, sstable_file().1)],
        flushed_sequence: Some(9),
        keyspace_limit: Some(1088),
        dropped: vec![(KeyspaceId(1030), 7)],
        gone: vec![(1026, 1029)],
        epoch: Some(2),
        times: vec![(8, TIME_MS), (9, TIME_MS + 1000)],
        histories: vec![
            HistoryChange::Window(KeyspaceId(1024), window),
            HistoryChange::Pin(5, KeyspaceId(1024), 8),
            HistoryChange::Overlay(KeyspaceId(1031), overlay.clone()),
            HistoryChange::OverlayEnd(KeyspaceId(1025)),
        ],
        ..VersionEdit::default()
    };
    set.apply(edit).unwrap();
    let current = Dump::new(contents(fs.as_ref(), "CURRENT"))
        .field(15, "\"MANIFEST-000001\"")
        .field(1, "a space")
        .field(8, "checksum of the name, in hexadecimal")
        .field(1, "a line feed");
    let file = Dump::new(contents(fs.as_ref(), "MANIFEST-000001"))
        .field(8, "magic \"STATMANI\"")
        .field(4, "format version 1")
        .field(8, "generation 1")
        .field(4, "checksum of the header")
        .field(4, "record 0: magic \"EDIT\"")
        .field(4, "payload of 8 bytes")
        .field(8, "generation 1")
        .field(8, "number 0")
        .field(4, "checksum")
        .field(2, "flushed sequence number: 0")
        .field(2, "next file id: 1")
        .field(2, "keyspace limit: 0")
        .field(2, "epoch over: 0, that is none")
        .field(4, "record 1: magic \"EDIT\"")
        .field(4, "payload of 120 bytes")
        .field(8, "generation 1")
        .field(8, "number 1")
        .field(4, "checksum")
        .field(1, "file added")
        .field(2, "to level 0, with id 4")
        .field(2, "of 337 bytes")
        .field(4, "CRC-32 of the file")
        .field(17, "smallest user key")
        .field(18, "largest user key")
        .field(2, "sequence numbers 7 to 9")
        .field(2, "3 entries, 1 tombstone")
        .field(2, "49 bytes of keys, 6 of values")
        .field(2, "1 data block, 1 keyspace")
        .field(4, "keyspace 1024: 3 entries, 55 bytes")
        .field(2, "flushed sequence number: 9")
        .field(2, "next file id: 5")
        .field(3, "keyspace limit: 1088")
        .field(2, "epoch over: 2")
        .field(4, "keyspace 1030 was dropped by commit 7")
        .field(4, "keyspaces 1026 and 3 more are gone")
        .field(2, "time sample: commit 8")
        .field(6, "1,700,000,000,000 ms after 1970")
        .field(4, "another: 1 commit and 1000 ms later")
        .field(7, "window: keyspace 1024, 60,000 ms, floor 7")
        .field(5, "pin 5: keyspace 1024 as of commit 8")
        .field(5, "fork 1031 of keyspace 1024")
        .field(2, "as of commit 8, made at 9")
        .field(13, "copied up to this key")
        .field(3, "fork 1025 has ended");
    check(
        "manifest",
        &[("current", current.finish()), ("file", file.finish())],
    );

    let again: Arc<dyn Fs> = Arc::new(MemoryFs::new());
    put_file(again.as_ref(), "CURRENT", &bytes("manifest", "current"));
    put_file(
        again.as_ref(),
        "MANIFEST-000001",
        &bytes("manifest", "file"),
    );
    let set = VersionSet::open(again, Path::new(DIR), cache(), 1 << 20).unwrap();
    let version = set.current();
    assert_eq!((version.flushed_sequence(), version.epoch()), (9, 2));
    assert_eq!(version.histories().window(KeyspaceId(1024)), Some(window));
    let gone: Vec<_> = version.dropped().gone().collect();
    assert_eq!(gone, [(1026, 1029)]);
    let forks: Vec<_> = version.histories().overlays().collect();
    assert_eq!(forks, [(KeyspaceId(1031), &overlay)]);
    let pins: Vec<_> = version.histories().pins().collect();
    assert_eq!(pins, [(5, KeyspaceId(1024), 8)]);
    assert_eq!(version.times().sequence_at(TIME_MS + 1000), Some(9));
    let (level, table) = version.tables().next().unwrap();
    assert_eq!((level, table.meta()), (0, &sstable_file().1));
}
