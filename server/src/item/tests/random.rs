//! Properties: round trips, canonical bytes, and bytes that come from a damaged disk.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use super::super::key::{self, Place};
use super::super::number::tests::texts;
use super::super::*;
use crate::wire::json::{Reader, Writer};

fn any_number() -> impl Strategy<Value = Number> {
    texts().prop_map(|text| Number::parse(&text).unwrap())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c\"\\\\]{0,5}", ".{0,8}", "[a-z]{120,140}"]
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let bytes = || vec(any::<u8>(), 0..20);
    let leaf = prop_oneof![
        any_text().prop_map(Tree::S),
        any_number().prop_map(Tree::N),
        bytes().prop_map(Tree::B),
        vec(any::<u8>(), 120..140).prop_map(Tree::B),
        any::<bool>().prop_map(Tree::Bool),
        Just(Tree::Null),
        btree_set(any_text(), 1..5).prop_map(Tree::SS),
        btree_set(any_number(), 1..5).prop_map(Tree::NS),
        btree_set(bytes(), 1..5).prop_map(Tree::BS),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Tree::L),
            btree_map(name(), inner, 0..5).prop_map(Tree::M),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d]{1,3}", ".{1,5}"]
}

fn attributes() -> impl Strategy<Value = BTreeMap<String, Tree>> {
    btree_map(name(), any_tree(), 0..8)
}

fn build<'a>(attributes: impl IntoIterator<Item = (&'a String, &'a Tree)>) -> Item {
    let mut builder = ItemBuilder::new();
    for (name, value) in attributes {
        builder.put(name, value.encode().as_ref());
    }
    builder.build()
}

fn taken_apart(item: ItemRef<'_>) -> BTreeMap<String, Tree> {
    let attributes = item.iter();
    attributes
        .map(|(name, value)| (name.to_owned(), Tree::from(value)))
        .collect()
}

fn json(item: ItemRef<'_>) -> Vec<u8> {
    let mut writer = Writer::new();
    item.write_json(&mut writer);
    writer.into_bytes()
}

/// Uses every view there is.
fn look_at_everything(item: ItemRef<'_>) {
    json(item);
    taken_apart(item);
    for (name, value) in item.iter() {
        assert!(value.size() < usize::MAX / 2);
        assert!(value.depth() <= MAX_NESTING + 2);
        item.get(name);
        value.get("a");
        value.index(1);
        if let Some(set) = value.as_set() {
            set.contains(value);
        }
        let _ = value.partial_cmp(&ValueRef::NULL);
        let mut key = Vec::new();
        let _ = key::encode(value, Place::Inner, &mut key);
    }
}

proptest! {
    #[test]
    fn trees_survive(attributes in attributes()) {
        let item = build(&attributes);
        item.as_ref().verify().unwrap();
        prop_assert_eq!(taken_apart(item.as_ref()), attributes.clone());
        let size: usize = attributes.iter().map(|(name, value)| name.len() + value.encode().size()).sum();
        prop_assert_eq!(item.size(), size);
        prop_assert_eq!(item.len(), attributes.len());
        let stored = Item::from_stored(item.clone().into_bytes()).unwrap();
        for (name, value) in &attributes {
            let found = stored.get(name).map(Tree::from);
            prop_assert_eq!(found.as_ref(), Some(value));
        }
    }

    #[test]
    fn json_survives(attributes in attributes()) {
        let item = build(&attributes);
        let text = json(item.as_ref());
        let mut reader = Reader::new(&text);
        let read = decode_json(&mut reader).unwrap();
        reader.finish().unwrap();
        prop_assert_eq!(read.as_ref().as_bytes(), item.as_ref().as_bytes());
        // The oracle agrees that it is JSON.
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&text).is_ok());
    }

    #[test]
    fn the_order_of_attributes_does_not_matter(attributes in attributes(), seed in any::<u64>()) {
        let mut shuffled: Vec<_> = attributes.iter().collect();
        shuffled.sort_by_key(|(name, _)| xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), seed));
        prop_assert_eq!(build(shuffled), build(&attributes));
    }

    #[test]
    fn values_in_code_are_those_of_the_tree(trees in vec(any_tree(), 0..5), names in vec(name(), 5)) {
        let values: Vec<Value> = trees.iter().map(Tree::encode).collect();
        let list = Value::list(values.iter().map(Value::as_ref));
        prop_assert_eq!(&list, &Tree::L(trees.clone()).encode());
        let entries = names.iter().zip(&values);
        let map = Value::map(entries.map(|(name, value)| (name.as_str(), value.as_ref())));
        let tree = names.iter().cloned().zip(trees).collect();
        prop_assert_eq!(map, Tree::M(tree).encode());
    }

    #[test]
    fn any_bytes_are_an_item_or_an_error(bytes in vec(any::<u8>(), 0..60), count in 0_u8..4) {
        let mut framed = vec![layout::VERSION, 0, 0, 0, 0, count, 0, 0, 0];
        framed.extend_from_slice(&bytes);
        for bytes in [bytes, framed] {
            if let Ok(item) = ItemRef::from_stored(&bytes) {
                look_at_everything(item);
                let _ = item.verify();
            }
        }
    }

    /// What verification lets through is what the encoder would have written, whatever happened to
    /// the bytes; what it does not is still safe to look at.
    #[test]
    fn damage_is_found_or_harmless(
        attributes in attributes(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let mut bytes = build(&attributes).into_bytes().to_vec();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(item) = ItemRef::from_stored(&bytes) {
            look_at_everything(item);
            if item.verify().is_ok() {
                let again = build(&taken_apart(item));
                prop_assert_eq!(again.as_ref().as_bytes(), bytes.as_slice());
            }
        }
    }

    #[test]
    fn any_text_decodes_or_not(text in "[{}\\[\\]\":,a-cSNBML0-9]{0,60}") {
        let _ = decode_json(&mut Reader::new(text.as_bytes()));
        let wrapped = format!("{{\"a\":{{\"L\":[{text}]}}}}");
        if let Ok(item) = decode_json(&mut Reader::new(wrapped.as_bytes())) {
            item.as_ref().verify().unwrap();
        }
    }
}

fn scalars() -> impl Strategy<Value = (Value, Value)> {
    let text = || prop_oneof!["[\0\u{1}a]{0,4}", "[\0\u{1}\u{2}é\u{ffff}]{0,3}", ".{0,6}"];
    let bytes = || {
        prop_oneof![
            vec(0_u8..3, 0..5),
            vec(253_u8..=255, 0..4),
            vec(any::<u8>(), 0..6)
        ]
    };
    prop_oneof![
        (text(), text()).prop_map(|(a, b)| (Value::string(&a), Value::string(&b))),
        (bytes(), bytes()).prop_map(|(a, b)| (Value::binary(&a), Value::binary(&b))),
        (any_number(), any_number()).prop_map(|(a, b)| (Value::number(a), Value::number(b))),
    ]
}

fn encoded(value: &Value, place: Place, then: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert!(key::encode(value.as_ref(), place, &mut bytes));
    bytes.extend_from_slice(then);
    bytes
}

proptest! {
    #[test]
    fn keys_order_as_values((a, b) in scalars(), x in vec(any::<u8>(), 0..3), y in vec(any::<u8>(), 0..3)) {
        let order = a.as_ref().partial_cmp(&b.as_ref()).unwrap();
        prop_assert_eq!(encoded(&a, Place::Last, &[]).cmp(&encoded(&b, Place::Last, &[])), order);
        // Whatever follows decides only between equal values.
        let then = order.then(x.cmp(&y));
        prop_assert_eq!(encoded(&a, Place::Inner, &x).cmp(&encoded(&b, Place::Inner, &y)), then);
    }

    #[test]
    fn keys_survive((a, _) in scalars(), then in vec(any::<u8>(), 0..3)) {
        let last = encoded(&a, Place::Last, &[]);
        prop_assert_eq!(key::decode(a.kind(), Place::Last, &last).unwrap(), (a.clone(), &[][..]));
        let inner = encoded(&a, Place::Inner, &then);
        let (decoded, rest) = key::decode(a.kind(), Place::Inner, &inner).unwrap();
        prop_assert_eq!(decoded, a);
        prop_assert_eq!(rest, then.as_slice());
    }

    #[test]
    fn prefixes_are_ranges((a, b) in scalars(), inner in any::<bool>()) {
        let place = if inner { Place::Inner } else { Place::Last };
        let mut start = Vec::new();
        prop_assert!(key::encode_prefix(a.as_ref(), place, &mut start));
        let end = key::after_prefix(&start);
        let whole = encoded(&b, place, &[]);
        let within = whole >= start && end.is_none_or(|end| whole < end);
        let starts = match (a.as_ref().as_str(), b.as_ref().as_str()) {
            (Some(a), Some(b)) => b.starts_with(a),
            _ => match (a.as_ref().as_binary(), b.as_ref().as_binary()) {
                (Some(a), Some(b)) => b.starts_with(a),
                _ => a == b,
            },
        };
        prop_assert_eq!(within, starts);
    }

    #[test]
    fn any_bytes_are_a_key_or_an_error(bytes in vec(prop_oneof![0_u8..3, any::<u8>()], 0..12)) {
        for kind in [Kind::S, Kind::N, Kind::B, Kind::M] {
            for place in [Place::Inner, Place::Last] {
                if let Ok((value, rest)) = key::decode(kind, place, &bytes) {
                    prop_assert_eq!(encoded(&value, place, rest), bytes.clone());
                }
            }
        }
    }
}

/// Deep nesting costs five bytes a level: a damaged item could hold enough to exhaust any stack.
#[test]
fn bottomless_bytes_are_harmless() {
    let mut bytes = vec![layout::VERSION, 0, 0, 0, 0, 1, 0, 0, 0, 1, b'a'];
    for level in (0..60_000_u32).rev() {
        bytes.push(layout::LIST);
        bytes.extend_from_slice(&(level * 5).to_le_bytes());
    }
    let item = ItemRef::from_stored(&bytes).unwrap();
    look_at_everything(item);
    assert!(item.verify().is_err());
}
