//! The control plane: what a lab that probed AWS's table operations in October 2026 was answered
//! ("ack-api-quirks"; the numbers are those of its findings).
//!
//! Each request meets a Stator of its own with two tables: `OnDemand` and `Provisioned` with a
//! capacity of 2 and 2, each with the global index `gsi1`.

mod updates;

use serde_json::{Value, json};

use super::{INVALID, with};
use crate::{
    operation::harness::Harness,
    wire::Operation::{self, *},
};

/// The finding, the request, and the name of the error with its message, or `accepted`.
type Case = (&'static str, Operation, Value, String);

fn units(read: i64, write: i64) -> Value {
    json!({"ReadCapacityUnits": read, "WriteCapacityUnits": write})
}

fn key(hash: &str) -> Value {
    json!([{"AttributeName": hash, "KeyType": "HASH"}])
}

fn attribute(name: &str) -> Value {
    json!({"AttributeName": name, "AttributeType": "S"})
}

fn index(name: &str) -> Value {
    json!({"IndexName": name, "KeySchema": key("a"), "Projection": {"ProjectionType": "ALL"}})
}

fn harness() -> Harness {
    let harness = Harness::new();
    let attributes = json!([attribute("a"), attribute("pk")]);
    let table = json!({"AttributeDefinitions": attributes, "KeySchema": key("pk")});
    let gsi = index("gsi1");
    let on_demand = json!({"TableName": "OnDemand", "BillingMode": "PAY_PER_REQUEST",
                           "GlobalSecondaryIndexes": [gsi]});
    harness.ok(CreateTable, with(&table, on_demand));
    let gsi = with(&gsi, json!({"ProvisionedThroughput": units(2, 2)}));
    let provisioned = json!({"TableName": "Provisioned", "ProvisionedThroughput": units(2, 2),
                             "GlobalSecondaryIndexes": [gsi]});
    harness.ok(CreateTable, with(&table, provisioned));
    harness
}

#[track_caller]
fn check(cases: impl IntoIterator<Item = Case>) {
    let mut wrong = Vec::new();
    for (source, operation, request, expected) in cases {
        let answer = match harness().call(operation, &request) {
            Ok(_) => "accepted".to_owned(),
            Err((name, body)) => {
                let message = body.get("message").or_else(|| body.get("Message"));
                let message = message.and_then(Value::as_str).unwrap_or_default();
                format!("{name}: {message}")
            }
        };
        if answer != expected {
            wrong.push(format!(
                "{source} {request}:\n  got      {answer}\n  recorded {expected}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn invalid(message: &str) -> String {
    format!("ValidationException: {INVALID}{message}")
}

fn refused(message: &str) -> String {
    format!("ValidationException: {message}")
}

/// A violation of each, in the older layer's envelope: these operations never had another.
fn violations(all: &[&str]) -> String {
    let plural = if all.len() == 1 { "" } else { "s" };
    let all_text = all.join("; ");
    refused(&format!(
        "{} validation error{plural} detected: {all_text}",
        all.len()
    ))
}

fn null(path: &str) -> String {
    format!("Value null at '{path}' failed to satisfy constraint: Member must not be null")
}

fn least(value: &str, path: &str, least: i64) -> String {
    format!(
        "Value '{value}' at '{path}' failed to satisfy constraint: Member must have value greater \
         than or equal to {least}"
    )
}

fn length(value: &str, path: &str, least: i64) -> String {
    format!(
        "Value '{value}' at '{path}' failed to satisfy constraint: Member must have length greater \
         than or equal to {least}"
    )
}

fn pattern(value: &str, path: &str) -> String {
    format!(
        "Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [a-zA-Z0-9_.-]+"
    )
}

fn accepted() -> String {
    "accepted".to_owned()
}

/// A new on-demand table with the partition key `pk`, and with what `members` say otherwise.
fn create(source: &'static str, members: Value, expected: String) -> Case {
    let base = json!({"TableName": "New", "BillingMode": "PAY_PER_REQUEST",
                      "AttributeDefinitions": [attribute("pk")], "KeySchema": key("pk")});
    let mut request = with(&base, members);
    if let Some(members) = request.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    (source, CreateTable, request, expected)
}

#[test]
fn throughput_of_a_new_table() {
    let none = Value::Null;
    let both = "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is \
                PROVISIONED";
    let zero = |value: &str| {
        violations(&[
            &least(value, "provisionedThroughput.writeCapacityUnits", 1),
            &least(value, "provisionedThroughput.readCapacityUnits", 1),
        ])
    };
    let range = "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid \
                 range";
    let initial = "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than initial \
                   throughput for OnDemand. See: \
                   https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial";
    let maximums = |read: i64, write: i64| {
        json!({"OnDemandThroughput":
            {"MaxReadRequestUnits": read, "MaxWriteRequestUnits": write}})
    };
    let warm = |read: i64, write: i64| json!({"WarmThroughput": {"ReadUnitsPerSecond": read, "WriteUnitsPerSecond": write}});
    let write_null = null("provisionedThroughput.writeCapacityUnits");
    let read_null = null("provisionedThroughput.readCapacityUnits");
    check([
        create("DDB-TABLE-024", json!({"BillingMode": none}), invalid(both)),
        create(
            "DDB-TABLE-038",
            json!({"ProvisionedThroughput": units(1, 1)}),
            invalid(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode \
                 is PAY_PER_REQUEST",
            ),
        ),
        create(
            "DDB-TABLE-038",
            json!({"ProvisionedThroughput": units(0, 0)}),
            zero("0"),
        ),
        create(
            "DDB-TABLE-038",
            json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(-1, -1)}),
            zero("-1"),
        ),
        create(
            "DDB-TABLE-038",
            json!({"BillingMode": none, "ProvisionedThroughput": units(0, 0)}),
            zero("0"),
        ),
        create(
            "DDB-TABLE-038",
            json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 1}}),
            violations(&[&write_null]),
        ),
        create(
            "DDB-TABLE-038",
            json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": {}}),
            violations(&[&write_null, &read_null]),
        ),
        create(
            "DDB-TABLE-038",
            with(
                &maximums(1, 1),
                json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(1, 1)}),
            ),
            invalid(
                "MaxReadRequestUnits for OnDemandThroughput cannot be specified when table \
                 BillingMode is PROVISIONED.",
            ),
        ),
        create("DDB-TABLE-039", maximums(0, 0), invalid(range)),
        create("DDB-TABLE-039", maximums(-1, -1), invalid(range)),
        create("DDB-TABLE-039", maximums(-2, -2), invalid(range)),
        create(
            "DDB-TABLE-039",
            json!({"OnDemandThroughput": {"MaxReadRequestUnits": 100}}),
            accepted(),
        ),
        create(
            "DDB-TABLE-039",
            json!({"OnDemandThroughput": {}}),
            accepted(),
        ),
        create("DDB-TABLE-039", warm(1, 1), invalid(initial)),
        create("DDB-TABLE-039", warm(0, 0), invalid(initial)),
        create("DDB-TABLE-457", warm(-1, -1), invalid(initial)),
        create("DDB-TABLE-039", json!({"WarmThroughput": {}}), accepted()),
        create(
            "DDB-TABLE-039",
            with(
                &warm(5, 5),
                json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(10, 10)}),
            ),
            invalid(
                "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than \
                 ReadCapacityUnits of ProvisionedThroughput",
            ),
        ),
    ]);
}

#[test]
fn keys_of_a_new_table() {
    let schema = |elements: &[(&str, &str)]| {
        let elements: Vec<Value> = elements
            .iter()
            .map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind}))
            .collect();
        json!({"KeySchema": elements,
               "AttributeDefinitions": [attribute("pk"), attribute("sk")]})
    };
    let attributes = |names: &[&str]| {
        let names: Vec<Value> = names.iter().map(|name| attribute(name)).collect();
        json!({"AttributeDefinitions": names})
    };
    let undefined = |keys: &str, defined: &str| {
        invalid(&format!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{keys}], \
             AttributeDefinitions: [{defined}]"
        ))
    };
    let first = "Invalid KeySchema: The first KeySchemaElement is not a HASH key type";
    let empty = length("[]", "keySchema", 1);
    let (type_null, name_null) = (
        null("attributeDefinitions.1.member.attributeType"),
        null("attributeDefinitions.1.member.attributeName"),
    );
    check([
        create(
            "DDB-TABLE-042",
            schema(&[("sk", "RANGE"), ("pk", "HASH")]),
            refused(first),
        ),
        create(
            "DDB-TABLE-042",
            schema(&[("pk", "HASH"), ("sk", "HASH")]),
            refused("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"),
        ),
        create(
            "DDB-TABLE-042",
            json!({"KeySchema": []}),
            violations(&[&empty]),
        ),
        create(
            "DDB-TABLE-042",
            json!({"KeySchema": null}),
            violations(&[&null("keySchema")]),
        ),
        create(
            "DDB-TABLE-042",
            json!({"AttributeDefinitions": null}),
            violations(&[&null("attributeDefinitions")]),
        ),
        create(
            "DDB-TABLE-042",
            json!({"KeySchema": key("PK")}),
            undefined("PK", "pk"),
        ),
        create(
            "DDB-TABLE-042",
            attributes(&["other"]),
            undefined("pk", "other"),
        ),
        create(
            "DDB-TABLE-042",
            attributes(&["pk", "pk"]),
            refused("Attribute Name is duplicated: pk"),
        ),
        create(
            "DDB-TABLE-042",
            attributes(&["pk", "more"]),
            invalid(
                "Number of attributes in KeySchema does not exactly match number of attributes \
                 defined in AttributeDefinitions",
            ),
        ),
        create(
            "DDB-TABLE-042",
            attributes(&[]),
            refused("Invalid KeySchema: Some index key attribute have no definition"),
        ),
        create(
            "DDB-TABLE-457",
            json!({"AttributeDefinitions": [{}]}),
            violations(&[&type_null, &name_null]),
        ),
        create(
            "DDB-TABLE-457",
            json!({"KeySchema": [{}]}),
            violations(&[
                &null("keySchema.1.member.attributeName"),
                &null("keySchema.1.member.keyType"),
            ]),
        ),
    ]);
}

#[test]
fn indexes_of_a_new_table() {
    let with_index = |members: Value| {
        json!({"AttributeDefinitions": [attribute("pk"), attribute("a")],
               "GlobalSecondaryIndexes": [with(&index("gsi"), members)]})
    };
    let named = |name: &str| with_index(json!({"IndexName": name}));
    let path = "globalSecondaryIndexes.1.member.indexName";
    let projection = |kind: &str, attributes: Value| {
        with_index(json!({"Projection": {"ProjectionType": kind, "NonKeyAttributes": attributes}}))
    };
    check([
        create(
            "DDB-TABLE-043",
            json!({"GlobalSecondaryIndexes": []}),
            invalid("List of GlobalSecondaryIndexes is empty"),
        ),
        create(
            "DDB-TABLE-043",
            json!({"LocalSecondaryIndexes": []}),
            invalid("List of LocalSecondaryIndexes is empty"),
        ),
        create(
            "DDB-TABLE-129",
            named("ab"),
            violations(&[&length("ab", path, 3)]),
        ),
        create(
            "DDB-TABLE-129",
            named("a b c"),
            violations(&[&pattern("a b c", path)]),
        ),
        create(
            "DDB-TABLE-457",
            named(""),
            violations(&[&length("", path, 3), &pattern("", path)]),
        ),
        create("DDB-TABLE-129", named("New"), accepted()),
        create(
            "DDB-TABLE-129",
            json!({"GlobalSecondaryIndexes": [with(&index("gsi"), json!({"KeySchema": key("pk")}))]}),
            accepted(),
        ),
        create(
            "DDB-TABLE-457",
            with_index(json!({"Projection": {}})),
            invalid("Unknown ProjectionType: null"),
        ),
        create(
            "DDB-TABLE-126",
            projection("KEYS_ONLY", json!(["x"])),
            invalid("ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified"),
        ),
        create(
            "DDB-TABLE-126",
            projection("ALL", json!(["x"])),
            invalid("ProjectionType is ALL, but NonKeyAttributes is specified"),
        ),
        create(
            "DDB-TABLE-126",
            with_index(json!({"Projection": {"ProjectionType": "INCLUDE"}})),
            invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified"),
        ),
        create(
            "DDB-TABLE-126",
            projection("INCLUDE", json!(["x", "x"])),
            invalid("Duplicate element in NonKeyAttributes: x"),
        ),
        create(
            "DDB-TABLE-126",
            projection("INCLUDE", json!(["pk", "a"])),
            accepted(),
        ),
        create(
            "DDB-TABLE-128",
            with_index(json!({"ProvisionedThroughput": units(1, 1)})),
            invalid(
                "ProvisionedThroughput should not be specified for index: gsi when BillingMode is \
                 PAY_PER_REQUEST",
            ),
        ),
        create(
            "DDB-TABLE-456",
            with_index(json!({"WarmThroughput": {}})),
            accepted(),
        ),
        create(
            "DDB-TABLE-456",
            with_index(json!({"OnDemandThroughput": {}})),
            accepted(),
        ),
    ]);
}

#[test]
fn streams_encryption_and_tags_of_a_new_table() {
    let stream = |specification: Value| json!({"StreamSpecification": specification});
    let encrypted = |specification: Value| json!({"SSESpecification": specification});
    let views = "[OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]";
    let view = |value: &str| {
        violations(&[&format!(
            "Value '{value}' at 'streamSpecification.streamViewType' failed to satisfy constraint: \
             Member must satisfy enum value set: {views}"
        )])
    };
    let type_disabled = "SSEType can not be specified if Enabled is false";
    check([
        create(
            "DDB-TABLE-035",
            stream(json!({"StreamEnabled": false, "StreamViewType": "NEW_IMAGE"})),
            invalid(
                "Table is being created with a stream disabled, UpdateViewType should not be \
                 specified",
            ),
        ),
        create(
            "DDB-TABLE-035",
            stream(json!({"StreamEnabled": true})),
            invalid("Table is being created with a stream enabled, UpdateViewType is required"),
        ),
        create(
            "DDB-TABLE-035",
            stream(json!({})),
            violations(&[&null("streamSpecification.streamEnabled")]),
        ),
        create(
            "DDB-TABLE-035",
            stream(json!({"StreamEnabled": true, "StreamViewType": "new_image"})),
            view("new_image"),
        ),
        create(
            "DDB-TABLE-457",
            stream(json!({"StreamEnabled": true, "StreamViewType": ""})),
            view(""),
        ),
        create(
            "DDB-TABLE-036",
            encrypted(json!({"Enabled": false, "SSEType": "KMS"})),
            invalid(type_disabled),
        ),
        create(
            "DDB-TABLE-036",
            encrypted(json!({"Enabled": false, "KMSMasterKeyId": "k"})),
            invalid("KMSMasterKeyId can not be specified if Enabled is false"),
        ),
        create(
            "DDB-TABLE-036",
            encrypted(json!({"Enabled": false, "SSEType": "AES256"})),
            invalid(type_disabled),
        ),
        create(
            "DDB-TABLE-036",
            encrypted(json!({"Enabled": true, "SSEType": "AES256"})),
            invalid("SSEType AES256 is not supported"),
        ),
        create(
            "DDB-TABLE-031",
            encrypted(json!({"Enabled": true, "KMSMasterKeyId": "alias/aws/dynamodb"})),
            invalid("SSEType KMS is required if KMSMasterKeyId is specified"),
        ),
        create("DDB-TABLE-036", encrypted(json!({})), accepted()),
        create(
            "DDB-TABLE-036",
            encrypted(json!({"SSEType": "KMS"})),
            accepted(),
        ),
        create(
            "DDB-TABLE-457",
            encrypted(json!({"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": ""})),
            violations(&[&length("", "sSESpecification.kMSMasterKeyId", 1)]),
        ),
        create("DDB-TABLE-110", json!({"Tags": []}), accepted()),
        create(
            "DDB-TABLE-110",
            json!({"Tags": [{"Key": "aws:foo", "Value": "x"}]}),
            refused("Tag Key cannot be prefixed with aws:, Key: aws:foo"),
        ),
        create(
            "DDB-TABLE-457",
            json!({"Tags": [{}]}),
            refused("The Tag Key provided is invalid, Key: null"),
        ),
        create(
            "DDB-TABLE-457",
            json!({"ResourcePolicy": "{}"}),
            invalid("Invalid policy document: Syntax error at position (1,3)"),
        ),
        create(
            "DDB-TABLE-457",
            json!({"ResourcePolicy": ""}),
            invalid("Invalid policy document: This policy contains invalid Json"),
        ),
    ]);
}

#[test]
fn around_tables() {
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/OnDemand";
    let tag = |tags: Value| json!({"ResourceArn": arn, "Tags": tags});
    let untag = |keys: Value| json!({"ResourceArn": arn, "TagKeys": keys});
    let ttl = |specification: Value| json!({"TableName": "OnDemand", "TimeToLiveSpecification": specification});
    let policy = |document: &str| json!({"ResourceArn": arn, "Policy": document});
    let document = |what: &str| invalid(&format!("Invalid policy document: {what}"));
    let (name, enabled) = (
        null("timeToLiveSpecification.attributeName"),
        null("timeToLiveSpecification.enabled"),
    );
    let start = "exclusiveStartTableName";
    let cases: Vec<Case> = vec![
        (
            "DDB-TABLE-457",
            DescribeTable,
            json!({"TableName": ""}),
            violations(&[&length("", "tableName", 3), &pattern("", "tableName")]),
        ),
        (
            "DDB-TABLE-457",
            ListTables,
            json!({"Limit": 0}),
            violations(&[&least("0", "limit", 1)]),
        ),
        (
            "DDB-TABLE-457",
            ListTables,
            json!({"ExclusiveStartTableName": ""}),
            violations(&[&pattern("", start), &length("", start, 3)]),
        ),
        (
            "DDB-TABLE-379",
            ListTables,
            json!({"ExclusiveStartTableName": "never"}),
            accepted(),
        ),
        (
            "DDB-TABLE-457",
            TagResource,
            tag(json!([{}])),
            refused("The Tag Key provided is invalid, Key: null"),
        ),
        (
            "DDB-TABLE-457",
            TagResource,
            tag(json!([{"Key": "k"}])),
            refused("The Tag Value provided is invalid, Value: null"),
        ),
        (
            "DDB-TABLE-107",
            TagResource,
            tag(json!([])),
            refused("Atleast one Tag needs to be provided as Input."),
        ),
        (
            "DDB-TABLE-107",
            TagResource,
            tag(json!([{"Key": "dup", "Value": "1"}, {"Key": "dup", "Value": "2"}])),
            refused("Duplicate Tag Keys provided as input: Duplicate Tag Key found dup"),
        ),
        (
            "DDB-TABLE-372",
            TagResource,
            tag(json!([{"Key": "k", "Value": "a,b"}])),
            refused("The Tag Value provided is invalid, Value: a,b"),
        ),
        (
            "DDB-TABLE-372",
            TagResource,
            tag(json!([{"Key": " ключ 表", "Value": "a+b-c=d.e_f:g/h@i"}])),
            accepted(),
        ),
        (
            "DDB-TABLE-457",
            UntagResource,
            untag(json!([""])),
            refused("The Tag Key provided is invalid, Key: "),
        ),
        (
            "DDB-TABLE-457",
            UntagResource,
            untag(json!([])),
            refused("Atleast one Tag Key needs to be provided as Input."),
        ),
        (
            "DDB-TABLE-105",
            UntagResource,
            untag(json!(["AWS:foo"])),
            refused("Tag Key cannot be prefixed with aws:, Key: AWS:foo"),
        ),
        (
            "DDB-TABLE-105",
            UntagResource,
            untag(json!(["absent"])),
            accepted(),
        ),
        (
            "DDB-TABLE-073",
            ListTagsOfResource,
            json!({"ResourceArn": arn, "NextToken": "x"}),
            accepted(),
        ),
        (
            "DDB-TABLE-071",
            ListTagsOfResource,
            json!({"ResourceArn": "OnDemand"}),
            invalid("ARNs must start with 'arn:': OnDemand"),
        ),
        (
            "DDB-TABLE-457",
            UpdateTimeToLive,
            ttl(json!({})),
            violations(&[&name, &enabled]),
        ),
        (
            "DDB-TABLE-457",
            UpdateTimeToLive,
            ttl(json!({"Enabled": true, "AttributeName": ""})),
            violations(&[&length("", "timeToLiveSpecification.attributeName", 1)]),
        ),
        (
            "DDB-TABLE-457",
            PutResourcePolicy,
            policy(""),
            document("This policy contains invalid Json"),
        ),
        (
            "DDB-TABLE-457",
            PutResourcePolicy,
            policy("[]"),
            document("This policy contains invalid Json"),
        ),
        (
            "DDB-TABLE-457",
            PutResourcePolicy,
            policy("null"),
            document("This text appears not to be a policy"),
        ),
        (
            "DDB-TABLE-457",
            PutResourcePolicy,
            policy("{}"),
            document("Syntax error at position (1,3)"),
        ),
        (
            "DDB-TABLE-457",
            DeleteResourcePolicy,
            json!({"ResourceArn": arn, "ExpectedRevisionId": ""}),
            violations(&[&length("", "expectedRevisionId", 1)]),
        ),
        (
            "DDB-TABLE-098",
            DescribeContinuousBackups,
            json!({"TableName": "Missing"}),
            "TableNotFoundException: Table not found: Missing".to_owned(),
        ),
        (
            "DDB-TABLE-446",
            DescribeTableReplicaAutoScaling,
            json!({"TableName": "OnDemand"}),
            "ResourceNotFoundException: Global table with name: 'OnDemand' does not exist."
                .to_owned(),
        ),
        (
            "DDB-TABLE-446",
            DescribeContributorInsights,
            json!({"TableName": "OnDemand", "IndexName": "ghost"}),
            "ResourceNotFoundException: Requested resource not found: Index: ghost not found for \
             table: OnDemand"
                .to_owned(),
        ),
        (
            "DDB-TABLE-457",
            DescribeContributorInsights,
            json!({"TableName": "OnDemand", "IndexName": ""}),
            refused("IndexName must be at least 3 characters long and at most 255 characters long"),
        ),
        (
            "DDB-TABLE-005",
            CreateTable,
            json!({"TableName": "OnDemand", "BillingMode": "PAY_PER_REQUEST",
                   "AttributeDefinitions": [attribute("x")], "KeySchema": key("x")}),
            "ResourceInUseException: Table already exists: OnDemand".to_owned(),
        ),
    ];
    check(cases);
}
