use std::str::FromStr;

use bigdecimal::{BigDecimal, Zero};
use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Number {
    Number::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// What AWS charges, measured there: the conformance suite's captures of 2026-08-18.
#[test]
fn costs_what_aws_charges() {
    let captured = [
        ("0", 1),
        ("1", 2),
        ("12", 2),
        ("123", 3),
        ("1234", 3),
        ("12345678901234567890123456789012345678", 20),
        ("0042", 2),
        ("100", 2),
        ("1010", 3),
        ("0.0000001", 2),
        ("1E125", 2),
        ("1E-100", 2),
        ("1.5", 3),
        ("15", 2),
        ("1.2", 3),
        ("1.200", 3),
        ("1.234", 4),
        ("3.14159", 5),
        ("123456", 4),
        ("100.5", 4),
        ("0.15", 2),
        ("-42", 3),
        ("-0", 1),
    ];
    for (text, bytes) in captured {
        assert_eq!(number(text).size(), bytes, "{text}");
    }
}

#[test]
fn prints_plain_notation() {
    let cases = [
        ("00042", "42".to_owned()),
        ("-0", "0".to_owned()),
        ("1.5E2", "150".to_owned()),
        ("1.0", "1".to_owned()),
        ("3.1400", "3.14".to_owned()),
        ("0042.1200", "42.12".to_owned()),
        (".5", "0.5".to_owned()),
        ("5.", "5".to_owned()),
        ("+7", "7".to_owned()),
        ("-0.05", "-0.05".to_owned()),
        ("1E125", format!("1{}", "0".repeat(125))),
        ("1E-130", format!("0.{}1", "0".repeat(129))),
        ("0e125", "0".to_owned()),
    ];
    for (text, printed) in cases {
        assert_eq!(number(text).to_string(), printed, "{text}");
    }
}

#[test]
fn refuses_what_aws_refuses() {
    use NumberError::*;
    let cases = [
        ("", NotNumeric),
        (".", NotNumeric),
        ("-", NotNumeric),
        (" 1", NotNumeric),
        ("1 ", NotNumeric),
        ("1e", NotNumeric),
        ("1e+", NotNumeric),
        ("1.2.3", NotNumeric),
        ("0x10", NotNumeric),
        ("NaN", NotNumeric),
        ("Infinity", NotNumeric),
        ("1e9223372036854775808", NotNumeric),
        ("1e126", Overflow),
        ("-1e126", Overflow),
        ("0e126", Overflow),
        ("1e2147483648", Overflow),
        ("1e99999999999", Overflow),
        ("1e9223372036854775807", Overflow),
        ("1e-131", Underflow),
        ("0e-131", Underflow),
        ("1e-99999999999", Underflow),
        ("123456789012345678901234567890123456789", TooPrecise),
        ("1.00000000000000000000000000000000000001", TooPrecise),
    ];
    for (text, error) in cases {
        assert_eq!(Number::parse(text), Err(error), "{text}");
    }
}

#[test]
fn zeros_at_either_end_are_no_digits() {
    let long = format!("{}12{}", "0".repeat(100), "0".repeat(100));
    assert_eq!(number(&long), number("12e100"));
    let small = format!("0.{}12{}", "0".repeat(100), "0".repeat(100));
    assert_eq!(number(&small), number("0.12e-100"));
}

#[test]
fn sums_leave_the_range_loudly() {
    let largest = number("9.9999999999999999999999999999999999999E+125");
    assert_eq!(
        largest.checked_add(&number("1E125")),
        Err(NumberError::Overflow)
    );
    assert_eq!(
        number("-9.9E125").checked_sub(&number("1E125")),
        Err(NumberError::Overflow)
    );
    assert_eq!(
        largest.checked_add(&number("1")),
        Err(NumberError::TooPrecise)
    );
    assert_eq!(
        number("1.1E-130").checked_sub(&number("1E-130")),
        Err(NumberError::Underflow)
    );
    assert_eq!(largest.checked_sub(&largest), Ok(Number::ZERO));
}

#[test]
fn integers() {
    for value in [0, 1, -1, 10, 99, 100, 101, 1_000_000, i64::MAX, i64::MIN] {
        assert_eq!(Number::from(value), number(&value.to_string()));
        assert_eq!(Number::from(value).to_i64(), Some(value));
    }
    assert_eq!(Number::from(u64::MAX), number(&u64::MAX.to_string()));
    for text in ["1.5", "0.1", "9223372036854775808", "1e30"] {
        assert_eq!(number(text).to_i64(), None, "{text}");
    }
    assert!((number("-2.5e-3").to_f64() + 0.0025).abs() < f64::EPSILON);
}

#[test]
fn the_layout_is_as_specified() {
    let cases: [(&str, &[u8]); 7] = [
        ("0", &[0x80, 0x00]),
        ("1", &[0xc1, 0x02]),
        ("100", &[0xc2, 0x02]),
        ("12.5", &[0xc1, 0x19, 0x64]),
        ("-12.5", &[0x3e, 0xe6, 0x9b]),
        ("1E-130", &[0x80, 0x02]),
        ("9E125", &[0xff, 0xb4]),
    ];
    for (text, bytes) in cases {
        assert_eq!(number(text).as_bytes(), bytes, "{text}");
    }
}

/// Texts of numbers in range, in every notation.
pub(in crate::item) fn texts() -> impl Strategy<Value = String> {
    let plain = "[+-]?0{0,3}[0-9]{1,20}(\\.[0-9]{0,17})?";
    let scientific = ("[+-]?[0-9]\\.[0-9]{0,36}", -128_i32..=124)
        .prop_map(|(digits, exponent)| format!("{digits}e{exponent}"));
    let small = (-1000_i32..1000).prop_map(|value| value.to_string());
    prop_oneof![plain, scientific, small]
        .prop_filter("in range", |text| Number::parse(text).is_ok())
}

fn decimal(text: &str) -> BigDecimal {
    BigDecimal::from_str(text.strip_suffix('.').unwrap_or(text)).unwrap()
}

/// What the oracle says of a result: a number, or none within DynamoDB's limits.
fn limited(value: &BigDecimal) -> Option<BigDecimal> {
    if value.is_zero() {
        return Some(value.clone());
    }
    let (digits, scale) = value.normalized().into_bigint_and_exponent();
    let length = i64::try_from(digits.magnitude().to_string().len()).unwrap();
    let in_range = (-130..=125).contains(&(length - 1 - scale));
    (in_range && length <= 38).then(|| value.clone())
}

proptest! {
    #[test]
    fn parses_and_prints_the_same_value(text in texts()) {
        let parsed = number(&text);
        let printed = parsed.to_string();
        prop_assert_eq!(decimal(&printed), decimal(&text));
        prop_assert!(!printed.contains(['e', 'E', '+']));
        prop_assert_eq!(number(&printed), parsed);
        prop_assert_eq!(Number::from_bytes(parsed.as_bytes()), Some(parsed));
    }

    #[test]
    fn order_of_bytes_is_order_of_values(left in texts(), right in texts()) {
        let (a, b) = (number(&left), number(&right));
        let expected = decimal(&left).cmp(&decimal(&right));
        prop_assert_eq!(a.as_bytes().cmp(b.as_bytes()), expected);
        prop_assert_eq!(a.cmp(&b), expected);
    }

    #[test]
    fn adds_and_subtracts_exactly(left in texts(), right in texts()) {
        let (a, b) = (number(&left), number(&right));
        let sum = a.checked_add(&b).ok().map(|sum| decimal(&sum.to_string()));
        prop_assert_eq!(sum, limited(&(decimal(&left) + decimal(&right))));
        let difference = a.checked_sub(&b).ok().map(|sum| decimal(&sum.to_string()));
        prop_assert_eq!(difference, limited(&(decimal(&left) - decimal(&right))));
    }

    #[test]
    fn any_text_parses_or_not_as_the_oracle_says(text in "[+-]?[0-9]{0,42}[.]?[0-9]{0,5}(e[+-]?[0-9]{1,3})?") {
        let digits = text.chars().filter(char::is_ascii_digit).count();
        prop_assume!(digits > 0);
        if let Ok(parsed) = Number::parse(&text) {
            let exact = BigDecimal::from_str(&parsed.to_string()).unwrap();
            prop_assert_eq!(Some(exact.clone()), limited(&exact));
        }
    }

    #[test]
    fn any_bytes_are_a_canonical_number_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
        if let Some((number, rest)) = Number::split(&bytes) {
            prop_assert_eq!(number.as_bytes().len() + rest.len(), bytes.len());
            prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
        }
    }

    #[test]
    fn near_numbers_are_canonical_or_none(head in any::<u8>(), pairs in proptest::collection::vec(0_u8..110, 1..24)) {
        let flip = if head < 0x80 { 0xff } else { 0 };
        let mut bytes = vec![head];
        bytes.extend(pairs.iter().map(|pair| (2 * pair + 1) ^ flip));
        *bytes.last_mut().unwrap() ^= 1;
        if let Some(number) = Number::from_bytes(&bytes) {
            prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
        }
    }
}
