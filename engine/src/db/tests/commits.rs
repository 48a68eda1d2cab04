//! Commits: order, visibility, locks, groups, failures.

use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Waker};

use super::*;
use crate::io::Simulation;

#[test]
fn a_commit_is_visible_once_it_is_durable_and_not_before() {
    let simulation = Simulation::new(1);
    let db = open(&simulation.env());
    let mut batch = Batch::new();
    batch.put(key("a"), "1");
    let commit = db.write(batch).unwrap();
    assert_eq!(commit.sequence(), db.applied_sequence());
    assert_eq!(get(&db, "a"), None, "applied, and not durable");
    let before = db.snapshot();
    commit.wait().unwrap();
    assert_eq!(get(&db, "a").as_deref(), Some("1"));
    assert_eq!(before.get(&key("a"), ReadMode::Blocking).unwrap(), None);
    assert_eq!(db.snapshot().sequence(), db.durable_sequence());
    db.close().unwrap();
}

#[test]
fn a_commit_knows_when_it_was_written() {
    let simulation = Simulation::new(1);
    let db = open(&simulation.env());
    let mut batch = Batch::new();
    batch.put(key("a"), "1");
    let mut commit = db.write(batch).unwrap();
    simulation.run_until_idle();
    assert_eq!(commit.written(), None, "nobody waits for it yet");
    let mut context = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut commit).poll(&mut context).is_pending());
    simulation.run_until_idle();
    let before = commit.written().unwrap();
    assert!(!before.held_back);
    let later = std::time::Duration::from_millis(7);
    simulation.advance(later);
    let written = commit.written().unwrap();
    assert_eq!(written.began_ago, before.began_ago + later);
    assert_eq!(written.ended_ago, before.ended_ago + later);
    // So many later ones, each a group of its own, and nobody remembers.
    for _ in 0..64 {
        put(&db, "b", "2");
    }
    assert_eq!(commit.written(), None);
    commit.wait().unwrap();
    db.close().unwrap();
}

#[test]
fn the_next_holder_of_a_lock_sees_what_is_applied() {
    let simulation = Simulation::new(1);
    let db = open(&simulation.env());
    let counter = key("counter");
    let mut last = None;
    for expected in 0..10_u8 {
        let mut transaction = db.transaction([&counter], ReadMode::CachedOnly).unwrap();
        let before = transaction
            .get(&counter)
            .unwrap()
            .map_or(0, |value| value[0]);
        assert_eq!(before, expected);
        assert_eq!(transaction.read_sequence(), u64::from(expected));
        transaction.put(counter.clone(), vec![before + 1]);
        assert_eq!(
            transaction.get(&counter).unwrap().unwrap(),
            vec![before + 1]
        );
        last = Some(transaction.commit().unwrap());
    }
    assert_eq!(get(&db, "counter"), None);
    last.unwrap().wait().unwrap();
    assert_eq!(get(&db, "counter").as_deref(), Some("\n"));
    assert_eq!(db.statistics().commits, 10);
    assert_eq!(
        db.statistics().wal_groups,
        1,
        "nobody waited for a sync but the last"
    );
}

#[test]
fn what_was_under_way_is_durable_when_it_has_settled() {
    let db = open(&Simulation::new(1).env());
    let a = key("a");
    let mut transaction = db.transaction([&a], ReadMode::CachedOnly).unwrap();
    transaction.put(a.clone(), "1");
    assert!(
        db.settle().is_err(),
        "in a simulation nobody else can end the transaction"
    );
    drop(transaction.commit().unwrap());
    assert_eq!(get(&db, "a"), None, "applied, and not durable");
    db.settle().unwrap();
    assert_eq!(get(&db, "a").as_deref(), Some("1"));
}

#[test]
fn an_abandoned_transaction_leaves_nothing_and_gives_its_locks_back() {
    let db = open(&Simulation::new(1).env());
    let a = key("a");
    let mut transaction = db.transaction([&a], ReadMode::Blocking).unwrap();
    transaction.put(a.clone(), "1");
    assert!(matches!(
        db.transaction([&a], ReadMode::CachedOnly),
        Err(Error::WouldBlock)
    ));
    drop(transaction);
    let transaction = db.transaction([&a], ReadMode::CachedOnly).unwrap();
    assert_eq!(transaction.get(&a).unwrap(), None);
    transaction.commit().unwrap().wait().unwrap();
    assert_eq!(db.applied_sequence(), 0);
}

#[test]
fn a_dropped_keyspace_is_empty_for_readers_behind_the_drop() {
    let db = open(&Simulation::new(1).env());
    put(&db, "a", "1");
    let before = db.snapshot();
    let mut batch = Batch::new();
    batch.drop_keyspace(KEYSPACE);
    batch.put(Key::new(KeyspaceId(2), b"catalog", b""), "gone");
    let commit = db.write(batch).unwrap();
    assert_eq!(
        get(&db, "a").as_deref(),
        Some("1"),
        "the drop is not durable yet"
    );
    commit.wait().unwrap();
    assert_eq!(get(&db, "a"), None);
    put(&db, "a", "2");
    assert_eq!(get(&db, "a"), None, "nothing comes back under the id");
    assert_eq!(
        before.get(&key("a"), ReadMode::Blocking).unwrap().unwrap(),
        "1"
    );
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged_and_reads_go_on() {
    let simulation = Simulation::new(1);
    let db = open(&simulation.env());
    put(&db, "a", "1");
    simulation.run_until_idle();
    simulation.crash_after(1);
    let mut batch = Batch::new();
    batch.put(key("a"), "2");
    let commit = db.write(batch).unwrap();
    let Err(Error::ReadOnly { reason }) = commit.wait() else {
        panic!("it was acknowledged")
    };
    assert!(reason.contains("can't write /db"), "{reason}");
    let mut batch = Batch::new();
    batch.put(key("b"), "1");
    assert!(matches!(db.write(batch), Err(Error::ReadOnly { .. })));
    assert_eq!(get(&db, "a").as_deref(), Some("1"));
    assert!(matches!(db.close(), Err(Error::ReadOnly { .. })));
}

#[test]
fn a_closed_database_refuses_writes_and_frees_the_directory() {
    let env = Simulation::new(1).env();
    let db = open(&env);
    put(&db, "a", "1");
    let other = db.clone();
    assert!(matches!(
        Db::open(env.clone(), Path::new(DIR), Options::default()),
        Err(Error::Locked { .. })
    ));
    let mut batch = Batch::new();
    batch.put(key("b"), "in the queue");
    let queued = db.write(batch).unwrap();
    db.close().unwrap();
    queued.wait().unwrap();
    assert!(matches!(other.write(Batch::new()), Err(Error::Closed)));
    assert!(matches!(other.wait_durable(99).wait(), Err(Error::Closed)));
    assert_eq!(get(&other, "b").as_deref(), Some("in the queue"));
}

#[test]
fn threads_count_together_on_real_files() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(Env::real(), dir.path(), Options::default()).unwrap();
    let counter = key("counter");
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let mut transaction =
                            db.transaction([&counter], ReadMode::Blocking).unwrap();
                        let before = transaction
                            .get(&counter)
                            .unwrap()
                            .map_or(0, |value| u64::from_le_bytes((&*value).try_into().unwrap()));
                        transaction.put(counter.clone(), (before + 1).to_le_bytes().to_vec());
                        transaction.commit().unwrap().wait().unwrap();
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut last = 0;
            while !ended.load(Ordering::Relaxed) {
                let value = db.get(&counter, ReadMode::Blocking).unwrap();
                let now =
                    value.map_or(0, |value| u64::from_le_bytes((&*value).try_into().unwrap()));
                assert!(now >= last, "a reader went back in time");
                last = now;
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        ended.store(true, Ordering::Relaxed);
    });
    let value = db.get(&counter, ReadMode::Blocking).unwrap().unwrap();
    assert_eq!(value, 200_u64.to_le_bytes().to_vec());
    db.close().unwrap();
}
