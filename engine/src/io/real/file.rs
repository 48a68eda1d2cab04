//! A file of the operating system.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::io::File;
use crate::io::real::uring::{Rings, Then};

/// An open file.
pub(super) struct RealFile {
    file: fs::File,
    path: PathBuf,
    /// For writes that are synced at once, if that goes through io_uring.
    rings: Option<Arc<Rings>>,
}

impl RealFile {
    pub(super) fn new(file: fs::File, path: &Path, rings: Option<Arc<Rings>>) -> Self {
        RealFile {
            rings,
            file,
            path: path.to_path_buf(),
        }
    }
}

impl File for RealFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let mut read = 0;
        while let Some(rest) = buf.get_mut(read..)
            && !rest.is_empty()
        {
            match self.file.read_at(rest, offset + read as u64) {
                Ok(0) => break,
                Ok(count) => read += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", &self.path, error)),
            }
        }
        Ok(read)
    }

    fn read_exact_at_cached(&self, buf: &mut [u8], offset: u64) -> Result<bool> {
        read_cached(&self.file, buf, offset).map_err(|error| Error::io("read", &self.path, error))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        self.file
            .write_all_at(buf, offset)
            .map_err(|error| Error::io("write", &self.path, error))
    }

    fn sync(&self) -> Result<()> {
        self.file
            .sync_data()
            .map_err(|error| Error::io("sync", &self.path, error))
    }

    fn write_at_and_sync(&self, buf: &[u8], offset: u64) -> Result<()> {
        match &self.rings {
            Some(rings) => rings
                .write(&self.file, buf, offset, Then::Sync)
                .map_err(|failed| Error::io(failed.operation, &self.path, failed.error)),
            None => {
                self.write_at(buf, offset)?;
                self.sync()
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn write_back(&self, from: u64, to: u64) -> Result<()> {
        use super::write_back::{Step, write_back};
        let len = to.saturating_sub(from);
        let before = from.saturating_sub(len);
        // A range of no bytes would mean all that follows.
        if len == 0 {
            return Ok(());
        }
        let waited = match from > before {
            true => write_back(&self.file, before, from - before, Step::Wait),
            false => Ok(()),
        };
        waited
            .and_then(|()| write_back(&self.file, from, len, Step::Begin))
            .map_err(|error| Error::io("sync", &self.path, error))
    }

    fn sync_all(&self) -> Result<()> {
        self.file
            .sync_all()
            .map_err(|error| Error::io("sync", &self.path, error))
    }

    fn len(&self) -> Result<u64> {
        let metadata = self
            .file
            .metadata()
            .map_err(|error| Error::io("stat", &self.path, error))?;
        Ok(metadata.len())
    }

    fn map(&self, offset: u64, len: usize) -> Result<Bytes> {
        super::map::map(&self.file, offset, len)
            .map_err(|error| Error::io("map", &self.path, error))
    }
}

/// Reads what the page cache has. A short read and a file system that can't tell both mean that the
/// caller would have to wait.
#[cfg(target_os = "linux")]
fn read_cached(file: &fs::File, buf: &mut [u8], offset: u64) -> std::io::Result<bool> {
    use rustix::io::{Errno, ReadWriteFlags};
    let len = buf.len();
    let mut slices = [std::io::IoSliceMut::new(buf)];
    match rustix::io::preadv2(file, &mut slices, offset, ReadWriteFlags::NOWAIT) {
        Ok(read) => Ok(read == len),
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::INTR | Errno::NOSYS | Errno::INVAL) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// Elsewhere nobody can tell whether a read would wait.
#[cfg(not(target_os = "linux"))]
fn read_cached(_: &fs::File, _: &mut [u8], _: u64) -> std::io::Result<bool> {
    Ok(false)
}
