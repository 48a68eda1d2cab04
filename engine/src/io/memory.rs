//! Files in memory: what `--in-memory` runs on. The same engine, with nothing to sync.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use super::{AlignedBuf, DirEntry, File, Fs, LockGuard, LogFile, LogMode};
use crate::error::{Error, Result};

/// A file system that lives as long as the last reference to it.
#[derive(Default)]
pub struct MemoryFs {
    files: Mutex<BTreeMap<PathBuf, Arc<MemoryFile>>>,
    locks: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl MemoryFs {
    /// An empty file system.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn create_file(&self, path: &Path) -> Result<Arc<MemoryFile>> {
        let mut files = self.files.lock();
        if files.contains_key(path) {
            return Err(Error::io(
                "create",
                path,
                io::ErrorKind::AlreadyExists.into(),
            ));
        }
        let file = Arc::new(MemoryFile {
            path: path.to_path_buf(),
            bytes: RwLock::default(),
        });
        files.insert(path.to_path_buf(), Arc::clone(&file));
        Ok(file)
    }
}

fn not_found(operation: &'static str, path: &Path) -> Error {
    Error::io(operation, path, io::ErrorKind::NotFound.into())
}

impl Fs for MemoryFs {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        Ok(self.create_file(path)?)
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        match self.files.lock().get(path) {
            Some(file) => Ok(Arc::clone(file) as Arc<dyn File>),
            None => Err(not_found("open", path)),
        }
    }

    fn create_log(&self, path: &Path, _len: u64, _mode: LogMode) -> Result<Arc<dyn LogFile>> {
        Ok(self.create_file(path)?)
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>> {
        let files = self.files.lock();
        let inside = files.iter().filter(|(path, _)| path.parent() == Some(dir));
        Ok(inside
            .filter_map(|(path, file)| {
                let name = path.file_name()?.to_str()?.to_owned();
                Some(DirEntry {
                    name,
                    len: file.bytes.read().len() as u64,
                })
            })
            .collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let mut files = self.files.lock();
        let file = files
            .remove(from)
            .ok_or_else(|| not_found("rename", from))?;
        files.insert(to.to_path_buf(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        match self.files.lock().remove(path) {
            Some(_) => Ok(()),
            None => Err(not_found("remove", path)),
        }
    }

    fn create_dir_all(&self, _dir: &Path) -> Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> Result<()> {
        Ok(())
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn LockGuard>> {
        NamedLock::take(&self.locks, path)
    }
}

/// A lock of a path within one process.
pub(super) struct NamedLock {
    locks: Arc<Mutex<BTreeSet<PathBuf>>>,
    path: PathBuf,
}

impl NamedLock {
    pub(super) fn take(
        locks: &Arc<Mutex<BTreeSet<PathBuf>>>,
        path: &Path,
    ) -> Result<Box<dyn LockGuard>> {
        if !locks.lock().insert(path.to_path_buf()) {
            return Err(Error::Locked {
                path: path.to_path_buf(),
            });
        }
        Ok(Box::new(NamedLock {
            locks: Arc::clone(locks),
            path: path.to_path_buf(),
        }))
    }
}

impl LockGuard for NamedLock {}

impl Drop for NamedLock {
    fn drop(&mut self) {
        self.locks.lock().remove(&self.path);
    }
}

struct MemoryFile {
    path: PathBuf,
    bytes: RwLock<Vec<u8>>,
}

impl File for MemoryFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        Ok(copy_at(&self.bytes.read(), buf, offset))
    }

    fn read_exact_at_cached(&self, buf: &mut [u8], offset: u64) -> Result<bool> {
        self.read_exact_at(buf, offset)?;
        Ok(true)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        write_into(&mut self.bytes.write(), buf, offset);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> Result<()> {
        Ok(())
    }

    fn len(&self) -> Result<u64> {
        Ok(self.bytes.read().len() as u64)
    }

    fn map(&self, offset: u64, len: usize) -> Result<Bytes> {
        let mut copy = vec![0; len];
        self.read_exact_at(&mut copy, offset)?;
        Ok(copy.into())
    }
}

impl LogFile for MemoryFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn prepare(&self, _offset: u64, _len: usize) -> Result<()> {
        // Writing zeros ahead makes syncs cheap, and there are none.
        Ok(())
    }

    fn write(&self, buf: &AlignedBuf, offset: u64) -> Result<()> {
        self.write_at(buf.as_slice(), offset)
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }
}

/// Copies what `bytes` has from `offset` on into `buf`; returns how much that was.
pub(super) fn copy_at(bytes: &[u8], buf: &mut [u8], offset: u64) -> usize {
    let from = usize::try_from(offset)
        .ok()
        .and_then(|start| bytes.get(start..));
    let from = from.unwrap_or_default();
    let len = from.len().min(buf.len());
    if let (Some(to), Some(from)) = (buf.get_mut(..len), from.get(..len)) {
        to.copy_from_slice(from);
    }
    len
}

/// Writes `buf` into `bytes` at `offset`, with zeros before it if there was nothing yet.
pub(super) fn write_into(bytes: &mut Vec<u8>, buf: &[u8], offset: u64) {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let end = start.saturating_add(buf.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if let Some(to) = bytes.get_mut(start..end) {
        to.copy_from_slice(buf);
    }
}
