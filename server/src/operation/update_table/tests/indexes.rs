//! Indexes that are created and deleted.

use std::time::Duration;

use super::*;
use crate::{
    operation::harness::Harness,
    store::{Simulation, Storage},
    wire::Operation::{DeleteTable, Query},
};

pub(super) fn create(name: &str) -> Value {
    json!({"Create": {
        "IndexName": name,
        "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }})
}

pub(super) fn delete(name: &str) -> Value {
    json!({"Delete": {"IndexName": name}})
}

pub(super) fn updates(updates: &[Value]) -> Value {
    json!({
        "AttributeDefinitions": [{"AttributeName": "b", "AttributeType": "N"}],
        "GlobalSecondaryIndexUpdates": updates,
    })
}

/// `create`, with members of its own.
fn create_with(members: Value) -> Value {
    let mut action = create("new");
    for (name, value) in members.as_object().unwrap() {
        action["Create"][name] = value.clone();
    }
    updates(&[action])
}

#[test]
fn rules_of_a_request_for_an_index() {
    let invalid = |text: &str| format!("One or more parameter values were invalid: {text}");
    let on_demand = stator(false);
    let provisioned = stator(true);
    let mut without_attributes = create_with(json!({}));
    without_attributes["AttributeDefinitions"] = Value::Null;
    let mut other_attributes = create_with(json!({}));
    other_attributes["AttributeDefinitions"] =
        json!([{"AttributeName": "c", "AttributeType": "S"}]);
    let key = |elements: &[(&str, &str)]| {
        let elements: Vec<Value> = elements
            .iter()
            .map(|(name, key_type)| json!({"AttributeName": name, "KeyType": key_type}))
            .collect();
        json!({"KeySchema": elements})
    };
    for (stator, members, expected) in [
        (
            &on_demand,
            without_attributes,
            invalid("AttributeDefinitions is not specified for index: new"),
        ),
        (
            &on_demand,
            other_attributes,
            invalid(
                "Some index key attributes are not defined in AttributeDefinitions. Keys: [b], \
                 AttributeDefinitions: [c]",
            ),
        ),
        (
            &on_demand,
            create_with(key(&[("b", "RANGE")])),
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type".to_owned(),
        ),
        (
            &on_demand,
            create_with(key(&[("b", "HASH"), ("a", "RANGE"), ("pk", "HASH")])),
            invalid("All HASH key attributes must precede RANGE key attributes in the KeySchema"),
        ),
        (
            &on_demand,
            create_with(json!({"Projection": {"ProjectionType": "INCLUDE"}})),
            invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified"),
        ),
        (
            &on_demand,
            create_with(json!({"ProvisionedThroughput": units(1, 1)})),
            invalid(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: new \
                 when BillingMode is PAY_PER_REQUEST",
            ),
        ),
        (
            &provisioned,
            create_with(json!({})),
            invalid(
                "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: new",
            ),
        ),
        (
            &on_demand,
            updates(&[create("gsi")]),
            "Attempting to create an index which already exists".to_owned(),
        ),
        (
            &on_demand,
            updates(&[create("lsi")]),
            "Attempting to create an index which already exists".to_owned(),
        ),
        (
            &on_demand,
            updates(&[delete("lsi")]),
            "Cannot delete an index that is not a GlobalSecondaryIndex: lsi".to_owned(),
        ),
        (
            &on_demand,
            updates(&[delete("gsi"), create("gsi")]),
            invalid(
                "Only one global secondary index update per index is allowed simultaneously. \
                 Index: gsi",
            ),
        ),
    ] {
        check(stator, members, &format!("ValidationException: {expected}"));
    }
}

/// A Stator whose states show for `delay_ms`, with the on-demand table `Table` and its index `gsi`.
pub(super) fn harness(delay_ms: u64) -> (Simulation, Harness) {
    let simulation = Simulation::new(1);
    let stator = Stator::open(StatorOptions {
        storage: Storage::Env(simulation.env(), "/data".into()),
        table_state_delay_ms: delay_ms,
        ..StatorOptions::default()
    });
    let harness = Harness {
        stator: stator.unwrap(),
    };
    let request = json!({
        "TableName": "Table", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "a", "AttributeType": "S"},
            {"AttributeName": "pk", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "gsi", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
    });
    harness.ok(CreateTable, request);
    simulation.advance(Duration::from_millis(delay_ms));
    (simulation, harness)
}

/// The name and message of an error.
#[track_caller]
pub(super) fn error(harness: &Harness, operation: Operation, request: &Value) -> (String, String) {
    let (name, body) = harness.call(operation, request).unwrap_err();
    let message = body.get("message").or_else(|| body.get("Message"));
    (name, message.unwrap().as_str().unwrap().to_owned())
}

pub(super) fn describe(harness: &Harness) -> Value {
    harness.ok(DescribeTable, json!({"TableName": "Table"}))["Table"].take()
}

/// State of the table, and of each global index with its `Backfilling`.
fn states(description: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut states = text(&description["TableStatus"]);
    for index in description["GlobalSecondaryIndexes"]
        .as_array()
        .into_iter()
        .flatten()
    {
        states += &format!(
            " {}:{}:{}",
            text(&index["IndexName"]),
            text(&index["IndexStatus"]),
            index["Backfilling"]
        );
    }
    states
}

const ONE_AT_A_TIME: &str = "Subscriber limit exceeded: Only 1 online index can be created or \
                             deleted simultaneously per table";
const IN_USE: &str = "Attempt to change a resource which is still in use: ";

#[test]
fn a_creation_goes_through_its_phases() {
    let (simulation, harness) = harness(1000);
    let answer = harness.ok(UpdateTable, request(updates(&[create("new")])));
    let allocating = "UPDATING gsi:ACTIVE:null new:CREATING:false";
    assert_eq!(states(&answer["TableDescription"]), allocating);
    assert_eq!(states(&describe(&harness)), allocating);
    let refuse = |members: Value| error(&harness, UpdateTable, &request(members));
    let in_use = |text: &str| {
        (
            "ResourceInUseException".to_owned(),
            format!("{IN_USE}{text}"),
        )
    };
    let limit = || {
        (
            "LimitExceededException".to_owned(),
            ONE_AT_A_TIME.to_owned(),
        )
    };
    assert_eq!(refuse(updates(&[create("other")])), limit());
    assert_eq!(refuse(updates(&[delete("gsi")])), limit());
    assert_eq!(
        refuse(updates(&[delete("new")])),
        in_use(
            "Index creation is in resource allocation phase. Retry deletion during backfilling \
             phase or when the index is active. Table: Table Index: new"
        )
    );
    assert_eq!(
        refuse(json!({"OnDemandThroughput": {"MaxReadRequestUnits": 10}})),
        in_use(
            "OnDemandThroughput cannot be updated while index creation is in progress for \
             indexes: [new]"
        )
    );
    let delete_table = || error(&harness, DeleteTable, &json!({"TableName": "Table"}));
    let indexes_in_use =
        in_use("Cannot delete table while indexes are being created, updated, or deleted.");
    assert_eq!(delete_table(), indexes_in_use);
    // What has nothing to do with it goes on.
    let protection = json!({"DeletionProtectionEnabled": false});
    harness.ok(UpdateTable, request(protection));

    simulation.advance(Duration::from_millis(1000));
    assert_eq!(
        states(&describe(&harness)),
        "ACTIVE gsi:ACTIVE:null new:CREATING:true"
    );
    assert_eq!(delete_table(), indexes_in_use);
    assert_eq!(refuse(updates(&[create("other")])), limit());
    let query = json!({
        "TableName": "Table", "IndexName": "new", "KeyConditionExpression": "b = :b",
        "ExpressionAttributeValues": {":b": {"N": "1"}},
    });
    assert_eq!(
        harness.refused(Query, query.clone()),
        "Cannot read from backfilling global secondary index: new"
    );
    simulation.advance(Duration::from_millis(1000));
    assert_eq!(
        states(&describe(&harness)),
        "ACTIVE gsi:ACTIVE:null new:ACTIVE:null"
    );
    harness.ok(Query, query);
}

#[test]
fn a_deletion_shows_for_a_while_and_takes_its_attributes_along() {
    let (simulation, harness) = harness(1000);
    let answer = harness.ok(UpdateTable, request(updates(&[delete("gsi")])));
    let deleting = "UPDATING gsi:DELETING:null";
    assert_eq!(states(&answer["TableDescription"]), deleting);
    assert_eq!(states(&describe(&harness)), deleting);
    let attributes = |description: &Value| {
        description["AttributeDefinitions"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(attributes(&describe(&harness)), 2);
    let refuse = |members: Value| error(&harness, UpdateTable, &request(members)).1;
    let capacity = json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(1, 1)});
    assert_eq!(
        refuse(capacity.clone()),
        format!(
            "{IN_USE}Can't change table IOPS when an index is being deleted. Table: Table \
             Indexes: [gsi]"
        )
    );
    let mut with_index = capacity;
    with_index["GlobalSecondaryIndexUpdates"] =
        json!([{"Update": {"IndexName": "gsi", "ProvisionedThroughput": units(1, 1)}}]);
    assert_eq!(
        refuse(with_index),
        format!("{IN_USE}Index is being deleted. Table: Table Index: gsi")
    );
    assert_eq!(refuse(updates(&[create("new")])), ONE_AT_A_TIME);
    // A change meanwhile keeps what shows; nothing of it is left when it is over.
    let protection = json!({"DeletionProtectionEnabled": false});
    harness.ok(UpdateTable, request(protection));
    assert_eq!(states(&describe(&harness)), deleting);
    simulation.advance(Duration::from_millis(1000));
    assert_eq!(states(&describe(&harness)), "ACTIVE");
    assert_eq!(attributes(&describe(&harness)), 1);
    harness.ok(UpdateTable, request(updates(&[create("gsi")])));
    (0..5).for_each(|_| simulation.advance(Duration::from_millis(500)));
    assert_eq!(states(&describe(&harness)), "ACTIVE gsi:ACTIVE:null");
    assert_eq!(
        describe(&harness)["AttributeDefinitions"],
        json!([
            {"AttributeName": "b", "AttributeType": "N"},
            {"AttributeName": "pk", "AttributeType": "S"},
        ])
    );
}

#[test]
fn without_delay_only_the_answer_shows_a_deletion() {
    let (_, harness) = harness(0);
    let answer = harness.ok(UpdateTable, request(updates(&[delete("gsi")])));
    assert_eq!(
        states(&answer["TableDescription"]),
        "UPDATING gsi:DELETING:null"
    );
    let after = describe(&harness);
    assert_eq!(states(&after), "ACTIVE");
    assert_eq!(after["AttributeDefinitions"].as_array().unwrap().len(), 1);
    let (name, message) = error(&harness, UpdateTable, &request(updates(&[delete("gsi")])));
    assert_eq!(name, "ResourceNotFoundException");
    assert_eq!(
        message,
        "Requested resource not found: Index gsi for table Table"
    );
}

#[test]
fn an_index_is_deleted_while_it_is_filled() {
    let (simulation, harness) = harness(0);
    for item in 0..200 {
        let item = json!({"pk": {"S": item.to_string()}, "b": {"N": "1"}});
        harness.put("Table", &item);
    }
    harness.ok(UpdateTable, request(updates(&[create("new")])));
    assert!(states(&describe(&harness)).contains("new:CREATING:true"));
    harness.ok(UpdateTable, request(updates(&[delete("new")])));
    assert_eq!(states(&describe(&harness)), "ACTIVE gsi:ACTIVE:null");
    simulation.advance(Duration::from_secs(1));
    harness.ok(DeleteTable, json!({"TableName": "Table"}));
}

#[test]
fn a_table_has_twenty_indexes_at_most() {
    let (simulation, harness) = harness(0);
    let add = |name: &str| request(updates(&[create(name)]));
    for number in 1..20 {
        harness.ok(UpdateTable, add(&format!("i{number:02}")));
        // Step by step: a task that waits for a moment waits again after it.
        (0..5).for_each(|_| simulation.advance(Duration::from_millis(2)));
    }
    let (name, message) = error(&harness, UpdateTable, &add("one-more"));
    assert_eq!(name, "LimitExceededException");
    assert_eq!(
        message,
        "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of \
         20"
    );
}
