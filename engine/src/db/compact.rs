//! The task that compacts.
//!
//! One task with at most two jobs: a long one of deep levels is put aside while L0 has to be
//! compacted, since L0 is what every read has to look through.

use std::sync::Arc;

use super::counters::add;
use super::shared::Shared;
use super::space::RETRY;
use crate::compaction::{Busy, Compaction, Job, Progress, Retention, forgettable, pick, pick_l0};
use crate::error::{Corruption, Error, Result};
use crate::io::Next;
use crate::manifest::{Version, VersionEdit};

/// Compacts, one step at a time.
pub(super) struct Compactor {
    shared: Arc<Shared>,
    /// The last one is worked on.
    jobs: Vec<(Compaction, Job)>,
    /// Inputs of the jobs, and files that can't be read.
    busy: Busy,
    /// The version that was last looked through for something to do.
    looked_at: Option<Arc<Version>>,
}

impl Compactor {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Compactor {
            shared,
            jobs: Vec::new(),
            busy: Busy::default(),
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
                leave_alone(&corruption);
                self.jobs.pop();
                self.looked_at = None;
                Next::Again
            }
            Err(error) if error.is_no_room() => {
                tracing::warn!("a compaction waits: {error}");
                // All of them: the inputs of the one that failed are free again with those of others.
                self.jobs.clear();
                self.busy = Busy::default();
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
        if self
            .jobs
            .last()
            .is_none_or(|(compaction, _)| !compaction.is_from_l0())
        {
            self.look_for_work()?;
        }
        let Some((_, job)) = self.jobs.last_mut() else {
            return Ok(Next::Idle);
        };
        if let Progress::Done(edit) = job.step()?
            && let Some((compaction, job)) = self.jobs.pop()
        {
            let totals = job.totals();
            add(
                &self.shared.counters.compacted_bytes_read,
                compaction.size(),
            );
            add(
                &self.shared.counters.compacted_bytes_written,
                totals.bytes_written,
            );
            self.apply(&compaction, edit)?;
        }
        Ok(Next::Again)
    }

    /// Looks through a new version for something to do: anything, or something in L0 if a job of
    /// other levels is under way.
    fn look_for_work(&mut self) -> Result<()> {
        loop {
            let version = self.shared.versions.current();
            if self
                .looked_at
                .as_ref()
                .is_some_and(|seen| Arc::ptr_eq(seen, &version))
            {
                return Ok(());
            }
            // Before the snapshots are listed, as `Retention` asks for.
            let retention = self.shared.retention(version.flushed_sequence());
            self.forget_keyspaces(&version)?;
            let pick = if self.jobs.is_empty() { pick } else { pick_l0 };
            let picked = pick(&version, &self.shared.options, &retention, &self.busy);
            let Some(picked) = picked else {
                self.looked_at = Some(version);
                return Ok(());
            };
            if !self.start(&version, picked, retention)? {
                return Ok(());
            }
        }
    }

    /// Does a compaction at once if no file need be read, and answers `true`; begins a job if not.
    /// Inputs that turn out to be damaged stay busy, and that is all: `true`.
    fn start(
        &mut self,
        version: &Version,
        compaction: Compaction,
        retention: Retention,
    ) -> Result<bool> {
        self.busy.insert(&compaction);
        tracing::debug!(
            reason = ?compaction.reason(),
            files = compaction.file_ids().count(),
            bytes = compaction.size(),
            "compaction begins"
        );
        if let Some(edit) = compaction.immediate_edit() {
            self.apply(&compaction, edit)?;
            return Ok(true);
        }
        let (versions, options) = (&self.shared.versions, &self.shared.options);
        match Job::compaction(versions, version, &compaction, retention, options) {
            Ok(job) => {
                self.jobs.push((compaction, job));
                Ok(false)
            }
            Err(Error::Corruption(corruption)) => {
                leave_alone(&corruption);
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    fn apply(&mut self, compaction: &Compaction, edit: VersionEdit) -> Result<()> {
        add(&self.shared.counters.compactions, 1);
        self.shared.apply(edit)?;
        self.busy.remove(compaction);
        Ok(())
    }

    /// Takes dropped keyspaces of which nothing is stored off the list.
    fn forget_keyspaces(&self, version: &Version) -> Result<()> {
        let forgotten = forgettable(version);
        if !forgotten.is_empty() {
            self.shared.dropped.forget(&forgotten);
            self.shared.apply(VersionEdit {
                forgotten,
                ..VersionEdit::default()
            })?;
        }
        Ok(())
    }
}

/// A damaged block spoils the reads that need it, and no writes: the files of the compaction that
/// has met it stay marked as busy, and so stay as they are.
fn leave_alone(corruption: &Corruption) {
    tracing::error!("compaction has met a damaged file: {corruption}");
}
