//! A short run with a power cut at every single operation of the disk, and for each every way to lose
//! what was not synced.

use std::time::Duration;

use stator_engine::io::{Faults, Kept};
use stator_engine::{Durability, Options};

use crate::campaign::Coverage;
use crate::run::run;
use crate::script::{How, Restart, Script, Step};
use crate::trial::Finding;

/// Runs a script that writes, flushes, compacts, drops and restarts, once without a fault, to learn how
/// many operations of the disk it takes; then, for each of these and for each way to lose what was not
/// synced, up to there, the power cut, and what follows it.
///
/// # Errors
///
/// The first run in which a promise is not kept.
pub fn every_operation(durability: Durability) -> Result<Coverage, Box<Finding>> {
    let work = work(durability);
    let whole = scripted(&work, None, Kept::Nothing, durability);
    let mut coverage = attempt(whole)?;
    let operations = coverage.disk_operations;
    for at in 1..=operations {
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        for kept in Kept::ALL {
            coverage.add(&attempt(scripted(&work, Some(at), kept, durability))?);
        }
    }
    Ok(coverage)
}

fn attempt(script: Script) -> Result<Coverage, Box<Finding>> {
    run(&script).map_err(|failure| Box::new(Finding::new(&script, failure)))
}

fn options(durability: Durability) -> Options {
    Options {
        durability,
        memtable_size: 1 << 10,
        wal_segment_size: 4 << 10,
        block_size: 256,
        sstable_size: 1 << 10,
        l0_compaction_threshold: 1,
        base_level_size: 2 << 10,
        level_fanout: 2,
        manifest_size: 512,
        ..Options::default()
    }
}

/// A little of everything that writes.
fn work(durability: Durability) -> Vec<Step> {
    let mut steps = Vec::new();
    for round in 0..4 {
        let writes = (0..4).map(|key| ((key % 3, round % 2, key), Some(90)));
        steps.push(Step::Batch(writes.collect(), round % 2 == 0));
        let overwrites = (0..3).map(|key| ((key, 0, 1), (key > 0).then_some(20)));
        steps.push(Step::Batch(overwrites.collect(), false));
        steps.push(Step::Run(12));
        steps.push(Step::Stamped(round % 3, 2));
        match round {
            0 => steps.push(Step::Fork((0, 2), 0)),
            1 => steps.push(Step::DropKeyspace(1)),
            2 => steps.push(restart(How::Close, Kept::Nothing, durability)),
            _ => steps.push(Step::Transaction(
                vec![((0, 1, 3), true), ((1, 1, 3), false)],
                false,
                true,
            )),
        }
    }
    steps.push(Step::Advance(Duration::from_millis(20)));
    steps
}

fn restart(how: How, kept: Kept, durability: Durability) -> Step {
    Step::Restart(Box::new(Restart {
        how,
        damage: Vec::new(),
        faults: Faults::default(),
        crash_after: None,
        kept,
        options: options(durability),
    }))
}

/// The work, with a power cut during one operation of the disk, and two more openings behind it.
fn scripted(work: &[Step], at: Option<u16>, kept: Kept, durability: Durability) -> Script {
    let mut steps = Vec::new();
    if let Some(at) = at {
        steps.push(Step::PowerFails(at));
    }
    steps.extend_from_slice(work);
    if at.is_some() {
        steps.push(restart(How::Crash(kept), kept, durability));
        steps.push(restart(How::Crash(Kept::Nothing), kept, durability));
    }
    Script {
        seed: 1,
        first: options(durability),
        steps: steps.into_iter().enumerate().collect(),
    }
}
