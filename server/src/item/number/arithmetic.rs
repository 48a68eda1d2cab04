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

    // Only the places that the two have, and one for the carry.
    let first = lowest_place(left).min(lowest_place(right));
    let last = highest_place(left).max(highest_place(right)) + 1;
    let sum = places.get_mut(first..=last).unwrap_or_default();

    // The sign of the sum is that of its highest place once all carries are done; with the opposite
    // sign the places are all turned around first, so that what is left is a positive number.
    let negative = carry(sum);
    if negative {
        sum.iter_mut().for_each(|place| *place = -*place);
        carry(sum);
    }
    collect(sum, first, negative)
}

fn highest_place(number: &Number) -> usize {
    usize::try_from(number.exponent() - LOWEST).unwrap_or_default()
}

fn lowest_place(number: &Number) -> usize {
    (highest_place(number) + 1).saturating_sub(number.pairs().len())
}

fn deposit(places: &mut [i16; PLACES], number: &Number, negative: bool) {
    let mut place = highest_place(number);
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
fn carry(places: &mut [i16]) -> bool {
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

/// The number of `sum`, whose first element stands at the place `first`.
fn collect(sum: &[i16], first: usize, negative: bool) -> Result<Number, NumberError> {
    let Some(highest) = sum.iter().rposition(|place| *place != 0) else {
        return Ok(Number::ZERO);
    };
    let lowest = sum.iter().position(|place| *place != 0).unwrap_or_default();
    let mut digits = [0; 2 * PLACES];
    let mut length = 0;
    for place in sum.get(lowest..=highest).unwrap_or_default().iter().rev() {
        let pair = u8::try_from(*place).unwrap_or_default();
        if let Some(two) = digits.get_mut(length..length + 2) {
            two.copy_from_slice(&[pair / 10, pair % 10]);
        }
        length += 2;
    }
    let power = i64::try_from(first + highest).unwrap_or_default() + i64::from(LOWEST);
    let mut magnitude = 2 * power + 1;
    let mut digits = digits.get(..length).unwrap_or_default();
    if let Some((0, rest)) = digits.split_first() {
        digits = rest;
        magnitude -= 1;
    }
    if let Some((0, rest)) = digits.split_last() {
        digits = rest;
    }
    Decimal::new(digits, magnitude, negative).map(|sum| sum.pack())
}
