//! What is in the files does not depend on the way by which they are written.

use std::collections::BTreeMap;

use super::*;
use crate::io::{IoMode, RealFs, Simulation};
use crate::options::Durability;

/// The same work on files of the operating system, with everything else simulated, and so the same
/// each time: every file that is there in the end, and what it holds.
fn files_of(fs: RealFs, durability: Durability) -> BTreeMap<String, Vec<u8>> {
    let simulation = Simulation::new(7);
    let env = Env {
        fs: Arc::new(fs),
        ..simulation.env()
    };
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        durability,
        memtable_size: 64 << 10,
        sstable_size: 64 << 10,
        wal_segment_size: 128 << 10,
        ..Options::default()
    };
    let db = Db::open(env.clone(), dir.path(), options).unwrap();
    for number in 0..1_500_u32 {
        let mut batch = Batch::new();
        let name = (number.wrapping_mul(2_654_435_761) % 400).to_string();
        batch.put(key(&name), vec![number as u8; number as usize % 700]);
        db.write(batch).unwrap().wait().unwrap();
        if number % 64 == 0 {
            simulation.run_until_idle();
        }
    }
    simulation.run_until_idle();
    assert!(db.statistics().compactions > 0);
    db.close().unwrap();
    let read = |name: &str| {
        let file = env.fs.open_read(&dir.path().join(name)).unwrap();
        let mut contents = vec![0; file.len().unwrap() as usize];
        file.read_exact_at(&mut contents, 0).unwrap();
        contents
    };
    let names = env.fs.list(dir.path()).unwrap();
    names
        .into_iter()
        .map(|entry| (entry.name.clone(), read(&entry.name)))
        .collect()
}

#[test]
fn io_uring_and_the_portable_way_write_the_same_bytes() {
    for durability in [
        Durability::Sync,
        Durability::Interval(Duration::from_millis(5)),
    ] {
        let rings = match RealFs::new(IoMode::Uring) {
            Ok(fs) => fs,
            Err(error) => {
                eprintln!("no io_uring here, nothing is compared: {error}");
                return;
            }
        };
        let portable = files_of(RealFs::portable(), durability);
        let uring = files_of(rings, durability);
        let names =
            |files: &BTreeMap<String, Vec<u8>>| -> Vec<String> { files.keys().cloned().collect() };
        assert_eq!(names(&portable), names(&uring));
        assert!(portable.keys().any(|name| name.ends_with(".sst")));
        assert!(portable.keys().any(|name| name.ends_with(".wal")));
        for (name, contents) in &portable {
            assert!(uring.get(name) == Some(contents), "{name} differs");
        }
    }
}
