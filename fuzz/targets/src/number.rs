//! Numbers: text, bytes and sums.

use stator::item::Number;

pub(crate) fn run(input: &[u8]) {
    let (left, right) = match input.split_first() {
        Some((b'#', rest)) => (Number::split(rest).map(|(number, _)| number), None),
        _ => {
            let text = String::from_utf8_lossy(input);
            let (left, right) = text.split_once(' ').unwrap_or((&text, ""));
            (Number::parse(left).ok(), Number::parse(right).ok())
        }
    };
    let Some(left) = left else { return };
    assert_eq!(Number::parse(&left.to_text()), Ok(left));
    assert_eq!(Number::from_bytes(left.as_bytes()), Some(left));
    assert!(left.size() <= 22);
    if let Some(whole) = left.to_i64() {
        assert_eq!(Number::from(whole), left);
    }
    let Some(right) = right else { return };
    assert_eq!(left.as_bytes().cmp(right.as_bytes()), left.cmp(&right));
    assert_eq!(left.checked_add(&right), right.checked_add(&left));
    if let Ok(sum) = left.checked_add(&right) {
        assert_eq!(sum.cmp(&left), right.cmp(&Number::ZERO));
        assert_eq!(sum.checked_sub(&right), Ok(left));
    }
    if let Ok(difference) = left.checked_sub(&right) {
        assert_eq!(difference.cmp(&Number::ZERO), left.cmp(&right));
    }
}
