//! Logs as users of a database see them: keyspaces like others, with ids of their own.

use super::*;
use crate::io::Simulation;
use crate::{Direction, KeyRange, Step};

fn put_in(db: &Db, keyspace: KeyspaceId) {
    let mut batch = Batch::new();
    batch.put_stamped(keyspace, b"partition", b"", "value");
    db.write(batch).unwrap().wait().unwrap();
}

#[test]
fn a_log_is_a_keyspace_with_an_id_of_its_own_kind() {
    let simulation = Simulation::new(1);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let db = open(&simulation.env());
        for _ in 0..40 {
            let (keyspace, log) = (db.create_keyspace().unwrap(), db.create_log().unwrap());
            assert!(!keyspace.is_log() && log.is_log());
            assert!(seen.insert(keyspace.number()) && seen.insert(log.number()));
        }
        db.close().unwrap();
    }
}

#[test]
fn of_keyspaces_and_logs_that_are_gone_few_ranges_are_kept() {
    let simulation = Simulation::new(1);
    let db = open(&simulation.env());
    let mut dropped = Vec::new();
    for _ in 0..20 {
        for keyspace in [db.create_keyspace().unwrap(), db.create_log().unwrap()] {
            put_in(&db, keyspace);
            dropped.push(keyspace);
        }
    }
    let kept = db.create_log().unwrap();
    put_in(&db, kept);
    for keyspace in dropped {
        let mut batch = Batch::new();
        batch.drop_keyspace(keyspace);
        db.write(batch).unwrap().wait().unwrap();
    }
    db.close().unwrap();
    let db = open(&simulation.env());
    simulation.run_until_idle();
    let version = db.handle.shared.versions.current();
    assert_eq!(version.dropped().len(), 0);
    let gone: Vec<_> = version.dropped().gone().collect();
    assert_eq!(gone.len(), 2, "{gone:?}");
    let snapshot = db.snapshot();
    let range = KeyRange::keyspace(kept);
    let mut entries = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
    assert!(matches!(entries.next().unwrap(), Step::Entry { .. }));
}
