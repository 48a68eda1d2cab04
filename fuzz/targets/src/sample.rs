//! What the targets of expressions share: placeholders to refer to, and an item to be applied to.

use std::sync::LazyLock;

use stator::expression::Placeholders;
use stator::item::{Item, decode_json};
use stator::wire::json::Reader;

const VALUES: &str = r#"{
    ":s": {"S": "text"}, ":n": {"N": "1"}, ":m": {"N": "-9.9e125"}, ":b": {"B": "AAE="},
    ":t": {"BOOL": true}, ":z": {"NULL": true}, ":l": {"L": [{"N": "1"}, {"S": "text"}]},
    ":o": {"M": {"a": {"N": "1"}, "b": {"L": []}}}, ":ss": {"SS": ["a", "text"]},
    ":ns": {"NS": ["1", "2"]}, ":bs": {"BS": ["AAE="]}, ":k": {"S": "N"}}"#;

const ITEM: &str = r#"{
    "id": {"S": "text"}, "a": {"N": "1"}, "b": {"B": "AAE="}, "c": {"S": "text"},
    "d": {"L": [{"N": "1"}, {"L": [{"S": "text"}, {"M": {"a": {"N": "3"}}}]}, {"NULL": true}]},
    "e": {"M": {"a": {"N": "1"}, "b": {"L": [{"N": "5"}]}, "a.b": {"S": "dotted"}}},
    "f": {"SS": ["a", "text"]}, "g": {"NS": ["1", "3"]}, "h": {"BS": ["AAE=", "Ag=="]},
    "i": {"BOOL": true}, "j": {"NULL": true}}"#;

fn item(text: &str) -> Item {
    decode_json(&mut Reader::new(text.as_bytes())).expect("the text above is an item")
}

/// An item with attributes `a` to `j` of all types.
pub(crate) static SAMPLE: LazyLock<Item> = LazyLock::new(|| item(ITEM));

/// The key of [`SAMPLE`].
pub(crate) static KEY: LazyLock<Item> = LazyLock::new(|| item(r#"{"id": {"S": "text"}}"#));

static SAMPLE_VALUES: LazyLock<Item> = LazyLock::new(|| item(VALUES));

/// `#a` to `#e` and a value of every type.
pub(crate) fn placeholders() -> Placeholders {
    let names = [
        ("#a", "a"),
        ("#b", "a.b"),
        ("#c", "size"),
        ("#d", "d"),
        ("#e", "e"),
    ];
    let names = names.map(|(key, name)| (key.to_owned(), name.to_owned()));
    Placeholders::new(Some(names.to_vec()), Some(&SAMPLE_VALUES)).expect("good placeholders")
}
