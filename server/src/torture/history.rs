//! What was done, in order, and which of it a crash may have taken away.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Checked;
use super::observe::Record;
use super::tables::{Item, ItemKey, Items, TABLES};
use super::work::{Change, Part};

/// Time that records of a stream are kept, in milliseconds (developer guide, "Change data capture for
/// DynamoDB Streams").
const KEPT_MS: u64 = 24 * 3600 * 1000;

/// Changes that were made as one.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub(super) changes: Vec<Change>,
    /// The newest commit of the store once it was made.
    pub(super) sequence: u64,
    /// When, in Unix milliseconds.
    pub(super) at_ms: u64,
    /// All of them are there or none. What time made due is done one by one.
    pub(super) whole: bool,
}

/// All that was done since the beginning, with a mark behind what has to be there.
#[derive(Debug, Default)]
pub(super) struct History {
    /// What was there when the database was opened.
    base: Items,
    /// What is there if all of `log` is.
    items: Items,
    log: Vec<Effect>,
    /// Effects of `log` that were acknowledged, or that stand before one that was.
    floor: usize,
    /// What was there for certain when the database was opened: for the streams.
    settled: Vec<Effect>,
}

impl History {
    /// All items, if nothing is lost.
    pub(super) fn items(&self) -> &Items {
        &self.items
    }

    /// Something was done. Returns what to acknowledge it by.
    pub(super) fn push(&mut self, effect: Effect) -> usize {
        apply(&mut self.items, &effect.changes);
        self.log.push(effect);
        self.log.len()
    }

    /// It was acknowledged.
    pub(super) fn acknowledge(&mut self, number: usize) {
        self.floor = self.floor.max(number);
    }

    /// Everything was.
    pub(super) fn acknowledge_all(&mut self) {
        self.floor = self.log.len();
    }

    /// Nothing since the opening was: what was acknowledged was not on the disk yet.
    pub(super) fn acknowledge_nothing(&mut self) {
        self.floor = 0;
    }

    /// Effects that a reader sees who sees the commits up to one.
    pub(super) fn visible(&self, sequence: u64) -> usize {
        self.log
            .partition_point(|effect| effect.sequence <= sequence)
    }

    /// What stood under a key after so many effects.
    pub(super) fn at(&self, number: usize, key: &ItemKey) -> Option<Arc<Item>> {
        let effects = self.log.iter().take(number).rev();
        let mut changes = effects.flat_map(|effect| effect.changes.iter().rev());
        match changes.find(|(changed, _, _)| changed == key) {
            Some((_, _, new)) => new.clone(),
            None => self.base.get(key).cloned(),
        }
    }

    /// What to acknowledge the newest change of these items by.
    pub(super) fn last_of(&self, parts: &[Part]) -> usize {
        let changes = |effect: &Effect| {
            let mut changes = effect.changes.iter();
            // A deletion of what was not there is nothing that an answer could tell of.
            changes.any(|(key, old, new)| old != new && parts.iter().any(|part| part.key == *key))
        };
        let last = self.log.iter().rposition(changes);
        last.map_or(0, |place| place + 1)
    }

    /// After an opening: goes on from what was found, if that is everything up to some effect, that
    /// none which was acknowledged stands behind, and if the streams have exactly that. The numbers of
    /// effects that were found, and that were lost.
    pub(super) fn settle(
        &mut self,
        found: &Items,
        records: &[Record],
        now_ms: u64,
    ) -> Checked<(usize, usize)> {
        let mut state = self.base.clone();
        let mut seen = None;
        for number in 0..=self.log.len() {
            let open = self.log.get(number);
            if number >= self.floor {
                let uncertain = open.filter(|effect| !effect.whole);
                let differs = difference(found, &state, uncertain);
                let fits = differs.map_or(Ok(()), Err).and_then(|()| {
                    let log = self.log.iter().take(number);
                    follow(records, self.settled.iter().chain(log), now_ms)
                });
                match fits {
                    Ok(()) => {
                        let lost = self.log.len() - number;
                        self.log.truncate(number);
                        self.settled.append(&mut self.log);
                        self.settled
                            .retain(|effect| effect.at_ms + 2 * KEPT_MS > now_ms);
                        self.base = found.clone();
                        self.items = found.clone();
                        self.floor = 0;
                        return Ok((number, lost));
                    }
                    // The words of the first, in which the least is missing.
                    Err(why) => seen = seen.or(Some((number, why))),
                }
            }
            if let Some(effect) = open {
                apply(&mut state, &effect.changes);
            }
        }
        let (number, why) = seen.unwrap_or_default();
        Err(format!(
            "of {} writes, the first {} have to be there and all behind some point not, and that is \
             so of none; after {number}: {why}",
            self.log.len(),
            self.floor
        ))
    }
}

fn apply(items: &mut Items, changes: &[Change]) {
    for (key, _, new) in changes {
        match new {
            Some(new) => items.insert(key.clone(), Arc::clone(new)),
            None => items.remove(key),
        };
    }
}

/// What is not as it should be, if anything is not. What an effect changes that is not whole may be
/// either way.
fn difference(found: &Items, expected: &Items, uncertain: Option<&Effect>) -> Option<String> {
    let keys: BTreeSet<&ItemKey> = found.keys().chain(expected.keys()).collect();
    let changed = |key: &ItemKey| {
        let mut changes = uncertain.into_iter().flat_map(|effect| &effect.changes);
        changes.find_map(|(changed, _, new)| (changed == key).then_some(new.as_ref()))
    };
    for key in keys {
        let (is, should) = (found.get(key), expected.get(key));
        if is != should && changed(key) != Some(is) {
            return Some(format!("{key:?} is {is:?} and not {should:?}"));
        }
    }
    None
}

/// The records of clients' writes are those of `effects`, table by table, each with both images, and
/// none that is younger than a day is missing.
fn follow<'a>(
    records: &[Record],
    effects: impl Iterator<Item = &'a Effect> + Clone,
    now_ms: u64,
) -> Checked {
    for table in 0..TABLES.len() {
        let own = |record: &&Record| record.key.table == table && !record.by_service;
        let mut found: Vec<&Record> = records.iter().filter(own).collect();
        let mut expected: Vec<(u64, Vec<&Change>)> = Vec::new();
        for effect in effects.clone().filter(|effect| effect.whole) {
            let of_table = |change: &&Change| change.0.table == table && change.1 != change.2;
            let mut changes: Vec<&Change> = effect.changes.iter().filter(of_table).collect();
            changes.sort_by_key(|change| &change.0);
            expected.push((effect.at_ms, changes));
        }
        // From the newest back, since the oldest may have been trimmed.
        for (at_ms, changes) in expected.iter().rev() {
            let start = found.len().saturating_sub(changes.len());
            let mut last = found.split_off(start);
            last.sort_by_key(|record| &record.key);
            let same = last.len() == changes.len()
                && last.iter().zip(changes).all(|(record, (key, old, new))| {
                    (&record.key, &record.old, &record.new) == (key, old, new)
                });
            let is_trimmed = last.is_empty() && at_ms + KEPT_MS <= now_ms;
            if !same && !is_trimmed {
                return Err(format!(
                    "a stream has {last:?} where the history has {changes:?}"
                ));
            }
        }
        if let Some(more) = found.last() {
            return Err(format!(
                "a stream has a record of what nobody did: {more:?}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
