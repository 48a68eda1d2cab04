//! Makes small random databases on the disk, and says what is in one: the engine's side of the test
//! that holds it against the reader in `format-spec/reader`.
//!
//! ```text
//! random_database make SEED DIR   random work, then what is live; some seeds end without a close
//! random_database scan DIR        opens DIR and says what is live
//! ```
//!
//! What is live is a line per key, in order: the user key and its value, both in hexadecimal. An
//! error of the engine goes to stderr, and the exit code is 1.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::exit;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use stator_engine::{
    AsOf, Batch, Db, Direction, Durability, Env, FIRST_CREATED_KEYSPACE, Key, KeyRange, KeyspaceId,
    Options, ReadMode, Step,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many keyspaces `make` creates at most. Their ids are below `BOUND`, since an opening skips
/// fewer than a hundred.
const CREATED: u32 = 20;
const BOUND: u32 = FIRST_CREATED_KEYSPACE.0 + CREATED + 300;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["make", seed, dir] => make(seed, Path::new(dir)),
        ["scan", dir] => scan(Path::new(dir)),
        _ => Err("usage: random_database make SEED DIR | scan DIR".into()),
    };
    if let Err(error) = done {
        eprintln!("{error}");
        exit(1);
    }
}

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Result<T> {
        let place = self.below(from.len() as u64) as usize;
        Ok(*from.get(place).ok_or("nothing to pick from")?)
    }

    /// Often with the bytes that escapes are made of.
    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let len = self.below(most + 1);
        let byte = |random: &mut Self| match random.below(3) {
            0 => 0,
            1 => 0xff,
            _ => random.below(4) as u8,
        };
        (0..len).map(|_| byte(self)).collect()
    }

    fn value(&mut self) -> Vec<u8> {
        let len = match self.below(20) {
            0 => 5_000 + self.below(70_000),
            1..5 => 0,
            _ => self.below(60),
        };
        let mut value = vec![self.below(256) as u8; len as usize];
        if self.below(2) == 0 {
            self.0.fill_bytes(&mut value);
        }
        value
    }
}

fn make(seed: &str, dir: &Path) -> Result<()> {
    let mut random = Random(ChaCha8Rng::seed_from_u64(seed.parse()?));
    let mut keyspaces = vec![KeyspaceId(1), KeyspaceId(2), KeyspaceId(77)];
    let (mut created, mut pins) = (0, 0);
    let lives = 1 + random.below(3);
    for life in 1..=lives {
        let db = Db::open(Env::real(), dir, options(&mut random)?)?;
        let mut last = None;
        for _ in 0..random.below(400) {
            let mut batch = Batch::new();
            for number in 0..=random.below(6) {
                let keyspace = random.pick(&keyspaces)?;
                let (partition, sort) = (random.bytes(3), random.bytes(5));
                let key = Key::new(keyspace, &partition, &sort);
                match random.below(5) {
                    0 => batch.delete(key),
                    1 => {
                        // No two stamped keys of a batch may be the same.
                        let suffix = [&sort[..], &[number as u8]].concat();
                        batch.put_stamped(keyspace, &partition, &suffix, random.value());
                    }
                    _ => batch.put(key, random.value()),
                }
            }
            if random.below(60) == 0 && created < CREATED {
                let fresh = db.create_keyspace()?;
                created += 1;
                let place = random.below(keyspaces.len() as u64) as usize;
                if let Some(place) = keyspaces.get_mut(place) {
                    batch.drop_keyspace(std::mem::replace(place, fresh));
                }
            }
            // Old versions that are kept must not show in what is live.
            let keyspace = random.pick(&keyspaces)?;
            match random.below(40) {
                0 => {
                    let window = Duration::from_millis(1 + random.below(100_000));
                    db.set_retention(keyspace, Some(window))?;
                }
                1 => db.set_retention(keyspace, None)?,
                2 => {
                    pins += 1;
                    db.pin(pins, &[keyspace], AsOf::Now)?;
                }
                3 => db.unpin(1 + random.below(pins + 1))?,
                4 if created < CREATED => {
                    let back = random.below(3);
                    let at = AsOf::Sequence(db.durable_sequence().saturating_sub(back));
                    // As of what is not kept any more, or of one that was dropped, there is none.
                    if let Ok(fork) = db.fork(keyspace, at) {
                        created += 1;
                        keyspaces.push(fork);
                    }
                }
                _ => {}
            }
            while db.write_delay().is_err() {
                db.settle()?;
            }
            // A flush may have ended since: what this makes does not depend on the machine's speed.
            last = Some(db.write_unthrottled(batch)?);
        }
        last.map_or(Ok(()), |commit| commit.wait())?;
        if life == lives {
            print!("{}", live(&db)?);
            if random.below(2) == 0 {
                // As a kill would leave it, with whatever was going on in the background.
                exit(0);
            }
        }
        db.close()?;
    }
    Ok(())
}

fn scan(dir: &Path) -> Result<()> {
    let db = Db::open(Env::real(), dir, Options::default())?;
    print!("{}", live(&db)?);
    Ok(db.close()?)
}

fn options(random: &mut Random) -> Result<Options> {
    Ok(Options {
        durability: match random.below(3) {
            0 => Durability::Interval(Duration::from_millis(1)),
            _ => Durability::Sync,
        },
        memtable_size: random.pick(&[8 << 10, 64 << 10, 1 << 20])?,
        wal_segment_size: random.pick(&[8 << 10, 64 << 10, 1 << 20])?,
        block_size: random.pick(&[128, 1024, 16 << 10, 256 << 10])?,
        sstable_size: random.pick(&[2 << 10, 64 << 10])?,
        l0_compression_level: random.pick(&[0, 1])?,
        compression_level: random.pick(&[0, 3])?,
        l0_compaction_threshold: random.pick(&[1, 4])?,
        base_level_size: random.pick(&[4 << 10, 64 << 10])?,
        level_fanout: random.pick(&[2, 10])?,
        manifest_size: random.pick(&[1 << 10, 1 << 20])?,
        ..Options::default()
    })
}

fn live(db: &Db) -> Result<String> {
    let mut lines = BTreeSet::new();
    let snapshot = db.snapshot();
    for id in (0..100).chain(FIRST_CREATED_KEYSPACE.0..BOUND) {
        let range = KeyRange::keyspace(KeyspaceId(id));
        let mut iter = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
        loop {
            match iter.next()? {
                Step::Entry { key, value } => {
                    lines.insert(format!("{} {}\n", hex(key.as_bytes()), hex(&value)));
                }
                Step::Paused(_) => {}
                Step::End => break,
            }
        }
    }
    Ok(lines.into_iter().collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
