//! Requests that change items, their answers and what they make of the model.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    World,
    attributes::{INDEXABLE, OTHERS, normal},
    calculator::{Bill, TRANSACTIONAL, Told, item_size, read_units},
    condition::{Condition, Placeholders},
    model::{Model, Table},
    random::Random,
    update::Update,
};
use crate::wire::Operation::{
    self, BatchWriteItem, DeleteItem, PutItem, TransactWriteItems, UpdateItem,
};

/// The values of `ReturnConsumedCapacity`.
pub(super) const KINDS: &[&str] = &["INDEXES", "TOTAL", "NONE"];

/// One write of a request.
struct Write {
    table: usize,
    key: Value,
    action: Action,
    condition: Option<Condition>,
    /// Whether a failed condition shows the item.
    shows: bool,
}

enum Action {
    Put(Value),
    Update(Update),
    Delete,
    Check,
}

/// What the model says comes of a write.
enum Outcome {
    /// The item after it.
    Done(Option<Value>),
    ConditionFailed,
    Invalid,
}

impl Action {
    fn random(random: &mut Random, table: &Table, key: &Value) -> Self {
        let old = table.get(key);
        match random.below(10) {
            0..=3 => Self::Put(match old {
                // The same again: nothing changes, and it costs the same.
                Some(old) if random.one_in(6) => old.clone(),
                _ => table.random_item(random, key.clone()),
            }),
            4..=7 => Self::Update(Update::random(random, &table.schema, old)),
            _ => Self::Delete,
        }
    }
}

impl Write {
    fn random(random: &mut Random, model: &Model) -> Self {
        let table = random.below(model.tables.len());
        let model = &model.tables[table];
        let key = model.random_key(random);
        let action = Action::random(random, model, &key);
        let condition = random.one_in(3).then(|| condition(random, model, &key));
        Self {
            table,
            key,
            action,
            condition,
            shows: random.one_in(2),
        }
    }

    fn outcome(&self, model: &Model) -> Outcome {
        let table = &model.tables[self.table];
        let old = table.get(&self.key);
        if let Action::Put(item) = &self.action
            && !table.schema.allows(item, None)
        {
            return Outcome::Invalid;
        }
        if self
            .condition
            .as_ref()
            .is_some_and(|condition| !condition.holds(old))
        {
            return Outcome::ConditionFailed;
        }
        match &self.action {
            Action::Put(item) => Outcome::Done(Some(item.clone())),
            Action::Delete => Outcome::Done(None),
            Action::Check => Outcome::Done(old.cloned()),
            Action::Update(update) => match update.apply(old, &self.key) {
                Ok(Some(item)) if item_size(&item) > 400 * 1024 => Outcome::Invalid,
                Ok(Some(item)) if !table.schema.allows(&item, old) => Outcome::Invalid,
                Ok(item) => Outcome::Done(item),
                Err(_) => Outcome::Invalid,
            },
        }
    }

    /// The members that single writes and actions of transactions share, without the condition.
    fn request(&self, model: &Model) -> Value {
        let mut request = json!({"TableName": model.tables[self.table].schema.name});
        match &self.action {
            Action::Put(item) => request["Item"] = item.clone(),
            _ => request["Key"] = self.key.clone(),
        }
        if self.shows {
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
        }
        request
    }

    fn write_expressions(&self, request: &mut Value, random: &mut Random) {
        let mut placeholders = Placeholders::default();
        if let Action::Update(update) = &self.action {
            update.write(request, &mut placeholders, random);
        }
        if let Some(condition) = &self.condition {
            let text = condition.expression(&mut placeholders, random);
            request["ConditionExpression"] = text.into();
        }
        placeholders.write(request);
    }

    /// Writes the legacy parameters; not if they cannot say it.
    fn write_legacy(&self, request: &mut Value, random: &mut Random) -> bool {
        if let Action::Update(update) = &self.action
            && !update.write_legacy(request)
        {
            return false;
        }
        let oldest = random.one_in(2);
        self.condition
            .as_ref()
            .is_none_or(|condition| condition.write_legacy(request, "Expected", oldest))
    }
}

fn condition(random: &mut Random, table: &Table, key: &Value) -> Condition {
    let names = [&table.schema.key_names()[..], INDEXABLE, OTHERS].concat();
    Condition::random(random, &table.schema, &names, table.get(key))
}

/// Some attributes of an item; `null` if it has none of them.
fn some_of(item: Option<&Value>, names: impl Iterator<Item = &'static str>) -> Value {
    let found: Map<String, Value> = names
        .filter_map(|name| Some((name.to_owned(), item?.get(name)?.clone())))
        .collect();
    if found.is_empty() {
        Value::Null
    } else {
        found.into()
    }
}

impl World {
    /// Sends a random request that writes; gives the tables that it may have changed.
    pub(super) fn write(&mut self, random: &mut Random) -> BTreeSet<usize> {
        match random.below(8) {
            0 => self.batch(random),
            1 | 2 => self.transaction(random),
            _ => self.single(random),
        }
    }

    fn bill(&self, write: &Write, new: Option<&Value>) -> Bill {
        let table = &self.model.tables[write.table];
        table.write_bill(table.get(&write.key), new)
    }

    fn single(&mut self, random: &mut Random) -> BTreeSet<usize> {
        let write = Write::random(random, &self.model);
        let bare = write.request(&self.model);
        let mut request = bare.clone();
        if !(random.one_in(4) && write.write_legacy(&mut request, random)) {
            request = bare;
            write.write_expressions(&mut request, random);
        }
        let kind = *random.pick(KINDS);
        request["ReturnConsumedCapacity"] = kind.into();
        let (operation, values): (Operation, &[&str]) = match write.action {
            Action::Put(_) => (PutItem, &["NONE", "ALL_OLD"]),
            Action::Delete => (DeleteItem, &["NONE", "ALL_OLD"]),
            _ => (
                UpdateItem,
                &["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"],
            ),
        };
        let values = *random.pick(values);
        request["ReturnValues"] = values.into();
        let answer = self.harness.call(operation, &request);
        let table = &self.model.tables[write.table];
        let old = table.get(&write.key);
        match (write.outcome(&self.model), answer) {
            (Outcome::Invalid, Err((name, _))) if name == "ValidationException" => {}
            (Outcome::ConditionFailed, Err((name, body)))
                if name == "ConditionalCheckFailedException" =>
            {
                let shown = old.filter(|_| write.shows).cloned().unwrap_or_default();
                assert_eq!(normal(body["Item"].clone()), shown, "{request}");
            }
            (Outcome::Done(new), Ok(answer)) => {
                let consumed = self.bill(&write, new.as_ref()).consumed(
                    &table.schema.name,
                    kind,
                    Told::Nothing,
                );
                assert_eq!(answer["ConsumedCapacity"], consumed, "{request}");
                let returned = returned(&write, values, old, new.as_ref());
                if let Some(returned) = returned {
                    assert_eq!(normal(answer["Attributes"].clone()), returned, "{request}");
                }
                self.model.tables[write.table].set(&write.key, new);
            }
            (_, answer) => panic!("{operation} {request} on {old:?}: {answer:?}"),
        }
        BTreeSet::from([write.table])
    }

    /// Up to ten writes of different items.
    fn several(&self, random: &mut Random) -> Vec<Write> {
        let mut keys = BTreeSet::new();
        (0..1 + random.below(10))
            .map(|_| Write::random(random, &self.model))
            .filter(|write| keys.insert((write.table, write.key.to_string())))
            .collect()
    }

    fn batch(&mut self, random: &mut Random) -> BTreeSet<usize> {
        let mut writes = self.several(random);
        for write in &mut writes {
            write.condition = None;
            if matches!(write.action, Action::Update(_)) {
                write.action = Action::Delete;
            }
        }
        let mut items: Map<String, Value> = Map::new();
        for write in &writes {
            let entry = match &write.action {
                Action::Put(item) => json!({"PutRequest": {"Item": item}}),
                _ => json!({"DeleteRequest": {"Key": write.key}}),
            };
            let table = self.model.tables[write.table].schema.name.clone();
            let entries = items.entry(table).or_insert_with(|| json!([]));
            entries.as_array_mut().unwrap().push(entry);
        }
        let kind = *random.pick(KINDS);
        let request = json!({"RequestItems": items, "ReturnConsumedCapacity": kind});
        let answer = self.harness.call(BatchWriteItem, &request);
        let touched = writes.iter().map(|write| write.table).collect();
        let outcomes: Vec<Outcome> = writes.iter().map(|one| one.outcome(&self.model)).collect();
        if outcomes.iter().any(|one| matches!(one, Outcome::Invalid)) {
            assert_eq!(answer.unwrap_err().0, "ValidationException", "{request}");
            return touched;
        }
        let answer = answer.unwrap_or_else(|error| panic!("{request}: {error:?}"));
        assert_eq!(answer["UnprocessedItems"], json!({}));
        let mut bills = vec![None; self.model.tables.len()];
        for (write, outcome) in writes.iter().zip(outcomes) {
            if let Outcome::Done(new) = outcome {
                let bill = self.bill(write, new.as_ref());
                bills[write.table]
                    .get_or_insert_with(Bill::default)
                    .add(&bill);
                self.model.tables[write.table].set(&write.key, new);
            }
        }
        let bills = bills
            .iter()
            .enumerate()
            .filter_map(|(table, bill)| Some((table, bill.as_ref()?)));
        let consumed = self.consumed(bills, kind, Told::Nothing);
        assert_eq!(
            in_order(&answer["ConsumedCapacity"]),
            in_order(&consumed),
            "{request}"
        );
        touched
    }

    /// `ConsumedCapacity` of a request over several tables.
    pub(super) fn consumed<'a>(
        &self,
        bills: impl Iterator<Item = (usize, &'a Bill)>,
        kind: &str,
        told: Told,
    ) -> Value {
        if kind == "NONE" {
            return Value::Null;
        }
        bills
            .map(|(table, bill)| bill.consumed(&self.model.tables[table].schema.name, kind, told))
            .collect()
    }

    fn transaction(&mut self, random: &mut Random) -> BTreeSet<usize> {
        let mut writes = self.several(random);
        for write in &mut writes {
            if random.one_in(5) {
                let table = &self.model.tables[write.table];
                write.condition = Some(condition(random, table, &write.key));
                write.action = Action::Check;
            }
            // There are enough of these in single writes; here all reasons shall count.
            if let Action::Put(item) = &write.action
                && !self.model.tables[write.table].schema.allows(item, None)
            {
                write.action = Action::Delete;
            }
            if let Action::Update(update) = &write.action
                && update.names().next().is_none()
            {
                write.action = Action::Delete;
            }
        }
        let actions: Vec<Value> = writes
            .iter()
            .map(|write| {
                let mut request = write.request(&self.model);
                write.write_expressions(&mut request, random);
                let name = match write.action {
                    Action::Put(_) => "Put",
                    Action::Update(_) => "Update",
                    Action::Delete => "Delete",
                    Action::Check => "ConditionCheck",
                };
                json!({ name: request })
            })
            .collect();
        let kind = *random.pick(KINDS);
        let mut request = json!({"TransactItems": actions, "ReturnConsumedCapacity": kind});
        let token = random.one_in(3);
        if token {
            request["ClientRequestToken"] = format!("token-{}", random.below(usize::MAX)).into();
        }
        let answer = self.harness.call(TransactWriteItems, &request);
        let touched: BTreeSet<usize> = writes.iter().map(|write| write.table).collect();
        let outcomes: Vec<Outcome> = writes.iter().map(|one| one.outcome(&self.model)).collect();
        if !outcomes.iter().all(|one| matches!(one, Outcome::Done(_))) {
            let (name, body) = answer
                .err()
                .unwrap_or_else(|| panic!("{request} succeeded"));
            self.check_cancelled(&writes, &outcomes, &name, &body);
            return touched;
        }
        let answer = answer.unwrap_or_else(|error| panic!("{request}: {error:?}"));
        let mut tables: Vec<usize> = Vec::new();
        let mut written = vec![Bill::default(); self.model.tables.len()];
        let mut repeated = written.clone();
        for (write, outcome) in writes.iter().zip(outcomes) {
            let Outcome::Done(new) = outcome else {
                continue;
            };
            if !tables.contains(&write.table) {
                tables.push(write.table);
            }
            let table = &self.model.tables[write.table];
            let size = |item: Option<&Value>| item.map_or(0, item_size);
            let larger = size(table.get(&write.key)).max(size(new.as_ref()));
            let again = read_units(larger, TRANSACTIONAL);
            repeated[write.table].add(&Bill::of_table(again));
            written[write.table].add(&self.bill(write, new.as_ref()).in_transaction());
            self.model.tables[write.table].set(&write.key, new);
        }
        let bills = |bills: &[Bill], told| {
            let bills = tables.iter().map(|table| (*table, &bills[*table]));
            self.consumed(bills, kind, told)
        };
        assert_eq!(
            answer["ConsumedCapacity"],
            bills(&written, Told::Write),
            "{request}"
        );
        if token {
            let answer = self.harness.ok(TransactWriteItems, request);
            assert_eq!(answer["ConsumedCapacity"], bills(&repeated, Told::Read));
        }
        touched
    }

    /// The reasons of a cancellation are those of the writes, in order. An update that does not fit
    /// its item can refuse the request instead.
    fn check_cancelled(&self, writes: &[Write], outcomes: &[Outcome], name: &str, body: &Value) {
        if outcomes.iter().any(|one| matches!(one, Outcome::Invalid)) {
            let known = ["ValidationException", "TransactionCanceledException"];
            assert!(known.contains(&name), "{body}");
            return;
        }
        assert_eq!(name, "TransactionCanceledException", "{body}");
        let reasons = body["CancellationReasons"].as_array().unwrap();
        assert_eq!(reasons.len(), writes.len());
        for ((write, outcome), reason) in writes.iter().zip(outcomes).zip(reasons) {
            let failed = matches!(outcome, Outcome::ConditionFailed);
            let code = if failed {
                "ConditionalCheckFailed"
            } else {
                "None"
            };
            assert_eq!(reason["Code"], code, "{body}");
            let old = self.model.tables[write.table].get(&write.key);
            let shown = old.filter(|_| failed && write.shows).cloned();
            assert_eq!(
                normal(reason["Item"].clone()),
                shown.unwrap_or_default(),
                "{body}"
            );
        }
    }
}

/// What `ReturnValues` returns, where the model knows it.
fn returned(
    write: &Write,
    values: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Option<Value> {
    let whole = |item: Option<&Value>| item.cloned().unwrap_or_default();
    let Action::Update(update) = &write.action else {
        return Some(whole(old.filter(|_| values == "ALL_OLD")));
    };
    match values {
        "ALL_OLD" => Some(whole(old)),
        "ALL_NEW" => Some(whole(new)),
        "UPDATED_OLD" if update.is_flat() => Some(some_of(old, update.names())),
        "UPDATED_NEW" if update.is_flat() => Some(some_of(new, update.names())),
        "NONE" => Some(Value::Null),
        _ => None,
    }
}

/// A list of `ConsumedCapacity` by table.
pub(super) fn in_order(consumed: &Value) -> Option<Vec<Value>> {
    let mut consumed = consumed.as_array()?.clone();
    consumed.sort_by_key(|one| one["TableName"].to_string());
    Some(consumed)
}
