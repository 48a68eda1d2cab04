//! Changes while another one is under way, which only shows where states are delayed.

use std::time::Duration;

use super::{
    indexes::{create, delete, describe, error, harness, updates},
    *,
};
use crate::{operation::harness::Harness, wire::Operation::DeleteTable};

const DELAY_MS: u64 = 1000;

fn stream() -> Value {
    json!({"StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}})
}

fn class(name: &str) -> Value {
    json!({"TableClass": name})
}

fn maximums() -> Value {
    json!({"OnDemandThroughput": {"MaxReadRequestUnits": 10}})
}

fn provisioned() -> Value {
    json!({
        "BillingMode": "PROVISIONED", "ProvisionedThroughput": units(1, 1),
        "GlobalSecondaryIndexUpdates":
            [{"Update": {"IndexName": "gsi", "ProvisionedThroughput": units(1, 1)}}],
    })
}

/// What collides with nothing, one after the other.
fn unhindered(harness: &Harness) {
    for members in [
        json!({"DeletionProtectionEnabled": false}),
        json!({"SSESpecification": {"Enabled": true}}),
        json!({"WarmThroughput": {"ReadUnitsPerSecond": 13_000}}),
    ] {
        harness.ok(UpdateTable, request(members));
    }
}

#[track_caller]
fn check_refused(harness: &Harness, cases: &[(Value, &str)]) {
    for (members, expected) in cases {
        let (name, message) = error(harness, UpdateTable, &request(members.clone()));
        assert_eq!(name, "ResourceInUseException", "{members}");
        let expected = format!("Attempt to change a resource which is still in use: {expected}");
        assert_eq!(message, expected, "{members}");
    }
}

#[track_caller]
fn check_not_deleted(harness: &Harness, expected: &str) {
    let (_, message) = error(harness, DeleteTable, &json!({"TableName": "Table"}));
    let expected = format!("Attempt to change a resource which is still in use: {expected}");
    assert_eq!(message, expected);
}

/// DDB-TABLE-002, -119, -175, -383.
#[test]
fn while_the_stream_is_enabled_or_disabled() {
    let (simulation, harness) = harness(DELAY_MS);
    for (specification, operation) in [
        (stream(), "ENABLE"),
        (
            json!({"StreamSpecification": {"StreamEnabled": false}}),
            "DISABLE",
        ),
    ] {
        let answer = harness.ok(UpdateTable, request(specification.clone()));
        let label = answer["TableDescription"]["LatestStreamLabel"]
            .as_str()
            .unwrap();
        let which = format!("Table: Table Stream: {label} Operation: {operation}");
        let cant =
            |verb: &str| format!("Can't {verb} when stream status is being updated. {which}");
        check_refused(
            &harness,
            &[
                (
                    specification,
                    &format!("A stream status change is currently in progress. {which}"),
                ),
                (
                    class("STANDARD_INFREQUENT_ACCESS"),
                    &cant("update table class"),
                ),
                (provisioned(), &cant("change table IOPS")),
                (
                    maximums(),
                    "OnDemandThroughput cannot be updated while stream status update is in progress",
                ),
                (
                    updates(&[create("new")]),
                    &cant("create or delete an index"),
                ),
                (
                    updates(&[delete("gsi")]),
                    &cant("create or delete an index"),
                ),
            ],
        );
        check_not_deleted(
            &harness,
            "Cannot delete table while stream is being enabled/disabled.",
        );
        unhindered(&harness);
        harness.ok(
            UpdateTable,
            request(json!({"BillingMode": "PAY_PER_REQUEST"})),
        );
        assert_eq!(describe(&harness)["TableStatus"], "UPDATING");
        simulation.advance(Duration::from_millis(DELAY_MS));
        assert_eq!(describe(&harness)["TableStatus"], "ACTIVE");
    }
}

/// DDB-TABLE-284, -286.
#[test]
fn while_the_class_changes() {
    let (simulation, harness) = harness(DELAY_MS);
    harness.ok(UpdateTable, request(class("STANDARD_INFREQUENT_ACCESS")));
    let progress = "TableClassUpdateInProgress: STANDARD_INFREQUENT_ACCESS";
    let cant = |verb: &str| {
        format!("Can't {verb} when a table class update is in progress. Table: Table {progress}")
    };
    check_refused(
        &harness,
        &[
            (
                class("STANDARD_INFREQUENT_ACCESS"),
                &cant("update table class"),
            ),
            (class("STANDARD"), &cant("update table class")),
            (stream(), &cant("change stream status")),
            (provisioned(), &cant("change table IOPS")),
            (
                maximums(),
                &format!(
                    "OnDemandThroughput cannot be updated while TableClass update is in progress. \
                     {progress}"
                ),
            ),
            (
                updates(&[create("new")]),
                &cant("create or delete an index"),
            ),
        ],
    );
    let deleted = "Table: Table is in the process of being updated.";
    check_not_deleted(&harness, deleted);
    unhindered(&harness);
    simulation.advance(Duration::from_millis(DELAY_MS));
    harness.ok(UpdateTable, request(stream()));
}

/// DDB-TABLE-369, -370.
#[test]
fn while_billing_or_capacity_changes() {
    let (simulation, harness) = harness(DELAY_MS);
    let iops = "Table IOPS are currently being updated. Table: Table";
    let cant =
        |verb: &str| format!("Can't {verb} while table IOPS are being updated. Table: Table");
    let capacity = |n: i64| json!({"ProvisionedThroughput": units(n, n)});
    let others = [
        (stream(), cant("enable or disable stream")),
        (
            class("STANDARD_INFREQUENT_ACCESS"),
            cant("update table class"),
        ),
        (updates(&[delete("gsi")]), cant("create or delete indexes")),
    ];
    let others: Vec<(Value, &str)> = others.iter().map(|(m, e)| (m.clone(), &**e)).collect();
    let deleted = "Table: Table is in the process of being updated.";

    harness.ok(UpdateTable, request(provisioned()));
    check_refused(&harness, &others);
    check_refused(
        &harness,
        &[
            (capacity(2), iops),
            (
                maximums(),
                "OnDemandThroughput cannot be updated while BillingMode update is in progress",
            ),
        ],
    );
    check_not_deleted(&harness, deleted);
    unhindered(&harness);
    // A switch back is answered, and lost (DDB-TABLE-452).
    harness.ok(
        UpdateTable,
        request(json!({"BillingMode": "PAY_PER_REQUEST"})),
    );
    simulation.advance(Duration::from_millis(DELAY_MS));
    let billing = &describe(&harness)["BillingModeSummary"]["BillingMode"];
    assert_eq!(billing, "PROVISIONED");

    harness.ok(UpdateTable, request(capacity(2)));
    check_refused(&harness, &others);
    check_refused(&harness, &[(capacity(3), iops)]);
    check_not_deleted(&harness, deleted);
    simulation.advance(Duration::from_millis(DELAY_MS));

    harness.ok(
        UpdateTable,
        request(json!({"BillingMode": "PAY_PER_REQUEST"})),
    );
    check_refused(
        &harness,
        &[(json!({"BillingMode": "PAY_PER_REQUEST"}), iops)],
    );
}

/// DDB-TABLE-163, -458.
#[test]
fn while_an_index_is_created() {
    let (simulation, harness) = harness(DELAY_MS);
    harness.ok(UpdateTable, request(updates(&[create("new")])));
    let cant = |verb: &str| {
        format!("Can't {verb} when an index is being created. Table: Table Indexes: [new]")
    };
    let update = |index: &str| {
        json!({"GlobalSecondaryIndexUpdates": [
            {"Update": {"IndexName": index, "OnDemandThroughput": {"MaxReadRequestUnits": 7}}},
        ]})
    };
    check_refused(
        &harness,
        &[
            (stream(), &cant("change stream status")),
            (provisioned(), &cant("change table IOPS")),
            (
                class("STANDARD_INFREQUENT_ACCESS"),
                &cant("update table class"),
            ),
            (
                update("new"),
                "Index is being created but is not backfilling yet. Table: Table Index: new",
            ),
        ],
    );
    harness.ok(UpdateTable, request(update("gsi")));
    unhindered(&harness);
    // While it is filled it is in nobody's way.
    simulation.advance(Duration::from_millis(DELAY_MS));
    harness.ok(UpdateTable, request(update("new")));
    harness.ok(UpdateTable, request(stream()));
}

/// DDB-TABLE-163.
#[test]
fn while_an_index_is_deleted() {
    let (simulation, harness) = harness(DELAY_MS);
    harness.ok(UpdateTable, request(updates(&[delete("gsi")])));
    let index = "Index is being deleted. Table: Table Index: gsi";
    check_refused(
        &harness,
        &[
            (updates(&[create("gsi")]), index),
            (updates(&[delete("gsi")]), index),
            (
                stream(),
                "Can't change stream status when an index is being deleted. Table: Table Indexes: \
                 [gsi]",
            ),
        ],
    );
    harness.ok(
        UpdateTable,
        request(json!({"BillingMode": "PAY_PER_REQUEST"})),
    );
    simulation.advance(Duration::from_millis(DELAY_MS));
    harness.ok(UpdateTable, request(updates(&[create("gsi")])));
}

/// The answer says UPDATING, and nothing else does (DDB-TABLE-177, -383).
#[test]
fn what_changes_nothing_does_not_show() {
    let (_, harness) = harness(DELAY_MS);
    for members in [json!({"BillingMode": "PAY_PER_REQUEST"}), class("STANDARD")] {
        for _ in 0..20 {
            let answer = harness.ok(UpdateTable, request(members.clone()));
            assert_eq!(answer["TableDescription"]["TableStatus"], "UPDATING");
            let described = describe(&harness);
            assert_eq!(described["TableStatus"], "ACTIVE", "{members}");
            assert_eq!(described["TableClassSummary"], Value::Null);
        }
    }
}
