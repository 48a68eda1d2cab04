//! The log as a whole, on the simulated disk: what is written is read back; a torn tail is dropped;
//! damage before it is refused.

use std::path::Path;
use std::sync::Arc;

use super::reader::Replayed;
use super::*;
use crate::error::{Error, Result};
use crate::io::{Faults, LogMode, Next, PAGE_SIZE, Simulation, Task as _};
use crate::key::KeyspaceId;

const DIR: &str = "/db";
const EPOCH: u64 = 3;

struct Log {
    simulation: Simulation,
    segments: Arc<Segments>,
    writer: Writer,
    next: u64,
}

impl Log {
    fn new(mode: LogMode, segment_len: u64) -> Self {
        let simulation = Simulation::new(1);
        let env = simulation.env();
        env.fs.create_dir_all(Path::new(DIR)).unwrap();
        let segments = Arc::new(Segments::new(
            &env,
            Path::new(DIR),
            EPOCH,
            mode,
            segment_len,
        ));
        let writer = Writer::new(Arc::clone(&segments), 0);
        Log {
            simulation,
            segments,
            writer,
            next: 1,
        }
    }

    /// Appends a group of commits that each put their sequence number.
    fn append(&mut self, commit_count: u64) {
        let records: Vec<Record> = (self.next..self.next + commit_count).map(record).collect();
        self.writer
            .append(self.next, records.iter(), 1_000 + self.next)
            .unwrap();
        self.next += commit_count;
    }

    fn read(&self, flushed_sequence: u64) -> Result<(Vec<u64>, Replayed)> {
        let mut found = Vec::new();
        let fs = self.simulation.env().fs;
        let replayed = replay(
            &*fs,
            Path::new(DIR),
            EPOCH,
            flushed_sequence,
            &mut |sequence, time_ms, operations| {
                assert!(time_ms > 1_000);
                assert_eq!(operations, operations_of(sequence));
                found.push(sequence);
                Ok(())
            },
        )?;
        Ok((found, replayed))
    }

    fn segment(&self, number: u64) -> std::path::PathBuf {
        list(&*self.simulation.env().fs, Path::new(DIR)).unwrap()[number as usize]
            .path
            .clone()
    }
}

fn operations_of(sequence: u64) -> Vec<Operation> {
    let value = vec![sequence as u8; (sequence % 1_000) as usize];
    vec![
        Operation::Put(format!("key {sequence}").into(), value.into()),
        Operation::Delete("other".into()),
        Operation::DropKeyspace(KeyspaceId(sequence as u32)),
    ]
}

fn record(sequence: u64) -> Record {
    let mut builder = RecordBuilder::new(3, 100);
    for operation in operations_of(sequence) {
        match operation {
            Operation::Put(key, value) => builder.put(&key, &value),
            Operation::Delete(key) => builder.delete(&key),
            Operation::DropKeyspace(keyspace) => builder.drop_keyspace(keyspace),
            Operation::StampedPut(key, value) => builder.put_stamped(&key, &value),
        }
    }
    builder.finish().unwrap()
}

#[test]
fn what_is_written_is_read_in_both_modes_over_many_segments() {
    for mode in [LogMode::Durable, LogMode::Buffered] {
        let mut log = Log::new(mode, 16 << 10);
        for round in 0..100 {
            log.append(round % 7);
            if mode == LogMode::Buffered && round % 10 == 9 {
                log.writer.syncer().sync().unwrap();
            }
        }
        let last = log.next - 1;
        assert!(
            list(&*log.simulation.env().fs, Path::new(DIR))
                .unwrap()
                .len()
                > 2
        );
        let (found, replayed) = log.read(0).unwrap();
        assert_eq!(found, (1..=last).collect::<Vec<_>>(), "{mode:?}");
        assert_eq!(
            replayed,
            Replayed {
                last_sequence: last,
                group_count: 100,
                torn: None
            }
        );
        let (found, _) = log.read(50).unwrap();
        assert_eq!(found, (51..=last).collect::<Vec<_>>());
    }
}

#[test]
fn a_group_is_durable_when_append_returns() {
    let mut log = Log::new(LogMode::Durable, 1 << 20);
    log.append(5);
    log.append(1);
    log.simulation.crash();
    assert_eq!(log.read(0).unwrap().0, (1..=6).collect::<Vec<_>>());
}

#[test]
fn after_a_sync_that_failed_none_says_that_all_is_durable() {
    let mut log = Log::new(LogMode::Buffered, 1 << 20);
    log.append(5);
    let syncer = log.writer.syncer();
    log.simulation.set_faults(Faults {
        sync: u16::MAX,
        ..Faults::default()
    });
    assert!(matches!(syncer.sync(), Err(Error::Io(_))));
    // What failed may be lost, and nothing is left that a later sync could fail at.
    log.simulation.set_faults(Faults::default());
    assert!(matches!(syncer.sync(), Err(Error::Io(_))));
    assert!(matches!(log.writer.syncer().sync(), Err(Error::Io(_))));
}

#[test]
fn a_crash_in_buffered_mode_loses_what_was_not_synced_and_no_more() {
    let mut log = Log::new(LogMode::Buffered, 1 << 20);
    log.append(5);
    log.writer.syncer().sync().unwrap();
    assert!(!log.writer.syncer().is_needed());
    log.append(5);
    assert!(log.writer.syncer().is_needed());
    log.simulation.crash();
    assert_eq!(log.read(0).unwrap().0, (1..=5).collect::<Vec<_>>());
}

#[test]
fn a_torn_last_group_is_dropped_whole() {
    for damage in [0, 70, PAGE_SIZE + 10, 2 * PAGE_SIZE - 100] {
        let mut log = Log::new(LogMode::Durable, 1 << 20);
        while log.next < 200 {
            log.append(50);
        }
        let durable = log.next - 1;
        let start = log
            .simulation
            .env()
            .fs
            .open(&log.segment(0))
            .unwrap()
            .len()
            .unwrap();
        log.append(50);
        log.simulation
            .damage(&log.segment(0), |contents| {
                contents[start as usize + damage] ^= 0x40
            })
            .unwrap();
        let (found, replayed) = log.read(0).unwrap();
        assert_eq!(
            found,
            (1..=durable).collect::<Vec<_>>(),
            "damage at {damage}"
        );
        assert_eq!(replayed.torn, Some((log.segment(0), start)));
    }
}

#[test]
fn damage_before_the_last_group_is_refused_with_its_place() {
    for mode in [LogMode::Durable, LogMode::Buffered] {
        let mut log = Log::new(mode, 1 << 20);
        log.append(3);
        log.writer.syncer().sync().unwrap();
        let bad = log
            .simulation
            .env()
            .fs
            .open(&log.segment(0))
            .unwrap()
            .len()
            .unwrap();
        let bad = bad.next_multiple_of(PAGE_SIZE as u64);
        log.append(3);
        log.writer.syncer().sync().unwrap();
        log.append(1);
        log.simulation
            .damage(&log.segment(0), |contents| {
                contents[bad as usize + 100] ^= 1
            })
            .unwrap();
        let Err(Error::Corruption(corruption)) = log.read(0) else {
            panic!("it was not seen")
        };
        assert_eq!(corruption.file, log.segment(0), "{mode:?}");
        assert_eq!(corruption.offset, bad);
        assert!(corruption.expected.contains("commit 4"), "{corruption}");
        assert!(
            corruption.found.contains("durable up to commit 6"),
            "{corruption}"
        );
    }
}

#[test]
fn padding_is_under_the_checksum_too() {
    for mode in [LogMode::Durable, LogMode::Buffered] {
        let mut log = Log::new(mode, 1 << 20);
        let mut ends = Vec::new();
        for _ in 0..2 {
            log.append(1);
            log.writer.syncer().sync().unwrap();
            let file = log.simulation.env().fs.open(&log.segment(0)).unwrap();
            ends.push(file.len().unwrap() as usize);
        }
        // Records of these sizes leave some padding in either mode.
        let flip = |end: usize| {
            log.simulation
                .damage(&log.segment(0), |contents| {
                    assert!(contents[end - 1] <= 1, "the padding is longer than that");
                    contents[end - 1] ^= 1;
                })
                .unwrap();
        };
        flip(ends[1]);
        assert_eq!(log.read(0).unwrap().0, [1], "{mode:?}");
        flip(ends[0]);
        assert_eq!(log.read(0).unwrap().0, [] as [u64; 0], "{mode:?}");
        flip(ends[1]);
        assert!(matches!(log.read(0), Err(Error::Corruption(_))), "{mode:?}");
    }
}

#[test]
fn a_missing_segment_is_refused() {
    let mut log = Log::new(LogMode::Durable, 16 << 10);
    for _ in 0..30 {
        log.append(2);
    }
    log.simulation.env().fs.remove(&log.segment(2)).unwrap();
    assert!(matches!(log.read(0), Err(Error::Corruption(_))));
}

#[test]
fn a_removed_segment_between_others_is_no_damage() {
    // A sync ends a page, and here a segment.
    let mut log = Log::new(LogMode::Buffered, PAGE_SIZE as u64);
    for _ in 0..2 {
        log.append(2);
        log.writer.syncer().sync().unwrap();
    }
    log.append(2);
    log.append(2);
    // Both segments were removed once they were flushed, and a power cut has kept the later removal
    // only; and it has torn the first group of the last segment.
    let (removed, last) = (log.segment(1), log.segment(2));
    log.simulation.env().fs.remove(&removed).unwrap();
    log.simulation
        .damage(&last, |contents| contents[0] ^= 1)
        .unwrap();
    let (found, replayed) = log.read(4).unwrap();
    assert_eq!((found, replayed.last_sequence), (Vec::new(), 4));
    assert!(matches!(log.read(3), Err(Error::Corruption(_))));
}

#[test]
fn several_unsynced_groups_may_be_torn() {
    let mut log = Log::new(LogMode::Buffered, 1 << 20);
    log.append(3);
    log.writer.syncer().sync().unwrap();
    log.append(3);
    let end = log
        .simulation
        .env()
        .fs
        .open(&log.segment(0))
        .unwrap()
        .len()
        .unwrap();
    log.append(3);
    log.simulation
        .damage(&log.segment(0), |contents| contents[end as usize - 20] ^= 1)
        .unwrap();
    let (found, replayed) = log.read(0).unwrap();
    assert_eq!(found, [1, 2, 3]);
    assert!(replayed.torn.is_some());
}

#[test]
fn what_other_epochs_and_places_left_behind_is_no_group() {
    let mut log = Log::new(LogMode::Durable, 1 << 20);
    log.append(3);
    let len = log
        .simulation
        .env()
        .fs
        .open(&log.segment(0))
        .unwrap()
        .len()
        .unwrap() as usize;
    // A copy of the first group where the next one would be, as if stored in a value.
    log.simulation
        .damage(&log.segment(0), |contents| {
            contents.extend_from_within(..len)
        })
        .unwrap();
    assert_eq!(log.read(0).unwrap().0, [1, 2, 3]);
    let other = Path::new(DIR).join(format!("{:016x}-{:016x}.wal", EPOCH, 1));
    log.simulation
        .env()
        .fs
        .rename(&log.segment(0), &other)
        .unwrap();
    assert_eq!(
        log.read(0).unwrap().0,
        [] as [u64; 0],
        "the file has another segment's name"
    );
}

#[test]
fn segments_become_obsolete_in_order() {
    let mut log = Log::new(LogMode::Durable, 16 << 10);
    let mut lasts = Vec::new();
    for _ in 0..20 {
        log.append(3);
        lasts.push(log.next - 1);
    }
    assert!(log.segments.take_obsolete(2).is_empty());
    let some = log.segments.take_obsolete(30);
    assert!(!some.is_empty());
    for path in &some {
        log.simulation.env().fs.remove(path).unwrap();
    }
    let (found, _) = log.read(30).unwrap();
    assert_eq!(found, (31..log.next).collect::<Vec<_>>());
    assert!(
        log.segments.take_obsolete(30).is_empty(),
        "each is handed out once"
    );
}

#[test]
fn the_next_segment_is_taken_at_any_stage_of_its_preparation() {
    for steps in 0..8 {
        let mut log = Log::new(LogMode::Durable, 1 << 20);
        let mut preparer = Preparer::new(Arc::clone(&log.segments));
        for _ in 0..steps {
            preparer.step();
        }
        log.append(3);
        while preparer.step() == Next::Again {}
        assert_eq!(log.read(0).unwrap().0, [1, 2, 3], "after {steps} steps");
        log.segments.close().unwrap();
        assert_eq!(preparer.step(), Next::Done);
        let left = list(&*log.simulation.env().fs, Path::new(DIR)).unwrap();
        assert_eq!(left.len(), 1, "the unused segment is gone");
    }
}
