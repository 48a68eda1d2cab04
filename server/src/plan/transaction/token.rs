//! What is kept of a client token: the row that is written with its transaction.

/// How long a token counts, in milliseconds: "a client request token is valid for 10 minutes after
/// the first request that uses it is completed" (API reference, `TransactWriteItems`).
pub const VALID_MS: u64 = 10 * 60 * 1000;

/// Form of the row. It is on disk: do not change it, count it up.
const FORM: u8 = 1;

/// Length of what comes before the sizes.
const HEADER: usize = 1 + 8 + 16;

/// What is kept of a transaction that had a token.
///
/// The form on disk, all numbers big-endian: form (u8), time of completion in Unix milliseconds
/// (u64), digest of the parameters (u128), then for each action the size that it was charged by in
/// bytes (u32). A row does not outlive [`VALID_MS`] by much, so that one in another form is no loss:
/// it counts as absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When the transaction was completed: Unix milliseconds.
    pub completed_ms: u64,
    /// Digest of its parameters.
    pub digest: u128,
    /// The sizes of its items, in the order of its actions: what a repeat is charged for reading.
    pub sizes: Vec<u32>,
}

impl Record {
    /// The bytes of the row.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + 4 * self.sizes.len());
        bytes.push(FORM);
        bytes.extend_from_slice(&self.completed_ms.to_be_bytes());
        bytes.extend_from_slice(&self.digest.to_be_bytes());
        for size in &self.sizes {
            bytes.extend_from_slice(&size.to_be_bytes());
        }
        bytes
    }

    /// The record in `bytes`, if they are one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (completed_ms, rest) = rest.split_first_chunk()?;
        let (digest, sizes) = rest.split_first_chunk()?;
        let (sizes, []) = sizes.as_chunks() else {
            return None;
        };
        (*form == FORM).then(|| Self {
            completed_ms: u64::from_be_bytes(*completed_ms),
            digest: u128::from_be_bytes(*digest),
            sizes: sizes.iter().map(|size| u32::from_be_bytes(*size)).collect(),
        })
    }

    /// Whether it still counts. A clock that was put back makes it count for longer, not for less.
    pub fn is_valid(&self, now_ms: u64) -> bool {
        now_ms < self.completed_ms.saturating_add(VALID_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            completed_ms: 0x0102_0304,
            digest: 7,
            sizes: vec![0, 409_600],
        }
    }

    #[test]
    fn the_form_is_as_documented() {
        let mut expected = vec![1, 0, 0, 0, 0, 1, 2, 3, 4];
        expected.extend_from_slice(&[0; 15]);
        expected.extend_from_slice(&[7, 0, 0, 0, 0, 0, 6, 0x40, 0]);
        assert_eq!(record().encode(), expected);
        assert_eq!(Record::decode(&expected), Some(record()));
    }

    #[test]
    fn what_is_no_record_is_none() {
        let bytes = record().encode();
        for length in 0..bytes.len() {
            let whole = length >= HEADER && (length - HEADER).is_multiple_of(4);
            assert_eq!(
                Record::decode(&bytes[..length]).is_some(),
                whole,
                "{length}"
            );
        }
        let mut newer = bytes;
        newer[0] = 2;
        assert_eq!(Record::decode(&newer), None);
    }

    #[test]
    fn it_counts_for_ten_minutes() {
        let record = record();
        assert!(record.is_valid(0));
        assert!(record.is_valid(record.completed_ms + VALID_MS - 1));
        assert!(!record.is_valid(record.completed_ms + VALID_MS));
    }
}
