//! Runs `scripts.txt`: each case describes a version and says what is picked for it.
//!
//! Keys like `p:3` are those of partition `p` of a log.
//!
//! Lines of a case: `table LEVEL ID FROM-TO [size=N] [seq=N] [tombstones=N/ENTRIES]
//! [keyspaces=ID:BYTES,…]`, `busy ID`, `dropped KEYSPACE@SEQUENCE`, `snapshot SEQUENCE`,
//! `threshold N`. Sizes are in units of one full SSTable; a base level may have four. What is
//! picked comes after `=>`, one line per pick: with `all`, picks are marked busy until there are no
//! more; with `l0`, only L0 is asked for.

use std::fmt::Write as _;
use std::path::Path;

use bytes::Bytes;

use super::*;
use crate::cache::BlockCache;
use crate::io::MemoryFs;
use crate::key::{DroppedKeyspaces, Key};
use crate::manifest::VersionSet;
use crate::sstable::{FileMeta, KeyspaceUse, Properties};

/// Bytes of a full SSTable in scripts.
const UNIT: u64 = 1000;

struct Case {
    options: Options,
    edit: VersionEdit,
    busy: Vec<u64>,
    dropped: DroppedKeyspaces,
    snapshots: Vec<u64>,
    all: bool,
    l0: bool,
}

fn number(text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| panic!("not a number: {text}"))
}

fn key(text: &str) -> Bytes {
    let key = text.split_once(':').map(|(partition, sort)| {
        let sort = number(sort).to_be_bytes();
        Key::new(KeyspaceId::log(1), partition.as_bytes(), &sort)
    });
    let key = key.as_ref().map_or(text.as_bytes(), Key::as_bytes);
    Bytes::copy_from_slice(key)
}

fn parse_table(words: &[&str]) -> (usize, FileMeta) {
    let [level, file_id, range, rest @ ..] = words else {
        panic!("not a table: {words:?}")
    };
    let (smallest, largest) = range.split_once('-').unwrap();
    let mut meta = FileMeta {
        file_id: number(file_id),
        size: UNIT,
        checksum: 0,
        properties: Properties {
            smallest: key(smallest),
            largest: key(largest),
            max_sequence: number(file_id),
            entries: 100,
            ..Properties::default()
        },
    };
    for word in rest {
        let (name, value) = word.split_once('=').unwrap();
        match name {
            "size" => meta.size = number(value) * UNIT,
            "seq" => meta.properties.max_sequence = number(value),
            "tombstones" => {
                let (tombstones, entries) = value.split_once('/').unwrap();
                meta.properties.tombstones = number(tombstones);
                meta.properties.entries = number(entries);
            }
            "keyspaces" => {
                meta.properties.keyspaces = value
                    .split(',')
                    .map(|keyspace| {
                        let (id, bytes) = keyspace.split_once(':').unwrap();
                        let keyspace = KeyspaceId(number(id) as u32);
                        KeyspaceUse {
                            keyspace,
                            entries: 1,
                            bytes: number(bytes),
                        }
                    })
                    .collect();
            }
            _ => panic!("unknown: {word}"),
        }
    }
    (number(level.trim_start_matches('L')) as usize, meta)
}

fn parse(input: &str) -> Case {
    let mut case = Case {
        options: Options {
            sstable_size: UNIT,
            base_level_size: 4 * UNIT,
            l0_compaction_threshold: 2,
            level_fanout: 10,
            ..Options::default()
        },
        edit: VersionEdit::default(),
        busy: Vec::new(),
        dropped: DroppedKeyspaces::default(),
        snapshots: Vec::new(),
        all: false,
        l0: false,
    };
    for line in input.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["table", words @ ..] => case.edit.added.push(parse_table(words)),
            ["busy", file_id] => case.busy.push(number(file_id)),
            ["dropped", drop] => {
                let (keyspace, sequence) = drop.split_once('@').unwrap();
                case.dropped
                    .insert(KeyspaceId(number(keyspace) as u32), number(sequence));
            }
            ["snapshot", sequence] => case.snapshots.push(number(sequence)),
            ["threshold", files] => case.options.l0_compaction_threshold = number(files) as usize,
            ["all"] => case.all = true,
            ["l0"] => case.l0 = true,
            [] => {}
            _ => panic!("unknown: {line}"),
        }
    }
    case
}

fn describe(compaction: &Compaction) -> String {
    let inputs = compaction.inputs.iter().map(|(level, tables)| {
        let mut ids: Vec<u64> = tables.iter().map(|table| table.file_id()).collect();
        ids.sort_unstable();
        format!("L{level} {ids:?}")
    });
    let inputs = inputs.collect::<Vec<_>>().join(" + ");
    let (reason, action) = (compaction.reason, compaction.action);
    match action {
        Action::Delete => format!("{reason:?}: {action:?} {inputs}"),
        _ => format!(
            "{reason:?}: {action:?} {inputs} -> L{}",
            compaction.output_level
        ),
    }
}

fn run(input: &str) -> String {
    let case = parse(input);
    let cache = std::sync::Arc::new(BlockCache::new(0, 1));
    let fs = std::sync::Arc::new(MemoryFs::new());
    let set = VersionSet::open(fs, Path::new("/db"), cache, 1 << 20).unwrap();
    let version = set.apply(case.edit).unwrap();
    let retention = Retention::new(case.snapshots, 1_000_000, std::sync::Arc::new(case.dropped));
    let mut busy = Busy {
        file_ids: case.busy.into_iter().collect(),
        ..Busy::default()
    };
    let mut output = String::new();
    let work = if case.l0 { Work::L0 } else { Work::Deep };
    while let Some(compaction) = pick(&version, &case.options, &retention, &busy, work) {
        writeln!(output, "{}", describe(&compaction)).unwrap();
        busy.insert(&compaction);
        if !case.all {
            return output;
        }
    }
    output + "nothing\n"
}

#[test]
fn scripts() {
    let mut rewritten = String::new();
    let mut wrong = Vec::new();
    for case in include_str!("scripts.txt").split_inclusive("\n\n") {
        let (input, expected) = case.split_once("=>\n").unwrap_or((case, ""));
        let (comment, description): (Vec<&str>, Vec<&str>) =
            input.lines().partition(|line| line.starts_with('#'));
        let output = run(&description.join("\n"));
        if output.trim_end() != expected.trim_end() {
            wrong.push(comment.join(" "));
        }
        write!(rewritten, "{input}=>\n{output}\n").unwrap();
    }
    assert!(
        wrong.is_empty(),
        "{wrong:#?}\n\nAs it would have to be:\n\n{rewritten}"
    );
}

#[test]
fn what_nothing_has_any_more_is_forgotten() {
    let cache = std::sync::Arc::new(BlockCache::new(0, 1));
    let fs = std::sync::Arc::new(MemoryFs::new());
    let set = VersionSet::open(fs, Path::new("/db"), cache, 1 << 20).unwrap();
    let version = set
        .apply(VersionEdit {
            added: vec![parse_table(&["L6", "1", "a-b", "keyspaces=3:10,4:10"])],
            dropped: vec![(KeyspaceId(3), 5), (KeyspaceId(8), 6), (KeyspaceId(9), 11)],
            flushed_sequence: Some(10),
            ..VersionEdit::default()
        })
        .unwrap();
    // 3 is in a file, and what was written to 9 may not be flushed yet.
    assert_eq!(forgettable(&version), [KeyspaceId(8)]);
}
