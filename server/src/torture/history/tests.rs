//! The oracle itself: what it lets pass, and what it does not.

use super::*;
use crate::torture::work::item_of;

fn key(sk: u32) -> ItemKey {
    ItemKey {
        table: 0,
        pk: "p".into(),
        sk: Some(sk),
    }
}

/// The history of these puts, each an effect, and the last an effect of two.
fn history() -> History {
    let mut history = History::default();
    for (sequence, keys) in [(1, vec![1]), (2, vec![2]), (3, vec![3, 4])] {
        let put = |sk: &u32| {
            let new = Arc::new(item_of(&key(*sk), *sk, None));
            (key(*sk), None, Some(new))
        };
        history.push(Effect {
            changes: keys.iter().map(put).collect(),
            sequence,
            at_ms: 0,
            whole: true,
        });
    }
    history
}

fn items(of: &History, keys: &[u32]) -> Items {
    let item = |sk: &u32| (key(*sk), Arc::clone(of.items().get(&key(*sk)).unwrap()));
    keys.iter().map(item).collect()
}

fn settled(acknowledged: usize, keys: &[u32]) -> Checked<(usize, usize)> {
    let mut history = history();
    history.acknowledge(acknowledged);
    let found = items(&history, keys);
    let record = |key: &ItemKey| Record::insert(key.clone(), found.get(key).cloned());
    let records: Vec<Record> = found.keys().map(record).collect();
    history.settle(&found, &records, 1)
}

#[test]
fn a_crash_may_take_the_last_that_was_not_acknowledged() {
    assert_eq!(settled(0, &[]), Ok((0, 3)));
    assert_eq!(settled(1, &[1]), Ok((1, 2)));
    assert_eq!(settled(1, &[1, 2]), Ok((2, 1)));
    assert_eq!(settled(3, &[1, 2, 3, 4]), Ok((3, 0)));
}

#[test]
fn and_nothing_else() {
    for (acknowledged, keys) in [
        (1, [].as_slice()),
        (2, &[1]),
        (0, &[2]),
        (0, &[1, 3, 4]),
        (0, &[1, 2, 3]),
        (2, &[1, 2, 4]),
    ] {
        assert!(settled(acknowledged, keys).is_err(), "{keys:?}");
    }
}

#[test]
fn a_stream_that_lacks_a_record_or_has_one_too_many_is_seen() {
    let all = [1, 2, 3, 4];
    let whole = history();
    let found = items(&whole, &all);
    let record = |sk: &u32| Record::insert(key(*sk), found.get(&key(*sk)).cloned());
    let records: Vec<Record> = all.iter().map(record).collect();
    assert!(history().settle(&found, &records, 1).is_ok());
    assert!(history().settle(&found, &records[1..], 1).is_err());
    assert!(history().settle(&found, &records[..3], 1).is_err());
    let twice = [&records[..], &records[3..]].concat();
    assert!(history().settle(&found, &twice, 1).is_err());
    // Older than a day, they may be gone, from the oldest on.
    assert!(history().settle(&found, &records[1..], KEPT_MS).is_ok());
    assert!(history().settle(&found, &records[..3], KEPT_MS).is_err());
}
