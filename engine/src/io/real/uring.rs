//! Writes through io_uring: the write, and the sync behind it where one is wanted, in one system call.
//!
//! A [`Ring`] belongs to one caller at a time ([`Rings`] hands them out) and has nothing in flight
//! between two calls. What the kernel reads from is the ring's own buffer and never the caller's: so
//! it lives until the kernel is done with it, whatever becomes of the caller, at the price of a copy,
//! which is small beside the write itself.
#![expect(
    unsafe_code,
    reason = "the kernel reads from memory whose address is all that it is given"
)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

use io_uring::types::{Fd, FsyncFlags};
use io_uring::{IoUring, Probe, opcode, squeue};
use parking_lot::Mutex;

use crate::io::AlignedBuf;

/// A write and the sync behind it.
const ENTRIES: u32 = 2;

/// Bytes of one write; more are several. Bounds the buffer that a ring keeps.
const MAX_WRITE: usize = 1 << 20;

/// What is to be done behind a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing: the file's flags make the write durable, or nobody needs it to be.
    Nothing,
    /// `fdatasync`.
    Sync,
}

/// Which of the two has failed, and how.
#[derive(Debug)]
pub(super) struct Failed {
    /// "write" or "sync".
    pub(super) operation: &'static str,
    pub(super) error: io::Error,
}

impl Failed {
    fn write(error: io::Error) -> Failed {
        Failed {
            operation: "write",
            error,
        }
    }

    fn sync(error: io::Error) -> Failed {
        Failed {
            operation: "sync",
            error,
        }
    }
}

/// Rings that nobody uses at the moment. There are never more than there were callers at once.
pub(super) struct Rings {
    idle: Mutex<Vec<Ring>>,
}

impl Rings {
    /// Fails where the kernel has no io_uring (ENOSYS), where it is denied (EPERM), as in most
    /// containers, or where it lacks an operation that is needed.
    pub(super) fn new() -> io::Result<Rings> {
        Ok(Rings {
            idle: Mutex::new(vec![Ring::new()?]),
        })
    }

    /// Writes all of `bytes`, and does what is to be done behind them.
    pub(super) fn write(
        &self,
        file: &File,
        bytes: &[u8],
        offset: u64,
        then: Then,
    ) -> Result<(), Failed> {
        let idle = self.idle.lock().pop();
        let mut ring = match idle {
            Some(ring) => ring,
            None => Ring::new().map_err(Failed::write)?,
        };
        let result = ring.write(file, bytes, offset, then);
        if !ring.lost {
            self.idle.lock().push(ring);
        }
        result
    }
}

/// One queue to the kernel, and the buffer of its writes.
struct Ring {
    ring: IoUring,
    buffer: AlignedBuf,
    /// The kernel could not be asked what became of the last operations.
    lost: bool,
}

impl Ring {
    fn new() -> io::Result<Ring> {
        let ring = IoUring::new(ENTRIES)?;
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        let needed = [opcode::Write::CODE, opcode::Fsync::CODE];
        if !needed.into_iter().all(|code| probe.is_supported(code)) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(Ring {
            ring,
            buffer: AlignedBuf::new(),
            lost: false,
        })
    }

    fn write(&mut self, file: &File, bytes: &[u8], offset: u64, then: Then) -> Result<(), Failed> {
        let mut rest = bytes;
        let mut at = offset;
        loop {
            let (part, behind) = rest.split_at(rest.len().min(MAX_WRITE));
            let sync = then == Then::Sync && behind.is_empty();
            let (wrote, synced) = self.write_part(file, part, at, sync)?;
            let (_, unwritten) = rest.split_at_checked(wrote).unwrap_or_default();
            (rest, at) = (unwritten, at + wrote as u64);
            match (rest.is_empty(), synced) {
                // A write that was cut short takes the sync that is linked to it with it.
                (false, _) if wrote == 0 && !part.is_empty() => {
                    return Err(Failed::write(io::ErrorKind::WriteZero.into()));
                }
                (false, _) => {}
                (true, None) => return Ok(()),
                (true, Some(result)) => return result.map_err(Failed::sync),
            }
        }
    }

    /// Writes a part, and syncs if all of it was written. Answers how much was written, and what
    /// became of the sync if there was to be one.
    fn write_part(
        &mut self,
        file: &File,
        part: &[u8],
        offset: u64,
        sync: bool,
    ) -> Result<(usize, Option<io::Result<()>>), Failed> {
        self.buffer.clear();
        self.buffer.extend_from_slice(part);
        let fd = Fd(file.as_raw_fd());
        // At most MAX_WRITE.
        let len = u32::try_from(part.len()).unwrap_or(u32::MAX);
        let write = opcode::Write::new(fd, self.buffer.as_slice().as_ptr(), len)
            .offset(offset)
            .build()
            .user_data(0);
        let fsync = opcode::Fsync::new(fd)
            .flags(FsyncFlags::DATASYNC)
            .build()
            .user_data(1);
        let both = [write.clone().flags(squeue::Flags::IO_LINK), fsync];
        let entries: &[squeue::Entry] = if sync { &both } else { &[write] };
        let [wrote, synced] = self.run(entries).map_err(Failed::write)?;
        let wrote = match answer(wrote) {
            Ok(wrote) => wrote,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(Failed::write(error)),
        };
        Ok((wrote, sync.then(|| answer(synced).map(|_| ()))))
    }

    /// Has the kernel do up to two operations, and returns when it has: their results by their user
    /// data, which are 0 and 1.
    fn run(&mut self, entries: &[squeue::Entry]) -> io::Result<[i32; 2]> {
        if self.lost {
            return Err(io::Error::other("an earlier operation was lost"));
        }
        // SAFETY: the entries name a file, which the caller holds open until this returns, and the
        // bytes of `self.buffer`. Those are neither moved nor freed nor written to while the kernel
        // may read them: this returns `Ok` only when every operation has completed, and in any other
        // case gives the buffer up for good (`lose`), as does an unwinding that begins in here, of
        // which there is none: nothing below panics.
        let pushed = unsafe { self.ring.submission().push_multiple(entries) };
        if pushed.is_err() {
            // Nothing is in the queue between two calls, so that this is a mistake of this module.
            self.lose();
            return Err(io::Error::other("the queue is full"));
        }
        let mut results = [0; 2];
        let mut completed = 0;
        while completed < entries.len() {
            match self.ring.submit_and_wait(entries.len() - completed) {
                Ok(_) => {}
                Err(error) if is_transient(&error) => {}
                Err(error) => {
                    self.lose();
                    return Err(error);
                }
            }
            for completion in self.ring.completion() {
                if let Some(result) = usize::try_from(completion.user_data())
                    .ok()
                    .and_then(|number| results.get_mut(number))
                {
                    *result = completion.result();
                }
                completed += 1;
            }
        }
        Ok(results)
    }

    /// Leaves the buffer to the kernel, which may still read it, and the ring unused.
    fn lose(&mut self) {
        self.lost = true;
        std::mem::forget(std::mem::take(&mut self.buffer));
    }
}

/// A result of the kernel: bytes, or an error number.
fn answer(result: i32) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result))
}

/// Whether waiting is to be tried again: a signal came, or the kernel is out of memory for requests
/// until some complete.
fn is_transient(error: &io::Error) -> bool {
    let transient = [
        rustix::io::Errno::INTR,
        rustix::io::Errno::AGAIN,
        rustix::io::Errno::BUSY,
    ];
    transient
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests look at the files past the seam"
)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;

    /// `None` where the machine that runs the tests denies io_uring, which is fine.
    fn rings() -> Option<Rings> {
        Rings::new()
            .inspect_err(|error| eprintln!("no io_uring here, nothing is tested: {error}"))
            .ok()
    }

    #[test]
    fn writes_of_any_size_arrive() {
        let Some(rings) = rings() else { return };
        let mut expected = Vec::new();
        let mut file = tempfile::tempfile().unwrap();
        for (size, then) in [
            (0, Then::Nothing),
            (0, Then::Sync),
            (1, Then::Sync),
            (MAX_WRITE, Then::Nothing),
            (MAX_WRITE + 1, Then::Sync),
            (3 * MAX_WRITE + 7, Then::Sync),
        ] {
            let part: Vec<u8> = (0..size).map(|i| (i * 31 + size) as u8).collect();
            rings
                .write(&file, &part, expected.len() as u64, then)
                .unwrap();
            expected.extend_from_slice(&part);
        }
        let mut found = Vec::new();
        file.read_to_end(&mut found).unwrap();
        assert!(found == expected);
    }

    #[test]
    fn failures_say_what_has_failed_and_the_ring_goes_on() {
        let Some(rings) = rings() else { return };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"as it was").unwrap();
        let read_only = File::open(&path).unwrap();
        for then in [Then::Nothing, Then::Sync] {
            let failed = rings.write(&read_only, b"x", 0, then).unwrap_err();
            assert_eq!(failed.operation, "write");
            assert_eq!(
                failed.error.raw_os_error(),
                Some(rustix::io::Errno::BADF.raw_os_error())
            );
        }
        let (_reader, writer) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(writer));
        let failed = rings.write(&pipe, b"x", 0, Then::Sync).unwrap_err();
        assert_eq!(failed.operation, "sync", "{failed:?}");
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        rings.write(&file, b"is", 3, Then::Sync).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"as is was");
    }

    #[test]
    fn full_disks_are_told_from_failed_syncs() {
        let Some(rings) = rings() else { return };
        let Ok(full) = std::fs::OpenOptions::new()
            .write(true)
            .custom_flags(0)
            .open("/dev/full")
        else {
            return;
        };
        let failed = rings.write(&full, b"x", 0, Then::Sync).unwrap_err();
        assert_eq!(failed.operation, "write");
        assert_eq!(failed.error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn many_threads_share_the_rings() {
        let Some(rings) = rings() else { return };
        let file = tempfile::tempfile().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8_u8 {
                let (rings, file) = (&rings, &file);
                scope.spawn(move || {
                    for round in 0..50_u64 {
                        let offset = (round * 8 + u64::from(thread)) * 512;
                        rings
                            .write(file, &[thread + 1; 512], offset, Then::Nothing)
                            .unwrap();
                    }
                });
            }
        });
        assert!(rings.idle.lock().len() <= 8);
        let mut found = Vec::new();
        (&file).read_to_end(&mut found).unwrap();
        for (number, sector) in found.chunks(512).enumerate() {
            assert!(
                sector
                    .iter()
                    .all(|byte| usize::from(*byte) == number % 8 + 1)
            );
        }
        assert_eq!(found.len(), 8 * 50 * 512);
    }
}
