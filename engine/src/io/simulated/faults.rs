//! What a simulated disk may do to those who use it, and a count of what it did.

use std::time::Duration;

/// How often an operation of a kind fails, in ten thousandths of all of its kind. The default disk
/// never fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Faults {
    /// A read fails (EIO).
    pub read: u16,
    /// A read ends before the end of the file.
    pub short_read: u16,
    /// A write fails (EIO) after some of its sectors.
    pub write: u16,
    /// A sync of a file fails: some of what it should have kept is lost for good, whatever is synced
    /// later, although it may go on reading right until the next crash.
    pub sync: u16,
    /// Creating, renaming, removing or listing names, or syncing a directory, fails (EIO).
    pub name: u16,
    /// An operation takes long: up to [`Faults::LONGEST`].
    pub slow: u16,
    /// Bytes that the disk has room for; what would make its files larger fails (ENOSPC) after as
    /// much as there is room for.
    pub capacity: Option<u64>,
}

impl Faults {
    /// How long a slow operation may take.
    pub const LONGEST: Duration = Duration::from_secs(2);

    /// Whether the engine may meet an error because of these.
    #[must_use]
    pub fn can_fail(&self) -> bool {
        let odds = [self.read, self.short_read, self.write, self.sync, self.name];
        odds.iter().any(|odds| *odds > 0) || self.capacity.is_some()
    }
}

/// What survives a power cut of all that was not synced. What was synced always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    Nothing,
    /// All of it.
    Everything,
    /// What came first, in the order in which it was written, up to a point that is drawn; the write
    /// at that point is torn.
    Prefix,
    /// Of each file all that was written to it or none, and each change of a name or not.
    Files,
    /// Each sector of 512 bytes of each write or not, and each change of a name or not, with this
    /// many chances in a hundred. What a file has grown by and was not kept reads as zeros or as
    /// what the disk once had there.
    Sectors(u8),
}

impl Kept {
    /// One for each way, for exhaustive runs.
    pub const ALL: [Kept; 7] = [
        Kept::Nothing,
        Kept::Everything,
        Kept::Prefix,
        Kept::Files,
        Kept::Sectors(10),
        Kept::Sectors(50),
        Kept::Sectors(90),
    ];
}

/// How often each kind of fault was met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultCounts {
    /// Reads that failed.
    pub reads: u64,
    /// Reads that were cut short.
    pub short_reads: u64,
    /// Writes that failed.
    pub writes: u64,
    /// Syncs of files that failed.
    pub syncs: u64,
    /// Operations on names that failed.
    pub names: u64,
    /// Operations that were slow.
    pub slow: u64,
    /// Operations for which there was no room.
    pub full: u64,
    /// Writes of which a power cut kept a part.
    pub torn_writes: u64,
    /// Writes that were lost in a power cut.
    pub lost_writes: u64,
    /// Writes that survived a power cut without a sync.
    pub kept_writes: u64,
    /// Writes that survived a power cut although an earlier one to the same file did not.
    pub reordered_writes: u64,
    /// Changes of names that were lost in a power cut.
    pub lost_names: u64,
    /// Changes of names that survived a power cut without a sync.
    pub kept_names: u64,
    /// Sectors that a power cut has left with what the disk once had there.
    pub stale_sectors: u64,
    /// Pages of the log that a power cut has spoiled while they were written.
    pub spoiled_pages: u64,
}

impl FaultCounts {
    /// Each kind with its count, for a report.
    #[must_use]
    pub fn by_kind(&self) -> [(&'static str, u64); 15] {
        [
            ("failed reads", self.reads),
            ("short reads", self.short_reads),
            ("failed writes", self.writes),
            ("failed syncs", self.syncs),
            ("failed operations on names", self.names),
            ("slow operations", self.slow),
            ("no room", self.full),
            ("torn writes", self.torn_writes),
            ("lost writes", self.lost_writes),
            ("kept writes", self.kept_writes),
            ("reordered writes", self.reordered_writes),
            ("lost names", self.lost_names),
            ("kept names", self.kept_names),
            ("stale sectors", self.stale_sectors),
            ("spoiled pages", self.spoiled_pages),
        ]
    }

    /// Adds those of another disk.
    pub fn add(&mut self, other: &FaultCounts) {
        self.reads += other.reads;
        self.short_reads += other.short_reads;
        self.writes += other.writes;
        self.syncs += other.syncs;
        self.names += other.names;
        self.slow += other.slow;
        self.full += other.full;
        self.torn_writes += other.torn_writes;
        self.lost_writes += other.lost_writes;
        self.kept_writes += other.kept_writes;
        self.reordered_writes += other.reordered_writes;
        self.lost_names += other.lost_names;
        self.kept_names += other.kept_names;
        self.stale_sectors += other.stale_sectors;
        self.spoiled_pages += other.spoiled_pages;
    }
}
