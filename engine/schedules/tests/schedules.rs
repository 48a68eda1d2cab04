//! Threads of callers and of the engine itself, in random orders of all their steps that others can
//! see.
//!
//! `STATOR_SCHEDULES` says how many orders each test tries. One that fails prints a line of hex, which
//! is the order; `STATOR_SCHEDULE` with that in it runs it again.

#![expect(
    clippy::unwrap_used,
    reason = "the threads of a test fail by panicking"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::{Config, MaxSteps, Runner, thread};
use stator_engine_schedules::io::{Clock, Env, MemoryFs, RealScheduler, Rng};
use stator_engine_schedules::mutants::{Mutant, switch};
use stator_engine_schedules::{
    Batch, Commit, Db, Direction, Durability, Key, KeyRange, KeyspaceId, Options, ReadMode, Result,
    Snapshot, Step, Value,
};

const DIR: &str = "/db";
const LEFT: KeyspaceId = KeyspaceId(1);
const RIGHT: KeyspaceId = KeyspaceId(2);

/// Goes on by a bit whenever it is asked.
struct Ticking(std::sync::atomic::AtomicU64);

impl Clock for Ticking {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000
    }

    fn monotonic(&self) -> Duration {
        let ticks = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Duration::from_micros(ticks)
    }
}

/// No randomness: an order has to come out the same again.
struct Constant;

impl Rng for Constant {
    fn fill(&self, buf: &mut [u8]) -> Result<()> {
        buf.fill(7);
        Ok(())
    }
}

fn env() -> Env {
    Env {
        fs: Arc::new(MemoryFs::new()),
        clock: Arc::new(Ticking(std::sync::atomic::AtomicU64::new(0))),
        rng: Arc::new(Constant),
        scheduler: Arc::new(RealScheduler),
    }
}

/// So small that a few commits fill a memtable, and a few memtables a level.
fn options() -> Options {
    Options {
        durability: Durability::Sync,
        memtable_size: 600,
        immutable_memtables: 4,
        block_cache_size: 0,
        wal_segment_size: 16 << 10,
        block_size: 64,
        sstable_size: 1 << 10,
        l0_compression_level: 0,
        compression_level: 0,
        l0_compaction_threshold: 1,
        base_level_size: 1 << 10,
        level_fanout: 2,
        manifest_size: 1 << 20,
        write_delay: Duration::ZERO,
        ..Options::default()
    }
}

fn key(keyspace: KeyspaceId) -> Key {
    Key::new(keyspace, b"counter", b"")
}

fn number(value: Option<&Value>) -> u64 {
    let bytes = value.and_then(|value| value.get(..8)?.try_into().ok());
    bytes.map_or(0, u64::from_le_bytes)
}

/// A value of some size, with a number at its beginning.
fn value(number: u64) -> Value {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(100, 0);
    bytes.into()
}

/// Adds one to both counters. The n-th commit of the database makes them n.
fn increment(db: &Db) -> Result<(u64, Commit)> {
    let mut transaction = db.transaction(&[key(LEFT), key(RIGHT)], ReadMode::Blocking)?;
    let left = number(transaction.get(&key(LEFT))?.as_ref());
    let right = number(transaction.get(&key(RIGHT))?.as_ref());
    assert_eq!(left, right, "half of a commit under the locks");
    transaction.put(key(LEFT), value(left + 1));
    transaction.put(key(RIGHT), value(left + 1));
    let commit = transaction.commit()?;
    assert_eq!(commit.sequence(), left + 1, "an update was lost");
    Ok((left + 1, commit))
}

/// What a snapshot has to show, in every way that it can be asked.
fn look(snapshot: &Snapshot) -> Result<()> {
    let expected = snapshot.sequence();
    for keyspace in [LEFT, RIGHT] {
        let found = snapshot.get(&key(keyspace), ReadMode::Blocking)?;
        let found = number(found.as_ref());
        assert_eq!(found, expected, "in a snapshot at {expected}");
        for direction in [Direction::Forward, Direction::Backward] {
            let range = KeyRange::keyspace(keyspace);
            let mut entries = snapshot.range(range, direction, ReadMode::Blocking);
            let mut found = 0;
            loop {
                match entries.next()? {
                    Step::Entry { value, .. } => found = number(Some(&value)),
                    Step::Paused(_) => {}
                    Step::End => break,
                }
            }
            assert_eq!(found, expected, "{direction:?} in a snapshot at {expected}");
        }
    }
    Ok(())
}

/// Some callers count; others look at what is there; all the while memtables are written out and
/// merged. In the end the database is closed, opened again and looked at once more.
fn counting() {
    let env = env();
    let db = Db::open(env.clone(), Path::new(DIR), options()).unwrap();
    // What somebody was told is durable.
    let told = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..2)
        .map(|_| {
            let (db, told) = (db.clone(), Arc::clone(&told));
            thread::spawn(move || {
                for _ in 0..3 {
                    let (number, commit) = increment(&db).unwrap();
                    commit.wait().unwrap();
                    told.fetch_max(number, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let reader = {
        let (db, told) = (db.clone(), Arc::clone(&told));
        thread::spawn(move || {
            for _ in 0..3 {
                let least = told.load(Ordering::SeqCst);
                let snapshot = db.snapshot();
                assert!(snapshot.sequence() >= least, "a snapshot of the past");
                look(&snapshot).unwrap();
                let found = db.get(&key(LEFT), ReadMode::Blocking).unwrap();
                let found = number(found.as_ref());
                assert!(found >= least, "{found}, although {least} was acknowledged");
                let durable = db.durable_sequence();
                assert!(found <= durable, "{found} was shown, {durable} is durable");
                look(&snapshot).unwrap();
            }
        })
    };
    for thread in writers.into_iter().chain([reader]) {
        thread.join().unwrap();
    }
    db.close().unwrap();
    let db = Db::open(env, Path::new(DIR), options()).unwrap();
    assert_eq!(db.snapshot().sequence(), 6);
    look(&db.snapshot()).unwrap();
    db.close().unwrap();
}

/// Many batches without locks, each of the same number in two keyspaces; a keyspace is dropped in
/// between, and a caller that settles sees all that was under way.
fn dropping() {
    let db = Db::open(env(), Path::new(DIR), options()).unwrap();
    let put = |db: &Db, number: u64| {
        let mut batch = Batch::new();
        for keyspace in [LEFT, RIGHT] {
            let key = Key::new(keyspace, b"many", &number.to_be_bytes());
            batch.put(key, value(number));
        }
        db.write(batch)
    };
    let writer = {
        let db = db.clone();
        thread::spawn(move || {
            for number in 0..4 {
                put(&db, number).unwrap().wait().unwrap();
            }
        })
    };
    let dropper = {
        let db = db.clone();
        thread::spawn(move || {
            let mut batch = Batch::new();
            batch.drop_keyspace(LEFT);
            batch.drop_keyspace(RIGHT);
            let commit = db.write(batch).unwrap();
            let sequence = commit.sequence();
            db.settle().unwrap();
            assert!(db.durable_sequence() >= sequence);
            commit.wait().unwrap();
        })
    };
    for _ in 0..3 {
        let snapshot = db.snapshot();
        for number in 0..4_u64 {
            let found = [LEFT, RIGHT].map(|keyspace| {
                let key = Key::new(keyspace, b"many", &number.to_be_bytes());
                let found = snapshot.get(&key, ReadMode::Blocking).unwrap();
                found.is_some()
            });
            assert_eq!(found[0], found[1], "half of a batch, or of a drop");
        }
    }
    writer.join().unwrap();
    dropper.join().unwrap();
    db.close().unwrap();
}

/// Runs a test in as many orders as the environment says, or in the one that it gives.
fn explore(count: usize, test: fn()) {
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    config.max_steps = MaxSteps::FailAfter(1_000_000);
    config.silence_warnings = true;
    if let Ok(schedule) = std::env::var("STATOR_SCHEDULE") {
        let replay = ReplayScheduler::new_from_encoded(&schedule);
        Runner::new(replay, config).run(test);
        return;
    }
    let count = match std::env::var("STATOR_SCHEDULES") {
        Ok(count) => count.parse().unwrap(),
        Err(_) => count,
    };
    // Those of PCT switch rarely and at telling places; the others anywhere.
    let schedulers: [Box<dyn Scheduler + Send>; 2] = [
        Box::new(RandomScheduler::new(count)),
        Box::new(PctScheduler::new(3, count)),
    ];
    for scheduler in schedulers {
        Runner::new(scheduler, config.clone()).run(test);
    }
}

#[test]
fn counters_are_what_the_order_of_commits_says() {
    explore(60, counting);
}

#[test]
fn batches_and_drops_are_seen_as_a_whole() {
    explore(60, dropping);
}

/// Threads that wait for their commits, and one that lets itself be woken: each group is written by
/// one of the former or by the task, and whatever they leave to each other is written by somebody.
/// Half of the commits are dropped unseen, and the last one's end is that of the database.
fn waiting() {
    let options = Options {
        memtable_size: 1 << 20,
        ..options()
    };
    let env = env();
    let db = Db::open(env.clone(), Path::new(DIR), options).unwrap();
    let put = |db: &Db, number: u64| {
        let mut batch = Batch::new();
        batch.put(
            Key::new(LEFT, b"many", &number.to_be_bytes()),
            value(number),
        );
        db.write(batch).unwrap()
    };
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let (db, scheduler) = (db.clone(), Arc::clone(&env.scheduler));
            thread::spawn(move || {
                for round in 0..2 {
                    drop(put(&db, 6 + 2 * writer + round));
                    let commit = put(&db, 2 * writer + round);
                    let sequence = commit.sequence();
                    if writer == 0 {
                        let done = async { commit.await.unwrap() };
                        scheduler.block_on(std::pin::pin!(done)).unwrap();
                    } else {
                        commit.wait().unwrap();
                    }
                    assert!(db.durable_sequence() >= sequence);
                }
            })
        })
        .collect();
    for thread in writers {
        thread.join().unwrap();
    }
    drop(put(&db, 12));
    db.close().unwrap();
    let db = Db::open(env, Path::new(DIR), self::options()).unwrap();
    assert_eq!(db.durable_sequence(), 13);
    db.close().unwrap();
}

#[test]
fn whoever_waits_is_answered_by_whom_ever() {
    explore(200, waiting);
}

/// A commit, and somebody who looks whether it is there: the shortest work that shows it if something
/// is visible before it is durable.
fn showing() {
    let options = Options {
        memtable_size: 1 << 20,
        ..options()
    };
    let db = Db::open(env(), Path::new(DIR), options).unwrap();
    let writer = {
        let db = db.clone();
        thread::spawn(move || {
            for _ in 0..2 {
                let (_, commit) = increment(&db).unwrap();
                commit.wait().unwrap();
            }
        })
    };
    for _ in 0..4 {
        let snapshot = db.snapshot();
        let found = snapshot.get(&key(RIGHT), ReadMode::Blocking).unwrap();
        assert_eq!(number(found.as_ref()), snapshot.sequence());
        let found = db.get(&key(LEFT), ReadMode::Blocking).unwrap();
        let found = number(found.as_ref());
        let durable = db.durable_sequence();
        assert!(found <= durable, "{found} was shown, {durable} is durable");
    }
    writer.join().unwrap();
    db.close().unwrap();
}

/// Commits of several threads in one group, which one of them may write while another is still on its
/// way into the memtable: a snapshot shows all commits up to its own, each of which has a key.
fn grouping() {
    let options = Options {
        memtable_size: 1 << 20,
        ..options()
    };
    let db = Db::open(env(), Path::new(DIR), options).unwrap();
    let key = |number: u64| Key::new(LEFT, b"many", &number.to_be_bytes());
    let writers: Vec<_> = (0..2)
        .map(|writer| {
            let db = db.clone();
            thread::spawn(move || {
                for round in 0..2 {
                    let mut batch = Batch::new();
                    batch.put(key(2 * writer + round), value(1));
                    db.write(batch).unwrap().wait().unwrap();
                }
            })
        })
        .collect();
    for _ in 0..4 {
        let snapshot = db.snapshot();
        let found = (0..4).filter(|number| {
            let found = snapshot.get(&key(*number), ReadMode::Blocking);
            found.unwrap().is_some()
        });
        assert_eq!(found.count() as u64, snapshot.sequence());
    }
    for thread in writers {
        thread.join().unwrap();
    }
    db.close().unwrap();
}

#[test]
fn nothing_is_visible_too_early() {
    explore(200, showing);
    explore(200, grouping);
}

/// Each of these defects has to be found.
#[test]
fn orders_that_show_a_defect_are_found() {
    let work: [(Mutant, fn()); 2] = [
        (Mutant::WriteBeforePublish, grouping),
        (Mutant::ReadDurable, showing),
    ];
    for (mutant, test) in work {
        let found = std::panic::catch_unwind(|| {
            switch(Some(mutant));
            explore(3_000, test);
        });
        switch(None);
        assert!(found.is_err(), "{} went unnoticed", mutant.name());
    }
}
