//! What a run does, as data.

use stator_torture::{Draw, How, Script};

use crate::store::{EngineOptions, Faults, Kept};
use crate::torture::tables::ItemKey;
use crate::torture::work::{Action, Part, Work, draw_work};

/// Where the clock stands at the beginning, in seconds.
pub(super) const START_S: u64 = 1_800_000_000;

/// One thing that a run does.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Sends a request, and does not wait for its answer.
    Write(Work),
    /// Sends the request again that had the newest token but so many.
    Repeat(u8),
    /// Waits for all answers.
    Await,
    /// Reads an item.
    Read(ItemKey),
    /// Lets background tasks take so many steps.
    Run(u16),
    /// Lets background tasks do all they have to do, and a moment pass.
    Idle,
    /// Moves the server's clock by so many milliseconds.
    Advance(u64),
    /// Adds the index that is not always there, or takes it away.
    Index(bool),
    /// Switches time to live of the second table.
    TimeToLive(bool),
    /// From now on the disk does this.
    Faults(Faults),
    /// The power goes after so many operations of the disk.
    PowerFails(u16),
    /// Ends the process and opens the database again.
    Restart(Box<Restart>),
}

/// An end of the process, and the next opening.
#[derive(Clone, Debug)]
pub(super) struct Restart {
    pub(super) how: How,
    /// What the disk does while it is opened.
    pub(super) faults: Faults,
    /// The power goes again after so many operations of the disk.
    pub(super) crash_after: Option<u16>,
    /// What that leaves.
    pub(super) kept: Kept,
    pub(super) options: EngineOptions,
}

fn key(draw: &mut Draw) -> ItemKey {
    let table = usize::from(draw.one_in(3));
    let pk = format!("p{}", draw.below(if table == 0 { 3 } else { 8 }));
    let sk = (table == 0).then(|| draw.below(6));
    ItemKey { table, pk, sk }
}

fn restart(draw: &mut Draw) -> Restart {
    let how = match draw.below(10) {
        0 => How::Close,
        1 | 2 => How::Kill,
        _ => How::Crash(draw.kept()),
    };
    let faults = match draw.below(10) {
        0 => draw.faults(),
        _ => Faults::default(),
    };
    let crash_after = match draw.below(4) {
        0 => Some(1 + draw.short(40)),
        1 => Some(1 + draw.short(400)),
        _ => None,
    };
    Restart {
        how,
        faults,
        crash_after,
        kept: draw.kept(),
        options: draw.options(),
    }
}

fn step(draw: &mut Draw, number: usize) -> Step {
    let version = u32::try_from(number).unwrap_or(u32::MAX);
    match draw.below(100) {
        0..46 => {
            let token = || format!("token {number}");
            Step::Write(draw_work(draw, version, &mut key, token))
        }
        46..50 => {
            // One that expires, soon or in a while.
            let expires = START_S + u64::from(draw.below(400)) * 60;
            Step::Write(Work::Single(Part {
                key: key(draw),
                action: Action::Put(version, Some(expires)),
                condition: None,
            }))
        }
        50..52 => Step::Repeat(draw.byte(3)),
        52..58 => Step::Await,
        58..66 => Step::Read(key(draw)),
        66..82 => Step::Run(draw.short(60)),
        82..86 => Step::Idle,
        86..90 => {
            let steps = [0, 1, 1_000, 60_000, 700_000, 5_000_000, 100_000_000];
            let odds = [0, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6];
            let place: usize = draw.pick(&odds, 0);
            Step::Advance(steps.get(place).copied().unwrap_or_default())
        }
        90 | 91 => Step::Index(!draw.one_in(3)),
        92 => Step::TimeToLive(draw.one_in(2)),
        93 | 94 => Step::Faults(draw.faults()),
        _ => Step::PowerFails(1 + draw.short(80)),
    }
}

/// The script that a seed gives.
pub(super) fn script(seed: u64) -> Script<Step> {
    let mut draw = Draw::new(seed ^ 0x5345_5256);
    let first = draw.options();
    let mut steps = Vec::new();
    for _ in 0..6 + draw.below(8) {
        let longest = draw.pick(&[8, 30, 70], 8);
        for _ in 0..draw.below(longest) {
            steps.push(step(&mut draw, steps.len()));
        }
        steps.push(Step::Restart(Box::new(restart(&mut draw))));
    }
    Script {
        seed,
        first,
        steps: steps.into_iter().enumerate().collect(),
    }
}
