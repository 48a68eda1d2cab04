//! Which sequence numbers somebody still reads at, and from which on the past of a keyspace is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::watermark::Durable;
use crate::key::{DroppedKeyspaces, KeyspaceId};
use crate::manifest::{Histories, HistoryChange, Window};
use crate::sync::Mutex;

/// The floor of the window of a dropped keyspace: a drop ends it.
const ENDED: u64 = u64::MAX;

/// The live snapshots, and the retention windows as they stand now.
///
/// All of it is under one lock: a flush or a compaction that lists what must be kept either sees a
/// new reader, or has published here what may be gone before that reader looks.
pub(super) struct SnapshotRegistry {
    state: Mutex<State>,
}

struct State {
    live: BTreeMap<u64, Live>,
    /// Their floors are at or above those of the manifest.
    windows: Arc<BTreeMap<KeyspaceId, Window>>,
    /// Where there is no window: what only readers below this saw may be gone.
    collected: u64,
}

/// Live snapshots of one sequence number.
#[derive(Default)]
struct Live {
    count: usize,
    /// Nothing that they see may be gone, in whatever keyspace.
    whole: bool,
}

/// What a reader as of a sequence number of the past may read.
#[derive(Clone)]
pub(super) struct Past {
    sequence: u64,
    /// Nothing is gone, in whatever keyspace.
    whole: bool,
    windows: Arc<BTreeMap<KeyspaceId, Window>>,
    collected: u64,
    /// Keyspaces of which pins and forks keep just this sequence number.
    held: BTreeSet<KeyspaceId>,
}

impl Past {
    /// Where the past of a keyspace begins that this reader can't see; `None` if it can read it.
    pub(super) fn floor_above(&self, keyspace: KeyspaceId) -> Option<u64> {
        let window = self.windows.get(&keyspace);
        let floor = match window {
            Some(window) if window.floor != ENDED => window.floor.min(self.collected),
            _ => self.collected,
        };
        let kept = self.whole || self.sequence >= floor || self.held.contains(&keyspace);
        (!kept).then_some(floor)
    }
}

impl SnapshotRegistry {
    /// For a database that was recovered up to a commit, of whose older versions nothing need be
    /// left but what the manifest says.
    pub(super) fn new(recovered: u64, histories: &Histories, dropped: &DroppedKeyspaces) -> Self {
        let windows = histories.windows().map(|(keyspace, mut window)| {
            if dropped.dropped_at(keyspace).is_some() {
                window.floor = ENDED;
            }
            (keyspace, window)
        });
        SnapshotRegistry {
            state: Mutex::new(State {
                live: BTreeMap::new(),
                windows: Arc::new(windows.collect()),
                collected: recovered,
            }),
        }
    }

    /// Registers a snapshot of all that is durable. Under the lock, so that a compaction that lists
    /// the snapshots either sees it or has no newer durable version than it to go by.
    pub(super) fn register(&self, durable: &Durable) -> u64 {
        let mut state = self.state.lock();
        let sequence = durable.sequence();
        let live = state.live.entry(sequence).or_default();
        live.count += 1;
        live.whole = true;
        sequence
    }

    /// Registers a snapshot as of a sequence number that is durable. `histories` gives those of the
    /// current version, which is asked for under the lock.
    pub(super) fn register_past(
        &self,
        sequence: u64,
        histories: impl FnOnce() -> Arc<Histories>,
    ) -> Past {
        let mut state = self.state.lock();
        let held = histories();
        let held = held.held().filter(|(_, at)| *at == sequence);
        let past = Past {
            sequence,
            whole: state.live.get(&sequence).is_some_and(|live| live.whole),
            windows: Arc::clone(&state.windows),
            collected: state.collected,
            held: held.map(|(keyspace, _)| keyspace).collect(),
        };
        state.live.entry(sequence).or_default().count += 1;
        past
    }

    /// A snapshot is gone. Answers whether it was the last of its sequence number.
    pub(super) fn release(&self, sequence: u64) -> bool {
        let mut state = self.state.lock();
        let Some(live) = state.live.get_mut(&sequence) else {
            return false;
        };
        live.count -= 1;
        let last = live.count == 0;
        if last {
            state.live.remove(&sequence);
        }
        last
    }

    /// The sequence numbers of the live snapshots, rising, the one up to which all is durable now
    /// (the next snapshot will not be below it), and the floors of the windows, raised to what
    /// `floor` gives for a window's length. A job that goes by them may begin.
    pub(super) fn begin_job(
        &self,
        durable: &Durable,
        dropped: &DroppedKeyspaces,
        floor: impl Fn(u64) -> u64,
    ) -> (Vec<u64>, u64, Vec<(KeyspaceId, u64)>) {
        let mut state = self.state.lock();
        let visible = durable.sequence();
        state.collected = state.collected.max(visible);
        if !state.windows.is_empty() {
            // Readers as of the past hold on to the floors that they were registered with.
            for (keyspace, window) in Arc::make_mut(&mut state.windows) {
                let ended = dropped
                    .dropped_at(*keyspace)
                    .is_some_and(|at| at <= visible);
                let reached = if ended {
                    ENDED
                } else {
                    floor(window.length_ms)
                };
                window.floor = window.floor.max(reached);
            }
        }
        let windows = state.windows.iter();
        let floors = windows.filter(|(_, window)| window.floor != ENDED);
        let floors = floors.map(|(keyspace, window)| (*keyspace, window.floor));
        let snapshots = state.live.keys().copied().collect();
        (snapshots, visible, floors.collect())
    }

    /// Sets a window, or ends it. A new one begins with what is durable now; another length keeps
    /// what the one before has kept. Answers what the manifest has to say.
    pub(super) fn set_window(
        &self,
        keyspace: KeyspaceId,
        length_ms: u64,
        durable: &Durable,
    ) -> Window {
        let mut state = self.state.lock();
        let windows = Arc::make_mut(&mut state.windows);
        let mut window = Window {
            length_ms,
            floor: durable.sequence(),
        };
        if length_ms == 0 {
            windows.remove(&keyspace);
            window.floor = 0;
        } else if let Some(before) = windows.get_mut(&keyspace) {
            before.length_ms = length_ms;
            window.floor = before.floor;
        } else {
            windows.insert(keyspace, window);
        }
        window
    }

    /// Puts a window back as it was: the change of it did not come to be.
    pub(super) fn restore_window(&self, keyspace: KeyspaceId, before: Option<Window>) {
        let mut state = self.state.lock();
        let windows = Arc::make_mut(&mut state.windows);
        match before {
            Some(before) => windows.insert(keyspace, before),
            None => windows.remove(&keyspace),
        };
    }

    /// The window of a keyspace.
    pub(super) fn window(&self, keyspace: KeyspaceId) -> Option<Window> {
        self.state.lock().windows.get(&keyspace).copied()
    }

    /// The windows of keyspaces of which nothing is left end.
    pub(super) fn forget(&self, keyspaces: &[KeyspaceId]) {
        let mut state = self.state.lock();
        if keyspaces
            .iter()
            .any(|gone| state.windows.contains_key(gone))
        {
            let windows = Arc::make_mut(&mut state.windows);
            windows.retain(|keyspace, _| !keyspaces.contains(keyspace));
        }
    }

    /// The floors that have risen above those of the manifest, for the edit of a job that went by
    /// them: after a restart nobody may read below.
    pub(super) fn raised_floors(&self, histories: &Histories) -> Vec<HistoryChange> {
        let windows = Arc::clone(&self.state.lock().windows);
        let raised = histories.windows().filter_map(|(keyspace, known)| {
            let floor = windows.get(&keyspace)?.floor;
            let window = Window { floor, ..known };
            (floor > known.floor && floor != ENDED)
                .then_some(HistoryChange::Window(keyspace, window))
        });
        raised.collect()
    }

    /// How many snapshots there are.
    pub(super) fn count(&self) -> usize {
        let state = self.state.lock();
        state.live.values().map(|live| live.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: KeyspaceId = KeyspaceId(1);
    const TWO: KeyspaceId = KeyspaceId(2);

    fn registry() -> SnapshotRegistry {
        SnapshotRegistry::new(5, &Histories::default(), &DroppedKeyspaces::default())
    }

    fn boundaries(registry: &SnapshotRegistry, durable: &Durable) -> (Vec<u64>, u64) {
        let (snapshots, visible, _) = registry.begin_job(durable, &Default::default(), |_| 0);
        (snapshots, visible)
    }

    #[test]
    fn boundaries_are_the_live_snapshots_and_the_present() {
        let (registry, durable) = (registry(), Durable::new(5));
        assert_eq!(boundaries(&registry, &durable), (vec![], 5));
        assert_eq!(registry.register(&durable), 5);
        assert_eq!(registry.register(&durable), 5);
        durable.publish(9);
        assert_eq!(registry.register(&durable), 9);
        durable.publish(12);
        assert_eq!(boundaries(&registry, &durable), (vec![5, 9], 12));
        registry.release(5);
        assert_eq!(boundaries(&registry, &durable), (vec![5, 9], 12));
        registry.release(5);
        assert_eq!(boundaries(&registry, &durable), (vec![9], 12));
        assert_eq!(registry.count(), 1);
    }

    #[test]
    fn the_past_is_readable_from_the_floor_on_and_where_something_keeps_it() {
        let (registry, durable) = (registry(), Durable::new(5));
        durable.publish(10);
        let window = registry.set_window(ONE, 1000, &durable);
        assert_eq!(window.floor, 10);
        durable.publish(50);
        let floor = |sequence, keyspace| {
            let past = registry.register_past(sequence, Arc::default);
            registry.release(sequence);
            past.floor_above(keyspace)
        };
        // No job has run since the opening.
        assert_eq!(floor(4, ONE), Some(5));
        assert_eq!(floor(7, TWO), None);
        let snapshot = registry.register(&durable);
        durable.publish(60);
        registry.begin_job(&durable, &Default::default(), |_| 30);
        assert_eq!(floor(29, ONE), Some(30));
        assert_eq!(floor(30, ONE), None);
        assert_eq!(floor(59, TWO), Some(60));
        assert_eq!(floor(snapshot, TWO), None);
        // A clock that goes back brings nothing back; nor does a longer window.
        registry.begin_job(&durable, &Default::default(), |_| 12);
        assert_eq!(registry.set_window(ONE, 9000, &durable).floor, 30);
        assert_eq!(floor(29, ONE), Some(30));
        let mut dropped = DroppedKeyspaces::default();
        dropped.insert(ONE, 55);
        registry.begin_job(&durable, &dropped, |_| 12);
        assert_eq!(floor(40, ONE), Some(60));
    }
}
