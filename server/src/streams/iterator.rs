//! Shard iterators: where a reader stands, as a text that it hands back.
//!
//! Like DynamoDB's they begin with the stream's ARN: `<arn>|1|<Base64>`. What follows is not to be
//! looked at by clients: form (1), position, time of issue, the shard's id, and a checksum over all of
//! it and the ARN, so that a text which was cut or put together is told from one that is old.

use base64_simd::STANDARD;
use xxhash_rust::xxh3::xxh3_64;

use super::Position;

/// How long an iterator can be used (API reference, `GetShardIterator`).
pub const ITERATOR_LIFE_MS: u64 = 15 * 60_000;

const FORM: u8 = 1;
const SEPARATOR: &str = "|1|";

/// Where a reader stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardIterator {
    /// ARN of the stream.
    pub arn: String,
    /// Id of the shard.
    pub shard: String,
    /// The first place that was not read yet.
    pub position: Position,
    /// When it was given out: Unix milliseconds.
    pub issued_ms: u64,
}

impl ShardIterator {
    /// The text.
    pub fn encode(&self) -> String {
        let mut bytes = vec![FORM];
        bytes.extend_from_slice(&self.position.sort_bytes());
        bytes.extend_from_slice(&self.issued_ms.to_be_bytes());
        bytes.extend_from_slice(self.shard.as_bytes());
        let checksum = checksum(&self.arn, &bytes);
        bytes.extend_from_slice(&checksum);
        format!(
            "{}{SEPARATOR}{}",
            self.arn,
            STANDARD.encode_to_string(bytes)
        )
    }

    /// The iterator of a text; `None` if we never gave that out.
    pub fn decode(text: &str) -> Option<Self> {
        let (arn, encoded) = text.split_once(SEPARATOR)?;
        let bytes = STANDARD.decode_to_vec(encoded).ok()?;
        let (body, sum) = bytes.split_last_chunk::<8>()?;
        if checksum(arn, body) != *sum {
            return None;
        }
        let (&[FORM], body) = body.split_first_chunk::<1>()? else {
            return None;
        };
        let (position, body) = body.split_first_chunk::<10>()?;
        let (issued_ms, shard) = body.split_first_chunk::<8>()?;
        Some(Self {
            arn: arn.to_owned(),
            shard: std::str::from_utf8(shard).ok()?.to_owned(),
            position: Position::from_sort(position)?,
            issued_ms: u64::from_be_bytes(*issued_ms),
        })
    }

    /// Whether it is too old to be used.
    pub fn is_expired(&self, now_ms: u64) -> bool {
        now_ms > self.issued_ms.saturating_add(ITERATOR_LIFE_MS)
    }
}

fn checksum(arn: &str, bytes: &[u8]) -> [u8; 8] {
    xxh3_64(&[arn.as_bytes(), b"|", bytes].concat()).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iterator() -> ShardIterator {
        ShardIterator {
            arn: "arn:aws:dynamodb:us-east-1:1:table/t/stream/2023-11-14T22:13:20.000".to_owned(),
            shard: "shardId-00000001700000000000-0000002a".to_owned(),
            position: Position {
                sequence: 9,
                ordinal: 3,
            },
            issued_ms: 1_000,
        }
    }

    #[test]
    fn what_is_given_out_is_understood_and_nothing_else() {
        let text = iterator().encode();
        assert_eq!(ShardIterator::decode(&text), Some(iterator()));
        for place in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(ShardIterator::decode(&changed), None, "{changed}");
            assert_eq!(ShardIterator::decode(&text[..place]), None);
        }
    }

    #[test]
    fn it_lives_for_fifteen_minutes() {
        assert!(!iterator().is_expired(1_000 + ITERATOR_LIFE_MS));
        assert!(iterator().is_expired(1_000 + ITERATOR_LIFE_MS + 1));
    }
}
