//! What the disk takes for a durable commit of the same size: one page, on space that was written
//! before, by the same calls as our log.

use std::time::Instant;

use stator_engine::Env;
use stator_engine::io::{AlignedBuf, LogMode};

use super::{DEVICE, Run};
use crate::measurement::{Measurement, Recorder};
use crate::store::Result;

/// Of the space that is written round and round.
const SPACE: u64 = 16 << 20;

pub(super) fn commits(run: &Run<'_>) -> Result<()> {
    if !run.settings.wants("commit-1") {
        return Ok(());
    }
    let env = Env::real();
    let path = run.dir.join("device");
    let log = env.fs.create_log(&path, SPACE, LogMode::Durable)?;
    log.prepare(0, SPACE as usize)?;
    log.sync()?;
    let mut page = AlignedBuf::new();
    page.extend_from_slice(&vec![7; run.settings.value_size]);
    page.pad_to_page();
    let size = page.len() as u64;
    let mut recorder = Recorder::new()?;
    let begin = Instant::now();
    for number in 0.. {
        if begin.elapsed() >= run.settings.length() {
            break;
        }
        let start = Instant::now();
        log.write(&page, number % (SPACE / size) * size)?;
        recorder.record(start.elapsed(), begin.elapsed());
    }
    let mut measurement = Measurement::of(DEVICE, "commit-1");
    recorder.describe(begin.elapsed(), &mut measurement);
    (run.report)(measurement)
}
