//! The database as a whole.

mod commits;
mod files;
mod forks;
mod logs;
mod model;
mod reads;
mod recovery;
mod space;
mod statistics;
mod versions;

use std::path::Path;

use super::*;
use crate::Batch;

pub(super) const DIR: &str = "/db";
pub(super) const KEYSPACE: KeyspaceId = KeyspaceId(1);

pub(super) fn key(name: &str) -> Key {
    Key::new(KEYSPACE, name.as_bytes(), b"")
}

pub(super) fn put(db: &Db, name: &str, value: &str) {
    let mut batch = Batch::new();
    batch.put(key(name), value.to_owned());
    db.write(batch).unwrap().wait().unwrap();
}

pub(super) fn get(db: &Db, name: &str) -> Option<String> {
    let value = db.get(&key(name), ReadMode::Blocking).unwrap()?;
    Some(String::from_utf8(value.to_vec()).unwrap())
}

pub(super) fn open(env: &Env) -> Db {
    Db::open(env.clone(), Path::new(DIR), Options::default()).unwrap()
}
