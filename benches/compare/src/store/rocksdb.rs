//! RocksDB: Bloom filters, levels sized from the bottom, as many background jobs as cores, memtables
//! that may wait as ours may, files written back as they grow. The rest is as it comes, compression
//! (Snappy) and the size of blocks (4 KiB) included.

use std::path::Path;

use rocksdb::{BlockBasedOptions, Cache, DB, Options, WriteBatch, WriteOptions};

use super::{Acknowledged, Result, Store, Way};
use crate::settings::Settings;

/// The pages written by flushes and compactions are sent to the disk in portions of this, so that no
/// sync of the log has to wait for all of them.
const BYTES_PER_SYNC: u64 = 1 << 20;

pub struct RocksDb {
    db: DB,
    write: WriteOptions,
}

impl RocksDb {
    pub fn open(dir: &Path, settings: &Settings, acknowledged: Acknowledged) -> Result<RocksDb> {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(&Cache::new_lru_cache(settings.cache_bytes())?);
        blocks.set_bloom_filter(10.0, false);
        blocks.set_format_version(5);
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_block_based_table_factory(&blocks);
        options.set_write_buffer_size(settings.memtable_bytes());
        options.set_max_write_buffer_number(5);
        options.set_level_compaction_dynamic_level_bytes(true);
        options.set_max_background_jobs(2);
        options.set_bytes_per_sync(BYTES_PER_SYNC);
        let mut write = WriteOptions::default();
        write.set_sync(acknowledged == Acknowledged::Durable);
        Ok(RocksDb {
            db: DB::open(&options, dir)?,
            write,
        })
    }
}

impl Store for RocksDb {
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        Ok(self.db.put_opt(key, value, &self.write)?)
    }

    fn load(&self, entries: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
        let mut batch = WriteBatch::default();
        for (key, value) in entries {
            batch.put(key, value);
        }
        Ok(self.db.write(batch)?)
    }

    fn get(&self, key: &[u8], check: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool> {
        Ok(self.db.get_pinned(key)?.is_some_and(|value| check(&value)))
    }

    fn scan(
        &self,
        from: &[u8],
        way: Way,
        count: usize,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<usize> {
        let mut iter = self.db.raw_iterator();
        match way {
            Way::Forward => iter.seek(from),
            Way::Backward => iter.seek_for_prev(from),
        }
        // The others begin behind the key.
        if iter.key() == Some(from) {
            match way {
                Way::Forward => iter.next(),
                Way::Backward => iter.prev(),
            }
        }
        let mut seen = 0;
        while seen < count
            && let Some(value) = iter.value()
        {
            visit(value);
            seen += 1;
            match way {
                Way::Forward => iter.next(),
                Way::Backward => iter.prev(),
            }
        }
        iter.status()?;
        Ok(seen)
    }
}
