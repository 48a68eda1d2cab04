use serde_json::{Value, json};

use super::*;
use crate::stator::StatorOptions;

/// Performs an operation without a runtime.
fn call(stator: &Stator, operation: Operation, body: &str) -> Result<String, Error> {
    let context = stator.context();
    let answer = stator.block_on(dispatch(stator, &context, operation, body.as_bytes()))?;
    answer.map(|bytes| String::from_utf8(bytes.into()).unwrap())
}

#[test]
fn what_is_not_built_is_named() {
    let stator = Stator::open(StatorOptions::default()).unwrap();
    let error = call(&stator, Operation::ImportTable, "{}").unwrap_err();
    assert_eq!(error, Error::NotServed(Operation::ImportTable));
    assert!(error.message().unwrap().contains("ImportTable"));
}

#[test]
fn a_body_of_the_wrong_kind_is_a_serialization_error() {
    let stator = Stator::open(StatorOptions::default()).unwrap();
    let error = call(&stator, Operation::ListTables, r#"{"Limit":"1"}"#).unwrap_err();
    assert!(matches!(error, Error::Serialization(_)), "{error:?}");
    let error = call(&stator, Operation::ListTables, r#"{"Limit":0}"#).unwrap_err();
    assert!(matches!(error, Error::Validation(_)), "{error:?}");
}

/// The answer to a request that is well.
pub(super) fn answer(stator: &Stator, operation: Operation, body: &Value) -> Value {
    let answer = call(stator, operation, &body.to_string());
    let answer = answer.unwrap_or_else(|error| panic!("{operation} {body}: {error}"));
    serde_json::from_str(&answer).unwrap()
}

/// The exception that answers a request that is not: its name and message.
pub(super) fn refused(stator: &Stator, operation: Operation, body: &Value) -> String {
    let error = call(stator, operation, &body.to_string())
        .expect_err(&format!("{operation} {body} was answered"));
    described(&error)
}

/// The answer to a request in circumstances of its own, or the name and message of its exception.
pub(super) fn call_in(
    stator: &Stator,
    context: &RequestContext,
    operation: Operation,
    body: &Value,
) -> Result<Value, String> {
    let body = body.to_string();
    let answer = dispatch(stator, context, operation, body.as_bytes());
    let answer = stator.block_on(answer).and_then(|answer| answer);
    let answer = answer.map_err(|error| described(&error))?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

fn described(error: &Error) -> String {
    let mut writer = Writer::new();
    error.encode(&mut writer);
    let envelope: Value = serde_json::from_slice(writer.as_bytes()).unwrap();
    let name = envelope["__type"]
        .as_str()
        .unwrap()
        .split('#')
        .next_back()
        .unwrap()
        .to_owned();
    let message = envelope.get("message").or(envelope.get("Message")).unwrap();
    format!("{name}: {}", message.as_str().unwrap())
}

/// A request for a table `name` with the key `pk`.
fn table(name: &str) -> Value {
    json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    })
}

#[test]
fn tables_are_listed_in_pages_by_their_bytes() {
    let stator = Stator::open(StatorOptions::default()).unwrap();
    for name in ["beta", "Zeta", "alpha"] {
        answer(&stator, Operation::CreateTable, &table(name));
    }
    let list = |request: Value| answer(&stator, Operation::ListTables, &request);
    assert_eq!(
        list(json!({})),
        json!({"TableNames": ["Zeta", "alpha", "beta"]})
    );
    assert_eq!(
        list(json!({"Limit": 2})),
        json!({"TableNames": ["Zeta", "alpha"], "LastEvaluatedTableName": "alpha"})
    );
    // A name to start behind need not exist; a last page that is full has no other behind it.
    assert_eq!(
        list(json!({"Limit": 1, "ExclusiveStartTableName": "alphabet"})),
        json!({"TableNames": ["beta"]})
    );
}

#[test]
fn tags_are_laid_over_and_taken_away() {
    let stator = Stator::open(StatorOptions::default()).unwrap();
    let created = answer(&stator, Operation::CreateTable, &table("Table"));
    let arn = &created["TableDescription"]["TableArn"];
    let tag = |key: &str, value: &str| json!({"Key": key, "Value": value});
    let tagging = |tags: Value| json!({"ResourceArn": arn, "Tags": tags}).to_string();
    let one = tagging(json!([tag("env", "test"), tag("team", "a")]));
    assert_eq!(call(&stator, Operation::TagResource, &one).unwrap(), "");
    let two = tagging(json!([tag("env", "production")]));
    call(&stator, Operation::TagResource, &two).unwrap();
    let keys = json!({"ResourceArn": arn, "TagKeys": ["team", "absent"]});
    call(&stator, Operation::UntagResource, &keys.to_string()).unwrap();
    let tags = answer(
        &stator,
        Operation::ListTagsOfResource,
        &json!({"ResourceArn": arn}),
    );
    assert_eq!(tags, json!({"Tags": [tag("env", "production")]}));

    let refusal = |arn: &str| {
        refused(
            &stator,
            Operation::ListTagsOfResource,
            &json!({"ResourceArn": arn}),
        )
    };
    assert_eq!(
        refusal("not-a-valid-arn"),
        "ValidationException: One or more parameter values were invalid: ARNs must start with \
         'arn:': not-a-valid-arn"
    );
    let foreign = "arn:aws:dynamodb:us-east-1:999999999999:table/nobodys";
    assert!(refusal(foreign).starts_with("AccessDeniedException: "));
    let keys: Vec<String> = (0..51).map(|n| format!("key{n}")).collect();
    for (operation, request, expected) in [
        (
            Operation::TagResource,
            json!({"ResourceArn": arn, "Tags": [{"Value": "a"}]}),
            "The Tag Key provided is invalid, Key: null",
        ),
        (
            Operation::TagResource,
            json!({"ResourceArn": arn, "Tags": [{"Key": "a"}]}),
            "The Tag Value provided is invalid, Value: null",
        ),
        (
            Operation::UntagResource,
            json!({"ResourceArn": arn, "TagKeys": keys}),
            "Number of Tags exceed the current limit for the provided ResourceArn",
        ),
    ] {
        let expected = format!("ValidationException: {expected}");
        assert_eq!(refused(&stator, operation, &request), expected);
    }
    let nothing = json!({"ResourceArn": arn, "Tags": []});
    assert_eq!(
        refused(&stator, Operation::TagResource, &nothing),
        "ValidationException: Atleast one Tag needs to be provided as Input."
    );
}

/// With a delay, the states are there to be seen, and what they forbid is forbidden.
#[test]
fn states_last_as_long_as_the_option_says() {
    let options = StatorOptions {
        table_state_delay_ms: 60_000,
        ..StatorOptions::default()
    };
    let stator = Stator::open(options).unwrap();
    answer(&stator, Operation::CreateTable, &table("Table"));
    let name = json!({"TableName": "Table"});
    let described = answer(&stator, Operation::DescribeTable, &name);
    assert_eq!(described["Table"]["TableStatus"], "CREATING");
    assert_eq!(described["Table"]["WarmThroughput"]["Status"], "UPDATING");
    let creating = "ResourceInUseException: Attempt to change a resource which is still in use: \
                    Table is being created: Table";
    for operation in [
        Operation::CreateTable,
        Operation::DeleteTable,
        Operation::UpdateTable,
    ] {
        let mut request = match operation {
            Operation::CreateTable => table("Table"),
            _ => name.clone(),
        };
        if operation == Operation::UpdateTable {
            request["DeletionProtectionEnabled"] = json!(true);
        }
        assert_eq!(refused(&stator, operation, &request), creating);
    }
    let context = stator.context();
    assert!(matches!(
        stator.table(&context, "Table"),
        Err(Error::ResourceNotFound(_))
    ));
    let later = RequestContext {
        now_ms: context.now_ms + 60_000,
        ..context
    };
    let deletion = name.to_string();
    let delete = dispatch(&stator, &later, Operation::DeleteTable, deletion.as_bytes());
    stator.block_on(delete).unwrap().unwrap();
    let status = |now_ms| {
        let context = RequestContext {
            now_ms,
            ..later.clone()
        };
        stator
            .describe(&context, "Table")
            .map(|table| table.status(now_ms).name())
    };
    assert_eq!(status(later.now_ms).unwrap(), "DELETING");
    assert!(status(later.now_ms + 60_000).is_err());
}

/// What each feature that is off answers, as AWS answers where it was never on.
#[test]
fn what_is_off_is_described_as_off() {
    let stator = Stator::open(StatorOptions::default()).unwrap();
    let mut request = table("Table");
    request["AttributeDefinitions"] = json!([
        {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "g", "AttributeType": "S"},
    ]);
    request["KeySchema"] = json!([
        {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"},
    ]);
    let projection = json!({"ProjectionType": "ALL"});
    request["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "global", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": projection,
    }]);
    request["LocalSecondaryIndexes"] = json!([{
        "IndexName": "local", "Projection": projection, "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "g", "KeyType": "RANGE"},
        ],
    }]);
    answer(&stator, Operation::CreateTable, &request);
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Table";
    let name = json!({"TableName": "Table"});
    for name in [name.clone(), json!({"TableName": arn})] {
        assert_eq!(
            answer(&stator, Operation::DescribeContinuousBackups, &name),
            json!({"ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
            }})
        );
        assert_eq!(
            answer(&stator, Operation::DescribeContributorInsights, &name),
            json!({"TableName": "Table", "ContributorInsightsStatus": "DISABLED"})
        );
        assert_eq!(
            answer(
                &stator,
                Operation::DescribeKinesisStreamingDestination,
                &name
            ),
            json!({"TableName": "Table", "KinesisDataStreamDestinations": []})
        );
    }
    for (operation, list) in [
        (
            Operation::ListContributorInsights,
            "ContributorInsightsSummaries",
        ),
        (Operation::ListBackups, "BackupSummaries"),
        (Operation::ListExports, "ExportSummaries"),
        (Operation::ListImports, "ImportSummaryList"),
        (Operation::ListGlobalTables, "GlobalTables"),
    ] {
        assert_eq!(answer(&stator, operation, &json!({})), json!({list: []}));
    }
    let index = |index| json!({"TableName": "Table", "IndexName": index});
    let insights = Operation::DescribeContributorInsights;
    assert_eq!(
        answer(&stator, insights, &index("global")),
        json!({"TableName": "Table", "IndexName": "global", "ContributorInsightsStatus": "DISABLED"})
    );
    for other in ["local", "ghost"] {
        assert_eq!(
            refused(&stator, insights, &index(other)),
            format!(
                "ResourceNotFoundException: Requested resource not found: Index: {other} not found \
                 for table: Table"
            )
        );
    }
    let missing = json!({"TableName": "Missing"});
    for operation in [
        Operation::DescribeContributorInsights,
        Operation::ListContributorInsights,
        Operation::DescribeKinesisStreamingDestination,
    ] {
        assert_eq!(
            refused(&stator, operation, &missing),
            "ResourceNotFoundException: Requested resource not found: Table: Missing not found"
        );
    }
    assert_eq!(
        refused(&stator, Operation::DescribeContinuousBackups, &missing),
        "TableNotFoundException: Table not found: Missing"
    );
    assert_eq!(
        answer(&stator, Operation::ListBackups, &missing),
        json!({"BackupSummaries": []})
    );
    assert_eq!(
        refused(&stator, Operation::DescribeTableReplicaAutoScaling, &name),
        "ResourceNotFoundException: Global table with name: 'Table' does not exist."
    );
    assert_eq!(
        refused(
            &stator,
            Operation::ListBackups,
            &json!({"TimeRangeLowerBound": 2, "TimeRangeUpperBound": 1})
        ),
        "ValidationException: One or more parameter values were invalid: Time range lower bound \
         must be less than or equal to upper bound"
    );
    assert_eq!(
        refused(&stator, Operation::ListExports, &json!({"NextToken": "ab"})),
        "ValidationException: Invalid Request: Provided nextToken is invalid: ab"
    );
}

#[test]
fn backups_can_be_enabled_once_a_table_is_active() {
    let options = StatorOptions {
        table_state_delay_ms: 60_000,
        ..StatorOptions::default()
    };
    let stator = Stator::open(options).unwrap();
    answer(&stator, Operation::CreateTable, &table("Table"));
    let described = answer(
        &stator,
        Operation::DescribeContinuousBackups,
        &json!({"TableName": "Table"}),
    );
    assert_eq!(
        described["ContinuousBackupsDescription"]["ContinuousBackupsStatus"],
        "DISABLED"
    );
}
