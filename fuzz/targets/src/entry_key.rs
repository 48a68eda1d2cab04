//! Values in keys: what decodes encodes to what it was decoded from.

use stator::item::Kind;
use stator::item::key::{Place, decode, encode};

pub(crate) fn run(input: &[u8]) {
    let Some((first, bytes)) = input.split_first() else {
        return;
    };
    let kind = [Kind::S, Kind::N, Kind::B, Kind::L][usize::from(first % 4)];
    let place = if *first < 128 {
        Place::Inner
    } else {
        Place::Last
    };
    let Ok((value, rest)) = decode(kind, place, bytes) else {
        return;
    };
    let mut again = Vec::new();
    assert!(encode(value.as_ref(), place, &mut again));
    again.extend_from_slice(rest);
    assert_eq!(again, bytes);
}
