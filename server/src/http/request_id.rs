//! Request ids: what a user quotes from a log line, so unique, and no more than that.

use std::cell::Cell;

use hyper::header::HeaderValue;

/// The length of every request id, in characters.
const LENGTH: usize = 52;

/// What DynamoDB's ids end in, as every id printed in AWS's documentation and support threads
/// shows; the first half tells them apart.
const SUFFIX: &[u8; 26] = b"VV4KQNSO5AEMVJF66Q9ASUAAJG";

/// The alphabet of DynamoDB's ids ("base32hex" of RFC 4648).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";

/// The id of one request: 52 upper-case base-32 characters, 26 of them drawn at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId([u8; LENGTH]);

impl RequestId {
    /// Draws a new id. It costs a few nanoseconds: a counter per thread, mixed twice, that starts
    /// from the operating system's randomness.
    #[must_use]
    pub fn new() -> Self {
        let mut id = [0; LENGTH];
        let (random, suffix) = id.split_at_mut(LENGTH - SUFFIX.len());
        suffix.copy_from_slice(SUFFIX);
        for half in random.chunks_mut(13) {
            let mut bits = next_random();
            for character in half {
                *character = digit(bits);
                bits >>= 5;
            }
        }
        Self(id)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Every byte comes from an ASCII alphabet, so the default is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The id as the value of a header.
    pub(super) fn to_header(self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).unwrap_or(HeaderValue::from_static(""))
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "the index is masked to the alphabet's 32 entries"
)]
fn digit(bits: u64) -> u8 {
    ALPHABET[(bits & 31) as usize]
}

/// SplitMix64 (Steele, Lea and Flood, 2014): ids must not repeat; nobody must be kept from
/// guessing them.
fn next_random() -> u64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(seed());
    }
    let state = STATE.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
    STATE.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn seed() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        // Without randomness the ids of two threads or two runs may repeat, and nothing else
        // depends on them.
        Err(_) => u64::from(std::process::id()) << 32,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_id_is_52_characters_of_base_32() {
        let id = RequestId::new();
        assert_eq!(id.as_str().len(), 52);
        assert!(
            id.as_str().bytes().all(|byte| ALPHABET.contains(&byte)),
            "{id}"
        );
        assert_eq!(id.to_header(), id.as_str());
    }

    #[test]
    fn ids_differ_within_and_across_threads() {
        let mut seen = HashSet::new();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    (0..10_000)
                        .map(|_| RequestId::new().to_string())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        for thread in threads {
            for id in thread.join().unwrap() {
                assert!(seen.insert(id));
            }
        }
        assert_eq!(seen.len(), 40_000);
    }
}
