//! A full disk: writes are refused before it is, and taken again by themselves.

use super::*;
use crate::io::{Faults, Simulation};

fn options() -> Options {
    Options {
        memtable_size: 16 << 10,
        immutable_memtables: 1,
        wal_segment_size: 16 << 10,
        manifest_size: 4 << 10,
        l0_compression_level: 0,
        compression_level: 0,
        ..Options::default()
    }
}

fn capacity(bytes: Option<u64>) -> Faults {
    Faults {
        capacity: bytes,
        ..Faults::default()
    }
}

/// Writes under new names until something is refused; answers how many were taken, and the refusal.
fn fill(db: &Db, simulation: &Simulation, from: u32) -> (u32, Error) {
    for number in from..from + 10_000 {
        let mut batch = Batch::new();
        batch.put(key(&number.to_string()), vec![7; 500]);
        match db.write(batch).and_then(Commit::wait) {
            Ok(()) => simulation.run_until_idle(),
            Err(error) => return (number, error),
        }
    }
    panic!("the disk never gets full")
}

#[test]
fn writes_are_refused_before_the_disk_is_full_and_taken_again_when_it_is_not() {
    let simulation = Simulation::new(1);
    let db = Db::open(simulation.env(), Path::new(DIR), options()).unwrap();
    simulation.set_faults(capacity(Some(1 << 20)));
    let (count, refusal) = fill(&db, &simulation, 0);
    assert!(matches!(refusal, Error::DiskFull { .. }), "{refusal}");
    assert!(count > 100, "{count}");
    assert!(
        simulation.disk_used() < 1 << 20,
        "there is still room for what is in memory"
    );
    assert_eq!(get(&db, "0").map(|value| value.len()), Some(500));
    let mut batch = Batch::new();
    batch.put(key("more"), "1");
    assert!(matches!(db.write(batch), Err(Error::DiskFull { .. })));
    assert!(matches!(db.write_delay(), Err(Error::DiskFull { .. })));

    simulation.set_faults(capacity(Some(8 << 20)));
    simulation.advance(Duration::from_secs(1));
    put(&db, "more", "1");
    assert_eq!(get(&db, "more").as_deref(), Some("1"));
    db.close().unwrap();
}

#[test]
fn what_waits_to_be_written_out_finds_its_room_later() {
    let simulation = Simulation::new(1);
    let db = Db::open(simulation.env(), Path::new(DIR), options()).unwrap();
    // The first segment of the log has its room before anything is written to it.
    simulation.run_until_idle();
    put(&db, "a", "1");
    simulation.run_until_idle();
    // Somebody else fills the disk: there is no room for anything at all, and the log has its own.
    simulation.set_faults(capacity(Some(simulation.disk_used())));
    let mut batch = Batch::new();
    batch.put(key("b"), vec![7; 8_000]);
    db.write(batch).unwrap().wait().unwrap();
    let mut batch = Batch::new();
    batch.put(key("c"), vec![7; 3_000]);
    batch.put(key("d"), vec![7; 6_000]);
    let last = db.write(batch);
    simulation.advance(Duration::from_secs(2));
    assert_eq!(db.statistics().flushes, 0);
    simulation.set_faults(Faults::default());
    simulation.advance(Duration::from_secs(2));
    if let Ok(last) = last {
        last.wait().unwrap();
        assert_eq!(db.statistics().flushes, 1);
    }
    put(&db, "more", "1");
    simulation.crash();
    let db = Db::open(simulation.env(), Path::new(DIR), options()).unwrap();
    assert_eq!(get(&db, "b").map(|value| value.len()), Some(8_000));
    assert_eq!(get(&db, "more").as_deref(), Some("1"));
}
