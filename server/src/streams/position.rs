//! Where records stand in a shard, and the sequence numbers that clients see.

use std::fmt;

/// Digits of the part of a sequence number that is the commit's.
const COMMIT_DIGITS: usize = 20;
/// Digits of the part that tells the records of one commit apart.
const ORDINAL_DIGITS: usize = 5;

/// Where a record stands among those of its shard.
///
/// As a sequence number it is a 1, the number of the commit in twenty digits, and five digits for the
/// records of one commit. All have 26 digits (the API allows 21 to 40), so that they have one order
/// as numbers and as texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Sequence number of the commit.
    pub sequence: u64,
    /// Which of the records of that commit.
    pub ordinal: u16,
}

impl Position {
    /// The first place that is not within or before a commit.
    pub fn behind_commit(sequence: u64) -> Self {
        Self {
            sequence: sequence.saturating_add(1),
            ordinal: 0,
        }
    }

    /// The last place within a commit.
    pub fn end_of_commit(sequence: u64) -> Self {
        Self {
            sequence,
            ordinal: u16::MAX,
        }
    }

    /// The next place.
    pub fn next(self) -> Self {
        match self.ordinal.checked_add(1) {
            Some(ordinal) => Self { ordinal, ..self },
            None => Self::behind_commit(self.sequence),
        }
    }

    /// The sort part of the key of the record that stands here. On disk: do not change.
    pub fn sort_bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        let (sequence, ordinal) = bytes.split_at_mut(8);
        sequence.copy_from_slice(&self.sequence.to_be_bytes());
        ordinal.copy_from_slice(&self.ordinal.to_be_bytes());
        bytes
    }

    /// The position in the sort part of a key.
    pub fn from_sort(bytes: &[u8]) -> Option<Self> {
        let (sequence, ordinal) = bytes.split_first_chunk()?;
        Some(Self {
            sequence: u64::from_be_bytes(*sequence),
            ordinal: u16::from_be_bytes(ordinal.try_into().ok()?),
        })
    }

    /// The position that a sequence number stands for, if it is one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('1')?;
        let well_formed = digits.len() == COMMIT_DIGITS + ORDINAL_DIGITS
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        let (sequence, ordinal) = digits.split_at_checked(COMMIT_DIGITS)?;
        well_formed.then_some(Self {
            sequence: sequence.parse().ok()?,
            ordinal: ordinal.parse().ok()?,
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "1{:0COMMIT_DIGITS$}{:0ORDINAL_DIGITS$}",
            self.sequence, self.ordinal
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn position() -> impl Strategy<Value = Position> {
        (any::<u64>(), any::<u16>()).prop_map(|(sequence, ordinal)| Position { sequence, ordinal })
    }

    proptest! {
        #[test]
        fn all_forms_have_one_order(left in position(), right in position()) {
            prop_assert_eq!(left.cmp(&right), left.to_string().cmp(&right.to_string()));
            prop_assert_eq!(left.cmp(&right), left.sort_bytes().cmp(&right.sort_bytes()));
            prop_assert_eq!(Position::parse(&left.to_string()), Some(left));
            prop_assert_eq!(Position::from_sort(&left.sort_bytes()), Some(left));
        }
    }

    #[test]
    fn texts_that_are_no_positions_are_none() {
        let good = Position {
            sequence: 7,
            ordinal: 2,
        }
        .to_string();
        assert_eq!(good, "10000000000000000000700002");
        for text in [
            "",
            "000000000000000000000",
            "1000000000000000000070000",
            "20000000000000000000700002",
            "1000000000000000000070000x",
            "19999999999999999999900002",
            "10000000000000000000765536",
        ] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
        assert_eq!(
            Position::end_of_commit(7).next(),
            Position::behind_commit(7)
        );
    }
}
