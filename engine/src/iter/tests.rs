//! Merging and visibility against plain maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::error::{Error, ErrorKind};
use crate::key::{DroppedKeyspaces, InternalKey, Key, KeyspaceId, Kind};
use crate::{KeyRange, KeyRef};

type Entries = BTreeMap<InternalKey, Value>;

fn key() -> impl Strategy<Value = Key> {
    (0u32..4, 0u8..2, 0u8..5).prop_map(|(keyspace, partition, sort)| {
        Key::new(KeyspaceId(keyspace), &[partition], &[sort])
    })
}

/// Versions of keys, each in one of some sources. A third are tombstones.
fn sources() -> impl Strategy<Value = Vec<Entries>> {
    let version = (key(), 1u64..30, 0u8..3, 0usize..4);
    prop::collection::vec(version, 0..150).prop_map(|versions| {
        let mut sources = vec![Entries::new(); 4];
        let mut taken = std::collections::BTreeSet::new();
        for (key, sequence, kind, source) in versions {
            if !taken.insert((key.clone(), sequence)) {
                continue;
            }
            let (kind, value) = match kind {
                0 => (Kind::Delete, Value::new()),
                _ => (Kind::Put, Value::from(format!("{key:?}@{sequence}"))),
            };
            sources[source].insert(key.into_internal(sequence, kind), value);
        }
        sources
    })
}

fn merge(sources: &[Entries]) -> MergingIter {
    MergingIter::new(
        sources
            .iter()
            .map(|entries| Box::new(SortedIter::new(entries)) as _)
            .collect(),
    )
}

fn at(iter: &impl InternalIterator) -> Option<(Vec<u8>, Value)> {
    iter.valid().then(|| {
        let mut key = Vec::new();
        iter.key().push_to(&mut key);
        (key, iter.value())
    })
}

fn expected(entry: Option<(&InternalKey, &Value)>) -> Option<(Vec<u8>, Value)> {
    entry.map(|(key, value)| (key.as_bytes().to_vec(), value.clone()))
}

#[derive(Clone, Debug)]
enum Move {
    Next,
    Prev,
    Seek(InternalKey),
    SeekBefore(InternalKey),
    First,
    Last,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let target = || (key(), 0u64..31).prop_map(|(key, seq)| key.into_internal(seq, Kind::Put));
    let step = prop_oneof![
        8 => Just(Move::Next),
        8 => Just(Move::Prev),
        1 => target().prop_map(Move::Seek),
        1 => target().prop_map(Move::SeekBefore),
        1 => Just(Move::First),
        1 => Just(Move::Last),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn a_merge_moves_like_one_map(sources in sources(), moves in moves()) {
        let all: Entries = sources.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        let mut merged = merge(&sources);
        let mut model: Option<InternalKey> = None;
        for step in moves {
            let behind = |key: &InternalKey| {
                use std::ops::Bound::{Excluded, Unbounded};
                all.range::<InternalKey, _>((Excluded(key), Unbounded)).next()
            };
            let before = |key: &InternalKey| all.range::<InternalKey, _>(..key).next_back();
            let entry = match &step {
                Move::Next => model.as_ref().and_then(behind),
                Move::Prev => model.as_ref().and_then(before),
                Move::Seek(target) => all.range::<InternalKey, _>(target..).next(),
                Move::SeekBefore(target) => before(target),
                Move::First => all.iter().next(),
                Move::Last => all.iter().next_back(),
            };
            match &step {
                Move::Next => merged.next().unwrap(),
                Move::Prev => merged.prev().unwrap(),
                Move::Seek(target) => merged.seek(target.as_ref()).unwrap(),
                Move::SeekBefore(target) => merged.seek_before(target.as_ref()).unwrap(),
                Move::First => merged.seek_to_first().unwrap(),
                Move::Last => merged.seek_to_last().unwrap(),
            }
            prop_assert_eq!(at(&merged), expected(entry), "after {:?}", step);
            model = entry.map(|(key, _)| key.clone());
        }
    }
}

/// What a view shows, computed the plain way: forward.
fn visible(entries: &[Entries], view: &View) -> Vec<(Vec<u8>, Value)> {
    let mut newest: BTreeMap<Vec<u8>, (u64, Option<Value>)> = BTreeMap::new();
    for (key, value) in entries.iter().flatten() {
        let key = key.as_ref();
        let keyspace = KeyRef::parse(key.user).unwrap().keyspace();
        if key.sequence() > view.sequence
            || !view.range.contains(key.user)
            || view.dropped.hides(keyspace, view.sequence)
        {
            continue;
        }
        let value = (key.kind() == Some(Kind::Put)).then(|| value.clone());
        let slot = newest.entry(key.user.to_vec()).or_insert((0, None));
        if key.sequence() > slot.0 {
            *slot = (key.sequence(), value);
        }
    }
    newest
        .into_iter()
        .filter_map(|(key, (_, value))| Some((key, value?)))
        .collect()
}

fn range() -> impl Strategy<Value = KeyRange> {
    prop_oneof![
        (0u32..4).prop_map(|keyspace| KeyRange::keyspace(KeyspaceId(keyspace))),
        (0u32..4, 0u8..2).prop_map(|(ks, p)| KeyRange::partition(KeyspaceId(ks), &[p])),
        (key(), key()).prop_map(|(from, to)| {
            let partition = from.as_key_ref().partition().into_owned();
            KeyRange::partition(from.keyspace(), &partition)
                .after(&from)
                .before(&to)
        }),
    ]
}

fn view() -> impl Strategy<Value = View> {
    let dropped = prop::collection::vec((0u32..4, 1u64..30), 0..3);
    let direction = prop_oneof![Just(Direction::Forward), Just(Direction::Backward)];
    (0u64..31, dropped, range(), direction, 1usize..5).prop_map(
        |(sequence, drops, range, direction, skip_bound)| {
            let mut dropped = DroppedKeyspaces::default();
            drops
                .into_iter()
                .for_each(|(keyspace, at)| dropped.insert(KeyspaceId(keyspace), at));
            View {
                sequence,
                dropped: Arc::new(dropped),
                range,
                direction,
                skip_bound,
            }
        },
    )
}

/// All entries in the order of the view, and the number of pauses.
fn collect<I: InternalIterator>(iter: &mut VisibleIter<I>) -> (Vec<(Vec<u8>, Value)>, usize) {
    let (mut entries, mut pauses) = (Vec::new(), 0);
    loop {
        match iter.next() {
            Ok(Step::Entry { key, value }) => entries.push((key.as_bytes().to_vec(), value)),
            Ok(Step::Paused(_)) => pauses += 1,
            Ok(Step::End) => return (entries, pauses),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
}

/// Fails every so many calls, as a cached-only source does, and then is at no entry.
struct Failing {
    inner: SortedIter,
    calls: usize,
    every: usize,
}

impl Failing {
    fn count(&mut self) -> Result<()> {
        self.calls += 1;
        if self.calls.is_multiple_of(self.every) {
            self.inner.seek_to_last()?;
            self.inner.next()?;
            return Err(Error::WouldBlock);
        }
        Ok(())
    }
}

impl InternalIterator for Failing {
    fn seek(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.count()?;
        self.inner.seek(target)
    }
    fn seek_before(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.count()?;
        self.inner.seek_before(target)
    }
    fn seek_to_first(&mut self) -> Result<()> {
        self.count()?;
        self.inner.seek_to_first()
    }
    fn seek_to_last(&mut self) -> Result<()> {
        self.count()?;
        self.inner.seek_to_last()
    }
    fn next(&mut self) -> Result<()> {
        self.count()?;
        self.inner.next()
    }
    fn prev(&mut self) -> Result<()> {
        self.count()?;
        self.inner.prev()
    }
    fn valid(&self) -> bool {
        self.inner.valid()
    }
    fn key(&self) -> InternalKeyRef<'_> {
        self.inner.key()
    }
    fn value(&self) -> Value {
        self.inner.value()
    }
}

proptest! {
    #[test]
    fn a_view_shows_what_is_visible(sources in sources(), view in view()) {
        let mut expected = visible(&sources, &view);
        if view.direction == Direction::Backward {
            expected.reverse();
        }
        let mut iter = VisibleIter::new(merge(&sources), view);
        prop_assert_eq!(collect(&mut iter).0, expected);
        prop_assert!(matches!(iter.next(), Ok(Step::End)));
    }

    #[test]
    fn a_failed_call_can_be_made_again(sources in sources(), view in view(), every in 40usize..60) {
        let all: Entries = sources.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        let mut expected = visible(&sources, &view);
        if view.direction == Direction::Backward {
            expected.reverse();
        }
        // One key has up to 29 versions: fewer calls between failures might never get past it.
        let failing = Failing { inner: SortedIter::new(&all), calls: 0, every };
        prop_assert_eq!(collect(&mut VisibleIter::new(failing, view)).0, expected);
    }
}

/// Counts what is asked of a source.
struct Counting {
    inner: SortedIter,
    moves: Arc<std::sync::atomic::AtomicUsize>,
}

impl Counting {
    fn count(&self) {
        self.moves
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

impl InternalIterator for Counting {
    fn seek(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.count();
        self.inner.seek(target)
    }
    fn seek_before(&mut self, target: InternalKeyRef<'_>) -> Result<()> {
        self.count();
        self.inner.seek_before(target)
    }
    fn seek_to_first(&mut self) -> Result<()> {
        self.count();
        self.inner.seek_to_first()
    }
    fn seek_to_last(&mut self) -> Result<()> {
        self.count();
        self.inner.seek_to_last()
    }
    fn next(&mut self) -> Result<()> {
        self.count();
        self.inner.next()
    }
    fn prev(&mut self) -> Result<()> {
        self.count();
        self.inner.prev()
    }
    fn valid(&self) -> bool {
        self.inner.valid()
    }
    fn key(&self) -> InternalKeyRef<'_> {
        self.inner.key()
    }
    fn value(&self) -> Value {
        self.inner.value()
    }
}

#[test]
fn the_work_of_one_call_is_bounded() {
    // Ten thousand deleted keys, and a thousand versions of two keys.
    let mut entries = Entries::new();
    let key = |sort: u32| Key::new(KeyspaceId(1), b"p", &sort.to_be_bytes());
    for sort in 0..10_000 {
        entries.insert(key(sort).into_internal(5, Kind::Delete), Value::new());
    }
    for sequence in 1..1000 {
        for sort in [20_000, 20_001] {
            let value = Value::from(sequence.to_string());
            entries.insert(key(sort).into_internal(sequence, Kind::Put), value);
        }
    }
    for direction in [Direction::Forward, Direction::Backward] {
        let moves = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let input = Counting {
            inner: SortedIter::new(&entries),
            moves: Arc::clone(&moves),
        };
        let view = View {
            sequence: 500,
            dropped: Arc::default(),
            range: KeyRange::keyspace(KeyspaceId(1)),
            direction,
            skip_bound: 100,
        };
        let mut iter = VisibleIter::new(input, view);
        let (mut found, mut pauses) = (Vec::new(), 0);
        loop {
            let before = moves.load(std::sync::atomic::Ordering::Relaxed);
            match iter.next().unwrap() {
                Step::Entry { value, .. } => found.push(value),
                Step::Paused(_) => pauses += 1,
                Step::End => break,
            }
            let cost = moves.load(std::sync::atomic::Ordering::Relaxed) - before;
            assert!(cost <= 150, "{cost} moves in one call");
        }
        assert_eq!(found, ["500", "500"]);
        assert!(pauses >= 90, "{pauses}");
    }
}

#[test]
fn a_pause_says_where_to_go_on() {
    let mut entries = Entries::new();
    let key = |sort: u8| Key::new(KeyspaceId(1), b"p", &[sort]);
    (0..50).for_each(|sort| {
        entries.insert(key(sort).into_internal(1, Kind::Delete), Value::new());
    });
    entries.insert(
        key(60).into_internal(1, Kind::Put),
        Value::from_static(b"x"),
    );
    let view = View {
        sequence: 1,
        dropped: Arc::default(),
        range: KeyRange::keyspace(KeyspaceId(1)),
        direction: Direction::Forward,
        skip_bound: 10,
    };
    let mut iter = VisibleIter::new(SortedIter::new(&entries), view.clone());
    let Ok(Step::Paused(cursor)) = iter.next() else {
        panic!("no pause")
    };
    let rest = View {
        range: view.range.clone().after(&Key::from(cursor)),
        ..view
    };
    let mut iter = VisibleIter::new(SortedIter::new(&entries), rest);
    assert_eq!(collect(&mut iter).0.len(), 1);
}
