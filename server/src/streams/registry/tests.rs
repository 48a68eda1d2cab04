use std::path::PathBuf;

use super::*;
use crate::{
    item::{ItemBuilder, Value},
    store::{Simulation, Storage, StoreOptions},
    streams::{ChangeRecord, Event, Position, RETENTION_MS, SHARD_LIFE_MS, stream::Place},
};

const HOUR: u64 = 3_600_000;

fn open(machine: &Simulation) -> (Store, Arc<Streams>) {
    let store = Store::open(StoreOptions {
        storage: Storage::Env(machine.env(), PathBuf::from("/data")),
        clock: crate::store::ClockMode::Manual { start_ms: Some(0) },
        ..StoreOptions::default()
    })
    .unwrap();
    let streams = Streams::load(store.clone()).unwrap();
    (store, streams)
}

fn name(table: &str, label: &str) -> StreamName {
    StreamName {
        account: "1".into(),
        region: "r".into(),
        table: table.into(),
        label: label.into(),
    }
}

fn create(store: &Store, streams: &Arc<Streams>, name: StreamName, shards: usize) -> Arc<Stream> {
    let mut batch = Batch::new();
    let new = NewStream {
        name,
        view: View::NewImage,
        partition_key: "pk".to_owned(),
        sort_key: None,
        shards,
        created_ms: store.now_ms(),
    };
    let stream = streams.create(new, &mut batch).unwrap();
    store.write(batch).unwrap().wait().unwrap();
    streams.insert(Arc::clone(&stream)).unwrap();
    stream
}

fn change(store: &Store, text: &str) -> ChangeRecord {
    ChangeRecord {
        event: Event::Insert,
        by_service: false,
        time_ms: store.now_ms(),
        keys: None,
        new: Some(ItemBuilder::new().with("pk", Value::string(text)).build()),
        old: None,
    }
}

/// Writes a record as a plan does.
fn write(store: &Store, stream: &Stream, hash: u64, text: &str) -> Place {
    stream.roll(store.now_ms()).unwrap();
    let writer = stream.writer();
    let place = writer.place(hash).unwrap();
    let mut batch = Batch::new();
    let value = change(store, text).encode();
    batch.put_stamped(place.keyspace, &place.partition, &[0, 0], value);
    let commit = store.write(batch).unwrap();
    drop(writer);
    commit.wait().unwrap();
    place
}

/// What is in a shard, and whether it has ended.
fn read(store: &Store, stream: &Stream, shard: &Shard) -> (Vec<String>, bool) {
    let now_ms = store.now_ms();
    let from = stream
        .trim_horizon(shard, now_ms, ReadMode::Blocking)
        .unwrap();
    let page = stream
        .read(
            &shard.id(),
            from,
            1000,
            |_| true,
            now_ms,
            ReadMode::Blocking,
        )
        .unwrap();
    let text = |entry: &crate::streams::Entry| {
        let image = entry.change.new.as_ref().unwrap();
        image.get("pk").unwrap().as_str().unwrap().to_owned()
    };
    (page.records.iter().map(text).collect(), page.next.is_none())
}

#[test]
fn records_go_by_hash_and_children_follow_their_parents() {
    let machine = Simulation::new(1);
    let (store, streams) = open(&machine);
    let stream = create(&store, &streams, name("t", "l"), 2);
    write(&store, &stream, 0, "low 1");
    write(&store, &stream, u64::MAX, "high 1");
    assert_eq!(stream.split(None, store.now_ms()).unwrap(), 2);
    write(&store, &stream, 0, "low 2");
    write(&store, &stream, u64::MAX, "high 2");
    // The split is durable since what came behind it is.
    let shards = stream.definition().0.shards;
    let found: Vec<_> = shards
        .iter()
        .map(|shard| read(&store, &stream, shard))
        .collect();
    let texts = |texts: &[&str], ended| {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        (texts, ended)
    };
    assert_eq!(
        found,
        [
            texts(&["low 1"], true),
            texts(&["high 1"], true),
            texts(&["low 2"], false),
            texts(&[], false),
            texts(&[], false),
            texts(&["high 2"], false),
        ]
    );
    for shard in &shards[2..] {
        let parent = shards
            .iter()
            .find(|other| Some(other.id()) == shard.parent)
            .unwrap();
        assert!(parent.first_hash <= shard.first_hash && shard.last_hash <= parent.last_hash);
        assert!(parent.end().unwrap() < shard.start());
    }
}

#[test]
fn a_shard_ends_for_readers_when_that_is_durable() {
    let machine = Simulation::new(2);
    let (store, streams) = open(&machine);
    let stream = create(&store, &streams, name("t", "l"), 1);
    write(&store, &stream, 0, "one");
    let parent = stream.definition().0.shards.remove(0);
    stream.split(None, store.now_ms()).unwrap();
    assert_eq!(
        read(&store, &stream, &parent),
        (vec!["one".to_owned()], false)
    );
    store.wait_durable(store.last_sequence()).wait().unwrap();
    assert_eq!(
        read(&store, &stream, &parent),
        (vec!["one".to_owned()], true)
    );
}

#[test]
fn a_crash_takes_back_what_was_not_durable_and_no_more() {
    let machine = Simulation::new(3);
    let (store, streams) = open(&machine);
    let stream = create(&store, &streams, name("t", "l"), 1);
    write(&store, &stream, 0, "one");
    let before = stream.definition().0;
    stream.split(None, store.now_ms()).unwrap();
    machine.crash();
    drop((stream, streams, store));
    let (store, streams) = open(&machine);
    let stream = streams.find(&name("t", "l"), store.now_ms()).unwrap();
    assert_eq!(stream.definition().0, before, "the split was lost");
    write(&store, &stream, 0, "two");
    let shards = stream.definition().0.shards;
    let both = vec!["one".to_owned(), "two".to_owned()];
    assert_eq!(read(&store, &stream, &shards[0]), (both, false));
}

#[test]
fn shards_roll_and_are_trimmed_and_logs_are_dropped_by_the_clock() {
    let machine = Simulation::new(4);
    let (store, streams) = open(&machine);
    let stream = create(&store, &streams, name("t", "l"), 1);
    let idle = create(&store, &streams, name("idle", "l"), 1);
    let mut logs = HashSet::new();
    for hour in 0..48 {
        store.set_clock(hour * HOUR).unwrap();
        logs.insert(write(&store, &stream, 0, &hour.to_string()).keyspace);
    }
    let now_ms = store.now_ms();
    streams.maintain(now_ms).unwrap().wait().unwrap();
    let shards = stream.definition().0.shards;
    let live: Vec<_> = shards
        .iter()
        .filter(|shard| !shard.is_trimmed(now_ms))
        .collect();
    let mut all = Vec::new();
    for shard in live {
        assert_eq!(
            shard.closed.is_some(),
            now_ms >= shard.created_ms + SHARD_LIFE_MS
        );
        all.extend(read(&store, &stream, shard).0);
    }
    let expected: Vec<String> = (23..48).map(|hour: u64| hour.to_string()).collect();
    assert_eq!(all, expected, "24 hours, to the record");
    assert!(logs.len() >= 11, "{logs:?}");
    assert!(streams.log_count() <= 9, "{}", streams.log_count());
    let open = idle.definition().0.shards;
    assert!(
        open.iter()
            .any(|shard| shard.closed.is_none() && shard.created_ms == now_ms)
    );

    // Nobody looks for days: everything goes, and writers go on.
    store.set_clock(now_ms + 10 * RETENTION_MS).unwrap();
    let now_ms = store.now_ms();
    streams.maintain(now_ms).unwrap().wait().unwrap();
    assert_eq!(streams.log_count(), 1);
    write(&store, &stream, 0, "again");
    let shards = stream.definition().0.shards;
    let live: Vec<_> = shards
        .iter()
        .filter(|shard| !shard.is_trimmed(now_ms))
        .collect();
    assert_eq!(read(&store, &stream, live[0]).0, ["again"]);
}

#[test]
fn a_place_in_what_is_trimmed_is_refused() {
    let machine = Simulation::new(5);
    let (store, streams) = open(&machine);
    let stream = create(&store, &streams, name("t", "l"), 1);
    write(&store, &stream, 0, "old");
    let shard = stream.definition().0.shards.remove(0);
    store.set_clock(2 * HOUR).unwrap();
    write(&store, &stream, 0, "new");
    store.set_clock(25 * HOUR).unwrap();
    let now_ms = store.now_ms();
    let mode = ReadMode::Blocking;
    assert_eq!(read(&store, &stream, &shard).0, ["new"]);
    let at = |position| stream.read(&shard.id(), position, 10, |_| true, now_ms, mode);
    let refused = at(shard.start()).unwrap_err();
    assert!(matches!(
        refused.into_error(),
        crate::wire::Error::TrimmedDataAccess(_)
    ));
    assert!(
        stream
            .check_untrimmed(&shard, shard.start(), now_ms, mode)
            .is_err()
    );
    let before = Position {
        sequence: 0,
        ordinal: 0,
    };
    assert!(stream.check_untrimmed(&shard, before, 0, mode).is_err());
    store.set_clock(28 * HOUR + 1).unwrap();
    stream.roll(store.now_ms()).unwrap();
    assert!(stream.shard(&shard.id(), store.now_ms()).is_none());
}

#[test]
fn a_disabled_stream_takes_no_records_and_is_gone_after_a_day() {
    let machine = Simulation::new(6);
    let (store, streams) = open(&machine);
    let stream = create(&store, &streams, name("t", "l"), 2);
    let place = write(&store, &stream, 0, "one");
    let mut batch = Batch::new();
    let closing = stream.close(&mut batch, store.now_ms()).unwrap();
    let commit = store.write(batch).unwrap();
    closing.finish(commit.sequence());
    commit.wait().unwrap();
    assert_eq!(stream.writer().place(0), None);
    let shards = stream.definition().0.shards;
    assert_eq!(shards[0].place(), place);
    assert_eq!(
        read(&store, &stream, &shards[0]),
        (vec!["one".to_owned()], true)
    );
    assert_eq!(stream.split(None, store.now_ms()).unwrap(), 0);
    assert!(streams.find(&name("t", "l"), RETENTION_MS - 1).is_some());
    assert!(streams.find(&name("t", "l"), RETENTION_MS).is_none());
    assert!(streams.contains(&name("t", "l")));
    store.set_clock(RETENTION_MS).unwrap();
    streams.maintain(RETENTION_MS).unwrap().wait().unwrap();
    assert!(!streams.contains(&name("t", "l")));
    drop((stream, streams, store));
    let (_, streams) = open(&machine);
    assert!(!streams.contains(&name("t", "l")));
}

#[test]
fn pages_of_streams_are_by_table_and_label() {
    let machine = Simulation::new(7);
    let (store, streams) = open(&machine);
    for (table, label) in [("b", "2"), ("a", "1"), ("b", "1"), ("c", "1")] {
        create(&store, &streams, name(table, label), 1);
    }
    let list = |table, after, limit| {
        let (page, more) = streams.list(("1", "r"), table, after, limit, 0);
        let names = page.iter().map(|stream| {
            let name = stream.name();
            format!("{}{}", name.table, name.label)
        });
        (names.collect::<Vec<_>>().join(" "), more)
    };
    assert_eq!(list(None, None, 9), ("a1 b1 b2 c1".to_owned(), false));
    assert_eq!(list(None, Some(("a", "1")), 2), ("b1 b2".to_owned(), true));
    assert_eq!(list(Some("b"), None, 1), ("b1".to_owned(), true));
    assert_eq!(
        list(Some("b"), Some(("b", "1")), 9),
        ("b2".to_owned(), false)
    );
    assert_eq!(
        list(Some("b"), Some(("a", "1")), 9),
        ("b1 b2".to_owned(), false)
    );
    assert_eq!(list(Some("b"), Some(("c", "1")), 9), (String::new(), false));
    assert_eq!(streams.list(("1", "s"), None, None, 9, 0).0.len(), 0);
}
