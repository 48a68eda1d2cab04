//! What an expression costs: its text, its binding to a request, and its use on an item of 1 KB.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by stopping")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use stator::expression::{
    Condition, ExpressionCache, ExpressionKind, Placeholders, Projection, Update,
};
use stator::item::{Item, decode_json};
use stator::wire::json::Reader;

const CONDITION: &str = "attribute_exists(pk) AND #s = :shipped AND price > :price";
const UPDATE: &str = "SET #s = :shipped, price = price + :price REMOVE note";
const PROJECTION: &str = "pk, #s, price";

fn item(json: &str) -> Item {
    decode_json(&mut Reader::new(json.as_bytes())).unwrap()
}

fn document() -> Item {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(18);
    item(&format!(
        r#"{{"pk": {{"S": "customer#8f14e45f"}}, "sk": {{"S": "order#2026-11-22"}},
            "text": {{"S": "{text}"}}, "status": {{"S": "SHIPPED"}}, "price": {{"N": "1299.95"}},
            "note": {{"S": "none"}}, "tags": {{"SS": ["a", "b", "c"]}}}}"#
    ))
}

fn values() -> Item {
    item(r#"{":shipped": {"S": "SHIPPED"}, ":price": {"N": "10"}}"#)
}

fn placeholders(values: Option<&Item>) -> Placeholders {
    let names = vec![("#s".to_owned(), "status".to_owned())];
    Placeholders::new(Some(names), values).unwrap()
}

fn parsing(criterion: &mut Criterion) {
    let cache = ExpressionCache::new(100);
    criterion.bench_function("expression/parse condition", |bencher| {
        bencher.iter(|| Condition::parse(black_box(CONDITION), ExpressionKind::Condition).unwrap());
    });
    criterion.bench_function("expression/parse update", |bencher| {
        bencher.iter(|| Update::parse(black_box(UPDATE)).unwrap());
    });
    criterion.bench_function("expression/cached condition", |bencher| {
        bencher.iter(|| cache.condition(black_box(CONDITION)).unwrap());
    });
    let (condition, values) = (cache.condition(CONDITION).unwrap(), values());
    criterion.bench_function("expression/bind condition", |bencher| {
        bencher.iter(|| condition.bind(&mut placeholders(Some(&values))).unwrap());
    });
}

fn using(criterion: &mut Criterion) {
    let (document, values) = (document(), values());
    let condition = Arc::new(Condition::parse(CONDITION, ExpressionKind::Condition).unwrap());
    let condition = condition.bind(&mut placeholders(Some(&values))).unwrap();
    criterion.bench_function("expression/evaluate condition", |bencher| {
        bencher.iter(|| condition.evaluate(Some(black_box(&document).as_ref())));
    });
    let update = Arc::new(Update::parse(UPDATE).unwrap());
    let update = update.bind(&mut placeholders(Some(&values))).unwrap();
    criterion.bench_function("expression/apply update", |bencher| {
        bencher.iter(|| {
            let item = black_box(&document).as_ref();
            update.apply(Some(item), item).unwrap()
        });
    });
    let projection = Arc::new(Projection::parse(PROJECTION).unwrap());
    let projection = projection.bind(&mut placeholders(None)).unwrap();
    criterion.bench_function("expression/apply projection", |bencher| {
        bencher.iter(|| projection.apply(black_box(&document).as_ref()));
    });
}

criterion_group!(benches, parsing, using);
criterion_main!(benches);
