//! A disk that knows what was synced.
//!
//! Each file has the contents that its readers see, and those that would survive a crash; each
//! directory the names that its readers see, and those that would survive. Unsynced writes are kept
//! as a list, one by one, since later faults are about keeping some of them.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, Result};
use crate::io::memory::{NamedLock, copy_at, write_into};
use crate::io::{AlignedBuf, DirEntry, File, Fs, LockGuard, LogFile, LogMode};

/// The disk of a simulated machine.
#[derive(Clone, Default)]
pub(super) struct SimulatedFs {
    /// It is dead once the disk has come to a later one.
    life: u64,
    disk: Arc<Mutex<Disk>>,
}

#[derive(Default)]
struct Disk {
    /// Counts the crashes. What was handed out before the last one is dead.
    life: u64,
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    /// Names as they are seen.
    names: BTreeMap<PathBuf, Node>,
    /// Names as they would be after a crash.
    synced_names: BTreeMap<PathBuf, Node>,
    /// Paths that are locked in this life.
    locks: Arc<Mutex<BTreeSet<PathBuf>>>,
    operations: u64,
    /// The operation from which on the disk fails.
    crash_at: Option<u64>,
    trace: Xxh3,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    File(u64),
    Directory,
}

#[derive(Default)]
struct Inode {
    /// What readers see.
    contents: Vec<u8>,
    /// What would survive a crash.
    synced: Vec<u8>,
    /// The writes that lie between the two, in order.
    pending: Vec<Write>,
}

struct Write {
    offset: u64,
    bytes: Vec<u8>,
}

impl Inode {
    fn write(&mut self, bytes: &[u8], offset: u64) {
        write_into(&mut self.contents, bytes, offset);
        self.pending.push(Write {
            offset,
            bytes: bytes.to_vec(),
        });
    }

    fn sync(&mut self) {
        for write in self.pending.drain(..) {
            write_into(&mut self.synced, &write.bytes, write.offset);
        }
    }
}

impl Disk {
    /// Counts an operation, adds it to the trace, and fails it if the plug was pulled.
    fn operation(&mut self, name: &'static str, path: &Path, details: &[u8]) -> Result<()> {
        self.operations += 1;
        if self.crash_at.is_some_and(|at| self.operations >= at) {
            return Err(Error::io(
                name,
                path,
                io::Error::other("the simulated machine crashed"),
            ));
        }
        self.trace.write(name.as_bytes());
        self.trace.write(path.as_os_str().as_encoded_bytes());
        self.trace.write(&(details.len() as u64).to_le_bytes());
        self.trace.write(details);
        Ok(())
    }

    fn create(&mut self, path: &Path) -> Result<u64> {
        self.operation("create", path, &[])?;
        if self.names.contains_key(path) {
            return Err(Error::io(
                "create",
                path,
                io::ErrorKind::AlreadyExists.into(),
            ));
        }
        if path
            .parent()
            .is_some_and(|parent| !self.is_directory(parent))
        {
            return Err(Error::io("create", path, io::ErrorKind::NotFound.into()));
        }
        self.next_inode += 1;
        self.inodes.insert(self.next_inode, Inode::default());
        self.names
            .insert(path.to_path_buf(), Node::File(self.next_inode));
        Ok(self.next_inode)
    }

    fn file(&self, operation: &'static str, path: &Path) -> Result<u64> {
        match self.names.get(path) {
            Some(Node::File(inode)) => Ok(*inode),
            _ => Err(Error::io(operation, path, io::ErrorKind::NotFound.into())),
        }
    }

    fn is_directory(&self, path: &Path) -> bool {
        path.parent().is_none()
            || path.as_os_str().is_empty()
            || self.names.get(path) == Some(&Node::Directory)
    }

    fn crash(&mut self) {
        self.life += 1;
        self.crash_at = None;
        self.locks = Arc::default();
        // A name in a directory whose own name is lost is lost too.
        let synced = std::mem::take(&mut self.synced_names);
        self.names = BTreeMap::new();
        for (path, node) in synced {
            if path
                .parent()
                .is_some_and(|parent| self.is_directory(parent))
            {
                self.names.insert(path, node);
            }
        }
        self.synced_names = self.names.clone();
        let named: BTreeSet<u64> = self
            .names
            .values()
            .filter_map(|node| match node {
                Node::File(inode) => Some(*inode),
                Node::Directory => None,
            })
            .collect();
        self.inodes.retain(|inode, _| named.contains(inode));
        for inode in self.inodes.values_mut() {
            inode.pending.clear();
            inode.contents.clone_from(&inode.synced);
        }
    }
}

impl SimulatedFs {
    /// The file system for those who begin now.
    pub(super) fn of_this_life(&self) -> SimulatedFs {
        SimulatedFs {
            life: self.disk.lock().life,
            ..self.clone()
        }
    }

    /// The disk, unless it has crashed since this was handed out.
    fn disk(&self, operation: &'static str, path: &Path) -> Result<MutexGuard<'_, Disk>> {
        let disk = self.disk.lock();
        if disk.life != self.life {
            return Err(dead(operation, path));
        }
        Ok(disk)
    }

    pub(super) fn crash(&self) {
        self.disk.lock().crash();
    }

    pub(super) fn crash_after(&self, operations: u64) {
        let mut disk = self.disk.lock();
        disk.crash_at = Some(disk.operations + operations);
    }

    pub(super) fn operations(&self) -> u64 {
        self.disk.lock().operations
    }

    pub(super) fn trace(&self) -> u64 {
        self.disk.lock().trace.digest()
    }

    pub(super) fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        let mut disk = self.disk.lock();
        let inode = disk.file("open", path)?;
        if let Some(inode) = disk.inodes.get_mut(&inode) {
            inode.sync();
            change(&mut inode.contents);
            inode.synced.clone_from(&inode.contents);
        }
        Ok(())
    }

    fn handle(&self, path: &Path, inode: u64, life: u64) -> Arc<SimulatedFile> {
        let disk = Arc::clone(&self.disk);
        Arc::new(SimulatedFile {
            path: path.to_path_buf(),
            inode,
            life,
            mode: LogMode::Buffered,
            disk,
        })
    }
}

impl Fs for SimulatedFs {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        let mut disk = self.disk("create", path)?;
        let inode = disk.create(path)?;
        Ok(self.handle(path, inode, disk.life))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        let mut disk = self.disk("open", path)?;
        disk.operation("open", path, &[])?;
        let inode = disk.file("open", path)?;
        Ok(self.handle(path, inode, disk.life))
    }

    fn create_log(&self, path: &Path, _len: u64, mode: LogMode) -> Result<Arc<dyn LogFile>> {
        let mut disk = self.disk("create", path)?;
        let inode = disk.create(path)?;
        let (path, life) = (path.to_path_buf(), disk.life);
        Ok(Arc::new(SimulatedFile {
            path,
            inode,
            life,
            mode,
            disk: Arc::clone(&self.disk),
        }))
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>> {
        let mut disk = self.disk("list", dir)?;
        disk.operation("list", dir, &[])?;
        let mut entries = Vec::new();
        for (path, node) in &disk.names {
            let Node::File(inode) = node else { continue };
            let name = path.file_name().and_then(|name| name.to_str());
            let (Some(name), true) = (name, path.parent() == Some(dir)) else {
                continue;
            };
            let len = disk
                .inodes
                .get(inode)
                .map_or(0, |inode| inode.contents.len() as u64);
            entries.push(DirEntry {
                name: name.to_owned(),
                len,
            });
        }
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let mut disk = self.disk("rename", from)?;
        disk.operation("rename", from, to.as_os_str().as_encoded_bytes())?;
        let inode = disk.file("rename", from)?;
        disk.names.remove(from);
        disk.names.insert(to.to_path_buf(), Node::File(inode));
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let mut disk = self.disk("remove", path)?;
        disk.operation("remove", path, &[])?;
        disk.file("remove", path)?;
        disk.names.remove(path);
        Ok(())
    }

    fn create_dir_all(&self, dir: &Path) -> Result<()> {
        let mut disk = self.disk("create", dir)?;
        disk.operation("create", dir, &[])?;
        for at in dir.ancestors().filter(|at| at.parent().is_some()) {
            if !at.as_os_str().is_empty() {
                disk.names.insert(at.to_path_buf(), Node::Directory);
                disk.synced_names.insert(at.to_path_buf(), Node::Directory);
            }
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        let mut disk = self.disk("sync", dir)?;
        disk.operation("sync", dir, &[])?;
        disk.synced_names
            .retain(|path, _| path.parent() != Some(dir));
        let inside: Vec<_> = disk
            .names
            .iter()
            .filter(|(path, _)| path.parent() == Some(dir))
            .map(|(path, node)| (path.clone(), *node))
            .collect();
        disk.synced_names.extend(inside);
        Ok(())
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn LockGuard>> {
        NamedLock::take(&self.disk("lock", path)?.locks, path)
    }
}

fn dead(operation: &'static str, path: &Path) -> Error {
    let crashed = io::Error::other("the simulated machine has crashed since this was opened");
    Error::io(operation, path, crashed)
}

struct SimulatedFile {
    path: PathBuf,
    inode: u64,
    life: u64,
    mode: LogMode,
    disk: Arc<Mutex<Disk>>,
}

impl SimulatedFile {
    /// The disk, after an operation on this file was counted, unless the file is of an earlier life.
    fn disk(&self, operation: &'static str, details: &[u8]) -> Result<MutexGuard<'_, Disk>> {
        let mut disk = self.disk.lock();
        if disk.life != self.life {
            return Err(dead(operation, &self.path));
        }
        disk.operation(operation, &self.path, details)?;
        Ok(disk)
    }

    fn with<T>(
        &self,
        operation: &'static str,
        details: &[u8],
        act: impl FnOnce(&mut Inode) -> T,
    ) -> Result<T> {
        let mut disk = self.disk(operation, details)?;
        match disk.inodes.get_mut(&self.inode) {
            Some(inode) => Ok(act(inode)),
            None => Err(Error::io(
                operation,
                &self.path,
                io::ErrorKind::NotFound.into(),
            )),
        }
    }
}

impl File for SimulatedFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.with("read", &offset.to_le_bytes(), |inode| {
            copy_at(&inode.contents, buf, offset)
        })
    }

    fn read_exact_at_cached(&self, buf: &mut [u8], offset: u64) -> Result<bool> {
        // What was not synced yet is in memory; the rest is as if it had to be fetched.
        let cached = self.with("read", &offset.to_le_bytes(), |inode| {
            !inode.pending.is_empty() && copy_at(&inode.contents, buf, offset) == buf.len()
        })?;
        Ok(cached)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        self.with("write", buf, |inode| inode.write(buf, offset))
    }

    fn sync(&self) -> Result<()> {
        self.with("sync", &[], Inode::sync)
    }

    fn sync_all(&self) -> Result<()> {
        File::sync(self)
    }

    fn len(&self) -> Result<u64> {
        self.with("stat", &[], |inode| inode.contents.len() as u64)
    }

    fn map(&self, offset: u64, len: usize) -> Result<Bytes> {
        let mut copy = vec![0; len];
        self.read_exact_at(&mut copy, offset)?;
        Ok(copy.into())
    }
}

impl LogFile for SimulatedFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn prepare(&self, offset: u64, len: usize) -> Result<()> {
        self.write_at(&vec![0; len], offset)
    }

    fn write(&self, buf: &AlignedBuf, offset: u64) -> Result<()> {
        self.write_at(buf.as_slice(), offset)?;
        match self.mode {
            LogMode::Durable => File::sync(self),
            LogMode::Buffered => Ok(()),
        }
    }

    fn sync(&self) -> Result<()> {
        File::sync(self)
    }
}
