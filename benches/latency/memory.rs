//! What a database takes in memory, against the budget that its options set, with data thirty times as
//! large: while it is filled, and while it is read at random.
//!
//! `cargo bench -p stator-benches --bench memory [-- DIR]`

use std::path::PathBuf;
use std::time::Duration;

use stator_engine::{Batch, Db, Durability, Env, Key, KeyspaceId, Options, ReadMode, Result};

const VALUE_SIZE: usize = 1024;
const KEYS: u64 = 2 << 20;

fn main() -> Result<()> {
    let dir = std::env::args()
        .skip(1)
        // cargo adds one of its own.
        .find(|argument| argument != "--bench")
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = dir.join(format!("stator-memory-{}", std::process::id()));
    let env = Env::real();
    let options = Options {
        durability: Durability::Interval(Duration::from_millis(100)),
        memtable_size: 8 << 20,
        immutable_memtables: 3,
        block_cache_size: 32 << 20,
        ..Options::default()
    };
    let budget =
        options.block_cache_size + options.memtable_size * (options.immutable_memtables + 1);
    let before = memory("VmRSS");
    let db = Db::open(env, &dir, options)?;
    for number in 0..KEYS {
        let mut batch = Batch::new();
        batch.put(key(number), value(number));
        while let Err(stator_engine::Error::Throttled) = db.write_delay() {
            std::thread::sleep(Duration::from_millis(1));
        }
        db.write(batch)?.wait()?;
    }
    println!(
        "budget {} MiB; before {} MiB; filled with {} MiB: {}",
        budget >> 20,
        before >> 10,
        (KEYS as usize * VALUE_SIZE) >> 20,
        taken(&db)
    );
    let mut random = 1_u64;
    for _ in 0..400_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        db.get(&key(random % KEYS), ReadMode::Blocking)?;
    }
    println!("after 400,000 reads: {}", taken(&db));
    db.close()?;
    let _ = std::fs::remove_dir_all(&dir);
    Ok(())
}

fn key(number: u64) -> Key {
    let partition = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    Key::new(KeyspaceId(1), &partition, b"sort key")
}

/// One that does not compress.
fn value(number: u64) -> Vec<u8> {
    let mut random = number + 1;
    let words = std::iter::repeat_with(|| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random.to_le_bytes()
    });
    words.take(VALUE_SIZE / 8).flatten().collect()
}

fn taken(db: &Db) -> String {
    let statistics = db.statistics();
    format!(
        "resident {} MiB, at most {} MiB; blocks {} KiB, indexes and filters {} KiB, memtables {} KiB",
        memory("VmRSS") >> 10,
        memory("VmHWM") >> 10,
        statistics.block_cache_size >> 10,
        statistics.index_size >> 10,
        statistics.memtable_size >> 10,
    )
}

/// A line of Linux's account of this process, in KiB.
fn memory(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.unwrap_or(0)
}
