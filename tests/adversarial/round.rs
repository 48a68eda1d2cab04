//! One round: set-up, wrong requests, and what has to hold after each.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use stator::wire::Operation::{self, *};

use crate::corpus::Corpus;
use crate::mutation::Mutator;

/// What is larger is refused by the front, with a status and no more (API reference,
/// `BatchWriteItem`: 16 MB).
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// Something that answers requests, empty at first.
pub(crate) trait Target {
    /// Answers one request. Panics if there is no answer.
    fn call(&mut self, operation: Operation, body: &[u8]) -> Answer;

    /// The end of the round. Panics if anything went wrong that answers do not show.
    fn stop(&mut self) {}
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body, which has to be JSON; nothing where there is none.
    fn json(&self) -> Option<Value> {
        if self.body.is_empty() {
            return Some(Value::Null);
        }
        serde_json::from_slice(&self.body).ok()
    }
}

/// How the requests of a run were answered.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} were answered and {} refused",
            self.accepted, self.refused
        )
    }
}

/// What a server makes up, under the names that the corpus has for it.
pub(crate) struct MadeUp(Vec<(&'static str, String)>);

impl MadeUp {
    /// The stream of the table `Readings`, its first shard, and an iterator at its beginning.
    pub(crate) fn of(target: &mut dyn Target) -> Self {
        let mut ask = |operation, request: Value, member: &str| {
            let answer = right(target, operation, &request, &mut DefaultHasher::new());
            let text = answer.pointer(member).and_then(Value::as_str);
            text.unwrap_or_else(|| panic!("{operation} {request}: {answer}"))
                .to_owned()
        };
        let stream = ask(
            ListStreams,
            json!({"TableName": "Readings"}),
            "/Streams/0/StreamArn",
        );
        let shard = ask(
            DescribeStream,
            json!({"StreamArn": stream}),
            "/StreamDescription/Shards/0/ShardId",
        );
        let iterator = ask(
            GetShardIterator,
            json!({"StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}),
            "/ShardIterator",
        );
        Self(vec![
            ("<stream>", stream),
            ("<shard>", shard),
            ("<iterator>", iterator),
        ])
    }

    /// A request with these in their places.
    pub(crate) fn put_into(&self, body: Vec<u8>) -> Vec<u8> {
        let Ok(mut text) = String::from_utf8(body.clone()) else {
            return body;
        };
        for (name, value) in &self.0 {
            if text.contains(name) {
                text = text.replace(name, value);
            }
        }
        text.into_bytes()
    }
}

pub(crate) struct Round<'a> {
    target: &'a mut dyn Target,
    made_up: MadeUp,
    mutator: Mutator<'a>,
    seed: u64,
    round: u64,
    /// Of all that the tables hold and say of themselves.
    digest: u64,
}

impl<'a> Round<'a> {
    pub(crate) fn begin(
        corpus: &'a Corpus,
        target: &'a mut dyn Target,
        seed: u64,
        round: u64,
    ) -> Self {
        for request in &corpus.setup {
            let answer = target.call(request.operation, &request.body.to_bytes());
            assert_eq!(answer.status, 200, "{request:?}: {}", answer.text());
        }
        let made_up = MadeUp::of(target);
        let digest = digest(target);
        let rng = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(1 << 20).wrapping_add(round));
        Self {
            target,
            made_up,
            mutator: Mutator { corpus, rng },
            seed,
            round,
            digest,
        }
    }

    pub(crate) fn run(&mut self, requests: u64, tally: &mut Tally) {
        for number in 0..requests {
            let (request, body) = self.mutator.request();
            let body = self.made_up.put_into(body);
            let case = Case {
                seed: self.seed,
                round: self.round,
                number,
                operation: request.operation,
                body: &body,
            };
            let noted = case.note();
            let answer = self.target.call(request.operation, &body);
            case.check(&answer);
            if answer.status == 200 {
                tally.accepted += 1;
            } else {
                tally.refused += 1;
            }
            let after = digest(self.target);
            if answer.status != 200 || reads(request.operation) {
                assert!(
                    after == self.digest,
                    "{case} changed something: {}",
                    answer.text()
                );
            }
            self.digest = after;
            drop(noted);
        }
    }
}

/// One wrong request.
struct Case<'a> {
    seed: u64,
    round: u64,
    number: u64,
    operation: Operation,
    body: &'a [u8],
}

/// Says which request it was if the thread panics meanwhile.
struct Noted(String);

impl Drop for Noted {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the request was {}", self.0);
        }
    }
}

impl Case<'_> {
    fn note(&self) -> Noted {
        Noted(self.to_string())
    }

    fn check(&self, answer: &Answer) {
        let text = answer.text();
        if answer.status == 413 && self.body.len() > LARGEST_BODY {
            return;
        }
        assert!(
            [200, 400].contains(&answer.status),
            "{self}: {} {text}",
            answer.status
        );
        let body = answer
            .json()
            .unwrap_or_else(|| panic!("{self}: no JSON: {text}"));
        if answer.status == 400 {
            let name = body["__type"].as_str().unwrap_or_default();
            assert!(
                name.contains("Exception") || name.contains('#'),
                "{self}: {text}"
            );
            if name.ends_with("#ValidationException") {
                let message = body["message"].as_str().unwrap_or_default();
                assert!(!message.is_empty(), "{self}: no message");
            }
        }
    }
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.body[..self.body.len().min(4000)];
        write!(
            f,
            "request {} of STATOR_SEED={} STATOR_ROUND={}: {} {}{}",
            self.number,
            self.seed,
            self.round,
            self.operation,
            shown.escape_ascii(),
            if shown.len() < self.body.len() {
                "…"
            } else {
                ""
            },
        )
    }
}

/// Whether an operation changes nothing even if it is right.
fn reads(operation: Operation) -> bool {
    let name = operation.name();
    ["Describe", "List", "Get"]
        .iter()
        .any(|verb| name.starts_with(verb))
        || matches!(operation, BatchGetItem | Query | Scan | TransactGetItems)
}

/// A number that stands for all tables, all their items, indexes, descriptions, tags and policies.
fn digest(target: &mut dyn Target) -> u64 {
    let mut hasher = DefaultHasher::new();
    for name in pages(target, ListTables, json!({}), &mut hasher, &LIST_TABLES) {
        for name in name["TableNames"].as_array().unwrap() {
            table(target, name, &mut hasher);
        }
    }
    hasher.finish()
}

fn table(target: &mut dyn Target, name: &Value, hasher: &mut DefaultHasher) {
    let answer = settled(target, name);
    answer.to_string().hash(hasher);
    let table = &answer["Table"];
    let resource = json!({"ResourceArn": table["TableArn"]});
    right(target, ListTagsOfResource, &resource, hasher);
    // Most tables have none, which is an answer too.
    let policy = target.call(GetResourcePolicy, resource.to_string().as_bytes());
    policy.body.hash(hasher);
    right(
        target,
        DescribeTimeToLive,
        &json!({"TableName": name}),
        hasher,
    );
    pages(target, Scan, json!({"TableName": name}), hasher, &SCAN);
    for kind in ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"] {
        for index in table[kind].as_array().into_iter().flatten() {
            let scan = json!({"TableName": name, "IndexName": index["IndexName"]});
            pages(target, Scan, scan, hasher, &SCAN);
        }
    }
}

/// The description of a table, once its indexes that come and go have done so in the background.
fn settled(target: &mut dyn Target, name: &Value) -> Value {
    let request = json!({ "TableName": name });
    loop {
        let answer = right(target, DescribeTable, &request, &mut DefaultHasher::new());
        let table = &answer["Table"];
        let indexes = table["GlobalSecondaryIndexes"].as_array();
        let mut states = indexes.into_iter().flatten().map(|one| &one["IndexStatus"]);
        if table["TableStatus"] == "ACTIVE" && states.all(|state| state == "ACTIVE") {
            return answer;
        }
        std::thread::yield_now();
    }
}

/// The member of an answer that says where its page ends, and that of a request that says where the
/// next begins.
struct Paging(&'static str, &'static str);

const LIST_TABLES: Paging = Paging("LastEvaluatedTableName", "ExclusiveStartTableName");
const SCAN: Paging = Paging("LastEvaluatedKey", "ExclusiveStartKey");

/// All pages of the answer to a request.
fn pages(
    target: &mut dyn Target,
    operation: Operation,
    mut request: Value,
    hasher: &mut DefaultHasher,
    Paging(end, start): &Paging,
) -> Vec<Value> {
    let mut answers = Vec::new();
    loop {
        let answer = right(target, operation, &request, hasher);
        let next = answer.get(end).cloned();
        answers.push(answer);
        match next {
            Some(next) => request[start] = next,
            None => return answers,
        }
    }
}

/// The answer to a request that is right.
fn right(
    target: &mut dyn Target,
    operation: Operation,
    request: &Value,
    hasher: &mut DefaultHasher,
) -> Value {
    let answer = target.call(operation, request.to_string().as_bytes());
    assert_eq!(
        answer.status,
        200,
        "{operation} {request}: {}",
        answer.text()
    );
    answer.body.hash(hasher);
    answer
        .json()
        .unwrap_or_else(|| panic!("{operation} {request}: {}", answer.text()))
}
