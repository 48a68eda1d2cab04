//! A machine on one thread, from one seed: the same seed always gives the same run.
//!
//! What its disk may do is in `format-spec/faults.md`, and here in [`Faults`], for a disk that is
//! running, and in [`Kept`], for a power cut. The power may go before and during any operation on the
//! file system.

mod disk;
mod faults;
mod fs;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

pub use self::faults::{FaultCounts, Faults, Kept};
use self::fs::SimulatedFs;
use self::tasks::SimulatedScheduler;
use super::{Clock, Env, Rng};
use crate::error::Result;

/// A simulated machine, with what a test needs to drive it and to pull its plug.
///
/// It is meant for one thread; used from several, it stays correct and is no longer deterministic.
#[derive(Clone)]
pub struct Simulation {
    fs: SimulatedFs,
    scheduler: Arc<SimulatedScheduler>,
    clock: Arc<SimulatedClock>,
    rng: Arc<SimulatedRng>,
}

impl Simulation {
    /// A machine with an empty disk.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let clock = Arc::new(SimulatedClock {
            elapsed: Mutex::new(Duration::ZERO),
        });
        let scheduler = Arc::new(SimulatedScheduler::new(
            SimulatedRng::new(seed),
            Arc::clone(&clock),
        ));
        let rng = Arc::new(SimulatedRng::new(seed ^ 0x9E37_79B9_7F4A_7C15));
        let of_disk = SimulatedRng::new(seed ^ 0xC2B2_AE3D_27D4_EB4F);
        Simulation {
            fs: SimulatedFs::new(of_disk, Arc::clone(&clock)),
            scheduler,
            clock,
            rng,
        }
    }

    /// The machine as the engine sees it, until the next crash: what holds this longer gets errors
    /// from its disk, so that the remains of a database can't reach the next one.
    #[must_use]
    pub fn env(&self) -> Env {
        Env {
            fs: Arc::new(self.fs.of_this_life()),
            clock: Arc::clone(&self.clock) as Arc<_>,
            rng: Arc::clone(&self.rng) as Arc<_>,
            scheduler: Arc::clone(&self.scheduler) as Arc<_>,
        }
    }

    /// Lets one task that has something to do take a step. Answers `false` if there is none.
    pub fn step(&self) -> bool {
        self.scheduler.step(false)
    }

    /// Runs tasks until none has anything to do. Time does not pass: tasks that wait for it wait on.
    pub fn run_until_idle(&self) {
        while self.step() {}
    }

    /// Lets time pass, and runs what became due.
    pub fn advance(&self, time: Duration) {
        self.clock.advance(time);
        self.run_until_idle();
    }

    /// Pulls the plug and starts the machine again: all tasks are gone, files and names are what
    /// was synced. Ask for the [`Simulation::env`] of the new life.
    pub fn crash(&self) {
        self.crash_keeping(Kept::Nothing);
    }

    /// The same, with a disk that has kept some of what was not synced.
    pub fn crash_keeping(&self, kept: Kept) {
        self.fs.crash(kept);
        self.scheduler.kill();
    }

    /// Ends the process as `kill -9` does: all tasks are gone, and the operating system still has
    /// what was written, synced or not.
    pub fn kill(&self) {
        self.fs.kill();
        self.scheduler.kill();
    }

    /// Has the power go during the `operations`-th operation of the disk from now on: it and all
    /// that follow fail, and nothing of what follows has an effect. [`Simulation::crash`] is to
    /// follow.
    pub fn crash_after(&self, operations: u64) {
        self.fs.crash_after(operations);
    }

    /// Whether the operation of [`Simulation::crash_after`] has come.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.fs.has_crashed()
    }

    /// What the disk does from now on, to the end of the process.
    pub fn set_faults(&self, faults: Faults) {
        self.fs.set_faults(faults);
    }

    /// The faults that were met.
    #[must_use]
    pub fn fault_counts(&self) -> FaultCounts {
        self.fs.fault_counts()
    }

    /// Bytes in all files.
    #[must_use]
    pub fn disk_used(&self) -> u64 {
        self.fs.used()
    }

    /// Another machine, with a copy of this one's disk as it is now. A crash of it leaves this one
    /// alone.
    #[must_use]
    pub fn fork(&self, seed: u64) -> Simulation {
        let fork = Simulation::new(seed);
        fork.clock.advance_to(self.clock.monotonic());
        let of_disk = SimulatedRng::new(seed ^ 0xC2B2_AE3D_27D4_EB4F);
        let fs = self.fs.copy(of_disk, Arc::clone(&fork.clock));
        Simulation { fs, ..fork }
    }

    /// Operations on the file system so far.
    #[must_use]
    pub fn disk_operations(&self) -> u64 {
        self.fs.operations()
    }

    /// A hash over every operation on the file system with its contents, and over every choice of
    /// the scheduler: equal for two runs that were the same.
    #[must_use]
    pub fn trace(&self) -> u64 {
        self.fs.trace() ^ self.scheduler.trace().rotate_left(1)
    }

    /// The contents of a file, to damage it.
    pub fn damage(&self, path: &std::path::Path, change: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        self.fs.damage(path, change)
    }
}

/// Time that passes only when nothing else happens.
pub(super) struct SimulatedClock {
    elapsed: Mutex<Duration>,
}

impl SimulatedClock {
    /// The wall clock's start: 2026-01-01.
    const EPOCH_MS: u64 = 1_767_225_600_000;

    fn advance(&self, time: Duration) {
        *self.elapsed.lock() += time;
    }

    /// Advances to a moment, if that is not past.
    fn advance_to(&self, moment: Duration) {
        let mut elapsed = self.elapsed.lock();
        *elapsed = (*elapsed).max(moment);
    }
}

impl Clock for SimulatedClock {
    fn now_ms(&self) -> u64 {
        let elapsed = u64::try_from(self.elapsed.lock().as_millis()).unwrap_or(u64::MAX);
        Self::EPOCH_MS.saturating_add(elapsed)
    }

    fn monotonic(&self) -> Duration {
        *self.elapsed.lock()
    }
}

/// A seeded generator.
pub(super) struct SimulatedRng(Mutex<ChaCha8Rng>);

impl SimulatedRng {
    fn new(seed: u64) -> Self {
        SimulatedRng(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))
    }

    /// A number below `bound`, or 0.
    fn below(&self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.0.lock().next_u64() % bound).unwrap_or(0)
    }
}

impl Rng for SimulatedRng {
    fn fill(&self, buf: &mut [u8]) -> Result<()> {
        self.0.lock().fill_bytes(buf);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
