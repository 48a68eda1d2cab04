use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

/// The model, for tests that go over all of it.
fn models() -> Vec<Json> {
    ["dynamodb", "dynamodbstreams"]
        .iter()
        .map(|name| {
            let path = format!("{}/model/{name}.json", env!("CARGO_MANIFEST_DIR"));
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
        })
        .collect()
}

fn model_of(operation: Operation) -> Json {
    let found = models()
        .into_iter()
        .find(|model| model["operations"].get(operation.name()).is_some());
    found.unwrap()
}

/// A value of the shape, or with some luck something else.
fn any_of(model: &Json, name: &str, depth: usize) -> BoxedStrategy<Json> {
    let shape = &model["shapes"][name];
    let other = prop_oneof![
        Just(Json::Null),
        Just(json!("text")),
        Just(json!(-1)),
        Just(json!(1.5)),
        Just(json!(true)),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[{"S": 1}]])),
    ];
    if depth == 0 {
        return other.boxed();
    }
    let number = -2_i64..2_000_000;
    let right = match shape["type"].as_str().unwrap() {
        "string" => {
            let values: Vec<Json> = shape["enum"].as_array().cloned().unwrap_or_default();
            match values.is_empty() {
                true => "[a-zA-Z_.$: -]{0,40}".prop_map(Json::from).boxed(),
                false => proptest::sample::select(values).boxed(),
            }
        }
        "integer" | "long" => number.prop_map(Json::from).boxed(),
        "double" | "timestamp" => number.prop_map(|value| json!(value as f64 / 8.0)).boxed(),
        "boolean" => any::<bool>().prop_map(Json::from).boxed(),
        "blob" => Just(json!("AAEC")).boxed(),
        "list" => {
            let element = any_of(model, shape["member"]["shape"].as_str().unwrap(), depth - 1);
            proptest::collection::vec(element, 0..3)
                .prop_map(Json::from)
                .boxed()
        }
        "map" => {
            let value = any_of(model, shape["value"]["shape"].as_str().unwrap(), depth - 1);
            proptest::collection::vec(("[a-z:#!]{0,5}", value), 0..3)
                .prop_map(|entries| Json::Object(entries.into_iter().collect()))
                .boxed()
        }
        "structure" => {
            let mut members = Just(Vec::new()).boxed();
            for (name, member) in shape["members"].as_object().unwrap() {
                let value = any_of(model, member["shape"].as_str().unwrap(), depth - 1);
                let name = name.clone();
                members = (members, proptest::option::of(value))
                    .prop_map(move |(mut members, value)| {
                        members.extend(value.map(|value| (name.clone(), value)));
                        members
                    })
                    .boxed();
            }
            members
                .prop_map(|members| Json::Object(members.into_iter().collect()))
                .boxed()
        }
        other => panic!("{other}"),
    };
    prop_oneof![12 => right, 1 => other].boxed()
}

#[test]
fn every_operation_takes_an_empty_object() {
    for operation in Operation::ALL {
        for wording in [Wording::Current, Wording::Older] {
            match check(operation, b"{}", wording) {
                Ok(()) | Err(Error::Validation(_)) => {}
                other => panic!("{operation}: {other:?}"),
            }
        }
    }
}

#[test]
fn every_required_member_is_asked_for() {
    for operation in Operation::ALL {
        let model = model_of(operation);
        let input = model["operations"][operation.name()]["input"]["shape"]
            .as_str()
            .unwrap();
        let required = model["shapes"][input]["required"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let answer = check(operation, b"{}", Wording::Older);
        let Err(Error::Validation(message)) = answer else {
            assert!(required.is_empty(), "{operation}");
            continue;
        };
        if message.starts_with("The parameter 'TableName' is required") {
            continue;
        }
        let expected = required.len();
        assert!(
            message.starts_with(&format!("{expected} validation error")),
            "{message}"
        );
    }
}

#[test]
fn every_operation_survives_random_requests() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    for operation in Operation::ALL {
        let model = model_of(operation);
        let input = model["operations"][operation.name()]["input"]["shape"]
            .as_str()
            .unwrap();
        let bodies = any_of(&model, input, 6);
        runner
            .run(&bodies, |body| {
                let body = body.to_string();
                for wording in [Wording::Current, Wording::Older] {
                    match check(operation, body.as_bytes(), wording) {
                        Ok(()) | Err(Error::Validation(_) | Error::Serialization(_)) => {}
                        Err(other) => panic!("{operation}: {other:?}"),
                    }
                }
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn wrong_tokens_are_answered_in_dynamodbs_words() {
    let message = |operation, body: &str| match check(operation, body.as_bytes(), Wording::Current)
    {
        Err(Error::Serialization(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    use Operation::{BatchGetItem, CreateTable, GetItem, PutItem, Query};
    for (operation, body, expected) in [
        (PutItem, "", ""),
        (PutItem, "{", ""),
        (PutItem, "{}x", ""),
        (
            PutItem,
            r#"{"TableName": 23}"#,
            "NUMBER_VALUE cannot be converted to String",
        ),
        (
            PutItem,
            r#"{"TableName": 2.5}"#,
            "DECIMAL_VALUE cannot be converted to String",
        ),
        (
            PutItem,
            r#"{"TableName": []}"#,
            "Unrecognized collection type class java.lang.String",
        ),
        (
            PutItem,
            r#"{"TableName": {}}"#,
            "Start of structure or map found where not expected",
        ),
        (PutItem, r#"{"Expected": "a"}"#, "Unexpected field type"),
        (
            PutItem,
            r#"{"Expected": {"a": 1}}"#,
            "Unexpected value type in payload",
        ),
        (
            PutItem,
            r#"{"Expected": []}"#,
            "Unrecognized collection type java.util.Map<java.lang.String, \
             com.amazonaws.dynamodb.v20120810.ExpectedAttributeValue>",
        ),
        (
            PutItem,
            r#"{"Item": {"a": {"S": 23}}}"#,
            "NUMBER_VALUE cannot be converted to String",
        ),
        (
            GetItem,
            r#"{"ExpressionAttributeNames": []}"#,
            "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>",
        ),
        (
            GetItem,
            r#"{"AttributesToGet": "a"}"#,
            "Unexpected field type",
        ),
        (
            GetItem,
            r#"{"AttributesToGet": {}}"#,
            "Start of structure or map found where not expected",
        ),
        (
            GetItem,
            r#"{"ConsistentRead": "maybe"}"#,
            "Unexpected token received from parser",
        ),
        (
            Query,
            r#"{"Limit": "1"}"#,
            "STRING_VALUE cannot be converted to Integer",
        ),
        (
            CreateTable,
            r#"{"ProvisionedThroughput": {"ReadCapacityUnits": true}}"#,
            "TRUE_VALUE cannot be converted to Long",
        ),
        (
            CreateTable,
            r#"{"ProvisionedThroughput": 1}"#,
            "Unexpected field type",
        ),
        (
            CreateTable,
            r#"{"KeySchema": [1]}"#,
            "Unexpected value type in payload",
        ),
        (
            CreateTable,
            r#"{"KeySchema": [[]]}"#,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.KeySchemaElement",
        ),
        (
            BatchGetItem,
            r#"{"RequestItems": {"abc": 1}}"#,
            "Unexpected value type in payload",
        ),
    ] {
        assert_eq!(message(operation, body), expected, "{operation} {body}");
    }
}
