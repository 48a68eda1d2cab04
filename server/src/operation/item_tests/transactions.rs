//! TransactWriteItems and TransactGetItems.

use serde_json::{Value, json};

use crate::{
    operation::harness::Harness,
    table::Projection,
    wire::Operation::{GetItem, Scan, TransactGetItems, TransactWriteItems},
};

fn two_tables() -> Harness {
    let harness = Harness::new();
    harness.table("one", &[], &[], &[]);
    harness.table(
        "two",
        &["sk"],
        &[],
        &[("global", &["g"], &[], Projection::All)],
    );
    harness
}

fn put(key: &str) -> Value {
    json!({"Put": {"TableName": "one", "Item": {"pk": {"S": key}, "n": {"N": "1"}}}})
}

fn got(harness: &Harness, key: &str) -> Option<Value> {
    let request = json!({"TableName": "one", "Key": {"pk": {"S": key}}});
    harness.ok(GetItem, request).get("Item").cloned()
}

/// Codes and messages of the reasons that a transaction was cancelled with.
#[track_caller]
fn cancelled(harness: &Harness, actions: Value) -> Vec<(String, Option<String>)> {
    let request = json!({"TransactItems": actions});
    let (name, body) = harness.call(TransactWriteItems, &request).unwrap_err();
    assert_eq!(name, "TransactionCanceledException", "{body}");
    let reasons = body["CancellationReasons"].as_array().unwrap();
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    reasons
        .iter()
        .map(|one| (text(&one["Code"]).unwrap(), text(&one["Message"])))
        .collect()
}

#[test]
fn all_actions_happen_together() {
    let harness = two_tables();
    for key in ["update", "delete", "check"] {
        harness.ok(TransactWriteItems, json!({"TransactItems": [put(key)]}));
    }
    let answer = harness.ok(
        TransactWriteItems,
        json!({"TransactItems": [
            put("put"),
            {"Update": {"TableName": "one", "Key": {"pk": {"S": "update"}},
                        "UpdateExpression": "SET n = n + :one",
                        "ExpressionAttributeValues": {":one": {"N": "1"}}}},
            {"Delete": {"TableName": "one", "Key": {"pk": {"S": "delete"}}}},
            {"ConditionCheck": {"TableName": "one", "Key": {"pk": {"S": "check"}},
                                "ConditionExpression": "attribute_exists(pk)"}},
            {"Put": {"TableName": "two", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"},
                                                  "g": {"S": "g"}}}},
        ], "ReturnConsumedCapacity": "INDEXES"}),
    );
    assert_eq!(
        answer["ConsumedCapacity"],
        json!([
            {"TableName": "one", "CapacityUnits": 8.0, "WriteCapacityUnits": 8.0,
             "Table": {"WriteCapacityUnits": 8.0, "CapacityUnits": 8.0}},
            {"TableName": "two", "CapacityUnits": 4.0, "WriteCapacityUnits": 4.0,
             "Table": {"WriteCapacityUnits": 2.0, "CapacityUnits": 2.0},
             "GlobalSecondaryIndexes":
                {"global": {"WriteCapacityUnits": 2.0, "CapacityUnits": 2.0}}},
        ])
    );
    assert_eq!(got(&harness, "update").unwrap()["n"], json!({"N": "2"}));
    assert_eq!(got(&harness, "delete"), None);
    let answer = harness.ok(
        TransactGetItems,
        json!({"TransactItems": [
            {"Get": {"TableName": "two", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}},
                     "ProjectionExpression": "g"}},
            {"Get": {"TableName": "one", "Key": {"pk": {"S": "delete"}}}},
            {"Get": {"TableName": "one", "Key": {"pk": {"S": "put"}}}},
        ], "ReturnConsumedCapacity": "TOTAL"}),
    );
    assert_eq!(
        answer,
        json!({
            "Responses": [{"Item": {"g": {"S": "g"}}}, {},
                          {"Item": {"pk": {"S": "put"}, "n": {"N": "1"}}}],
            "ConsumedCapacity": [
                {"TableName": "two", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0},
                {"TableName": "one", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0},
            ],
        })
    );
}

#[test]
fn one_failed_condition_cancels_all_and_is_told_in_its_place() {
    let harness = two_tables();
    harness.ok(TransactWriteItems, json!({"TransactItems": [put("there")]}));
    let mut failing = put("there");
    failing["Put"]["ConditionExpression"] = json!("attribute_not_exists(pk)");
    assert_eq!(
        cancelled(&harness, json!([put("new"), failing])),
        [
            ("None".to_owned(), None),
            (
                "ConditionalCheckFailed".to_owned(),
                Some("The conditional request failed".to_owned())
            ),
        ]
    );
    assert_eq!(got(&harness, "new"), None);
    failing["Put"]["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    let (_, body) = harness
        .call(TransactWriteItems, &json!({"TransactItems": [failing]}))
        .unwrap_err();
    assert_eq!(
        body["CancellationReasons"][0]["Item"]["pk"],
        json!({"S": "there"})
    );
    assert_eq!(
        body["Message"],
        json!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons \
               [ConditionalCheckFailed]"
        )
    );
}

#[test]
fn what_is_wrong_with_a_key_is_a_reason_unless_it_is_empty() {
    let harness = two_tables();
    assert_eq!(
        cancelled(
            &harness,
            json!([{"Put": {"TableName": "one", "Item": {"pk": {"N": "5"}}}}])
        ),
        [(
            "ValidationError".to_owned(),
            Some(
                "One or more parameter values were invalid: Type mismatch for key pk expected: S \
                  actual: N"
                    .to_owned()
            )
        )]
    );
    assert_eq!(
        cancelled(
            &harness,
            json!([{"Delete": {"TableName": "one", "Key": {"pk": {"N": "5"}}}}])
        ),
        [(
            "ValidationError".to_owned(),
            Some("The provided key element does not match the schema".to_owned())
        )]
    );
    assert_eq!(
        harness.refused(
            TransactWriteItems,
            json!({"TransactItems": [{"Delete": {"TableName": "one", "Key": {"pk": {"S": ""}}}}]})
        ),
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
         contain an empty string value. Key: pk"
    );
    assert_eq!(
        harness.refused(
            TransactWriteItems,
            json!({"TransactItems": [put("a"), put("a")]})
        ),
        "Transaction request cannot include multiple operations on one item"
    );
}

#[test]
fn a_token_stands_for_one_request() {
    let harness = two_tables();
    let add = |step: &str| {
        json!({"ClientRequestToken": "token", "ReturnConsumedCapacity": "TOTAL",
               "TransactItems": [{"Update": {
                   "TableName": "one", "Key": {"pk": {"S": "a"}},
                   "UpdateExpression": "ADD n :n",
                   "ExpressionAttributeValues": {":n": {"N": step}}}}]})
    };
    let first = harness.ok(TransactWriteItems, add("1"));
    assert_eq!(
        first["ConsumedCapacity"][0]["WriteCapacityUnits"],
        json!(2.0)
    );
    let again = harness.ok(TransactWriteItems, add("1.0"));
    assert_eq!(
        again["ConsumedCapacity"][0]["ReadCapacityUnits"],
        json!(2.0)
    );
    assert_eq!(got(&harness, "a").unwrap()["n"], json!({"N": "1"}));
    let (name, _) = harness.call(TransactWriteItems, &add("2")).unwrap_err();
    assert_eq!(name, "IdempotentParameterMismatchException");
}

#[test]
fn a_cancelled_transaction_leaves_its_token_free() {
    let harness = two_tables();
    let request = json!({"ClientRequestToken": "token", "TransactItems": [
        {"ConditionCheck": {"TableName": "one", "Key": {"pk": {"S": "a"}},
                            "ConditionExpression": "attribute_exists(pk)"}},
        put("b"),
    ]});
    harness.call(TransactWriteItems, &request).unwrap_err();
    harness.ok(TransactWriteItems, json!({"TransactItems": [put("a")]}));
    harness.ok(TransactWriteItems, request);
    assert!(got(&harness, "b").is_some());
}

#[test]
fn the_size_ends_at_4_mb() {
    let harness = two_tables();
    let puts = |count: usize| -> Vec<Value> {
        let payload = "x".repeat(350_000);
        (0..count)
            .map(|number| {
                json!({"Put": {"TableName": "one",
                               "Item": {"pk": {"S": number.to_string()}, "d": {"S": payload}}}})
            })
            .collect()
    };
    harness.ok(TransactWriteItems, json!({"TransactItems": puts(11)}));
    assert_eq!(
        harness.refused(TransactWriteItems, json!({"TransactItems": puts(12)})),
        "The aggregate size of the items in the transaction exceeds 4 MB"
    );
}

/// Threads move one unit at a time between accounts, read them all in a transaction, and never see a
/// unit that is in both or in neither.
#[test]
fn transfers_are_never_seen_half_done() {
    const ACCOUNTS: usize = 5;
    let harness = two_tables();
    let key = |account: usize| json!({"pk": {"S": account.to_string()}});
    for account in 0..ACCOUNTS {
        let mut item = key(account);
        item["n"] = json!({"N": "10"});
        harness.put("one", &item);
    }
    let change = |account: usize, by: &str| {
        json!({"Update": {"TableName": "one", "Key": key(account),
                          "UpdateExpression": "SET n = n + :by",
                          "ExpressionAttributeValues": {":by": {"N": by}}}})
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (harness, change) = (&harness, &change);
            scope.spawn(move || {
                for round in 0..100 {
                    let (from, to) = (
                        (thread + round) % ACCOUNTS,
                        (thread * 2 + round + 1) % ACCOUNTS,
                    );
                    if from == to {
                        continue;
                    }
                    let actions = json!([change(from, "-1"), change(to, "1")]);
                    harness.ok(TransactWriteItems, json!({"TransactItems": actions}));
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let gets: Vec<Value> = (0..ACCOUNTS)
                    .map(|account| json!({"Get": {"TableName": "one", "Key": key(account)}}))
                    .collect();
                for _ in 0..100 {
                    let answer = harness.ok(TransactGetItems, json!({"TransactItems": gets}));
                    let sum: i64 = answer["Responses"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|one| {
                            one["Item"]["n"]["N"]
                                .as_str()
                                .unwrap()
                                .parse::<i64>()
                                .unwrap()
                        })
                        .sum();
                    assert_eq!(sum, 10 * ACCOUNTS as i64);
                }
            });
        }
    });
    let answer = harness.ok(Scan, json!({"TableName": "one"}));
    assert_eq!(answer["Count"], json!(ACCOUNTS));
}
