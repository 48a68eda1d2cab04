//! Items in requests: what is accepted verifies in full, and its JSON gives the same item again.

use stator::item::{Item, decode_json};
use stator::wire::json::{Reader, Writer};

pub(crate) fn run(input: &[u8]) {
    let Ok(item) = decode_json(&mut Reader::new(input)) else {
        return;
    };
    item.as_ref().verify().expect("a decoded item verifies");
    let mut writer = Writer::new();
    item.write_json(&mut writer);
    let again = decode_json(&mut Reader::new(writer.as_bytes()));
    assert_eq!(again.as_ref(), Ok(&item));
    let stored = Item::from_stored(item.clone().into_bytes());
    assert_eq!(stored.ok(), Some(item));
}
