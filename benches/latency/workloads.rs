//! Throughput of one thread, or of several, on a database larger than its memtable: load, overwrite,
//! point reads, missing keys, ranges.
//!
//! `cargo bench -p stator-benches --bench workloads [-- DIR [KEYS [THREADS]]]`

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stator_engine::{
    Batch, Db, Direction, Durability, Env, Error, Key, KeyRange, KeyspaceId, Options, ReadMode,
    Result, Step,
};

const VALUE_SIZE: usize = 1024;
const KEYSPACE: KeyspaceId = KeyspaceId(1);

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let dir = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = dir.join(format!("stator-workloads-{}", std::process::id()));
    let mut number = |default| {
        args.next()
            .and_then(|arg| arg.parse().ok())
            .unwrap_or(default)
    };
    let (keys, threads): (u64, u64) = (number(200_000), number(2));
    let options = Options {
        durability: Durability::Interval(Duration::from_millis(100)),
        block_cache_size: 128 << 20,
        ..Options::default()
    };
    let db = Db::open(Env::real(), &dir, options.clone())?;
    println!("{keys} keys, {VALUE_SIZE} B incompressible values, {threads} threads");
    measure(&db, "load", keys, threads, |random| {
        write(&db, random.number)
    })?;
    measure(&db, "overwrite", keys, threads, |random| {
        write(&db, random.below(keys))
    })?;
    println!("{:#?}", db.statistics());
    let start = db.env().clock.monotonic();
    db.close()?;
    let db = Db::open(Env::real(), &dir, options)?;
    println!(
        "closed and opened in {:?}",
        db.env().clock.monotonic() + start - start
    );
    measure(&db, "point reads", keys, threads, |random| {
        let found = db.get(&key(random.below(keys)), ReadMode::Blocking)?;
        found
            .map(|_| ())
            .ok_or_else(|| Error::invalid("a key is missing"))
    })?;
    measure(&db, "point reads, cached", keys, threads, |random| {
        let found = db.get(&key(random.below(keys / 20)), ReadMode::Blocking)?;
        found
            .map(|_| ())
            .ok_or_else(|| Error::invalid("a key is missing"))
    })?;
    measure(&db, "missing keys", keys, threads, |random| {
        let found = db.get(&key(random.below(keys) + (1 << 40)), ReadMode::Blocking)?;
        found.map_or(Ok(()), |_| {
            Err(Error::invalid("a key that was never written"))
        })
    })?;
    for direction in [Direction::Forward, Direction::Backward] {
        measure(
            &db,
            &format!("seek + 25, {direction:?}"),
            keys / 10,
            threads,
            |random| {
                let range = KeyRange::keyspace(KEYSPACE).after(&key(random.below(keys)));
                let range = match direction {
                    Direction::Forward => range,
                    Direction::Backward => {
                        KeyRange::keyspace(KEYSPACE).before(&key(random.below(keys)))
                    }
                };
                let mut iter = db.snapshot().range(range, direction, ReadMode::Blocking);
                for _ in 0..25 {
                    if let Step::End = iter.next()? {
                        break;
                    }
                }
                Ok(())
            },
        )?;
    }
    db.close()?;
    println!("files are left in {}", dir.display());
    Ok(())
}

fn key(number: u64) -> Key {
    Key::new(KEYSPACE, &number.to_be_bytes(), &[7; 16])
}

fn write(db: &Db, number: u64) -> Result<()> {
    let mut random = Random {
        state: number,
        number,
    };
    let mut value = Vec::with_capacity(VALUE_SIZE);
    while value.len() < VALUE_SIZE {
        value.extend_from_slice(&random.next().to_le_bytes());
    }
    let mut batch = Batch::new();
    batch.put(key(number), value);
    loop {
        match db.write(batch.clone()) {
            Err(Error::Throttled) => std::thread::yield_now(),
            commit => return commit?.wait(),
        }
    }
}

struct Random {
    state: u64,
    /// Counts the operations.
    number: u64,
}

impl Random {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

fn measure(
    db: &Db,
    name: &str,
    operations: u64,
    threads: u64,
    operation: impl Fn(&mut Random) -> Result<()> + Sync,
) -> Result<()> {
    let clock = &db.env().clock;
    let (next, slowest) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = clock.monotonic();
    let work = |thread: u64| -> Result<()> {
        let mut random = Random {
            state: thread << 32,
            number: 0,
        };
        loop {
            random.number = next.fetch_add(1, Ordering::Relaxed);
            if random.number >= operations {
                return Ok(());
            }
            let begun = clock.monotonic();
            operation(&mut random)?;
            let took = (clock.monotonic() - begun).as_micros();
            slowest.fetch_max(u64::try_from(took).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (1..=threads)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        threads
            .into_iter()
            .try_for_each(|thread| match thread.join() {
                Ok(result) => result,
                Err(_) => Err(Error::invalid("a thread panicked")),
            })
    })?;
    let elapsed = clock.monotonic() - start;
    println!(
        "{name:24} {:9.0}/s, slowest {} µs",
        operations as f64 / elapsed.as_secs_f64(),
        slowest.load(Ordering::Relaxed)
    );
    Ok(())
}
