//! Reading everything back through requests, and checks that need no memory: each index is a function
//! of its table, and each stream tells how the items came to be what they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::tables::{Index, Item, ItemKey, Items, TABLES, Table, table};
use super::{Caller, Checked};
use crate::wire::Operation;

/// Entries on a page: few, so that there are several.
const PAGE: u32 = 7;

/// A record of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: ItemKey,
    pub(super) old: Option<Arc<Item>>,
    pub(super) new: Option<Arc<Item>>,
    /// Expiry did it, and no client.
    pub(super) by_service: bool,
    sequence_number: String,
}

/// All items of all tables.
pub(super) fn read_items(caller: &mut dyn Caller) -> Checked<Items> {
    let mut items = Items::new();
    for (number, table) in TABLES.iter().enumerate() {
        for item in scan(caller, table, None)? {
            let key = ItemKey::of(number, &item).ok_or_else(|| format!("no item: {item}"))?;
            let Value::Object(item) = item else { continue };
            if items.insert(key.clone(), Arc::new(item)).is_some() {
                return Err(format!("a scan gave {key:?} twice"));
            }
        }
    }
    Ok(items)
}

fn scan(caller: &mut dyn Caller, table: &Table, index: Option<&Index>) -> Checked<Vec<Value>> {
    let mut request = Item::new();
    request.insert("TableName".into(), table.name.into());
    request.insert("Limit".into(), PAGE.into());
    match index {
        Some(index) => request.insert("IndexName".into(), index.name.into()),
        None => request.insert("ConsistentRead".into(), true.into()),
    };
    let mut found = Vec::new();
    loop {
        let mut answer = caller.ask(Operation::Scan, &Value::from(request.clone()))?;
        if let Some(Value::Array(items)) = answer.get_mut("Items").map(Value::take) {
            found.extend(items);
        }
        match answer.get("LastEvaluatedKey") {
            Some(last) => request.insert("ExclusiveStartKey".into(), last.clone()),
            None => return Ok(found),
        };
    }
}

/// Each index has exactly what the items have in it.
pub(super) fn check_indexes(
    caller: &mut dyn Caller,
    items: &Items,
    added: Option<&Index>,
) -> Checked {
    for (number, table) in TABLES.iter().enumerate() {
        let more = added.filter(|_| number == 0);
        for index in table.indexes.iter().chain(more) {
            let own = items.iter().filter(|(key, _)| key.table == number);
            let expected: BTreeMap<&ItemKey, Item> = own
                .filter_map(|(key, item)| Some((key, index.entry(item)?)))
                .collect();
            let found = scan(caller, table, Some(index))?;
            let mut seen = BTreeMap::new();
            for entry in found {
                let key = ItemKey::of(number, &entry).ok_or_else(|| format!("no item: {entry}"))?;
                if seen.insert(key.clone(), entry).is_some() {
                    return Err(format!("{} has {key:?} twice", index.name));
                }
            }
            for (key, entry) in &expected {
                let found = seen.remove(key);
                if found.as_ref().and_then(Value::as_object) != Some(entry) {
                    return Err(format!(
                        "{} of {} has {found:?} where its table has {entry:?}",
                        index.name, table.name
                    ));
                }
            }
            if let Some((key, entry)) = seen.first_key_value() {
                return Err(format!(
                    "{} of {} has {key:?}, which its table does not: {entry}",
                    index.name, table.name
                ));
            }
        }
    }
    Ok(())
}

/// Reads streams, each record once.
#[derive(Debug, Default)]
pub(super) struct StreamReader {
    /// By stream and shard, the last record that was read.
    positions: BTreeMap<(String, String), String>,
}

impl StreamReader {
    /// All records that were not read before: of each table in their order.
    pub(super) fn read(&mut self, caller: &mut dyn Caller) -> Checked<Vec<Record>> {
        let mut records = Vec::new();
        for (number, table) in TABLES.iter().enumerate() {
            let start = records.len();
            for arn in streams(caller, table)? {
                self.read_stream(caller, number, &arn, &mut records)?;
            }
            // Numbers rise with the commits, over all shards.
            let own = records.get_mut(start..).unwrap_or_default();
            own.sort_by(|one: &Record, other: &Record| {
                let rank = |number: &str| (number.len(), number.to_owned());
                rank(&one.sequence_number).cmp(&rank(&other.sequence_number))
            });
        }
        Ok(records)
    }

    fn read_stream(
        &mut self,
        caller: &mut dyn Caller,
        table: usize,
        arn: &str,
        records: &mut Vec<Record>,
    ) -> Checked {
        for shard in shards(caller, arn)? {
            let position = (arn.to_owned(), shard.clone());
            let mut request = json!({
                "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON",
            });
            if let (Some(last), Some(request)) =
                (self.positions.get(&position), request.as_object_mut())
            {
                request.insert("SequenceNumber".into(), last.clone().into());
                request.insert("ShardIteratorType".into(), "AFTER_SEQUENCE_NUMBER".into());
            }
            let answer = caller.ask(Operation::GetShardIterator, &request)?;
            let mut next = answer.get("ShardIterator").cloned();
            while let Some(iterator) = next.filter(|iterator| !iterator.is_null()) {
                let request = json!({"ShardIterator": iterator});
                let answer = caller.ask(Operation::GetRecords, &request)?;
                let page = answer.get("Records").and_then(Value::as_array);
                let page = page.map(Vec::as_slice).unwrap_or_default();
                for record in page {
                    let record = Record::read(table, record)
                        .ok_or_else(|| format!("no record of a change: {record}"))?;
                    self.positions
                        .insert(position.clone(), record.sequence_number.clone());
                    records.push(record);
                }
                if page.is_empty() {
                    break;
                }
                next = answer.get("NextShardIterator").cloned();
            }
        }
        Ok(())
    }
}

impl Record {
    fn read(table: usize, record: &Value) -> Option<Self> {
        let change = record.get("dynamodb")?;
        let image = |name: &str| {
            let image = change.get(name).and_then(Value::as_object);
            image.cloned().map(Arc::new)
        };
        let (old, new) = (image("OldImage"), image("NewImage"));
        let event = match (&old, &new) {
            (None, Some(_)) => "INSERT",
            (Some(_), Some(_)) => "MODIFY",
            _ => "REMOVE",
        };
        (record.get("eventName")? == event).then_some(())?;
        Some(Self {
            key: ItemKey::of(table, change.get("Keys")?)?,
            old,
            new,
            by_service: record
                .get("userIdentity")
                .is_some_and(|user| !user.is_null()),
            sequence_number: change.get("SequenceNumber")?.as_str()?.to_owned(),
        })
    }
}

#[cfg(test)]
impl Record {
    /// That an item was put where none was.
    pub(super) fn insert(key: ItemKey, new: Option<Arc<Item>>) -> Self {
        Self {
            key,
            old: None,
            new,
            by_service: false,
            sequence_number: String::new(),
        }
    }
}

fn streams(caller: &mut dyn Caller, table: &Table) -> Checked<Vec<String>> {
    let answer = caller.ask(Operation::ListStreams, &json!({"TableName": table.name}))?;
    let streams = answer.get("Streams").and_then(Value::as_array);
    let arns = streams.into_iter().flatten();
    let arns = arns.filter_map(|stream| stream.get("StreamArn")?.as_str());
    Ok(arns.map(str::to_owned).collect())
}

/// All shards, parents before children.
fn shards(caller: &mut dyn Caller, arn: &str) -> Checked<Vec<String>> {
    let mut found: Vec<String> = Vec::new();
    loop {
        let mut request = json!({"StreamArn": arn});
        if let (Some(last), Some(request)) = (found.last(), request.as_object_mut()) {
            request.insert("ExclusiveStartShardId".into(), last.clone().into());
        }
        let answer = caller.ask(Operation::DescribeStream, &request)?;
        let described = answer.get("StreamDescription");
        let shards = described.and_then(|stream| stream.get("Shards"));
        let ids = shards.and_then(Value::as_array).into_iter().flatten();
        let before = found.len();
        found.extend(ids.filter_map(|shard| Some(shard.get("ShardId")?.as_str()?.to_owned())));
        let more = described.and_then(|stream| stream.get("LastEvaluatedShardId"));
        if more.is_none_or(Value::is_null) || found.len() == before {
            return Ok(found);
        }
    }
}

/// Makes of items what the records say. Each has to begin with what the one before it has left. What
/// came before the first of an item may have been trimmed, if `trimmed`.
pub(super) fn replay(items: &mut Items, records: &[Record], trimmed: bool) -> Checked {
    let mut met = std::collections::BTreeSet::new();
    for record in records {
        let is_first = met.insert(&record.key);
        let was = items.get(&record.key);
        if was != record.old.as_ref() && !(trimmed && is_first) {
            return Err(format!(
                "a record of {} begins with {:?}, and the one before it left {was:?}",
                table(record.key.table).name,
                record.old
            ));
        }
        match &record.new {
            Some(new) => items.insert(record.key.clone(), Arc::clone(new)),
            None => items.remove(&record.key),
        };
    }
    Ok(())
}
