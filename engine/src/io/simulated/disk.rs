//! The disk of a simulated machine: what its readers see, and what a power cut would leave of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::Hasher as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use xxhash_rust::xxh3::Xxh3;

use super::faults::{FaultCounts, Faults, Kept};
use super::{SimulatedClock, SimulatedRng};
use crate::error::{Error, Result};
use crate::io::PAGE_SIZE;
use crate::io::memory::write_into;

/// What a disk writes as a whole or not at all.
pub(super) const SECTOR: usize = 512;

/// Sectors of deleted files that the disk may show again.
const STALE_SECTORS: usize = 64;

/// Files and names, as they are seen and as they would survive.
pub(super) struct Disk {
    /// Counts the ends of processes. What was handed out before the last one is dead.
    pub(super) life: u64,
    pub(super) inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    /// Names as they are seen.
    pub(super) names: BTreeMap<PathBuf, Node>,
    /// Names as they are on the disk.
    synced_names: BTreeMap<PathBuf, Node>,
    /// What lies between the two, in order.
    pending_names: Vec<NameChange>,
    /// Paths that are locked in this life.
    pub(super) locks: Arc<Mutex<BTreeSet<PathBuf>>>,
    pub(super) operations: u64,
    /// The operation at which the power goes.
    pub(super) crash_at: Option<u64>,
    pub(super) faults: Faults,
    pub(super) counts: FaultCounts,
    pub(super) trace: Xxh3,
    rng: SimulatedRng,
    clock: Arc<SimulatedClock>,
    /// What deleted files had at an offset, newest last.
    stale: VecDeque<(u64, Vec<u8>)>,
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    File(u64),
    Directory,
}

/// A change of names that is not on the disk yet.
#[derive(Clone)]
struct NameChange {
    at: u64,
    dir: PathBuf,
    change: Change,
}

#[derive(Clone)]
enum Change {
    Add(PathBuf, Node),
    Rename(PathBuf, PathBuf, Node),
    Remove(PathBuf),
}

/// A file.
#[derive(Clone, Default)]
pub(super) struct Inode {
    /// What readers see.
    pub(super) contents: Vec<u8>,
    /// What is on the disk.
    pub(super) synced: Vec<u8>,
    /// The writes that lie between the two, in order.
    pub(super) pending: Vec<Write>,
    /// A WAL segment: a power cut may spoil the page that is being written.
    pub(super) is_log: bool,
}

/// A write that is not on the disk yet.
#[derive(Clone)]
pub(super) struct Write {
    at: u64,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// The kinds of operations, as far as they fail differently.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
    Sync,
    Name,
}

/// What becomes of an operation.
pub(super) enum Fate {
    /// It is done.
    Done,
    /// The power goes while it is done: all of it is under way.
    Interrupted(Error),
    /// It fails, at once or halfway.
    Fails(Error),
}

impl Inode {
    pub(super) fn write(&mut self, at: u64, bytes: &[u8], offset: u64) {
        write_into(&mut self.contents, bytes, offset);
        self.pending.push(Write {
            at,
            offset,
            bytes: bytes.to_vec(),
        });
    }

    pub(super) fn sync(&mut self) {
        for write in self.pending.drain(..) {
            write_into(&mut self.synced, &write.bytes, write.offset);
        }
    }
}

impl Write {
    /// Its parts, each within one sector of the file: offset and bytes.
    fn sectors(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let sector = SECTOR as u64;
        let head =
            (self.offset.next_multiple_of(sector) - self.offset).min(self.bytes.len() as u64);
        let (head, rest) = self
            .bytes
            .split_at_checked(usize::try_from(head).unwrap_or(0))
            .unwrap_or((&self.bytes, &[]));
        let behind = self.offset + head.len() as u64;
        let rest = (behind..).step_by(SECTOR).zip(rest.chunks(SECTOR));
        (!head.is_empty())
            .then_some((self.offset, head))
            .into_iter()
            .chain(rest)
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Change::Add(path, node) => {
                names.insert(path.clone(), *node);
            }
            Change::Rename(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
            Change::Remove(path) => {
                names.remove(path);
            }
        }
    }
}

impl Disk {
    pub(super) fn new(rng: SimulatedRng, clock: Arc<SimulatedClock>) -> Self {
        Disk {
            life: 0,
            inodes: BTreeMap::new(),
            next_inode: 0,
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            pending_names: Vec::new(),
            locks: Arc::default(),
            operations: 0,
            crash_at: None,
            faults: Faults::default(),
            counts: FaultCounts::default(),
            trace: Xxh3::new(),
            rng,
            clock,
            stale: VecDeque::new(),
        }
    }

    /// A copy of it as it is, for another machine.
    pub(super) fn copy(&self, rng: SimulatedRng, clock: Arc<SimulatedClock>) -> Self {
        Disk {
            inodes: self.inodes.clone(),
            next_inode: self.next_inode,
            names: self.names.clone(),
            synced_names: self.synced_names.clone(),
            pending_names: self.pending_names.clone(),
            operations: self.operations,
            stale: self.stale.clone(),
            ..Disk::new(rng, clock)
        }
    }

    fn chance(&mut self, odds: u16) -> bool {
        odds > 0 && self.rng.below(10_000) < usize::from(odds)
    }

    fn coin(&mut self, percent: u8) -> bool {
        self.rng.below(100) < usize::from(percent)
    }

    /// Counts an operation, adds it to the trace, and says what becomes of it.
    pub(super) fn operation(
        &mut self,
        kind: Kind,
        name: &'static str,
        path: &Path,
        details: &[u8],
    ) -> Fate {
        self.operations += 1;
        let failure = |message: &'static str| Error::io(name, path, io::Error::other(message));
        match self.crash_at {
            Some(at) if self.operations == at => {
                return Fate::Interrupted(failure("the simulated machine crashed"));
            }
            Some(at) if self.operations > at => {
                return Fate::Fails(failure("the simulated machine crashed"));
            }
            _ => {}
        }
        self.trace.write(name.as_bytes());
        self.trace.write(path.as_os_str().as_encoded_bytes());
        self.trace.write(&(details.len() as u64).to_le_bytes());
        self.trace.write(details);
        if self.chance(self.faults.slow) {
            self.counts.slow += 1;
            let longest = usize::try_from(Faults::LONGEST.as_micros()).unwrap_or(usize::MAX);
            let time = Duration::from_micros(self.rng.below(longest) as u64);
            self.clock.advance(time);
        }
        let (odds, count) = match kind {
            Kind::Read => (self.faults.read, &mut self.counts.reads),
            Kind::Write => (self.faults.write, &mut self.counts.writes),
            Kind::Sync => (self.faults.sync, &mut self.counts.syncs),
            Kind::Name => (self.faults.name, &mut self.counts.names),
        };
        if odds > 0 && self.rng.below(10_000) < usize::from(odds) {
            *count += 1;
            return Fate::Fails(failure("the simulated disk failed"));
        }
        Fate::Done
    }

    /// The same, for what has no effect that could be half done.
    pub(super) fn check(&mut self, kind: Kind, name: &'static str, path: &Path) -> Result<()> {
        match self.operation(kind, name, path, &[]) {
            Fate::Done => Ok(()),
            Fate::Interrupted(error) | Fate::Fails(error) => Err(error),
        }
    }

    /// How much of a read is answered.
    pub(super) fn cut_read(&mut self, len: usize) -> usize {
        if len > 0 && self.chance(self.faults.short_read) {
            self.counts.short_reads += 1;
            return self.rng.below(len);
        }
        len
    }

    /// How much of a write that fails has an effect: some of its sectors, or nothing where the power
    /// is gone already.
    pub(super) fn cut_failed_write(&mut self, len: usize) -> usize {
        match self.crash_at {
            Some(at) if self.operations > at => 0,
            _ => self.rng.below(len / SECTOR + 1) * SECTOR,
        }
    }

    /// Bytes that files may still grow by.
    pub(super) fn room(&self) -> Option<u64> {
        let capacity = self.faults.capacity?;
        Some(capacity.saturating_sub(self.used()))
    }

    /// Bytes in all files that have a name.
    pub(super) fn used(&self) -> u64 {
        let named = self.names.values().filter_map(|node| match node {
            Node::File(inode) => self.inodes.get(inode),
            Node::Directory => None,
        });
        named.map(|inode| inode.contents.len() as u64).sum()
    }

    /// How many bytes of a write there is room for.
    pub(super) fn room_for(&mut self, inode: u64, len: usize, offset: u64) -> usize {
        let Some(room) = self.room() else { return len };
        let size = self
            .inodes
            .get(&inode)
            .map_or(0, |inode| inode.contents.len() as u64);
        let fits = (size + room).saturating_sub(offset);
        let fits = usize::try_from(fits).unwrap_or(usize::MAX).min(len);
        if fits < len {
            self.counts.full += 1;
        }
        fits
    }

    pub(super) fn create(&mut self, path: &Path) -> Result<u64> {
        let fate = self.operation(Kind::Name, "create", path, &[]);
        if let Fate::Fails(error) = fate {
            return Err(error);
        }
        let refused = |kind: io::ErrorKind| Err(Error::io("create", path, kind.into()));
        if self.names.contains_key(path) {
            return refused(io::ErrorKind::AlreadyExists);
        }
        if path
            .parent()
            .is_some_and(|parent| !is_directory(&self.names, parent))
        {
            return refused(io::ErrorKind::NotFound);
        }
        if self.room() == Some(0) {
            self.counts.full += 1;
            return refused(io::ErrorKind::StorageFull);
        }
        self.next_inode += 1;
        let inode = self.next_inode;
        self.inodes.insert(inode, Inode::default());
        self.change_names(path, Change::Add(path.to_path_buf(), Node::File(inode)));
        match fate {
            Fate::Interrupted(error) => Err(error),
            _ => Ok(inode),
        }
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        let fate = self.operation(
            Kind::Name,
            "rename",
            from,
            to.as_os_str().as_encoded_bytes(),
        );
        if let Fate::Fails(error) = fate {
            return Err(error);
        }
        let inode = self.file("rename", from)?;
        self.change_names(
            to,
            Change::Rename(from.to_path_buf(), to.to_path_buf(), Node::File(inode)),
        );
        match fate {
            Fate::Interrupted(error) => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn remove(&mut self, path: &Path) -> Result<()> {
        let fate = self.operation(Kind::Name, "remove", path, &[]);
        if let Fate::Fails(error) = fate {
            return Err(error);
        }
        let inode = self.file("remove", path)?;
        self.change_names(path, Change::Remove(path.to_path_buf()));
        self.remember_stale(inode);
        match fate {
            Fate::Interrupted(error) => Err(error),
            _ => Ok(()),
        }
    }

    fn change_names(&mut self, path: &Path, change: Change) {
        change.apply(&mut self.names);
        self.pending_names.push(NameChange {
            at: self.operations,
            dir: path.parent().map(Path::to_path_buf).unwrap_or_default(),
            change,
        });
    }

    pub(super) fn add_directory(&mut self, path: &Path) {
        self.names.insert(path.to_path_buf(), Node::Directory);
        self.synced_names
            .insert(path.to_path_buf(), Node::Directory);
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) {
        let (of_dir, others) = std::mem::take(&mut self.pending_names)
            .into_iter()
            .partition(|change| change.dir == dir);
        self.pending_names = others;
        let of_dir: Vec<NameChange> = of_dir;
        for change in of_dir {
            change.change.apply(&mut self.synced_names);
        }
    }

    pub(super) fn file(&self, operation: &'static str, path: &Path) -> Result<u64> {
        match self.names.get(path) {
            Some(Node::File(inode)) => Ok(*inode),
            _ => Err(Error::io(operation, path, io::ErrorKind::NotFound.into())),
        }
    }

    /// What lies before `from` is on the disk already and what lies before `to` on its way, but no
    /// sync says so: each of those sectors is, or is not.
    pub(super) fn write_back(&mut self, inode: u64, from: u64, to: u64) {
        let Some(mut file) = self.inodes.remove(&inode) else {
            return;
        };
        for write in &file.pending {
            for (offset, bytes) in write.sectors() {
                let percent = if offset < from { 90 } else { 50 };
                if offset < to && self.coin(percent) {
                    write_into(&mut file.synced, bytes, offset);
                }
            }
        }
        self.inodes.insert(inode, file);
    }

    /// A sync that fails: of what it should have kept some reaches the disk and the rest never will.
    /// Whoever reads may go on seeing it (the page is clean and in memory), or not.
    pub(super) fn fail_sync(&mut self, inode: u64) {
        if self.crash_at.is_some_and(|at| self.operations > at) {
            return;
        }
        let Some(mut file) = self.inodes.remove(&inode) else {
            return;
        };
        for write in std::mem::take(&mut file.pending) {
            for (offset, bytes) in write.sectors() {
                if self.coin(50) {
                    write_into(&mut file.synced, bytes, offset);
                }
            }
        }
        if self.coin(30) {
            let len = file.contents.len();
            file.contents.clone_from(&file.synced);
            file.contents.resize(len, 0);
        }
        self.inodes.insert(inode, file);
    }

    /// Remembers what a deleted file had: its sectors may turn up in a new one.
    fn remember_stale(&mut self, inode: u64) {
        let Some(inode) = self.inodes.get(&inode) else {
            return;
        };
        let sectors = (0_u64..).step_by(SECTOR).zip(inode.contents.chunks(SECTOR));
        let used = sectors.filter(|(_, sector)| sector.iter().any(|byte| *byte != 0));
        for (offset, sector) in used.take(STALE_SECTORS / 4) {
            if self.stale.len() == STALE_SECTORS {
                self.stale.pop_front();
            }
            self.stale.push_back((offset, sector.to_vec()));
        }
    }

    /// The process ends, and the operating system goes on: what was written stays to be seen, synced
    /// or not.
    pub(super) fn kill(&mut self) {
        self.life += 1;
        self.crash_at = None;
        self.faults = Faults::default();
        self.locks = Arc::default();
    }

    /// The power goes. The disk is what was synced, and of the rest what `kept` says.
    pub(super) fn crash(&mut self, kept: Kept) {
        self.kill();
        let last = self.operations;
        let first = self.first_pending().unwrap_or(last);
        let span = usize::try_from(last.saturating_sub(first)).unwrap_or(usize::MAX);
        let cut = first + self.rng.below(span.saturating_add(2)) as u64;
        self.crash_names(kept, cut);
        let ids: Vec<u64> = self.inodes.keys().copied().collect();
        for id in ids {
            if let Some(mut inode) = self.inodes.remove(&id) {
                self.crash_inode(&mut inode, kept, cut);
                self.inodes.insert(id, inode);
            }
        }
        self.forget_nameless();
    }

    fn first_pending(&self) -> Option<u64> {
        let writes = self.inodes.values().flat_map(|inode| &inode.pending);
        let names = self.pending_names.iter().map(|change| change.at);
        writes.map(|write| write.at).chain(names).min()
    }

    fn crash_names(&mut self, kept: Kept, cut: u64) {
        for change in std::mem::take(&mut self.pending_names) {
            let keep = match kept {
                Kept::Nothing => false,
                Kept::Everything => true,
                Kept::Prefix => change.at < cut,
                Kept::Files => self.coin(50),
                Kept::Sectors(percent) => self.coin(percent),
            };
            if keep {
                self.counts.kept_names += 1;
                change.change.apply(&mut self.synced_names);
            } else {
                self.counts.lost_names += 1;
            }
        }
        // A name in a directory whose own name is lost is lost too.
        let synced = std::mem::take(&mut self.synced_names);
        let mut names = BTreeMap::new();
        for (path, node) in synced {
            if path
                .parent()
                .is_some_and(|parent| is_directory(&names, parent))
            {
                names.insert(path, node);
            }
        }
        self.synced_names.clone_from(&names);
        self.names = names;
    }

    fn crash_inode(&mut self, inode: &mut Inode, kept: Kept, cut: u64) {
        let pending = std::mem::take(&mut inode.pending);
        let synced_len = inode.synced.len();
        let whole_file = self.coin(50);
        let mut lost_before = false;
        // Sectors that have been written, kept or not: the rest of what the file grows by was never.
        let mut kept_sectors: BTreeSet<u64> = BTreeSet::new();
        let mut longest = synced_len as u64;
        for write in &pending {
            longest = longest.max(write.offset + write.bytes.len() as u64);
            let (mut kept_any, mut lost_any) = (false, false);
            for (offset, bytes) in write.sectors() {
                let keep = match kept {
                    Kept::Nothing => false,
                    Kept::Everything => true,
                    Kept::Prefix if write.at == cut => self.coin(50),
                    Kept::Prefix => write.at < cut,
                    Kept::Files => whole_file,
                    Kept::Sectors(percent) => self.coin(percent),
                };
                if keep {
                    kept_any = true;
                    write_into(&mut inode.synced, bytes, offset);
                    kept_sectors.insert(offset / SECTOR as u64);
                } else {
                    lost_any = true;
                }
            }
            match (kept_any, lost_any) {
                (true, true) => self.counts.torn_writes += 1,
                (true, false) => self.counts.kept_writes += 1,
                _ => self.counts.lost_writes += 1,
            }
            if kept_any && lost_before {
                self.counts.reordered_writes += 1;
            }
            lost_before |= lost_any;
        }
        if let Kept::Sectors(_) = kept {
            self.grow(inode, synced_len, longest, &kept_sectors);
            self.spoil(inode, &pending);
        }
        inode.contents.clone_from(&inode.synced);
    }

    /// The length of a file may survive without what was written there, and then it shows what the
    /// disk had there before.
    fn grow(&mut self, inode: &mut Inode, synced_len: usize, longest: u64, kept: &BTreeSet<u64>) {
        let longest = usize::try_from(longest).unwrap_or(usize::MAX);
        if longest > inode.synced.len() && self.coin(50) {
            inode.synced.resize(longest, 0);
        }
        if self.stale.is_empty() || !self.coin(50) {
            return;
        }
        let first = synced_len.next_multiple_of(SECTOR);
        for start in (first..inode.synced.len()).step_by(SECTOR) {
            if kept.contains(&((start / SECTOR) as u64)) || !self.coin(20) {
                continue;
            }
            let same_place = self
                .stale
                .iter()
                .rev()
                .find(|(offset, _)| *offset == start as u64)
                .map(|(_, bytes)| bytes.clone());
            let any = self.rng.below(self.stale.len());
            let stale = same_place.or_else(|| self.stale.get(any).map(|(_, bytes)| bytes.clone()));
            let end = inode.synced.len().min(start + SECTOR);
            if let (Some(to), Some(from)) = (inode.synced.get_mut(start..end), stale) {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = from);
                self.counts.stale_sectors += 1;
            }
        }
    }

    /// The pages of the log that were being written may be lost altogether, with what was in them
    /// before: its writer never touches one that holds what a sync has kept.
    fn spoil(&mut self, inode: &mut Inode, pending: &[Write]) {
        if !inode.is_log || pending.is_empty() || !self.coin(30) {
            return;
        }
        let Some(write) = pending.get(self.rng.below(pending.len())) else {
            return;
        };
        let first = usize::try_from(write.offset).unwrap_or(usize::MAX) / PAGE_SIZE * PAGE_SIZE;
        let end = (first + PAGE_SIZE).min(inode.synced.len());
        if let Some(page) = inode.synced.get_mut(first..end) {
            page.fill(0xA5);
            self.counts.spoiled_pages += 1;
        }
    }

    fn forget_nameless(&mut self) {
        let named: BTreeSet<u64> = self
            .names
            .values()
            .filter_map(|node| match node {
                Node::File(inode) => Some(*inode),
                Node::Directory => None,
            })
            .collect();
        let nameless: Vec<u64> = self
            .inodes
            .keys()
            .filter(|inode| !named.contains(inode))
            .copied()
            .collect();
        for inode in nameless {
            self.remember_stale(inode);
            self.inodes.remove(&inode);
        }
    }
}

/// Whether a path is a directory among these names.
pub(super) fn is_directory(names: &BTreeMap<PathBuf, Node>, path: &Path) -> bool {
    path.parent().is_none()
        || path.as_os_str().is_empty()
        || names.get(path) == Some(&Node::Directory)
}
