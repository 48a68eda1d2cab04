//! Policies against the words and forms of AWS.

use serde_json::{Value, json};

use super::document::Document;
use crate::{
    operation::tests::{answer, call_in, refused},
    stator::{Stator, StatorOptions},
    wire::Operation::{
        self, CreateTable, DeleteResourcePolicy, DeleteTable, GetResourcePolicy, PutResourcePolicy,
    },
};

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Table";
const ROOT: &str = "arn:aws:iam::000000000000:root";

/// A Stator with the table `Table`, on which changes take `delay_ms`.
fn stator(delay_ms: u64) -> Stator {
    let options = StatorOptions {
        table_state_delay_ms: delay_ms,
        ..StatorOptions::default()
    };
    let stator = Stator::open(options).unwrap();
    answer(&stator, CreateTable, &table(json!({})));
    stator
}

fn table(overlay: Value) -> Value {
    let mut request = json!({
        "TableName": "Table", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    });
    for (name, value) in overlay.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

/// A policy of one statement, with other members laid over it; null takes one away.
fn policy(overlay: Value) -> Value {
    let mut statement = json!({
        "Sid": "Read", "Effect": "Allow", "Principal": {"AWS": ROOT},
        "Action": "dynamodb:GetItem", "Resource": ARN,
    });
    for (name, value) in overlay.as_object().unwrap() {
        match value {
            Value::Null => statement.as_object_mut().unwrap().remove(name),
            value => statement
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), value.clone()),
        };
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

/// That policy as it is shown.
const FORM: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","#,
    r#""Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"dynamodb:GetItem","#,
    r#""Resource":"arn:aws:dynamodb:us-east-1:000000000000:table/Table"}]}"#,
);

fn put(policy: impl ToString) -> Value {
    json!({"ResourceArn": ARN, "Policy": policy.to_string()})
}

/// Attaches a policy, and gives its revision.
fn attach(stator: &Stator, policy: impl ToString) -> String {
    let put = answer(stator, PutResourcePolicy, &put(policy));
    put["RevisionId"].as_str().unwrap().to_owned()
}

fn slot() -> Value {
    json!({"ResourceArn": ARN})
}

/// What a policy is shown as.
fn shown(stator: &Stator, policy: impl ToString) -> String {
    attach(stator, policy);
    let found = answer(stator, GetResourcePolicy, &slot());
    found["Policy"].as_str().unwrap().to_owned()
}

fn with(mut request: Value, name: &str, value: impl Into<Value>) -> Value {
    request[name] = value.into();
    request
}

#[test]
fn a_policy_is_attached_shown_and_deleted() {
    let stator = stator(0);
    let none = format!(
        "PolicyNotFoundException: Resource-based policy not found for the provided ResourceArn: {ARN}"
    );
    assert_eq!(refused(&stator, GetResourcePolicy, &slot()), none);
    assert_eq!(answer(&stator, DeleteResourcePolicy, &slot()), json!({}));

    let first = attach(&stator, policy(json!({})));
    let found = answer(&stator, GetResourcePolicy, &slot());
    assert_eq!(found["RevisionId"], *first);
    assert_eq!(found["Policy"], FORM);
    let second = attach(&stator, policy(json!({"Action": "dynamodb:Query"})));
    assert!(second > first && second.len() == 13, "{first} {second}");

    let deleted = answer(&stator, DeleteResourcePolicy, &slot());
    assert_eq!(deleted, json!({"RevisionId": second}));
    assert_eq!(refused(&stator, GetResourcePolicy, &slot()), none);
    // Deleted again, it has the revision of the deletion.
    let again = answer(&stator, DeleteResourcePolicy, &slot());
    assert!(again["RevisionId"].as_str().unwrap() > second.as_str());
}

#[test]
fn a_policy_comes_and_goes_with_its_table() {
    let stator = Stator::open(StatorOptions::default()).unwrap();
    let given = json!({"ResourcePolicy": policy(json!({})).to_string()});
    let made = answer(&stator, CreateTable, &table(given));
    assert!(!made.to_string().contains("Policy"), "{made}");
    let found = answer(&stator, GetResourcePolicy, &slot());
    assert_eq!(found["Policy"], FORM);
    answer(&stator, DeleteTable, &json!({"TableName": "Table"}));
    for operation in [GetResourcePolicy, DeleteResourcePolicy] {
        assert_eq!(
            refused(&stator, operation, &slot()),
            "ResourceNotFoundException: Requested resource not found: Table: Table not found"
        );
    }
    answer(&stator, CreateTable, &table(json!({})));
    let none = refused(&stator, GetResourcePolicy, &slot());
    assert!(none.starts_with("PolicyNotFoundException"), "{none}");
    answer(&stator, DeleteTable, &json!({"TableName": "Table"}));
    assert_eq!(
        refused(
            &stator,
            CreateTable,
            &table(json!({"ResourcePolicy": "{}"}))
        ),
        "ValidationException: One or more parameter values were invalid: Invalid policy document: \
         Syntax error at position (1,3)"
    );
}

#[test]
fn revisions_are_compared() {
    let stator = stator(0);
    let expecting = |request: Value, revision: &str| with(request, "ExpectedRevisionId", revision);
    let message = |operation: Operation, request: Value| refused(&stator, operation, &request);
    let prefix = "PolicyNotFoundException: Resource-based policy not found for the provided \
                  ResourceArn: Requested update for policy with revision id 123, but";
    let any = policy(json!({}));
    for (operation, request) in [
        (DeleteResourcePolicy, slot()),
        (PutResourcePolicy, put(&any)),
    ] {
        assert_eq!(
            message(operation, expecting(request, "123")),
            format!("{prefix} table Table has no associated policy")
        );
    }
    let made = answer(
        &stator,
        PutResourcePolicy,
        &expecting(put(&any), "NO_POLICY"),
    );
    let revision = made["RevisionId"].as_str().unwrap();
    for (operation, request) in [
        (DeleteResourcePolicy, slot()),
        (PutResourcePolicy, put(&any)),
    ] {
        let refused = message(operation, expecting(request, "123"));
        assert!(
            refused.starts_with(&format!(
                "{prefix} the policy associated to target table Table"
            )),
            "{refused}"
        );
    }
    let refused = message(PutResourcePolicy, expecting(put(&any), "NO_POLICY"));
    assert!(refused.starts_with("PolicyNotFoundException"), "{refused}");
    let other = policy(json!({"Action": "dynamodb:Scan"}));
    let made = answer(
        &stator,
        PutResourcePolicy,
        &expecting(put(&other), revision),
    );
    let revision = made["RevisionId"].as_str().unwrap();
    assert_eq!(
        answer(&stator, DeleteResourcePolicy, &expecting(slot(), revision)),
        made
    );
}

/// DDB-TABLE-207, -208, -351 to -355.
#[test]
fn equal_policies_have_one_form() {
    let stator = stator(0);
    let revision = attach(&stator, FORM);
    let escaped = FORM.replace("Read", "\\u0052ead");
    let reordered = format!(
        r#"{{"Statement": {{"Resource": ["{ARN}"], "Action": ["dynamodb:GetItem"],
            "Principal": {{"AWS": ["000000000000", "{ROOT}"]}}, "Effect": "allow", "Sid": "Read"}},
            "Version": "2012-10-17"}}"#
    );
    let padded = serde_json::to_string_pretty(&policy(json!({}))).unwrap() + &" ".repeat(19_000);
    for same in [FORM.to_owned(), escaped, reordered, padded] {
        assert_eq!(attach(&stator, &same), revision, "{same}");
        assert_eq!(shown(&stator, &same), FORM, "{same}");
    }
    let id = policy(json!({"Principal": {"AWS": "000000000000"}}));
    assert_eq!(attach(&stator, id), revision);

    // What is more than one keeps its order and what is in it twice.
    let many = policy(json!({
        "Action": ["dynamodb:Query", "dynamodb:getitem", "dynamodb:Query"],
        "Resource": [format!("{ARN}/index/*"), ARN],
        "Condition": {"StringEquals": {"aws:PrincipalAccount": ["000000000000"]},
                      "Bool": {"aws:SecureTransport": true}},
    }));
    let mut expected = many.clone();
    expected["Statement"][0]["Condition"]["StringEquals"]["aws:PrincipalAccount"] =
        json!("000000000000");
    let many: Value = serde_json::from_str(&shown(&stator, many)).unwrap();
    assert_eq!(many, expected);

    let rest = policy(json!({"Sid": null, "Action": null, "NotAction": "dynamodb:DeleteTable"}));
    assert_eq!(
        shown(&stator, &rest),
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{ROOT}"}},"NotAction":"dynamodb:DeleteTable","Resource":"{ARN}"}}]}}"#
        )
    );
}

/// DDB-TABLE-354: shown with the oldest version, and yet another document than with it.
#[test]
fn a_policy_without_a_version_is_another_one() {
    let stator = stator(0);
    let mut without = policy(json!({}));
    without.as_object_mut().unwrap().remove("Version");
    let oldest = FORM.replace("2012-10-17", "2008-10-17");
    let first = attach(&stator, &without);
    assert_eq!(shown(&stator, &without), oldest);
    assert_eq!(attach(&stator, &without), first);
    assert_ne!(attach(&stator, &oldest), first);
}

#[test]
fn what_is_no_policy_is_refused() {
    let stator = stator(0);
    let check = |document: String, expected: &str| {
        let message = refused(&stator, PutResourcePolicy, &put(&document));
        assert_eq!(
            message,
            format!("ValidationException: One or more parameter values were invalid: {expected}"),
            "{document}"
        );
    };
    let invalid = |document: String, expected: &str| {
        check(document, &format!("Invalid policy document: {expected}"));
    };
    for json in [
        "",
        "[]",
        "{not json",
        "{\"Version\":",
        "1",
        "\"text\"",
        "{}x",
    ] {
        invalid(json.to_owned(), "This policy contains invalid Json");
    }
    invalid("null".to_owned(), "This text appears not to be a policy");
    invalid("{}".to_owned(), "Syntax error at position (1,3)");
    invalid(
        "{\n \"Id\": \"a\"}".to_owned(),
        "Syntax error at position (2,12)",
    );
    invalid(
        r#"{"Statement":[]}"#.to_owned(),
        "Could not parse the policy: Statement is empty!",
    );
    invalid(
        r#"{"Statement":[{}]}"#.to_owned(),
        "Missing required field Effect",
    );
    for field in ["Effect", "Principal", "Action", "Resource"] {
        invalid(
            policy(json!({field: null})).to_string(),
            &format!("Missing required field {field}"),
        );
    }
    let bare = r#"{"Statement":[{"Effect":"Allow","Principal":"000000000000"}]}"#;
    invalid(bare.to_owned(), "Syntax error at position (1,59)");
    for wrong in [
        json!({"Effect": 1}),
        json!({"Action": {"a": "b"}}),
        json!({"Resource": [1]}),
        json!({"Principal": {"Nobody": "a"}}),
        json!({"Condition": {"Bool": true}}),
        json!({"Unknown": "a"}),
    ] {
        let message = refused(&stator, PutResourcePolicy, &put(policy(wrong)));
        assert!(
            message.contains("Syntax error at position (1,"),
            "{message}"
        );
    }
    let mut twice = policy(json!({}));
    let statement = twice["Statement"][0].clone();
    twice["Statement"].as_array_mut().unwrap().push(statement);
    invalid(
        twice.to_string(),
        "The Statement Ids in the policy are not unique",
    );
    invalid(
        policy(json!({"Effect": "Maybe"})).to_string(),
        "Invalid effect: Maybe",
    );
    invalid(
        policy(
            json!({"Action": ["dynamodb:GetRecords", "dynamodb:Get*", "dynamodb:DescribeStream"]}),
        )
        .to_string(),
        "The following action names are invalid: \"dynamodb:GetRecords\", \
         \"dynamodb:DescribeStream\"",
    );
    invalid(
        policy(json!({"Principal": {"Service": "nobody"}})).to_string(),
        "Policy contains invalid service principal",
    );
    let stream = format!("{ARN}/stream/2026-10-09T00:29:04.041");
    invalid(
        policy(json!({"Resource": stream})).to_string(),
        &format!(
            "The relative-id \"table/Table/stream/2026-10-09T00:29:04.041\" is invalid for ARN \
             \"{stream}\""
        ),
    );
    for principal in ["nobody", "arn:aws:iam::1:root", "arn:aws:s3:::bucket"] {
        check(
            policy(json!({"Principal": {"AWS": ["000000000000", principal]}})).to_string(),
            "Invalid principal in policy document.",
        );
    }
    let long = policy(json!({})).to_string();
    let padded = |size: usize| format!("{long}{}", " ".repeat(size - long.len()));
    check(
        padded(20_481),
        "Maximum policy size of 20480 bytes exceeded",
    );
    attach(&stator, padded(20_480));
}

#[test]
fn what_a_policy_may_name() {
    let stator = stator(0);
    for overlay in [
        json!({"Resource": "*"}),
        json!({"Resource": "arn:aws:dynamodb:us-east-1:000000000000:table/Other"}),
        json!({"Resource": format!("{ARN}/index/by-date")}),
        json!({"Resource": "arn:aws:dynamodb:*:*:table/*"}),
        json!({"Action": "dynamodb:*"}),
        json!({"Action": "*"}),
        json!({"Action": ["dynamodb:PartiQLSelect", "dynamodb:ConditionCheckItem"]}),
        json!({"Principal": {"AWS": "arn:aws:iam::000000000000:role/a/b"}}),
        json!({"Principal": {"Service": "redshift.amazonaws.com"}}),
        json!({"Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": "1"}}}),
        json!({"Principal": "*", "Effect": "Deny"}),
    ] {
        attach(&stator, policy(overlay));
    }
    for principal in [json!("*"), json!({"AWS": "*"}), json!({"AWS": [ROOT, "*"]})] {
        assert_eq!(
            refused(
                &stator,
                PutResourcePolicy,
                &put(policy(json!({"Principal": principal})))
            ),
            "ValidationException: Resource-based policy grants unbounded access in one or more \
             elements. Please revise the policy to ensure least-privilege form of access"
        );
    }
}

/// DDB-TABLE-210.
#[test]
fn nobody_locks_themselves_out_unless_they_say_so() {
    let stator = stator(0);
    let deny = |overlay: Value| {
        let mut denied = policy(json!({"Effect": "Deny", "Principal": "*"}));
        for (name, value) in overlay.as_object().unwrap() {
            denied["Statement"][0][name] = value.clone();
        }
        denied
    };
    for action in [
        "dynamodb:PutResourcePolicy",
        "dynamodb:*ResourcePolicy",
        "dynamodb:put?esourcePolicy",
        "*",
    ] {
        let request = put(deny(json!({"Action": [action, "dynamodb:GetItem"]})));
        assert_eq!(
            refused(&stator, PutResourcePolicy, &request),
            "AccessDeniedException: The new resource policy will not allow you to update the \
             resource policy in the future.",
            "{action}"
        );
        answer(
            &stator,
            PutResourcePolicy,
            &with(request, "ConfirmRemoveSelfResourceAccess", true),
        );
    }
    for other in [
        deny(json!({"Action": "dynamodb:DeleteResourcePolicy"})),
        deny(json!({
            "Action": "dynamodb:PutResourcePolicy",
            "Resource": "arn:aws:dynamodb:us-east-1:000000000000:table/Other",
        })),
        deny(json!({
            "Action": "dynamodb:PutResourcePolicy",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        })),
    ] {
        attach(&stator, other);
    }
}

/// DDB-TABLE-212.
#[test]
fn only_tables_and_streams_have_policies() {
    let stator = stator(0);
    let check = |arn: &str, expected: &str| {
        for operation in [GetResourcePolicy, DeleteResourcePolicy] {
            assert_eq!(
                refused(&stator, operation, &json!({"ResourceArn": arn})),
                expected
            );
        }
    };
    let invalid = "ValidationException: One or more parameter values were invalid:";
    check(
        "Table",
        &format!("{invalid} ARNs must start with 'arn:': Table"),
    );
    let index = format!("{ARN}/index/by-date");
    check(
        &index,
        &format!(
            "{invalid} Invalid resource arn provided, only table or stream is accepted. Provided \
             resource arn: {index}"
        ),
    );
    let backup = format!("{ARN}/backup/01700000000000-aaaaaaaa");
    check(
        &backup,
        &format!("{invalid} Provided Arn is not a DynamoDB resource arn: {backup}"),
    );
    check(
        "arn:aws:dynamodb:us-east-1:000000000000:table/TABLE",
        "ResourceNotFoundException: Requested resource not found: Table: TABLE not found",
    );
    let stream = format!("{ARN}/stream/2000-01-01T00:00:00.000");
    check(
        &stream,
        "ResourceNotFoundException: Requested resource not found: Stream: \
         2000-01-01T00:00:00.000 not found for Table: Table",
    );
    // The document comes first: one about a table is none of a stream.
    let request = json!({"ResourceArn": stream, "Policy": policy(json!({
        "Action": "dynamodb:GetRecords"})).to_string()});
    assert_eq!(
        refused(&stator, PutResourcePolicy, &request),
        format!(
            "{invalid} Invalid policy document: The relative-id \"table/Table\" is invalid for \
             ARN \"{ARN}\""
        )
    );
}

/// DDB-TABLE-213: each stream has a slot of its own, for policies about streams.
#[test]
fn a_stream_has_a_policy_of_its_own() {
    let stator = Stator::open(StatorOptions::default()).unwrap();
    let enabled = json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"});
    let made = answer(
        &stator,
        CreateTable,
        &table(json!({"StreamSpecification": enabled})),
    );
    let stream = made["TableDescription"]["LatestStreamArn"]
        .as_str()
        .unwrap();
    let slot = json!({"ResourceArn": stream});
    let about = |action: &str, resource: &str| {
        let about = policy(json!({"Action": action, "Resource": resource}));
        with(slot.clone(), "Policy", about.to_string())
    };
    let none = format!(
        "PolicyNotFoundException: Resource-based policy not found for the provided ResourceArn: \
         {stream}"
    );
    assert_eq!(refused(&stator, GetResourcePolicy, &slot), none);
    let request = about("dynamodb:GetRecords", stream);
    let put = answer(&stator, PutResourcePolicy, &request);
    let found = answer(&stator, GetResourcePolicy, &slot);
    assert_eq!(found["RevisionId"], put["RevisionId"]);
    let of_table = refused(&stator, GetResourcePolicy, &self::slot());
    assert!(
        of_table.starts_with("PolicyNotFoundException"),
        "{of_table}"
    );
    attach(&stator, FORM);
    assert_eq!(answer(&stator, GetResourcePolicy, &slot), found);
    let invalid = refused(
        &stator,
        PutResourcePolicy,
        &about("dynamodb:GetItem", stream),
    );
    assert!(
        invalid.ends_with("The following action names are invalid: \"dynamodb:GetItem\""),
        "{invalid}"
    );
    assert_eq!(answer(&stator, DeleteResourcePolicy, &slot), put);
    assert_eq!(refused(&stator, GetResourcePolicy, &slot), none);
    let found = answer(&stator, GetResourcePolicy, &self::slot());
    assert_eq!(found["Policy"], FORM);
}

/// DDB-TABLE-206, -234, -348: where changes take time, one keeps the next from being made. Times are
/// of a context of our own, so that nothing waits.
#[test]
fn changes_keep_their_distance_where_they_take_time() {
    let stator = stator(1000);
    let created_ms = stator.now_ms();
    let at = |after_ms: u64, operation: Operation, request: &Value| {
        let mut context = stator.context();
        context.now_ms = created_ms + after_ms;
        call_in(&stator, &context, operation, request)
    };
    let (first, second) = (put(FORM), put(policy(json!({"Action": "dynamodb:Scan"}))));
    assert_eq!(
        at(0, PutResourcePolicy, &first).unwrap_err(),
        "ResourceNotFoundException: Requested resource not found: Table: Table not found"
    );
    let tags = format!(
        "ResourceNotFoundException: Requested resource not found: ResourceArn: {ARN} not found"
    );
    let list = Operation::ListTagsOfResource;
    assert_eq!(
        at(0, list, &slot()).unwrap_err(),
        tags,
        "as if it were not there"
    );
    at(1000, list, &slot()).unwrap();
    at(10_000, PutResourcePolicy, &first).unwrap();
    at(10_100, PutResourcePolicy, &first).unwrap();
    let in_use = "ResourceInUseException: Attempt to change a resource which is still in use:";
    for (operation, request) in [
        (PutResourcePolicy, &second),
        (DeleteResourcePolicy, &slot()),
    ] {
        assert_eq!(
            at(10_999, operation, request).unwrap_err(),
            format!("{in_use} Table is pending previous resource-based policy update: Table")
        );
        let rest = at(11_000, operation, request).unwrap_err();
        assert!(
            rest.starts_with(
                "ThrottlingException: Resource-based policy for table Table modified within the \
                 previous 15000 milliseconds. Please try again after 20"
            ) && rest.ends_with("Z."),
            "{rest}"
        );
        assert_eq!(at(24_999, operation, request).unwrap_err(), rest);
    }
    assert_eq!(
        at(10_999, DeleteTable, &json!({"TableName": "Table"})).unwrap_err(),
        format!("{in_use} Table: Table has a pending resource-based policy update.")
    );
    at(25_000, PutResourcePolicy, &second).unwrap();
    at(40_000, DeleteResourcePolicy, &slot()).unwrap();
    let rest = at(54_999, PutResourcePolicy, &second).unwrap_err();
    assert!(rest.starts_with("ThrottlingException"), "{rest}");
    at(55_000, PutResourcePolicy, &second).unwrap();

    at(60_000, DeleteTable, &json!({"TableName": "Table"})).unwrap();
    at(60_500, PutResourcePolicy, &second).unwrap();
    at(60_500, GetResourcePolicy, &slot()).unwrap();
    for (operation, request) in [(PutResourcePolicy, &first), (DeleteResourcePolicy, &slot())] {
        assert_eq!(
            at(60_500, operation, request).unwrap_err(),
            format!("{in_use} Table is being deleted: Table")
        );
    }
}

#[test]
fn any_text_is_read_or_refused() {
    let whole = policy(json!({"Condition": {"Bool": {"a": [true, 1.5, "x"]}}})).to_string();
    for at in 0..whole.len() {
        for byte in ["", "}", "[", "null", "\"", ","] {
            let changed = format!("{}{byte}{}", &whole[..at], &whole[at + 1..]);
            if let Ok(document) = Document::parse(&changed) {
                let form = document.canonical(|account| account.to_owned());
                serde_json::from_str::<Value>(&form).unwrap();
            }
        }
    }
}
