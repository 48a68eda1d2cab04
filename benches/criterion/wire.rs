//! What a request costs before its operation sees it, and an answer after: JSON to input, the model's
//! constraints, output to JSON.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark fails by stopping, and exports nothing"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stator::validation::{Violations, Wording};
use stator::wire::Operation;
use stator::wire::json::{Reader, Writer};
use stator::wire::shapes::{GetItemOutput, PutItemInput, QueryInput};

/// A PutItem of an order: 12 attributes, 1 KB.
fn put_item() -> String {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(15);
    format!(
        r##"{{"TableName":"Orders","Item":{{"pk":{{"S":"customer#8f14e45fceea167a"}},"sk":{{"S":"order#2026-11-22T10:15:30.123Z"}},"title":{{"S":"An order"}},"description":{{"S":"{text}"}},"status":{{"S":"SHIPPED"}},"price":{{"N":"1299.95"}},"quantity":{{"N":"3"}},"created":{{"N":"1795342530123"}},"active":{{"BOOL":true}},"tags":{{"SS":["books","discount","express"]}},"address":{{"M":{{"city":{{"S":"Zürich"}},"zip":{{"N":"8001"}}}}}},"payload":{{"B":"AAECAwQFBgcICQoLDA0ODw=="}}}},"ConditionExpression":"attribute_not_exists(pk)","ReturnConsumedCapacity":"TOTAL"}}"##
    )
}

const QUERY: &str = r##"{"TableName":"Orders","KeyConditionExpression":"#pk = :pk AND begins_with(sk, :prefix)","FilterExpression":"#status = :status","ExpressionAttributeNames":{"#pk":"pk","#status":"status"},"ExpressionAttributeValues":{":pk":{"S":"customer#8f14e45fceea167a"},":prefix":{"S":"order#2026"},":status":{"S":"SHIPPED"}},"Limit":25,"ScanIndexForward":false}"##;

fn wire(c: &mut Criterion) {
    let body = put_item();
    let mut group = c.benchmark_group("wire");
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("put_item/skip", |b| {
        b.iter(|| Reader::new(black_box(body.as_bytes())).skip().unwrap());
    });
    group.bench_function("put_item/decode", |b| {
        b.iter(|| PutItemInput::from_json(black_box(body.as_bytes())).unwrap());
    });
    let input = PutItemInput::from_json(body.as_bytes()).unwrap();
    group.bench_function("put_item/constraints", |b| {
        b.iter(|| {
            let mut violations = Violations::new(Operation::PutItem);
            black_box(&input).constraints(&mut violations);
            violations.finish(Wording::Current).unwrap();
        });
    });
    let item = input.item.clone().unwrap().into_item().unwrap();
    let output = GetItemOutput {
        item: Some(item),
        ..Default::default()
    };
    group.bench_function("get_item/encode", |b| {
        b.iter(|| {
            let mut writer = Writer::with_capacity(2048);
            black_box(&output).encode(&mut writer);
            writer.into_bytes()
        });
    });
    group.throughput(Throughput::Bytes(QUERY.len() as u64));
    group.bench_function("query/decode", |b| {
        b.iter(|| QueryInput::from_json(black_box(QUERY.as_bytes())).unwrap());
    });
    group.finish();
}

criterion_group!(benches, wire);
criterion_main!(benches);
