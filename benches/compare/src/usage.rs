//! What the process has taken of the machine: CPU, memory, bytes read and written, room on the disk.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_setaffinity};

use crate::store::Result;

/// Counters of this process at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// CPU of all its threads, in user space and in the kernel.
    pub cpu: Duration,
    /// Bytes that it asked for with read calls, whether the page cache had them or not. What is read
    /// through a memory map or a ring is not in it.
    pub read: u64,
    /// Bytes that it has sent, or will send, to the disk: dirtied pages and direct writes.
    pub written: u64,
}

impl Usage {
    /// Now.
    pub fn now() -> Result<Usage> {
        let io = fs::read_to_string("/proc/self/io")?;
        let field = |name: &str| -> u64 {
            let value = io.lines().find_map(|line| line.strip_prefix(name));
            value.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
        };
        // Pages that were dirtied and whose file was deleted before they were written.
        let cancelled = field("cancelled_write_bytes:");
        Ok(Usage {
            cpu: cpu()?,
            read: field("rchar:"),
            written: field("write_bytes:").saturating_sub(cancelled),
        })
    }

    /// What was taken since an earlier moment.
    pub fn since(&self, before: &Usage) -> Usage {
        Usage {
            cpu: self.cpu.saturating_sub(before.cpu),
            read: self.read.saturating_sub(before.read),
            written: self.written.saturating_sub(before.written),
        }
    }
}

/// CPU of the process so far, in ticks of the scheduler's clock: nanoseconds.
fn cpu() -> Result<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec)?;
    Ok(Duration::new(seconds, u32::try_from(time.tv_nsec)?))
}

/// Forgets the highest memory that the process had so far.
pub fn reset_peak_memory() -> Result<()> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}

/// The highest resident memory since the last reset, in bytes.
pub fn peak_memory() -> Result<u64> {
    memory("VmHWM:")
}

/// The resident memory now, in bytes.
pub fn resident_memory() -> Result<u64> {
    memory("VmRSS:")
}

fn memory(name: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib: u64 = line
        .and_then(|text| text.split_whitespace().next())
        .ok_or("no memory in /proc/self/status")?
        .parse()?;
    Ok(kib << 10)
}

/// Keeps this process, and the threads that it is going to have, on the first so many cores.
pub fn confine(cores: usize) -> Result<()> {
    let mut set = CpuSet::new();
    (0..cores).for_each(|core| set.set(core));
    Ok(sched_setaffinity(None, &set)?)
}

/// Bytes that the files below a directory take on the disk, as far as they are there still.
pub fn stored(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => stored(&entry.path()),
            Ok(metadata) => metadata.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_written_and_stored() {
        let dir = tempfile::tempdir().unwrap();
        let before = Usage::now().unwrap();
        fs::write(dir.path().join("a"), vec![1; 1 << 20]).unwrap();
        let taken = Usage::now().unwrap().since(&before);
        assert!(taken.written >= 1 << 20, "{taken:?}");
        assert!(stored(dir.path()) >= 1 << 20);
        assert!(peak_memory().unwrap() >= resident_memory().unwrap());
    }
}
