//! New keyspace ids, reserved in the manifest by the block.

use crate::error::{Error, Result};
use crate::key::KeyspaceId;
use crate::manifest::{VersionEdit, VersionSet};
use crate::mutants::{Mutant, is_on};
use crate::sync::Mutex;

/// Keyspaces below this are the caller's to number;
/// [`Db::create_keyspace`](crate::Db::create_keyspace) never returns them.
pub const FIRST_CREATED_KEYSPACE: KeyspaceId = KeyspaceId(1024);

/// Ids reserved by one edit of the manifest, so that a table with indexes, or a test run with a
/// thousand tables, does not sync it for each. What is left of a block when the database closes is
/// never used; two thousand million ids last for a long time even so.
const BLOCK: u32 = 64;

/// Gives out keyspace ids.
pub(super) struct Keyspaces {
    state: Mutex<State>,
}

struct State {
    next: u32,
    /// Ids below this are reserved in the manifest.
    limit: u32,
}

impl Keyspaces {
    /// Continues where the manifest says that no id was ever reserved.
    pub(super) fn new(limit: u32) -> Self {
        let limit = limit.max(FIRST_CREATED_KEYSPACE.0);
        Keyspaces {
            state: Mutex::new(State { next: limit, limit }),
        }
    }

    /// An id that was never given out, with a number that no other id has.
    pub(super) fn create(&self, versions: &VersionSet, is_log: bool) -> Result<KeyspaceId> {
        let mut state = self.state.lock();
        if state.next == state.limit {
            let limit = state.limit.checked_add(BLOCK);
            let limit = limit.filter(|limit| !KeyspaceId(*limit).is_log());
            let limit = limit.ok_or_else(|| Error::invalid("all keyspace ids are used up"))?;
            if !is_on(Mutant::IdsBeforeUse) {
                versions.apply(VersionEdit {
                    keyspace_limit: Some(limit),
                    ..VersionEdit::default()
                })?;
            }
            state.limit = limit;
        }
        let number = state.next;
        state.next += 1;
        Ok(match is_log {
            true => KeyspaceId::log(number),
            false => KeyspaceId(number),
        })
    }
}
