//! The text of a number, without an allocation.

use std::fmt;
use std::ops::Deref;

/// The longest one: minus, `0.`, 129 zeros and 38 digits.
const MAX_BYTES: usize = 170;

/// A number in plain notation, as DynamoDB prints it.
#[derive(Clone, Copy)]
pub struct NumberText {
    bytes: [u8; MAX_BYTES],
    length: usize,
}

impl NumberText {
    pub(super) fn new() -> NumberText {
        NumberText {
            bytes: [0; MAX_BYTES],
            length: 0,
        }
    }

    pub(super) fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    pub(super) fn zeros(&mut self, count: usize) {
        (0..count).for_each(|_| self.push(b'0'));
    }

    /// Digits by value, not by character.
    pub(super) fn digits(&mut self, digits: &[u8]) {
        digits.iter().for_each(|digit| self.push(b'0' + digit));
    }
}

impl NumberText {
    /// The text's bytes, which are ASCII.
    pub(in crate::item) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl Deref for NumberText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl fmt::Debug for NumberText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
