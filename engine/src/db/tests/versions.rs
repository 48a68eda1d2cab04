//! The past: windows, pins, reading as of a moment; and that what nobody can read any more is gone
//! once compaction has passed, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use super::*;
use crate::compaction::{Compaction, Job, Progress};
use crate::error::ErrorKind;
use crate::io::{Kept, Simulation};
use crate::iter::{InternalIterator as _, MergingIter};
use crate::key::{KeyRange, Kind};

const OTHER: KeyspaceId = KeyspaceId(2);

pub(super) fn options() -> Options {
    Options {
        memtable_size: 2 << 10,
        base_level_size: 4 << 10,
        sstable_size: 2 << 10,
        block_size: 256,
        ..Options::default()
    }
}

pub(super) fn simulated(seed: u64) -> (Simulation, Db) {
    let simulation = Simulation::new(seed);
    let db = Db::open(simulation.env(), Path::new("/parent/db"), options()).unwrap();
    (simulation, db)
}

pub(super) fn reopen(simulation: &Simulation, db: Db) -> Db {
    db.close().unwrap();
    Db::open(simulation.env(), Path::new("/parent/db"), options()).unwrap()
}

fn crash(simulation: &Simulation, db: Db, kept: Kept) -> Db {
    simulation.crash_keeping(kept);
    drop(db);
    Db::open(simulation.env(), Path::new("/parent/db"), options()).unwrap()
}

/// Writes everything out and merges all SSTables into the last level.
pub(super) fn compact_all(simulation: &Simulation, db: &Db) {
    let shared = &db.handle.shared;
    let active = std::sync::Arc::clone(&shared.memtables.load().active);
    if !active.is_empty() {
        assert!(shared.queue.rotate(&active, &shared.memtables));
        shared.wakers.flusher.wake();
    }
    simulation.run_until_idle();
    let version = shared.versions.current();
    let Some(compaction) = Compaction::everything(&version) else {
        return;
    };
    let retention = shared.retention(version.flushed_sequence(), &version);
    let (versions, options) = (&shared.versions, &shared.options);
    let mut job = Job::compaction(versions, &version, &compaction, retention, options).unwrap();
    let edit = loop {
        if let Progress::Done(edit) = job.step().unwrap() {
            break edit;
        }
    };
    shared.apply(edit).unwrap();
}

/// The versions of a keyspace in SSTables: user key, sequence number, kind.
pub(super) fn stored(db: &Db, keyspace: KeyspaceId) -> BTreeSet<(Vec<u8>, u64, Kind)> {
    let version = db.handle.shared.versions.current();
    let range = KeyRange::keyspace(keyspace);
    let mut sources = Vec::new();
    let mode = ReadMode::Blocking;
    version.push_iterators(&range, mode, &mut sources).unwrap();
    let mut iter = MergingIter::new(sources);
    iter.seek_to_first().unwrap();
    let mut found = BTreeSet::new();
    while iter.valid() {
        let key = iter.key();
        if range.contains(key.user) {
            found.insert((key.user.to_vec(), key.sequence(), key.kind().unwrap()));
        }
        iter.next().unwrap();
    }
    found
}

fn value_at(db: &Db, at: AsOf, name: &str) -> Result<Option<String>> {
    let value = db.snapshot_at(at)?.get(&key(name), ReadMode::Blocking)?;
    Ok(value.map(|value| String::from_utf8(value.to_vec()).unwrap()))
}

pub(super) fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn a_window_keeps_every_second_of_it_and_moves_with_the_clock() {
    let (simulation, mut db) = simulated(1);
    put(&db, "k", "before");
    db.set_retention(KEYSPACE, Some(Duration::from_secs(60)))
        .unwrap();
    let mut written = Vec::new();
    for second in 0..100u64 {
        simulation.advance(Duration::from_millis(1000));
        put(&db, "k", &second.to_string());
        let now = db.env().clock.now_ms();
        written.push((now, db.durable_sequence()));
        if second % 17 == 0 {
            compact_all(&simulation, &db);
        }
        if second == 70 {
            db = reopen(&simulation, db);
        }
    }
    compact_all(&simulation, &db);
    for (second, (time_ms, sequence)) in written.iter().enumerate() {
        let expected = Some(second.to_string());
        for at in [AsOf::TimeMs(*time_ms), AsOf::Sequence(*sequence)] {
            match second {
                ..38 => assert_eq!(kind(value_at(&db, at, "k")), ErrorKind::NotKept, "{second}"),
                40.. => assert_eq!(value_at(&db, at, "k").unwrap(), expected, "{second}"),
                // At the edge: a second more or less.
                _ => {}
            }
        }
    }
    // No more than it has to be: sixty seconds, and what was current when they began.
    assert!(stored(&db, KEYSPACE).len() <= 62);
    let retention = db.retention(KEYSPACE).unwrap();
    let oldest = retention.oldest_time_ms.unwrap();
    let now = db.env().clock.now_ms();
    assert!((now - 62_000..=now - 58_000).contains(&oldest));
    value_at(&db, AsOf::Sequence(retention.oldest_sequence), "k").unwrap();

    // Shorter, and then none.
    db.set_retention(KEYSPACE, Some(Duration::from_secs(10)))
        .unwrap();
    compact_all(&simulation, &db);
    assert!((10..=12).contains(&stored(&db, KEYSPACE).len()));
    db.set_retention(KEYSPACE, None).unwrap();
    compact_all(&simulation, &db);
    assert_eq!(stored(&db, KEYSPACE).len(), 1);
    assert_eq!(db.retention(KEYSPACE), None);
    assert_eq!(
        db.get(&key("k"), ReadMode::Blocking).unwrap().unwrap(),
        "99"
    );
}

#[test]
fn what_is_not_kept_or_not_yet_is_refused() {
    let (simulation, db) = simulated(2);
    put(&db, "k", "1");
    put(&db, "k", "2");
    let past = db.durable_sequence() - 1;
    assert_eq!(
        value_at(&db, AsOf::Sequence(past), "k").unwrap().unwrap(),
        "1"
    );
    compact_all(&simulation, &db);
    assert_eq!(
        kind(value_at(&db, AsOf::Sequence(past), "k")),
        ErrorKind::NotKept
    );
    let snapshot = db.snapshot_at(AsOf::Sequence(past)).unwrap();
    let range = KeyRange::keyspace(KEYSPACE);
    let mut iter = snapshot.range(range, crate::Direction::Forward, ReadMode::Blocking);
    assert_eq!(kind(iter.next().map(drop)), ErrorKind::NotKept);
    let to_come = db.durable_sequence() + 1;
    let later = db.env().clock.now_ms() + 1;
    for at in [AsOf::Sequence(to_come), AsOf::TimeMs(later)] {
        assert_eq!(kind(db.snapshot_at(at)), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_pin_keeps_its_moment_over_restarts_until_it_goes() {
    let (simulation, db) = simulated(3);
    put(&db, "k", "pinned");
    let at = db.pin(7, &[KEYSPACE], AsOf::Now).unwrap();
    assert_eq!(
        kind(db.pin(7, &[OTHER], AsOf::Sequence(at))),
        ErrorKind::InvalidArgument
    );
    for value in ["later", "still later"] {
        put(&db, "k", value);
    }
    compact_all(&simulation, &db);
    let db = reopen(&simulation, db);
    compact_all(&simulation, &db);
    assert_eq!(
        value_at(&db, AsOf::Sequence(at), "k").unwrap().unwrap(),
        "pinned"
    );
    assert_eq!(
        kind(value_at(&db, AsOf::Sequence(at + 1), "k")),
        ErrorKind::NotKept
    );
    assert_eq!(stored(&db, KEYSPACE).len(), 2);
    let pin = Pin {
        id: 7,
        keyspace: KEYSPACE,
        sequence: at,
    };
    assert_eq!(db.pins(), [pin]);
    // The keyspace may go: what is pinned stays, and is not to be seen in the present.
    let mut batch = Batch::new();
    batch.drop_keyspace(KEYSPACE);
    db.write(batch).unwrap().wait().unwrap();
    compact_all(&simulation, &db);
    assert_eq!(get(&db, "k"), None);
    assert_eq!(
        value_at(&db, AsOf::Sequence(at), "k").unwrap().unwrap(),
        "pinned"
    );
    assert_eq!(stored(&db, KEYSPACE).len(), 1);
    db.unpin(7).unwrap();
    db.unpin(7).unwrap();
    simulation.run_until_idle();
    assert_eq!(stored(&db, KEYSPACE).len(), 0);
    assert_eq!(db.pins(), []);
}

#[test]
fn a_snapshot_of_the_past_holds_on_to_what_it_sees() {
    let (simulation, db) = simulated(4);
    db.set_retention(KEYSPACE, Some(Duration::from_secs(10)))
        .unwrap();
    put(&db, "k", "1");
    let sequence = db.durable_sequence();
    put(&db, "k", "2");
    let held = db.snapshot_at(AsOf::Sequence(sequence)).unwrap();
    simulation.advance(Duration::from_secs(100));
    put(&db, "k", "3");
    simulation.advance(Duration::from_secs(100));
    compact_all(&simulation, &db);
    let found = held.get(&key("k"), ReadMode::Blocking).unwrap().unwrap();
    assert_eq!(found, "1");
    assert_eq!(stored(&db, KEYSPACE).len(), 2);
    drop(held);
    compact_all(&simulation, &db);
    assert_eq!(stored(&db, KEYSPACE).len(), 1);
}

#[test]
fn dropping_a_keyspace_ends_its_window() {
    let (simulation, db) = simulated(5);
    db.set_retention(KEYSPACE, Some(Duration::from_secs(1000)))
        .unwrap();
    put(&db, "k", "1");
    let sequence = db.durable_sequence();
    let mut batch = Batch::new();
    batch.drop_keyspace(KEYSPACE);
    db.write(batch).unwrap().wait().unwrap();
    let refused = db.set_retention(KEYSPACE, Some(Duration::from_secs(1)));
    assert_eq!(kind(refused), ErrorKind::InvalidArgument);
    compact_all(&simulation, &db);
    simulation.run_until_idle();
    assert_eq!(stored(&db, KEYSPACE).len(), 0);
    let db = reopen(&simulation, db);
    assert_eq!(
        kind(value_at(&db, AsOf::Sequence(sequence), "k")),
        ErrorKind::NotKept
    );
    assert_eq!(db.retention(KEYSPACE), None);
}

#[test]
fn what_is_written_to_a_keyspace_that_is_gone_is_never_seen() {
    let (simulation, mut db) = simulated(6);
    put(&db, "k", "1");
    let mut batch = Batch::new();
    batch.drop_keyspace(KEYSPACE);
    db.write(batch).unwrap().wait().unwrap();
    for round in 0..4 {
        compact_all(&simulation, &db);
        simulation.run_until_idle();
        let dropped = std::sync::Arc::clone(db.handle.shared.versions.current().dropped());
        assert_eq!((dropped.len(), dropped.gone().count()), (0, 1));
        let before = db.durable_sequence();
        // Who does not know it yet, or drops it once more.
        put(&db, "k", "late");
        let mut batch = Batch::new();
        batch.drop_keyspace(KEYSPACE);
        batch.put(key("other"), "late");
        db.write(batch).unwrap().wait().unwrap();
        put(&db, "k", "later");
        if round % 2 == 1 {
            db = reopen(&simulation, db);
        }
        assert_eq!(get(&db, "k"), None);
        let snapshot = db.snapshot();
        let range = KeyRange::keyspace(KEYSPACE);
        let mut iter = snapshot.range(range, crate::Direction::Forward, ReadMode::Blocking);
        assert!(matches!(iter.next().unwrap(), crate::Step::End));
        let past = db.snapshot_at(AsOf::Sequence(before + 1)).unwrap();
        if let Ok(found) = past.get(&key("k"), ReadMode::Blocking) {
            assert_eq!(found, None);
        }
    }
    compact_all(&simulation, &db);
    assert_eq!(stored(&db, KEYSPACE).len(), 0);
    let refused = db.set_retention(KEYSPACE, Some(Duration::from_secs(1)));
    assert_eq!(kind(refused), ErrorKind::InvalidArgument);
}

/// All versions of all keys of a keyspace: by user key and sequence number, whether it is a value.
pub(super) type History = BTreeMap<Vec<u8>, BTreeMap<u64, bool>>;

/// The same with each tombstone at the value that it hides: which of several tombstones in a row does
/// so makes no difference.
pub(super) fn shape(stored: BTreeSet<(Vec<u8>, u64, Kind)>) -> BTreeSet<(Vec<u8>, u64, Kind)> {
    let mut hidden = 0;
    let shape = stored.into_iter().map(|(user_key, sequence, kind)| {
        if kind == Kind::Put {
            hidden = sequence;
        }
        (user_key, hidden, kind)
    });
    shape.collect()
}

/// What has to be stored for readers at these sequence numbers, once all is compacted.
pub(super) fn needed(history: &History, readers: &BTreeSet<u64>) -> BTreeSet<(Vec<u8>, u64, Kind)> {
    let mut needed = BTreeSet::new();
    for (user_key, versions) in history {
        let seen: BTreeMap<u64, bool> = readers
            .iter()
            .filter_map(|reader| versions.range(..=reader).next_back())
            .map(|(sequence, put)| (*sequence, *put))
            .collect();
        let mut older_is_value = false;
        for (sequence, put) in seen {
            // A tombstone is needed where it hides a value that an older reader sees.
            if put || older_is_value {
                let kind = if put { Kind::Put } else { Kind::Delete };
                needed.insert((user_key.clone(), sequence, kind));
            }
            older_is_value = put;
        }
    }
    needed
}

#[test]
fn after_compaction_exactly_what_somebody_can_read_is_stored() {
    let seeds = match std::env::var("STATOR_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (1..=12).collect(),
    };
    for seed in seeds {
        println!("replay with STATOR_SEED={seed}");
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut below = move |bound: u64| rng.next_u64() % bound;
        let (simulation, mut db) = simulated(seed);
        let keyspaces = [KEYSPACE, OTHER];
        let mut histories: BTreeMap<KeyspaceId, History> = BTreeMap::new();
        let mut snapshots: Vec<Snapshot> = Vec::new();
        let mut next_pin = 0;
        for _ in 0..400 {
            let keyspace = keyspaces[below(2) as usize];
            match below(100) {
                0..70 => {
                    let key = Key::new(keyspace, &[below(3) as u8], &[below(3) as u8]);
                    let (put, mut batch) = (below(3) > 0, Batch::new());
                    match put {
                        true => batch.put(key.clone(), vec![7; below(200) as usize]),
                        false => batch.delete(key.clone()),
                    }
                    let commit = db.write(batch).unwrap();
                    let history = histories.entry(keyspace).or_default();
                    let versions = history.entry(key.as_bytes().to_vec()).or_default();
                    versions.insert(commit.sequence(), put);
                    commit.wait().unwrap();
                }
                70..76 => simulation.advance(Duration::from_millis(below(4000))),
                76..80 => snapshots.push(db.snapshot()),
                80..84 if !snapshots.is_empty() => {
                    snapshots.swap_remove(below(snapshots.len() as u64) as usize);
                }
                84..87 => {
                    let window = (below(3) > 0).then(|| Duration::from_millis(1 + below(20_000)));
                    db.set_retention(keyspace, window).unwrap();
                }
                87..91 => {
                    let durable = db.durable_sequence();
                    let at = AsOf::Sequence(durable - below(durable.min(20) + 1));
                    next_pin += 1;
                    match db.pin(next_pin, &[keyspace], at) {
                        Ok(_) => {}
                        Err(error) => assert_eq!(error.kind(), ErrorKind::NotKept),
                    }
                }
                91..94 => db.unpin(1 + below(next_pin + 1)).unwrap(),
                94..97 => {
                    simulation.run_until_idle();
                }
                97 => {
                    snapshots.clear();
                    db = match below(2) {
                        0 => reopen(&simulation, db),
                        _ => crash(
                            &simulation,
                            db,
                            Kept::ALL[below(7) as usize % Kept::ALL.len()],
                        ),
                    };
                }
                _ => check(&simulation, &db, &histories, &snapshots),
            }
        }
        check(&simulation, &db, &histories, &snapshots);
    }
}

fn check(
    simulation: &Simulation,
    db: &Db,
    histories: &BTreeMap<KeyspaceId, History>,
    snapshots: &[Snapshot],
) {
    compact_all(simulation, db);
    let durable = db.durable_sequence();
    for (keyspace, history) in histories {
        let mut readers: BTreeSet<u64> = snapshots.iter().map(Snapshot::sequence).collect();
        let pins = db.pins().into_iter();
        let pinned = pins.filter(|pin| pin.keyspace == *keyspace);
        readers.extend(pinned.map(|pin| pin.sequence));
        let floor = db.retention(*keyspace);
        let floor = floor.map_or(durable, |retention| retention.oldest_sequence);
        readers.extend(floor..=durable);
        let (found, expected) = (stored(db, *keyspace), needed(history, &readers));
        assert_eq!(found.len(), expected.len(), "{keyspace}");
        assert_eq!(shape(found), shape(expected), "{keyspace}");
        // And it reads as it was.
        for at in readers {
            let snapshot = db.snapshot_at(AsOf::Sequence(at)).unwrap();
            for (user_key, versions) in history {
                let key = Key::from(crate::KeyRef::parse(user_key).unwrap());
                let found = snapshot.get(&key, ReadMode::Blocking).unwrap();
                let expected = versions.range(..=at).next_back();
                let expected = expected.is_some_and(|(_, put)| *put);
                assert_eq!(found.is_some(), expected, "{key:?} at {at}");
            }
        }
    }
}
