//! Addition and subtraction, exact: what has no exact result in 38 digits is an error.

use super::decimal::Decimal;
use super::{Number, NumberError};

/// Places of base 100 from the lowest that a number can have (38 digits from 1E-130 on go down to
/// 1E-167) to the highest, and one for the carry.
const PLACES: usize = 64 + 84 + 1;

/// The power of 100 of place 0.
const LOWEST: i32 = -84;

/// Adds `right`, or its negation, to `left`.
pub(super) fn add(left: &Number, right: &Number, negate: bool) -> Result<Number, NumberError> {
    let mut places = [0_i16; PLACES];
    deposit(&mut places, left, left.is_negative());
    deposit(&mut places, right, right.is_negative() != negate);

    // The sign of the sum is that of its highest place once all carries are done; with the opposite
    // sign the places are all turned around first, so that what is left is a positive number.
    let negative = carry(&mut places);
    if negative {
        places.iter_mut().for_each(|place| *place = -*place);
        carry(&mut places);
    }
    collect(&places, negative)
}

fn deposit(places: &mut [i16; PLACES], number: &Number, negative: bool) {
    let mut place = usize::try_from(number.exponent() - LOWEST).unwrap_or_default();
    for pair in number.pairs() {
        if let Some(sum) = places.get_mut(place) {
            *sum += if negative {
                -i16::from(pair)
            } else {
                i16::from(pair)
            };
        }
        place = place.saturating_sub(1);
    }
}

/// Brings every place into 0..100, lowest first; true if the whole is negative, which shows as a
/// highest place below zero.
fn carry(places: &mut [i16; PLACES]) -> bool {
    let mut carried = 0;
    for place in places.iter_mut() {
        *place += carried;
        carried = place.div_euclid(100);
        *place = place.rem_euclid(100);
    }
    // A negative sum leaves -1 to be carried out of the top: put it back.
    if let Some(top) = places.last_mut() {
        *top += 100 * carried;
    }
    carried < 0
}

fn collect(places: &[i16; PLACES], negative: bool) -> Result<Number, NumberError> {
    let Some(highest) = places.iter().rposition(|place| *place != 0) else {
        return Ok(Number::ZERO);
    };
    let lowest = places
        .iter()
        .position(|place| *place != 0)
        .unwrap_or_default();
    let mut digits = Vec::with_capacity(2 * (highest - lowest + 1));
    for place in places
        .get(lowest..=highest)
        .unwrap_or_default()
        .iter()
        .rev()
    {
        let pair = u8::try_from(*place).unwrap_or_default();
        digits.extend([pair / 10, pair % 10]);
    }
    let mut magnitude = 2 * (i64::try_from(highest).unwrap_or_default() + i64::from(LOWEST)) + 1;
    let mut digits = digits.as_slice();
    if let Some((0, rest)) = digits.split_first() {
        digits = rest;
        magnitude -= 1;
    }
    if let Some((0, rest)) = digits.split_last() {
        digits = rest;
    }
    Decimal::new(digits, magnitude, negative).map(|sum| sum.pack())
}
