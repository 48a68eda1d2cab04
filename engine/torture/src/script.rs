//! What a run does, as data: made from a seed, and shrunk by leaving steps out.

use std::fmt;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use stator_engine::io::{Faults, Kept};
use stator_engine::{Durability, Options};

/// Keyspaces in use at a time.
pub(crate) const SLOTS: u8 = 3;

/// A key by its numbers: the slot of its keyspace, its partition, its sort key.
pub(crate) type KeyNumber = (u8, u8, u8);

/// Steps that a fuzzer's input may give: an input of a few kilobytes is not to take seconds.
const MOST_STEPS_FROM_BYTES: usize = 200;

/// A run: of the engine, or of whatever else is simulated over it.
#[derive(Clone, Debug)]
pub struct Script<S = Step> {
    /// What it was made from.
    pub seed: u64,
    /// The options of the first opening.
    pub first: Options,
    /// What is done, each with its number in the script that the seed gives.
    pub steps: Vec<(usize, S)>,
}

/// One thing that a run does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Commits a batch: keys, and the lengths of their values or deletions; and waits for it.
    Batch(Vec<(KeyNumber, Option<usize>)>, bool),
    /// Commits so many keys with the commit's sequence number in them.
    Stamped(u8, u8),
    /// Reads keys under their locks and writes some of them; commits, or abandons; waits.
    Transaction(Vec<(KeyNumber, bool)>, bool, bool),
    /// Reserves keyspace ids.
    CreateKeyspace,
    /// Drops the keyspace in a slot, with a new one in its place.
    DropKeyspace(u8),
    /// Writes a key of a keyspace that was dropped: late, as if nobody had said so.
    Late(KeyNumber),
    /// Forks the keyspace of one slot into another, as of so many commits before.
    Fork((u8, u8), u8),
    /// Waits for all commits that nobody has waited for.
    Await,
    /// Commits a batch that is not refused because others write too much.
    Unthrottled(Vec<(KeyNumber, Option<usize>)>),
    /// Waits for everything that is under way.
    Settle,
    /// Sets the retention window of the keyspace in a slot, or ends it.
    Window(u8, Option<Duration>),
    /// Pins the keyspaces in the slots that have a bit here, as of a moment.
    Pin(u8, Moment),
    /// Ends a pin.
    Unpin(u8),
    /// Reads the keyspace of a key as of a moment, and holds on to what it sees or not.
    AsOf(KeyNumber, Moment, bool),
    /// Takes a snapshot.
    Snapshot,
    /// Lets a snapshot go.
    Release(u8),
    /// Reads a key, at the present and through a snapshot.
    Get(KeyNumber, u8),
    /// Reads a range both ways, through a snapshot.
    Range(KeyNumber, u8, u8),
    /// Lets background tasks take so many steps.
    Run(u16),
    /// Lets background tasks do all they have to do.
    Idle,
    /// Lets time pass, and waits for what is due.
    Advance(Duration),
    /// From now on the disk does this.
    Faults(Faults),
    /// The power goes after so many operations of the disk.
    PowerFails(u16),
    /// Ends the process and opens the database again.
    Restart(Box<Restart>),
}

/// A moment of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So many commits ago.
    Commit(u8),
    /// So many milliseconds ago.
    Time(u32),
}

/// An end of the process, and the next opening.
#[derive(Clone, Debug)]
pub struct Restart {
    /// How it ends.
    pub how: How,
    /// What is done to a copy of the disk, which is opened then.
    pub damage: Vec<Damage>,
    /// What the disk does while the database is opened.
    pub faults: Faults,
    /// The power goes again after so many operations of the disk, which may be during opening.
    pub crash_after: Option<u16>,
    /// What that leaves.
    pub kept: Kept,
    /// The options of the next opening.
    pub options: Options,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The database is closed.
    Close,
    /// The process is killed; the operating system goes on.
    Kill,
    /// The power goes.
    Crash(Kept),
}

/// Damage to what was synced long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Which kind of file.
    pub file: DamagedFile,
    /// Which one of them, which byte, which bit.
    pub at: (u32, u32, u8),
    /// The sector of the byte becomes zeros instead.
    pub zeros: bool,
}

/// The kinds of files that can be damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamagedFile {
    /// A segment of the log.
    Log,
    /// An SSTable.
    Sstable,
    /// The manifest.
    Manifest,
    /// `CURRENT`.
    Current,
}

/// Draws what a script consists of.
#[derive(Clone, Debug)]
pub struct Draw(Source);

#[derive(Clone, Debug)]
enum Source {
    Seed(Box<ChaCha8Rng>),
    /// What a fuzzer gives, from the end; without any left all draws are 0.
    Bytes(Vec<u8>),
}

impl Draw {
    /// What a seed gives.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Draw(Source::Seed(Box::new(ChaCha8Rng::seed_from_u64(seed))))
    }

    fn from_bytes(input: &[u8]) -> Self {
        Draw(Source::Bytes(input.iter().rev().copied().collect()))
    }

    /// A number of as many bits as it takes to draw one below a bound.
    fn word(&mut self, bound: u32) -> u32 {
        match &mut self.0 {
            Source::Seed(random) => random.next_u32(),
            // Short draws, so that a changed byte changes one thing.
            Source::Bytes(bytes) => {
                let count = usize::min(
                    4,
                    (bound.saturating_sub(1).checked_ilog2().unwrap_or(0) / 8) as usize + 1,
                );
                (0..count).fold(0, |word, _| word << 8 | u32::from(bytes.pop().unwrap_or(0)))
            }
        }
    }

    /// Whether all that a fuzzer has given is used up.
    fn is_used_up(&self) -> bool {
        matches!(&self.0, Source::Bytes(bytes) if bytes.is_empty())
    }

    /// A number below a bound, which is not 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.word(bound) % bound.max(1)
    }

    /// A number below a bound, which is not 0.
    pub fn byte(&mut self, bound: u32) -> u8 {
        u8::try_from(self.below(bound)).unwrap_or(u8::MAX)
    }

    /// A number below a bound, which is not 0.
    pub fn short(&mut self, bound: u32) -> u16 {
        u16::try_from(self.below(bound)).unwrap_or(u16::MAX)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    /// One of these, or what is given if there is none.
    pub fn pick<T: Copy>(&mut self, from: &[T], otherwise: T) -> T {
        let count = u32::try_from(from.len()).unwrap_or(1);
        let at = self.below(count) as usize;
        from.get(at).copied().unwrap_or(otherwise)
    }

    fn key(&mut self) -> KeyNumber {
        (self.byte(SLOTS.into()), self.byte(4), self.byte(10))
    }

    fn value_len(&mut self) -> usize {
        match self.below(20) {
            0 => 3_000,
            1 => 700,
            2..5 => 0,
            _ => 8 + self.below(60) as usize,
        }
    }

    /// Options, many of them far from what anybody would choose.
    pub fn options(&mut self) -> Options {
        let durability = match self.below(3) {
            0 => Durability::Interval(Duration::from_millis(10)),
            _ => Durability::Sync,
        };
        Options {
            durability,
            memtable_size: self.pick(&[1 << 10, 4 << 10, 16 << 10, 1 << 20], 1 << 10),
            immutable_memtables: self.pick(&[1, 2, 4], 1),
            block_cache_size: self.pick(&[0, 8 << 10, 256 << 10], 0),
            wal_segment_size: self.pick(&[4 << 10, 8 << 10, 32 << 10, 256 << 10], 4 << 10),
            block_size: self.pick(&[64, 256, 1 << 10, 16 << 10], 64),
            sstable_size: self.pick(&[1 << 10, 8 << 10, 64 << 10], 1 << 10),
            l0_compression_level: self.pick(&[0, 1], 0),
            compression_level: self.pick(&[0, 3], 0),
            l0_compaction_threshold: self.pick(&[1, 2, 4], 1),
            base_level_size: self.pick(&[2 << 10, 16 << 10, 64 << 10], 2 << 10),
            level_fanout: self.pick(&[2, 4, 10], 2),
            compaction_jobs: self.pick(&[2, 2, 4], 2),
            compaction_rate: self.pick(&[0, 0, 0, 1 << 20], 0),
            manifest_size: self.pick(&[512, 2 << 10, 1 << 20], 512),
            skip_bound: self.pick(&[1, 3, 4096], 1),
            ..Options::default()
        }
    }

    /// What a power cut leaves.
    pub fn kept(&mut self) -> Kept {
        match self.below(8) {
            0 => Kept::Nothing,
            1 => Kept::Everything,
            2 | 3 => Kept::Prefix,
            4 => Kept::Files,
            5 => Kept::Sectors(90),
            6 => Kept::Sectors(10),
            _ => Kept::Sectors(50),
        }
    }

    /// What is wrong with a disk.
    pub fn faults(&mut self) -> Faults {
        let mut faults = Faults::default();
        let odds = self.pick(&[50, 300, 2_000], 50);
        match self.below(9) {
            0 => faults.read = odds,
            7 => {
                let sizes = [16 << 10, 64 << 10, 256 << 10, 1 << 20];
                faults.capacity = Some(self.pick(&sizes, 1 << 20));
            }
            1 => faults.write = odds,
            // There are few syncs, and each that fails is worth a look.
            2 | 6 => faults.sync = 3_000,
            3 => faults.name = odds,
            4 => faults.short_read = odds,
            5 => faults.slow = 2_000,
            _ => {
                faults.read = odds / 4;
                faults.write = odds / 4;
                faults.sync = odds / 4;
                faults.name = odds / 4;
                faults.short_read = odds / 4;
                faults.slow = odds;
            }
        }
        faults
    }

    fn damage(&mut self) -> Damage {
        let file = match self.below(12) {
            0 => DamagedFile::Current,
            // An edit in the middle of a manifest is rare, and a mutant hides behind that.
            1..5 => DamagedFile::Manifest,
            5..8 => DamagedFile::Log,
            _ => DamagedFile::Sstable,
        };
        Damage {
            file,
            at: (self.word(u32::MAX), self.word(u32::MAX), self.byte(8)),
            zeros: self.one_in(8),
        }
    }

    fn restart(&mut self) -> Restart {
        let how = match self.below(10) {
            0 => How::Close,
            1 | 2 => How::Kill,
            _ => How::Crash(self.kept()),
        };
        let damage = match self.below(4) {
            0 => (0..=self.below(3)).map(|_| self.damage()).collect(),
            _ => Vec::new(),
        };
        let faults = match self.below(10) {
            0 => self.faults(),
            _ => Faults::default(),
        };
        let crash_after = match self.below(4) {
            0 => Some(1 + self.short(40)),
            1 => Some(1 + self.short(400)),
            _ => None,
        };
        Restart {
            how,
            damage,
            faults,
            crash_after,
            kept: self.kept(),
            options: self.options(),
        }
    }

    fn writes(&mut self) -> Vec<(KeyNumber, Option<usize>)> {
        let writes = (0..=self.below(5)).map(|_| {
            let len = (!self.one_in(4)).then(|| self.value_len());
            (self.key(), len)
        });
        writes.collect()
    }

    fn moment(&mut self) -> Moment {
        match self.below(4) {
            0 => Moment::Time(self.below(100)),
            1 => Moment::Time(self.below(20_000)),
            _ => Moment::Commit(self.byte(20)),
        }
    }

    fn passing_time(&mut self) -> Duration {
        let most = self.pick(&[30, 30, 30, 4_000], 30);
        Duration::from_millis(u64::from(self.below(most)))
    }

    fn step(&mut self) -> Step {
        match self.below(114) {
            0..34 => {
                let writes = self.writes();
                Step::Batch(writes, self.one_in(3))
            }
            34 | 35 => Step::Stamped(self.byte(SLOTS.into()), 1 + self.byte(4)),
            36..46 => {
                let keys = (0..=self.below(3)).map(|_| (self.key(), self.one_in(2)));
                Step::Transaction(keys.collect(), self.one_in(6), self.one_in(3))
            }
            46 if self.one_in(2) => Step::CreateKeyspace,
            46 => Step::Late(self.key()),
            47 => Step::DropKeyspace(self.byte(SLOTS.into())),
            48 => {
                let slots = (self.byte(SLOTS.into()), self.byte(SLOTS.into()));
                Step::Fork(slots, self.pick(&[0, 0, 1, 5], 0))
            }
            49..56 => Step::Await,
            56..60 => Step::Snapshot,
            60 => Step::Release(self.byte(4)),
            61..66 => Step::Get(self.key(), self.byte(4)),
            66..70 => Step::Range(self.key(), self.byte(6), self.byte(4)),
            70..86 => Step::Run(self.short(60)),
            86..89 => Step::Idle,
            89..93 => Step::Advance(self.passing_time()),
            93..96 => Step::Faults(self.faults()),
            100..102 => Step::Unthrottled(self.writes()),
            102 => Step::Settle,
            103..106 => {
                let lengths = [0, 1, 50, 1_000, 10_000];
                let length: u64 = self.pick(&lengths, 0);
                let length = (length > 0).then(|| Duration::from_millis(length));
                Step::Window(self.byte(SLOTS.into()), length)
            }
            106..109 => Step::Pin(1 + self.byte(7), self.moment()),
            109 => Step::Unpin(self.byte(4)),
            110..114 => Step::AsOf(self.key(), self.moment(), self.one_in(4)),
            _ => Step::PowerFails(1 + self.short(60)),
        }
    }
}

impl Script {
    /// The script that a seed gives.
    #[must_use]
    pub fn new(seed: u64) -> Script {
        let mut draw = Draw::new(seed);
        let first = draw.options();
        let mut steps = Vec::new();
        for _ in 0..8 + draw.below(8) {
            let longest = draw.pick(&[6, 25, 80], 6);
            for _ in 0..draw.below(longest) {
                steps.push(draw.step());
            }
            steps.push(Step::Restart(Box::new(draw.restart())));
        }
        Script {
            seed,
            first,
            steps: steps.into_iter().enumerate().collect(),
        }
    }

    /// The script that a fuzzer's input gives: whatever it is, it is one.
    #[must_use]
    pub fn from_bytes(input: &[u8]) -> Script {
        let mut draw = Draw::from_bytes(input);
        let seed = draw.word(u32::MAX).into();
        let first = draw.options();
        let mut steps = Vec::new();
        while !draw.is_used_up() && steps.len() < MOST_STEPS_FROM_BYTES {
            steps.push(match draw.below(16) {
                0 => Step::Restart(Box::new(draw.restart())),
                _ => draw.step(),
            });
        }
        // Whatever is left: what was acknowledged has to be there in the end.
        steps.push(Step::Restart(Box::new(draw.restart())));
        Script {
            seed,
            first,
            steps: steps.into_iter().enumerate().collect(),
        }
    }
}

impl<S: Clone + fmt::Debug> Script<S> {
    /// The numbers of its steps.
    #[must_use]
    pub fn numbers(&self) -> Vec<usize> {
        self.steps.iter().map(|(number, _)| *number).collect()
    }

    /// Only some of its steps, by their numbers. All others keep what they do.
    #[must_use]
    pub fn only(&self, numbers: &[usize]) -> Script<S> {
        let kept = self.steps.iter().filter(|(at, _)| numbers.contains(at));
        Script {
            seed: self.seed,
            first: self.first.clone(),
            steps: kept.cloned().collect(),
        }
    }

    /// What it does, a line for a step.
    #[must_use]
    pub fn trace(&self) -> String {
        let steps = self.steps.iter();
        let steps = steps.map(|(number, step)| format!("\n{number:4} {step:?}"));
        format!(
            "first options: {:?}{}",
            self.first,
            steps.collect::<String>()
        )
    }
}

/// Numbers of steps, as `1-3,7`.
#[must_use]
pub fn numbers(steps: &[usize]) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for number in steps {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let ranges = ranges.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    ranges.collect::<Vec<_>>().join(",")
}

/// Reads what [`numbers`] gives. What is no number is passed over.
#[must_use]
pub fn parse_numbers(text: &str) -> Vec<usize> {
    let ranges = text.split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    });
    ranges.flatten().collect()
}
