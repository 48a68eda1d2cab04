use proptest::prelude::*;

use super::*;
use crate::table::status::Change;

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_.-]{3,20}"
}

fn throughput() -> impl Strategy<Value = ProvisionedThroughput> {
    (
        0..1i64 << 40,
        0..1i64 << 40,
        any::<Option<u64>>(),
        any::<Option<u64>>(),
        any::<u32>(),
    )
        .prop_map(
            |(read_units, write_units, increased_ms, decreased_ms, decreases_that_day)| {
                ProvisionedThroughput {
                    read_units,
                    write_units,
                    increased_ms,
                    decreased_ms,
                    decreases_that_day,
                }
            },
        )
}

fn on_demand() -> impl Strategy<Value = Option<OnDemandThroughput>> {
    proptest::option::of((any::<Option<i64>>(), any::<Option<i64>>()).prop_map(
        |(max_read_units, max_write_units)| OnDemandThroughput {
            max_read_units,
            max_write_units,
        },
    ))
}

fn warm() -> impl Strategy<Value = WarmThroughput> {
    (any::<i64>(), any::<i64>()).prop_map(|(read_units, write_units)| WarmThroughput {
        read_units,
        write_units,
    })
}

fn state() -> impl Strategy<Value = State> {
    let change = prop_oneof![
        Just(Change::Create),
        Just(Change::Update),
        Just(Change::Billing),
        Just(Change::Stream),
        Just(Change::Class),
        Just(Change::Delete)
    ];
    (change, any::<u64>()).prop_map(|(change, until_ms)| State { change, until_ms })
}

fn projection() -> impl Strategy<Value = Projection> {
    prop_oneof![
        Just(Projection::All),
        Just(Projection::KeysOnly),
        proptest::collection::vec(".{1,10}", 1..4).prop_map(Projection::Include),
    ]
}

fn changes() -> impl Strategy<Value = Changes> {
    let times = || proptest::collection::vec(any::<u64>(), 0..4);
    (times(), times(), times(), any::<Option<u64>>()).prop_map(
        |(encryption_ms, class_ms, on_demand_ms, protection_ms)| Changes {
            encryption_ms,
            class_ms,
            on_demand_ms,
            protection_ms,
        },
    )
}

fn policy() -> impl Strategy<Value = Policy> {
    let text = || proptest::option::of(".{1,20}");
    (text(), text(), any::<u64>()).prop_map(|(stream, document, changed_ms)| Policy {
        stream,
        document,
        changed_ms,
    })
}

fn stream() -> impl Strategy<Value = LatestStream> {
    let view = proptest::sample::select(&[
        View::KeysOnly,
        View::NewImage,
        View::OldImage,
        View::NewAndOldImages,
    ]);
    (".{1,20}", view, any::<bool>()).prop_map(|(label, view, enabled)| LatestStream {
        label,
        view,
        enabled,
    })
}

fn scalar() -> impl Strategy<Value = ScalarType> {
    prop_oneof![
        Just(ScalarType::S),
        Just(ScalarType::N),
        Just(ScalarType::B)
    ]
}

fn time_to_live() -> impl Strategy<Value = Option<TimeToLive>> {
    let on = (text(), any::<bool>(), any::<u64>(), any::<u64>());
    proptest::option::of(
        on.prop_map(|(attribute, on, changed_ms, until_ms)| TimeToLive {
            attribute,
            keyspace: on.then_some(200),
            changed_ms,
            until_ms,
        }),
    )
}

prop_compose! {
    fn index(number: u32)(
        suffix in text(), state in state(), projection in projection(),
        throughput in throughput(), on_demand in on_demand(),
        warm in proptest::option::of(warm()),
    ) -> Index {
        Index {
            name: format!("{number}{suffix}"),
            keyspace: 100 + number,
            state,
            allocated_ms: None,
            key: vec![
                KeyElement { name: "a".to_owned(), key_type: KeyType::Hash },
                KeyElement { name: "c".to_owned(), key_type: KeyType::Range },
            ],
            projection,
            throughput,
            on_demand,
            warm,
        }
    }
}

prop_compose! {
    pub(crate) fn any_record()(
        names in (text(), text(), text(), ".{1,30}"),
        scalars in (scalar(), scalar(), scalar()),
        keyspace in 1u32..100, created_ms in any::<u64>(), state in state(),
        // Boxed, since all trees of values together are more than a thread's stack holds.
        local in (any::<bool>(), index(1)).boxed(), global in (any::<bool>(), index(2)).boxed(),
        billing in prop_oneof![Just(BillingMode::Provisioned), Just(BillingMode::PayPerRequest)],
        on_demand_since_ms in any::<Option<u64>>(),
        settings in (throughput(), on_demand(), warm(), any::<bool>(), time_to_live()).boxed(),
        class in proptest::option::of((
            prop_oneof![Just(TableClass::Standard), Just(TableClass::StandardInfrequentAccess)],
            any::<Option<u64>>(),
        )),
        encryption in proptest::option::of(proptest::option::of(".{1,20}")),
        tags in proptest::collection::vec((".{1,20}", ".{0,20}"), 0..4),
        (policies, changes, stream) in (
            proptest::collection::vec(policy(), 0..3), changes(),
            proptest::option::of(stream()),
        ).boxed(),
    ) -> Record {
        let (account, region, name, id) = names;
        let attribute = |name: &str, scalar| Attribute { name: name.to_owned(), scalar };
        let (throughput, on_demand, warm, deletion_protection, time_to_live) = settings;
        Record {
            version: VERSION,
            account,
            region,
            name,
            id,
            keyspace,
            created_ms,
            state,
            attributes: vec![
                attribute("a", scalars.0),
                attribute("b", scalars.1),
                attribute("c", scalars.2),
            ],
            key: vec![
                KeyElement { name: "a".to_owned(), key_type: KeyType::Hash },
                KeyElement { name: "b".to_owned(), key_type: KeyType::Range },
            ],
            collections: local.0.then_some(100),
            local_indexes: local.0.then_some(local.1).into_iter().collect(),
            global_indexes: global.0.then_some(global.1).into_iter().collect(),
            billing,
            on_demand_since_ms,
            throughput,
            on_demand,
            warm,
            class: class.map(|(name, changed_ms)| Class { name, changed_ms }),
            encryption: encryption.map(|key| Encryption { key }),
            deletion_protection,
            tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
            policies,
            changes,
            time_to_live,
            stream,
        }
    }
}

/// A definition that lower tests of the table module share.
pub(crate) fn simple(name: &str) -> Record {
    Record {
        version: VERSION,
        account: "000000000000".to_owned(),
        region: "us-east-1".to_owned(),
        name: name.to_owned(),
        id: "2f4a1f6e-3f3b-4b53-8f0e-0f8d0a6f5c11".to_owned(),
        keyspace: 7,
        created_ms: 1_700_000_000_000,
        state: State {
            change: Change::Create,
            until_ms: 1_700_000_000_000,
        },
        attributes: vec![Attribute {
            name: "pk".to_owned(),
            scalar: ScalarType::S,
        }],
        key: vec![KeyElement {
            name: "pk".to_owned(),
            key_type: KeyType::Hash,
        }],
        collections: None,
        local_indexes: Vec::new(),
        global_indexes: Vec::new(),
        billing: BillingMode::PayPerRequest,
        on_demand_since_ms: Some(1_700_000_000_000),
        throughput: ProvisionedThroughput::default(),
        on_demand: None,
        warm: WarmThroughput::ON_DEMAND,
        class: None,
        encryption: None,
        deletion_protection: false,
        tags: Vec::new(),
        policies: Vec::new(),
        changes: Changes::default(),
        time_to_live: None,
        stream: None,
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(record in any_record()) {
        let bytes = record.encode().unwrap();
        prop_assert_eq!(Record::decode(&bytes).unwrap(), record);
    }

    /// Damage that slipped through every checksum still gives an error or a definition that holds
    /// together, never a panic.
    #[test]
    fn changed_bytes_never_panic(
        record in any_record(), at in any::<proptest::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = record.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Record::decode(&bytes) {
            prop_assert!(read.resolve(&read.key).is_some());
        }
    }

    #[test]
    fn a_part_of_a_record_is_an_error(
        record in any_record(), at in any::<proptest::sample::Index>(),
    ) {
        let bytes = record.encode().unwrap();
        let at = at.index(bytes.len());
        prop_assert!(Record::decode(&bytes[..at]).is_err());
    }
}

/// The form on disk. If this test fails, old directories cannot be read: raise the version.
#[test]
fn the_form_does_not_change() {
    let expected = concat!(
        r#"{"version":1,"account":"000000000000","region":"us-east-1","name":"Movies","#,
        r#""id":"2f4a1f6e-3f3b-4b53-8f0e-0f8d0a6f5c11","keyspace":7,"created_ms":1700000000000,"#,
        r#""state":{"change":"Create","until_ms":1700000000000},"#,
        r#""attributes":[{"name":"pk","type":"S"}],"key":[{"name":"pk","type":"HASH"}],"#,
        r#""billing":"PAY_PER_REQUEST","on_demand_since_ms":1700000000000,"#,
        r#""throughput":{"read_units":0,"write_units":0},"#,
        r#""warm":{"read_units":12000,"write_units":4000},"deletion_protection":false}"#,
    );
    let bytes = simple("Movies").encode().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn a_newer_version_is_named() {
    let error = Record::decode(br#"{"version":2,"partitions":[]}"#).unwrap_err();
    assert!(
        matches!(error, RecordError::Version { found: 2 }),
        "{error}"
    );
}

#[test]
fn an_unknown_member_is_refused() {
    let mut bytes = simple("Movies").encode().unwrap();
    bytes.pop();
    bytes.extend_from_slice(br#","vectors":[]}"#);
    assert!(matches!(
        Record::decode(&bytes),
        Err(RecordError::Malformed(_))
    ));
}

#[test]
fn contradictions_are_refused_on_both_sides_of_the_disk() {
    let mut record = simple("Movies");
    record.attributes.clear();
    assert!(matches!(
        record.encode(),
        Err(RecordError::Inconsistent { .. })
    ));
    let bytes = serde_json::to_vec(&record).unwrap();
    assert!(matches!(
        Record::decode(&bytes),
        Err(RecordError::Inconsistent { .. })
    ));
}
