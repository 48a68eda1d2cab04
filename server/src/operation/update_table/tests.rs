//! Each rule by a request that breaks it, against the words of AWS; and what a change does.

mod indexes;
mod overlaps;

use serde_json::{Value, json};

use crate::{
    operation::tests::{answer, refused},
    stator::{Stator, StatorOptions},
    wire::Operation::{self, CreateTable, DescribeTable, UpdateTable},
};

fn units(read: i64, write: i64) -> Value {
    json!({"ReadCapacityUnits": read, "WriteCapacityUnits": write})
}

/// A Stator with the table `Table`, provisioned or not, with the global index `gsi` and the local
/// one `lsi`.
fn stator(provisioned: bool) -> Stator {
    let stator = Stator::open(StatorOptions::default()).unwrap();
    let attributes =
        ["a", "pk", "sk"].map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
    let key = |hash: &str, range: &str| {
        json!([
            {"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"},
        ])
    };
    let all = json!({"ProjectionType": "ALL"});
    let mut request = json!({
        "TableName": "Table", "AttributeDefinitions": attributes, "KeySchema": key("pk", "sk"),
        "LocalSecondaryIndexes": [
            {"IndexName": "lsi", "KeySchema": key("pk", "a"), "Projection": all},
        ],
        "GlobalSecondaryIndexes": [
            {"IndexName": "gsi", "KeySchema": key("a", "sk"), "Projection": all},
        ],
    });
    if provisioned {
        request["ProvisionedThroughput"] = units(5, 5);
        request["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"] = units(5, 5);
    } else {
        request["BillingMode"] = json!("PAY_PER_REQUEST");
    }
    answer(&stator, CreateTable, &request);
    stator
}

fn request(mut members: Value) -> Value {
    members["TableName"] = json!("Table");
    members
}

fn index_update(action: Value) -> Value {
    let mut action = action;
    action["IndexName"] = json!("gsi");
    json!({"GlobalSecondaryIndexUpdates": [{"Update": action}]})
}

fn check(stator: &Stator, members: Value, expected: &str) {
    let before = answer(stator, DescribeTable, &json!({"TableName": "Table"}));
    let request = request(members);
    assert_eq!(
        refused(stator, UpdateTable, &request),
        expected,
        "{request}"
    );
    let after = answer(stator, DescribeTable, &json!({"TableName": "Table"}));
    assert_eq!(
        before, after,
        "a refused request has changed something: {request}"
    );
}

fn check_parameter(stator: &Stator, members: Value, expected: &str) {
    let prefix = "ValidationException: One or more parameter values were invalid: ";
    check(stator, members, &format!("{prefix}{expected}"));
}

/// Updates, and gives what the operation answers with and what DescribeTable shows.
fn update(stator: &Stator, members: Value) -> (Value, Value) {
    let mut updated = answer(stator, UpdateTable, &request(members));
    let mut described = answer(stator, DescribeTable, &json!({"TableName": "Table"}));
    (
        updated["TableDescription"].take(),
        described["Table"].take(),
    )
}

#[test]
fn something_must_be_asked_for() {
    let stator = stator(false);
    let nothing = "ValidationException: At least one of ProvisionedThroughput, BillingMode, \
                   UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, \
                   ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, \
                   MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, \
                   WarmThroughput or TableClass is required";
    check(&stator, json!({}), nothing);
    check(&stator, json!({"GlobalSecondaryIndexUpdates": []}), nothing);
    let definitions = json!([{"AttributeName": "pk", "AttributeType": "N"}]);
    check(
        &stator,
        json!({"AttributeDefinitions": definitions}),
        nothing,
    );
    // An empty structure asks for nothing (DDB-TABLE-456).
    check(&stator, json!({"WarmThroughput": {}}), nothing);
    check(&stator, json!({"OnDemandThroughput": {}}), nothing);
    let (updated, _) = update(
        &stator,
        json!({"WarmThroughput": {}, "DeletionProtectionEnabled": false}),
    );
    assert_eq!(updated["WarmThroughput"]["Status"], "ACTIVE");
    for (action, expected) in [
        (
            json!({"WarmThroughput": {}}),
            "WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond \
             specified for index: gsi",
        ),
        (
            json!({"OnDemandThroughput": {}}),
            "The only Updates for index: gsi when TableThroughputMode is PAY_PER_REQUEST can be to \
             OnDemandThroughput, WarmThroughput",
        ),
        (
            json!({}),
            "The only Updates for index: gsi when TableThroughputMode is PAY_PER_REQUEST can be to \
             OnDemandThroughput, WarmThroughput",
        ),
    ] {
        check_parameter(&stator, index_update(action), expected);
    }
    check_parameter(
        &stator,
        json!({"GlobalSecondaryIndexUpdates": [], "DeletionProtectionEnabled": true}),
        "List of GlobalSecondaryIndexUpdates is empty",
    );
}

#[test]
fn most_changes_want_to_be_alone() {
    let stator = stator(false);
    let alone = |members: Value, subject: &str| {
        let expected = format!("{subject} must be the only operation in the request");
        check_parameter(&stator, members, &expected);
    };
    alone(
        json!({"DeletionProtectionEnabled": true, "SSESpecification": {"Enabled": true}}),
        "Server-Side Encryption modification",
    );
    alone(
        json!({"DeletionProtectionEnabled": true, "TableClass": "STANDARD"}),
        "TableClass modification",
    );
    alone(
        json!({"DeletionProtectionEnabled": true, "BillingMode": "PAY_PER_REQUEST"}),
        "DeletionProtection modification",
    );
    alone(
        json!({
            "WarmThroughput": {"ReadUnitsPerSecond": 20_000},
            "OnDemandThroughput": {"MaxReadRequestUnits": 5},
        }),
        "WarmThroughput",
    );
}

#[test]
fn billing_and_capacity_go_together() {
    let (provisioned, on_demand) = (stator(true), stator(false));
    for stator in [&provisioned, &on_demand] {
        check_parameter(
            stator,
            json!({"BillingMode": "PROVISIONED"}),
            "ProvisionedThroughput must be specified when BillingMode is PROVISIONED",
        );
        check_parameter(
            stator,
            json!({"BillingMode": "PAY_PER_REQUEST", "ProvisionedThroughput": units(1, 1)}),
            "ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST",
        );
    }
    check_parameter(
        &on_demand,
        json!({"ProvisionedThroughput": units(1, 1)}),
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is \
         PAY_PER_REQUEST",
    );
    check_parameter(
        &on_demand,
        json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 5)}),
        "ProvisionedThroughput must be specified for index: gsi",
    );
    check_parameter(
        &on_demand,
        index_update(json!({"ProvisionedThroughput": units(1, 1)})),
        "The only Updates for index: gsi when TableThroughputMode is PAY_PER_REQUEST can be to \
         OnDemandThroughput, WarmThroughput",
    );
    check_parameter(
        &provisioned,
        json!({"OnDemandThroughput": {"MaxReadRequestUnits": 5}}),
        "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode \
         is PROVISIONED",
    );
    check(
        &provisioned,
        json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 5)}),
        "ValidationException: The provisioned throughput for the table will not change. The \
         requested value equals the current value. Current ReadCapacityUnits provisioned for the \
         table: 5. Requested ReadCapacityUnits: 5. Current WriteCapacityUnits provisioned for the \
         table: 5. Requested WriteCapacityUnits: 5. Refer to the Amazon DynamoDB Developer Guide \
         for current limits and how to request higher limits.",
    );
    check(
        &provisioned,
        json!({"ProvisionedThroughput": units(0, 5)}),
        "ValidationException: 1 validation error detected: Value '0' at \
         'provisionedThroughput.readCapacityUnits' failed to satisfy constraint: Member must have \
         value greater than or equal to 1",
    );
}

#[test]
fn capacity_is_raised_and_lowered_four_times_a_day() {
    let stator = stator(true);
    let (updated, described) = update(&stator, json!({"ProvisionedThroughput": units(20, 15)}));
    assert_eq!(updated["TableStatus"], "UPDATING");
    assert_eq!(updated["ProvisionedThroughput"]["ReadCapacityUnits"], 5);
    assert_eq!(described["TableStatus"], "ACTIVE");
    let shown = &described["ProvisionedThroughput"];
    assert_eq!(
        (&shown["ReadCapacityUnits"], &shown["WriteCapacityUnits"]),
        (&json!(20), &json!(15))
    );
    assert!(shown["LastIncreaseDateTime"].is_f64() && shown["LastDecreaseDateTime"].is_null());
    assert_eq!(described["BillingModeSummary"], Value::Null);

    for (count, write) in [(1, 14), (2, 13), (3, 12), (4, 11)] {
        // Raising one and lowering the other is a decrease too.
        let lowered = json!({"ProvisionedThroughput": units(20 + count, write)});
        let (updated, described) = update(&stator, lowered);
        let shown =
            |table: &Value| table["ProvisionedThroughput"]["NumberOfDecreasesToday"].clone();
        assert_eq!(
            (shown(&updated), shown(&described)),
            (json!(count - 1), json!(count))
        );
    }
    let fifth = request(json!({"ProvisionedThroughput": units(1, 1)}));
    let message = refused(&stator, UpdateTable, &fifth);
    assert!(
        message.starts_with(
            "LimitExceededException: Subscriber limit exceeded: Provisioned throughput decreases \
             are limited within a given UTC day. After the first 4 decreases, each subsequent \
             decrease in the same UTC day can be performed at most once every 3600 seconds. Number \
             of decreases today: 4. Last decrease at "
        ),
        "{message}"
    );
    let (_, described) = update(&stator, json!({"ProvisionedThroughput": units(30, 30)}));
    assert_eq!(described["WarmThroughput"]["ReadUnitsPerSecond"], 30);
}

#[test]
fn billing_is_switched_there_and_back() {
    let stator = stator(true);
    let maximum =
        json!({"BillingMode": "PAY_PER_REQUEST", "OnDemandThroughput": {"MaxReadRequestUnits": 9}});
    let (updated, described) = update(&stator, maximum);
    assert_eq!(updated["TableStatus"], "UPDATING");
    assert_eq!(
        updated["BillingModeSummary"]["BillingMode"],
        "PAY_PER_REQUEST"
    );
    assert_eq!(updated["ProvisionedThroughput"]["ReadCapacityUnits"], 0);
    let index = &described["GlobalSecondaryIndexes"][0];
    assert_eq!(index["ProvisionedThroughput"]["ReadCapacityUnits"], 0);
    assert_eq!(described["WarmThroughput"]["ReadUnitsPerSecond"], 12_000);
    assert_eq!(
        described["OnDemandThroughput"],
        json!({"MaxReadRequestUnits": 9})
    );
    // The same again is fine.
    update(&stator, json!({"BillingMode": "PAY_PER_REQUEST"}));

    let mut back = index_update(json!({"ProvisionedThroughput": units(2, 3)}));
    back["BillingMode"] = json!("PROVISIONED");
    back["ProvisionedThroughput"] = units(5, 6);
    let (_, described) = update(&stator, back);
    let index = &described["GlobalSecondaryIndexes"][0];
    assert_eq!(index["ProvisionedThroughput"]["WriteCapacityUnits"], 3);
    let shown = &described["ProvisionedThroughput"];
    assert_eq!(
        (
            &shown["ReadCapacityUnits"],
            &shown["NumberOfDecreasesToday"]
        ),
        (&json!(5), &json!(0))
    );
    assert_eq!(described["OnDemandThroughput"], Value::Null);
    let summary = &described["BillingModeSummary"];
    assert_eq!(summary["BillingMode"], "PROVISIONED");
    assert!(summary["LastUpdateToPayPerRequestDateTime"].is_f64());
    // Warm throughput never falls.
    assert_eq!(described["WarmThroughput"]["WriteUnitsPerSecond"], 4_000);
}

#[test]
fn maximums_are_laid_over_one_another_and_taken_away() {
    let stator = stator(false);
    let maximums = |given: Value| {
        update(&stator, json!({"OnDemandThroughput": given})).1["OnDemandThroughput"].clone()
    };
    let (read, write) = ("MaxReadRequestUnits", "MaxWriteRequestUnits");
    assert_eq!(
        maximums(json!({read: 1000, write: 500})),
        json!({read: 1000, write: 500})
    );
    assert_eq!(
        maximums(json!({read: 2000})),
        json!({read: 2000, write: 500})
    );
    assert_eq!(maximums(json!({read: -1})), json!({write: 500}));
    let (updated, described) = update(&stator, json!({"OnDemandThroughput": {write: -1}}));
    assert_eq!(updated["OnDemandThroughput"], json!({write: -1}));
    assert_eq!(described["OnDemandThroughput"], Value::Null);
    check_parameter(
        &stator,
        json!({"OnDemandThroughput": {write: 0}}),
        "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range",
    );
}

#[test]
fn warm_throughput_never_falls() {
    let stator = stator(false);
    let (updated, described) = update(
        &stator,
        json!({"WarmThroughput": {"ReadUnitsPerSecond": 12_002}}),
    );
    assert_eq!(updated["TableStatus"], "ACTIVE");
    assert_eq!(
        updated["WarmThroughput"],
        json!({"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "UPDATING"})
    );
    assert_eq!(described["WarmThroughput"]["ReadUnitsPerSecond"], 12_002);
    check_parameter(
        &stator,
        json!({"WarmThroughput": {"ReadUnitsPerSecond": 12_001}}),
        "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current \
         WarmThroughput, decreasing WarmThroughput is not supported",
    );
    check_parameter(
        &stator,
        index_update(json!({"WarmThroughput": {"WriteUnitsPerSecond": 1}})),
        "Requested WriteUnitsPerSecond for WarmThroughput for index gsi is lower than current \
         WarmThroughput, decreasing WarmThroughput is not supported",
    );
}

#[test]
fn indexes_are_updated_by_the_rules() {
    let stator = stator(true);
    let update_of =
        |name: &str| json!({"Update": {"IndexName": name, "ProvisionedThroughput": units(7, 7)}});
    let list = |updates: Value| json!({"GlobalSecondaryIndexUpdates": updates});
    check_parameter(
        &stator,
        list(json!([{}])),
        "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
         GlobalSecondaryIndexUpdate.Delete must not be null",
    );
    check_parameter(
        &stator,
        list(json!([update_of("gsi"), update_of("gsi")])),
        "Only one global secondary index update per index is allowed simultaneously. Index: gsi",
    );
    check(
        &stator,
        list(json!([update_of("gsi"), update_of("ghost")])),
        "ResourceNotFoundException: Requested resource not found: Index ghost for table Table",
    );
    check(
        &stator,
        list(json!([update_of("lsi")])),
        "ValidationException: Cannot update an index that is not a GlobalSecondaryIndex: lsi",
    );
    let (updated, described) = update(&stator, list(json!([update_of("gsi")])));
    assert_eq!(updated["TableStatus"], "ACTIVE");
    let (updated, described) = (
        &updated["GlobalSecondaryIndexes"][0],
        &described["GlobalSecondaryIndexes"][0],
    );
    assert_eq!(updated["IndexStatus"], "UPDATING");
    assert_eq!(updated["ProvisionedThroughput"]["ReadCapacityUnits"], 5);
    assert_eq!(described["ProvisionedThroughput"]["ReadCapacityUnits"], 7);
}

#[test]
fn protection_class_and_encryption_are_changed() {
    let stator = stator(false);
    let (updated, _) = update(&stator, json!({"DeletionProtectionEnabled": true}));
    assert_eq!(
        (
            &updated["TableStatus"],
            &updated["DeletionProtectionEnabled"]
        ),
        (&json!("ACTIVE"), &json!(true))
    );
    assert_eq!(
        refused(
            &stator,
            Operation::DeleteTable,
            &json!({"TableName": "Table"})
        ),
        "ValidationException: Resource cannot be deleted as it is currently protected against \
         deletion. Disable deletion protection first."
    );
    let (_, described) = update(&stator, json!({"TableClass": "STANDARD_INFREQUENT_ACCESS"}));
    let class = &described["TableClassSummary"];
    assert_eq!(class["TableClass"], "STANDARD_INFREQUENT_ACCESS");
    assert!(class["LastUpdateDateTime"].is_f64());
    check_parameter(
        &stator,
        json!({"SSESpecification": {"Enabled": false}}),
        "Table is already encrypted by default",
    );
    let (updated, described) = update(&stator, json!({"SSESpecification": {"Enabled": true}}));
    assert_eq!(updated["SSEDescription"], json!({"Status": "UPDATING"}));
    assert_eq!(described["SSEDescription"]["Status"], "ENABLED");
    let own_key = described["SSEDescription"]["KMSMasterKeyArn"].clone();
    let (updated, described) = update(&stator, json!({"SSESpecification": {"Enabled": false}}));
    assert_eq!(
        updated["SSEDescription"],
        json!({"Status": "UPDATING", "SSEType": "KMS", "KMSMasterKeyArn": own_key})
    );
    assert_eq!(described["SSEDescription"], Value::Null);
    // An alias is a key by another name, and that key by its ARN is no change (DDB-TABLE-078).
    let encrypt = |key: &Value| json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": key}});
    let (_, described) = update(&stator, encrypt(&json!("alias/mine")));
    let key = described["SSEDescription"]["KMSMasterKeyArn"].clone();
    assert!(
        key.as_str().unwrap().contains(":key/") && key != own_key,
        "{key}"
    );
    check_parameter(
        &stator,
        encrypt(&key),
        "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you \
         want to change Master Key",
    );
    let (_, again) = update(&stator, encrypt(&json!("alias/mine")));
    assert_eq!(again["SSEDescription"], described["SSEDescription"]);
    let fifth = refused(
        &stator,
        UpdateTable,
        &request(encrypt(&json!("alias/other"))),
    );
    assert!(
        fifth.starts_with("LimitExceededException: Subscriber limit exceeded: Encryption mode"),
        "{fifth}"
    );
    check(
        &stator,
        json!({"StreamSpecification": {"StreamEnabled": false}}),
        "ValidationException: Table has no stream to disable: TableName: Table",
    );
}

#[test]
fn a_missing_table_is_named() {
    let stator = stator(false);
    let missing = json!({"TableName": "ghost", "DeletionProtectionEnabled": true});
    assert_eq!(
        refused(&stator, UpdateTable, &missing),
        "ResourceNotFoundException: Requested resource not found: Table: ghost not found"
    );
}
