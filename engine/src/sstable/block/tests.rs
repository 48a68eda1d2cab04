use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::key::{InternalKey, Kind};

fn build(entries: &BTreeMap<InternalKey, Vec<u8>>) -> Block {
    let mut builder = BlockBuilder::default();
    for (key, value) in entries {
        let bound = builder.size_with(key.as_ref(), value);
        builder.add(key.as_ref(), value);
        assert!(builder.size() <= bound);
    }
    let size = builder.size();
    let contents = builder.finish();
    assert_eq!(contents.len(), size);
    Block::new(Bytes::copy_from_slice(contents)).unwrap()
}

#[test]
fn an_empty_block_has_no_entries() {
    let block = build(&BTreeMap::new());
    assert_eq!(block.count(), 0);
    assert_eq!(block.search(InternalKeyRef::before(b"")), Ok(0));
    assert!(
        block
            .clone()
            .get(InternalKeyRef::before(b""))
            .unwrap()
            .is_none()
    );
    let mut iter = BlockIter::default();
    iter.set_block(block);
    iter.seek_to_last().unwrap();
    assert!(!iter.valid());
}

#[test]
fn an_unknown_kind_is_malformed_and_no_tombstone() {
    let mut builder = BlockBuilder::default();
    builder.add(InternalKeyRef::new(b"k", 1, Kind::Put), b"v");
    let mut contents = builder.finish().to_vec();
    // The kind is the last byte of the key, and the value follows it.
    let kind = contents.len() - 2;
    contents[kind] = 2;
    let mut iter = BlockIter::default();
    iter.set_block(Block::new(contents.into()).unwrap());
    assert_eq!(iter.seek_to_first(), Err(Malformed));
    assert!(!iter.valid());
}

#[test]
fn long_keys_make_offsets_wide() {
    let entries: BTreeMap<_, _> = (0..5u8)
        .map(|i| {
            (
                InternalKey::new(&[i; 40_000], 1, Kind::Put),
                vec![i; 100_000],
            )
        })
        .collect();
    let block = build(&entries);
    assert!(block.shape.wide);
    for (key, value) in &entries {
        assert_eq!(
            block.clone().get(key.as_ref()).unwrap().unwrap().value,
            value
        );
    }
}

#[test]
fn prefixes_are_truncated() {
    let key = |i: u16| {
        [
            b"a long prefix that all keys have ".as_slice(),
            &i.to_be_bytes(),
        ]
        .concat()
    };
    let entries: BTreeMap<_, _> = (0..160)
        .map(|i| (InternalKey::new(&key(i), 1, Kind::Put), Vec::new()))
        .collect();
    // Each entry: four varints, two bytes of key at most, trailer, offset; ten whole prefixes.
    assert!(build(&entries).size() <= 160 * (4 + 2 + 9 + 2) + 10 * 33 + 8);
}

#[test]
fn bytes_that_are_no_block_are_refused_or_searched_without_panic() {
    assert!(Block::new(Bytes::from_static(b"abc")).is_err());
    assert!(Block::new(Bytes::from_static(&[0xFF; 4])).is_err());
    assert!(Block::new(Bytes::from_static(&[2, 0, 0, 0, 0, 0, 0, 0])).is_err());
}

fn key() -> impl Strategy<Value = InternalKey> {
    (prop::collection::vec(0u8..3, 0..6), 0u64..5, any::<bool>()).prop_map(|(user, seq, put)| {
        InternalKey::new(&user, seq, if put { Kind::Put } else { Kind::Delete })
    })
}

fn entries() -> impl Strategy<Value = BTreeMap<InternalKey, Vec<u8>>> {
    prop::collection::btree_map(key(), prop::collection::vec(any::<u8>(), 0..20), 0..60)
}

fn at(iter: &BlockIter) -> Option<(Vec<u8>, Vec<u8>)> {
    iter.valid().then(|| {
        let mut key = Vec::new();
        iter.key().push_to(&mut key);
        (key, iter.value().to_vec())
    })
}

fn expect(entry: Option<(&InternalKey, &Vec<u8>)>) -> Option<(Vec<u8>, Vec<u8>)> {
    entry.map(|(key, value)| (key.as_bytes().to_vec(), value.clone()))
}

proptest! {
    #[test]
    fn seeks_find_what_a_map_finds(entries in entries(), targets in prop::collection::vec(key(), 10)) {
        let mut iter = BlockIter::default();
        let block = build(&entries);
        iter.set_block(block.clone());
        for target in &targets {
            iter.seek(target.as_ref()).unwrap();
            prop_assert_eq!(at(&iter), expect(entries.range::<InternalKey, _>(target..).next()));
            iter.seek_before(target.as_ref()).unwrap();
            prop_assert_eq!(at(&iter), expect(entries.range::<InternalKey, _>(..target).next_back()));
            let found = block.clone().get(target.as_ref()).unwrap().map(|found| (found.trailer, found.value));
            let expected = entries
                .range::<InternalKey, _>(target..)
                .next()
                .filter(|(key, _)| key.user_key() == target.user_key())
                .map(|(key, value)| (key.as_ref().trailer, Bytes::from(value.clone())));
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn iterates_both_ways(entries in entries(), forward in prop::collection::vec(any::<bool>(), 100)) {
        let all: Vec<_> = entries.iter().map(|entry| expect(Some(entry))).collect();
        let mut iter = BlockIter::default();
        iter.set_block(build(&entries));
        iter.seek_to_first().unwrap();
        let mut place = 0;
        for forward in forward {
            let expected = all.get(place).cloned().flatten();
            prop_assert_eq!(at(&iter), expected.clone());
            if expected.is_none() {
                break;
            }
            if forward { iter.next().unwrap() } else { iter.prev().unwrap() }
            place = if forward { place + 1 } else { place.wrapping_sub(1) };
        }
        iter.seek_to_last().unwrap();
        prop_assert_eq!(at(&iter), all.last().cloned().flatten());
    }

    #[test]
    fn damaged_contents_never_panic(
        entries in entries(), target in key(), at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let mut contents = build(&entries).data.to_vec();
        let at = at.index(contents.len());
        contents[at] = byte;
        if let Ok(block) = Block::new(Bytes::from(contents)) {
            let _ = block.clone().get(target.as_ref());
            let mut iter = BlockIter::default();
            iter.set_block(block.clone());
            let _ = iter.seek(target.as_ref());
            let _ = iter.seek_to_first();
            let mut steps = 0;
            while iter.valid() && steps <= block.count() {
                iter.value();
                if iter.next().is_err() {
                    break;
                }
                steps += 1;
            }
        }
    }
}
