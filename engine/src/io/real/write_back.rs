//! Telling the system to write dirty pages of a file to the disk, long before they are synced.
#![expect(unsafe_code, reason = "sync_file_range is in no library that wraps it")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// What is to be done with a range of a file.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// Begin to write out what is dirty, and do not wait for it.
    Begin,
    /// Wait until what was begun is written. Not a sync: neither metadata nor the disk's own cache is
    /// flushed.
    Wait,
}

/// Does it. File systems that do not know it are left to write when they like.
pub(super) fn write_back(file: &File, offset: u64, len: u64, step: Step) -> io::Result<()> {
    let (Ok(offset), Ok(len)) = (i64::try_from(offset), i64::try_from(len)) else {
        return Ok(());
    };
    let flags = match step {
        Step::Begin => libc::SYNC_FILE_RANGE_WRITE,
        Step::Wait => libc::SYNC_FILE_RANGE_WAIT_BEFORE,
    };
    // SAFETY: the call takes numbers only; the descriptor is open for as long as `file` is borrowed.
    let result = unsafe { libc::sync_file_range(file.as_raw_fd(), offset, len, flags) };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EINVAL | libc::ESPIPE | libc::EOPNOTSUPP | libc::EPERM) => Ok(()),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn ranges_with_and_without_dirty_pages_are_fine() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 100_000]).unwrap();
        for step in [Step::Begin, Step::Wait, Step::Begin] {
            write_back(&file, 0, 65_536, step).unwrap();
            write_back(&file, 1 << 40, 1 << 20, step).unwrap();
            write_back(&file, u64::MAX, 1, step).unwrap();
        }
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let (_reader, writer) = io::pipe().unwrap();
        let pipe = File::from(std::os::fd::OwnedFd::from(writer));
        write_back(&pipe, 0, 4_096, Step::Begin).unwrap();
    }
}
