//! redb. Every put is a transaction, every read sees the newest state: a transaction of its own.
//! Without sync, one commit each second is a durable one: before such a one redb frees nothing, and
//! its file would only grow.

use std::ops::Bound;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use redb::{Database, Durability, ReadableDatabase, TableDefinition};

use super::{Acknowledged, Result, Store, Way};
use crate::settings::Settings;

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("items");
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

pub struct Redb {
    db: Database,
    durable: bool,
    synced: Mutex<Instant>,
}

impl Redb {
    pub fn open(dir: &Path, settings: &Settings, acknowledged: Acknowledged) -> Result<Redb> {
        let db = Database::builder()
            .set_cache_size(settings.cache_bytes())
            .create(dir.join("redb"))?;
        let transaction = db.begin_write()?;
        transaction.open_table(TABLE)?;
        transaction.commit()?;
        Ok(Redb {
            db,
            durable: acknowledged == Acknowledged::Durable,
            synced: Mutex::new(Instant::now()),
        })
    }

    fn durability(&self) -> Durability {
        if self.durable {
            return Durability::Immediate;
        }
        match self.synced.lock() {
            Ok(mut synced) if synced.elapsed() >= SYNC_INTERVAL => {
                *synced = Instant::now();
                Durability::Immediate
            }
            _ => Durability::None,
        }
    }

    fn write<'a>(&self, entries: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Result<()> {
        let mut transaction = self.db.begin_write()?;
        transaction.set_durability(self.durability())?;
        {
            let mut table = transaction.open_table(TABLE)?;
            for (key, value) in entries {
                table.insert(key, value)?;
            }
        }
        Ok(transaction.commit()?)
    }
}

impl Store for Redb {
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.write(std::iter::once((key, value)))
    }

    fn load(&self, entries: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
        self.write(
            entries
                .iter()
                .map(|(key, value)| (key.as_slice(), value.as_slice())),
        )
    }

    fn get(&self, key: &[u8], check: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool> {
        let table = self.db.begin_read()?.open_table(TABLE)?;
        Ok(table.get(key)?.is_some_and(|value| check(value.value())))
    }

    fn scan(
        &self,
        from: &[u8],
        way: Way,
        count: usize,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<usize> {
        let table = self.db.begin_read()?.open_table(TABLE)?;
        let mut seen = 0;
        match way {
            Way::Forward => {
                let range = (Bound::Excluded(from), Bound::Unbounded);
                for entry in table.range::<&[u8]>(range)?.take(count) {
                    visit(entry?.1.value());
                    seen += 1;
                }
            }
            Way::Backward => {
                let range = (Bound::Unbounded, Bound::Excluded(from));
                for entry in table.range::<&[u8]>(range)?.rev().take(count) {
                    visit(entry?.1.value());
                    seen += 1;
                }
            }
        }
        Ok(seen)
    }
}
