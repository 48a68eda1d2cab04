//! fjall, with its own defaults but for cache and memtable. It has no group commit: a durable put is
//! an insertion and a sync of the journal.

use std::ops::Bound;
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{Acknowledged, Result, Store, Way};
use crate::settings::Settings;

pub struct Fjall {
    db: Database,
    keyspace: Keyspace,
    durable: bool,
}

impl Fjall {
    pub fn open(dir: &Path, settings: &Settings, acknowledged: Acknowledged) -> Result<Fjall> {
        let db = Database::builder(dir)
            .cache_size(settings.cache_bytes() as u64)
            .open()?;
        let memtable = settings.memtable_bytes() as u64;
        let keyspace = db.keyspace("items", || {
            KeyspaceCreateOptions::default().max_memtable_size(memtable)
        })?;
        Ok(Fjall {
            db,
            keyspace,
            durable: acknowledged == Acknowledged::Durable,
        })
    }
}

impl Store for Fjall {
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.keyspace.insert(key, value)?;
        if self.durable {
            self.db.persist(PersistMode::SyncData)?;
        }
        Ok(())
    }

    fn load(&self, entries: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
        let mut batch = self.db.batch();
        for (key, value) in entries {
            batch.insert(&self.keyspace, key.as_slice(), value.as_slice());
        }
        Ok(batch.commit()?)
    }

    fn get(&self, key: &[u8], check: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool> {
        Ok(self.keyspace.get(key)?.is_some_and(|value| check(&value)))
    }

    fn scan(
        &self,
        from: &[u8],
        way: Way,
        count: usize,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<usize> {
        let mut seen = 0;
        let mut take = |guard: fjall::Guard| -> Result<()> {
            visit(&guard.value()?);
            seen += 1;
            Ok(())
        };
        match way {
            Way::Forward => {
                let range = (Bound::Excluded(from), Bound::Unbounded);
                self.keyspace
                    .range::<&[u8], _>(range)
                    .take(count)
                    .try_for_each(&mut take)?;
            }
            Way::Backward => {
                let range = (Bound::Unbounded, Bound::Excluded(from));
                self.keyspace
                    .range::<&[u8], _>(range)
                    .rev()
                    .take(count)
                    .try_for_each(&mut take)?;
            }
        }
        Ok(seen)
    }
}
