//! The Bloom filter of an SSTable: which user keys and which partitions are certainly not in it.
//!
//! One split-block filter holds both: the XXH3-64 (seed 0) of every user key, and of every
//! partition's prefix (a user key up to the end of the terminator). A key with empty sort bytes
//! *is* its partition's prefix, so tables without a sort key pay for one entry per item, not two.
//!
//! # Layout
//!
//! The payload is n ≥ 1 blocks of 32 bytes: eight words, u32 little-endian. A hash `h` belongs to
//! block `((h >> 32) × n) >> 32`, and there to bit `((h as u32) × SALT[i]) >> 27` (product modulo
//! 2^32) of each word `i`. It was added if all eight bits are set. This is the split-block filter
//! of the Parquet format, with its salts.
//!
//! It is our own hundred lines, and not the `bloomfilter` crate, because the bytes are part of the
//! format; and because all bits of a key are in one cache line and cost one multiplication each,
//! where that crate hashes each key twice with SipHash and touches a line per bit. The tests hold it
//! against that crate: the price is some more false positives at the same size.

use bytes::Bytes;

/// Bytes of a block: half a cache line.
const BLOCK_SIZE: usize = 32;

/// Odd constants that choose a bit of each word. Do not change: they are in the format.
const SALT: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

fn block_index(hash: u64, count: usize) -> usize {
    (((hash >> 32) * count as u64) >> 32) as usize
}

fn masks(hash: u64) -> [u32; 8] {
    SALT.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27))
}

/// Collects hashes for a filter.
#[derive(Default)]
pub(crate) struct FilterBuilder {
    hashes: Vec<u64>,
}

impl FilterBuilder {
    /// Adds a hash. The same hash twice in a row counts once.
    pub(crate) fn add(&mut self, hash: u64) {
        if self.hashes.last() != Some(&hash) {
            self.hashes.push(hash);
        }
    }

    /// Bytes that the filter will have.
    pub(crate) fn size(&self, bits_per_key: usize) -> usize {
        (self.hashes.len() * bits_per_key)
            .div_ceil(8 * BLOCK_SIZE)
            .max(1)
            * BLOCK_SIZE
    }

    /// The payload of the filter.
    pub(crate) fn finish(&self, bits_per_key: usize) -> Vec<u8> {
        let count = self.size(bits_per_key) / BLOCK_SIZE;
        let mut blocks = vec![[0u32; 8]; count];
        for hash in &self.hashes {
            if let Some(block) = blocks.get_mut(block_index(*hash, count)) {
                for (word, mask) in block.iter_mut().zip(masks(*hash)) {
                    *word |= mask;
                }
            }
        }
        blocks
            .iter()
            .flatten()
            .flat_map(|word| word.to_le_bytes())
            .collect()
    }
}

/// A filter as it lies in the file.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    bytes: Bytes,
}

impl Filter {
    /// Takes the payload; `None` if it is no filter.
    pub(crate) fn new(bytes: Bytes) -> Option<Filter> {
        let fits = !bytes.is_empty() && bytes.len().is_multiple_of(BLOCK_SIZE);
        fits.then_some(Filter { bytes })
    }

    /// Bytes of memory that it holds.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// `false` if the hash was certainly not added.
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        let at = block_index(hash, self.bytes.len() / BLOCK_SIZE) * BLOCK_SIZE;
        let block = self
            .bytes
            .get(at..)
            .and_then(|bytes| bytes.first_chunk::<BLOCK_SIZE>());
        let Some(block) = block else { return true };
        let (words, _) = block.as_chunks::<4>();
        // No early end: eight independent tests cost less than one mispredicted branch.
        words
            .iter()
            .zip(masks(hash))
            .fold(true, |all, (word, mask)| {
                all & (u32::from_le_bytes(*word) & mask != 0)
            })
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    fn hash(i: u64) -> u64 {
        xxh3_64(&i.to_le_bytes())
    }

    fn build(keys: u64, bits_per_key: usize) -> Filter {
        let mut builder = FilterBuilder::default();
        (0..keys).for_each(|i| builder.add(hash(i)));
        Filter::new(builder.finish(bits_per_key).into()).unwrap()
    }

    #[test]
    fn what_was_added_is_found() {
        for keys in [1, 2, 100, 10_000] {
            let filter = build(keys, 10);
            assert!((0..keys).all(|i| filter.may_contain(hash(i))));
        }
    }

    #[test]
    fn what_was_not_added_is_rarely_found() {
        for (bits_per_key, at_most) in [(10, 150), (12, 70)] {
            let filter = build(10_000, bits_per_key);
            let false_positives = (0..10_000)
                .filter(|i| filter.may_contain(hash(i + (1 << 40))))
                .count();
            assert!(
                false_positives <= at_most,
                "{bits_per_key} bits: {false_positives}"
            );
            assert!(filter.size() <= 10_000 * bits_per_key / 8 + BLOCK_SIZE);
        }
    }

    #[test]
    fn the_price_against_a_classic_filter_of_the_same_size() {
        const KEYS: u64 = 20_000;
        for bits_per_key in [8, 10, 12] {
            let ours = build(KEYS, bits_per_key);
            let mut classic =
                bloomfilter::Bloom::new_with_seed(ours.size(), KEYS as usize, &[7; 32]).unwrap();
            (0..KEYS).for_each(|i| classic.set(&hash(i)));
            let strangers = || (0..200_000).map(|i| hash(i + (1 << 40)));
            let our_errors = strangers().filter(|h| ours.may_contain(*h)).count();
            let classic_errors = strangers().filter(|h| classic.check(h)).count();
            assert!(
                our_errors < 2 * classic_errors,
                "{bits_per_key} bits: {our_errors} false positives, and {classic_errors}"
            );
        }
    }

    #[test]
    fn layout_is_as_documented() {
        let mut builder = FilterBuilder::default();
        builder.add(0x8000_0000_0000_0001);
        builder.add(0x8000_0000_0000_0001);
        let bytes = builder.finish(512);
        assert_eq!(bytes.len(), 64);
        // The top bit of the hash chooses the second of two blocks.
        assert!(bytes[..32].iter().all(|byte| *byte == 0));
        let first_word = u32::from_le_bytes(bytes[32..36].try_into().unwrap());
        assert_eq!(first_word, 1 << (0x47b6_137b >> 27));
    }

    #[test]
    fn an_empty_filter_and_odd_sizes() {
        let filter = Filter::new(FilterBuilder::default().finish(10).into()).unwrap();
        assert!(!filter.may_contain(hash(1)));
        assert!(Filter::new(Bytes::new()).is_none());
        assert!(Filter::new(Bytes::from_static(&[0; 33])).is_none());
    }
}
