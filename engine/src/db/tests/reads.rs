//! What reads cost in reads of the disk, and what indexes, filters and blocks take in memory.

use super::*;
use crate::Options;
use crate::io::{DirEntry, File, Fs, LockGuard, LogFile, LogMode, Simulation};
use crate::sync::atomic::{AtomicU64, Ordering};

/// Counts what is read through it. Nothing is in a page cache.
struct CountingFs {
    fs: Arc<dyn Fs>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    reads: AtomicU64,
    /// Of indexes and filters.
    maps: AtomicU64,
}

impl Counts {
    fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    fn maps(&self) -> u64 {
        self.maps.load(Ordering::Relaxed)
    }
}

struct CountingFile {
    file: Arc<dyn File>,
    counts: Arc<Counts>,
}

impl CountingFs {
    fn count(&self, file: Arc<dyn File>) -> Arc<dyn File> {
        let counts = Arc::clone(&self.counts);
        Arc::new(CountingFile { file, counts })
    }
}

impl Fs for CountingFs {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        Ok(self.count(self.fs.create(path)?))
    }
    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        Ok(self.count(self.fs.open(path)?))
    }
    fn create_log(&self, path: &Path, len: u64, mode: LogMode) -> Result<Arc<dyn LogFile>> {
        self.fs.create_log(path, len, mode)
    }
    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>> {
        self.fs.list(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.fs.rename(from, to)
    }
    fn remove(&self, path: &Path) -> Result<()> {
        self.fs.remove(path)
    }
    fn create_dir_all(&self, dir: &Path) -> Result<()> {
        self.fs.create_dir_all(dir)
    }
    fn sync_dir(&self, dir: &Path) -> Result<()> {
        self.fs.sync_dir(dir)
    }
    fn lock(&self, path: &Path) -> Result<Box<dyn LockGuard>> {
        self.fs.lock(path)
    }
}

impl File for CountingFile {
    fn path(&self) -> &Path {
        self.file.path()
    }
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.counts.reads.fetch_add(1, Ordering::Relaxed);
        self.file.read_at(buf, offset)
    }
    fn read_exact_at_cached(&self, _: &mut [u8], _: u64) -> Result<bool> {
        Ok(false)
    }
    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        self.file.write_at(buf, offset)
    }
    fn sync(&self) -> Result<()> {
        self.file.sync()
    }
    fn sync_all(&self) -> Result<()> {
        self.file.sync_all()
    }
    fn len(&self) -> Result<u64> {
        self.file.len()
    }
    fn map(&self, offset: u64, len: usize) -> Result<bytes::Bytes> {
        self.counts.maps.fetch_add(1, Ordering::Relaxed);
        self.file.map(offset, len)
    }
}

fn counting_env(simulation: &Simulation) -> (Env, Arc<Counts>) {
    let mut env = simulation.env();
    let counts = Arc::<Counts>::default();
    env.fs = Arc::new(CountingFs {
        fs: env.fs,
        counts: Arc::clone(&counts),
    });
    (env, counts)
}

/// Writes that many keys in an order in which neighbours are far apart, twice as often as there are
/// levels, and merges until there is nothing more to merge.
fn fill(env: &Env, simulation: &Simulation, options: &Options, count: usize) {
    let db = Db::open(env.clone(), Path::new(DIR), options.clone()).unwrap();
    for number in 0..count {
        let name = format!("{:06}", number * 7919 % count);
        let mut batch = Batch::new();
        batch.put(key(&name), format!("{name} is its name"));
        drop(db.write(batch).unwrap());
        if number % 100 == 0 {
            simulation.run_until_idle();
        }
    }
    simulation.run_until_idle();
    db.close().unwrap();
}

#[test]
fn a_cold_point_read_costs_one_read_and_blocks_nobody_else() {
    let simulation = Simulation::new(1);
    let (env, counts) = counting_env(&simulation);
    let options = Options {
        memtable_size: 32 << 10,
        block_size: 512,
        sstable_size: 16 << 10,
        base_level_size: 32 << 10,
        level_fanout: 4,
        bloom_bits_per_key: 24,
        ..Options::default()
    };
    fill(&env, &simulation, &options, 3_000);
    let db = Db::open(env, Path::new(DIR), options).unwrap();
    let levels = db.statistics().levels;
    let filled = levels.iter().filter(|level| level.files > 0).count();
    assert!(filled > 1, "{levels:?}");
    // Opens all SSTables: filters know that there is nothing under these names.
    for number in 0..3_000 {
        let name = format!("{number:06}x");
        db.get(&key(&name), ReadMode::Blocking).unwrap();
    }
    let mut cold = 0;
    for number in (0..3_000).step_by(41) {
        let key = key(&format!("{number:06}"));
        let before = (counts.reads(), counts.maps());
        match db.get(&key, ReadMode::CachedOnly) {
            Ok(found) => assert!(found.is_some()),
            Err(Error::WouldBlock) => {
                assert_eq!(
                    (counts.reads(), counts.maps()),
                    before,
                    "{number}: it waited"
                );
                assert!(db.get(&key, ReadMode::Blocking).unwrap().is_some());
                let after = (counts.reads(), counts.maps());
                assert_eq!(after.0 + after.1, before.0 + before.1 + 1, "{number}");
                assert!(db.get(&key, ReadMode::CachedOnly).unwrap().is_some());
                assert_eq!(
                    (counts.reads(), counts.maps()),
                    after,
                    "{number}: read again"
                );
                cold += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(cold > 50, "only {cold} were cold");
}

#[test]
fn blocks_indexes_and_filters_stay_within_their_budget_whatever_the_data() {
    const BUDGET: usize = 256 << 10;
    let simulation = Simulation::new(1);
    let (env, counts) = counting_env(&simulation);
    let options = Options {
        memtable_size: 64 << 10,
        block_cache_size: BUDGET,
        block_size: 256,
        sstable_size: 32 << 10,
        base_level_size: 64 << 10,
        l0_compression_level: 0,
        compression_level: 0,
        ..Options::default()
    };
    let count = 20_000;
    fill(&env, &simulation, &options, count);
    let db = Db::open(env, Path::new(DIR), options).unwrap();
    let size: u64 = db.statistics().levels.iter().map(|level| level.size).sum();
    assert!(size > 4 * BUDGET as u64, "only {size} bytes of data");
    let within = |when: &str| {
        let statistics = db.statistics();
        let taken = statistics.block_cache_size as usize + statistics.index_size;
        assert!(taken <= BUDGET, "{taken} bytes {when}");
        assert!(statistics.index_size <= BUDGET / 2, "{when}");
        taken
    };
    let files: usize = db.statistics().levels.iter().map(|level| level.files).sum();
    let opened = counts.maps();
    for number in (0..count).step_by(3) {
        let number = number * 7919 % count;
        let found = db.get(&key(&format!("{number:06}")), ReadMode::Blocking);
        assert!(found.unwrap().is_some());
        within("after a read");
    }
    assert!(within("in the end") > BUDGET * 3 / 4, "memory lies idle");
    assert!(counts.maps() > opened + 2 * files as u64, "none was closed");
    let mut entries = 0;
    let snapshot = db.snapshot();
    let mut range = snapshot.range(
        crate::KeyRange::keyspace(KEYSPACE),
        crate::Direction::Backward,
        ReadMode::Blocking,
    );
    loop {
        match range.next().unwrap() {
            crate::Step::Entry { .. } => entries += 1,
            crate::Step::Paused(_) => {}
            crate::Step::End => break,
        }
    }
    assert_eq!(entries, count);
    within("after a scan");
    // Those that are open go with their database, and their size with them.
    let hot = key("000001");
    for _ in 0..3 {
        assert!(db.get(&hot, ReadMode::Blocking).unwrap().is_some());
    }
    let maps = counts.maps();
    assert!(db.get(&hot, ReadMode::CachedOnly).unwrap().is_some());
    assert_eq!(counts.maps(), maps);
}
