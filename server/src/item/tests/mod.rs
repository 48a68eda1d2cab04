mod random;

use serde_json::{Value as Json, json};

use super::*;
use crate::wire::json::{Reader, Writer};

fn item(json: &Json) -> Result<Item, DecodeError> {
    let text = json.to_string();
    let mut reader = Reader::new(text.as_bytes());
    let item = decode_json(&mut reader);
    if !matches!(item, Err(DecodeError::Serialization(_))) {
        reader
            .finish()
            .expect("the whole item is read, whatever is wrong with it");
    }
    item
}

fn value(json: &Json) -> Value {
    let text = json.to_string();
    let decoded = decode_json_value(&mut Reader::new(text.as_bytes()));
    decoded.expect("a value").0
}

fn refusal(attribute: Json) -> ValueError {
    match item(&json!({ "a": attribute })) {
        Err(DecodeError::Validation(error)) => error,
        other => panic!("not refused: {other:?}"),
    }
}

fn written(item: &Item) -> Json {
    let mut writer = Writer::new();
    item.write_json(&mut writer);
    serde_json::from_slice(writer.as_bytes()).expect("JSON")
}

/// All ten types, and what they cost by AWS's "Item sizes and formats".
#[test]
fn sizes_by_type() {
    let cases = [
        (json!({"S": "añ"}), 3),
        (json!({"N": "-42"}), 3),
        (json!({"B": "AAEC"}), 3),
        (json!({"BOOL": false}), 1),
        (json!({"NULL": true}), 1),
        (json!({"SS": ["a", "bc"]}), 3),
        (json!({"NS": ["1", "1.5"]}), 5),
        (json!({"BS": ["AAEC", "AA=="]}), 4),
        (json!({"L": []}), 3),
        (json!({"M": {}}), 3),
        (json!({"L": [{"S": "ab"}, {"N": "1"}]}), 3 + 1 + 2 + 1 + 2),
        (json!({"M": {"key": {"S": "ab"}}}), 3 + 1 + 3 + 2),
        (json!({"L": [{"L": []}, {"M": {}}]}), 3 + 1 + 3 + 1 + 3),
    ];
    for (attribute, size) in cases {
        let item = item(&json!({ "name": attribute })).unwrap();
        assert_eq!(item.size(), 4 + size, "{attribute}");
        assert_eq!(item.get("name").unwrap().size(), size, "{attribute}");
    }
    assert_eq!(Item::empty().size(), 0);
}

#[test]
fn the_layout_is_as_specified() {
    let item = item(&json!({"b": {"L": [{"NULL": true}]}, "a": {"S": "xy"}})).unwrap();
    #[rustfmt::skip]
    let bytes = [
        1, 9, 0, 0, 0, 2, 0, 0, 0,
        1, b'a', 0x03, 2, b'x', b'y',
        1, b'b', 0x05, 1, 0, 0, 0, 0x00,
    ];
    assert_eq!(item.as_ref().as_bytes(), bytes);
    let set = value(&json!({"NS": ["10", "-1"]}));
    assert_eq!(
        set.as_ref().as_bytes(),
        [0x08, 6, 0, 0, 0, 0x22, 0x3e, 0xfd, 0x22, 0xc1, 0x14]
    );
}

#[test]
fn equal_values_are_equal_bytes() {
    let pairs = [
        (json!({"N": "1.50e1"}), json!({"N": "15"})),
        (
            json!({"NS": ["3", "1.0", "2"]}),
            json!({"NS": ["1", "2", "3"]}),
        ),
        (json!({"SS": ["b", "a"]}), json!({"SS": ["a", "b"]})),
        (
            json!({"BS": ["/w==", "AA=="]}),
            json!({"BS": ["AA==", "/w=="]}),
        ),
    ];
    for (left, right) in pairs {
        assert_eq!(value(&left), value(&right));
    }
    let scrambled = Reader::new(br#"{"M":{"z":{"N":"1"},"a":{"S":"x"}}}"#).clone();
    let sorted = Reader::new(br#"{"M":{"a":{"S":"x"},"z":{"N":"1.0"}}}"#).clone();
    let read = |mut reader: Reader<'_>| decode_json_value(&mut reader).unwrap();
    assert_eq!(read(scrambled), read(sorted));
    assert_ne!(
        value(&json!({"L": [{"N": "1"}, {"N": "2"}]})),
        value(&json!({"L": [{"N": "2"}, {"N": "1"}]}))
    );
}

#[test]
fn of_repeated_names_the_last_counts() {
    let text = br#"{"b":{"S":"old"},"a":{"N":"1"},"b":{"M":{"x":{"S":"longer"},"x":{"S":"y"}}}}"#;
    let item = decode_json(&mut Reader::new(text)).unwrap();
    assert_eq!(
        written(&item),
        json!({"a": {"N": "1"}, "b": {"M": {"x": {"S": "y"}}}})
    );
    assert_eq!(item.len(), 2);
    assert_eq!(item.size(), 1 + 2 + 1 + (3 + 1 + 1 + 1));
    item.as_ref().verify().unwrap();
}

#[test]
fn refuses_with_dynamodbs_words() {
    use Wording::{Current, Older};
    let cases = [
        (
            json!({}),
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        (
            json!({"X": "y"}),
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        (
            json!({"S": null}),
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
        (
            json!({"S": "a", "N": "1"}),
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
        ),
        (
            json!({"SS": []}),
            "One or more parameter values were invalid: An string set  may not be empty",
        ),
        (
            json!({"NS": []}),
            "One or more parameter values were invalid: An number set  may not be empty",
        ),
        (
            json!({"BS": []}),
            "One or more parameter values were invalid: Binary sets should not be empty",
        ),
        (
            json!({"NULL": false}),
            "One or more parameter values were invalid: Null attribute value types must have the value of true",
        ),
        (
            json!({"M": {"x": {"L": [{"SS": []}]}}}),
            "One or more parameter values were invalid: An string set  may not be empty",
        ),
        (
            json!({"N": "1e126"}),
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ),
        (
            json!({"N": "1e-131"}),
            "Number underflow. Attempting to store a number with magnitude smaller than supported range",
        ),
        (
            json!({"N": "1234567890123456789012345678901234567890"}),
            "Attempting to store more than 38 significant digits in a Number",
        ),
        (
            json!({"N": "abc"}),
            "The parameter cannot be converted to a numeric value: abc",
        ),
        (
            json!({"N": " 1"}),
            "The parameter cannot be converted to a numeric value:  1",
        ),
    ];
    for (attribute, message) in cases {
        let error = refusal(attribute);
        assert_eq!(error.message(Current), message);
        assert_eq!(error.message(Older), message);
    }
    // Where the layers differ: AWS's answers in valueLayers.test.ts.
    let cases = [
        (
            json!({"SS": ["b", "a", "b"]}),
            r#"One or more parameter values were invalid: Input collection ["a", "b", "b"] contains duplicates."#,
            "One or more parameter values were invalid: Input collection [b, a, b] contains duplicates.",
        ),
        (
            json!({"BS": ["/w==", "AA==", "AA=="]}),
            r#"One or more parameter values were invalid: Input collection ["AA==","/w==","AA=="]of type BS contains duplicates."#,
            "One or more parameter values were invalid: Input collection [/w==, AA==, AA==]of type BS contains duplicates.",
        ),
        (
            json!({"NS": ["2", "1", "2"]}),
            "One or more parameter values were invalid: Input collection contains duplicates.",
            "Input collection contains duplicates",
        ),
        (
            json!({"NS": ["1", "1.0"]}),
            "One or more parameter values were invalid: Input collection contains duplicates.",
            "Input collection contains duplicates",
        ),
        (
            json!({"N": ""}),
            "The parameter cannot be converted to a numeric value: ",
            "The parameter cannot be converted to a numeric value",
        ),
        (
            json!({"N": "1e2147483647"}),
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
            "Number underflow. Attempting to store a number with magnitude smaller than supported range",
        ),
    ];
    for (attribute, current, older) in cases {
        let error = refusal(attribute);
        assert_eq!(error.message(Current), current);
        assert_eq!(error.message(Older), older);
    }
}

fn nested(levels: usize) -> Json {
    (1..levels).fold(json!({"S": "leaf"}), |inner, _| json!({"M": {"n": inner}}))
}

#[test]
fn nests_32_levels() {
    let deepest = item(&json!({"a": nested(32)})).unwrap();
    assert_eq!(deepest.get("a").unwrap().depth(), 32);
    assert_eq!(written(&deepest), json!({"a": nested(32)}));
    deepest.as_ref().verify().unwrap();
    assert_eq!(refusal(nested(33)), ValueError::TooDeep);
    assert_eq!(refusal(nested(120)), ValueError::TooDeep);
    assert_eq!(refusal(json!({"L": [nested(32)]})), ValueError::TooDeep);
}

#[test]
fn what_is_wrong_first() {
    let refused = |text: &str| match decode_json(&mut Reader::new(text.as_bytes())) {
        Err(DecodeError::Validation(error)) => error,
        other => panic!("not refused: {other:?}"),
    };
    assert_eq!(
        refused(r#"{"a":{"SS":[]},"":{"S":"x"}}"#),
        ValueError::EmptyName
    );
    let deep = nested(40);
    assert_eq!(
        refused(&format!(r#"{{"a":{{"M":{{"":{{"S":"x"}}}}}},"d":{deep}}}"#)),
        ValueError::TooDeep
    );
    assert_eq!(
        refused(r#"{"a":{"M":{"":{"S":"x"}}}}"#),
        ValueError::EmptyName
    );
    assert_eq!(
        refused(r#"{"b":{"SS":[]},"a":{"NS":[]}}"#),
        ValueError::EmptySet(Kind::SS)
    );
    let long = "n".repeat(65_536);
    assert_eq!(
        refused(&format!(r#"{{"{long}":{{"S":"x"}}}}"#)),
        ValueError::LongName
    );
    assert!(matches!(
        item(&json!({"a": {"SS": []}, "b": {"S": 1}})),
        Err(DecodeError::Serialization(_))
    ));
}

#[test]
fn looks_into_documents() {
    let item = item(&json!({
        "list": {"L": [{"N": "1"}, {"M": {"deep": {"BOOL": true}}}]},
        "set": {"SS": ["a", "b"]},
        "text": {"S": "x"},
    }))
    .unwrap();
    let list = item.get("list").unwrap();
    assert_eq!(
        list.index(0).unwrap().as_number(),
        Some(Number::from(1_i64))
    );
    assert_eq!(
        list.index(1).unwrap().get("deep").unwrap().as_bool(),
        Some(true)
    );
    assert_eq!(list.index(2), None);
    assert_eq!(list.as_list().unwrap().len(), 2);
    let set = item.get("set").unwrap().as_set().unwrap();
    assert!(set.contains(Value::string("b").as_ref()));
    assert!(!set.contains(Value::string("c").as_ref()));
    assert_eq!(item.get("none"), None);
    assert_eq!(item.get("zzz"), None);
    assert!(item.get("text").unwrap() < Value::string("y").as_ref());
    assert_eq!(item.get("text").unwrap().partial_cmp(&list), None);
}

#[test]
fn sets_in_code() {
    let (a, b, one) = (
        Value::string("a"),
        Value::string("b"),
        Value::number(1_i64.into()),
    );
    let set = Value::set([b.as_ref(), a.as_ref(), b.as_ref()]).unwrap();
    assert_eq!(set, value(&json!({"SS": ["a", "b"]})));
    assert_eq!(Value::set([a.as_ref(), one.as_ref()]), None);
    assert_eq!(Value::set([]), None);
    assert_eq!(Value::set([ValueRef::NULL]), None);
}
