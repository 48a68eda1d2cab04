//! Flushes and compactions over files in memory, against a map of everything that was ever written:
//! no reader may notice them, and what no reader can see must go.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::picker::{Action, Reason};
use super::super::{Busy, Work, forgettable, pick};
use super::*;
use crate::cache::BlockCache;
use crate::io::MemoryFs;
use crate::iter::{Direction, SortedIter, Step, View, VisibleIter};
use crate::key::{DroppedKeyspaces, InternalKey, Key, KeyspaceId, Kind};
use crate::sstable::Lookup;
use crate::{KeyRange, KeyRef};

type Entries = BTreeMap<InternalKey, Bytes>;

/// Sizes so small that a few hundred writes fill several levels.
fn options() -> Options {
    Options {
        sstable_size: 1500,
        block_size: 200,
        base_level_size: 3000,
        level_fanout: 3,
        l0_compaction_threshold: 2,
        // Pieces of logs have 500 bytes at least.
        memtable_size: 64 * 500,
        ..Options::default()
    }
}

fn open() -> Arc<VersionSet> {
    let cache = Arc::new(BlockCache::new(1 << 20, 200));
    let fs = Arc::new(MemoryFs::new());
    Arc::new(VersionSet::open(fs, Path::new("/db"), cache, 1 << 20).unwrap())
}

/// A database without WAL and threads: a memtable, SSTables, running jobs, and all history.
struct Database {
    set: Arc<VersionSet>,
    options: Options,
    history: Entries,
    memtable: Entries,
    sequence: u64,
    visible: u64,
    snapshots: Vec<u64>,
    dropped: DroppedKeyspaces,
    unflushed_drops: Vec<(KeyspaceId, u64)>,
    busy: Busy,
    running: Vec<(Compaction, Job)>,
}

impl Database {
    fn new() -> Database {
        Database {
            set: open(),
            options: options(),
            history: Entries::new(),
            memtable: Entries::new(),
            sequence: 0,
            visible: 0,
            snapshots: Vec::new(),
            dropped: DroppedKeyspaces::default(),
            unflushed_drops: Vec::new(),
            busy: Busy::default(),
            running: Vec::new(),
        }
    }

    fn write(&mut self, key: &Key, value: Option<usize>) {
        if self.dropped.dropped_at(key.keyspace()).is_some() {
            return;
        }
        self.sequence += 1;
        let (kind, value) = match value {
            Some(size) => (Kind::Put, Bytes::from(vec![self.sequence as u8; size])),
            None => (Kind::Delete, Bytes::new()),
        };
        let key = key.clone().into_internal(self.sequence, kind);
        self.history.insert(key.clone(), value.clone());
        self.memtable.insert(key, value);
    }

    fn drop_keyspace(&mut self, keyspace: KeyspaceId) {
        self.sequence += 1;
        if self.dropped.dropped_at(keyspace).is_none() {
            self.dropped.insert(keyspace, self.sequence);
            self.unflushed_drops.push((keyspace, self.sequence));
        }
    }

    fn retention(&self) -> Retention {
        let dropped = Arc::new(self.dropped.clone());
        Retention::new(self.snapshots.iter().copied(), self.visible, dropped)
    }

    fn flush(&mut self) {
        let memtable = std::mem::take(&mut self.memtable);
        let input = Box::new(SortedIter::new(&memtable));
        let version = self.set.current();
        let retention = self.retention();
        let mut job = Job::flush(&self.set, &version, input, retention, &self.options);
        let mut edit = finish(&mut job);
        edit.flushed_sequence = Some(self.sequence);
        edit.dropped = std::mem::take(&mut self.unflushed_drops);
        self.apply(edit);
    }

    fn apply(&mut self, edit: VersionEdit) {
        let version = self.set.apply(edit).unwrap();
        let forgotten = forgettable(&version).into_iter();
        let gone: Vec<_> = forgotten.map(|keyspace| (keyspace.0, keyspace.0)).collect();
        if !gone.is_empty() {
            self.set
                .apply(VersionEdit {
                    gone,
                    ..VersionEdit::default()
                })
                .unwrap();
        }
        while let Some(file_id) = self.set.store().take_garbage() {
            self.set.store().delete(file_id).unwrap();
        }
    }

    /// Starts the next compaction; `false` if there is none.
    fn start(&mut self) -> bool {
        let version = self.set.current();
        let retention = self.retention();
        // Either worker may come first.
        let works = match self.sequence % 2 {
            0 => [Work::L0, Work::Deep],
            _ => [Work::Deep, Work::L0],
        };
        let picked = works
            .into_iter()
            .find_map(|work| pick(&version, &self.options, &retention, &self.busy, work));
        let Some(compaction) = picked else {
            return false;
        };
        match compaction.immediate_edit() {
            Some(edit) => {
                drop((version, compaction));
                self.apply(edit);
            }
            None => {
                let job =
                    Job::compaction(&self.set, &version, &compaction, retention, &self.options);
                self.busy.insert(&compaction);
                self.running.push((compaction, job.unwrap()));
            }
        }
        true
    }

    /// Lets one of the running jobs do a step.
    fn step(&mut self, which: usize) {
        if self.running.is_empty() {
            return;
        }
        let which = which % self.running.len();
        if let Progress::Done(edit) = self.running[which].1.step().unwrap() {
            let (compaction, _) = self.running.remove(which);
            self.busy.remove(&compaction);
            drop(compaction);
            self.apply(edit);
        }
    }

    fn settle(&mut self) {
        for _ in 0..10_000 {
            if !self.start() && self.running.is_empty() {
                return;
            }
            while !self.running.is_empty() {
                self.step(0);
            }
        }
        panic!("compaction does not come to an end");
    }

    /// What a reader must see of a key.
    fn expected(&self, user_key: &[u8], sequence: u64) -> Option<Bytes> {
        let keyspace = KeyRef::parse(user_key).unwrap().keyspace();
        if self.dropped.hides(keyspace, sequence) {
            return None;
        }
        let target = InternalKey::new(user_key, sequence, Kind::Delete);
        let (key, value) = self.history.range::<InternalKey, _>(target..).next()?;
        let visible = key.user_key() == user_key && key.as_ref().kind() == Some(Kind::Put);
        visible.then(|| value.clone())
    }

    fn get(&self, user_key: &[u8], sequence: u64) -> Option<Bytes> {
        let keyspace = KeyRef::parse(user_key).unwrap().keyspace();
        if self.dropped.hides(keyspace, sequence) {
            return None;
        }
        let target = InternalKey::new(user_key, sequence, Kind::Delete);
        if let Some((key, value)) = self.memtable.range::<InternalKey, _>(target..).next()
            && key.user_key() == user_key
        {
            return (key.as_ref().kind() == Some(Kind::Put)).then(|| value.clone());
        }
        let lookup = Lookup::new(user_key, sequence);
        let found = self
            .set
            .current()
            .get(&lookup, ReadMode::Blocking)
            .unwrap()?;
        (found.kind == Kind::Put).then_some(found.value)
    }

    fn scan(&self, range: &KeyRange, sequence: u64, direction: Direction) -> Vec<(Vec<u8>, Bytes)> {
        let mut sources: Vec<Box<dyn InternalIterator>> =
            vec![Box::new(SortedIter::new(&self.memtable))];
        self.set
            .current()
            .push_iterators(range, ReadMode::Blocking, &mut sources)
            .unwrap();
        let view = View {
            sequence,
            dropped: Arc::new(self.dropped.clone()),
            range: range.clone(),
            direction,
            skip_bound: 1000,
        };
        let mut iter = VisibleIter::new(MergingIter::new(sources), view);
        let mut entries = Vec::new();
        loop {
            match iter.next().unwrap() {
                Step::Entry { key, value } => entries.push((key.as_bytes().to_vec(), value)),
                Step::Paused(_) => {}
                Step::End => break,
            }
        }
        entries
    }

    fn check(&self) {
        let now = [self.visible, self.sequence];
        for sequence in self.snapshots.iter().copied().chain(now) {
            let mut user_keys: Vec<&[u8]> = self.history.keys().map(|key| key.user_key()).collect();
            user_keys.dedup();
            let mut expected = Vec::new();
            for user_key in user_keys {
                let value = self.expected(user_key, sequence);
                assert_eq!(
                    self.get(user_key, sequence),
                    value,
                    "{user_key:?} at {sequence}"
                );
                expected.extend(value.map(|value| (user_key.to_vec(), value)));
            }
            for keyspace in (0..KEYSPACES).map(keyspace) {
                let partition = (0..PARTITIONS).map(|p| KeyRange::partition(keyspace, &[p]));
                for range in partition.chain([KeyRange::keyspace(keyspace)]) {
                    let mut part = expected.clone();
                    part.retain(|(key, _)| range.contains(key));
                    assert_eq!(self.scan(&range, sequence, Direction::Forward), part);
                    part.reverse();
                    assert_eq!(self.scan(&range, sequence, Direction::Backward), part);
                }
            }
        }
    }

    /// All versions in SSTables.
    fn stored(&self) -> Vec<InternalKey> {
        let mut keys = Vec::new();
        for (_, table) in self.set.current().tables() {
            let mut iter = table.iter(ReadMode::Blocking, CacheUse::PassBy).unwrap();
            iter.seek_to_first().unwrap();
            while iter.valid() {
                let key = iter.key();
                keys.push(InternalKey::new(
                    key.user,
                    key.sequence(),
                    key.kind().unwrap(),
                ));
                iter.next().unwrap();
            }
        }
        keys.sort();
        keys
    }

    fn file_count(&self) -> usize {
        let entries = self.set.store().fs().list(self.set.store().dir()).unwrap();
        entries
            .iter()
            .filter(|entry| entry.name.ends_with(".sst"))
            .count()
    }
}

fn finish(job: &mut Job) -> VersionEdit {
    loop {
        if let Progress::Done(edit) = job.step().unwrap() {
            return edit;
        }
    }
}

const KEYSPACES: u32 = 3;

/// The last one is a log.
fn keyspace(number: u32) -> KeyspaceId {
    match number == KEYSPACES - 1 {
        true => KeyspaceId::log(number),
        false => KeyspaceId(number),
    }
}

const PARTITIONS: u8 = 3;

#[derive(Clone, Debug)]
enum Op {
    Write(Key, Option<usize>),
    Flush,
    Publish,
    Snapshot,
    Release(usize),
    Drop(KeyspaceId),
    Start,
    Step(usize),
    Check,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let key = (0..KEYSPACES, 0..PARTITIONS, 0u8..6)
        .prop_map(|(number, p, s)| Key::new(keyspace(number), &[p], &[s]));
    let value = prop_oneof![2 => (0usize..200).prop_map(Some), 1 => Just(None)];
    let op = prop_oneof![
        60 => (key, value).prop_map(|(key, value)| Op::Write(key, value)),
        8 => Just(Op::Flush),
        8 => Just(Op::Publish),
        3 => Just(Op::Snapshot),
        3 => any::<usize>().prop_map(Op::Release),
        1 => (0..KEYSPACES).prop_map(|number| Op::Drop(keyspace(number))),
        8 => Just(Op::Start),
        20 => any::<usize>().prop_map(Op::Step),
        1 => Just(Op::Check),
    ];
    prop::collection::vec(op, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_reader_notices_and_nothing_invisible_stays(ops in ops()) {
        let mut database = Database::new();
        for op in ops {
            match op {
                Op::Write(key, value) => database.write(&key, value),
                Op::Flush => database.flush(),
                Op::Publish => database.visible = database.sequence,
                Op::Snapshot => database.snapshots.push(database.visible),
                Op::Release(which) => {
                    if !database.snapshots.is_empty() {
                        let which = which % database.snapshots.len();
                        database.snapshots.swap_remove(which);
                    }
                }
                Op::Drop(keyspace) => database.drop_keyspace(keyspace),
                Op::Start => {
                    database.start();
                }
                Op::Step(which) => database.step(which),
                Op::Check => database.check(),
            }
        }
        database.check();
        database.visible = database.sequence;
        database.flush();
        database.settle();
        database.check();

        // A restart finds the same.
        let before = database.set.current();
        let cache = Arc::clone(database.set.store().cache());
        let fs = Arc::clone(database.set.store().fs());
        database.set = Arc::new(VersionSet::open(fs, Path::new("/db"), cache, 1 << 20).unwrap());
        prop_assert_eq!(database.set.delete_orphans().unwrap(), 0);
        prop_assert_eq!(database.set.current().tables().count(), before.tables().count());
        drop(before);
        database.check();

        // With no snapshots left, a merge of everything keeps what is visible now and no more.
        database.snapshots.clear();
        let sequence = database.sequence;
        let tables: Vec<_> = database.set.current().tables().map(|(l, t)| (l, Arc::clone(t))).collect();
        if !tables.is_empty() {
            let version = database.set.current();
            let compaction = Compaction {
                reason: Reason::FullLevel,
                forks: None,
                action: Action::Merge,
                inputs: tables.into_iter().map(|(level, table)| (level, vec![table])).collect(),
                output_level: 6,
            };
            let retention = database.retention();
            let job =
                Job::compaction(&database.set, &version, &compaction, retention, &database.options);
            let edit = finish(&mut job.unwrap());
            drop((version, compaction));
            database.apply(edit);
        }
        database.check();
        let stored: Vec<_> = database.stored().iter().map(|key| key.user_key().to_vec()).collect();
        let visible: Vec<_> = {
            let mut keys: Vec<_> = database.history.keys().map(|k| k.user_key().to_vec()).collect();
            keys.dedup();
            keys.retain(|key| database.expected(key, sequence).is_some());
            keys
        };
        prop_assert_eq!(stored, visible);
        prop_assert!(database.set.current().dropped().len() == 0);
        prop_assert_eq!(database.file_count(), database.set.current().tables().count());
    }
}

fn filled(keyspaces: u32, keys: u32, size: usize) -> Database {
    let mut database = Database::new();
    for keyspace in 0..keyspaces {
        for sort in 0..keys {
            let key = Key::new(KeyspaceId(keyspace), b"p", &sort.to_be_bytes());
            database.write(&key, Some(size));
        }
    }
    database.visible = database.sequence;
    database
}

#[test]
fn files_end_with_keyspaces_where_that_is_worth_it() {
    // Each keyspace has a third of a file.
    let mut database = filled(6, 4, 125);
    database.flush();
    assert_eq!(database.set.current().tables().count(), 6);
    // A tenth: several share a file.
    let mut database = filled(10, 1, 150);
    database.flush();
    assert!(database.set.current().tables().count() <= 4);
}

#[test]
fn steps_are_bounded() {
    let mut database = filled(1, 2000, 1000);
    database.options.sstable_size = 1 << 20;
    let memtable = std::mem::take(&mut database.memtable);
    let input = Box::new(SortedIter::new(&memtable));
    let version = database.set.current();
    let retention = database.retention();
    let mut job = Job::flush(&database.set, &version, input, retention, &database.options);
    let (mut steps, mut last) = (0, job.totals());
    while let Progress::Running = job.step().unwrap() {
        let totals = job.totals();
        assert!(totals.bytes_read - last.bytes_read <= STEP_SIZE + 1100);
        assert!(totals.bytes_written - last.bytes_written <= (1 << 20) + (64 << 10));
        last = totals;
        steps += 1;
    }
    assert!(steps >= 8, "{steps}");
    assert_eq!(job.totals().entries_written, 2000);
}

#[test]
fn an_abandoned_job_leaves_no_files() {
    let mut database = filled(1, 200, 100);
    let memtable = std::mem::take(&mut database.memtable);
    let input = Box::new(SortedIter::new(&memtable));
    let version = database.set.current();
    let retention = database.retention();
    let mut job = Job::flush(&database.set, &version, input, retention, &database.options);
    while database.file_count() < 3 {
        assert!(matches!(job.step().unwrap(), Progress::Running));
    }
    drop(job);
    assert_eq!(database.file_count(), 0);
}

#[test]
fn dropped_keyspaces_give_their_space_back() {
    let mut database = filled(50, 40, 100);
    database.flush();
    database.settle();
    for keyspace in 0..50 {
        database.drop_keyspace(KeyspaceId(keyspace));
    }
    database.visible = database.sequence;
    database.flush();
    database.settle();
    assert_eq!(database.file_count(), 0);
    assert!(database.set.current().dropped().len() == 0);
}

#[test]
fn a_crash_at_any_moment_leaves_whole_files() {
    // Three flushes and what they make compaction do, with the disk failing from its n-th operation
    // on, for every n. Afterwards the files that the manifest names hold all that was acknowledged.
    let script = |fs: Arc<dyn crate::io::Fs>, database: &mut Option<Database>| -> Result<()> {
        let cache = Arc::new(BlockCache::new(1 << 20, 200));
        let set = VersionSet::open(fs, Path::new("/db"), cache, 1 << 20)?;
        let database = database.insert(Database {
            set: Arc::new(set),
            ..Database::new()
        });
        for round in 0..3u8 {
            for sort in 0..20u8 {
                let key = Key::new(KeyspaceId(1), b"p", &[sort]);
                database.write(&key, (sort % 3 != round).then_some(50));
            }
            database.visible = database.sequence;
            let memtable = database.memtable.clone();
            let input = Box::new(SortedIter::new(&memtable));
            let (version, retention) = (database.set.current(), database.retention());
            let job = Job::flush(&database.set, &version, input, retention, &database.options);
            let edit = run(job)?;
            database.set.apply(VersionEdit {
                flushed_sequence: Some(database.sequence),
                ..edit
            })?;
            database.memtable.clear();
            let (version, retention) = (database.set.current(), database.retention());
            let busy = Busy::default();
            if let Some(compaction) =
                pick(&version, &database.options, &retention, &busy, Work::Deep)
            {
                let edit = match compaction.immediate_edit() {
                    Some(edit) => edit,
                    None => run(Job::compaction(
                        &database.set,
                        &version,
                        &compaction,
                        retention,
                        &database.options,
                    )?)?,
                };
                database.set.apply(edit)?;
                drop((version, compaction));
                while let Some(file_id) = database.set.store().take_garbage() {
                    database.set.store().delete(file_id)?;
                }
            }
        }
        Ok(())
    };
    let mut crash_at = 0;
    loop {
        let simulation = crate::io::Simulation::new(crash_at);
        simulation
            .env()
            .fs
            .create_dir_all(Path::new("/db"))
            .unwrap();
        simulation.crash_after(crash_at);
        let mut database = None;
        let result = script(simulation.env().fs, &mut database);
        simulation.crash();
        let cache = Arc::new(BlockCache::new(1 << 20, 200));
        let set = VersionSet::open(simulation.env().fs, Path::new("/db"), cache, 1 << 20).unwrap();
        set.delete_orphans().unwrap();
        if let Some(mut database) = database {
            let flushed = set.current().flushed_sequence();
            let acknowledged = database.sequence - database.memtable.len() as u64;
            assert!(
                flushed >= acknowledged,
                "crash at {crash_at}: {flushed} of {acknowledged}"
            );
            // What was not acknowledged and is not there was in the log; here it is gone.
            database
                .history
                .retain(|key, _| key.as_ref().sequence() <= flushed);
            database.memtable.clear();
            (database.sequence, database.visible) = (flushed, flushed);
            database.set = Arc::new(set);
            database.check();
            assert_eq!(
                database.file_count(),
                database.set.current().tables().count()
            );
        }
        if result.is_ok() {
            break;
        }
        crash_at += 1;
    }
    assert!(crash_at > 50, "{crash_at}");
}

fn run(mut job: Job) -> Result<VersionEdit> {
    loop {
        if let Progress::Done(edit) = job.step()? {
            return Ok(edit);
        }
    }
}

/// Writes so many values of 100 bytes behind all that a partition of a log has.
fn append(database: &mut Database, partition: u8, count: u32) {
    for _ in 0..count {
        let sort = database.sequence.to_be_bytes();
        let key = Key::new(KeyspaceId::log(9), &[partition], &sort);
        database.write(&key, Some(100));
    }
    database.visible = database.sequence;
}

/// Starts what there is to do, and does it. Answers the bytes of files that had to be read for it.
fn settle_counting(database: &mut Database) -> u64 {
    let mut read = 0;
    while database.start() || !database.running.is_empty() {
        let running = database.running.iter();
        read += running
            .map(|(compaction, _)| compaction.size())
            .sum::<u64>();
        while !database.running.is_empty() {
            database.step(0);
        }
    }
    read
}

#[test]
fn what_is_written_behind_all_else_is_never_written_again() {
    let mut database = Database::new();
    let mut read = 0;
    for round in 0..60 {
        // Two large partitions, two small ones in between, and something else.
        for (partition, count) in [(1, 12), (2, round % 2), (3, 12), (4, 1)] {
            append(&mut database, partition, count);
        }
        database.write(
            &Key::new(KeyspaceId(1), b"other", &[round as u8 % 7]),
            Some(100),
        );
        database.visible = database.sequence;
        database.flush();
        read += settle_counting(&mut database);
    }
    database.check();
    let version = database.set.current();
    assert!(
        version.sublevels().len() <= 2,
        "{}",
        version.sublevels().len()
    );
    let logs = |keyspace: KeyspaceId| keyspace.is_log();
    let mut pieces = [0; 5];
    for (level, table) in version.tables() {
        let keyspaces = &table.meta().properties.keyspaces;
        assert!(keyspaces.len() == 1 || !keyspaces.iter().any(|used| logs(used.keyspace)));
        if level == 6 && table.is_log_piece() {
            let partition = KeyRef::parse(table.smallest()).unwrap().partition()[0];
            pieces[usize::from(partition)] += table.meta().properties.entries;
        }
    }
    // But for the first flush or two, which find nothing there to be kept apart from.
    assert!(pieces[1] >= 12 * 58, "{pieces:?}");
    assert!(pieces[3] >= 12 * 58, "{pieces:?}");
    let written = 60 * 24 * 110;
    assert!(
        read < written / 2,
        "{read} bytes were read again, of {written}"
    );
}

#[test]
fn small_pieces_of_a_log_are_put_together_once_or_twice() {
    let mut database = Database::new();
    database.options.sstable_size = 64 << 10;
    let (mut read, mut most) = (0, 0);
    for _ in 0..200 {
        append(&mut database, 1, 12);
        append(&mut database, 2, 12);
        database.flush();
        read += settle_counting(&mut database);
        most = most.max(database.file_count());
    }
    database.check();
    // 400 flushed pieces; those put together have 8 of them at least.
    assert!(most <= 400 / 8 + 2 * 8 + 4, "{most} files");
    let written = database.stored().len() as u64 * 140;
    assert!(
        read < 2 * written,
        "{read} bytes were read again, of {written}"
    );
}

#[test]
fn a_log_is_dropped_by_whole_files() {
    let mut database = filled(1, 20, 100);
    append(&mut database, 1, 30);
    append(&mut database, 2, 3);
    database.flush();
    settle_counting(&mut database);
    database.drop_keyspace(KeyspaceId::log(9));
    database.visible = database.sequence;
    database.flush();
    assert_eq!(settle_counting(&mut database), 0);
    assert!(
        database
            .stored()
            .iter()
            .all(|key| !KeyRef::parse(key.user_key()).unwrap().keyspace().is_log())
    );
}
