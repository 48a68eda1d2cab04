//! Keyspaces that take what is written for some time and are then dropped as a whole.

use stator_engine::KeyspaceId;

/// Such a keyspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    /// The keyspace.
    pub keyspace: KeyspaceId,
    /// When it was made: Unix milliseconds. Nothing in the one before was begun later.
    pub since_ms: u64,
}

/// Such keyspaces, newest first. On disk, each is its id (u32) and the time it was made (u64),
/// big-endian: do not change that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generations(pub Vec<Generation>);

impl Generations {
    /// The bytes to write.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for generation in &self.0 {
            bytes.extend_from_slice(&generation.keyspace.0.to_be_bytes());
            bytes.extend_from_slice(&generation.since_ms.to_be_bytes());
        }
        bytes
    }

    /// Those in `bytes`.
    pub fn decode(bytes: &[u8]) -> Self {
        let (chunks, _) = bytes.as_chunks::<12>();
        let generation = |chunk: &[u8; 12]| {
            let (keyspace, since_ms) = chunk.split_first_chunk()?;
            Some(Generation {
                keyspace: KeyspaceId(u32::from_be_bytes(*keyspace)),
                since_ms: u64::from_be_bytes(*since_ms.first_chunk()?),
            })
        };
        Self(chunks.iter().filter_map(generation).collect())
    }
}
