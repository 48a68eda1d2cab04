//! Ranges of user keys.

use std::fmt;
use std::ops::Bound;

use super::user::{Key, KeyspaceId, TERMINATOR, partition_prefix_len, push_partition};

/// Keys from `start` (included) to `end` (excluded; absent means to the end of all keys).
///
/// A range whose end is not behind its start is empty.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRange {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
    /// Length of the partition's prefix of `start` if all of the range is in one partition: an
    /// SSTable whose filter does not know the partition need not be read. 0 if it is not.
    partition_prefix: usize,
}

impl KeyRange {
    /// All keys of a keyspace.
    #[must_use]
    pub fn keyspace(keyspace: KeyspaceId) -> KeyRange {
        KeyRange {
            start: keyspace.0.to_be_bytes().to_vec(),
            end: keyspace_end(keyspace),
            partition_prefix: 0,
        }
    }

    /// All keys of one partition.
    #[must_use]
    pub fn partition(keyspace: KeyspaceId, partition: &[u8]) -> KeyRange {
        KeyRange::sort(keyspace, partition, Bound::Unbounded, Bound::Unbounded)
    }

    /// The keys of one partition whose sort bytes lie within bounds.
    #[must_use]
    pub fn sort(
        keyspace: KeyspaceId,
        partition: &[u8],
        lower: Bound<&[u8]>,
        upper: Bound<&[u8]>,
    ) -> KeyRange {
        let prefix = partition_prefix(keyspace, partition);
        // Nothing lies between a sort key and the same with a zero behind it.
        let at = |sort: &[u8]| [prefix.as_slice(), sort].concat();
        let behind = |sort: &[u8]| [prefix.as_slice(), sort, &[0]].concat();
        let start = match lower {
            Bound::Included(sort) => at(sort),
            Bound::Excluded(sort) => behind(sort),
            Bound::Unbounded => prefix.clone(),
        };
        let end = match upper {
            Bound::Included(sort) => Some(behind(sort)),
            Bound::Excluded(sort) => Some(at(sort)),
            Bound::Unbounded => successor(&prefix),
        };
        KeyRange {
            start,
            end,
            partition_prefix: prefix.len(),
        }
    }

    /// The keys of one partition whose sort bytes begin with `sort_prefix`.
    #[must_use]
    pub fn sort_prefix(keyspace: KeyspaceId, partition: &[u8], sort_prefix: &[u8]) -> KeyRange {
        let mut start = partition_prefix(keyspace, partition);
        let partition_prefix = start.len();
        start.extend_from_slice(sort_prefix);
        KeyRange {
            end: successor(&start),
            start,
            partition_prefix,
        }
    }

    /// One of `total` equal ranges of the partition hash; together they are the keyspace. A
    /// `segment` that is not below `total` is empty.
    #[must_use]
    pub fn segment(keyspace: KeyspaceId, segment: u32, total: u32) -> KeyRange {
        let boundary = |index: u32| -> Option<Vec<u8>> {
            if index >= total {
                return keyspace_end(keyspace);
            }
            let hash = (u128::from(index) << 64) / u128::from(total);
            let mut bytes = keyspace.0.to_be_bytes().to_vec();
            if index > 0 {
                // The quotient is below 2^64, as `index` is below `total`.
                bytes.extend_from_slice(&(hash as u64).to_be_bytes());
            }
            Some(bytes)
        };
        let start = if segment < total {
            boundary(segment)
        } else {
            None
        };
        match start {
            Some(start) => KeyRange {
                start,
                end: boundary(segment.saturating_add(1)),
                partition_prefix: 0,
            },
            None => KeyRange {
                start: Vec::new(),
                end: Some(Vec::new()),
                partition_prefix: 0,
            },
        }
    }

    /// The part of this range behind `key`: where a page goes on that ended with `key`.
    #[must_use]
    pub fn after(mut self, key: &Key) -> KeyRange {
        let bytes = key.as_bytes();
        if bytes >= self.start.as_slice() {
            // A start outside the partition leaves the range empty, and then no filter is asked
            // with a prefix that the start no longer has.
            if !bytes.starts_with(self.start.get(..self.partition_prefix).unwrap_or_default()) {
                self.partition_prefix = 0;
            }
            self.start.clear();
            self.start.extend_from_slice(bytes);
            self.start.push(0);
        }
        self
    }

    /// The part of this range before `key`: where a page goes on, backward, that ended with `key`.
    #[must_use]
    pub fn before(mut self, key: &Key) -> KeyRange {
        if self.end.as_deref().is_none_or(|end| key.as_bytes() < end) {
            self.end = Some(key.as_bytes().to_vec());
        }
        self
    }

    /// What both ranges hold. They are of one partition, or neither is of any.
    #[must_use]
    pub fn intersection(mut self, other: KeyRange) -> KeyRange {
        self.start = self.start.max(other.start);
        self.end = match (self.end, other.end) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        // A start of another partition leaves the range empty, or without a partition.
        if self.partition_prefix != other.partition_prefix {
            self.partition_prefix = 0;
        }
        self
    }

    /// The same range in another keyspace. This one is within a single keyspace.
    pub(crate) fn in_keyspace(&self, keyspace: KeyspaceId) -> KeyRange {
        let id = keyspace.0.to_be_bytes();
        let own_id = self.start.get(..id.len()).unwrap_or_default();
        let moved = |key: &[u8]| [&id, key.get(id.len()..).unwrap_or_default()].concat();
        let within = |end: &&Vec<u8>| end.len() > id.len() && end.starts_with(own_id);
        KeyRange {
            start: moved(&self.start),
            end: match self.end.as_ref().filter(within) {
                Some(end) => Some(moved(end)),
                None => keyspace_end(keyspace),
            },
            partition_prefix: self.partition_prefix,
        }
    }

    /// The first key bytes of the range.
    #[must_use]
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// The first key bytes behind the range; `None` if it has no end.
    #[must_use]
    pub fn end(&self) -> Option<&[u8]> {
        self.end.as_deref()
    }

    /// Whether the range cannot hold a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end <= &self.start)
    }

    /// Whether the range holds this encoded key.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.start.as_slice() && self.end.as_deref().is_none_or(|end| key < end)
    }

    /// The bytes that all keys of the range's one partition begin with; `None` if the range is
    /// not within one partition.
    pub(crate) fn partition_prefix(&self) -> Option<&[u8]> {
        if self.partition_prefix == 0 {
            return None;
        }
        self.start.get(..self.partition_prefix)
    }
}

impl fmt::Debug for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[\"{}\", ", self.start.escape_ascii())?;
        match &self.end {
            Some(end) => write!(f, "\"{}\")", end.escape_ascii()),
            None => f.write_str("∞)"),
        }
    }
}

fn partition_prefix(keyspace: KeyspaceId, partition: &[u8]) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(partition_prefix_len(partition) + TERMINATOR.len());
    push_partition(&mut prefix, keyspace, partition);
    prefix
}

fn keyspace_end(keyspace: KeyspaceId) -> Option<Vec<u8>> {
    keyspace
        .0
        .checked_add(1)
        .map(|next| next.to_be_bytes().to_vec())
}

/// The smallest bytes that are greater than everything that begins with `prefix`; `None` if there
/// are none.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xFF)?;
    let mut end = prefix.get(..=last)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KS: KeyspaceId = KeyspaceId(3);

    fn key(partition: &[u8], sort: &[u8]) -> Key {
        Key::new(KS, partition, sort)
    }

    fn holds(range: &KeyRange, key: &Key) -> bool {
        range.contains(key.as_bytes())
    }

    #[test]
    fn a_keyspace_holds_its_keys_only() {
        let range = KeyRange::keyspace(KS);
        assert!(holds(&range, &key(b"", b"")));
        assert!(!holds(&range, &Key::new(KeyspaceId(2), b"\xFF", b"")));
        assert!(!holds(&range, &Key::new(KeyspaceId(4), b"", b"")));
        assert_eq!(KeyRange::keyspace(KeyspaceId(u32::MAX)).end(), None);
    }

    #[test]
    fn pages_go_on_behind_and_before_a_key() {
        let range = KeyRange::partition(KS, b"p");
        let forward = range.clone().after(&key(b"p", b"b"));
        assert!(!holds(&forward, &key(b"p", b"b")));
        assert!(holds(&forward, &key(b"p", b"b\0")));
        let backward = range.clone().before(&key(b"p", b"b"));
        assert!(!holds(&backward, &key(b"p", b"b")));
        assert!(holds(&backward, &key(b"p", b"a\xFF")));
        assert_eq!(forward.partition_prefix(), range.partition_prefix());
        // A key outside the range does not widen it.
        let lowest = Key::new(KeyspaceId(0), b"", b"");
        let highest = Key::new(KeyspaceId(9), b"", b"");
        assert_eq!(range.clone().after(&lowest), range);
        assert_eq!(range.clone().before(&highest), range);
        let behind_all = range.after(&highest);
        assert!(behind_all.is_empty());
        assert_eq!(behind_all.partition_prefix(), None);
    }

    #[test]
    fn a_range_in_another_keyspace_has_the_same_keys() {
        let other = KeyspaceId(7);
        for range in [
            KeyRange::keyspace as fn(KeyspaceId) -> KeyRange,
            |keyspace| KeyRange::partition(keyspace, b"p"),
            |keyspace| KeyRange::sort_prefix(keyspace, b"p", &[0xFF]),
            |keyspace| KeyRange::segment(keyspace, 0, 3),
            |keyspace| KeyRange::segment(keyspace, 1, 3),
            |keyspace| KeyRange::segment(keyspace, 2, 3),
            |keyspace| KeyRange::keyspace(keyspace).before(&Key::new(keyspace, b"p", b"s")),
        ] {
            assert_eq!(range(KS).in_keyspace(other), range(other));
        }
    }

    #[test]
    fn a_segment_out_of_bounds_is_empty() {
        assert!(KeyRange::segment(KS, 4, 4).is_empty());
        assert!(KeyRange::segment(KS, 0, 0).is_empty());
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0u8), Just(0xFF), any::<u8>()], 0..5)
    }

    fn bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
        prop_oneof![
            bytes().prop_map(Bound::Included),
            bytes().prop_map(Bound::Excluded),
            Just(Bound::Unbounded)
        ]
    }

    fn borrow(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
        match bound {
            Bound::Included(bytes) => Bound::Included(bytes.as_slice()),
            Bound::Excluded(bytes) => Bound::Excluded(bytes.as_slice()),
            Bound::Unbounded => Bound::Unbounded,
        }
    }

    proptest! {
        #[test]
        fn segments_part_the_keyspace(partition in bytes(), total in 1u32..50) {
            let key = key(&partition, b"s");
            let segments = (0..total)
                .filter(|segment| holds(&KeyRange::segment(KS, *segment, total), &key))
                .count();
            prop_assert_eq!(segments, 1);
        }

        #[test]
        fn sort_bounds_are_those_of_the_sort_bytes(
            partition in bytes(), other in bytes(), sort in bytes(),
            lower in bound(), upper in bound(),
        ) {
            use std::ops::RangeBounds;
            let range = KeyRange::sort(KS, &partition, borrow(&lower), borrow(&upper));
            let bounds = (borrow(&lower), borrow(&upper));
            let within = RangeBounds::<[u8]>::contains(&bounds, sort.as_slice());
            prop_assert_eq!(holds(&range, &key(&partition, &sort)), within);
            if other != partition {
                prop_assert!(!holds(&range, &key(&other, &sort)));
            }
        }

        #[test]
        fn prefixes_are_those_of_the_sort_bytes(
            partition in bytes(), prefix in bytes(), sort in bytes(), extend: bool,
        ) {
            let sort = if extend { [prefix.clone(), sort].concat() } else { sort };
            let range = KeyRange::sort_prefix(KS, &partition, &prefix);
            prop_assert_eq!(holds(&range, &key(&partition, &sort)), sort.starts_with(&prefix));
        }
    }
}
