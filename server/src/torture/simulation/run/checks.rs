//! What has to hold of everything that is there.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::Run;
use crate::stator::Stator;
use crate::store::{Direction, KeyRange, ReadMode, Step, layout::expiry_entry};
use crate::torture::observe::{StreamReader, check_indexes, read_items, replay};
use crate::torture::simulation::local::Local;
use crate::torture::tables::{ADDED, Items, TABLES, TTL, as_number, table};
use crate::torture::{Caller, Checked};
use crate::wire::Operation;

impl Run {
    /// Everything is as it should be.
    pub(super) fn check(&mut self) -> Checked {
        let stator = self.stator()?;
        let mut caller = Local(stator.clone());
        let items = read_items(&mut caller)?;
        self.check_switches(&mut caller)?;
        let records = StreamReader::default().read(&mut caller)?;
        let now_ms = stator.now_ms();
        let log = self.history.settle(&items, &records, now_ms)?;
        *self
            .coverage
            .work
            .entry("writes found after an end")
            .or_default() += log.0 as u64;
        *self
            .coverage
            .work
            .entry("writes lost in an end")
            .or_default() += log.1 as u64;
        for tokened in &mut self.tokened {
            if let Some(effect) = tokened.effect.take() {
                tokened.done = Some(effect <= log.0);
            }
        }
        let mut replayed = Items::new();
        replay(&mut replayed, &records, self.trimmed)?;
        if !self.trimmed && replayed != items {
            return Err("the streams' records do not come to what the items are".into());
        }
        // Indexes that are being filled, counts that are made anew.
        self.idle()?;
        let added = self.added.unwrap_or(false).then_some(&ADDED);
        check_indexes(&mut caller, &items, added)?;
        check_expiry(&stator, &items)?;
        check_counts(&mut caller, &items)
    }

    /// What is switched is as it was, or what is not known is learnt.
    fn check_switches(&mut self, caller: &mut Local) -> Checked {
        // Who fills an index waits a while where the store takes no more.
        for _ in 0..50 {
            self.idle()?;
            self.machine.advance(Duration::from_millis(100));
        }
        let named = |number| json!({"TableName": table(number).name});
        let answer = caller.ask(Operation::DescribeTable, &named(0))?;
        let described = answer.get("Table");
        let indexes = described.and_then(|table| table.get("GlobalSecondaryIndexes"));
        let mut indexes = indexes.and_then(Value::as_array).into_iter().flatten();
        let added = indexes.find(|index| index.get("IndexName") == Some(&json!(ADDED.name)));
        if let Some(index) = added
            && index.get("IndexStatus") != Some(&json!("ACTIVE"))
        {
            return Err(format!("an index that nothing more happens to: {index}"));
        }
        if self.added.is_some_and(|known| known != added.is_some()) {
            return Err(format!("the added index is {added:?}"));
        }
        self.added = Some(added.is_some());
        let answer = caller.ask(Operation::DescribeTimeToLive, &named(1))?;
        let described = answer.get("TimeToLiveDescription");
        let status = described.and_then(|table| table.get("TimeToLiveStatus"));
        let expires = status == Some(&json!("ENABLED"));
        if self.expires.is_some_and(|known| known != expires) {
            return Err(format!("time to live of the second table is {status:?}"));
        }
        self.expires = Some(expires);
        Ok(())
    }
}

/// The index of what expires has exactly what the items say.
fn check_expiry(stator: &Stator, items: &Items) -> Checked {
    let context = stator.context();
    for (number, shape) in TABLES.iter().enumerate() {
        let table = stator.describe(&context, shape.name);
        let table = table.map_err(|error| format!("{}: {error:?}", shape.name))?;
        let Some(index) = table.expiry() else {
            continue;
        };
        let own = items.iter().filter(|(key, _)| key.table == number);
        let mut expected: Vec<u64> = own
            .filter_map(|(_, item)| u64::try_from(as_number(item, TTL)?).ok())
            .collect();
        expected.sort_unstable();
        let snapshot = stator.store().snapshot();
        let range = KeyRange::keyspace(index.keyspace());
        let mut entries = snapshot.range(range, Direction::Forward, ReadMode::Blocking);
        let (mut found, mut keys) = (Vec::new(), BTreeSet::new());
        loop {
            match entries
                .next()
                .map_err(|error| format!("what expires: {error}"))?
            {
                Step::Entry { key, .. } => {
                    let entry = expiry_entry(key, table.keyspace());
                    let (second, item) = entry.ok_or("an entry of what expires that is none")?;
                    found.push(second);
                    if !keys.insert(item.as_bytes().to_vec()) {
                        return Err(format!("an item expires twice, also at {second}"));
                    }
                }
                Step::Paused(_) => {}
                Step::End => break,
            }
        }
        if found != expected {
            return Err(format!(
                "in {} these seconds expire: {found:?}, and of the items {expected:?}",
                shape.name
            ));
        }
    }
    Ok(())
}

/// After an end the items are counted anew.
fn check_counts(caller: &mut Local, items: &Items) -> Checked {
    for (number, shape) in TABLES.iter().enumerate() {
        let request = json!({"TableName": shape.name});
        let answer = caller.ask(Operation::DescribeTable, &request)?;
        let described = answer.get("Table").and_then(|table| table.get("ItemCount"));
        let count = items.keys().filter(|key| key.table == number).count();
        if described.and_then(Value::as_u64) != Some(count as u64) {
            return Err(format!(
                "{} has {count} items and says {described:?}",
                shape.name
            ));
        }
    }
    Ok(())
}
