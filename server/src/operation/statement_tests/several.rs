//! BatchExecuteStatement and ExecuteTransaction.

use serde_json::{Value, json};

use super::{Harness, request};
use crate::wire::Operation::{BatchExecuteStatement, ExecuteTransaction};

fn batch(statements: &[&str]) -> Value {
    let statements: Vec<Value> = statements.iter().map(|text| request(text, &[])).collect();
    json!({"Statements": statements, "ReturnConsumedCapacity": "TOTAL"})
}

fn transaction(statements: &[&str]) -> Value {
    let statements: Vec<Value> = statements.iter().map(|text| request(text, &[])).collect();
    json!({ "TransactStatements": statements })
}

#[test]
fn each_statement_of_a_batch_has_its_own_answer() {
    let harness = Harness::with_tables();
    let writes = harness.ok(
        BatchExecuteStatement,
        batch(&[
            "INSERT INTO one VALUE {'pk': 'a', 'n': 1}",
            "INSERT INTO one VALUE {'pk': 'a'}",
            "SLECT * FROM one WHERE pk = 'a'",
            "UPDATE one SET n = 2 WHERE pk = 'a' AND n = 7",
            "UPDATE one SET n = 2 WHERE pk = 'a' RETURNING MODIFIED NEW *",
            "UPDATE one REMOVE x WHERE pk = 'a' RETURNING MODIFIED NEW *",
            "UPDATE absent SET n = 2 WHERE pk = 'a'",
            "DELETE FROM one WHERE n = 1",
        ]),
    );
    let error = |code: &str, message: &str| json!({"Code": code, "Message": message});
    assert_eq!(
        writes["Responses"],
        json!([
            {"TableName": "one"},
            {"TableName": "one",
                "Error": error("DuplicateItem", "Duplicate primary key exists in table")},
            {"Error": error("ValidationError",
                "Statement wasn't well formed, can't be processed: Expected data manipulation")},
            {"TableName": "one",
                "Error": error("ConditionalCheckFailed", "The conditional request failed")},
            {"TableName": "one", "Item": {"n": {"N": "2"}}},
            {"TableName": "one"},
            {"Error": error("ResourceNotFound", "Requested resource not found")},
            {"Error": error("ValidationError", "Where clause does not contain a mandatory equality \
                on all key attributes")},
        ])
    );
    assert_eq!(writes["ConsumedCapacity"].as_array().unwrap().len(), 3);
    const KEY: &str = "Select statements within BatchExecuteStatement must specify the primary key \
                       in the where clause.";
    let reads = harness.ok(
        BatchExecuteStatement,
        batch(&[
            "SELECT n FROM one WHERE pk = 'a'",
            "SELECT * FROM one WHERE pk = 'absent'",
            "SELECT * FROM one WHERE n = 1",
            "SELECT * FROM one WHERE pk = 'a' AND attribute_exists(n)",
            "SELECT * FROM two WHERE pk = 'a'",
            r#"SELECT * FROM "idx"."gsi-all" WHERE pk = 'p' AND sk = 's' AND gsiPk = 'x'"#,
            r#"SELECT * FROM "idx"."gsi-multi" WHERE gsiPk = 'x'"#,
        ]),
    );
    let refused = json!({"Error": error("ValidationError", KEY)});
    let responses = reads["Responses"].as_array().unwrap();
    assert_eq!(
        responses[0],
        json!({"TableName": "one", "Item": {"n": {"N": "2"}}})
    );
    assert_eq!(responses[1], json!({"TableName": "one"}));
    for response in &responses[2..6] {
        assert_eq!(*response, refused);
    }
    assert_eq!(
        responses[6]["Error"]["Message"],
        "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or \
         multi-attribute RANGE keys."
    );
    let consumed = &reads["ConsumedCapacity"];
    assert_eq!(consumed.as_array().unwrap().len(), 2);
    assert_eq!(consumed[0]["CapacityUnits"], 0.5);
    harness.refused(
        BatchExecuteStatement,
        batch(&[
            "SELECT * FROM one WHERE pk = 'a'",
            "DELETE FROM one WHERE pk = 'a'",
        ]),
    );
    assert_eq!(harness.held("a")["n"], json!({"N": "2"}));
}

#[test]
fn a_transaction_is_all_or_nothing() {
    let harness = Harness::with_tables();
    harness.put("one", &json!({"pk": {"S": "a"}, "n": {"N": "1"}}));
    let done = harness.ok(
        ExecuteTransaction,
        transaction(&[
            "EXISTS(SELECT * FROM one WHERE pk = 'a' AND n = 1)",
            "INSERT INTO one VALUE {'pk': 'b', 'n': 1}",
            "INSERT INTO two VALUE {'pk': 'b', 'sk': 'x'}",
        ]),
    );
    assert_eq!(done, json!({"Responses": []}));
    for (statements, codes) in [
        (
            &[
                "INSERT INTO one VALUE {'pk': 'a'}",
                "INSERT INTO one VALUE {'pk': 'new'}",
            ][..],
            &["DuplicateItem", "None"][..],
        ),
        (
            &[
                "INSERT INTO one VALUE {'pk': 'new'}",
                "UPDATE one SET n = 9 WHERE pk = 'a' AND n = 7",
                "EXISTS(SELECT * FROM one WHERE pk = 'absent' AND n IS MISSING)",
                "UPDATE one SET n = n + 1 WHERE pk = 'b'",
            ],
            &[
                "None",
                "ConditionalCheckFailed",
                "ConditionalCheckFailed",
                "None",
            ],
        ),
        (
            &[
                "INSERT INTO one VALUE {'pk': 'new'}",
                "UPDATE one SET n = 9 WHERE pk = 5",
            ],
            &["None", "ValidationError"],
        ),
    ] {
        let (name, body) = harness
            .call(ExecuteTransaction, &transaction(statements))
            .unwrap_err();
        assert_eq!(name, "TransactionCanceledException", "{statements:?}");
        let reasons = body["CancellationReasons"].as_array().unwrap();
        let found: Vec<&str> = reasons
            .iter()
            .map(|reason| reason["Code"].as_str().unwrap())
            .collect();
        assert_eq!(found, codes, "{statements:?}");
        assert!(harness.held("new").is_null());
    }
    let read = harness.ok(
        ExecuteTransaction,
        transaction(&[
            "SELECT n FROM one WHERE pk = 'a'",
            "SELECT * FROM two WHERE sk = 'x' AND pk = 'b'",
            "SELECT * FROM one WHERE pk = 'absent'",
        ]),
    );
    let expected = json!({"Responses": [{"Item": {"n": {"N": "1"}}},
        {"Item": {"pk": {"S": "b"}, "sk": {"S": "x"}}}, {}]});
    assert_eq!(read, expected);
}

#[test]
fn what_a_transaction_refuses_it_refuses_by_place() {
    let harness = Harness::with_tables();
    for (statement, message) in [
        (
            "SELECT * FROM one WHERE",
            "Statement wasn't well formed, can't be processed: Unexpected term",
        ),
        (
            "SELECT * FROM one WHERE pk = 'a' AND attribute_exists(ss)",
            "Select statements within ExecuteTransaction must specify the primary key in the where \
             clause.",
        ),
        (
            r#"SELECT * FROM "idx"."gsi-all" WHERE gsiPk = 'x'"#,
            "Reads on indices are not supported within transactions.",
        ),
        (
            "UPDATE one SET n = 1 WHERE pk = 'a' RETURNING ALL NEW *",
            "RETURNING clause is not supported in ExecuteTransaction.",
        ),
        (
            "EXISTS(SELECT * FROM one WHERE pk = 'a')",
            "EXISTS() must contain a single item read with additional condition",
        ),
    ] {
        assert_eq!(
            harness.refused(ExecuteTransaction, transaction(&[statement])),
            format!("Validation failed in TransactStatements[0]: {message}"),
            "{statement}"
        );
    }
    // A parameter is refused as it is.
    let mut number = transaction(&["UPDATE one SET n = ? WHERE pk = 'a'"]);
    number["TransactStatements"][0]["Parameters"] = json!([{"N": "1e99999999999"}]);
    assert_eq!(
        harness.refused(ExecuteTransaction, number),
        "The parameter cannot be converted to a numeric value: 1e99999999999"
    );
    for mixed in [
        [
            "SELECT * FROM one WHERE pk = 'a'",
            "DELETE FROM one WHERE pk = 'b'",
        ],
        [
            "DELETE FROM one WHERE pk = 'b'",
            "UPDATE one SET n = 1 WHERE pk = 'b'",
        ],
    ] {
        harness.refused(ExecuteTransaction, transaction(&mixed));
    }
}

#[test]
fn a_token_makes_a_transaction_happen_once() {
    let harness = Harness::with_tables();
    harness.put("one", &json!({"pk": {"S": "a"}, "n": {"N": "0"}}));
    let mut request = transaction(&["UPDATE one SET n = n + 1 WHERE pk = 'a'"]);
    request["ClientRequestToken"] = "once".into();
    request["ReturnConsumedCapacity"] = "INDEXES".into();
    let first = harness.ok(ExecuteTransaction, request.clone());
    let again = harness.ok(ExecuteTransaction, request.clone());
    assert_eq!(harness.held("a")["n"], json!({"N": "1"}));
    assert_eq!(first["ConsumedCapacity"][0]["WriteCapacityUnits"], 2.0);
    assert!(first["ConsumedCapacity"][0]["ReadCapacityUnits"].is_null());
    assert_eq!(again["ConsumedCapacity"][0]["ReadCapacityUnits"], 2.0);
    assert!(again["ConsumedCapacity"][0]["WriteCapacityUnits"].is_null());
    request["TransactStatements"][0]["Statement"] = "UPDATE one SET n = 5 WHERE pk = 'a'".into();
    let (name, _) = harness.call(ExecuteTransaction, &request).unwrap_err();
    assert_eq!(name, "IdempotentParameterMismatchException");
}
