use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::iter::InternalIterator as _;

fn filled(versions: &BTreeMap<InternalKey, Value>) -> Arc<Memtable> {
    let memtable = Arc::new(Memtable::default());
    // Backwards, so that the order comes from the memtable.
    for (key, value) in versions.iter().rev() {
        memtable.insert(key.clone(), value.clone());
    }
    memtable
}

fn versions() -> impl Strategy<Value = BTreeMap<InternalKey, Value>> {
    let user_key = prop::collection::vec(0..3_u8, 0..4);
    let version = (user_key, 1..20_u64, any::<bool>());
    prop::collection::vec(version, 0..60).prop_map(|versions| {
        let mut numbered = BTreeMap::new();
        for (user_key, sequence, put) in versions {
            let kind = if put { Kind::Put } else { Kind::Delete };
            let value = if put {
                Value::from(format!("{sequence}"))
            } else {
                Value::new()
            };
            let duplicate = InternalKey::new(
                &user_key,
                sequence,
                if put { Kind::Delete } else { Kind::Put },
            );
            if !numbered.contains_key(&duplicate) {
                numbered.insert(InternalKey::new(&user_key, sequence, kind), value);
            }
        }
        numbered
    })
}

proptest! {
    #[test]
    fn get_finds_the_newest_visible_version(
        versions in versions(),
        user_key in prop::collection::vec(0..3_u8, 0..4),
        sequence in 0..25_u64,
    ) {
        let memtable = filled(&versions);
        let expected = versions
            .iter()
            .map(|(key, value)| (key.as_ref(), value))
            .filter(|(key, _)| key.user == user_key && key.sequence() <= sequence)
            .max_by_key(|(key, _)| key.sequence())
            .map(|(key, value)| Found {
                sequence: key.sequence(),
                kind: key.kind().unwrap(),
                value: value.clone(),
            });
        prop_assert_eq!(memtable.get(&user_key, sequence), expected);
    }

    #[test]
    fn iterates_both_ways_from_anywhere(
        versions in versions(),
        user_key in prop::collection::vec(0..3_u8, 0..4),
        sequence in 0..25_u64,
    ) {
        let memtable = filled(&versions);
        let target = InternalKey::new(&user_key, sequence, Kind::Delete);
        let mut iter = memtable.iter();
        drop(memtable);

        iter.seek(target.as_ref()).unwrap();
        for (key, value) in versions.range(target.clone()..) {
            prop_assert!(iter.valid());
            prop_assert_eq!(iter.key(), key.as_ref());
            prop_assert_eq!(iter.value(), value);
            iter.next().unwrap();
        }
        prop_assert!(!iter.valid());

        iter.seek_before(target.as_ref()).unwrap();
        for (key, value) in versions.range(..target.clone()).rev() {
            prop_assert!(iter.valid());
            prop_assert_eq!(iter.key(), key.as_ref());
            prop_assert_eq!(iter.value(), value);
            iter.prev().unwrap();
        }
        prop_assert!(!iter.valid());

        iter.seek_to_first().unwrap();
        prop_assert_eq!(iter.valid(), !versions.is_empty());
        if let Some((first, _)) = versions.first_key_value() {
            prop_assert_eq!(iter.key(), first.as_ref());
            iter.prev().unwrap();
            prop_assert!(!iter.valid());
        }
        iter.seek_to_last().unwrap();
        if let Some((last, _)) = versions.last_key_value() {
            prop_assert_eq!(iter.key(), last.as_ref());
        }
    }
}

#[test]
fn bytes_grow_with_what_is_inserted() {
    let memtable = Memtable::default();
    assert!(memtable.is_empty());
    memtable.insert(
        InternalKey::new(b"key", 1, Kind::Put),
        Value::from(vec![0; 1_000]),
    );
    let one = memtable.bytes();
    assert!(one > 1_000);
    memtable.insert(InternalKey::new(b"key", 2, Kind::Delete), Value::new());
    assert!(memtable.bytes() > one);
    memtable.drop_keyspace(KeyspaceId(5), 3);
    assert_eq!(memtable.dropped(), [(KeyspaceId(5), 3)]);
}

#[test]
fn many_threads_insert_and_read() {
    let memtable = Arc::new(Memtable::default());
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let memtable = &memtable;
            scope.spawn(move || {
                for i in 0..1_000_u64 {
                    let user_key = (i * 7 % 500).to_be_bytes();
                    let sequence = 1 + i * 4 + thread;
                    let value = Value::from(sequence.to_string());
                    memtable.insert(InternalKey::new(&user_key, sequence, Kind::Put), value);
                    let found = memtable.get(&user_key, sequence).unwrap();
                    assert_eq!(found.value, sequence.to_string());
                }
            });
        }
    });
    let mut iter = memtable.iter();
    iter.seek_to_first().unwrap();
    let mut count = 0;
    while iter.valid() {
        count += 1;
        iter.next().unwrap();
    }
    assert_eq!(count, 4_000);
}
