//! The examples of the server's chapters of `format-spec/`, from the writers; and what the readers
//! make of them as they are printed there.

use stator_format_spec::{Dump, bytes, check};

use crate::item::key::{Place, decode, encode};
use crate::item::{Item, ItemRef, Kind, Number, Value, decode_json};
use crate::store::{Key, KeyRef, KeyspaceId, layout, system};
use crate::streams::{ChangeRecord, Event, Position};
use crate::wire::json::{Reader, Writer};

const ITEM: &str = r#"{"b":{"B":"AP8="},"l":{"L":[{"BOOL":true},{"NULL":true}]},"m":{"M":{"k":{"N":"-12.5"}}},"ns":{"NS":["2","10"]},"s":{"S":"é"}}"#;

fn item(json: &str) -> Item {
    decode_json(&mut Reader::new(json.as_bytes())).unwrap()
}

#[test]
fn items() {
    let all = item(ITEM);
    let dump = Dump::new(all.as_ref().as_bytes())
        .field(1, "version 1")
        .field(4, "size by DynamoDB's arithmetic: 30")
        .field(4, "5 attributes")
        .field(2, "name \"b\"")
        .field(4, "B of 2 bytes: 00 ff")
        .field(2, "name \"l\"")
        .field(5, "L, 2 bytes follow")
        .field(2, "true, NULL")
        .field(2, "name \"m\"")
        .field(5, "M, 6 bytes follow")
        .field(2, "name \"k\"")
        .field(4, "N of 3 bytes: -12.5")
        .field(3, "name \"ns\"")
        .field(5, "NS, 6 bytes follow")
        .field(3, "N of 2 bytes: 2")
        .field(3, "N of 2 bytes: 10")
        .field(2, "name \"s\"")
        .field(4, "S of 2 bytes: é");
    let key = |kind, json: &str, place| {
        let value = decode_json_value(json);
        assert_eq!(value.kind(), kind);
        let mut bytes = Vec::new();
        assert!(encode(value.as_ref(), place, &mut bytes));
        bytes
    };
    let inner = key(Kind::B, r#"{"B":"YQBi"}"#, Place::Inner);
    let last = key(Kind::B, r#"{"B":"YQBi"}"#, Place::Last);
    check(
        "items",
        &[
            ("item", dump.finish()),
            ("numbers", numbers()),
            (
                "inner",
                Dump::new(inner)
                    .field(4, "61, 00 as 00 ff, 62")
                    .field(2, "end")
                    .finish(),
            ),
            ("last", Dump::new(last).field(3, "as they are").finish()),
        ],
    );

    let read = bytes("items", "item");
    let read = ItemRef::from_stored(&read).unwrap();
    read.verify().unwrap();
    let mut json = Writer::new();
    read.write_json(&mut json);
    assert_eq!(json.as_bytes(), ITEM.as_bytes());
    for (name, place) in [("inner", Place::Inner), ("last", Place::Last)] {
        let read = bytes("items", name);
        let (value, rest) = decode(Kind::B, place, &read).unwrap();
        assert_eq!((value, rest), (Value::binary(b"a\0b"), &[][..]));
    }
}

fn decode_json_value(json: &str) -> Value {
    let decoded = crate::item::decode_json_value(&mut Reader::new(json.as_bytes()));
    decoded.unwrap().0
}

/// In order, so that the column of bytes shows that theirs is the same.
const NUMBERS: [&str; 12] = [
    "-9.9999999999999999999999999999999999999E+125",
    "-100",
    "-12.5",
    "-1",
    "-0.001",
    "0",
    "0.001",
    "1",
    "1.5",
    "12.5",
    "99",
    "100",
];

fn numbers() -> String {
    let number = |text: &str| Number::parse(text).unwrap();
    let all: Vec<Number> = NUMBERS.iter().map(|text| number(text)).collect();
    assert!(all.is_sorted());
    let joined: Vec<u8> = all.iter().flat_map(|n| n.as_bytes().to_vec()).collect();
    let mut rest = joined.as_slice();
    let mut dump = Dump::new(joined.as_slice());
    for (text, expected) in NUMBERS.iter().zip(&all) {
        let (split, behind) = Number::split(rest).unwrap();
        assert_eq!(split, *expected);
        rest = behind;
        dump = dump.field(expected.as_bytes().len(), text);
    }
    assert!(rest.is_empty());
    dump.finish()
}

const TABLE: KeyspaceId = KeyspaceId(1024);

#[test]
fn layout() {
    let values = item(
        r#"{"Artist":{"S":"Can"},"Title":{"S":"Mushroom"},"Year":{"N":"1971"},"Label":{"S":"UA"}}"#,
    );
    let of = |names: &[&str]| {
        let values: Vec<_> = names.iter().map(|name| values.get(name).unwrap()).collect();
        values
    };
    let key = |keyspace: u32, partition: &[&str], sort: &[&str]| -> Key {
        layout::entry_key(KeyspaceId(keyspace), of(partition), of(sort)).unwrap()
    };
    let entry = key(1024, &["Artist"], &["Title"]);
    let local = key(1025, &["Artist"], &["Year", "Title"]);
    let global = key(1026, &["Year", "Label"], &["Artist", "Title"]);
    let expiry = layout::expiry_key(KeyspaceId(1027), 1_800_000_000, &entry);
    let begin = |key: &Key, keyspace: &str| {
        Dump::new(key.as_bytes())
            .field(4, keyspace)
            .field(8, "hash of the partition")
    };
    check(
        "layout",
        &[
            (
                "table",
                begin(&entry, "keyspace 1024: the table")
                    .field(3, "partition: Artist \"Can\"")
                    .field(2, "end of the partition")
                    .field(10, "sort part: Title \"Mushroom\", and its end")
                    .finish(),
            ),
            (
                "local-index",
                begin(&local, "keyspace 1025: the index")
                    .field(3, "partition: Artist \"Can\"")
                    .field(2, "end of the partition")
                    .field(3, "sort part: Year 1971")
                    .field(10, "Title \"Mushroom\", and its end")
                    .finish(),
            ),
            (
                "global-index",
                begin(&global, "keyspace 1026: the index")
                    .field(3, "partition: Year 1971")
                    .field(2, "Label \"UA\", the last value of the partition")
                    .field(2, "end of the partition")
                    .field(5, "sort part: Artist \"Can\", and its end")
                    .field(10, "Title \"Mushroom\", and its end")
                    .finish(),
            ),
            (
                "expiry",
                begin(&expiry, "keyspace 1027: what expires")
                    .field(2, "the partition is empty, and this its end")
                    .field(8, "sort part: second 1800000000")
                    .field(
                        8,
                        "the item's key, without its keyspace: hash of the partition",
                    )
                    .field(3, "partition: Artist \"Can\"")
                    .field(2, "end of the partition")
                    .field(10, "sort part: Title \"Mushroom\", and its end")
                    .finish(),
            ),
            (
                "definition",
                begin(
                    &system::table_definition("000000000000", "us-east-1", "Music"),
                    "keyspace 1: the server's own",
                )
                .field(6, "partition \"tables\"")
                .field(2, "end of the partition")
                .field(12, "account \"000000000000\"")
                .field(1, "00")
                .field(9, "Region \"us-east-1\"")
                .field(1, "00")
                .field(5, "name \"Music\"")
                .finish(),
            ),
            (
                "statistics",
                begin(&system::statistics(TABLE), "keyspace 1: the server's own")
                    .field(10, "partition \"statistics\"")
                    .field(2, "end of the partition")
                    .field(4, "keyspace 1024, big-endian")
                    .finish(),
            ),
            (
                "stream-record-key",
                begin(&record_key(), "keyspace 1027: a log")
                    .field(7, "partition: shard 42, each 00 as 00 ff")
                    .field(2, "end of the partition")
                    .field(8, "commit 9")
                    .field(2, "its first record")
                    .finish(),
            ),
            (
                "stream-record",
                Dump::new(change_record().encode())
                    .field(1, "version 1")
                    .field(1, "inserted, the new image follows")
                    .field(8, "at 1,700,000,000,000 ms after 1970")
                    .field(4, "21 bytes follow")
                    .field(21, "an item: Artist \"Can\"")
                    .finish(),
            ),
            (
                "stream-definition",
                begin(
                    &system::stream_definition(
                        "000000000000",
                        "us-east-1",
                        "Music",
                        "2023-11-14T22:13:20.000",
                    ),
                    "keyspace 1: the server's own",
                )
                .field(7, "partition \"streams\"")
                .field(2, "end of the partition")
                .field(12, "account \"000000000000\"")
                .field(1, "00")
                .field(9, "Region \"us-east-1\"")
                .field(1, "00")
                .field(5, "table \"Music\"")
                .field(1, "00")
                .field(23, "label \"2023-11-14T22:13:20.000\"")
                .finish(),
            ),
        ],
    );
    let read = bytes("layout", "stream-record");
    assert_eq!(ChangeRecord::decode(read.into()), Ok(change_record()));
    let read = bytes("layout", "stream-record-key");
    let sort = KeyRef::parse(&read).unwrap().sort();
    assert_eq!(
        Position::from_sort(sort).map(|found| found.sequence),
        Some(9)
    );
}

fn record_key() -> Key {
    let first = Position {
        sequence: 9,
        ordinal: 0,
    };
    Key::new(KeyspaceId(1027), &42u32.to_be_bytes(), &first.sort_bytes())
}

fn change_record() -> ChangeRecord {
    ChangeRecord {
        event: Event::Insert,
        by_service: false,
        time_ms: 1_700_000_000_000,
        keys: None,
        new: Some(item(r#"{"Artist":{"S":"Can"}}"#)),
        old: None,
    }
}
