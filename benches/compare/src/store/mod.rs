//! The engines under test behind one trait: the same keys, the same values, the same calls.

mod fjall;
mod redb;
mod rocksdb;
mod stator;

use std::error::Error;
use std::path::Path;

use crate::settings::Settings;

/// What any step of a comparison fails with.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// When a put is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// When it is on the disk.
    Durable,
    /// When the engine has it; the disk has it some time later.
    Buffered,
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Forward,
    Backward,
}

/// One open store of one engine.
pub trait Store: Send + Sync {
    /// Sets the value of a key.
    fn put(&self, key: &[u8], value: &[u8]) -> Result<()>;

    /// Sets many at once, without waiting for the disk.
    fn load(&self, batch: &[(Vec<u8>, Vec<u8>)]) -> Result<()>;

    /// Hands the value of a key to `check` where it lies, without a copy of ours, and answers what
    /// that says; `false` if there is none.
    fn get(&self, key: &[u8], check: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool>;

    /// Goes to a key and then through up to `count` entries behind it, or before it, and hands each
    /// value to `visit`. Answers how many there were.
    fn scan(
        &self,
        from: &[u8],
        way: Way,
        count: usize,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<usize>;

    /// What it has refused for the moment, and was asked again.
    fn retries(&self) -> u64 {
        0
    }
}

/// The engines by name, ours first.
pub const ENGINES: [&str; 4] = ["stator", "rocksdb", "fjall", "redb"];

/// Opens a store in a directory that exists.
pub fn open(
    engine: &str,
    dir: &Path,
    settings: &Settings,
    acknowledged: Acknowledged,
) -> Result<Box<dyn Store>> {
    Ok(match engine {
        "stator" => Box::new(stator::Stator::open(dir, settings, acknowledged)?),
        "rocksdb" => Box::new(rocksdb::RocksDb::open(dir, settings, acknowledged)?),
        "fjall" => Box::new(fjall::Fjall::open(dir, settings, acknowledged)?),
        "redb" => Box::new(redb::Redb::open(dir, settings, acknowledged)?),
        _ => return Err(format!("no engine is called {engine}").into()),
    })
}
