use super::*;

fn body(error: &Error) -> serde_json::Value {
    let mut writer = Writer::new();
    error.encode(&mut writer);
    serde_json::from_slice(writer.as_bytes()).unwrap()
}

#[test]
fn a_validation_error_comes_from_the_validator() {
    let error = Error::validation("Requested resource not valid");
    assert_eq!(error.status(), 400);
    assert_eq!(
        body(&error),
        serde_json::json!({
            "__type": "com.amazon.coral.validate#ValidationException",
            "message": "Requested resource not valid",
        })
    );
}

#[test]
fn some_errors_spell_message_with_a_capital() {
    let error = Error::IdempotentParameterMismatch("no".into());
    assert_eq!(body(&error)["Message"], "no");
    let error = Error::TransactionInProgress("wait".into());
    assert_eq!(body(&error)["Message"], "wait");
}

#[test]
fn malformed_json_has_no_message_and_a_wrong_token_has_one() {
    let error = Error::Serialization(SerializationError::Malformed { offset: 3 });
    let expected = serde_json::json!({"__type": "com.amazon.coral.service#SerializationException"});
    assert_eq!(body(&error), expected);
    let wrong = super::super::json::Reader::new(b"1").string().unwrap_err();
    assert_eq!(
        body(&wrong.into())["Message"],
        "NUMBER_VALUE cannot be converted to String"
    );
}

#[test]
fn a_cancelled_transaction_lists_every_action() {
    let reasons = vec![
        CancellationReason::none(),
        CancellationReason::condition(None),
    ];
    let body = body(&Error::TransactionCanceled { reasons });
    assert_eq!(
        body,
        serde_json::json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "CancellationReasons": [
                {"Code": "None"},
                {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
            ],
            "Message": "Transaction cancelled, please refer cancellation reasons for specific \
                        reasons [None, ConditionalCheckFailed]",
        })
    );
}

#[test]
fn throttling_names_the_resource() {
    let reason = ThrottlingReason {
        reason: "TableWriteProvisionedThroughputExceeded".into(),
        resource: "arn:aws:dynamodb:us-east-1:000000000000:table/T".to_owned(),
    };
    let error = Error::ProvisionedThroughputExceeded {
        message: "slow down".into(),
        reasons: vec![reason],
    };
    assert_eq!(
        body(&error)["ThrottlingReasons"][0]["reason"],
        "TableWriteProvisionedThroughputExceeded"
    );
    assert_eq!(error.code(), "ProvisionedThroughputExceededException");
}

#[test]
fn only_our_own_failures_are_500() {
    assert_eq!(Error::InternalServer("oh".into()).status(), 500);
    assert_eq!(Error::ResourceNotFound("no".into()).status(), 400);
}

/// Every exception of the models has its variant: same name, same key for the message.
#[test]
fn the_models_exceptions_are_all_here() {
    let source = include_str!("../error.rs");
    for model in ["dynamodb", "dynamodbstreams"] {
        let path = format!("{}/model/{model}.json", env!("CARGO_MANIFEST_DIR"));
        let model: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for (name, shape) in model["shapes"].as_object().unwrap() {
            if shape.get("exception").is_none() {
                continue;
            }
            assert!(source.contains(&format!("\"{name}\"")), "{name}");
            let members = shape["members"].as_object().unwrap();
            let key = members
                .keys()
                .find(|key| key.eq_ignore_ascii_case("message"))
                .unwrap();
            let capital = ["Message"].contains(&key.as_str());
            let here = source
                .lines()
                .find(|line| line.contains(&format!("\"{name}\"")))
                .unwrap_or_default();
            assert_eq!(here.contains("\"Message\""), capital, "{name}");
        }
    }
}
