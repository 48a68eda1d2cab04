//! What compaction writes for each byte that is put, by the size of values: whether large ones would
//! better be kept out of its way. `value_separation.py` reckons what that would cost.
//!
//! Files are in memory and levels an eighth of their default size, so that a quarter of a gigabyte has
//! as many levels as two. `cargo bench -p stator-benches --bench value_sizes`

use stator_engine::{Batch, Db, Durability, Env, Key, KeyspaceId, Options, Result};

/// Of all values at a time.
const DATA_SIZE: usize = 256 << 20;
/// How often all of it is overwritten, by keys drawn evenly.
const OVERWRITES: usize = 3;

fn main() -> Result<()> {
    println!("  value  log + flush + compaction for a byte  space settled  time");
    for value_size in [256, 1 << 10, 16 << 10, 400_000] {
        let env = Env::memory();
        let options = Options {
            durability: Durability::Interval(std::time::Duration::from_millis(100)),
            memtable_size: 4 << 20,
            base_level_size: 16 << 20,
            sstable_size: 4 << 20,
            compression_level: 0,
            l0_compression_level: 0,
            ..Options::default()
        };
        let db = Db::open(env.clone(), std::path::Path::new("/db"), options)?;
        let start = env.clock.monotonic();
        let keys = (DATA_SIZE / value_size) as u64;
        let mut random = 1_u64;
        let mut put = 0;
        for number in 0..keys * (OVERWRITES as u64 + 1) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let drawn = if number < keys { number } else { random % keys };
            let partition = drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
            let mut batch = Batch::new();
            batch.put(
                Key::new(KeyspaceId(1), &partition, b""),
                vec![random as u8; value_size],
            );
            put += batch.size();
            // What throttles is over soon.
            while let Err(stator_engine::Error::Throttled) = db.write_delay() {
                std::thread::yield_now();
            }
            db.write(batch)?.wait()?;
        }
        // Until there is nothing more to merge.
        while db.statistics().compaction_debt > 0 || db.statistics().immutable_memtables > 0 {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let statistics = db.statistics();
        let per_byte = |written: u64| written as f64 / put as f64;
        let stored: u64 = statistics.levels.iter().map(|level| level.size).sum();
        println!(
            "{value_size:7}  {:4.2} + {:4.2} + {:4.2} = {:4.2}{:19}{:8.2}  {:6.1} s",
            per_byte(statistics.wal_size),
            per_byte(statistics.flushed_size),
            per_byte(statistics.compaction_written_size),
            per_byte(
                statistics.wal_size + statistics.flushed_size + statistics.compaction_written_size
            ),
            "",
            stored as f64 / DATA_SIZE as f64,
            (env.clock.monotonic() - start).as_secs_f64(),
        );
        db.close()?;
    }
    Ok(())
}
