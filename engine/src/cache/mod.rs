//! The block cache: decompressed blocks, shared by all SSTables.
//!
//! It knows no blocks, only bytes by file and offset. File ids are never used twice, so an entry
//! of a deleted file is never asked for again and ages out.
//!
//! Its size is also that of the indexes and filters of the SSTables that are open: what they take, blocks
//! do not have. They are not entries of the cache, since a read asks for some of each SSTable on its
//! way, and finds them by a pointer.

mod hits;

use std::hash::{BuildHasher, Hasher};

use bytes::Bytes;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

use self::hits::Hits;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};

/// What an entry takes in memory besides its bytes: the cache's own bookkeeping and the handle's.
/// Counted so that the memory used stays close to the size that was asked for.
const ENTRY_OVERHEAD: u64 = 128;

/// Independent parts, each with its own lock. A constant, so that a run does not depend on the
/// machine's number of cores; more than the threads that a small machine reads with at once.
const SHARDS: usize = 32;

/// Blocks give way to metadata in steps of this part of the size, and get room back two steps later: to
/// change a capacity makes the cache forget some of what it knew about its use.
const METADATA_STEPS: usize = 16;

/// Which block: file id, offset in the file.
type BlockKey = (u64, u64);

/// Decompressed blocks up to a number of bytes.
pub(crate) struct BlockCache {
    /// `None` if the size is 0: nothing is kept.
    blocks: Option<Cache<BlockKey, Bytes, ByteWeighter, BlockHasher>>,
    misses: AtomicU64,
    hits: Hits,
    /// Of blocks and metadata together.
    size: usize,
    /// How many steps of [`METADATA_STEPS`] are the metadata's.
    metadata_steps: Mutex<usize>,
}

/// How the cache is used, for statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheUsage {
    /// Bytes held now, with overhead.
    pub(crate) bytes: u64,
    /// Blocks held now.
    pub(crate) blocks: u64,
    /// Lookups that found nothing, since the start.
    pub(crate) misses: u64,
    /// Lookups that found their block, since the start.
    pub(crate) hits: u64,
}

impl BlockCache {
    /// A cache of about `size` bytes; 0 caches nothing.
    pub(crate) fn new(size: usize, block_size: usize) -> BlockCache {
        let options = OptionsBuilder::new()
            .shards(SHARDS)
            .estimated_items_capacity((size / block_size.max(1)).max(SHARDS))
            .weight_capacity(size as u64)
            .build();
        let blocks = match options {
            Ok(options) if size > 0 => Some(Cache::with_options(
                options,
                ByteWeighter,
                BlockHasher,
                DefaultLifecycle::default(),
            )),
            _ => None,
        };
        BlockCache {
            blocks,
            misses: AtomicU64::new(0),
            hits: Hits::default(),
            size,
            metadata_steps: Mutex::new(0),
        }
    }

    /// Bytes that indexes and filters may take, all together: half of all, so that scans and reads of
    /// neighbours find blocks, and updates the last one of a partition.
    pub(crate) fn metadata_limit(&self) -> usize {
        self.size / 2
    }

    /// Notes how much indexes and filters take. Blocks have the rest.
    pub(crate) fn set_metadata_size(&self, bytes: usize) {
        let Some(blocks) = &self.blocks else { return };
        let step = (self.size / METADATA_STEPS).max(1);
        let needed = bytes.div_ceil(step).min(METADATA_STEPS);
        let mut steps = self.metadata_steps.lock();
        if needed > *steps || needed + 2 <= *steps {
            *steps = needed;
            blocks.set_capacity((self.size - (needed * step).min(self.size)) as u64);
        }
    }

    /// The block at an offset of a file, if it is here.
    pub(crate) fn get(&self, file_id: u64, offset: u64) -> Option<Bytes> {
        let found = self
            .blocks
            .as_ref()
            .and_then(|blocks| blocks.get(&(file_id, offset)));
        match &found {
            Some(_) => self.hits.add(),
            // Followed by a read of the disk or the page cache, beside which this is nothing.
            None => {
                self.misses.fetch_add(1, Ordering::Relaxed);
            }
        }
        found
    }

    /// Keeps a block, as long as there is room for it and it is used.
    pub(crate) fn insert(&self, file_id: u64, offset: u64, block: Bytes) {
        if let Some(blocks) = &self.blocks {
            blocks.insert((file_id, offset), block);
        }
    }

    /// How it is used.
    pub(crate) fn usage(&self) -> CacheUsage {
        CacheUsage {
            bytes: self.blocks.as_ref().map_or(0, Cache::weight),
            blocks: self.blocks.as_ref().map_or(0, |blocks| blocks.len() as u64),
            misses: self.misses.load(Ordering::Relaxed),
            hits: self.hits.read(),
        }
    }
}

#[derive(Clone)]
struct ByteWeighter;

impl Weighter<BlockKey, Bytes> for ByteWeighter {
    fn weight(&self, _key: &BlockKey, block: &Bytes) -> u64 {
        block.len() as u64 + ENTRY_OVERHEAD
    }
}

/// Hashes block keys. Nobody chooses these keys to harm us, and SipHash would be a fifth of a hit.
#[derive(Clone)]
struct BlockHasher;

impl BuildHasher for BlockHasher {
    type Hasher = FoldHasher;

    fn build_hasher(&self) -> FoldHasher {
        FoldHasher(0)
    }
}

struct FoldHasher(u64);

impl Hasher for FoldHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, value: u64) {
        // Both halves of the product depend on all bits; folding them mixes high bits into low.
        let product = u128::from(self.0 ^ value ^ 0x9E37_79B9_7F4A_7C15)
            .wrapping_mul(0xD6E8_FEB8_6659_FD93_A5A3_5635_1DB4_8F6B);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn stays_within_its_size() {
        let cache = BlockCache::new(1 << 20, 16 << 10);
        for offset in 0..1000 {
            cache.insert(1, offset << 14, Bytes::from(vec![0; 16 << 10]));
        }
        let usage = cache.usage();
        assert!(usage.bytes <= 1 << 20, "{usage:?}");
        assert!(usage.blocks >= 32, "{usage:?}");
    }

    #[test]
    fn finds_what_was_put_in_and_nothing_else() {
        let cache = BlockCache::new(1 << 20, 16 << 10);
        cache.insert(1, 0, Bytes::from_static(b"a"));
        assert_eq!(cache.get(1, 0).unwrap(), "a");
        assert_eq!(cache.get(0, 1), None);
        assert_eq!(cache.get(2, 0), None);
        assert_eq!((cache.usage().misses, cache.usage().hits), (2, 1));
    }

    #[test]
    fn blocks_give_way_to_metadata_and_come_back() {
        const SIZE: usize = 1 << 20;
        let cache = BlockCache::new(SIZE, 1 << 10);
        let fill = || {
            (0..2_000).for_each(|offset| cache.insert(1, offset << 10, vec![0; 1 << 10].into()));
            cache.usage().bytes as usize
        };
        let full = fill();
        assert!(full > SIZE * 9 / 10, "{full}");
        for metadata in [0, 1, 200_000, SIZE / 2, SIZE / 3, SIZE * 3 / 4] {
            cache.set_metadata_size(metadata);
            let held = cache.usage().bytes as usize;
            assert!(held + metadata <= SIZE, "{held} beside {metadata}");
            let refilled = fill();
            assert!(refilled + metadata <= SIZE, "{refilled} beside {metadata}");
        }
        cache.set_metadata_size(0);
        let again = fill();
        assert!(again > SIZE * 8 / 10, "{again}");
    }

    #[test]
    fn size_zero_keeps_nothing() {
        let cache = BlockCache::new(0, 16 << 10);
        cache.insert(1, 0, Bytes::from_static(b"a"));
        assert_eq!(cache.get(1, 0), None);
    }

    #[test]
    fn hashes_of_neighbours_spread() {
        let low_bits: HashSet<u64> = (0..4096u64)
            .map(|block| BlockHasher.hash_one((7u64, block << 14)) & 0xFFF)
            .collect();
        // 4,096 random values hit about 63 % of 4,096 places.
        assert!(low_bits.len() > 2400, "{}", low_bits.len());
    }
}
