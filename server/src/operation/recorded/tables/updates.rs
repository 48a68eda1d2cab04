//! UpdateTable.

use super::*;

fn update(source: &'static str, table: &str, members: Value, expected: String) -> Case {
    (
        source,
        UpdateTable,
        with(&json!({"TableName": table}), members),
        expected,
    )
}

#[test]
fn updates() {
    let required = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, \
                    GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, \
                    MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, \
                    DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is \
                    required";
    let indexes = |updates: Value| json!({"GlobalSecondaryIndexUpdates": updates});
    let protected = json!({"DeletionProtectionEnabled": true});
    let retyped = json!([{"AttributeName": "pk", "AttributeType": "N"}]);
    let cold = |name: &str| {
        invalid(&format!(
            "WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond \
             specified for index: {name}"
        ))
    };
    let warm = |name: &str| indexes(json!([{"Update": {"IndexName": name, "WarmThroughput": {}}}]));
    let only = "The only Updates for index: gsi1 when TableThroughputMode is PAY_PER_REQUEST can be \
                to OnDemandThroughput, WarmThroughput";
    let neither = "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when \
                   BillingMode is PAY_PER_REQUEST";
    let lower = "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current \
                 WarmThroughput, decreasing WarmThroughput is not supported";
    let unchanged = |subject: &str, the: &str| {
        refused(&format!(
            "The provisioned throughput for the {subject} will not change. The requested value \
             equals the current value. Current ReadCapacityUnits provisioned for {the}{subject}: 2. \
             Requested ReadCapacityUnits: 2. Current WriteCapacityUnits provisioned for \
             {the}{subject}: 2. Requested WriteCapacityUnits: 2. Refer to the Amazon DynamoDB \
             Developer Guide for current limits and how to request higher limits."
        ))
    };
    let ghost = "ResourceNotFoundException: Requested resource not found: Index ghost for table \
                 OnDemand";
    let missing =
        "ResourceNotFoundException: Requested resource not found: Table: Missing not found";
    let empty_list = "List of GlobalSecondaryIndexUpdates is empty";
    let exceeds = |subject: &str| {
        format!(
            "LimitExceededException: Subscriber limit exceeded: Requested MaxReadRequestUnits for \
             OnDemandThroughput for {subject} exceeds TableMaxReadCapacityUnits of the account in \
             region us-east-1"
        )
    };
    let maximum = |read: i64| json!({"OnDemandThroughput": {"MaxReadRequestUnits": read}});
    check([
        update("DDB-TABLE-015", "OnDemand", json!({}), refused(required)),
        update("DDB-TABLE-015", "Missing", json!({}), refused(required)),
        update(
            "DDB-TABLE-015",
            "OnDemand",
            indexes(json!([])),
            refused(required),
        ),
        update(
            "DDB-TABLE-358",
            "OnDemand",
            json!({"AttributeDefinitions": retyped}),
            refused(required),
        ),
        update(
            "DDB-TABLE-358",
            "OnDemand",
            with(&protected, json!({"AttributeDefinitions": retyped})),
            accepted(),
        ),
        update(
            "DDB-TABLE-357",
            "OnDemand",
            json!({"KeySchema": key("a")}),
            refused(required),
        ),
        update(
            "DDB-TABLE-357",
            "OnDemand",
            with(&protected, json!({"KeySchema": 1})),
            accepted(),
        ),
        update(
            "DDB-TABLE-359",
            "OnDemand",
            with(&protected, indexes(json!([]))),
            invalid(empty_list),
        ),
        update(
            "DDB-TABLE-359",
            "OnDemand",
            with(&maximum(1), indexes(json!([]))),
            invalid(empty_list),
        ),
        update(
            "DDB-TABLE-160",
            "OnDemand",
            indexes(json!([{}])),
            invalid(
                "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
                 GlobalSecondaryIndexUpdate.Delete must not be null",
            ),
        ),
        update("DDB-TABLE-457", "OnDemand", warm("gsi1"), cold("gsi1")),
        update("DDB-TABLE-457", "OnDemand", warm("ghost"), cold("ghost")),
        update("DDB-TABLE-457", "Missing", warm("ghost"), cold("ghost")),
        update(
            "DDB-TABLE-457",
            "OnDemand",
            with(&warm("gsi1"), json!({"TableClass": "STANDARD"})),
            cold("gsi1"),
        ),
        update(
            "DDB-TABLE-457",
            "OnDemand",
            indexes(json!([{"Update": {"IndexName": "gsi1"}}])),
            invalid(only),
        ),
        update(
            "DDB-TABLE-457",
            "OnDemand",
            indexes(json!([{"Update": {"IndexName": "gsi1", "OnDemandThroughput": {}}}])),
            invalid(only),
        ),
        update(
            "DDB-TABLE-457",
            "OnDemand",
            indexes(json!([{"Update": {"IndexName": "ghost", "OnDemandThroughput": {}}}])),
            ghost.to_owned(),
        ),
        update(
            "DDB-TABLE-456",
            "OnDemand",
            indexes(
                json!([{"Update": {"IndexName": "gsi1", "OnDemandThroughput":
                {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}}}]),
            ),
            accepted(),
        ),
        update(
            "DDB-TABLE-154",
            "OnDemand",
            indexes(json!([{"Update": {"IndexName": "gsi1",
                "OnDemandThroughput": {"MaxReadRequestUnits": 40_001}}}])),
            exceeds("index : gsi1"),
        ),
        update(
            "DDB-TABLE-154",
            "OnDemand",
            maximum(40_001),
            exceeds("table"),
        ),
        update(
            "DDB-TABLE-456",
            "OnDemand",
            with(&protected, json!({"WarmThroughput": {}})),
            accepted(),
        ),
        update(
            "DDB-TABLE-442",
            "OnDemand",
            json!({"WarmThroughput": {}, "ProvisionedThroughput": units(1, 1)}),
            invalid(neither),
        ),
        update(
            "DDB-TABLE-442",
            "ab",
            json!({"WarmThroughput": {}}),
            violations(&[&length("ab", "tableName", 3)]),
        ),
        update(
            "DDB-TABLE-457",
            "OnDemand",
            json!({"WarmThroughput": {"ReadUnitsPerSecond": -1}}),
            invalid(lower),
        ),
        update(
            "DDB-TABLE-457",
            "OnDemand",
            json!({"OnDemandThroughput": {"MaxReadRequestUnits": 0, "MaxWriteRequestUnits": 0}}),
            invalid(
                "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid \
                 range",
            ),
        ),
        update(
            "DDB-TABLE-070",
            "Missing",
            json!({"ProvisionedThroughput": units(1, 0)}),
            violations(&[&least("0", "provisionedThroughput.writeCapacityUnits", 1)]),
        ),
        update(
            "DDB-TABLE-070",
            "Missing",
            protected.clone(),
            missing.to_owned(),
        ),
        update(
            "DDB-TABLE-057",
            "Provisioned",
            json!({"BillingMode": "PROVISIONED"}),
            invalid("ProvisionedThroughput must be specified when BillingMode is PROVISIONED"),
        ),
        update(
            "DDB-TABLE-057",
            "Provisioned",
            json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(2, 2)}),
            unchanged("table", "the "),
        ),
        update(
            "DDB-TABLE-164",
            "Provisioned",
            indexes(
                json!([{"Update": {"IndexName": "gsi1", "ProvisionedThroughput": units(2, 2)}}]),
            ),
            unchanged("index gsi1", ""),
        ),
        update(
            "DDB-TABLE-056",
            "Provisioned",
            json!({"BillingMode": "PAY_PER_REQUEST", "ProvisionedThroughput": units(1, 1)}),
            invalid(
                "ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST",
            ),
        ),
        update(
            "DDB-TABLE-059",
            "Provisioned",
            maximum(100),
            invalid(
                "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table \
                 BillingMode is PROVISIONED",
            ),
        ),
        update(
            "DDB-TABLE-437",
            "OnDemand",
            json!({"SSESpecification": {}}),
            invalid("Table is already encrypted by default"),
        ),
        update(
            "DDB-TABLE-437",
            "OnDemand",
            json!({"StreamSpecification": {"StreamViewType": "KEYS_ONLY"}}),
            violations(&[&null("streamSpecification.streamEnabled")]),
        ),
        update(
            "DDB-TABLE-457",
            "OnDemand",
            with(&protected, json!({"AttributeDefinitions": [{}]})),
            violations(&[
                &null("attributeDefinitions.1.member.attributeType"),
                &null("attributeDefinitions.1.member.attributeName"),
            ]),
        ),
    ]);
}
