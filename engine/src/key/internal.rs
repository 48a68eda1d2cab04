//! The internal key: a user key with the sequence number and kind of one of its versions.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;

use super::user::KeyRef;

/// Bytes that a version adds to its user key.
pub(crate) const TRAILER_SIZE: usize = 9;

/// What a version is. The numbers are on disk; do not change them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The key has no value from this version on: a tombstone.
    Delete = 0,
    /// The key has this value.
    Put = 1,
}

impl Kind {
    /// The kind with this number, if there is one.
    pub(crate) fn from_u8(byte: u8) -> Option<Kind> {
        match byte {
            0 => Some(Kind::Delete),
            1 => Some(Kind::Put),
            _ => None,
        }
    }
}

/// The last nine bytes of an internal key.
///
/// | offset | size | content |
/// |---|---|---|
/// | 0 | 8 | bitwise complement of the sequence number, u64 big-endian |
/// | 8 | 1 | kind: 0 tombstone, 1 value |
///
/// The complement makes newer versions sort first, so that a seek to (key, sequence number) finds
/// the newest version that is not newer than that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trailer(pub(crate) [u8; TRAILER_SIZE]);

impl Trailer {
    /// Sorts before every version of its user key.
    pub(crate) const FIRST: Trailer = Trailer([0; TRAILER_SIZE]);
    /// Sorts behind every version of its user key.
    pub(crate) const LAST: Trailer = Trailer([0xFF; TRAILER_SIZE]);

    /// The trailer of a version.
    pub(crate) fn new(sequence: u64, kind: Kind) -> Trailer {
        let mut bytes = [kind as u8; TRAILER_SIZE];
        for (to, from) in bytes.iter_mut().zip((!sequence).to_be_bytes()) {
            *to = from;
        }
        Trailer(bytes)
    }

    /// Sorts before the newest version that a reader at `sequence` may see, and behind all newer.
    pub(crate) fn seek(sequence: u64) -> Trailer {
        Trailer::new(sequence, Kind::Delete)
    }

    /// The sequence number.
    pub(crate) fn sequence(self) -> u64 {
        let [a, b, c, d, e, f, g, h, _] = self.0;
        !u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The kind; `None` for a number that no kind has.
    pub(crate) fn kind(self) -> Option<Kind> {
        let [.., kind] = self.0;
        Kind::from_u8(kind)
    }
}

impl fmt::Debug for Trailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Some(kind) => write!(f, "#{}.{kind:?}", self.sequence()),
            None => write!(f, "#{}.?", self.sequence()),
        }
    }
}

/// A borrowed internal key, in its two parts.
///
/// Order is that of the user keys' bytes, then of the trailers. It is *not* the order of the
/// concatenated bytes: a user key may be a prefix of another one, and then a trailer would be
/// compared with sort bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InternalKeyRef<'a> {
    pub(crate) user: &'a [u8],
    pub(crate) trailer: Trailer,
}

impl<'a> InternalKeyRef<'a> {
    /// The key of a version.
    #[cfg(test)]
    pub(crate) fn new(user: &'a [u8], sequence: u64, kind: Kind) -> InternalKeyRef<'a> {
        InternalKeyRef {
            user,
            trailer: Trailer::new(sequence, kind),
        }
    }

    /// The place to seek to for the newest version of `user` that a reader at `sequence` may see.
    pub(crate) fn seek(user: &'a [u8], sequence: u64) -> InternalKeyRef<'a> {
        InternalKeyRef {
            user,
            trailer: Trailer::seek(sequence),
        }
    }

    /// The place before all versions of `user`.
    pub(crate) fn before(user: &'a [u8]) -> InternalKeyRef<'a> {
        InternalKeyRef {
            user,
            trailer: Trailer::FIRST,
        }
    }

    /// The place behind all versions of `user`.
    pub(crate) fn behind(user: &'a [u8]) -> InternalKeyRef<'a> {
        InternalKeyRef {
            user,
            trailer: Trailer::LAST,
        }
    }

    /// Views encoded bytes; `None` if they are too short to hold a trailer.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<InternalKeyRef<'a>> {
        let (user, trailer) = bytes.split_last_chunk::<TRAILER_SIZE>()?;
        Some(InternalKeyRef {
            user,
            trailer: Trailer(*trailer),
        })
    }

    /// The sequence number.
    pub(crate) fn sequence(&self) -> u64 {
        self.trailer.sequence()
    }

    /// The kind; `None` for a number that no kind has.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.trailer.kind()
    }

    /// Appends the encoded bytes.
    pub(crate) fn push_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.user);
        bytes.extend_from_slice(&self.trailer.0);
    }
}

impl fmt::Debug for InternalKeyRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KeyRef::parse(self.user) {
            Some(key) => write!(f, "{key:?}{:?}", self.trailer),
            None => write!(f, "\"{}\"{:?}", self.user.escape_ascii(), self.trailer),
        }
    }
}

/// Compares two encoded internal keys: user keys first, then trailers.
fn compare_internal(left: &[u8], right: &[u8]) -> Ordering {
    match (
        left.split_last_chunk::<TRAILER_SIZE>(),
        right.split_last_chunk::<TRAILER_SIZE>(),
    ) {
        (Some((left_user, left_trailer)), Some((right_user, right_trailer))) => left_user
            .cmp(right_user)
            .then_with(|| left_trailer.cmp(right_trailer)),
        // Too short to be internal keys: any total order will do, and no panic.
        _ => left.cmp(right),
    }
}

/// What a sorted map of [`InternalKey`]s can be searched with, owned or borrowed:
/// `map.range::<dyn InternalOrd, _>(…)` takes an [`InternalKeyRef`] and allocates nothing.
pub(crate) trait InternalOrd {
    /// The key in its two parts.
    fn parts(&self) -> InternalKeyRef<'_>;
}

impl InternalOrd for InternalKeyRef<'_> {
    fn parts(&self) -> InternalKeyRef<'_> {
        *self
    }
}

impl PartialEq for dyn InternalOrd + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for dyn InternalOrd + '_ {}

impl PartialOrd for dyn InternalOrd + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn InternalOrd + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

/// An owned internal key: user key bytes and then the [`Trailer`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct InternalKey {
    bytes: Box<[u8]>,
}

impl InternalKey {
    /// Encodes the key of a version.
    pub(crate) fn new(user_key: &[u8], sequence: u64, kind: Kind) -> InternalKey {
        let mut bytes = Vec::with_capacity(user_key.len() + TRAILER_SIZE);
        bytes.extend_from_slice(user_key);
        InternalKey::from_user_vec(bytes, sequence, kind)
    }

    /// As [`InternalKey::new`], from bytes that have room for the trailer.
    pub(super) fn from_user_vec(mut bytes: Vec<u8>, sequence: u64, kind: Kind) -> InternalKey {
        bytes.extend_from_slice(&Trailer::new(sequence, kind).0);
        InternalKey {
            bytes: bytes.into_boxed_slice(),
        }
    }

    /// The encoded bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key in its two parts.
    pub(crate) fn as_ref(&self) -> InternalKeyRef<'_> {
        InternalKeyRef::parse(&self.bytes).unwrap_or(InternalKeyRef {
            user: &self.bytes,
            trailer: Trailer::FIRST,
        })
    }

    /// The user key.
    #[cfg(test)]
    pub(crate) fn user_key(&self) -> &[u8] {
        self.as_ref().user
    }
}

impl PartialOrd for InternalKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for InternalKey {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_internal(&self.bytes, &other.bytes)
    }
}

impl InternalOrd for InternalKey {
    fn parts(&self) -> InternalKeyRef<'_> {
        self.as_ref()
    }
}

impl<'a> Borrow<dyn InternalOrd + 'a> for InternalKey {
    fn borrow(&self) -> &(dyn InternalOrd + 'a) {
        self
    }
}

impl fmt::Debug for InternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::Bound;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn newer_versions_come_first() {
        let newer = InternalKey::new(b"k", 9, Kind::Delete);
        let older = InternalKey::new(b"k", 8, Kind::Put);
        assert!(newer < older);
        assert_eq!(newer.as_ref().sequence(), 9);
        assert_eq!(newer.as_ref().kind(), Some(Kind::Delete));
        assert_eq!(older.as_ref().kind(), Some(Kind::Put));
    }

    #[test]
    fn a_prefix_sorts_before_its_extension_whatever_the_trailer() {
        // The trailer of sequence number 0 starts with FF: as plain bytes, the order is wrong.
        let short = InternalKey::new(b"k", 0, Kind::Put);
        let long = InternalKey::new(b"k\x01", u64::MAX, Kind::Put);
        assert!(short < long);
        assert!(short.as_bytes() > long.as_bytes());
    }

    #[test]
    fn a_seek_lands_on_the_newest_visible_version() {
        let map: BTreeMap<InternalKey, u64> = [2u64, 5, 9]
            .into_iter()
            .map(|sequence| (InternalKey::new(b"k", sequence, Kind::Put), sequence))
            .collect();
        let find = |sequence| {
            let target = InternalKeyRef::seek(b"k", sequence);
            map.range::<dyn InternalOrd, _>((
                Bound::Included(&target as &dyn InternalOrd),
                Bound::Unbounded,
            ))
            .next()
            .map(|(_, found)| *found)
        };
        assert_eq!(find(u64::MAX), Some(9));
        assert_eq!(find(9), Some(9));
        assert_eq!(find(8), Some(5));
        assert_eq!(find(2), Some(2));
        assert_eq!(find(1), None);
    }

    #[test]
    fn bounds_enclose_all_versions() {
        for sequence in [0, 1, u64::MAX] {
            for kind in [Kind::Delete, Kind::Put] {
                let key = InternalKeyRef::new(b"k", sequence, kind);
                assert!(InternalKeyRef::before(b"k") <= key);
                assert!(InternalKeyRef::behind(b"k") > key);
                assert!(InternalKeyRef::seek(b"k", sequence) <= key);
            }
        }
    }

    proptest! {
        #[test]
        fn round_trip(user: Vec<u8>, sequence: u64, put: bool) {
            let kind = if put { Kind::Put } else { Kind::Delete };
            let key = InternalKey::new(&user, sequence, kind);
            let parsed = InternalKeyRef::parse(key.as_bytes()).unwrap();
            prop_assert_eq!(parsed, InternalKeyRef::new(&user, sequence, kind));
            prop_assert_eq!(parsed.sequence(), sequence);
            prop_assert_eq!(parsed.kind(), Some(kind));
        }
    }
}
