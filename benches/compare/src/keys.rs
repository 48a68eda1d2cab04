//! Keys and values: 40 bytes each and 1 KiB that nothing compresses, the same for every engine.

use stator_engine::{Key, KeyspaceId};

/// The keyspace of all keys.
pub const KEYSPACE: u32 = 1;

/// Of the random bytes that values are cut from. Far more than a block of any engine holds, so that no
/// compressor sees the same twice.
const POOL: usize = 4 << 20;

/// Makes keys and values of random numbers.
pub struct Source {
    pool: Vec<u8>,
    value_size: usize,
}

impl Source {
    pub fn new(value_size: usize) -> Source {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut pool = vec![0; POOL + value_size];
        rng.fill(&mut pool);
        Source { pool, value_size }
    }

    /// A key by its number: 40 bytes as this engine encodes it (keyspace, hash, 26 bytes of
    /// partition, terminator), which the others take as they are. So all of them sort, compare and
    /// store the same bytes, and numbers that follow each other lie far apart.
    pub fn key(&self, number: u64) -> Vec<u8> {
        let partition = format!("customer#{number:017}");
        let key = Key::new(KeyspaceId(KEYSPACE), partition.as_bytes(), b"");
        key.as_bytes().to_vec()
    }

    /// A key that no store has.
    pub fn missing_key(&self, number: u64) -> Vec<u8> {
        let partition = format!("nobody  #{number:017}");
        let key = Key::new(KeyspaceId(KEYSPACE), partition.as_bytes(), b"");
        key.as_bytes().to_vec()
    }

    /// Makes a value for a key: its number, and random bytes.
    pub fn fill(&self, number: u64, rng: &mut fastrand::Rng, value: &mut Vec<u8>) {
        let start = rng.usize(..POOL);
        value.clear();
        value.extend_from_slice(&number.to_le_bytes());
        let rest = self.value_size.saturating_sub(8);
        value.extend_from_slice(self.pool.get(start..start + rest).unwrap_or_default());
    }

    /// Whether a value is one of a key's.
    pub fn is_value_of(&self, number: u64, value: &[u8]) -> bool {
        value.len() == self.value_size.max(8) && value.starts_with(&number.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_forty_bytes_and_values_their_number() {
        let source = Source::new(1024);
        assert_eq!(source.key(0).len(), 40);
        assert_eq!(source.missing_key(999_999).len(), 40);
        let mut value = Vec::new();
        source.fill(5, &mut fastrand::Rng::with_seed(1), &mut value);
        assert_eq!(value.len(), 1024);
        assert!(source.is_value_of(5, &value));
        assert!(!source.is_value_of(6, &value));
    }
}
