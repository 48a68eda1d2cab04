//! The file system of a simulated machine: a [`Disk`] behind the traits that the engine uses.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use super::disk::{Disk, Fate, Inode, Kind, Node};
use super::faults::{FaultCounts, Faults, Kept};
use super::{SimulatedClock, SimulatedRng};
use crate::error::{Error, Result};
use crate::io::memory::{NamedLock, copy_at};
use crate::io::{AlignedBuf, DirEntry, File, Fs, LockGuard, LogFile, LogMode, Space};
use crate::mutants::{Mutant, is_on};

/// The file system, as it is handed out to one process.
#[derive(Clone)]
pub(super) struct SimulatedFs {
    /// It is dead once the disk has come to a later one.
    life: u64,
    disk: Arc<Mutex<Disk>>,
}

impl SimulatedFs {
    /// An empty disk.
    pub(super) fn new(rng: SimulatedRng, clock: Arc<SimulatedClock>) -> Self {
        SimulatedFs {
            life: 0,
            disk: Arc::new(Mutex::new(Disk::new(rng, clock))),
        }
    }

    /// A copy of the disk for another machine.
    pub(super) fn copy(&self, rng: SimulatedRng, clock: Arc<SimulatedClock>) -> Self {
        SimulatedFs {
            life: 0,
            disk: Arc::new(Mutex::new(self.disk.lock().copy(rng, clock))),
        }
    }

    /// The file system for those who begin now.
    pub(super) fn of_this_life(&self) -> SimulatedFs {
        SimulatedFs {
            life: self.disk.lock().life,
            ..self.clone()
        }
    }

    /// The disk, unless the process that this was handed out to has ended since.
    fn disk(&self, operation: &'static str, path: &Path) -> Result<MutexGuard<'_, Disk>> {
        let disk = self.disk.lock();
        if disk.life != self.life {
            return Err(dead(operation, path));
        }
        Ok(disk)
    }

    pub(super) fn crash(&self, kept: Kept) {
        self.disk.lock().crash(kept);
    }

    pub(super) fn kill(&self) {
        self.disk.lock().kill();
    }

    pub(super) fn crash_after(&self, operations: u64) {
        let mut disk = self.disk.lock();
        disk.crash_at = Some(disk.operations + operations);
    }

    pub(super) fn has_crashed(&self) -> bool {
        let disk = self.disk.lock();
        disk.crash_at.is_some_and(|at| disk.operations >= at)
    }

    pub(super) fn operations(&self) -> u64 {
        self.disk.lock().operations
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        self.disk.lock().faults = faults;
    }

    pub(super) fn fault_counts(&self) -> FaultCounts {
        self.disk.lock().counts
    }

    pub(super) fn used(&self) -> u64 {
        self.disk.lock().used()
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

    fn handle(&self, disk: &Disk, path: &Path, inode: u64, mode: LogMode) -> Arc<SimulatedFile> {
        Arc::new(SimulatedFile {
            path: path.to_path_buf(),
            inode,
            life: disk.life,
            mode,
            disk: Arc::clone(&self.disk),
        })
    }
}

impl Fs for SimulatedFs {
    fn create(&self, path: &Path) -> Result<Arc<dyn File>> {
        let mut disk = self.disk("create", path)?;
        let inode = disk.create(path)?;
        Ok(self.handle(&disk, path, inode, LogMode::Buffered))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn File>> {
        let mut disk = self.disk("open", path)?;
        disk.check(Kind::Read, "open", path)?;
        let inode = disk.file("open", path)?;
        Ok(self.handle(&disk, path, inode, LogMode::Buffered))
    }

    fn create_log(&self, path: &Path, _len: u64, mode: LogMode) -> Result<Arc<dyn LogFile>> {
        let mut disk = self.disk("create", path)?;
        let inode = disk.create(path)?;
        if let Some(inode) = disk.inodes.get_mut(&inode) {
            inode.is_log = true;
        }
        Ok(self.handle(&disk, path, inode, mode))
    }

    fn list(&self, dir: &Path) -> Result<Vec<DirEntry>> {
        let mut disk = self.disk("list", dir)?;
        disk.check(Kind::Name, "list", dir)?;
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
        self.disk("rename", from)?.rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.disk("remove", path)?.remove(path)
    }

    fn create_dir_all(&self, dir: &Path) -> Result<()> {
        let mut disk = self.disk("create", dir)?;
        disk.check(Kind::Name, "create", dir)?;
        for at in dir.ancestors().filter(|at| at.parent().is_some()) {
            if !at.as_os_str().is_empty() {
                disk.add_directory(at);
            }
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        let mut disk = self.disk("sync", dir)?;
        disk.check(Kind::Name, "sync", dir)?;
        disk.sync_dir(dir);
        Ok(())
    }

    fn space(&self, dir: &Path) -> Result<Option<Space>> {
        let disk = self.disk("ask for the space of", dir)?;
        let total = disk.faults.capacity;
        Ok(disk
            .room()
            .zip(total)
            .map(|(free, total)| Space { free, total }))
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn LockGuard>> {
        NamedLock::take(&self.disk("lock", path)?.locks, path)
    }
}

fn dead(operation: &'static str, path: &Path) -> Error {
    let ended = io::Error::other("the simulated process that opened this has ended");
    Error::io(operation, path, ended)
}

struct SimulatedFile {
    path: PathBuf,
    inode: u64,
    life: u64,
    mode: LogMode,
    disk: Arc<Mutex<Disk>>,
}

impl SimulatedFile {
    /// The disk, unless the file is of an earlier life.
    fn disk(&self, operation: &'static str) -> Result<MutexGuard<'_, Disk>> {
        let disk = self.disk.lock();
        if disk.life != self.life {
            return Err(dead(operation, &self.path));
        }
        Ok(disk)
    }

    /// Reads, after the operation was counted.
    fn read(&self, operation: &'static str, buf: &mut [u8], offset: u64) -> Result<usize> {
        let mut disk = self.disk(operation)?;
        disk.check(Kind::Read, operation, &self.path)?;
        let len = disk.cut_read(buf.len());
        let inode = disk.inodes.get(&self.inode);
        let buf = buf.get_mut(..len).unwrap_or_default();
        Ok(inode.map_or(0, |inode| copy_at(&inode.contents, buf, offset)))
    }

    fn change(&self, act: impl FnOnce(&mut Inode, u64), disk: &mut Disk) {
        let at = disk.operations;
        if let Some(inode) = disk.inodes.get_mut(&self.inode) {
            act(inode, at);
        }
    }
}

impl File for SimulatedFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.read("read", buf, offset)
    }

    fn read_exact_at_cached(&self, buf: &mut [u8], offset: u64) -> Result<bool> {
        // What was not synced yet is in memory; the rest is as if it had to be fetched.
        let disk = self.disk("read")?;
        let inode = disk.inodes.get(&self.inode);
        Ok(inode.is_some_and(|inode| {
            !inode.pending.is_empty() && copy_at(&inode.contents, buf, offset) == buf.len()
        }))
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> Result<()> {
        let mut disk = self.disk("write")?;
        let fate = disk.operation(Kind::Write, "write", &self.path, buf);
        let (len, result) = match fate {
            Fate::Done => {
                let len = disk.room_for(self.inode, buf.len(), offset);
                let full = || Error::io("write", &self.path, io::ErrorKind::StorageFull.into());
                (len, if len < buf.len() { Err(full()) } else { Ok(()) })
            }
            Fate::Interrupted(error) => (buf.len(), Err(error)),
            Fate::Fails(error) => (disk.cut_failed_write(buf.len()), Err(error)),
        };
        let part = buf.get(..len).unwrap_or(buf);
        if !part.is_empty() {
            self.change(|inode, at| inode.write(at, part, offset), &mut disk);
        }
        result
    }

    fn sync(&self) -> Result<()> {
        let mut disk = self.disk("sync")?;
        match disk.operation(Kind::Sync, "sync", &self.path, &[]) {
            Fate::Done => {
                self.change(|inode, _| inode.sync(), &mut disk);
                Ok(())
            }
            Fate::Interrupted(error) => Err(error),
            Fate::Fails(error) => {
                disk.fail_sync(self.inode);
                Err(error)
            }
        }
    }

    fn write_back(&self, from: u64, to: u64) -> Result<()> {
        let mut disk = self.disk("write back")?;
        disk.check(Kind::Sync, "write back", &self.path)?;
        disk.write_back(self.inode, from, to);
        Ok(())
    }

    fn sync_all(&self) -> Result<()> {
        File::sync(self)
    }

    fn len(&self) -> Result<u64> {
        let mut disk = self.disk("stat")?;
        disk.check(Kind::Read, "stat", &self.path)?;
        let inode = disk.inodes.get(&self.inode);
        Ok(inode.map_or(0, |inode| inode.contents.len() as u64))
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
            LogMode::Durable if is_on(Mutant::LogSync) => Ok(()),
            LogMode::Durable => File::sync(self),
            LogMode::Buffered => Ok(()),
        }
    }

    fn sync(&self) -> Result<()> {
        File::sync(self)
    }
}
