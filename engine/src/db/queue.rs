//! The commit queue: where commits get their sequence numbers and wait for the WAL writer.
//!
//! A commit takes the queue's lock for as long as it takes to get a number, to learn which memtable
//! is its own, and to push its encoded record. It then puts itself into that memtable, beside all
//! others and beside the writer, who may be writing its record meanwhile.

use std::collections::VecDeque;
use std::sync::Arc;

use super::memtables::MemtableSet;
use crate::error::{Error, Result};
use crate::memtable::Memtable;
use crate::sync::Mutex;
use crate::wal::Record;

/// Bytes that the writer takes at a time. One write of this takes the disk a millisecond or so, and
/// those who came first in it wait for those who came last.
const GROUP_SIZE: usize = 1 << 20;

/// Records that have no place in the log yet.
pub(super) struct CommitQueue {
    state: Mutex<State>,
}

struct State {
    next_sequence: u64,
    /// Those of the last sequence numbers given out, without gaps.
    pending: VecDeque<Record>,
    /// Nothing more is accepted.
    closed: Option<Error>,
}

/// A commit that was given its place.
pub(super) struct Placed {
    pub(super) sequence: u64,
    /// Where it belongs.
    pub(super) memtable: Arc<Memtable>,
}

/// What the writer takes from the queue.
pub(super) struct Taken {
    pub(super) first_sequence: u64,
    pub(super) records: Vec<Record>,
    /// Bytes of the records.
    pub(super) size: usize,
}

impl CommitQueue {
    /// Continues behind a sequence number.
    pub(super) fn new(last_sequence: u64) -> Self {
        let state = State {
            next_sequence: last_sequence + 1,
            pending: VecDeque::new(),
            closed: None,
        };
        CommitQueue {
            state: Mutex::new(state),
        }
    }

    /// Gives a commit its sequence number and its memtable. Nobody is told: who waits for the commit
    /// asks for it to be written.
    pub(super) fn push(&self, record: Record, memtables: &MemtableSet) -> Result<Placed> {
        let mut state = self.state.lock();
        if let Some(closed) = &state.closed {
            return Err(closed.clone());
        }
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        state.pending.push_back(record);
        let memtable = Arc::clone(&memtables.load().active);
        Ok(Placed { sequence, memtable })
    }

    /// The last sequence number that was given out.
    pub(super) fn last_sequence(&self) -> u64 {
        self.state.lock().next_sequence - 1
    }

    /// Takes what one group may have, in order; `None` if nothing waits.
    pub(super) fn take(&self) -> Option<Taken> {
        let mut state = self.state.lock();
        let first_sequence = state.next_sequence - state.pending.len() as u64;
        let mut size = 0;
        let mut count = 0;
        for record in &state.pending {
            if count > 0 && size + record.len() > GROUP_SIZE {
                break;
            }
            size += record.len();
            count += 1;
        }
        let records: Vec<Record> = state.pending.drain(..count).collect();
        (!records.is_empty()).then_some(Taken {
            first_sequence,
            records,
            size,
        })
    }

    /// Makes the active memtable immutable if it is still this one and, so it holds anything, lets
    /// later commits go into a new one. Under the queue's lock, so that no commit is between its
    /// number and its memtable. Answers whether it was done.
    pub(super) fn rotate(&self, full: &Arc<Memtable>, memtables: &MemtableSet) -> bool {
        let state = self.state.lock();
        let rotate = Arc::ptr_eq(&memtables.load().active, full) && !full.is_empty();
        if rotate {
            memtables.rotate(state.next_sequence - 1);
        }
        rotate
    }

    /// Refuses commits from now on with this error.
    pub(super) fn close(&self, error: Error) {
        self.state.lock().closed.get_or_insert(error);
    }

    /// Whether [`CommitQueue::close`] was called.
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().closed.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wal::RecordBuilder;

    fn record(size: usize) -> Record {
        let mut builder = RecordBuilder::new(1, size);
        builder.put(b"key", &vec![0; size]);
        builder.finish().unwrap()
    }

    #[test]
    fn numbers_are_given_out_in_the_order_of_the_log() {
        let (queue, memtables) = (CommitQueue::new(41), MemtableSet::new());
        assert!(queue.take().is_none());
        for expected in 42..45 {
            assert_eq!(
                queue.push(record(10), &memtables).unwrap().sequence,
                expected
            );
        }
        let taken = queue.take().unwrap();
        assert_eq!((taken.first_sequence, taken.records.len()), (42, 3));
        queue.push(record(10), &memtables).unwrap();
        assert_eq!(queue.take().unwrap().first_sequence, 45);
    }

    #[test]
    fn a_group_is_bounded_but_takes_at_least_one() {
        let (queue, memtables) = (CommitQueue::new(0), MemtableSet::new());
        for size in [2 * GROUP_SIZE, 10, GROUP_SIZE / 2, GROUP_SIZE / 2, 10] {
            queue.push(record(size), &memtables).unwrap();
        }
        let groups: Vec<usize> = std::iter::from_fn(|| queue.take())
            .map(|taken| taken.records.len())
            .collect();
        assert_eq!(groups, [1, 2, 2]);
    }

    #[test]
    fn only_the_active_memtable_is_rotated_and_only_once() {
        let (queue, memtables) = (CommitQueue::new(0), MemtableSet::new());
        let first = queue.push(record(10), &memtables).unwrap().memtable;
        assert!(!queue.rotate(&first, &memtables), "nothing is in it yet");
        first.drop_keyspace(crate::key::KeyspaceId(1), 1);
        assert!(queue.rotate(&first, &memtables));
        assert!(!queue.rotate(&first, &memtables));
        assert_eq!(memtables.load().immutable[0].last_sequence, 1);
        let second = queue.push(record(10), &memtables).unwrap().memtable;
        assert!(!Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn a_closed_queue_refuses_and_lets_the_writer_finish() {
        let (queue, memtables) = (CommitQueue::new(0), MemtableSet::new());
        queue.push(record(10), &memtables).unwrap();
        queue.close(Error::Closed);
        assert!(matches!(
            queue.push(record(10), &memtables),
            Err(Error::Closed)
        ));
        assert!(queue.take().is_some());
        assert!(queue.take().is_none());
        assert!(queue.is_closed());
    }
}
