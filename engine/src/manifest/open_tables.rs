//! Which SSTables are open: whose index and filter take memory.
//!
//! They are part of what the block cache may take. As far as they take half of its size, the blocks have
//! the rest; beyond that, SSTables that were not used lately are closed again, and opened when somebody
//! needs them. So the memory of a database does not grow with its data, nor does the number of files that
//! it has open.
//!
//! Closing goes by the clock algorithm: SSTables stand in a queue, and one whose turn it is gets another
//! if it was used since the last one. A read sets a flag, takes no lock, and keeps what it uses.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::table::Table;
use crate::cache::BlockCache;
use crate::sync::Mutex;

/// What an open SSTable takes besides its index and its filter: its descriptor here and in the kernel,
/// and where its parts are.
const TABLE_OVERHEAD: usize = 1 << 10;

/// The open SSTables of one database.
#[derive(Default)]
pub(super) struct OpenTables {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Slot>,
    /// Of all that are in the queue.
    size: usize,
}

struct Slot {
    file_id: u64,
    table: Weak<Table>,
    size: usize,
}

impl OpenTables {
    /// Adds an SSTable that was opened, and closes others if there is no room for all.
    pub(super) fn add(&self, table: &Arc<Table>, pinned_size: usize, cache: &BlockCache) {
        let size = pinned_size + TABLE_OVERHEAD;
        // Those that were looked at, given back behind the lock: it may be the last reference, and a
        // table takes the lock when it is dropped.
        let mut looked_at = Vec::new();
        let mut state = self.state.lock();
        state.size += size;
        state.queue.push_back(Slot {
            file_id: table.file_id(),
            table: Arc::downgrade(table),
            size,
        });
        // Twice around: all may have been used since.
        for _ in 0..2 * state.queue.len() {
            if state.size <= cache.metadata_limit() {
                break;
            }
            let Some(slot) = state.queue.pop_front() else {
                break;
            };
            let other = slot.table.upgrade();
            // One that is being dropped leaves by itself. The one that was asked for stays: it is used.
            let closes = other
                .as_ref()
                .is_some_and(|other| !Arc::ptr_eq(other, table) && other.close_unless_used());
            match closes {
                true => state.size -= slot.size,
                false => state.queue.push_back(slot),
            }
            looked_at.extend(other);
        }
        cache.set_metadata_size(state.size);
        drop(state);
        drop(looked_at);
    }

    /// An SSTable goes, with its file or with the database.
    pub(super) fn remove(&self, file_id: u64, cache: &BlockCache) {
        let mut state = self.state.lock();
        let place = state.queue.iter().position(|slot| slot.file_id == file_id);
        if let Some(slot) = place.and_then(|place| state.queue.remove(place)) {
            state.size -= slot.size;
            cache.set_metadata_size(state.size);
        }
    }

    /// Bytes that they take.
    pub(super) fn size(&self) -> usize {
        self.state.lock().size
    }
}
