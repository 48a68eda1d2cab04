//! What a database can be told when it is opened.

use std::time::Duration;

/// When a commit is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk: nothing that was acknowledged is lost in a power cut.
    Sync,
    /// When it is with the operating system, which is told to write it out this often. Nothing that
    /// was acknowledged is lost when the process is killed; a power cut loses the last interval.
    Interval(Duration),
}

/// The options of one open database. `Options::default()` suits a laptop.
///
/// Sizes are in bytes. None of them is part of the format on disk: a database may be opened with
/// other options each time.
#[derive(Clone, Debug)]
pub struct Options {
    /// When a commit is acknowledged.
    pub durability: Durability,
    /// A memtable that has grown to this becomes immutable and is written out.
    pub memtable_size: usize,
    /// Immutable memtables that may wait to be written out. When nearly as many wait, commits are
    /// acknowledged later and later; past it they are refused with `Error::Throttled`.
    pub immutable_memtables: usize,
    /// Decompressed blocks kept in memory, together with the indexes and filters of the SSTables that are
    /// open: those take half of it at most, and blocks the rest. For values of 1 KiB indexes and filters are
    /// about 7 per mille of the data; where they do not fit, reads open SSTables again and again.
    pub block_cache_size: usize,
    /// Space of one WAL segment, which is written with zeros ahead of its use. The first segments
    /// after opening are smaller, so that a short-lived database does not write so much.
    pub wal_segment_size: u64,
    /// Bytes of a data block before compression.
    pub block_size: usize,
    /// SSTables of a compaction are cut at about this size; in a small database earlier, down to an
    /// eighth of it.
    pub sstable_size: u64,
    /// zstd level of the SSTables of L0; 0 stores blocks as they are.
    pub l0_compression_level: i32,
    /// zstd level of the SSTables of deeper levels; 0 stores blocks as they are.
    pub compression_level: i32,
    /// Bits per key of each Bloom filter.
    pub bloom_bits_per_key: usize,
    /// Sublevels (or files, where they do not overlap) of L0 that start a compaction.
    pub l0_compaction_threshold: usize,
    /// Size of the first level below L0 at which it is compacted into the next.
    pub base_level_size: u64,
    /// Compactions that run at the same time, at least 2: one is only ever of L0, and one at most is
    /// of L0 while deeper levels need it.
    pub compaction_jobs: usize,
    /// Bytes per second that compaction may read and write, after what flushes take of them: L0
    /// before deeper levels. 0 for as many as disk and processor have to spare.
    pub compaction_rate: u64,
    /// How many times larger each level may be than the one above it.
    pub level_fanout: u64,
    /// A manifest larger than this is rewritten as a new generation.
    pub manifest_size: u64,
    /// Invisible versions that one call to an iterator's `next` skips before it returns a cursor.
    pub skip_bound: usize,
    /// The longest delay that backpressure adds to the acknowledgement of a commit.
    pub write_delay: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            durability: Durability::Sync,
            memtable_size: 32 << 20,
            immutable_memtables: 4,
            block_cache_size: 64 << 20,
            wal_segment_size: 32 << 20,
            block_size: 16 << 10,
            sstable_size: 32 << 20,
            l0_compression_level: 1,
            compression_level: 3,
            bloom_bits_per_key: 10,
            l0_compaction_threshold: 4,
            base_level_size: 128 << 20,
            compaction_jobs: 2,
            compaction_rate: 0,
            level_fanout: 10,
            manifest_size: 4 << 20,
            skip_bound: 4096,
            write_delay: Duration::from_millis(1),
        }
    }
}
