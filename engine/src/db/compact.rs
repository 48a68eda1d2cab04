//! The tasks that compact.
//!
//! Each has one job at a time. One is only ever busy with L0, since L0 is what every read has to look
//! through and where writes pile up; the others look after the deeper levels first. So neither ever
//! waits for the other, and the operating system gives the one more of the processor.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::budget::Class;
use super::counters::add;
use super::keyspaces::FIRST_CREATED_KEYSPACE;
use super::shared::Shared;
use super::space::RETRY;
use crate::compaction::{Busy, Compaction, Job, Progress, Retention, Work, forgettable, pick};
use crate::error::{Corruption, Error, Result};
use crate::io::Next;
use crate::key::KeyspaceId;
use crate::manifest::{Version, VersionEdit};
use crate::sync::Mutex;

/// What the tasks know of each other.
#[derive(Default)]
pub(super) struct Running {
    /// Inputs and outputs of the jobs, and files that can't be read.
    busy: Busy,
    /// Rises whenever something in `busy` gets free.
    freed: u64,
}

/// Compacts, one step at a time.
pub(super) struct Compactor {
    shared: Arc<Shared>,
    running: Arc<Mutex<Running>>,
    work: Work,
    job: Option<(Compaction, Job)>,
    /// What was last looked through for something to do: the version, and `freed` and the count of
    /// snapshots that have gone then.
    looked_at: Option<(Arc<Version>, u64, u64)>,
}

impl Compactor {
    pub(super) fn new(shared: Arc<Shared>, running: Arc<Mutex<Running>>, work: Work) -> Self {
        Compactor {
            shared,
            running,
            work,
            job: None,
            looked_at: None,
        }
    }

    /// Does a bounded part of a job, or looks for the next one.
    pub(super) fn step(&mut self) -> Next {
        if self.shared.is_stopped() {
            return Next::Done;
        }
        if self.shared.health.check().is_err() {
            return Next::Idle;
        }
        match self.advance() {
            Ok(next) => next,
            Err(Error::Corruption(corruption)) => {
                self.leave_alone(&corruption);
                Next::Again
            }
            Err(error) if error.is_no_room() || matches!(error, Error::DiskFull { .. }) => {
                tracing::warn!("a compaction waits: {error}");
                // Nobody is woken for it: all would find no room again, at once and without end.
                if let Some((compaction, _)) = self.job.take() {
                    self.release(&compaction);
                }
                self.looked_at = None;
                Next::After(RETRY)
            }
            Err(error) => {
                self.shared.fail(&error);
                Next::Idle
            }
        }
    }

    fn advance(&mut self) -> Result<Next> {
        if self.job.is_none() {
            self.look_for_work()?;
        }
        let Some((compaction, job)) = &mut self.job else {
            return Ok(Next::Idle);
        };
        let class = match compaction.is_from_l0() {
            true => Class::L0,
            false => Class::Deep,
        };
        if let Some(pause) = self.shared.budget.pause(class) {
            return Ok(Next::After(pause));
        }
        let before = job.totals();
        let progress = job.step()?;
        self.shared.budget.spend(job.totals().since(before));
        if let Progress::Done(edit) = progress {
            let counters = &self.shared.counters;
            let written = job.totals().bytes_written;
            add(&counters.compacted_bytes_read, compaction.size());
            add(&counters.compacted_bytes_written, written);
            self.apply(edit)?;
        }
        Ok(Next::Again)
    }

    /// Looks through a new version for something to do. Does at once what needs no file read.
    fn look_for_work(&mut self) -> Result<()> {
        while self.job.is_none() {
            let running = Arc::clone(&self.running);
            let mut running = running.lock();
            // Under the lock: whose files are free, those are in this version or gone from it.
            let version = self.shared.versions.current();
            let released = self.shared.released.load(Ordering::Acquire);
            // Before the snapshots are listed, as `Retention` asks for.
            let retention = self.shared.retention(version.flushed_sequence(), &version);
            let looked_at = (version, running.freed, released);
            let seen = self
                .looked_at
                .as_ref()
                .is_some_and(|(version, freed, gone)| {
                    Arc::ptr_eq(version, &looked_at.0)
                        && (*freed, *gone) == (looked_at.1, looked_at.2)
                });
            if seen {
                return Ok(());
            }
            let version = &looked_at.0;
            if self.work == Work::Deep {
                self.forget_keyspaces(version)?;
            }
            let options = &self.shared.options;
            let Some(picked) = pick(version, options, &retention, &running.busy, self.work) else {
                if self.work == Work::Deep {
                    self.write_out_forked(version);
                }
                self.looked_at = Some(looked_at);
                return Ok(());
            };
            running.busy.insert(&picked);
            drop(running);
            self.start(version, picked, retention)?;
        }
        Ok(())
    }

    /// Does a compaction at once if no file need be read; begins a job if not. Inputs that turn out
    /// to be damaged stay busy, and that is all.
    fn start(
        &mut self,
        version: &Version,
        compaction: Compaction,
        retention: Retention,
    ) -> Result<()> {
        tracing::debug!(
            reason = ?compaction.reason(),
            files = compaction.file_ids().count(),
            bytes = compaction.size(),
            "compaction begins"
        );
        let (versions, options) = (&self.shared.versions, &self.shared.options);
        if let Some(size) = compaction.copied_size()
            && let Err(error) = self.shared.check_room(size)
        {
            self.release(&compaction);
            return Err(error);
        }
        let begun = match compaction.immediate_edit() {
            Some(edit) => {
                let applied = self.shared.apply(edit);
                if applied.is_ok() {
                    add(&self.shared.counters.compactions, 1);
                }
                applied.map(|()| None)
            }
            None => Job::compaction(versions, version, &compaction, retention, options).map(Some),
        };
        match begun {
            Ok(Some(job)) => self.job = Some((compaction, job)),
            Ok(None) => self.free(&compaction),
            Err(Error::Corruption(corruption)) => {
                leave_alone(&corruption);
                self.running.lock().busy.give_up(&compaction);
            }
            Err(error) => {
                self.release(&compaction);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Ends the job with its edit.
    fn apply(&mut self, edit: VersionEdit) -> Result<()> {
        self.shared.apply(edit)?;
        add(&self.shared.counters.compactions, 1);
        if let Some((compaction, _)) = self.job.take() {
            self.free(&compaction);
        }
        Ok(())
    }

    /// Others may have its files now, and are told so.
    fn free(&self, compaction: &Compaction) {
        self.release(compaction);
        self.shared.wakers.wake_compactors();
    }

    /// Others may have its files when they look next.
    fn release(&self, compaction: &Compaction) {
        let mut running = self.running.lock();
        running.busy.remove(compaction);
        running.freed += 1;
    }

    /// A damaged block spoils the reads that need it, and no writes: the files of the compaction that
    /// has met it stay marked as busy, and so stay as they are.
    fn leave_alone(&mut self, corruption: &Corruption) {
        leave_alone(corruption);
        if let Some((compaction, _)) = self.job.take() {
            let mut running = self.running.lock();
            running.busy.give_up(&compaction);
            running.freed += 1;
        }
        self.looked_at = None;
        self.shared.wakers.wake_compactors();
    }

    /// Only what is in SSTables is copied out, and a fork's source may not be written to again.
    fn write_out_forked(&self, version: &Version) {
        let forks = version.histories().overlays();
        let latest = forks.map(|(_, overlay)| overlay.created).max();
        if let Some(created) = latest.filter(|created| *created > version.flushed_sequence()) {
            self.shared.write_out(created);
        }
    }

    /// Dropped keyspaces of which nothing is stored are gone. So are the ids that were not given out in
    /// their place: ranges of gone ids would otherwise end at each of those.
    fn forget_keyspaces(&self, version: &Version) -> Result<()> {
        let mut forgotten = forgettable(version);
        if !forgotten.is_empty() {
            let created = forgotten.iter().filter(|keyspace| {
                let number = KeyspaceId(keyspace.number());
                number >= FIRST_CREATED_KEYSPACE
            });
            let unused: Vec<_> = created.map(|keyspace| keyspace.other_kind()).collect();
            forgotten.extend(unused);
            let gone = forgotten.iter().map(|keyspace| (keyspace.0, keyspace.0));
            self.shared.apply(VersionEdit {
                gone: gone.collect(),
                ..VersionEdit::default()
            })?;
            self.shared.dropped.set_gone(&forgotten);
            self.shared.snapshots.forget(&forgotten);
        }
        Ok(())
    }
}

fn leave_alone(corruption: &Corruption) {
    tracing::error!("compaction has met a damaged file: {corruption}");
}
