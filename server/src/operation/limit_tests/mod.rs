//! Every limit with its source: what is at it is accepted, what is one past it is refused.
//!
//! A limit is one row. Those that need time or a client have tests of their own: what four decreases
//! a day mean is `update_table/tests`, the size of a request's body is `http/tests`, and the pages of
//! 1 MB, batches of 16 MB and transactions of 4 MB, which depend on what is stored, are in
//! `item_tests` and `transaction_tests`. Depth is in `recorded/depth`, the size of a policy in
//! `policy/tests`, the pages of streams in `stream_tests`.

mod expressions;
mod items;
mod requests;
mod statements;
mod tables;

use serde_json::{Value, json};

use super::{harness::Harness, recorded::deep};
use crate::{table::Projection, wire::Operation};

/// A limit on what a request holds.
struct Limit {
    /// What is limited.
    what: &'static str,
    /// Who says so.
    source: &'static str,
    /// The last number that is accepted.
    limit: usize,
    /// The first one that is not: one more, or one less if the limit is the least.
    past: usize,
    /// A request with so many of what is limited.
    request: fn(usize) -> (Operation, Value),
    /// The words of the refusal; of one that shows the request, what it ends with, behind `…`.
    refusal: String,
}

/// At most `limit`.
fn most(
    what: &'static str,
    source: &'static str,
    limit: usize,
    request: fn(usize) -> (Operation, Value),
    refusal: impl Into<String>,
) -> Limit {
    Limit {
        what,
        source,
        limit,
        past: limit + 1,
        request,
        refusal: refusal.into(),
    }
}

/// At least `limit`.
fn least(
    what: &'static str,
    source: &'static str,
    limit: usize,
    request: fn(usize) -> (Operation, Value),
    refusal: impl Into<String>,
) -> Limit {
    Limit {
        past: limit - 1,
        ..most(what, source, limit, request, refusal)
    }
}

const INVALID: &str = "One or more parameter values were invalid: ";

/// A violation of the model, whose value may be long.
fn violation(rest: &str) -> String {
    format!("…failed to satisfy constraint: Member must have {rest}")
}

#[track_caller]
fn check(limits: impl IntoIterator<Item = Limit>) {
    let mut wrong = Vec::new();
    for limit in limits {
        let mut fail = |how: String| {
            wrong.push(format!("{} ({}): {how}", limit.what, limit.source));
        };
        let harness = tables();
        let (operation, request) = (limit.request)(limit.limit);
        if let Err(error) = harness.call(operation, &request) {
            fail(format!("{} is refused: {}", limit.limit, short(&error.1)));
        }
        let (operation, request) = (limit.request)(limit.past);
        match harness.call(operation, &request) {
            Ok(_) => fail(format!("{} is accepted", limit.past)),
            Err((_, body)) => {
                let message = body["message"].as_str().unwrap_or_default();
                let said = match limit.refusal.strip_prefix('…') {
                    Some(end) => message.ends_with(end),
                    None => message == limit.refusal,
                };
                if !said {
                    fail(format!(
                        "{} is refused otherwise: {}",
                        limit.past,
                        short(&body)
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn short(body: &Value) -> String {
    let text = body.to_string();
    let tail: String = text.chars().rev().take(400).collect();
    tail.chars().rev().collect()
}

/// `hash`, and `indexed` with a sort key and an index of each kind.
fn tables() -> Harness {
    let harness = Harness::new();
    harness.table("hash", &[], &[], &[]);
    harness.table(
        "indexed",
        &["sk"],
        &[("local", &["pk"], &["l"], Projection::All)],
        &[("global", &["g"], &["h"], Projection::All)],
    );
    harness.put("hash", &json!({"pk": {"S": "here"}, "list": {"L": []}}));
    harness
}

fn x(count: usize) -> String {
    "x".repeat(count)
}
