use super::*;
use crate::{
    item::Item,
    plan::fixture::{item, table},
    table::Projection,
};

fn lookup(key: &str) -> Option<String> {
    let table = table(&[], &[]);
    let key = item(key);
    check_lookup_key(table.key_schema(), key.as_ref())
        .err()
        .map(|error| error.to_string())
}

fn put(json: &str) -> Option<String> {
    let table = table(
        &[("local", &["pk"], &["n"], Projection::All)],
        &[
            ("zeta", &["a"], &[], Projection::All),
            ("alpha", &["a"], &["b"], Projection::All),
        ],
    );
    let item = item(json);
    check_item_key(table.key_schema(), item.as_ref())
        .and_then(|()| check_index_keys(&table, item.as_ref(), None, Origin::Put))
        .err()
        .map(|error| error.to_string())
}

#[test]
fn a_lookup_key_is_exactly_the_schema() {
    assert_eq!(lookup(r#"{"pk":{"S":"p"},"sk":{"S":"s"}}"#), None);
    let mismatch = Some("The provided key element does not match the schema".to_owned());
    assert_eq!(lookup("{}"), mismatch);
    assert_eq!(lookup(r#"{"pk":{"S":"p"}}"#), mismatch);
    assert_eq!(lookup(r#"{"pk":{"S":"p"},"other":{"S":"s"}}"#), mismatch);
    assert_eq!(lookup(r#"{"pk":{"S":"p"},"sk":{"N":"1"}}"#), mismatch);
    assert_eq!(
        lookup(r#"{"pk":{"S":"p"},"sk":{"S":"s"},"more":{"S":""}}"#),
        Some("The number of conditions on the keys is invalid".to_owned())
    );
    assert_eq!(
        lookup(r#"{"pk":{"S":""},"sk":{"S":"s"}}"#),
        Some(
            "One or more parameter values are not valid. The AttributeValue for a key attribute \
             cannot contain an empty string value. Key: pk"
                .to_owned()
        )
    );
}

#[test]
fn key_sizes_end_at_their_limits() {
    let key = |pk: usize, sk: usize| {
        lookup(&format!(
            r#"{{"pk":{{"S":"{}"}},"sk":{{"S":"{}"}}}}"#,
            "p".repeat(pk),
            "s".repeat(sk)
        ))
    };
    assert_eq!(key(2048, 1024), None);
    assert_eq!(
        key(2049, 1),
        Some(
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum \
             size limit of2048 bytes"
                .to_owned()
        )
    );
    assert_eq!(
        key(1, 1025),
        Some(
            "One or more parameter values were invalid: Aggregated size of all range keys has \
             exceeded the size limit of 1024 bytes"
                .to_owned()
        )
    );
}

#[test]
fn an_item_says_what_is_wrong_with_its_key() {
    assert_eq!(
        put(r#"{"pk":{"S":"p"},"n":{"S":"x"}}"#),
        Some(
            "One or more parameter values were invalid: Missing the key sk in the item".to_owned()
        )
    );
    assert_eq!(
        put(r#"{"pk":{"NULL":true},"sk":{"S":"s"}}"#),
        Some(
            "One or more parameter values were invalid: Type mismatch for key pk expected: S \
             actual: NULL"
                .to_owned()
        )
    );
}

#[test]
fn index_keys_have_their_types_and_blame_the_first_index() {
    assert_eq!(
        put(r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"S":"a"},"n":{"N":"1"}}"#),
        None
    );
    assert_eq!(
        put(r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"N":"1"},"n":{"S":"x"}}"#),
        Some(
            "One or more parameter values were invalid: Type mismatch for Index Key a Expected: S \
             Actual: N IndexName: alpha"
                .to_owned()
        )
    );
    assert_eq!(
        put(r#"{"pk":{"S":"p"},"sk":{"S":"s"},"b":{"B":""}}"#),
        Some(
            "One or more parameter values are not valid. A value specified for a secondary index \
             key is not supported. The AttributeValue for a key attribute cannot contain an empty \
             binary value. IndexName: alpha, IndexKey: b"
                .to_owned()
        )
    );
}

#[test]
fn an_update_is_blamed_only_for_what_it_changes() {
    let table = table(&[], &[("i", &["a"], &[], Projection::All)]);
    let old = item(r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"N":"1"}}"#);
    let same = item(r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"N":"1"},"x":{"S":"x"}}"#);
    let other = item(r#"{"pk":{"S":"p"},"sk":{"S":"s"},"a":{"N":"2"}}"#);
    let check = |new: &crate::item::Item| {
        check_index_keys(&table, new.as_ref(), Some(old.as_ref()), Origin::Update)
    };
    assert_eq!(check(&same), Ok(()));
    assert_eq!(check(&other), Err(Rejection::UpdateIndexKeyType));
}

/// An item may be older than an index, and then have what no write could give it now.
#[test]
fn an_update_answers_for_what_it_changes_of_an_index_key() {
    let table = table(&[], &[("g", &["g"], &["h"], Projection::All)]);
    let of = |g: usize, h: &str| {
        let g = "g".repeat(g);
        item(&format!(
            r#"{{"pk": {{"S": "a"}}, "sk": {{"S": "b"}}, "g": {{"S": "{g}"}}, "h": {{"S": "{h}"}}}}"#
        ))
    };
    let check = |old: &Item, new: &Item, origin| {
        check_index_keys(&table, new.as_ref(), Some(old.as_ref()), origin)
    };
    let (old, new) = (of(3000, "x"), of(3000, "y"));
    assert_eq!(check(&old, &new, Origin::Update), Ok(()));
    assert_eq!(
        check(&old, &of(2999, "x"), Origin::Update),
        Err(Rejection::UpdateIndexKeySize)
    );
    assert_eq!(
        check(&old, &new, Origin::Put),
        Err(Rejection::PartitionKeySize)
    );
    let schema = table.indexes()[0].key_schema();
    assert!(!is_indexable(schema, new.as_ref()));
    assert!(is_indexable(schema, of(2048, "x").as_ref()));
    assert!(!is_indexable(schema, of(1, "").as_ref()));
}
