//! How long opening takes with 256 MiB of log to replay, in time and in processor time: what is in the
//! log is read, checked, sorted, and written into SSTables that are synced.
//!
//! `cargo bench -p stator-benches --bench recovery [-- DIR]`

use std::path::{Path, PathBuf};
use std::time::Duration;

use stator_engine::{Batch, Db, Durability, Env, Key, KeyspaceId, Options, Result};

const LOG_SIZE: usize = 256 << 20;
const VALUE_SIZE: usize = 1024;
const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let dir = std::env::args()
        .skip(1)
        // cargo adds one of its own.
        .find(|argument| argument != "--bench")
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = dir.join(format!("stator-recovery-{}", std::process::id()));
    let env = Env::real();
    println!("{LOG_SIZE} B of log, {VALUE_SIZE} B values; times in ms");
    for round in 0..ROUNDS {
        let dir = dir.join(round.to_string());
        fill(&env, &dir)?;
        forget_pages(&dir);
        let (start, used) = (env.clock.monotonic(), processor_time());
        let db = Db::open(env.clone(), &dir, Options::default())?;
        let (took, used) = (env.clock.monotonic() - start, processor_time() - used);
        println!(
            "open {:6}  of the processor {:6}",
            took.as_millis(),
            used.as_millis()
        );
        db.close()?;
        let _ = std::fs::remove_dir_all(&dir);
    }
    let _ = std::fs::remove_dir(&dir);
    Ok(())
}

/// Leaves a log of which nothing is in SSTables. The values do not compress.
fn fill(env: &Env, dir: &Path) -> Result<()> {
    let options = Options {
        durability: Durability::Interval(Duration::from_millis(100)),
        memtable_size: 4 * LOG_SIZE,
        ..Options::default()
    };
    let db = Db::open(env.clone(), dir, options)?;
    let mut random = 1_u64;
    for number in 0..(LOG_SIZE / VALUE_SIZE) as u64 {
        let value: Vec<u8> = std::iter::repeat_with(|| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random.to_le_bytes()
        })
        .take(VALUE_SIZE / 8)
        .flatten()
        .collect();
        let mut batch = Batch::new();
        let partition = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
        batch.put(Key::new(KeyspaceId(1), &partition, b"sort key"), value);
        db.write(batch)?.wait()?;
    }
    db.close()
}

/// Has the system forget what it has of the files, so that they are read from the disk.
fn forget_pages(dir: &Path) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let mut of = std::ffi::OsString::from("of=");
        of.push(entry.path());
        let _without_it_they_are_read_from_memory = std::process::Command::new("dd")
            .arg("if=/dev/null")
            .arg(of)
            .args(["oflag=nocache", "conv=notrunc,fdatasync", "count=0"])
            .stderr(std::process::Stdio::null())
            .status();
    }
}

/// What this process has had of the processors, by Linux's account in hundredths of a second.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = behind_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|number| number.parse::<u64>().ok())
        .sum();
    Duration::from_millis(10 * ticks)
}
