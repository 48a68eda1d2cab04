use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;
use crate::item::{Kind, Number, Value};

/// Values of one type, with what makes encodings hard: empty ones, zeros, FFs, prefixes.
fn values() -> impl Strategy<Value = Vec<Value>> {
    let byte = prop_oneof![Just(0u8), Just(1), Just(0xFF), any::<u8>()];
    let binary = proptest::collection::vec(byte, 0..4).prop_map(|bytes| Value::binary(&bytes));
    let string = "[\\x00ab\u{7f}é]{0,3}".prop_map(|text| Value::string(&text));
    let number = (-30i32..30, -3i32..3).prop_map(|(digits, exponent)| {
        Value::number(Number::parse(&format!("{digits}e{exponent}")).unwrap())
    });
    prop_oneof![
        proptest::collection::vec(binary, 6),
        proptest::collection::vec(string, 6),
        proptest::collection::vec(number, 6),
    ]
}

/// The order that DynamoDB gives values of one type.
fn compare(left: &Value, right: &Value) -> Ordering {
    let (left, right) = (left.as_ref(), right.as_ref());
    match left.kind() {
        Kind::N => left.as_number().cmp(&right.as_number()),
        Kind::S => left.as_str().cmp(&right.as_str()),
        _ => left.as_binary().cmp(&right.as_binary()),
    }
}

fn begins_with(value: &Value, prefix: &Value) -> bool {
    let (value, prefix) = (value.as_ref(), prefix.as_ref());
    match value.kind() {
        Kind::S => value
            .as_str()
            .unwrap()
            .starts_with(prefix.as_str().unwrap()),
        Kind::B => value
            .as_binary()
            .unwrap()
            .starts_with(prefix.as_binary().unwrap()),
        _ => value == prefix,
    }
}

const TABLE: KeyspaceId = KeyspaceId(7);

proptest! {
    /// Whatever follows the value in the sort part, a condition's range holds exactly the entries
    /// that meet it.
    #[test]
    fn a_range_holds_what_meets_its_condition(
        values in values(), followers in values(), equal in any::<bool>(),
    ) {
        let [partition, lead, entry, low, high, other] = values.try_into().unwrap();
        let lead = if equal { vec![lead] } else { Vec::new() };
        for follower in &followers {
            let sort = lead.iter().chain([&entry, follower]).map(Value::as_ref);
            let key = entry_key(TABLE, [partition.as_ref()], sort).unwrap();
            let (a, b) = (low.as_ref(), high.as_ref());
            let cases = [
                (None, true),
                (Some(SortCondition::Equal(a)), compare(&entry, &low).is_eq()),
                (Some(SortCondition::Less(a)), compare(&entry, &low).is_lt()),
                (Some(SortCondition::LessOrEqual(a)), compare(&entry, &low).is_le()),
                (Some(SortCondition::Greater(a)), compare(&entry, &low).is_gt()),
                (Some(SortCondition::GreaterOrEqual(a)), compare(&entry, &low).is_ge()),
                (
                    Some(SortCondition::Between(a, b)),
                    compare(&entry, &low).is_ge() && compare(&entry, &high).is_le(),
                ),
                (Some(SortCondition::BeginsWith(a)), begins_with(&entry, &low)),
            ];
            for (condition, expected) in cases {
                let of = |partition: &Value, lead: &[Value]| {
                    let lead = lead.iter().map(Value::as_ref);
                    partition_range(TABLE, [partition.as_ref()], lead, condition).unwrap()
                };
                prop_assert_eq!(
                    of(&partition, &lead).contains(key.as_bytes()), expected, "{:?}", condition
                );
                if other != partition {
                    prop_assert!(!of(&other, &lead).contains(key.as_bytes()));
                }
                if equal && other != lead[0] {
                    prop_assert!(!of(&partition, std::slice::from_ref(&other)).contains(key.as_bytes()));
                }
            }
        }
    }

    /// Entries of one partition stand in the order of their values, one after the other.
    #[test]
    fn entries_are_in_the_order_of_their_values(first in values(), second in values()) {
        let [partition, a, b, ..] = <[Value; 6]>::try_from(first).unwrap();
        let [c, d, ..] = <[Value; 6]>::try_from(second).unwrap();
        let key = |sort: [&Value; 2]| {
            entry_key(TABLE, [partition.as_ref()], sort.map(Value::as_ref)).unwrap()
        };
        let expected = compare(&a, &b).then(compare(&c, &d));
        prop_assert_eq!(key([&a, &c]).cmp(&key([&b, &d])), expected);
    }

    /// Two lists of partition key values are one partition only if they are the same.
    #[test]
    fn partitions_of_several_values_do_not_run_together(
        left in values(), right in values(),
    ) {
        prop_assume!(left[0].kind() == right[0].kind());
        let key = |values: &[Value]| {
            let values = values.iter().take(2).map(Value::as_ref);
            entry_key(TABLE, values, []).unwrap()
        };
        prop_assert_eq!(key(&left) == key(&right), left[..2] == right[..2]);
    }
}

#[test]
fn the_form_does_not_change() {
    let key = entry_key(
        KeyspaceId(1),
        [Value::string("a\0b").as_ref(), Value::string("c").as_ref()],
        [Value::binary(&[0, 9]).as_ref(), Value::string("s").as_ref()],
    );
    let key = key.unwrap();
    assert_eq!(*key.as_key_ref().partition(), *b"a\0\xffb\0\x01c");
    assert_eq!(key.as_key_ref().sort(), b"\0\xff\x09\0\x01s\0\x01");
}

#[test]
fn what_cannot_be_a_key_is_refused() {
    assert!(entry_key(TABLE, [Value::boolean(true).as_ref()], []).is_none());
    assert!(partition_range(TABLE, [Value::null().as_ref()], [], None).is_none());
}
