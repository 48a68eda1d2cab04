//! Tables, their indexes and tags, and an account's quotas.

use serde_json::{Value, json};

use super::{Harness, INVALID, check, least, most, violation, x};
use crate::{
    StatorOptions,
    operation::Quotas,
    wire::Operation::{self, *},
};

const QUOTAS: &str = "developer guide, \"Quotas in Amazon DynamoDB\"";
const MODEL: &str = "API model";

/// A table `new` with key `pk` and `sk`, and these members besides. Attributes `a…` are defined for
/// as many keys as there are.
fn create(attributes: usize, more: Value) -> (Operation, Value) {
    let define = |name: String| json!({"AttributeName": name, "AttributeType": "S"});
    let names = ["pk".to_owned(), "sk".to_owned()].into_iter();
    let names = names.chain((0..attributes).map(|n| format!("a{n}")));
    let definitions: Vec<Value> = names.map(define).collect();
    let mut request = json!({"TableName": "new", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions, "KeySchema": key(&["pk"], &["sk"])});
    for (name, value) in more.as_object().into_iter().flatten() {
        request[name] = value.clone();
    }
    (CreateTable, request)
}

fn key(hash: &[&str], range: &[&str]) -> Value {
    let element = |kind| move |name: &&str| json!({"AttributeName": name, "KeyType": kind});
    let hash = hash.iter().map(element("HASH"));
    hash.chain(range.iter().map(element("RANGE"))).collect()
}

fn global(name: &str, key: Value, projection: Value) -> Value {
    json!({"IndexName": name, "KeySchema": key, "Projection": projection})
}

fn all() -> Value {
    json!({"ProjectionType": "ALL"})
}

#[test]
fn names() {
    let named = |n| create(0, json!({ "TableName": x(n) }));
    let index = |n| {
        create(
            1,
            json!({"GlobalSecondaryIndexes": [global(&x(n), key(&["a0"], &[]), all())]}),
        )
    };
    check([
        least(
            "table name",
            QUOTAS,
            3,
            named,
            violation("length greater than or equal to 3"),
        ),
        most(
            "table name",
            QUOTAS,
            255,
            named,
            violation("length less than or equal to 255"),
        ),
        least(
            "index name",
            QUOTAS,
            3,
            index,
            violation("length greater than or equal to 3"),
        ),
        most(
            "index name",
            QUOTAS,
            255,
            index,
            violation("length less than or equal to 255"),
        ),
    ]);
}

#[test]
fn indexes() {
    check([
        most(
            "local secondary indexes",
            QUOTAS,
            5,
            |n| {
                let index = |n| {
                    let own = format!("a{n}");
                    global(&format!("local{n}"), key(&["pk"], &[&own]), all())
                };
                let indexes: Vec<Value> = (0..n).map(index).collect();
                create(n, json!({ "LocalSecondaryIndexes": indexes }))
            },
            format!("{INVALID}Number of LocalSecondaryIndexes exceeds per-table limit of 5"),
        ),
        most(
            "global secondary indexes",
            QUOTAS,
            20,
            |n| {
                let index = |n| {
                    let own = format!("a{n}");
                    global(&format!("global{n}"), key(&[&own], &[]), all())
                };
                let indexes: Vec<Value> = (0..n).map(index).collect();
                create(n, json!({ "GlobalSecondaryIndexes": indexes }))
            },
            format!("{INVALID}GlobalSecondaryIndex count exceeds the per-table limit of 20"),
        ),
        most(
            "attributes projected into one index",
            MODEL,
            20,
            |n| projected(&[n]),
            violation("length less than or equal to 20"),
        ),
        most(
            "attributes projected into all indexes",
            QUOTAS,
            100,
            |n| projected(&[20, 20, 20, 20, 10, n - 90]),
            format!(
                "{INVALID}The number of projected attributes across all indexes exceeds the limit \
                 of 100. Total: 101"
            ),
        ),
        most(
            "partition key attributes of a global index",
            "API reference, GlobalSecondaryIndex",
            4,
            |n| keyed(n, 0),
            format!(
                "{INVALID}The KeySchema exceeds the maximum allowed number of HASH key attributes"
            ),
        ),
        most(
            "sort key attributes of a global index",
            "API reference, GlobalSecondaryIndex",
            4,
            |n| keyed(1, n),
            format!(
                "{INVALID}The KeySchema exceeds the maximum allowed number of RANGE key attributes"
            ),
        ),
    ]);
}

/// Global indexes that project so many attributes each.
fn projected(counts: &[usize]) -> (Operation, Value) {
    let index = |(at, count): (usize, &usize)| {
        let names: Vec<String> = (0..*count).map(|n| format!("p{at}_{n}")).collect();
        let projection = match count {
            0 => all(),
            _ => json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names}),
        };
        let own = format!("a{at}");
        global(&format!("global{at}"), key(&[&own], &[]), projection)
    };
    let indexes: Vec<Value> = counts.iter().enumerate().map(index).collect();
    create(counts.len(), json!({ "GlobalSecondaryIndexes": indexes }))
}

/// A global index with so many attributes in its key.
fn keyed(hash: usize, range: usize) -> (Operation, Value) {
    let names: Vec<String> = (0..hash + range).map(|n| format!("a{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (hash, range) = names.split_at(hash);
    let index = global("global", key(hash, range), all());
    create(names.len(), json!({"GlobalSecondaryIndexes": [index]}))
}

#[test]
fn throughput() {
    let above = |member: &str, of: &str, per: &str| {
        format!(
            "The requested {member}{of}, 40001, is above the per {per} maximum for the account in \
             us-east-1. Per {per} maximum: 40000. Refer to the Amazon DynamoDB Developer Guide for \
             current limits and how to request higher limits."
        )
    };
    check([
        most(
            "read capacity of a table",
            QUOTAS,
            40_000,
            |n| provisioned(n, 1),
            above("ReadCapacityUnits", "", "table"),
        ),
        most(
            "write capacity of a table",
            QUOTAS,
            40_000,
            |n| provisioned(1, n),
            above("WriteCapacityUnits", "", "table"),
        ),
        least(
            "read capacity of a table",
            MODEL,
            1,
            |n| provisioned(n, 1),
            violation("value greater than or equal to 1"),
        ),
        most(
            "read capacity of an index",
            QUOTAS,
            40_000,
            |n| {
                let mut index = global("global", key(&["a0"], &[]), all());
                index["ProvisionedThroughput"] =
                    json!({"ReadCapacityUnits": n, "WriteCapacityUnits": 1});
                let table = json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1});
                create(
                    1,
                    json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": table,
                                 "GlobalSecondaryIndexes": [index]}),
                )
            },
            above("ReadCapacityUnits", " for index global", "index"),
        ),
        most(
            "on-demand maximum of reads",
            QUOTAS,
            40_000,
            |n| create(0, json!({"OnDemandThroughput": {"MaxReadRequestUnits": n}})),
            "Subscriber limit exceeded: Requested MaxReadRequestUnits for OnDemandThroughput for \
             table exceeds TableMaxReadCapacityUnits of the account in region us-east-1",
        ),
    ]);
}

fn provisioned(read: usize, write: usize) -> (Operation, Value) {
    let throughput = json!({"ReadCapacityUnits": read, "WriteCapacityUnits": write});
    create(
        0,
        json!({"BillingMode": "PROVISIONED", "ProvisionedThroughput": throughput}),
    )
}

/// Tables and indexes together; what was another table's counts (DDB-TABLE-443).
#[test]
fn capacity_of_an_account() {
    let harness = Harness::new();
    let units =
        |read: i64, write: i64| json!({"ReadCapacityUnits": read, "WriteCapacityUnits": write});
    let (_, mut request) = provisioned(40_000, 40_000);
    harness.ok(Operation::CreateTable, request.clone());
    request["TableName"] = json!("second");
    request["ProvisionedThroughput"] = units(1, 39_999);
    harness.ok(Operation::CreateTable, request.clone());
    let second =
        |read, write| json!({"TableName": "second", "ProvisionedThroughput": units(read, write)});
    request["TableName"] = json!("third");
    request["ProvisionedThroughput"] = units(39_998, 2);
    let exceeded = |reserved: i64, requested: i64| {
        format!(
            "This request would have caused the WriteCapacityUnits limit to be exceeded for the \
             account in us-east-1. Current WriteCapacityUnits reserved by the account: {reserved}. \
             Limit: 80000. Requested: {requested}. Refer to the Amazon DynamoDB Developer Guide for \
             current limits and how to request higher limits."
        )
    };
    let (name, body) = harness.call(Operation::CreateTable, &request).unwrap_err();
    assert_eq!(name, "LimitExceededException");
    assert_eq!(body["message"], exceeded(79_999, 2));
    harness.ok(Operation::UpdateTable, second(2, 39_998));
    harness.ok(Operation::CreateTable, request.clone());
    let (_, body) = harness
        .call(Operation::UpdateTable, &second(1, 39_999))
        .unwrap_err();
    assert_eq!(body["message"], exceeded(80_000, 1));
    harness.ok(Operation::DeleteTable, json!({"TableName": "third"}));
    harness.ok(Operation::UpdateTable, second(1, 39_999));
}

#[test]
fn time_to_live() {
    let request = |n| {
        let specification = json!({"Enabled": true, "AttributeName": x(n)});
        let request = json!({"TableName": "hash", "TimeToLiveSpecification": specification});
        (UpdateTimeToLive, request)
    };
    check([
        least(
            "attribute of time to live",
            MODEL,
            1,
            request,
            violation("length greater than or equal to 1"),
        ),
        most(
            "attribute of time to live",
            MODEL,
            255,
            request,
            violation("length less than or equal to 255"),
        ),
    ]);
}

#[test]
fn tags() {
    const TAGS: &str = "developer guide, \"Tagging restrictions in DynamoDB\"";
    let tagged = |tags: Vec<Value>| create(0, json!({ "Tags": tags }));
    check([
        most(
            "tags",
            TAGS,
            50,
            |n| {
                let tag = |n| json!({"Key": format!("k{n}"), "Value": ""});
                create(0, json!({"Tags": (0..n).map(tag).collect::<Vec<Value>>()}))
            },
            "Number of Tags exceed the current limit for the provided ResourceArn",
        ),
        most(
            "key of a tag, characters",
            TAGS,
            128,
            |n| create(0, json!({"Tags": [{"Key": "é".repeat(n), "Value": ""}]})),
            format!("The Tag Key provided is invalid, Key: {}", "é".repeat(129)),
        ),
        most(
            "value of a tag, characters",
            TAGS,
            256,
            |n| create(0, json!({"Tags": [{"Key": "k", "Value": x(n)}]})),
            format!("The Tag Value provided is invalid, Value: {}", x(257)),
        ),
        most(
            "keys and values of all tags, bytes",
            "DDB-TABLE-109 of the source named in operation/definition",
            10_240,
            |n| {
                let tag = |n: usize, size: usize| json!({"Key": format!("k{n:02}"), "Value": x(size - 3)});
                let mut tags: Vec<Value> = (0..40).map(|n| tag(n, 250)).collect();
                tags.push(tag(40, n - 10_000));
                create(0, json!({"Tags": tags}))
            },
            "Tag set size 10241 bytes is above max size limit of 10240 bytes",
        ),
    ]);
    // Those that a table has already count.
    let harness = Harness::new();
    let (operation, request) = tagged(vec![json!({"Key": "first", "Value": ""})]);
    let table = harness.ok(operation, request)["TableDescription"].take();
    let tags = |count: usize| -> Value {
        let tag = |n| json!({"Key": format!("k{n}"), "Value": ""});
        json!({"ResourceArn": table["TableArn"], "Tags": (0..count).map(tag).collect::<Value>()})
    };
    assert_eq!(
        harness.refused(TagResource, tags(50)),
        "Number of Tags exceed the current limit for the provided ResourceArn"
    );
    harness.ok(TagResource, tags(49));
}

/// Smaller quotas than DynamoDB's, which are the default.
fn harness(quotas: Quotas, delay_ms: u64) -> Harness {
    Harness::with(StatorOptions {
        quotas,
        table_state_delay_ms: delay_ms,
        ..StatorOptions::default()
    })
}

fn exceeded(harness: &Harness, operation: Operation, request: &Value) -> String {
    let (name, body) = harness.call(operation, request).unwrap_err();
    assert_eq!(name, "LimitExceededException", "{body}");
    body["message"].as_str().unwrap_or_default().to_owned()
}

fn named(name: &str) -> Value {
    create(0, json!({ "TableName": name })).1
}

#[test]
fn the_number_of_tables() {
    assert_eq!(
        Quotas::default(),
        Quotas {
            tables: 2_500,
            changing: 500,
            creating_indexed: 250
        }
    );
    let quotas = Quotas {
        tables: 2,
        ..Quotas::default()
    };
    let harness = harness(quotas, 0);
    harness.ok(CreateTable, named("one"));
    harness.ok(CreateTable, named("two"));
    assert_eq!(
        exceeded(&harness, CreateTable, &named("three")),
        "Subscriber limit exceeded: There is a limit of 2 tables per subscriber"
    );
    // A name that is taken is found before, and room is there again once a table is gone.
    let (name, _) = harness.call(CreateTable, &named("two")).unwrap_err();
    assert_eq!(name, "ResourceInUseException");
    harness.ok(DeleteTable, json!({"TableName": "one"}));
    harness.ok(CreateTable, named("three"));
}

#[test]
fn the_number_of_tables_that_come_at_once() {
    let quotas = Quotas {
        tables: 5,
        ..Quotas::default()
    };
    for round in 0..20 {
        let harness = harness(quotas, 0);
        let made = std::thread::scope(|scope| {
            let harness = &harness;
            let create =
                |n: usize| move || harness.call(CreateTable, &named(&format!("t{round}-{n}")));
            let all: Vec<_> = (0..8).map(|n| scope.spawn(create(n))).collect();
            all.into_iter()
                .map(|one| one.join().unwrap())
                .filter(Result::is_ok)
                .count()
        });
        assert_eq!(made, 5);
        let listed = harness.ok(ListTables, json!({}));
        assert_eq!(listed["TableNames"].as_array().unwrap().len(), 5);
    }
}

#[test]
fn the_number_of_tables_on_their_way() {
    let quotas = Quotas {
        changing: 3,
        creating_indexed: 1,
        ..Quotas::default()
    };
    let harness = harness(quotas, 60_000);
    let indexed = |name: &str| {
        let index = global("global", key(&["a0"], &[]), all());
        create(
            1,
            json!({"TableName": name, "GlobalSecondaryIndexes": [index]}),
        )
        .1
    };
    harness.ok(CreateTable, indexed("one"));
    assert_eq!(
        exceeded(&harness, CreateTable, &indexed("two")),
        "Subscriber limit exceeded: You have exceeded the maximum number of indexed tables that \
         can be created simultaneously"
    );
    harness.ok(CreateTable, named("two"));
    harness.ok(CreateTable, named("three"));
    let simultaneously = "Subscriber limit exceeded: Only 3 tables can be created, updated, or \
                          deleted simultaneously";
    assert_eq!(
        exceeded(&harness, CreateTable, &named("four")),
        simultaneously
    );
    // Of what is there and stands, nothing can be changed or deleted meanwhile.
    let on_its_way = |name: &str| json!({"TableName": name});
    harness.table("stands", &[], &[], &[]);
    let update = json!({"TableName": "stands", "DeletionProtectionEnabled": true});
    let time_to_live = json!({"TableName": "stands",
        "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "t"}});
    for (operation, request) in [
        (DeleteTable, on_its_way("stands")),
        (UpdateTable, update),
        (UpdateTimeToLive, time_to_live),
    ] {
        assert_eq!(exceeded(&harness, operation, &request), simultaneously);
    }
}
