//! SSTables as wholes: what goes in comes out, whatever way it is asked for; and damage never
//! comes out as data.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::cache::BlockCache;
use crate::error::{Error, ErrorKind, Result};
use crate::io::{File, Fs, MemoryFs};
use crate::iter::InternalIterator;
use crate::key::{InternalKey, Key, KeyspaceId, Kind};
use crate::{KeyRange, ReadMode};

type Model = BTreeMap<InternalKey, Vec<u8>>;

const FILE_ID: u64 = 42;

fn options(block_size: usize, compression_level: i32) -> WriterOptions {
    WriterOptions {
        block_size,
        compression_level,
        bloom_bits_per_key: 10,
    }
}

/// Writes the model to a file in memory.
fn write(model: &Model, options: WriterOptions) -> (Arc<dyn File>, FileMeta) {
    let file = MemoryFs::new().create(Path::new("/sst")).unwrap();
    let mut writer = Writer::new(Arc::clone(&file), FILE_ID, options);
    for (key, value) in model {
        writer.add(key.as_ref(), value).unwrap();
    }
    let meta = writer.finish().unwrap();
    (file, meta)
}

fn open(file: &Arc<dyn File>) -> Result<Arc<Reader>> {
    let cache = Arc::new(BlockCache::new(1 << 20, 4096));
    Reader::open(Arc::clone(file), FILE_ID, cache).map(Arc::new)
}

fn iter(reader: &Arc<Reader>) -> SstableIter {
    SstableIter::new(Arc::clone(reader), ReadMode::Blocking, CacheUse::Keep)
}

fn at(iter: &SstableIter) -> Option<(Vec<u8>, Vec<u8>)> {
    iter.valid().then(|| {
        let mut key = Vec::new();
        iter.key().push_to(&mut key);
        (key, iter.value().to_vec())
    })
}

fn expected(entry: Option<(&InternalKey, &Vec<u8>)>) -> Option<(Vec<u8>, Vec<u8>)> {
    entry.map(|(key, value)| (key.as_bytes().to_vec(), value.clone()))
}

/// What a lookup must find: the newest version at or below the sequence number.
fn expected_get(model: &Model, user_key: &[u8], sequence: u64) -> Option<FoundVersion> {
    model
        .iter()
        .map(|(key, value)| (key.as_ref(), value))
        .filter(|(key, _)| key.user == user_key && key.sequence() <= sequence)
        .max_by_key(|(key, _)| key.sequence())
        .map(|(key, value)| FoundVersion {
            sequence: key.sequence(),
            kind: key.kind().unwrap(),
            value: value.clone().into(),
        })
}

fn key() -> impl Strategy<Value = Key> {
    let part = || prop::collection::vec(0u8..3, 0..4);
    (0u32..3, part(), part())
        .prop_map(|(keyspace, partition, sort)| Key::new(KeyspaceId(keyspace), &partition, &sort))
}

/// A database has one version of a key per sequence number; so has the model.
fn model() -> impl Strategy<Value = Model> {
    let value = prop::collection::vec(any::<u8>(), 0..60);
    prop::collection::btree_map((key(), 1u64..6), prop::option::of(value), 1..120).prop_map(|map| {
        map.into_iter()
            .map(|((key, sequence), value)| match value {
                Some(value) => (key.into_internal(sequence, Kind::Put), value),
                None => (key.into_internal(sequence, Kind::Delete), Vec::new()),
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn gets_and_seeks_find_what_the_model_has(
        model in model(),
        block_size in prop_oneof![Just(1usize), 64usize..300, Just(1 << 14)],
        level in prop_oneof![Just(0), Just(1)],
        targets in prop::collection::vec((key(), 0u64..7), 20),
    ) {
        let (file, _) = write(&model, options(block_size, level));
        let reader = open(&file).unwrap();
        let mut iter = iter(&reader);
        let present = model.keys().map(|key| (key.user_key().to_vec(), key.as_ref().sequence()));
        let targets = targets.iter().map(|(key, sequence)| (key.as_bytes().to_vec(), *sequence));
        for (user_key, sequence) in present.chain(targets) {
            let lookup = Lookup::new(&user_key, sequence);
            let found = reader.get(&lookup, ReadMode::Blocking).unwrap();
            prop_assert_eq!(found, expected_get(&model, &user_key, sequence));

            let target = InternalKey::new(&user_key, sequence, Kind::Put);
            iter.seek(target.as_ref()).unwrap();
            prop_assert_eq!(at(&iter), expected(model.range::<InternalKey, _>(&target..).next()));
            iter.seek_before(target.as_ref()).unwrap();
            prop_assert_eq!(
                at(&iter),
                expected(model.range::<InternalKey, _>(..&target).next_back())
            );
        }
    }

    #[test]
    fn iterates_both_ways_and_mixed(
        model in model(),
        block_size in prop_oneof![Just(1usize), 64usize..300],
        steps in prop::collection::vec(any::<bool>(), 200),
    ) {
        let (file, _) = write(&model, options(block_size, 1));
        let reader = open(&file).unwrap();
        let mut iter = iter(&reader);
        let all: Vec<_> = model.iter().map(|entry| expected(Some(entry))).collect();

        iter.seek_to_first().unwrap();
        for entry in &all {
            prop_assert_eq!(&at(&iter), entry);
            iter.next().unwrap();
        }
        prop_assert!(!iter.valid());
        iter.seek_to_last().unwrap();
        for entry in all.iter().rev() {
            prop_assert_eq!(&at(&iter), entry);
            iter.prev().unwrap();
        }
        prop_assert!(!iter.valid());

        let mut place = all.len() / 2;
        iter.seek(model.keys().nth(place).unwrap().as_ref()).unwrap();
        for forward in steps {
            prop_assert_eq!(at(&iter), all.get(place).cloned().flatten());
            if !iter.valid() {
                break;
            }
            if forward { iter.next().unwrap() } else { iter.prev().unwrap() }
            place = if forward { place + 1 } else { place.wrapping_sub(1) };
        }
    }

    #[test]
    fn properties_are_those_of_the_model(model in model()) {
        let (file, meta) = write(&model, options(100, 1));
        let properties = &meta.properties;
        let keys = || model.keys().map(|key| key.as_ref());
        prop_assert_eq!(properties, &open(&file).unwrap().properties().unwrap());
        prop_assert_eq!(properties.entries, model.len() as u64);
        prop_assert_eq!(properties.smallest.as_ref(), keys().next().unwrap().user);
        prop_assert_eq!(properties.largest.as_ref(), keys().next_back().unwrap().user);
        prop_assert_eq!(properties.min_sequence, keys().map(|key| key.sequence()).min().unwrap());
        prop_assert_eq!(properties.max_sequence, keys().map(|key| key.sequence()).max().unwrap());
        let tombstones = keys().filter(|key| key.kind() == Some(Kind::Delete)).count();
        prop_assert_eq!(properties.tombstones, tombstones as u64);
        for keyspace in &properties.keyspaces {
            let range = KeyRange::keyspace(keyspace.keyspace);
            let entries = keys().filter(|key| range.contains(key.user)).count();
            prop_assert_eq!(keyspace.entries, entries as u64);
        }
        let entries: u64 = properties.keyspaces.iter().map(|keyspace| keyspace.entries).sum();
        prop_assert_eq!(entries, properties.entries);
        let mut bytes = vec![0; meta.size as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        prop_assert_eq!(file.len().unwrap(), meta.size);
        prop_assert_eq!(crc32fast::hash(&bytes), meta.checksum);
    }

    #[test]
    fn partitions_that_are_here_are_never_denied(model in model()) {
        let (file, _) = write(&model, options(100, 0));
        let reader = open(&file).unwrap();
        for key in model.keys() {
            let key = crate::KeyRef::parse(key.user_key()).unwrap();
            let range = KeyRange::partition(key.keyspace(), &key.partition());
            prop_assert!(reader.may_contain_partition(range.partition_prefix().unwrap()));
        }
    }
}

fn small_model() -> Model {
    let mut model = Model::new();
    for i in 0..12u8 {
        let key = Key::new(KeyspaceId(1), &[i / 3], &[i % 3]);
        model.insert(
            key.clone().into_internal(u64::from(i) + 1, Kind::Put),
            vec![b'a'; 20],
        );
        model.insert(
            key.into_internal(u64::from(i) + 2, Kind::Delete),
            Vec::new(),
        );
    }
    model
}

/// Everything that can be read, or the first error; wrong answers panic.
fn read_all(file: &Arc<dyn File>, model: &Model) -> Result<()> {
    let reader = open(file)?;
    for (key, value) in model {
        let lookup = Lookup::new(key.user_key(), key.as_ref().sequence());
        let found = reader
            .get(&lookup, ReadMode::Blocking)?
            .expect("a key is missing");
        assert_eq!(found.sequence, key.as_ref().sequence());
        assert_eq!(found.value, value);
    }
    let mut forward = Vec::new();
    let mut iter = iter(&reader);
    iter.seek_to_first()?;
    while iter.valid() {
        forward.extend(at(&iter));
        iter.next()?;
    }
    let mut backward = Vec::new();
    iter.seek_to_last()?;
    while iter.valid() {
        backward.extend(at(&iter));
        iter.prev()?;
    }
    backward.reverse();
    let all: Vec<_> = model
        .iter()
        .filter_map(|entry| expected(Some(entry)))
        .collect();
    assert_eq!(forward, all);
    assert_eq!(backward, all);
    reader.properties()?;
    Ok(())
}

#[test]
fn every_flipped_bit_is_detected_or_harmless() {
    let model = small_model();
    for level in [0, 1] {
        let (file, meta) = write(&model, options(128, level));
        assert!(meta.properties.data_blocks > 3);
        read_all(&file, &model).unwrap();
        let mut undetected = 0;
        for bit in 0..meta.size * 8 {
            let mut byte = [0];
            file.read_exact_at(&mut byte, bit / 8).unwrap();
            file.write_at(&[byte[0] ^ 1 << (bit % 8)], bit / 8).unwrap();
            match read_all(&file, &model) {
                Ok(()) => undetected += 1,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Corruption, "bit {bit}: {error}"),
            }
            file.write_at(&byte, bit / 8).unwrap();
        }
        // Every byte is under a checksum, and all of them were read.
        assert_eq!(undetected, 0);
    }
}

#[test]
fn corruption_names_file_and_offset() {
    let model = small_model();
    let (file, _) = write(&model, options(128, 0));
    file.write_at(&[0xFF], 3).unwrap();
    match read_all(&file, &model) {
        Err(Error::Corruption(corruption)) => {
            assert_eq!(corruption.file, Path::new("/sst"));
            assert_eq!(corruption.offset, 0);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cut_or_foreign_file_is_refused() {
    let model = small_model();
    let (file, meta) = write(&model, options(128, 0));
    let mut bytes = vec![0; meta.size as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    for len in [0, 1, 71, 72, meta.size as usize - 1] {
        let cut = MemoryFs::new().create(Path::new("/cut")).unwrap();
        cut.write_at(&bytes[..len], 0).unwrap();
        assert_eq!(
            open(&cut).err().unwrap().kind(),
            ErrorKind::Corruption,
            "{len} bytes"
        );
    }
    let cache = Arc::new(BlockCache::new(0, 1));
    let other_id = Reader::open(file, FILE_ID + 1, cache).err().unwrap();
    assert_eq!(other_id.kind(), ErrorKind::Corruption);
}

#[test]
#[should_panic(expected = "out of order")]
fn keys_out_of_order_do_not_get_into_a_file() {
    let file = MemoryFs::new().create(Path::new("/sst")).unwrap();
    let mut writer = Writer::new(file, FILE_ID, options(128, 0));
    let key = |sort: &[u8]| Key::new(KeyspaceId(1), b"p", sort).into_internal(1, Kind::Put);
    writer.add(key(b"b").as_ref(), b"").unwrap();
    let _ = writer.add(key(b"a").as_ref(), b"");
}

/// A file of which nothing is in the page cache.
struct ColdFile(Arc<dyn File>);

impl File for ColdFile {
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.0.read_at(buf, offset)
    }
    fn read_exact_at_cached(&self, _: &mut [u8], _: u64) -> Result<bool> {
        Ok(false)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        self.0.write_at(buf, offset)
    }
    fn sync(&self) -> Result<()> {
        self.0.sync()
    }
    fn sync_all(&self) -> Result<()> {
        self.0.sync_all()
    }
    fn len(&self) -> Result<u64> {
        self.0.len()
    }
    fn map(&self, offset: u64, len: usize) -> Result<bytes::Bytes> {
        self.0.map(offset, len)
    }
}

#[test]
fn cached_only_reads_what_is_cached_and_never_waits() {
    let model = small_model();
    let (file, _) = write(&model, options(128, 0));
    let cold: Arc<dyn File> = Arc::new(ColdFile(Arc::clone(&file)));
    let reader = open(&cold).unwrap();
    let key = model.keys().next().unwrap();
    let lookup = Lookup::new(key.user_key(), u64::MAX);
    let would_block = reader.get(&lookup, ReadMode::CachedOnly).unwrap_err();
    assert_eq!(would_block.kind(), ErrorKind::WouldBlock);
    let mut cached_only =
        SstableIter::new(Arc::clone(&reader), ReadMode::CachedOnly, CacheUse::Keep);
    assert_eq!(
        cached_only.seek_to_first().unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert!(!cached_only.valid());

    // Once read, the block is in the cache.
    let blocking = reader.get(&lookup, ReadMode::Blocking).unwrap();
    assert_eq!(reader.get(&lookup, ReadMode::CachedOnly).unwrap(), blocking);
    cached_only.seek_to_first().unwrap();
    assert!(cached_only.valid());

    // What the page cache has is served too.
    let warm = open(&file).unwrap();
    assert_eq!(warm.get(&lookup, ReadMode::CachedOnly).unwrap(), blocking);
}

/// The damage that a check of a whole file tells of.
fn damage(contents: Vec<u8>, meta: &FileMeta) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let on_damage = &mut |offset, bad: BadFrame| found.push((offset, bad.found));
    check(&contents.into(), FILE_ID, Some(meta), on_damage);
    found
}

fn contents_of(file: &Arc<dyn File>) -> Vec<u8> {
    let mut contents = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut contents, 0).unwrap();
    contents
}

fn many_keys() -> Model {
    (0..200u64)
        .map(|number| {
            let key = Key::new(KeyspaceId(1), &number.to_be_bytes(), b"");
            let key = InternalKey::new(key.as_bytes(), number + 1, Kind::Put);
            (key, number.to_string().repeat(5).into_bytes())
        })
        .collect()
}

#[test]
fn a_check_finds_every_flipped_bit() {
    for level in [0, 3] {
        let (file, meta) = write(&many_keys(), options(512, level));
        let contents = contents_of(&file);
        assert_eq!(damage(contents.clone(), &meta), []);
        for bit in (0..contents.len() * 8).step_by(13) {
            let mut damaged = contents.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let found = damage(damaged, &meta);
            assert!(!found.is_empty(), "bit {bit}");
            assert!(
                found.iter().any(|(at, _)| *at <= bit as u64 / 8),
                "bit {bit}"
            );
        }
    }
}

#[test]
fn a_check_finds_what_checksums_do_not() {
    use super::block::frame::{BlockHandle, seal_frame};
    use super::footer::{FOOTER_SIZE, Footer};

    let (file, meta) = write(&many_keys(), options(512, 0));
    let contents = contents_of(&file);
    let footer = contents.last_chunk::<FOOTER_SIZE>().unwrap();
    let footer = Footer::decode(footer, FILE_ID, meta.size).unwrap();
    // A change of a block whose checksum is made to fit it.
    let sealed = |handle: BlockHandle, change: &dyn Fn(&mut [u8])| {
        let mut contents = contents.clone();
        let start = handle.offset as usize;
        let frame = &mut contents[start..start + handle.size as usize];
        change(frame);
        seal_frame(frame, FILE_ID, handle.offset);
        damage(contents, &meta)
    };
    let found = sealed(footer.filter, &|frame| frame[..32].fill(0));
    assert!(found[0].1.contains("the filter does not know"), "{found:?}");
    let last = footer.properties.size as usize - 6;
    let found = sealed(footer.properties, &|frame| frame[last] ^= 1);
    assert_eq!(found.len(), 2, "{found:?}");
    let first = parts::read(&contents.clone().into(), FILE_ID, &mut |_, _| {}).data[0].clone();
    // One letter of the last value, which is no damage to the structure but to the file.
    let at = first.handle.size as usize - 6;
    let found = sealed(first.handle, &|frame| frame[at] ^= 1);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.starts_with("one with "), "{found:?}");
    // A byte of a key: its hash does not fit, and it is not in the filter.
    let found = sealed(first.handle, &|frame| frame[60] ^= 1);
    assert!(!found.is_empty());
}
