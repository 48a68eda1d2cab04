//! Durable commits: how long one takes, and how many share a sync, beside what the disk itself takes
//! for a write of the same size on space that was written before.
//!
//! `cargo bench -p stator-benches --bench commit_latency [-- DIR]`

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use stator_engine::io::{AlignedBuf, LogMode};
use stator_engine::{Batch, Db, Durability, Env, Key, KeyspaceId, Options, Result};

const VALUE_SIZE: usize = 1024;
const RUN: Duration = Duration::from_secs(3);

fn main() -> Result<()> {
    let dir = std::env::args()
        .skip(1)
        // cargo adds one of its own.
        .find(|argument| argument != "--bench")
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = dir.join(format!("stator-commit-latency-{}", std::process::id()));
    let env = Env::real();
    env.fs.create_dir_all(&dir)?;
    println!("{VALUE_SIZE} B values, {RUN:?} each; times in µs");
    disk(&env, &dir)?;
    alternating(&env, &dir)?;
    for durability in [
        Durability::Sync,
        Durability::Interval(Duration::from_millis(100)),
    ] {
        for committers in [1, 16, 64] {
            let dir = dir.join(format!("{committers}-{durability:?}").replace([' ', '(', ')'], ""));
            commits(&env, &dir, durability, committers)?;
        }
    }
    open(&env, &dir)?;
    println!("files are left in {}", dir.display());
    Ok(())
}

/// What one page takes, written and synced.
fn disk(env: &Env, dir: &Path) -> Result<()> {
    let len = 16 << 20;
    let log = env
        .fs
        .create_log(&dir.join("disk"), len, LogMode::Durable)?;
    log.prepare(0, 16 << 20)?;
    log.sync()?;
    let mut page = AlignedBuf::new();
    page.extend_from_slice(&[7; VALUE_SIZE]);
    page.pad_to_page();
    let mut times = Vec::new();
    for number in 0..len / page.len() as u64 {
        let start = env.clock.monotonic();
        log.write(&page, number * page.len() as u64)?;
        times.push(env.clock.monotonic() - start);
    }
    report("disk, one page", &mut times, "");
    Ok(())
}

/// A page and a commit in turns, so that whatever else the machine does befalls both alike.
fn alternating(env: &Env, dir: &Path) -> Result<()> {
    let len = 64 << 20;
    let path = dir.join("alternating-disk");
    let log = env.fs.create_log(&path, len, LogMode::Durable)?;
    log.prepare(0, 64 << 20)?;
    log.sync()?;
    let mut page = AlignedBuf::new();
    page.extend_from_slice(&[7; VALUE_SIZE]);
    page.pad_to_page();
    let db = Db::open(env.clone(), &dir.join("alternating"), Options::default())?;
    let (mut pages, mut commits) = (Vec::new(), Vec::new());
    let end = env.clock.monotonic() + 2 * RUN;
    for number in 0..len / page.len() as u64 {
        let start = env.clock.monotonic();
        if start >= end {
            break;
        }
        log.write(&page, number * page.len() as u64)?;
        let between = env.clock.monotonic();
        let mut batch = Batch::new();
        let key = Key::new(KeyspaceId(1), b"alternating", &number.to_be_bytes());
        batch.put(key, vec![7; VALUE_SIZE]);
        db.write(batch)?.wait()?;
        pages.push(between - start);
        commits.push(env.clock.monotonic() - between);
    }
    db.close()?;
    report("in turns: disk, one page", &mut pages, "");
    report("in turns: one commit", &mut commits, "");
    Ok(())
}

fn commits(env: &Env, dir: &Path, durability: Durability, committers: usize) -> Result<()> {
    let options = Options {
        durability,
        memtable_size: 1 << 30,
        ..Options::default()
    };
    let db = Db::open(env.clone(), dir, options)?;
    let all = Mutex::new(Vec::new());
    let start = env.clock.monotonic();
    std::thread::scope(|scope| {
        for committer in 0..committers {
            let (db, all) = (&db, &all);
            scope.spawn(move || {
                let times = commit_for(db, committer as u64, start + RUN);
                if let (Ok(mut all), Ok(times)) = (all.lock(), times) {
                    all.extend(times);
                }
            });
        }
    });
    let elapsed = env.clock.monotonic() - start;
    let statistics = db.statistics();
    db.close()?;
    let mut times = all.into_inner().unwrap_or_default();
    let per_second = times.len() as f64 / elapsed.as_secs_f64();
    let syncs = statistics.wal_groups as f64 / statistics.commits as f64;
    let details = format!("{per_second:.0}/s, {syncs:.3} groups per commit");
    report(
        &format!("{durability:?}, {committers} committers"),
        &mut times,
        &details,
    );
    Ok(())
}

fn commit_for(db: &Db, committer: u64, end: Duration) -> Result<Vec<Duration>> {
    let clock = &db.env().clock;
    let mut times = Vec::new();
    for number in 0_u64.. {
        let start = clock.monotonic();
        if start >= end {
            break;
        }
        let mut batch = Batch::new();
        let key = Key::new(
            KeyspaceId(1),
            &committer.to_be_bytes(),
            &number.to_be_bytes(),
        );
        batch.put(key, vec![7; VALUE_SIZE]);
        db.write(batch)?.wait()?;
        times.push(clock.monotonic() - start);
    }
    Ok(times)
}

fn open(env: &Env, dir: &Path) -> Result<()> {
    let mut times = Vec::new();
    let mut first_commits = Vec::new();
    for number in 0..50 {
        let start = env.clock.monotonic();
        let db = Db::open(
            env.clone(),
            &dir.join(format!("open-{number}")),
            Options::default(),
        )?;
        times.push(env.clock.monotonic() - start);
        let mut batch = Batch::new();
        batch.put(Key::new(KeyspaceId(1), b"first", b""), "value");
        db.write(batch)?.wait()?;
        first_commits.push(env.clock.monotonic() - start);
        db.close()?;
    }
    report("open an empty directory", &mut times, "");
    report("the same, and one commit", &mut first_commits, "");
    Ok(())
}

fn report(name: &str, times: &mut [Duration], details: &str) {
    times.sort_unstable();
    let at = |part: f64| {
        let index = (times.len() as f64 * part) as usize;
        times
            .get(index.min(times.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{name:40} p50 {:6} p99 {:6} p99.9 {:6} max {:6}  {details}",
        at(0.5).as_micros(),
        at(0.99).as_micros(),
        at(0.999).as_micros(),
        at(1.0).as_micros(),
    );
}
