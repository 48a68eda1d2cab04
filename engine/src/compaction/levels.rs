//! How large each level may be.

use crate::manifest::{LEVELS, Version};
use crate::options::Options;

/// The last level.
pub(super) const LAST_LEVEL: usize = LEVELS - 1;

/// Sizes that levels may have, for one version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Targets {
    /// The level that L0 is compacted into: the first below L0 that is used. All levels between
    /// are empty.
    pub(super) base: usize,
    /// Bytes that each level may have before it is compacted into the next.
    sizes: [u64; LEVELS],
}

impl Targets {
    /// The targets for a version.
    ///
    /// The last level may be as large as it is, and each level above it smaller by the fanout, up
    /// to the one that would get below `base_level_size`: that one is the base. So nearly all data
    /// is in the last level, whatever there is of it, and little space is taken by old versions.
    pub(super) fn new(version: &Version, options: &Options) -> Targets {
        let fanout = options.level_fanout.max(2);
        let largest = (1..LEVELS)
            .map(|level| version.level_size(level))
            .max()
            .unwrap_or(0);
        let first_used = (1..LEVELS).find(|level| !version.level(*level).is_empty());
        let first_used = first_used.unwrap_or(LAST_LEVEL);

        // What the first level with data gets as its share of the largest, and what the levels
        // above it would get.
        let depth = (LAST_LEVEL - first_used) as u32;
        let mut base_size = largest / fanout.saturating_pow(depth);
        let mut base = first_used;
        while base > 1 && base_size > options.base_level_size {
            base -= 1;
            base_size /= fanout;
        }
        let mut size = base_size.max(options.base_level_size / fanout);
        let mut sizes = [u64::MAX; LEVELS];
        for slot in sizes.iter_mut().take(LAST_LEVEL).skip(base) {
            *slot = size;
            size = size.saturating_mul(fanout);
        }
        Targets { base, sizes }
    }

    /// Bytes that a level may have; for L0 and the last level there is no bound here.
    pub(super) fn size(&self, level: usize) -> u64 {
        self.sizes.get(level).copied().unwrap_or(u64::MAX)
    }
}
