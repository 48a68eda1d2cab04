//! Each rule by a request that breaks it, against the words of AWS; and what a table is then.

use serde_json::{Value, json};

use crate::{
    operation::tests::{answer, refused},
    stator::{Stator, StatorOptions},
    wire::Operation,
};

fn stator() -> Stator {
    Stator::open(StatorOptions::default()).unwrap()
}

/// A request for a table with the key `pk`, with other members laid over it; null takes one away.
fn request(overlay: Value) -> Value {
    let mut request = json!({
        "TableName": "Table",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    for (name, value) in overlay.as_object().unwrap() {
        match value {
            Value::Null => request.as_object_mut().unwrap().remove(name),
            value => request
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    request
}

fn attributes(names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| json!({"AttributeName": name, "AttributeType": "S"}))
        .collect()
}

/// A key: names of HASH attributes, names of RANGE attributes.
fn key(hash: &[&str], range: &[&str]) -> Value {
    let of = |name: &&str, key_type| json!({"AttributeName": name, "KeyType": key_type});
    let hash = hash.iter().map(|name| of(name, "HASH"));
    hash.chain(range.iter().map(|name| of(name, "RANGE")))
        .collect()
}

fn index(name: &str, key: Value) -> Value {
    json!({"IndexName": name, "KeySchema": key, "Projection": {"ProjectionType": "ALL"}})
}

fn check(overlay: Value, expected: &str) {
    let request = request(overlay);
    let message = refused(&stator(), Operation::CreateTable, &request);
    assert_eq!(
        message,
        format!("ValidationException: {expected}"),
        "{request}"
    );
}

const PREFIX: &str = "One or more parameter values were invalid: ";

fn check_parameter(overlay: Value, expected: &str) {
    check(overlay, &format!("{PREFIX}{expected}"));
}

#[test]
fn constraints_of_the_model_come_first() {
    check(
        json!({"TableName": null}),
        "The parameter 'TableName' is required but was not present in the request",
    );
    check(
        json!({"TableName": "ab"}),
        "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: \
         Member must have length greater than or equal to 3",
    );
    check(
        json!({"KeySchema": null}),
        "1 validation error detected: Value null at 'keySchema' failed to satisfy constraint: \
         Member must not be null",
    );
    check(
        json!({"AttributeDefinitions": null}),
        "1 validation error detected: Value null at 'attributeDefinitions' failed to satisfy \
         constraint: Member must not be null",
    );
    check(
        json!({"KeySchema": []}),
        "1 validation error detected: Value '[]' at 'keySchema' failed to satisfy constraint: \
         Member must have length greater than or equal to 1",
    );
}

#[test]
fn billing_decides_which_throughput_is_allowed() {
    let five = json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 5});
    check_parameter(
        json!({"ProvisionedThroughput": five}),
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is \
         PAY_PER_REQUEST",
    );
    check_parameter(
        json!({"BillingMode": null}),
        "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is \
         PROVISIONED",
    );
    let much = json!({"ReadCapacityUnits": 1_000_000_000_001i64, "WriteCapacityUnits": 5});
    check(
        json!({"BillingMode": null, "ProvisionedThroughput": much}),
        "Given value 1000000000001 for ReadCapacityUnits is out of bounds",
    );
    check_parameter(
        json!({
            "BillingMode": null, "ProvisionedThroughput": five,
            "OnDemandThroughput": {"MaxReadRequestUnits": 10},
        }),
        "MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is \
         PROVISIONED.",
    );
    for units in [0, -1, -2] {
        check_parameter(
            json!({"OnDemandThroughput": {"MaxWriteRequestUnits": units}}),
            "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid \
             range",
        );
    }
    check_parameter(
        json!({"WarmThroughput": {"ReadUnitsPerSecond": 11_999}}),
        "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than initial \
         throughput for OnDemand. See: \
         https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial",
    );
    check_parameter(
        json!({
            "BillingMode": null, "ProvisionedThroughput": five,
            "WarmThroughput": {"WriteUnitsPerSecond": 4},
        }),
        "Requested WriteUnitsPerSecond for WarmThroughput for table is lower than \
         WriteCapacityUnits of ProvisionedThroughput",
    );
}

#[test]
fn a_table_key_is_one_partition_key_and_at_most_one_sort_key() {
    check(
        json!({"KeySchema": key(&["pk"], &["pk"])}),
        "Invalid KeySchema: Some index key attribute have no definition",
    );
    check(
        json!({"AttributeDefinitions": []}),
        "Invalid KeySchema: Some index key attribute have no definition",
    );
    check_parameter(
        json!({"AttributeDefinitions": attributes(&["other"])}),
        "Some index key attributes are not defined in AttributeDefinitions. Keys: [pk], \
         AttributeDefinitions: [other]",
    );
    let two = attributes(&["pk", "sk"]);
    check(
        json!({"AttributeDefinitions": two, "KeySchema": key(&[], &["sk"])}),
        "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
    );
    check(
        json!({"AttributeDefinitions": two, "KeySchema": key(&["pk", "sk"], &[])}),
        "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
    );
    check(
        json!({"AttributeDefinitions": two, "KeySchema": key(&["pk"], &["pk"])}),
        "Both the Hash Key and the Range Key element in the KeySchema have the same name",
    );
    check(
        json!({"AttributeDefinitions": attributes(&["pk", "pk"])}),
        "Attribute Name is duplicated: pk",
    );
    check_parameter(
        json!({"AttributeDefinitions": two}),
        "Number of attributes in KeySchema does not exactly match number of attributes defined in \
         AttributeDefinitions",
    );
}

#[test]
fn definitions_are_used_before_anything_else_about_indexes_counts() {
    check_parameter(
        json!({
            "AttributeDefinitions": attributes(&["sk", "a", "b", "pk", "c"]),
            "KeySchema": key(&["pk"], &["sk"]),
            "GlobalSecondaryIndexes": [{
                "IndexName": "dup", "KeySchema": key(&["a"], &[]), "Projection": {},
            }],
        }),
        "Some AttributeDefinitions are not used. AttributeDefinitions: [sk, a, b, pk, c], keys \
         used: [a, sk, pk]",
    );
    check_parameter(
        json!({"GlobalSecondaryIndexes": [index("gsi", key(&["q"], &[]))]}),
        "Some index key attributes are not defined in AttributeDefinitions. Keys: [q], \
         AttributeDefinitions: [pk]",
    );
}

#[test]
fn local_indexes_share_the_partition_key() {
    let base = |indexes: Value| {
        json!({
            "AttributeDefinitions": attributes(&["pk", "sk", "lk"]),
            "KeySchema": key(&["pk"], &["sk"]), "LocalSecondaryIndexes": indexes,
        })
    };
    check_parameter(
        json!({"LocalSecondaryIndexes": []}),
        "List of LocalSecondaryIndexes is empty",
    );
    check_parameter(
        json!({
            "AttributeDefinitions": attributes(&["pk", "lk"]),
            "LocalSecondaryIndexes": [index("lsi", key(&["pk"], &["lk"]))],
        }),
        "Table KeySchema does not have a range key, which is required when specifying a \
         LocalSecondaryIndex",
    );
    check_parameter(
        base(json!([index("l-a", key(&["lk"], &["sk"]))])),
        "Index KeySchema does not have the same leading hash key as table KeySchema for index: \
         l-a. index hash key: lk, table hash key: pk",
    );
    check_parameter(
        base(json!([
            index("l-a", key(&["pk"], &[])),
            index("l-b", key(&["pk"], &["lk"]))
        ])),
        "Index KeySchema does not have a range key for index: l-a",
    );
    let six: Value = (0..6)
        .map(|number| index(&format!("lsi{number}"), key(&["pk"], &["lk"])))
        .collect();
    check_parameter(
        base(six),
        "Number of LocalSecondaryIndexes exceeds per-table limit of 5",
    );
}

#[test]
fn global_index_keys_have_up_to_four_attributes_of_each_kind() {
    let names = ["h1", "h2", "h3", "h4", "h5", "r1", "r2", "r3", "r4", "r5"];
    let base = |hash: &[&str], range: &[&str]| {
        let used: Vec<&str> = names
            .into_iter()
            .filter(|name| hash.contains(name) || range.contains(name))
            .chain(["pk"])
            .collect();
        json!({
            "AttributeDefinitions": attributes(&used),
            "GlobalSecondaryIndexes": [index("gsi", key(hash, range))],
        })
    };
    check_parameter(
        base(&names[..5], &[]),
        "The KeySchema exceeds the maximum allowed number of HASH key attributes",
    );
    check_parameter(
        base(&["h1"], &names[5..]),
        "The KeySchema exceeds the maximum allowed number of RANGE key attributes",
    );
    check(
        base(&["h1"], &["h1"]),
        "The KeySchema contains multiple key attributes with the same name",
    );
    check(
        base(&[], &["r1"]),
        "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
    );
    let mut mixed = base(&["h1", "h2"], &["r1"]);
    mixed["GlobalSecondaryIndexes"][0]["KeySchema"]
        .as_array_mut()
        .unwrap()
        .swap(1, 2);
    check_parameter(
        mixed,
        "All HASH key attributes must precede RANGE key attributes in the KeySchema",
    );

    let eight = request(base(&names[..4], &names[5..9]));
    let table = answer(&stator(), Operation::CreateTable, &eight);
    let schema = &table["TableDescription"]["GlobalSecondaryIndexes"][0]["KeySchema"];
    assert_eq!(*schema, key(&names[..4], &names[5..9]));
}

#[test]
fn indexes_have_names_projections_and_capacities_by_the_rules() {
    let with = |indexes: Value| {
        json!({
            "AttributeDefinitions": attributes(&["pk", "a"]), "GlobalSecondaryIndexes": indexes,
        })
    };
    let projected = |projection: Value| {
        with(json!([{
            "IndexName": "gsi", "KeySchema": key(&["a"], &[]), "Projection": projection,
        }]))
    };
    check_parameter(
        json!({"GlobalSecondaryIndexes": []}),
        "List of GlobalSecondaryIndexes is empty",
    );
    let twenty_one: Value = (0..21)
        .map(|number| index(&format!("gsi{number}"), key(&["a"], &[])))
        .collect();
    check_parameter(
        with(twenty_one),
        "GlobalSecondaryIndex count exceeds the per-table limit of 20",
    );
    check_parameter(
        with(json!([
            index("dup", key(&["a"], &[])),
            index("dup", key(&["a"], &[]))
        ])),
        "Duplicate index name: dup",
    );
    check_parameter(projected(json!({})), "Unknown ProjectionType: null");
    check_parameter(
        projected(json!({"ProjectionType": "INCLUDE"})),
        "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
    );
    check_parameter(
        projected(json!({"ProjectionType": "KEYS_ONLY", "NonKeyAttributes": ["x"]})),
        "ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified",
    );
    check_parameter(
        projected(json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "y", "x"]})),
        "Duplicate element in NonKeyAttributes: x",
    );
    let one = json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1});
    let mut with_capacity = with(json!([index("g-a", key(&["a"], &[]))]));
    with_capacity["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"] = one.clone();
    check_parameter(
        with_capacity,
        "ProvisionedThroughput should not be specified for index: g-a when BillingMode is \
         PAY_PER_REQUEST",
    );
    let mut without = with(json!([index("g-a", key(&["a"], &[]))]));
    without["BillingMode"] = Value::Null;
    without["ProvisionedThroughput"] = one;
    check_parameter(
        without,
        "ProvisionedThroughput is not specified for index: g-a",
    );
    let mut cleared = with(json!([index("g-a", key(&["a"], &[]))]));
    cleared["GlobalSecondaryIndexes"][0]["OnDemandThroughput"] = json!({"MaxReadRequestUnits": -1});
    check_parameter(
        cleared,
        "Requested MaxReadRequestUnits for OnDemandThroughput for index : g-a is outside of valid \
         range",
    );
}

#[test]
fn encryption_class_stream_and_tags_by_the_rules() {
    check_parameter(
        json!({"SSESpecification": {"Enabled": false, "SSEType": "KMS"}}),
        "SSEType can not be specified if Enabled is false",
    );
    check_parameter(
        json!({"SSESpecification": {"Enabled": true, "SSEType": "AES256"}}),
        "SSEType AES256 is not supported",
    );
    check_parameter(
        json!({"SSESpecification": {"KMSMasterKeyId": "k"}}),
        "SSEType KMS is required if KMSMasterKeyId is specified",
    );
    check(
        json!({"TableClass": "COLD"}),
        "Invalid table-class parameter provided. Please try again with a valid table-class value: \
         [STANDARD, STANDARD_INFREQUENT_ACCESS].",
    );
    check_parameter(
        json!({"StreamSpecification": {"StreamEnabled": false, "StreamViewType": "NEW_IMAGE"}}),
        "Table is being created with a stream disabled, UpdateViewType should not be specified",
    );
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    check(
        json!({"Tags": [tag("#", "")]}),
        "The Tag Key provided is invalid, Key: #",
    );
    check(
        json!({"Tags": [{"Key": "k"}]}),
        "The Tag Value provided is invalid, Value: null",
    );
    check(
        json!({"Tags": [tag("aws:foo", "")]}),
        "Tag Key cannot be prefixed with aws:, Key: aws:foo",
    );
    check(
        json!({"Tags": [tag("dup", "1"), tag("dup", "2")]}),
        "Duplicate Tag Keys provided as input: Duplicate Tag Key found dup",
    );
    let many: Value = (0..51)
        .map(|number| tag(&format!("k{number}"), "v"))
        .collect();
    check(
        json!({"Tags": many}),
        "Number of Tags exceed the current limit for the provided ResourceArn",
    );
}

#[test]
fn quotas_are_limits_that_are_exceeded() {
    let much = json!({"ReadCapacityUnits": 40_001, "WriteCapacityUnits": 1});
    let request = request(json!({"BillingMode": null, "ProvisionedThroughput": much}));
    assert_eq!(
        refused(&stator(), Operation::CreateTable, &request),
        "LimitExceededException: The requested ReadCapacityUnits, 40001, is above the per table \
         maximum for the account in us-east-1. Per table maximum: 40000. Refer to the Amazon \
         DynamoDB Developer Guide for current limits and how to request higher limits."
    );
}

#[test]
fn a_table_is_described_as_it_was_created() {
    let stator = stator();
    let request = request(json!({
        "AttributeDefinitions": attributes(&["sk", "pk", "a"]),
        "KeySchema": key(&["pk"], &["sk"]),
        "LocalSecondaryIndexes": [index("local", key(&["pk"], &["a"]))],
        "GlobalSecondaryIndexes": [{
            "IndexName": "global", "KeySchema": key(&["a"], &["sk"]),
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["z", "y"]},
        }],
        "Tags": [{"Key": "env", "Value": ""}],
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "SSESpecification": {"Enabled": true},
        "DeletionProtectionEnabled": true,
        "OnDemandThroughput": {"MaxReadRequestUnits": 7},
    }));
    let created = answer(&stator, Operation::CreateTable, &request);
    let created = &created["TableDescription"];
    assert_eq!(created["TableStatus"], "CREATING");
    assert_eq!(
        created["GlobalSecondaryIndexes"][0]["IndexStatus"],
        "CREATING"
    );
    assert_eq!(created["WarmThroughput"], Value::Null);
    assert_eq!(
        created["BillingModeSummary"],
        json!({"BillingMode": "PAY_PER_REQUEST"})
    );

    let described = answer(
        &stator,
        Operation::DescribeTable,
        &json!({"TableName": "Table"}),
    );
    let mut table = described["Table"].clone();
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Table";
    let id = table["TableId"].take();
    assert!(
        crate::validation::pattern::UUID.matches(id.as_str().unwrap()),
        "{id}"
    );
    let created_at = table["CreationDateTime"].take();
    assert!(created_at.as_f64().unwrap() > 1.7e9, "{created_at}");
    assert_eq!(
        table["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"].take(),
        created_at
    );
    let zero = json!({
        "NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0,
    });
    let warm = json!({
        "ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE",
    });
    assert_eq!(
        table,
        json!({
            "AttributeDefinitions": attributes(&["a", "pk", "sk"]),
            "TableName": "Table",
            "KeySchema": key(&["pk"], &["sk"]),
            "TableStatus": "ACTIVE",
            "CreationDateTime": null,
            "ProvisionedThroughput": zero,
            "TableSizeBytes": 0,
            "ItemCount": 0,
            "TableArn": arn,
            "TableId": null,
            "BillingModeSummary": {
                "BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": null,
            },
            "LocalSecondaryIndexes": [{
                "IndexName": "local",
                "KeySchema": key(&["pk"], &["a"]),
                "Projection": {"ProjectionType": "ALL"},
                "IndexSizeBytes": 0,
                "ItemCount": 0,
                "IndexArn": format!("{arn}/index/local"),
            }],
            "GlobalSecondaryIndexes": [{
                "IndexName": "global",
                "KeySchema": key(&["a"], &["sk"]),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["y", "z"]},
                "IndexStatus": "ACTIVE",
                "ProvisionedThroughput": zero,
                "IndexSizeBytes": 0,
                "ItemCount": 0,
                "IndexArn": format!("{arn}/index/global"),
                "WarmThroughput": warm,
            }],
            "SSEDescription": {
                "Status": "ENABLED", "SSEType": "KMS",
                "KMSMasterKeyArn":
                    "arn:aws:kms:us-east-1:000000000000:key/4229b4fe-e005-4b5d-acf8-6e0f6121b91c",
            },
            "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
            "DeletionProtectionEnabled": true,
            "OnDemandThroughput": {"MaxReadRequestUnits": 7},
            "WarmThroughput": warm,
        })
    );
    // By its ARN it is the same table.
    assert_eq!(
        answer(
            &stator,
            Operation::DescribeTable,
            &json!({"TableName": arn})
        ),
        described
    );
}

#[test]
fn a_name_can_be_taken_only_once_and_again_after_deletion() {
    let stator = stator();
    let first = answer(&stator, Operation::CreateTable, &request(json!({})));
    assert_eq!(
        refused(&stator, Operation::CreateTable, &request(json!({}))),
        "ResourceInUseException: Table already exists: Table"
    );
    answer(
        &stator,
        Operation::CreateTable,
        &request(json!({"TableName": "TABLE"})),
    );
    answer(
        &stator,
        Operation::DeleteTable,
        &json!({"TableName": "Table"}),
    );
    let second = answer(&stator, Operation::CreateTable, &request(json!({})));
    let (first, second) = (&first["TableDescription"], &second["TableDescription"]);
    assert_eq!(first["TableArn"], second["TableArn"]);
    assert_ne!(first["TableId"], second["TableId"]);
}
