//! The file system of the operating system.
#![expect(clippy::disallowed_methods, reason = "this is the seam")]

use std::fs::{self, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::RealFile;
use super::log::RealLog;
use super::mode::{IoMode, Ways};
use crate::error::{Error, Result};
use crate::io::{DirEntry, File, Fs, LockGuard, LogFile, LogMode, Space};

/// The operating system's files.
pub struct RealFs {
    ways: Ways,
}

impl RealFs {
    /// Fails where the mode asks for what is not to be had here.
    pub fn new(mode: IoMode) -> Result<Self> {
        Ok(RealFs {
            ways: Ways::of(mode)?,
        })
    }

    /// By the system calls that are there everywhere.
    #[must_use]
    pub fn portable() -> Self {
        RealFs {
            ways: Ways::default(),
        }
    }

    fn file(&self, file: fs::File, path: &Path) -> Arc<dyn File> {
        Arc::new(RealFile::new(file, path, self.ways.files.clone()))
    }
}

impl Fs for RealFs {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|error| Error::io("create", path, error))?;
        Ok(self.file(file, path))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| Error::io("open", path, error))?;
        Ok(self.file(file, path))
    }

    fn open_read(&self, path: &Path) -> Result<Arc<dyn File>> {
        let file = fs::File::open(path).map_err(|error| Error::io("open", path, error))?;
        Ok(self.file(file, path))
    }

    fn create_log(&self, path: &Path, len: u64, mode: LogMode) -> Result<Arc<dyn LogFile>> {
        let rings = self.ways.log.clone();
        Ok(Arc::new(RealLog::create(path, len, mode, rings)?))
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>> {
        let failed = |error| Error::io("list", dir, error);
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // Removed since the directory was read.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            // A name that is not Unicode is none of the engine's.
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                entries.push(DirEntry {
                    name,
                    len: metadata.len(),
                });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(|error| Error::io("rename", from, error))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        fs::remove_file(path).map_err(|error| Error::io("remove", path, error))
    }

    fn create_dir_all(&self, dir: &Path) -> Result<()> {
        // From the innermost directory that exists, outwards in: each new name is made durable in
        // its parent before anything is put into it.
        let mut missing: Vec<PathBuf> = Vec::new();
        let mut at = dir;
        while !at.is_dir() {
            missing.push(at.to_path_buf());
            match at.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => at = parent,
                _ => break,
            }
        }
        for new in missing.iter().rev() {
            match fs::create_dir(new) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("create", new, error)),
            }
            match new.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => self.sync_dir(parent)?,
                _ => self.sync_dir(Path::new("."))?,
            }
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        let failed = |error| Error::io("sync", dir, error);
        fs::File::open(dir)
            .map_err(failed)?
            .sync_all()
            .map_err(failed)
    }

    fn space(&self, dir: &Path) -> Result<Option<Space>> {
        let found = rustix::fs::statvfs(dir)
            .map_err(|error| Error::io("ask for the space of", dir, error.into()))?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        // Some file systems (of the network, mostly) do not know.
        Ok((found.f_blocks > 0).then(|| Space {
            free: bytes(found.f_bavail),
            total: bytes(found.f_blocks),
        }))
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn LockGuard>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            // Of a medium that nobody may write to. Who is going to write will find out.
            .or_else(|error| match error.kind() {
                ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => fs::File::open(path),
                _ => Err(error),
            })
            .map_err(|error| Error::io("open", path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(RealLock { _file: file })),
            Err(TryLockError::WouldBlock) => Err(Error::Locked {
                path: path.to_path_buf(),
            }),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", path, error)),
        }
    }

    fn lock_if_there(&self, path: &Path) -> Result<Option<Box<dyn LockGuard>>> {
        match path.is_file() {
            true => self.lock(path).map(Some),
            false => Ok(None),
        }
    }
}

/// The lock goes with the open file: closing it, also by the end of the process, gives it back.
struct RealLock {
    _file: fs::File,
}

impl LockGuard for RealLock {}
