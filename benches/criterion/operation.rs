//! Whole operations, as calls on a Stator in memory: decode, validate, plan, read or commit, respond. What is
//! missing to a request is HTTP, and to a durable write the disk.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stator::operation::dispatch;
use stator::wire::Operation;
use stator::{Stator, StatorOptions};
use tokio::runtime::Runtime;

const TABLE: &str = r#"{"TableName":"items","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],
    "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}"#;

/// Items of the one partition.
const ITEMS: usize = 1000;

fn key(number: usize) -> String {
    format!(r#""pk":{{"S":"user#00000001"}},"sk":{{"N":"{number}"}}"#)
}

/// An item of 1 KiB in 12 attributes; `version` makes contents differ.
fn item(number: usize, version: usize) -> String {
    let text = format!("{:04}", version % 10_000).repeat(24);
    let fields: String = (0..10)
        .map(|field| format!(r#","field{field}":{{"S":"{text}"}}"#))
        .collect();
    format!("{{{}{fields}}}", key(number))
}

fn put(number: usize, version: usize) -> String {
    format!(
        r#"{{"TableName":"items","Item":{}}}"#,
        item(number, version)
    )
}

/// Runs these requests one after the other, and again from the first.
fn bench(
    criterion: &mut Criterion,
    (runtime, stator): (&Runtime, &Stator),
    (name, operation): (&str, Operation),
    bodies: &[String],
    bytes: u64,
) {
    let context = stator.context();
    let mut next = bodies.iter().cycle();
    let mut group = criterion.benchmark_group("operation");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let body = next.next().map(String::as_bytes).unwrap_or_default();
            let answer = runtime.block_on(dispatch(stator, &context, operation, body));
            black_box(answer.map(|answer| answer.len()).unwrap_or_default())
        });
    });
    group.finish();
}

fn operations(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let stator = Stator::open(StatorOptions::default());
    let (Ok(runtime), Ok(stator)) = (runtime, stator) else {
        return;
    };
    let context = stator.context();
    let puts: Vec<String> = (0..2 * ITEMS).map(|n| put(n % ITEMS, n / ITEMS)).collect();
    let setup = std::iter::once((Operation::CreateTable, TABLE))
        .chain(puts.iter().map(|body| (Operation::PutItem, body.as_str())));
    for (operation, body) in setup {
        let done = runtime.block_on(dispatch(&stator, &context, operation, body.as_bytes()));
        assert!(done.is_ok(), "{operation}: {done:?}");
    }
    let gets: Vec<String> = (0..ITEMS)
        .map(|n| format!(r#"{{"TableName":"items","Key":{{{}}}}}"#, key(n)))
        .collect();
    let projected: Vec<String> = (0..ITEMS)
        .map(|n| {
            let key = key(n);
            format!(
                r#"{{"TableName":"items","Key":{{{key}}},"ProjectionExpression":"field3, sk"}}"#
            )
        })
        .collect();
    let updates: Vec<String> = (0..ITEMS)
        .map(|n| {
            let key = key(n);
            format!(
                r#"{{"TableName":"items","Key":{{{key}}},"UpdateExpression":"ADD visits :one","ExpressionAttributeValues":{{":one":{{"N":"1"}}}}}}"#
            )
        })
        .collect();
    let batch: Vec<String> = (0..25).map(|n| format!("{{{}}}", key(n))).collect();
    let batch = format!(
        r#"{{"RequestItems":{{"items":{{"Keys":[{}]}}}}}}"#,
        batch.join(",")
    );
    let pair = |n: usize, version| {
        let put = |n| {
            format!(
                r#"{{"Put":{{"TableName":"items","Item":{}}}}}"#,
                item(n, version)
            )
        };
        format!(r#"{{"TransactItems":[{},{}]}}"#, put(2 * n), put(2 * n + 1))
    };
    let pairs: Vec<String> = (0..ITEMS).map(|n| pair(n % (ITEMS / 2), n / 500)).collect();
    let query = |filter: &str| {
        let values = r#"{":p":{"S":"user#00000001"},":v":{"S":"0"}}"#;
        let values = if filter.is_empty() {
            r#"{":p":{"S":"user#00000001"}}"#
        } else {
            values
        };
        format!(
            r#"{{"TableName":"items","Limit":25,"KeyConditionExpression":"pk = :p",{filter}"ExpressionAttributeValues":{values}}}"#
        )
    };
    let on = (&runtime, &stator);
    for (name, operation, bodies, bytes) in [
        ("get", Operation::GetItem, gets, 1024),
        ("get-projected", Operation::GetItem, projected, 1024),
        ("put", Operation::PutItem, puts, 1024),
        ("update", Operation::UpdateItem, updates, 1024),
        ("query-25", Operation::Query, vec![query("")], 25 * 1024),
        (
            "query-25-filtered",
            Operation::Query,
            vec![query(r#""FilterExpression":"field3 < :v","#)],
            25 * 1024,
        ),
        (
            "batch-get-25",
            Operation::BatchGetItem,
            vec![batch],
            25 * 1024,
        ),
        ("transact-2", Operation::TransactWriteItems, pairs, 2 * 1024),
        (
            "scan-1mb",
            Operation::Scan,
            vec![r#"{"TableName":"items"}"#.to_owned()],
            1 << 20,
        ),
    ] {
        bench(criterion, on, (name, operation), &bodies, bytes);
    }
}

criterion_group!(benches, operations);
criterion_main!(benches);
