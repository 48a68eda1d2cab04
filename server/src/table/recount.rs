//! Counting tables anew after a crash.

use std::{collections::VecDeque, sync::Arc};

use super::Statistics;
use crate::{
    item::ItemRef,
    store::{
        Direction, EngineError, Key, KeyRange, Next, Priority, ReadMode, Snapshot, Step, Store,
        Task,
    },
};

/// Entries that one step counts: some tens of microseconds.
const STEP: usize = 1024;

/// Counts what keyspaces held when the store was opened, a little at a time.
struct Recount {
    /// The state that was opened: nothing had been written yet.
    snapshot: Snapshot,
    waiting: VecDeque<Arc<Statistics>>,
    current: Option<Current>,
}

/// The keyspace that is being counted.
struct Current {
    statistics: Arc<Statistics>,
    counted: (i64, i64),
    rest: KeyRange,
}

/// Begins to count those of `all` anew that need it. Must be called before anything is written.
pub(super) fn begin(
    store: &Store,
    all: impl Iterator<Item = Arc<Statistics>>,
) -> Result<(), EngineError> {
    let waiting: VecDeque<_> = all
        .filter(|statistics| statistics.awaits_recount())
        .collect();
    if waiting.is_empty() {
        return Ok(());
    }
    tracing::info!("counting the items of {} tables and indexes", waiting.len());
    let recount = Recount {
        snapshot: store.snapshot(),
        waiting,
        current: None,
    };
    // It runs on by itself; nobody waits for its end.
    store
        .env()
        .scheduler
        .spawn("recount", Priority::Idle, Box::new(recount))?;
    Ok(())
}

impl Task for Recount {
    fn step(&mut self) -> Next {
        let Some(mut current) = self.current.take().or_else(|| self.next()) else {
            return Next::Done;
        };
        match current.count(&self.snapshot) {
            Ok(Some(rest)) => {
                current.rest = rest;
                self.current = Some(current);
                Next::Again
            }
            Ok(None) => {
                current.statistics.correct(current.counted);
                Next::Again
            }
            Err(EngineError::Closed) => Next::Done,
            Err(error) => {
                // The figures stay as they are, and stay marked as inexact on disk.
                tracing::error!("items could not be counted: {error}");
                Next::Again
            }
        }
    }
}

impl Recount {
    fn next(&mut self) -> Option<Current> {
        let statistics = self.waiting.pop_front()?;
        let rest = KeyRange::keyspace(statistics.keyspace());
        Some(Current {
            statistics,
            counted: (0, 0),
            rest,
        })
    }
}

impl Current {
    /// Counts some entries; gives what is left, if anything is.
    fn count(&mut self, snapshot: &Snapshot) -> Result<Option<KeyRange>, EngineError> {
        let range = self.rest.clone();
        let mut entries = snapshot.range(range.clone(), Direction::Forward, ReadMode::Blocking);
        let mut last: Option<Key> = None;
        for _ in 0..STEP {
            match entries.next()? {
                Step::Entry { key, value } => {
                    self.counted.0 += 1;
                    // What is no item is some reader's error to report, not ours.
                    let size = ItemRef::from_stored(&value).map_or(0, ItemRef::size);
                    self.counted.1 += i64::try_from(size).unwrap_or(i64::MAX);
                    last = Some(key.into());
                }
                Step::Paused(..) => {}
                Step::End => return Ok(None),
            }
        }
        Ok(Some(match last {
            Some(last) => range.after(&last),
            None => range,
        }))
    }
}
