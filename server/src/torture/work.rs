//! Requests that write, what each does, and why some are refused.

use std::sync::Arc;

use serde_json::{Value, json};
use stator_torture::Draw;

use super::tables::{Item, ItemKey, Items, TTL, as_number, number, table};
use crate::wire::Operation;

/// What has to hold of an item before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// There is none.
    Absent,
    /// There is one.
    Present,
    /// There is one whose version is below this.
    Older(u32),
}

/// What becomes of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The one that a version gives, and when it expires.
    Put(u32, Option<u64>),
    /// The attributes that a version gives; others stay, and its counter rises by this.
    Update(u32, i64),
    /// It goes.
    Delete,
    /// Nothing: only the condition counts. In a transaction.
    Check,
}

/// One item of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) key: ItemKey,
    pub(super) action: Action,
    pub(super) condition: Option<Condition>,
}

/// A request that writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// PutItem, UpdateItem or DeleteItem.
    Single(Part),
    /// BatchWriteItem: no conditions, no updates.
    Batch(Vec<Part>),
    /// TransactWriteItems, with a client token.
    Transaction(Vec<Part>, Option<String>),
    /// ExecuteStatement: the same as a PutItem that must not meet an item, an update that must, or a
    /// deletion.
    Statement(Part),
}

/// What an item was, and is then.
pub(super) type Change = (ItemKey, Option<Arc<Item>>, Option<Arc<Item>>);

/// The item of a version, attribute by attribute.
pub(super) fn item_of(key: &ItemKey, version: u32, expires: Option<u64>) -> Item {
    let mut draw = Draw::new(u64::from(version) ^ 0x5747_4F52);
    let mut item = key.attributes();
    item.insert("v".into(), number(version));
    if !draw.one_in(5) {
        item.insert("g".into(), json!({"S": format!("group {}", draw.below(4))}));
    }
    if !draw.one_in(5) {
        item.insert("s".into(), number(draw.below(50)));
    }
    let length = match draw.below(40) {
        0 => 6_000,
        1..4 => 700,
        4..8 => 0,
        _ => 5 + draw.below(60),
    };
    let body: String = (0..length)
        .map(|_| char::from(b'a' + u8::try_from(draw.below(26)).unwrap_or(0)))
        .collect();
    item.insert("body".into(), json!({"S": body}));
    if let Some(expires) = expires {
        item.insert(TTL.into(), number(expires));
    }
    item
}

/// The attributes that an update sets to what its version gives, or removes.
const UPDATED: [&str; 4] = ["v", "g", "s", "body"];

impl Condition {
    fn holds(self, item: Option<&Arc<Item>>) -> bool {
        let version = || item.and_then(|item| as_number(item, "v"));
        match self {
            Self::Absent => item.is_none(),
            Self::Present => item.is_some(),
            Self::Older(limit) => version().is_some_and(|version| version < i64::from(limit)),
        }
    }

    /// Puts it into a request.
    fn write(self, request: &mut Item) {
        let expression = match self {
            Self::Absent => "attribute_not_exists(pk)",
            Self::Present => "attribute_exists(pk)",
            Self::Older(_) => "v < :limit",
        };
        request.insert("ConditionExpression".into(), expression.into());
        if let Self::Older(limit) = self {
            let values = request.entry("ExpressionAttributeValues");
            if let Some(values) = values.or_insert_with(|| json!({})).as_object_mut() {
                values.insert(":limit".into(), number(limit));
            }
        }
    }
}

impl Part {
    /// What it makes of an item, if it is not refused.
    fn apply(&self, old: Option<&Arc<Item>>) -> Option<Option<Arc<Item>>> {
        if self
            .condition
            .is_some_and(|condition| !condition.holds(old))
        {
            return None;
        }
        Some(match self.action {
            Action::Put(version, expires) => Some(Arc::new(item_of(&self.key, version, expires))),
            Action::Update(version, by) => {
                let mut item = old.map_or_else(|| self.key.attributes(), |old| (**old).clone());
                let target = item_of(&self.key, version, None);
                for name in UPDATED {
                    match target.get(name) {
                        Some(value) => item.insert(name.into(), value.clone()),
                        None => item.remove(name),
                    };
                }
                let count = as_number(&item, "n").unwrap_or(0) + by;
                item.insert("n".into(), number(count));
                Some(Arc::new(item))
            }
            Action::Delete => None,
            Action::Check => old.cloned(),
        })
    }

    /// It as a member of TransactWriteItems, or a request of its own.
    fn request(&self) -> (Operation, &'static str, Value) {
        let mut request = Item::new();
        request.insert("TableName".into(), table(self.key.table).name.into());
        let key = || Value::from(self.key.attributes());
        let (operation, member) = match self.action {
            Action::Put(version, expires) => {
                let item = item_of(&self.key, version, expires);
                request.insert("Item".into(), item.into());
                (Operation::PutItem, "Put")
            }
            Action::Update(version, by) => {
                request.insert("Key".into(), key());
                self.update(version, by, &mut request);
                (Operation::UpdateItem, "Update")
            }
            Action::Delete => {
                request.insert("Key".into(), key());
                (Operation::DeleteItem, "Delete")
            }
            Action::Check => {
                request.insert("Key".into(), key());
                (Operation::GetItem, "ConditionCheck")
            }
        };
        if let Some(condition) = self.condition {
            condition.write(&mut request);
        }
        (operation, member, request.into())
    }

    fn update(&self, version: u32, by: i64, request: &mut Item) {
        let target = item_of(&self.key, version, None);
        let (mut sets, mut removals) = (Vec::new(), Vec::new());
        let mut values = Item::new();
        values.insert(":by".into(), number(by));
        for name in UPDATED {
            match target.get(name) {
                Some(value) => {
                    sets.push(format!("{name} = :{name}"));
                    values.insert(format!(":{name}"), value.clone());
                }
                None => removals.push(name),
            }
        }
        let mut expression = format!("SET {} ADD n :by", sets.join(", "));
        if !removals.is_empty() {
            expression = format!("{expression} REMOVE {}", removals.join(", "));
        }
        request.insert("UpdateExpression".into(), expression.into());
        request.insert("ExpressionAttributeValues".into(), values.into());
    }

    fn statement(&self) -> Value {
        let name = table(self.key.table).name;
        let key = self.key.attributes();
        let place: Vec<String> = key.keys().map(|name| format!("{name} = ?")).collect();
        let place = place.join(" AND ");
        let (statement, parameters): (String, Vec<Value>) = match self.action {
            Action::Put(version, expires) => {
                let item = item_of(&self.key, version, expires);
                let members: Vec<String> = item.keys().map(|name| format!("'{name}': ?")).collect();
                let members = members.join(", ");
                (
                    format!("INSERT INTO \"{name}\" VALUE {{{members}}}"),
                    item.into_iter().map(|(_, value)| value).collect(),
                )
            }
            Action::Update(version, _) => {
                let target = item_of(&self.key, version, None);
                let mut expression = String::new();
                let mut parameters = Vec::new();
                for name in UPDATED {
                    match target.get(name) {
                        Some(value) => {
                            expression.push_str(&format!(" SET {name} = ?"));
                            parameters.push(value.clone());
                        }
                        None => expression.push_str(&format!(" REMOVE {name}")),
                    }
                }
                // A statement has no ADD: the counter is set.
                expression.push_str(" SET n = ?");
                parameters.push(number(version));
                parameters.extend(key.into_iter().map(|(_, value)| value));
                (
                    format!("UPDATE \"{name}\"{expression} WHERE {place}"),
                    parameters,
                )
            }
            Action::Delete | Action::Check => (
                format!("DELETE FROM \"{name}\" WHERE {place}"),
                key.into_iter().map(|(_, value)| value).collect(),
            ),
        };
        json!({"Statement": statement, "Parameters": parameters})
    }

    /// What its statement makes of an item.
    fn apply_statement(&self, old: Option<&Arc<Item>>) -> Result<Option<Arc<Item>>, &'static str> {
        let after = match (&self.action, old) {
            (Action::Put(..), Some(_)) => return Err("DuplicateItemException"),
            (Action::Update(..), None) => return Err("ConditionalCheckFailedException"),
            (Action::Update(version, _), Some(_)) => {
                let updated = self.apply(old).flatten();
                updated.map(|item| {
                    let mut item = (*item).clone();
                    item.insert("n".into(), number(version));
                    Arc::new(item)
                })
            }
            _ => self.apply(old).flatten(),
        };
        Ok(after)
    }
}

impl Work {
    /// The items that it names.
    pub(super) fn parts(&self) -> &[Part] {
        match self {
            Self::Single(part) | Self::Statement(part) => std::slice::from_ref(part),
            Self::Batch(parts) | Self::Transaction(parts, _) => parts,
        }
    }

    /// What it is called where work is counted.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Single(part) => match part.action {
                Action::Put(..) => "puts",
                Action::Update(..) => "updates",
                _ => "deletions",
            },
            Self::Batch(_) => "batches",
            Self::Transaction(_, None) => "transactions",
            Self::Transaction(_, Some(_)) => "transactions with a token",
            Self::Statement(_) => "statements",
        }
    }

    /// What it changes, all of it at once, or the name of the error that it is refused with.
    pub(super) fn apply(&self, items: &Items) -> Result<Vec<Change>, &'static str> {
        let refusal = match self {
            Self::Transaction(..) => "TransactionCanceledException",
            _ => "ConditionalCheckFailedException",
        };
        let mut changes = Vec::new();
        for part in self.parts() {
            let old = items.get(&part.key);
            let new = match self {
                Self::Statement(part) => part.apply_statement(old)?,
                _ => part.apply(old).ok_or(refusal)?,
            };
            if part.action != Action::Check {
                changes.push((part.key.clone(), old.cloned(), new));
            }
        }
        Ok(changes)
    }

    /// The request.
    pub(super) fn request(&self) -> (Operation, Value) {
        match self {
            Self::Single(part) => {
                let (operation, _, request) = part.request();
                (operation, request)
            }
            Self::Statement(part) => (Operation::ExecuteStatement, part.statement()),
            Self::Batch(parts) => {
                let mut tables = Item::new();
                for part in parts {
                    let write = match part.action {
                        Action::Put(version, expires) => {
                            let item = item_of(&part.key, version, expires);
                            json!({"PutRequest": {"Item": item}})
                        }
                        _ => json!({"DeleteRequest": {"Key": part.key.attributes()}}),
                    };
                    let writes = tables.entry(table(part.key.table).name);
                    if let Some(writes) = writes.or_insert_with(|| json!([])).as_array_mut() {
                        writes.push(write);
                    }
                }
                (Operation::BatchWriteItem, json!({"RequestItems": tables}))
            }
            Self::Transaction(parts, token) => {
                let actions = parts.iter().map(|part| {
                    let (_, member, request) = part.request();
                    json!({member: request})
                });
                let mut request = json!({"TransactItems": actions.collect::<Vec<_>>()});
                if let (Some(request), Some(token)) = (request.as_object_mut(), token) {
                    request.insert("ClientRequestToken".into(), token.clone().into());
                }
                (Operation::TransactWriteItems, request)
            }
        }
    }
}

/// Draws requests over keys that are drawn by `key`, each with another version.
pub(super) fn draw_work(
    draw: &mut Draw,
    version: u32,
    key: &mut dyn FnMut(&mut Draw) -> ItemKey,
    token: impl FnOnce() -> String,
) -> Work {
    let mut several = |draw: &mut Draw, most: u32| {
        let mut keys: Vec<ItemKey> = (0..=draw.below(most)).map(|_| key(draw)).collect();
        keys.sort();
        keys.dedup();
        keys
    };
    let condition = |draw: &mut Draw| match draw.below(8) {
        0 => Some(Condition::Absent),
        1 => Some(Condition::Present),
        2 => Some(Condition::Older(version.saturating_sub(draw.below(40)))),
        _ => None,
    };
    let action = |draw: &mut Draw| match draw.below(7) {
        0..3 => Action::Put(version, None),
        3..6 => Action::Update(version, i64::from(draw.below(3)) - 1),
        _ => Action::Delete,
    };
    let whole = |draw: &mut Draw| match draw.below(4) {
        0 => Action::Delete,
        _ => Action::Put(version, None),
    };
    let kind = draw.below(10);
    let most = match kind {
        0 | 1 => 8,
        2..5 => 5,
        _ => 1,
    };
    let mut parts: Vec<Part> = Vec::new();
    for key in several(draw, most) {
        let action = match kind {
            0 | 1 => whole(draw),
            2..5 if draw.one_in(6) => Action::Check,
            _ => action(draw),
        };
        let condition = match (kind, &action) {
            (0 | 1, _) => None,
            (2..5, Action::Check) => Some(Condition::Older(version.saturating_add(1))),
            (2..5, _) if !draw.one_in(4) => None,
            _ => condition(draw),
        };
        parts.push(Part {
            key,
            action,
            condition,
        });
    }
    // A transaction of checks alone writes nothing but its token: no change to tell it by.
    let writes = parts.iter().any(|part| part.action != Action::Check);
    match (kind, parts.pop()) {
        (0 | 1, Some(last)) => {
            parts.push(last);
            Work::Batch(parts)
        }
        (2..5, Some(last)) if writes => {
            parts.push(last);
            Work::Transaction(parts, draw.one_in(2).then(token))
        }
        (9, Some(last)) => Work::Statement(Part {
            condition: None,
            ..last
        }),
        (_, Some(mut last)) => {
            if last.action == Action::Check {
                last.action = Action::Delete;
                last.condition = None;
            }
            Work::Single(last)
        }
        (_, None) => Work::Batch(Vec::new()),
    }
}
