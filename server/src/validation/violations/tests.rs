//! The messages, against answers that AWS gave: `paritysuite/dynamodb-conformance`, in its
//! `captures/cross-region-latest.json` (named by their ids) and the tests under `tests/tier3/`.

use crate::validation::{Wording, check};
use crate::wire::{Error, Operation};

fn message(wording: Wording, operation: Operation, body: serde_json::Value) -> String {
    match check(operation, body.to_string().as_bytes(), wording) {
        Err(Error::Validation(message)) => message.into_owned(),
        other => panic!("{other:?}"),
    }
}

/// Checks both wordings' answers to one request; `#current` and `#older` where they differ.
macro_rules! answers {
    ($($name:ident: $operation:ident $body:tt => $current:expr, $older:expr;)*) => {
        $(#[test]
        fn $name() {
            let body = serde_json::json!($body);
            let operation = Operation::$operation;
            assert_eq!(message(Wording::Current, operation, body.clone()), $current);
            assert_eq!(message(Wording::Older, operation, body), $older);
        })*
    };
}

const TABLE_MIN_NEW: &str = "1 validation error detected: Value at 'TableName' failed to satisfy \
     constraint: Member must have length greater than or equal to 1";
const TABLE_MIN_OLD: &str = "Value '' at 'tableName' failed to satisfy constraint: Member must \
     have length greater than or equal to 1";
const CAPACITY: &str = "Value 'INVALID' at 'returnConsumedCapacity' failed to satisfy constraint: \
     Member must satisfy enum value set: [INDEXES, TOTAL, NONE]";
const METRICS: &str = "Value 'INVALID' at 'returnItemCollectionMetrics' failed to satisfy \
     constraint: Member must satisfy enum value set: [SIZE, NONE]";
const VALUES_NEW: &str = "Failed to satisfy constraint: Member must satisfy enum value set: \
     [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]";
const VALUES_OLD: &str = "Value 'INVALID' at 'returnValues' failed to satisfy constraint: Member \
     must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]";
const NO_KEY: &str = "Value null at 'key' failed to satisfy constraint: Member must not be null";

fn one(message: &str) -> String {
    format!("1 validation error detected: {message}")
}

fn many<const N: usize>(messages: [&str; N]) -> String {
    format!("{N} validation errors detected: {}", messages.join("; "))
}

answers! {
    s_put_table_null: PutItem {"Item": {}} =>
        one("Value null at 'tableName' failed to satisfy constraint: Member must not be null"),
        one("Value null at 'tableName' failed to satisfy constraint: Member must not be null");
    s_put_table_empty: PutItem {"TableName": "", "Item": {}} =>
        TABLE_MIN_NEW, one(TABLE_MIN_OLD);
    s_put_table_badchars: PutItem {"TableName": "bad table!@#", "Item": {}} =>
        one("Value 'bad table!@#' at 'tableName' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [a-zA-Z0-9_.-]+"),
        one("Value 'bad table!@#' at 'tableName' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: [a-zA-Z0-9_.-]+");
    s_ct_table_short: CreateTable {"TableName": "ab", "AttributeDefinitions": [],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]} =>
        one("Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length \
             greater than or equal to 3"),
        one("Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length \
             greater than or equal to 3");
    create_without_table: CreateTable {} =>
        "The parameter 'TableName' is required but was not present in the request",
        "The parameter 'TableName' is required but was not present in the request";
    c_ct_3keys: CreateTable {"TableName": "abc", "AttributeDefinitions": [], "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
            {"AttributeName": "extra", "KeyType": "RANGE"}]} =>
        one("Value '[KeySchemaElement(attributeName=pk, keyType=HASH), \
             KeySchemaElement(attributeName=sk, keyType=RANGE), \
             KeySchemaElement(attributeName=extra, keyType=RANGE)]' at 'keySchema' failed to \
             satisfy constraint: Member must have length less than or equal to 2"),
        one("Value '[KeySchemaElement(attributeName=pk, keyType=HASH), \
             KeySchemaElement(attributeName=sk, keyType=RANGE), \
             KeySchemaElement(attributeName=extra, keyType=RANGE)]' at 'keySchema' failed to \
             satisfy constraint: Member must have length less than or equal to 2");
    create_with_unknown_key_type: CreateTable {"TableName": "abc",
            "AttributeDefinitions": [], "KeySchema": [
            {"AttributeName": "pk", "KeyType": "INVALID"}]} =>
        one("Value 'INVALID' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member \
             must satisfy enum value set: [HASH, RANGE]"),
        one("Value 'INVALID' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member \
             must satisfy enum value set: [HASH, RANGE]");
    create_with_unknown_attribute_type: CreateTable {"TableName": "abc",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "INVALID"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]} =>
        one("Value 'INVALID' at 'attributeDefinitions.1.member.attributeType' failed to satisfy \
             constraint: Member must satisfy enum value set: [B, N, S]"),
        one("Value 'INVALID' at 'attributeDefinitions.1.member.attributeType' failed to satisfy \
             constraint: Member must satisfy enum value set: [B, N, S]");
    create_with_short_index_names: CreateTable {"TableName": "abc", "AttributeDefinitions": [],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "LocalSecondaryIndexes": [{"IndexName": "l1", "Projection": {}, "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"}]}],
            "GlobalSecondaryIndexes": [{"IndexName": "g1", "Projection": {}, "KeySchema": [
                {"AttributeName": "gh", "KeyType": "HASH"}]}]} =>
        many(["Value 'g1' at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy \
               constraint: Member must have length greater than or equal to 3",
              "Value 'l1' at 'localSecondaryIndexes.1.member.indexName' failed to satisfy \
               constraint: Member must have length greater than or equal to 3"]),
        many(["Value 'g1' at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy \
               constraint: Member must have length greater than or equal to 3",
              "Value 'l1' at 'localSecondaryIndexes.1.member.indexName' failed to satisfy \
               constraint: Member must have length greater than or equal to 3"]);
    o_put_empty_table_bad_rv: PutItem {"TableName": "", "Item": {}, "ReturnValues": "INVALID"} =>
        TABLE_MIN_NEW, many([VALUES_OLD, TABLE_MIN_OLD]);
    o_put_three_bad_enums: PutItem {"TableName": "abc", "Item": {}, "ReturnValues": "INVALID",
            "ReturnConsumedCapacity": "INVALID", "ReturnItemCollectionMetrics": "INVALID"} =>
        many([CAPACITY, VALUES_NEW, METRICS]), many([CAPACITY, VALUES_OLD, METRICS]);
    o_del_two_bad_enums: DeleteItem {"TableName": "abc", "Key": {}, "ReturnValues": "INVALID",
            "ReturnConsumedCapacity": "INVALID"} =>
        many([CAPACITY, VALUES_NEW]), many([CAPACITY, VALUES_OLD]);
    o_upd_two_bad_enums: UpdateItem {"TableName": "abc", "Key": {}, "ReturnValues": "INVALID",
            "ReturnConsumedCapacity": "INVALID"} =>
        one(VALUES_NEW), many([CAPACITY, VALUES_OLD]);
    update_without_key: UpdateItem {"TableName": "", "ReturnConsumedCapacity": "INVALID",
            "ReturnValues": "INVALID"} =>
        many([CAPACITY, TABLE_MIN_OLD, VALUES_OLD, NO_KEY]),
        many([CAPACITY, TABLE_MIN_OLD, VALUES_OLD, NO_KEY]);
    update_without_key_with_unknown_operator: UpdateItem {"TableName": "abc",
            "ConditionalOperator": "XOR"} =>
        many(["Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: Member must \
               satisfy enum value set: [OR, AND]", NO_KEY]),
        many(["Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: Member must \
               satisfy enum value set: [OR, AND]", NO_KEY]);
    o_bg_empty_requestitems: BatchGetItem {"RequestItems": {}} =>
        one("Value at 'RequestItems' failed to satisfy constraint: Member must have length greater \
             than or equal to 1"),
        "The requestItems parameter is required for BatchGetItem";
    o_bw_empty_requestitems: BatchWriteItem {"RequestItems": {}} =>
        "The requestItems parameter is required for BatchWriteItem",
        "The requestItems parameter is required for BatchWriteItem";
    batch_get_of_no_keys: BatchGetItem {"RequestItems": {"abc": {"Keys": []}}} =>
        one("Value at 'RequestItems.abc.member.Keys' failed to satisfy constraint: Member must \
             have length greater than or equal to 1"),
        one("Value at 'RequestItems.abc.member.Keys' failed to satisfy constraint: Member must \
             have length greater than or equal to 1");
    batch_get_of_a_wrong_name: BatchGetItem {"ReturnConsumedCapacity": "INVALID",
            "RequestItems": {"bad!name": {"Keys": [{"pk": {"S": "a"}}]}}} =>
        many(["Value '{\"bad!name\":{\"Keys\":[{\"pk\":{\"S\":\"a\"}}]}}' at 'requestItems' failed \
               to satisfy constraint: Map keys must satisfy constraint: [Member must have length \
               less than or equal to 255, Member must have length greater than or equal to 3, \
               Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]", CAPACITY]),
        many(["Value '{\"bad!name\":{\"Keys\":[{\"pk\":{\"S\":\"a\"}}]}}' at 'requestItems' failed \
               to satisfy constraint: Map keys must satisfy constraint: [Member must have length \
               less than or equal to 255, Member must have length greater than or equal to 3, \
               Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]", CAPACITY]);
    batch_write_of_a_wrong_name: BatchWriteItem {"RequestItems": {"bad!name": [
            {"PutRequest": {"Item": {"pk": {"S": "x"}}}}]}} =>
        one("Value '{bad!name=[WriteRequest(putRequest=PutRequest(item={pk=AttributeValue(s=x, \
             n=null, b=null, iNT=null, dECIMAL=null, dOUBLE=null, sS=null, nS=null, bS=null, \
             iNTSET=null, dECIMALSET=null, dOUBLESET=null, m=null, l=null, nULL=null, \
             bOOL=null)}, workloadProfileName=null), deleteRequest=null)]}' at 'requestItems' \
             failed to satisfy constraint: Map keys must satisfy constraint: [Member must have \
             length less than or equal to 255, Member must have length greater than or equal to 3, \
             Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]"),
        one("Value '{bad!name=[WriteRequest(putRequest=PutRequest(item={pk=AttributeValue(s=x, \
             n=null, b=null, iNT=null, dECIMAL=null, dOUBLE=null, sS=null, nS=null, bS=null, \
             iNTSET=null, dECIMALSET=null, dOUBLESET=null, m=null, l=null, nULL=null, \
             bOOL=null)}, workloadProfileName=null), deleteRequest=null)]}' at 'requestItems' \
             failed to satisfy constraint: Map keys must satisfy constraint: [Member must have \
             length less than or equal to 255, Member must have length greater than or equal to 3, \
             Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]");
    batch_write_of_a_wrong_name_and_enum: BatchWriteItem {"RequestItems": {"bad!name": [
            {"PutRequest": {"Item": {"pk": {"S": "x"}}}}]}, "ReturnConsumedCapacity": "INVALID"} =>
        one(CAPACITY), one(CAPACITY);
    batch_write_of_two_wrong_enums: BatchWriteItem {"RequestItems": {"abc": [
            {"PutRequest": {"Item": {}}}]}, "ReturnConsumedCapacity": "INVALID",
            "ReturnItemCollectionMetrics": "INVALID"} =>
        many([CAPACITY, METRICS]), many([CAPACITY, METRICS]);
    batch_write_of_nothing: BatchWriteItem {"RequestItems": {"abc": []}} =>
        one("Value '{abc=[]}' at 'requestItems' failed to satisfy constraint: Map value must \
             satisfy constraint: [Member must have length less than or equal to 25, Member must \
             have length greater than or equal to 1]"),
        one("Value '{abc=[]}' at 'requestItems' failed to satisfy constraint: Map value must \
             satisfy constraint: [Member must have length less than or equal to 25, Member must \
             have length greater than or equal to 1]");
    query_limit: Query {"TableName": "abc", "Limit": 0} =>
        one("Value at 'Limit' failed to satisfy constraint: Member must have value greater than or \
             equal to 1"),
        one("Value at 'Limit' failed to satisfy constraint: Member must have value greater than or \
             equal to 1");
    query_operator_before_select: Query {"TableName": "abc", "ConditionalOperator": "XOR",
            "Select": "BOGUS"} =>
        "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]",
        many(["Value 'BOGUS' at 'select' failed to satisfy constraint: Member must satisfy enum \
               value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]",
              "Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: Member must \
               satisfy enum value set: [OR, AND]"]);
    scan_limit: Scan {"TableName": "abc", "Limit": 0} =>
        one("Value '0' at 'limit' failed to satisfy constraint: Member must have value greater \
             than or equal to 1"),
        one("Value '0' at 'limit' failed to satisfy constraint: Member must have value greater \
             than or equal to 1");
    transact_of_nothing: TransactWriteItems {"TransactItems": []} =>
        one("Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length \
             greater than or equal to 1"),
        one("Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length \
             greater than or equal to 1");
    transact_token_and_enum: TransactWriteItems {"TransactItems": [{}],
            "ClientRequestToken": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "ReturnConsumedCapacity": "INVALID"} =>
        many(["Value 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' at 'clientRequestToken' failed to \
               satisfy constraint: Member must have length less than or equal to 36", CAPACITY]),
        many(["Value 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' at 'clientRequestToken' failed to \
               satisfy constraint: Member must have length less than or equal to 36", CAPACITY]);
}

#[test]
fn a_long_table_name() {
    let name = "a".repeat(256);
    let body = serde_json::json!({"TableName": name, "Item": {}});
    assert_eq!(
        message(Wording::Current, Operation::PutItem, body),
        one(&format!(
            "Value '{name}' at 'tableName' failed to satisfy constraint: Member must have length \
             less than or equal to 255"
        ))
    );
}

#[test]
fn an_arn_stands_for_a_name() {
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/Music";
    for wording in [Wording::Current, Wording::Older] {
        let body = serde_json::json!({"TableName": arn, "Item": {}});
        assert_eq!(
            check(Operation::PutItem, body.to_string().as_bytes(), wording),
            Ok(())
        );
        let body = serde_json::json!({"RequestItems": {arn: {"Keys": [{}]}}});
        assert_eq!(
            check(
                Operation::BatchGetItem,
                body.to_string().as_bytes(),
                wording
            ),
            Ok(())
        );
    }
}

/// An index is no table, and nothing of another kind or service is. What is said of one stands among
/// what else is wrong, and before it is known whether the table exists.
#[test]
fn an_arn_of_something_else_does_not() {
    let form = "Valid ARN format is 'arn:<awsPartition>:<vendor>:<region>:<subscriber>:\
                resourceType/resourceName', where Resource name must have length less than or equal \
                to 255, Resource name must have length greater than or equal to 3, Resource name \
                must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
    let dynamodb = "arn:aws:dynamodb:us-east-1:000000000000";
    let stream = "stream/2026-11-22T10:00:00.000";
    for arn in [
        format!("{dynamodb}:table/Music/index/by-year"),
        format!("{dynamodb}:table/Music/{stream}"),
        format!("{dynamodb}:table/Music/backup/01791525400213-63b4d36a"),
        format!("{dynamodb}:table/"),
        format!("{dynamodb}:table/ab"),
        format!("{dynamodb}:table/{}", "a".repeat(256)),
        format!("{dynamodb}:table/Mu sic"),
        format!("{dynamodb}:Music"),
        "arn:aws:s3:::bucket".to_owned(),
        "arn:".to_owned(),
    ] {
        for operation in [Operation::DescribeTable, Operation::GetItem] {
            let body = serde_json::json!({"TableName": arn, "Key": {}});
            assert_eq!(message(Wording::Current, operation, body), one(form));
        }
        let body = serde_json::json!({"RequestItems": {arn: {"Keys": [{}]}}});
        assert_eq!(
            message(Wording::Current, Operation::BatchGetItem, body),
            one(form)
        );
    }
    for kind in ["backup", "global-table", "import"] {
        let arn = format!("{dynamodb}:{kind}/Music");
        let body = serde_json::json!({"TableName": arn, "ReturnValues": "x", "Item": {}});
        assert_eq!(
            message(Wording::Older, Operation::PutItem, body),
            format!(
                "2 validation errors detected: Value 'x' at 'returnValues' failed to satisfy \
                 constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, \
                 NONE, UPDATED_NEW]; Invalid resource type in '{arn}'"
            )
        );
    }
}

#[test]
fn no_more_than_ten_violations_are_listed() {
    let element = serde_json::json!({"AttributeName": "", "AttributeType": "X"});
    let body = serde_json::json!({"TableName": "abc", "AttributeDefinitions": vec![element; 8]});
    let message = message(Wording::Current, Operation::CreateTable, body);
    assert!(
        message.starts_with("10 validation errors detected: "),
        "{message}"
    );
}

#[test]
fn length_is_counted_in_utf_16_units() {
    let token = |text: &str| {
        let body = serde_json::json!({"TransactItems": [{}], "ClientRequestToken": text});
        check(
            Operation::TransactWriteItems,
            body.to_string().as_bytes(),
            Wording::Current,
        )
    };
    assert_eq!(token(&"é".repeat(36)), Ok(()));
    assert!(token(&"\u{1f600}".repeat(19)).is_err());
}

/// The reference only pins that the older layer answers ("invalid table name pattern").
#[test]
fn a_short_table_name_is_not_an_empty_one() {
    let body = serde_json::json!({"TableName": "x!", "Item": {}});
    let message = message(Wording::Current, Operation::PutItem, body);
    assert!(message.contains("Value 'x!' at 'tableName'"), "{message}");
}
