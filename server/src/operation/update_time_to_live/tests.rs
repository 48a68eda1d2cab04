//! Switching time to live on and off, by a clock that is driven.

use serde_json::{Value, json};

use super::COOLDOWN_MS;
use crate::{
    ClockMove, StatorOptions, operation::harness::Harness, store::ClockMode, wire::Operation,
};

const START_MS: u64 = 1_800_000_000_000;

fn harness(table_state_delay_ms: u64) -> Harness {
    let harness = Harness::with(StatorOptions {
        clock: ClockMode::Manual {
            start_ms: Some(START_MS),
        },
        table_state_delay_ms,
        ..StatorOptions::default()
    });
    harness.table("Table", &[], &[], &[]);
    harness
}

fn request(enabled: bool, attribute: &str) -> Value {
    json!({
        "TableName": "Table",
        "TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute},
    })
}

impl Harness {
    fn switch(&self, enabled: bool, attribute: &str) -> Result<Value, String> {
        let request = request(enabled, attribute);
        self.call(Operation::UpdateTimeToLive, &request)
            .map_err(|(name, body)| {
                let message = body["message"].as_str().unwrap_or_default();
                format!("{name}: {message}")
            })
    }

    #[track_caller]
    fn refused_switch(&self, enabled: bool, attribute: &str) -> String {
        self.switch(enabled, attribute).unwrap_err()
    }

    fn described(&self) -> Value {
        let request = json!({"TableName": "Table"});
        self.ok(Operation::DescribeTimeToLive, request)["TimeToLiveDescription"].take()
    }

    fn advance(&self, by_ms: u64) {
        let moved = self.stator.move_clock(ClockMove::Advance(by_ms));
        self.stator.block_on(moved).unwrap().unwrap();
    }
}

const TOO_SOON: &str = "ValidationException: Time to live has been modified multiple times within a \
                        fixed interval";

#[test]
fn it_is_switched_once_an_hour() {
    let harness = harness(0);
    assert_eq!(harness.described(), json!({"TimeToLiveStatus": "DISABLED"}));
    assert_eq!(
        harness.refused_switch(false, "ttl"),
        "ValidationException: TimeToLive is already disabled"
    );
    assert_eq!(
        harness.switch(true, "ttl").unwrap(),
        json!({"TimeToLiveSpecification": {"Enabled": true, "AttributeName": "ttl"}})
    );
    let enabled = json!({"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"});
    assert_eq!(harness.described(), enabled);
    // What the request says is looked at before the time.
    assert_eq!(
        harness.refused_switch(true, "ttl"),
        "ValidationException: TimeToLive is already enabled"
    );
    for enable in [true, false] {
        assert_eq!(
            harness.refused_switch(enable, "other"),
            "ValidationException: TimeToLive is active on a different AttributeName: current \
             AttributeName is ttl"
        );
    }
    assert_eq!(harness.refused_switch(false, "ttl"), TOO_SOON);
    harness.advance(COOLDOWN_MS - 1);
    assert_eq!(harness.refused_switch(false, "ttl"), TOO_SOON);
    assert_eq!(harness.described(), enabled);
    harness.advance(1);
    harness.switch(false, "ttl").unwrap();
    assert_eq!(harness.described(), json!({"TimeToLiveStatus": "DISABLED"}));
    assert_eq!(
        harness.refused_switch(false, "ttl"),
        "ValidationException: TimeToLive is already disabled"
    );
    assert_eq!(harness.refused_switch(true, "other"), TOO_SOON);
    harness.advance(COOLDOWN_MS);
    harness.switch(true, "other").unwrap();
    assert_eq!(harness.described()["AttributeName"], "other");
}

#[test]
fn its_states_show_as_long_as_those_of_tables() {
    let harness = harness(500);
    harness.switch(true, "ttl").unwrap();
    let shown = |status: &str| json!({"TimeToLiveStatus": status, "AttributeName": "ttl"});
    assert_eq!(harness.described(), shown("ENABLING"));
    harness.advance(499);
    assert_eq!(harness.described(), shown("ENABLING"));
    harness.advance(1);
    assert_eq!(harness.described(), shown("ENABLED"));
    harness.advance(COOLDOWN_MS);
    harness.switch(false, "ttl").unwrap();
    assert_eq!(harness.described(), shown("DISABLING"));
    harness.advance(500);
    assert_eq!(harness.described(), json!({"TimeToLiveStatus": "DISABLED"}));
}

#[test]
fn only_a_table_that_can_be_used_is_switched() {
    let harness = harness(500);
    let attribute = json!({"AttributeName": "pk", "AttributeType": "S"});
    let create = json!({
        "TableName": "Slow", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [attribute],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    });
    harness.ok(Operation::CreateTable, create);
    let refusal = |table: &str| {
        let mut request = request(true, "ttl");
        request["TableName"] = json!(table);
        let (name, body) = harness
            .call(Operation::UpdateTimeToLive, &request)
            .unwrap_err();
        format!("{name}: {}", body["message"].as_str().unwrap())
    };
    let in_use = "ResourceInUseException: Attempt to change a resource which is still in use: Table \
                  Slow is being";
    assert_eq!(refusal("Slow"), format!("{in_use} created"));
    harness.advance(500);
    harness.ok(Operation::DeleteTable, json!({"TableName": "Slow"}));
    assert_eq!(refusal("Slow"), format!("{in_use} deleted"));
    harness.advance(500);
    assert_eq!(
        refusal("Slow"),
        "ResourceNotFoundException: Requested resource not found: Table: Slow not found"
    );
    // The attribute of a key will do.
    harness.switch(true, "pk").unwrap();
}

#[test]
fn an_attribute_name_is_required_and_has_at_most_255_characters() {
    let harness = harness(0);
    let null = |member: &str| {
        format!(
            "1 validation error detected: Value null at 'timeToLiveSpecification.{member}' failed \
             to satisfy constraint: Member must not be null"
        )
    };
    let refused = |specification: Value| {
        let request = json!({"TableName": "Table", "TimeToLiveSpecification": specification});
        harness.refused(Operation::UpdateTimeToLive, request)
    };
    assert_eq!(refused(json!({"Enabled": true})), null("attributeName"));
    assert_eq!(refused(json!({"AttributeName": "ttl"})), null("enabled"));
    let long = harness.refused(Operation::UpdateTimeToLive, request(true, &"x".repeat(256)));
    assert!(
        long.ends_with("Member must have length less than or equal to 255"),
        "{long}"
    );
    assert!(harness.refused_switch(true, "").contains("attributeName"));
    harness.switch(true, &"x".repeat(255)).unwrap();
}
