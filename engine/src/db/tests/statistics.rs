//! What the statistics say after a known piece of work.

use super::*;
use crate::io::Simulation;
use crate::{KeyspaceStatistics, Options};

#[test]
fn they_count_what_was_done() {
    let simulation = Simulation::new(1);
    let options = Options {
        memtable_size: 4 << 10,
        l0_compression_level: 0,
        compression_level: 0,
        ..Options::default()
    };
    let db = Db::open(simulation.env(), Path::new(DIR), options).unwrap();
    for number in 0..100 {
        put(&db, &format!("key {number:03}"), &"v".repeat(100));
    }
    simulation.run_until_idle();
    let statistics = db.statistics();
    assert_eq!(statistics.commits, 100);
    assert_eq!(statistics.wal_latencies.count(), statistics.wal_groups);
    let rounded = std::time::Duration::from_micros(statistics.wal_groups);
    assert!(statistics.wal_latencies.longest() <= statistics.wal_time + rounded);
    assert!(statistics.flushes > 0);
    // The log once, SSTables once or more.
    let write_amplification = statistics.write_amplification().unwrap();
    assert!(write_amplification > 1.5, "{write_amplification}");
    let (keyspace, taken) = db.keyspace_statistics().pop_first().unwrap();
    assert_eq!(keyspace, KEYSPACE);
    let entries: u64 = statistics.levels.iter().map(|level| level.entries).sum();
    let size = entries * (key("key 000").as_bytes().len() as u64 + 100);
    assert_eq!((taken.entries, taken.size), (entries, size));
    assert_ne!(taken, KeyspaceStatistics::default());
}

#[test]
fn hits_and_misses_of_the_cache_are_told_apart() {
    let simulation = Simulation::new(1);
    put(&open(&simulation.env()), "a", "1");
    // Opening writes what was in the log into an SSTable.
    let db = open(&simulation.env());
    for _ in 0..4 {
        assert_eq!(get(&db, "a").as_deref(), Some("1"));
    }
    let statistics = db.statistics();
    assert_eq!(statistics.block_cache_misses, 1);
    assert_eq!(statistics.block_cache_hit_rate(), Some(0.75));
}
