//! What one item costs on its way through: JSON to bytes, bytes to JSON, and looking at it.
//!
//! The item has 12 attributes and 1.2 KB: ids and texts as applications have them, numbers, a list, a
//! map, a set and some binary data.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark fails by stopping, and exports nothing"
)]

use std::fmt::Write;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stator::item::{ItemRef, Number, decode_json};
use stator::wire::json::{Reader, Writer};

fn document() -> String {
    let mut text = String::from("{");
    let text_of = |length: usize| {
        "The quick brown fox jumps over the lazy dog. ".repeat(20)[..length].to_owned()
    };
    let _ = write!(
        text,
        r#""pk":{{"S":"customer#8f14e45fceea167a"}},"sk":{{"S":"order#2026-11-22T10:15:30.123Z"}},"#
    );
    let _ = write!(text, r#""title":{{"S":"{}"}},"#, text_of(120));
    let _ = write!(text, r#""description":{{"S":"{}"}},"#, text_of(660));
    let _ = write!(
        text,
        r#""status":{{"S":"SHIPPED"}},"price":{{"N":"1299.95"}},"#
    );
    let _ = write!(
        text,
        r#""quantity":{{"N":"3"}},"created":{{"N":"1795342530123"}},"#
    );
    let _ = write!(text, r#""active":{{"BOOL":true}},"#);
    let _ = write!(
        text,
        r#""tags":{{"SS":["books","discount","express","gift"]}},"#
    );
    let _ = write!(
        text,
        r#""address":{{"M":{{"street":{{"S":"{}"}},"city":{{"S":"Zürich"}},"zip":{{"N":"8001"}}}}}},"#,
        text_of(60)
    );
    let _ = write!(
        text,
        r#""lines":{{"L":[{{"M":{{"sku":{{"S":"{}"}},"n":{{"N":"2"}}}}}},{{"M":{{"sku":{{"S":"{}"}},"n":{{"N":"1"}}}}}}]}}}}"#,
        text_of(70),
        text_of(70)
    );
    text
}

fn items(c: &mut Criterion) {
    let text = document();
    let item = decode_json(&mut Reader::new(text.as_bytes())).unwrap();
    assert_eq!(item.len(), 12);
    println!(
        "item: {} bytes of JSON, size {}, {} bytes encoded",
        text.len(),
        item.size(),
        item.as_ref().as_bytes().len()
    );

    let mut group = c.benchmark_group("item");
    group.throughput(Throughput::Bytes(item.size() as u64));
    group.bench_function("decode_json", |b| {
        b.iter(|| decode_json(&mut Reader::new(black_box(text.as_bytes()))).unwrap());
    });
    let mut buffer = Vec::with_capacity(4096);
    group.bench_function("write_json", |b| {
        b.iter(|| {
            buffer.clear();
            let mut writer = Writer::over(std::mem::take(&mut buffer));
            black_box(&item).write_json(&mut writer);
            buffer = writer.into_bytes();
        });
    });
    group.bench_function("from_stored", |b| {
        b.iter(|| ItemRef::from_stored(black_box(item.as_ref().as_bytes())).unwrap());
    });
    group.bench_function("get_last", |b| {
        b.iter(|| black_box(&item).get(black_box("title")).unwrap())
    });
    group.bench_function("verify", |b| {
        b.iter(|| black_box(&item).as_ref().verify().unwrap())
    });
    group.finish();

    let mut group = c.benchmark_group("number");
    group.bench_function("parse", |b| {
        b.iter(|| Number::parse(black_box("1299.95")).unwrap())
    });
    let (price, one) = (Number::parse("1299.95").unwrap(), Number::from(1_i64));
    group.bench_function("text", |b| b.iter(|| black_box(&price).to_text()));
    group.bench_function("add", |b| {
        b.iter(|| black_box(&price).checked_add(black_box(&one)).unwrap())
    });
    group.finish();
}

criterion_group!(benches, items);
criterion_main!(benches);
