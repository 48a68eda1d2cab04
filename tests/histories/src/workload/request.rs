//! Operations as DynamoDB's requests, and its answers as replies.
//!
//! Items of even numbers are in one table and of odd numbers in another, each table has one partition,
//! and an index of it orders its items by their numbers.

use serde_json::{Map, Value, json};

use super::choice::{Choice, Returned, Way};
use crate::client::Answer;
use crate::history::{Action, Call, Change, Condition, Item, Key, Reply, Shown};

/// A request that can be sent more than once.
pub(super) struct Request<'a> {
    pub(super) operation: &'static str,
    pub(super) body: Value,
    choice: &'a Choice,
}

/// What an answer says.
pub(super) enum Answered {
    Reply(Reply),
    /// A transaction is in the way.
    Conflict,
    /// The same transaction is under way.
    InProgress,
}

fn table(key: Key) -> String {
    format!("History{}", key % 2)
}

fn item_key(key: Key) -> Value {
    json!({"pk": {"S": "p"}, "sk": {"N": key.to_string()}})
}

/// The bodies that create the tables.
pub(super) fn tables() -> [Value; 2] {
    [0, 1].map(|key| {
        json!({
            "TableName": table(key),
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "N"},
                {"AttributeName": "everything", "AttributeType": "S"},
                {"AttributeName": "amount", "AttributeType": "N"},
            ],
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-amount",
                "KeySchema": [
                    {"AttributeName": "everything", "KeyType": "HASH"},
                    {"AttributeName": "amount", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }],
        })
    })
}

impl<'a> Request<'a> {
    /// `keys` is how many items there are.
    pub(super) fn new(choice: &'a Choice, keys: Key) -> Self {
        debug_assert!(choice.call.keys().all(|key| key < keys));
        let (operation, body) = match &choice.call {
            Call::Read(keys) => read(choice.way, keys),
            Call::Write(actions) if choice.transaction => transaction(choice, actions),
            Call::Write(actions) => single(choice, actions),
        };
        Request {
            operation,
            body,
            choice,
        }
    }

    /// What an answer to it says; `None` if it is none that may come.
    pub(super) fn read(&self, (status, body): &Answer) -> Option<Answered> {
        if *status == 200 {
            return self.success(body).map(Answered::Reply);
        }
        let kind = body.get("__type")?.as_str()?.rsplit('#').next()?;
        match kind {
            "ConditionalCheckFailedException" => {
                let shown = self.choice.shown_when_refused;
                let shown = shown.then(|| body.get("Item").and_then(item));
                Some(Answered::Reply(Reply::Refused(vec![(true, shown)])))
            }
            "TransactionConflictException" => Some(Answered::Conflict),
            "TransactionInProgressException" => Some(Answered::InProgress),
            "TransactionCanceledException" => self.cancelled(body),
            _ => None,
        }
    }

    fn cancelled(&self, body: &Value) -> Option<Answered> {
        let reasons = body.get("CancellationReasons")?.as_array()?;
        let mut refused: Vec<(bool, Shown)> = Vec::new();
        for reason in reasons {
            match reason.get("Code")?.as_str()? {
                "None" => refused.push((false, None)),
                "ConditionalCheckFailed" => {
                    let shown = self.choice.shown_when_refused;
                    refused.push((true, shown.then(|| reason.get("Item").and_then(item))));
                }
                "TransactionConflict" => return Some(Answered::Conflict),
                _ => return None,
            }
        }
        Some(Answered::Reply(Reply::Refused(refused)))
    }

    fn success(&self, body: &Value) -> Option<Reply> {
        match &self.choice.call {
            Call::Read(keys) => {
                let items = match self.choice.way {
                    Way::Consistent | Way::Eventual => vec![body.get("Item").and_then(item)],
                    Way::Transaction => {
                        let responses = body.get("Responses")?.as_array()?;
                        let items = responses.iter().map(|one| one.get("Item").and_then(item));
                        items.collect()
                    }
                    Way::Query | Way::Index | Way::Scan => {
                        let found = body.get("Items")?.as_array()?;
                        let of = |key: &Key| {
                            let sort = json!({"N": key.to_string()});
                            let found = found.iter().find(|found| found.get("sk") == Some(&sort));
                            found.and_then(item)
                        };
                        keys.iter().map(of).collect()
                    }
                };
                (items.len() == keys.len()).then_some(Reply::Read(items))
            }
            Call::Write(actions) => {
                let shown = || Some(body.get("Attributes").and_then(item));
                let states = match self.choice.returned {
                    Returned::Nothing => (None, None),
                    Returned::Old => (shown(), None),
                    Returned::New => (None, shown()),
                };
                Some(Reply::Written(vec![states; actions.len()]))
            }
        }
    }
}

fn item(attributes: &Value) -> Option<Item> {
    let number = |name: &str| attributes.get(name)?.get("N")?.as_str();
    Some(Item {
        tag: number("author").map_or(Some(0), |text| text.parse().ok())?,
        number: number("amount")?.parse().ok()?,
    })
}

fn read(way: Way, keys: &[Key]) -> (&'static str, Value) {
    let first = keys.first().copied().unwrap_or_default();
    let get = |key: Key| json!({"TableName": table(key), "Key": item_key(key)});
    let mut body = json!({"TableName": table(first)});
    let operation = match way {
        Way::Consistent | Way::Eventual => {
            body = get(first);
            set(&mut body, "ConsistentRead", json!(way == Way::Consistent));
            "GetItem"
        }
        Way::Transaction => {
            let gets = keys.iter().map(|key| json!({"Get": get(*key)}));
            body = json!({"TransactItems": gets.collect::<Vec<_>>()});
            "TransactGetItems"
        }
        Way::Query => {
            set(&mut body, "KeyConditionExpression", json!("pk = :p"));
            set(
                &mut body,
                "ExpressionAttributeValues",
                json!({":p": {"S": "p"}}),
            );
            set(&mut body, "ConsistentRead", json!(true));
            "Query"
        }
        Way::Index => {
            set(&mut body, "IndexName", json!("by-amount"));
            set(
                &mut body,
                "KeyConditionExpression",
                json!("everything = :e"),
            );
            set(
                &mut body,
                "ExpressionAttributeValues",
                json!({":e": {"S": "e"}}),
            );
            "Query"
        }
        Way::Scan => "Scan",
    };
    (operation, body)
}

fn single(choice: &Choice, actions: &[Action]) -> (&'static str, Value) {
    let Some(action) = actions.first() else {
        return ("PutItem", Value::Null);
    };
    let (name, mut body) = write(choice, action);
    let returned = match choice.returned {
        Returned::Nothing => "NONE",
        Returned::Old => "ALL_OLD",
        Returned::New => "ALL_NEW",
    };
    set(&mut body, "ReturnValues", json!(returned));
    let operation = match name {
        "Put" => "PutItem",
        "Delete" => "DeleteItem",
        _ => "UpdateItem",
    };
    (operation, body)
}

fn transaction(choice: &Choice, actions: &[Action]) -> (&'static str, Value) {
    let writes: Vec<Value> = actions
        .iter()
        .map(|action| {
            let (name, body) = write(choice, action);
            json!({name: body})
        })
        .collect();
    let mut body = json!({"TransactItems": writes});
    if let Some(token) = &choice.token {
        set(&mut body, "ClientRequestToken", json!(token));
    }
    ("TransactWriteItems", body)
}

/// A write as a member of a transaction, which a request for it alone looks like as well.
fn write(choice: &Choice, action: &Action) -> (&'static str, Value) {
    let mut body = json!({"TableName": table(action.key)});
    let mut values = Map::new();
    let name = match action.change {
        Change::Put(put) => {
            let mut item = item_key(action.key);
            set(&mut item, "everything", json!({"S": "e"}));
            set(&mut item, "author", json!({"N": put.tag.to_string()}));
            set(&mut item, "amount", json!({"N": put.number.to_string()}));
            set(&mut body, "Item", item);
            "Put"
        }
        Change::Add(by) => {
            let update = "SET everything = :e ADD amount :by";
            set(&mut body, "UpdateExpression", json!(update));
            values.insert(":by".to_owned(), json!({"N": by.to_string()}));
            values.insert(":e".to_owned(), json!({"S": "e"}));
            "Update"
        }
        Change::Delete => "Delete",
        Change::Check => "ConditionCheck",
    };
    if name != "Put" {
        set(&mut body, "Key", item_key(action.key));
    }
    let mut compared = |sign: &str, number: i64| {
        values.insert(":c".to_owned(), json!({"N": number.to_string()}));
        format!("amount {sign} :c")
    };
    let condition = match action.condition {
        Condition::Always => None,
        Condition::Absent => Some("attribute_not_exists(pk)".to_owned()),
        Condition::Present => Some("attribute_exists(pk)".to_owned()),
        Condition::NumberIs(number) => Some(compared("=", number)),
        Condition::NumberBelow(number) => Some(compared("<", number)),
    };
    if let Some(condition) = condition {
        set(&mut body, "ConditionExpression", json!(condition));
        if choice.shown_when_refused {
            let all = json!("ALL_OLD");
            set(&mut body, "ReturnValuesOnConditionCheckFailure", all);
        }
    }
    if !values.is_empty() {
        set(
            &mut body,
            "ExpressionAttributeValues",
            Value::Object(values),
        );
    }
    (name, body)
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = body {
        members.insert(name.to_owned(), value);
    }
}
