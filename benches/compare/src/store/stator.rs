//! This engine. Where it refuses a commit for the moment the caller waits and asks again, and the
//! time that takes is the commit's.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stator_engine::{
    Batch, Db, Direction, Durability, Env, Error, Key, KeyRange, KeyRef, KeyspaceId, Options,
    ReadMode, Step, Value,
};

use super::{Acknowledged, Result, Store, Way};
use crate::keys::KEYSPACE;
use crate::settings::Settings;

/// How often the log is synced where commits do not wait for it.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);
/// How long a caller waits who was refused for the moment.
const RETRY: Duration = Duration::from_millis(1);

pub struct Stator {
    db: Db,
    retries: AtomicU64,
}

impl Stator {
    pub fn open(dir: &Path, settings: &Settings, acknowledged: Acknowledged) -> Result<Stator> {
        let options = Options {
            durability: match acknowledged {
                Acknowledged::Durable => Durability::Sync,
                Acknowledged::Buffered => Durability::Interval(SYNC_INTERVAL),
            },
            memtable_size: settings.memtable_bytes(),
            block_cache_size: settings.cache_bytes(),
            ..Options::default()
        };
        Ok(Stator {
            db: Db::open(Env::real(), dir, options)?,
            retries: AtomicU64::new(0),
        })
    }

    /// Commits, again and again while the answer is that it is too much at the moment.
    fn commit(&self, batch: impl Fn() -> Result<Batch>) -> Result<()> {
        loop {
            match self.db.write(batch()?) {
                Ok(commit) => return Ok(commit.wait()?),
                Err(Error::Throttled) => {
                    self.retries.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(RETRY);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn key(bytes: &[u8]) -> Result<Key> {
    Ok(KeyRef::parse(bytes).ok_or("not a key")?.into())
}

impl Store for Stator {
    fn put(&self, key_bytes: &[u8], value: &[u8]) -> Result<()> {
        self.commit(|| {
            let mut batch = Batch::new();
            batch.put(key(key_bytes)?, Value::copy_from_slice(value));
            Ok(batch)
        })
    }

    fn load(&self, entries: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
        self.commit(|| {
            let mut batch = Batch::new();
            for (key_bytes, value) in entries {
                batch.put(key(key_bytes)?, Value::copy_from_slice(value));
            }
            Ok(batch)
        })
    }

    fn get(&self, key_bytes: &[u8], check: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool> {
        let found = self.db.get(&key(key_bytes)?, ReadMode::Blocking)?;
        Ok(found.is_some_and(|value| check(&value)))
    }

    fn scan(
        &self,
        from: &[u8],
        way: Way,
        count: usize,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<usize> {
        let (all, from) = (KeyRange::keyspace(KeyspaceId(KEYSPACE)), key(from)?);
        let (range, direction) = match way {
            Way::Forward => (all.after(&from), Direction::Forward),
            Way::Backward => (all.before(&from), Direction::Backward),
        };
        let snapshot = self.db.snapshot();
        let mut iter = snapshot.range(range, direction, ReadMode::Blocking);
        let mut seen = 0;
        while seen < count {
            match iter.next()? {
                Step::Entry { value, .. } => {
                    visit(&value);
                    seen += 1;
                }
                Step::Paused(_) => {}
                Step::End => break,
            }
        }
        Ok(seen)
    }

    fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }
}
