//! A number unpacked into its digits, on the way between text and the canonical bytes.

use super::{MAX_NUMBER_BYTES, Number, NumberError, NumberText};

/// How many significant digits a number may have.
pub(super) const MAX_DIGITS: usize = 38;

/// The power of ten of a number's first digit, if it is one that DynamoDB stores. This is checked
/// before the count of digits: 9.99…E+125 (38 digits) + 1E+125 is reported as an overflow.
pub(super) fn in_range(magnitude: i64) -> Result<i32, NumberError> {
    match i32::try_from(magnitude) {
        _ if magnitude > 125 => Err(NumberError::Overflow),
        Ok(magnitude) if magnitude >= -130 => Ok(magnitude),
        _ => Err(NumberError::Underflow),
    }
}

/// `± d.ddd… · 10^magnitude`, the first and the last digit not zero; no digits for zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: [u8; MAX_DIGITS],
    length: usize,
    magnitude: i32,
    negative: bool,
}

impl Decimal {
    /// From digits (0 to 9, not their characters) that are trimmed at both ends.
    pub(super) fn new(
        digits: &[u8],
        magnitude: i64,
        negative: bool,
    ) -> Result<Decimal, NumberError> {
        let magnitude = in_range(magnitude)?;
        let mut all = [0; MAX_DIGITS];
        all.get_mut(..digits.len())
            .ok_or(NumberError::TooPrecise)?
            .copy_from_slice(digits);
        Ok(Decimal {
            digits: all,
            length: digits.len(),
            magnitude,
            negative,
        })
    }

    /// From an integer, which is always within the limits.
    pub(super) fn from_u64(mut value: u64, negative: bool) -> Decimal {
        let mut digits = [0; MAX_DIGITS];
        let mut length = 0;
        let mut magnitude = -1;
        while value > 0 {
            let digit = (value % 10) as u8;
            // Zeros at the end are not kept: the first that is kept is not zero.
            if length > 0 || digit > 0 {
                if let Some(place) = digits.get_mut(length) {
                    *place = digit;
                }
                length += 1;
            }
            magnitude += 1;
            value /= 10;
        }
        if let Some(kept) = digits.get_mut(..length) {
            kept.reverse();
        }
        Decimal {
            digits,
            length,
            magnitude,
            negative,
        }
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }

    /// The canonical bytes.
    pub(super) fn pack(&self) -> Number {
        let Some((&first, mut rest)) = self.digits().split_first() else {
            return Number::ZERO;
        };
        let flip = if self.negative { 0xff } else { 0 };
        let mut bytes = [0; MAX_NUMBER_BYTES];
        let mut length = 0;
        let mut push = |byte: u8| {
            if let Some(place) = bytes.get_mut(length) {
                *place = byte ^ flip;
                length += 1;
            }
        };
        // -130..=125 halved and moved by 65 is 0..=127.
        push(0x80 | u8::try_from(self.magnitude.div_euclid(2) + 65).unwrap_or_default());
        let mut pair = first;
        if self.magnitude.rem_euclid(2) == 1 {
            let (low, tail) = rest
                .split_first()
                .map_or((0, rest), |(low, tail)| (*low, tail));
            pair = first * 10 + low;
            rest = tail;
        }
        for next in rest.chunks(2) {
            push(2 * pair + 1);
            pair = next.first().copied().unwrap_or_default() * 10
                + next.get(1).copied().unwrap_or_default();
        }
        push(2 * pair);
        Number {
            bytes,
            length: u8::try_from(length).unwrap_or_default(),
        }
    }

    /// The number in plain notation.
    pub(super) fn write(&self, text: &mut NumberText) {
        let digits = self.digits();
        if digits.is_empty() {
            text.push(b'0');
            return;
        }
        if self.negative {
            text.push(b'-');
        }
        let Ok(whole) = usize::try_from(self.magnitude + 1) else {
            text.push(b'0');
            text.push(b'.');
            text.zeros(usize::try_from(-self.magnitude - 1).unwrap_or_default());
            text.digits(digits);
            return;
        };
        let (integer, fraction) = digits.split_at(whole.min(digits.len()));
        match integer {
            [] => text.push(b'0'),
            _ => text.digits(integer),
        }
        text.zeros(whole - integer.len());
        if !fraction.is_empty() {
            text.push(b'.');
            text.digits(fraction);
        }
    }
}

impl From<&Number> for Decimal {
    fn from(number: &Number) -> Decimal {
        let mut digits = [0; MAX_DIGITS];
        let mut length = 0;
        let mut push = |digit: u8| {
            // The zero that pads the first pair is not one of the digits.
            if length == 0 && digit == 0 {
                return;
            }
            // The zero that pads the last pair may stand behind the 38th digit.
            if let Some(place) = digits.get_mut(length) {
                *place = digit;
            }
            length += 1;
        };
        for pair in number.pairs() {
            push(pair / 10);
            push(pair % 10);
        }
        Decimal {
            digits,
            length: number.digits().min(length),
            magnitude: number.magnitude(),
            negative: number.is_negative(),
        }
    }
}
