//! Text to number.

use super::decimal::{Decimal, MAX_DIGITS, in_range};
use super::{Number, NumberError};

/// What has been read of the digits: those that count, and where the point is among them.
struct Digits {
    /// Up to the last one that is not zero.
    kept: [u8; MAX_DIGITS],
    length: usize,
    /// Zeros behind the last one kept: part of the number only if another digit follows.
    zeros: usize,
    /// Whether a digit came that has no place any more.
    too_many: bool,
    /// Any digits at all.
    any: bool,
    /// Digits before the point, from the first that is not zero.
    whole: i64,
    /// Zeros behind the point and before the first digit that is not zero.
    leading: i64,
    /// Digits behind the point.
    fraction: i64,
    point: bool,
}

impl Digits {
    fn new() -> Digits {
        Digits {
            kept: [0; MAX_DIGITS],
            length: 0,
            zeros: 0,
            too_many: false,
            any: false,
            whole: 0,
            leading: 0,
            fraction: 0,
            point: false,
        }
    }

    fn push(&mut self, digit: u8) {
        self.any = true;
        self.fraction += i64::from(self.point);
        if digit == 0 && self.length == 0 {
            self.leading += i64::from(self.point);
            return;
        }
        self.whole += i64::from(!self.point);
        if digit == 0 {
            self.zeros += 1;
            return;
        }
        let place = self.length + self.zeros;
        match self.kept.get_mut(place) {
            Some(kept) => *kept = digit,
            None => self.too_many = true,
        }
        self.length = place + 1;
        self.zeros = 0;
    }

    /// The power of ten of the first digit that is not zero. For zero, that of its last digit.
    fn magnitude(&self) -> i64 {
        match self.length {
            0 => -self.fraction,
            _ if self.whole > 0 => self.whole - 1,
            _ => -self.leading - 1,
        }
    }
}

pub(super) fn parse(text: &[u8]) -> Result<Number, NumberError> {
    let (negative, rest) = sign(text);
    let mut digits = Digits::new();
    let mut rest = rest.iter();
    let mut exponent = 0;
    while let Some(byte) = rest.next() {
        match byte {
            b'0'..=b'9' => digits.push(byte - b'0'),
            b'.' if !digits.point => digits.point = true,
            b'e' | b'E' => {
                exponent = self::exponent(rest.as_slice())?;
                break;
            }
            _ => return Err(NumberError::NotNumeric),
        }
    }
    if !digits.any {
        return Err(NumberError::NotNumeric);
    }
    let magnitude = digits.magnitude().saturating_add(exponent);
    in_range(magnitude)?;
    if digits.length == 0 {
        return Ok(Number::ZERO);
    }
    if digits.too_many {
        return Err(NumberError::TooPrecise);
    }
    let kept = digits.kept.get(..digits.length).unwrap_or_default();
    Ok(Decimal::new(kept, magnitude, negative)?.pack())
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    }
}

/// DynamoDB reads the exponent in full before it looks at the range, as long as it fits 64 bits.
fn exponent(text: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = sign(text);
    if digits.is_empty() {
        return Err(NumberError::NotNumeric);
    }
    digits.iter().try_fold(0_i64, |value, byte| {
        if !byte.is_ascii_digit() {
            return Err(NumberError::NotNumeric);
        }
        let digit = i64::from(byte - b'0');
        value
            .checked_mul(10)
            .and_then(|value| value.checked_add(if negative { -digit } else { digit }))
            .ok_or(NumberError::NotNumeric)
    })
}
