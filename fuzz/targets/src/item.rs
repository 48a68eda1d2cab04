//! Stored items: what the store accepts can be looked at in every way, and what verifies in full is
//! canonical, so that it comes back the same from its JSON and from its tree.

use stator::item::{Item, ItemRef, Tree, decode_json};
use stator::wire::json::{Reader, Writer};

pub(crate) fn run(input: &[u8]) {
    let Ok(item) = ItemRef::from_stored(input) else {
        return;
    };
    for (name, value) in item.iter() {
        let _any = (value.size(), value.depth(), value.index(1), value.get("a"));
        let _any = value.as_set().map(|set| set.iter().count());
        let _any = item.get(name).map(|found| found == value);
        let _any = value.partial_cmp(&value);
    }
    let mut writer = Writer::new();
    item.write_json(&mut writer);
    if item.verify().is_err() {
        return;
    }
    assert_eq!(item.iter().count(), item.len());
    let trees: Vec<(&str, Tree)> = item
        .iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    let values: Vec<_> = trees
        .iter()
        .map(|(name, tree)| (*name, tree.encode()))
        .collect();
    let again: Item = values
        .iter()
        .map(|(name, value)| (*name, value.as_ref()))
        .collect();
    assert_eq!(again.as_ref(), item);
    // Requests may say less than the layout: no empty names, for instance.
    if let Ok(again) = decode_json(&mut Reader::new(writer.as_bytes())) {
        assert_eq!(again.as_ref(), item);
    }
}
