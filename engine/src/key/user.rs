//! The user key: keyspace, partition and sort key as one string of ordered bytes.

use std::borrow::Cow;
use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

use super::internal::{InternalKey, Kind, TRAILER_SIZE};

/// An ordered space of keys, apart from all others. Ids are never used twice in the life of a
/// database, so what a dropped keyspace left behind can never show up in a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyspaceId(pub u32);

/// The first id of a log.
const FIRST_LOG: u32 = 1 << 31;

impl KeyspaceId {
    /// Whether this keyspace is a *log*: made for what is written behind everything that its partition
    /// has, hardly ever changed after, and dropped with the whole keyspace. Nothing about reading or
    /// writing a log is different, and nothing is wrong where it is used otherwise. But SSTables are
    /// written such that what only grows need not be merged over and over.
    ///
    /// It is a part of the id so that whoever meets a key knows, in recovery and salvage too. Do not
    /// change: the server's logs are on disk with such ids.
    #[must_use]
    pub fn is_log(self) -> bool {
        self.0 >= FIRST_LOG
    }

    /// The id of a log with a number, which is below 2^31.
    pub(crate) fn log(number: u32) -> KeyspaceId {
        KeyspaceId(FIRST_LOG | number)
    }

    /// The id with the same number that is a log if this is none, and none if this is a log.
    pub(crate) fn other_kind(self) -> KeyspaceId {
        KeyspaceId(self.0 ^ FIRST_LOG)
    }

    /// The id without what makes it that of a log.
    pub(crate) fn number(self) -> u32 {
        self.0 & !FIRST_LOG
    }
}

impl fmt::Display for KeyspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Where the partition hash starts in a user key.
const HASH_OFFSET: usize = 4;
/// Where the escaped partition starts in a user key.
const PARTITION_OFFSET: usize = 12;
/// Ends the escaped partition. Smaller than any escape (`00 FF`) and, with its first byte, than
/// any other continuation, so that a partition sorts before those which it is a prefix of. Do not
/// change: it is on disk.
pub(super) const TERMINATOR: [u8; 2] = [0x00, 0x01];

/// An owned, encoded user key.
///
/// Layout (this is also what is on disk; do not change):
///
/// | offset | size | content |
/// |---|---|---|
/// | 0 | 4 | keyspace id, u32 big-endian |
/// | 4 | 8 | XXH3-64 of the unescaped partition bytes with seed 0, u64 big-endian |
/// | 12 | n | partition bytes, each `00` written as `00 FF` |
/// | 12 + n | 2 | terminator `00 01` |
/// | 14 + n | rest | sort bytes as given |
///
/// Byte order of keys is therefore (keyspace, hash, partition, sort), and the keys of one
/// partition are contiguous and sorted by their sort bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    bytes: Vec<u8>,
}

impl Key {
    /// Encodes a key. One allocation, which also has room for the version that a write appends.
    #[must_use]
    pub fn new(keyspace: KeyspaceId, partition: &[u8], sort: &[u8]) -> Key {
        let mut bytes = Vec::with_capacity(
            PARTITION_OFFSET
                + escaped_len(partition)
                + TERMINATOR.len()
                + sort.len()
                + TRAILER_SIZE,
        );
        push_partition(&mut bytes, keyspace, partition);
        bytes.extend_from_slice(sort);
        Key { bytes }
    }

    /// A key whose sort bytes are a sequence number, u64 big-endian, and then `suffix`; the number is
    /// 0 until [`Key::stamp`] puts in that of a commit.
    #[must_use]
    pub(crate) fn stamped(keyspace: KeyspaceId, partition: &[u8], suffix: &[u8]) -> Key {
        Key::new(keyspace, partition, &[&[0; STAMP_SIZE], suffix].concat())
    }

    /// Puts a sequence number into a key that was made for one.
    pub(crate) fn stamp(&mut self, sequence: u64) {
        stamp(&mut self.bytes, sequence);
    }

    /// The encoded bytes; their order is the order of keys.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The parts of this key.
    #[must_use]
    pub fn as_key_ref(&self) -> KeyRef<'_> {
        KeyRef {
            bytes: &self.bytes,
            partition_end: partition_end(&self.bytes).unwrap_or(0),
        }
    }

    /// The keyspace this key is in.
    #[must_use]
    pub fn keyspace(&self) -> KeyspaceId {
        keyspace_of(&self.bytes).unwrap_or(KeyspaceId(0))
    }

    /// XXH3-64 of the whole encoded key: what key locks are striped by and Bloom filters are
    /// keyed by.
    #[must_use]
    pub fn hash64(&self) -> u64 {
        user_key_hash(&self.bytes)
    }

    /// Makes this the key of one version, in place.
    #[must_use]
    pub(crate) fn into_internal(self, sequence: u64, kind: Kind) -> InternalKey {
        InternalKey::from_user_vec(self.bytes, sequence, kind)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_key_ref().fmt(f)
    }
}

impl From<KeyRef<'_>> for Key {
    fn from(key: KeyRef<'_>) -> Key {
        let mut bytes = Vec::with_capacity(key.bytes.len() + TRAILER_SIZE);
        bytes.extend_from_slice(key.bytes);
        Key { bytes }
    }
}

/// A borrowed view of an encoded user key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRef<'a> {
    bytes: &'a [u8],
    /// Offset of the first sort byte.
    partition_end: usize,
}

impl<'a> KeyRef<'a> {
    /// Views encoded bytes as a key. `None` if they cannot be one.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<KeyRef<'a>> {
        let partition_end = partition_end(bytes)?;
        Some(KeyRef {
            bytes,
            partition_end,
        })
    }

    /// The encoded bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The keyspace this key is in.
    #[must_use]
    pub fn keyspace(&self) -> KeyspaceId {
        keyspace_of(self.bytes).unwrap_or(KeyspaceId(0))
    }

    /// The hash of the partition: its place among the keyspace's partitions.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.bytes
            .get(HASH_OFFSET..)
            .and_then(|bytes| bytes.first_chunk::<8>())
            .map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// The partition bytes. Borrowed unless they hold a `00`, which is escaped in the key.
    #[must_use]
    pub fn partition(&self) -> Cow<'a, [u8]> {
        let end = self.partition_end.saturating_sub(TERMINATOR.len());
        let escaped = self.bytes.get(PARTITION_OFFSET..end).unwrap_or_default();
        if escaped.contains(&0) {
            Cow::Owned(unescape(escaped))
        } else {
            Cow::Borrowed(escaped)
        }
    }

    /// The sort bytes.
    #[must_use]
    pub fn sort(&self) -> &'a [u8] {
        self.bytes.get(self.partition_end..).unwrap_or_default()
    }
}

impl fmt::Debug for KeyRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{:016x}/\"{}\"/\"{}\"",
            self.keyspace(),
            self.hash(),
            self.partition().escape_ascii(),
            self.sort().escape_ascii()
        )
    }
}

/// Appends the part of a user key that all keys of one partition share.
pub(super) fn push_partition(bytes: &mut Vec<u8>, keyspace: KeyspaceId, partition: &[u8]) {
    bytes.extend_from_slice(&keyspace.0.to_be_bytes());
    bytes.extend_from_slice(&xxh3_64(partition).to_be_bytes());
    let mut rest = partition;
    while let Some(zero) = rest.iter().position(|byte| *byte == 0) {
        let (head, tail) = rest.split_at(zero + 1);
        bytes.extend_from_slice(head);
        bytes.push(0xFF);
        rest = tail;
    }
    bytes.extend_from_slice(rest);
    bytes.extend_from_slice(&TERMINATOR);
}

/// Size of the partition prefix before the sort bytes.
pub(super) fn partition_prefix_len(partition: &[u8]) -> usize {
    PARTITION_OFFSET + escaped_len(partition) + TERMINATOR.len()
}

fn escaped_len(partition: &[u8]) -> usize {
    partition.len() + partition.iter().filter(|byte| **byte == 0).count()
}

fn unescape(escaped: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut after_zero = false;
    for byte in escaped {
        // The only byte that can follow a zero here is the FF of its escape.
        if !after_zero {
            bytes.push(*byte);
        }
        after_zero = !after_zero && *byte == 0;
    }
    bytes
}

/// The keyspace of an encoded user key; `None` if it is too short to have one.
pub(crate) fn keyspace_of(user_key: &[u8]) -> Option<KeyspaceId> {
    user_key
        .first_chunk::<4>()
        .map(|bytes| KeyspaceId(u32::from_be_bytes(*bytes)))
}

/// Offset behind the terminator of the partition: what lies before it is shared by all keys of
/// the partition and by no other key. `None` if the bytes are no user key.
pub(crate) fn partition_end(user_key: &[u8]) -> Option<usize> {
    let mut at = PARTITION_OFFSET;
    loop {
        at += user_key.get(at..)?.iter().position(|byte| *byte == 0)? + 1;
        match user_key.get(at)? {
            0x01 => return Some(at + 1),
            0xFF => at += 1,
            _ => return None,
        }
    }
}

/// The prefix that a user key of a log shares with all keys of its partition; `None` if it is no key of
/// a log.
pub(crate) fn log_partition(user_key: &[u8]) -> Option<&[u8]> {
    keyspace_of(user_key).filter(|keyspace| keyspace.is_log())?;
    user_key.get(..partition_end(user_key)?)
}

/// Size of the sequence number that the sort bytes of a stamped key begin with.
const STAMP_SIZE: usize = 8;

/// Whether a key's sort bytes have room for a stamp.
pub(crate) fn is_stampable(user_key: &[u8]) -> bool {
    partition_end(user_key).is_some_and(|end| user_key.len() >= end + STAMP_SIZE)
}

/// Puts a sequence number in front of the sort bytes, where there is room for one.
pub(crate) fn stamp(user_key: &mut [u8], sequence: u64) {
    let place = partition_end(user_key)
        .and_then(|end| user_key.get_mut(end..))
        .and_then(|sort| sort.first_chunk_mut::<STAMP_SIZE>());
    if let Some(place) = place {
        *place = sequence.to_be_bytes();
    }
}

/// The hash that Bloom filters and key locks use. Do not change: filters on disk hold it.
pub(crate) fn user_key_hash(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn layout_is_as_documented() {
        let key = Key::new(KeyspaceId(7), b"a\0b", b"\0sort");
        let mut expected = vec![0, 0, 0, 7];
        expected.extend_from_slice(&xxh3_64(b"a\0b").to_be_bytes());
        expected.extend_from_slice(b"a\0\xFFb\0\x01\0sort");
        assert_eq!(key.as_bytes(), expected);
    }

    #[test]
    fn hash_is_xxh3_with_seed_zero() {
        // The reference value of XXH3-64 for the empty input, from the xxHash specification's
        // own test vectors.
        assert_eq!(
            Key::new(KeyspaceId(0), b"", b"").as_key_ref().hash(),
            0x2D06_8005_38D3_94C2
        );
    }

    #[test]
    fn a_stamped_key_is_the_one_with_the_sequence_number() {
        let mut key = Key::stamped(KeyspaceId(7), b"a\0b", b"suffix");
        assert!(is_stampable(key.as_bytes()));
        key.stamp(0x0102_0304_0506_0708);
        let sort = b"\x01\x02\x03\x04\x05\x06\x07\x08suffix";
        assert_eq!(key, Key::new(KeyspaceId(7), b"a\0b", sort));
        assert!(!is_stampable(
            Key::new(KeyspaceId(7), b"p", b"1234567").as_bytes()
        ));
        assert!(!is_stampable(b"no key"));
    }

    #[test]
    fn bytes_that_are_no_key_are_refused() {
        let good = Key::new(KeyspaceId(1), b"p\0", b"s");
        let end = good.as_bytes().len() - 1;
        assert!(KeyRef::parse(&good.as_bytes()[..end]).is_some());
        for cut in 0..end {
            assert!(
                KeyRef::parse(&good.as_bytes()[..cut]).is_none(),
                "cut at {cut}"
            );
        }
        let mut wrong_escape = good.as_bytes().to_vec();
        wrong_escape[14] = 0x02;
        assert!(KeyRef::parse(&wrong_escape).is_none());
    }

    #[test]
    fn a_version_is_appended_without_allocating_again() {
        let key = Key::new(KeyspaceId(1), b"p\0\0", b"s");
        let before = key.as_bytes().as_ptr();
        let internal = key.into_internal(3, Kind::Put);
        assert_eq!(internal.as_bytes().as_ptr(), before);
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(
            prop_oneof![Just(0u8), Just(1), Just(0xFF), any::<u8>()],
            0..8,
        )
    }

    proptest! {
        #[test]
        fn parts_come_back(keyspace: u32, partition in bytes(), sort in bytes()) {
            let key = Key::new(KeyspaceId(keyspace), &partition, &sort);
            let parsed = KeyRef::parse(key.as_bytes()).unwrap();
            prop_assert_eq!(parsed.keyspace(), KeyspaceId(keyspace));
            prop_assert_eq!(parsed.hash(), xxh3_64(&partition));
            prop_assert_eq!(parsed.sort(), sort.as_slice());
            prop_assert_eq!(parsed.partition().into_owned(), partition);
        }

        #[test]
        fn order_of_bytes_is_order_of_parts(
            left in (0u32..3, bytes(), bytes()),
            right in (0u32..3, bytes(), bytes()),
        ) {
            let parts = |(keyspace, partition, sort): &(u32, Vec<u8>, Vec<u8>)| {
                (*keyspace, xxh3_64(partition), partition.clone(), sort.clone())
            };
            let encode = |(keyspace, partition, sort): &(u32, Vec<u8>, Vec<u8>)| {
                Key::new(KeyspaceId(*keyspace), partition, sort)
            };
            prop_assert_eq!(
                encode(&left).cmp(&encode(&right)),
                parts(&left).cmp(&parts(&right))
            );
        }
    }
}
