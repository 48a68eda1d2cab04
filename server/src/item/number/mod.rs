//! DynamoDB's number: up to 38 significant decimal digits, 1E-130 to 9.99…E+125, exact.
//!
//! # Layout
//!
//! A number is kept in one canonical form of 2 to 21 bytes, in requests, in items and in keys:
//! equal numbers are equal bytes, and the order of the bytes (`memcmp`) is the order of the numbers.
//! The form also tells where it ends, so that in a key anything may follow it.
//!
//! The value is written in base 100, with the pairs of decimal digits aligned to the decimal point:
//! `v = ± 0.p₁p₂…pₙ · 100^(E+1)`, `p₁ ≠ 0`, `pₙ ≠ 0`, `1 ≤ n ≤ 20`, `-65 ≤ E ≤ 62`.
//!
//! ```text
//! positive   0x80 + (E + 65), then for each pair 2·p + 1, for the last one 2·p
//! zero       0x80 0x00                  (the pair 0, which no other number starts with)
//! negative   the bytes of its absolute value, each complemented
//! ```
//!
//! The lowest bit of a pair's byte says whether another one follows. A longer number that starts
//! with the pairs of a shorter one is larger, and its byte is larger by that very bit.

mod arithmetic;
mod decimal;
mod parse;
#[cfg(test)]
pub(super) mod tests;
mod text;

use std::fmt;

use self::decimal::Decimal;
pub use self::text::NumberText;

/// Why a text or a sum is no number that DynamoDB stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// The text is no decimal number, or its exponent does not fit 64 bits.
    NotNumeric,
    /// The magnitude is 1E+126 or more.
    Overflow,
    /// The magnitude is below 1E-130, and it is not zero.
    Underflow,
    /// More than 38 significant digits.
    TooPrecise,
}

/// The longest form, in bytes: the header, and 38 digits that straddle 20 pairs.
pub const MAX_NUMBER_BYTES: usize = 21;

/// A number in its canonical bytes. Copied freely: 22 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    /// The form, and zeros behind it. No form is the start of another one, so that the zeros never
    /// decide a comparison.
    bytes: [u8; MAX_NUMBER_BYTES],
    length: u8,
}

impl Number {
    /// Zero.
    pub const ZERO: Number = {
        let mut bytes = [0; MAX_NUMBER_BYTES];
        bytes[0] = 0x80;
        Number { bytes, length: 2 }
    };

    /// Reads a decimal number as DynamoDB does: an optional sign, digits with at most one point, an
    /// optional exponent; no spaces.
    ///
    /// Zeros at either end do not count as digits. Zero itself is range-checked by the exponent that
    /// it is written with: `0e126` overflows.
    pub fn parse(text: &str) -> Result<Number, NumberError> {
        parse::parse(text.as_bytes())
    }

    /// The canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }

    /// The number whose canonical bytes `bytes` are: nothing missing, nothing left over, nothing
    /// that could be said shorter.
    pub fn from_bytes(bytes: &[u8]) -> Option<Number> {
        let (number, rest) = Number::split(bytes)?;
        rest.is_empty().then_some(number)
    }

    /// Takes a number off the front of `bytes`, and gives what follows it.
    pub fn split(bytes: &[u8]) -> Option<(Number, &[u8])> {
        let first = *bytes.first()?;
        let flip = if first < 0x80 { 0xff } else { 0 };
        let pairs = bytes.get(1..)?;
        let last = pairs.iter().position(|byte| (byte ^ flip) & 1 == 0)?;
        let length = last + 2;
        if length > MAX_NUMBER_BYTES {
            return None;
        }
        let (form, rest) = bytes.split_at_checked(length)?;
        let mut number = Number {
            bytes: [0; MAX_NUMBER_BYTES],
            length: u8::try_from(length).ok()?,
        };
        number.bytes.get_mut(..length)?.copy_from_slice(form);
        number.is_canonical().then_some((number, rest))
    }

    /// Whether the bytes, known to be framed, are the form of a number within the limits.
    fn is_canonical(&self) -> bool {
        if *self == Number::ZERO {
            return true;
        }
        let pairs = self.pairs();
        let in_range = pairs.clone().all(|pair| pair < 100);
        let trimmed = pairs.clone().next() != Some(0) && pairs.clone().next_back() != Some(0);
        in_range && trimmed && self.digits() <= decimal::MAX_DIGITS
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        self.as_bytes().first().is_some_and(|byte| *byte < 0x80)
    }

    /// Whether it is zero.
    pub fn is_zero(&self) -> bool {
        *self == Number::ZERO
    }

    /// What the number costs in the size of an item, in bytes.
    ///
    /// One byte, one for every two significant digits before the point and one for every two behind
    /// it (each rounded up, leading and trailing zeros of the number not counted), and one for a
    /// minus. Zero costs one. AWS documents this approximately ("Item sizes and formats"); the exact
    /// rule was measured on AWS against the 400 KB limit, by the captures of the public conformance
    /// suite (`src/item-size.ts`, 2026-08-18): `100.5` costs 4, `3.14159` 5, `123456` 4.
    pub fn size(&self) -> usize {
        if self.is_zero() {
            return 1;
        }
        let digits = self.digits();
        // The digits from the first significant one to the point.
        let whole = usize::try_from(self.magnitude() + 1).unwrap_or_default();
        let integer = digits.min(whole);
        let fraction = digits - integer;
        1 + integer.div_ceil(2) + fraction.div_ceil(2) + usize::from(self.is_negative())
    }

    /// The pairs of digits, first to last.
    fn pairs(&self) -> impl DoubleEndedIterator<Item = u8> + ExactSizeIterator + Clone + '_ {
        let flip = if self.is_negative() { 0xff } else { 0 };
        let pairs = self.as_bytes().get(1..).unwrap_or_default();
        pairs.iter().map(move |byte| (byte ^ flip) >> 1)
    }

    /// How many significant digits it has; one for zero.
    fn digits(&self) -> usize {
        let (first, last) = (self.pairs().next(), self.pairs().next_back());
        let short = usize::from(first.is_some_and(|pair| pair < 10))
            + usize::from(last.is_some_and(|pair| pair % 10 == 0 && pair > 0));
        (2 * (usize::from(self.length) - 1)).saturating_sub(short)
    }

    /// The power of 100 of the first pair, from -65 to 62.
    fn exponent(&self) -> i32 {
        let header = self.as_bytes().first().copied().unwrap_or_default();
        let header = if self.is_negative() { !header } else { header };
        i32::from(header & 0x7f) - 65
    }

    /// The power of ten of the first significant digit, from -130 to 125.
    fn magnitude(&self) -> i32 {
        let high = self.pairs().next().is_some_and(|pair| pair >= 10);
        2 * self.exponent() + i32::from(high)
    }

    /// The sum, if it has at most 38 digits and is within the range. DynamoDB does not round.
    pub fn checked_add(&self, other: &Number) -> Result<Number, NumberError> {
        arithmetic::add(self, other, false)
    }

    /// The difference, if it has at most 38 digits and is within the range.
    pub fn checked_sub(&self, other: &Number) -> Result<Number, NumberError> {
        arithmetic::add(self, other, true)
    }

    /// The number as an integer of 64 bits, if it is one.
    pub fn to_i64(&self) -> Option<i64> {
        let whole = self.whole()?;
        (Self::from(whole) == *self).then_some(whole)
    }

    /// What stands before the point, as an integer of 64 bits, if it is that small.
    pub fn whole(&self) -> Option<i64> {
        let mut value: i128 = 0;
        let mut places = self.exponent() + 1;
        if self.is_zero() || places < 1 {
            return Some(0);
        }
        if places > 10 {
            return None;
        }
        for pair in self.pairs() {
            if places == 0 {
                break;
            }
            value = value * 100 + i128::from(pair);
            places -= 1;
        }
        for _ in 0..places {
            value *= 100;
        }
        i64::try_from(if self.is_negative() { -value } else { value }).ok()
    }

    /// The nearest number of 64 bits with a binary exponent.
    pub fn to_f64(&self) -> f64 {
        // Correct rounding is not ours to invent: the standard library has it for text.
        self.to_text().parse().unwrap_or(f64::NAN)
    }

    /// The number as DynamoDB prints it: in plain notation, whatever the magnitude.
    pub fn to_text(&self) -> NumberText {
        let mut text = NumberText::new();
        Decimal::from(self).write(&mut text);
        text
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Decimal::from_u64(value.unsigned_abs(), value < 0).pack()
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Decimal::from_u64(value, false).pack()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        Number::parse(text)
    }
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NumberError::NotNumeric => "The parameter cannot be converted to a numeric value",
            NumberError::Overflow => {
                "Number overflow. Attempting to store a number with magnitude larger than \
                 supported range"
            }
            NumberError::Underflow => {
                "Number underflow. Attempting to store a number with magnitude smaller than \
                 supported range"
            }
            NumberError::TooPrecise => {
                "Attempting to store more than 38 significant digits in a Number"
            }
        })
    }
}

impl std::error::Error for NumberError {}
