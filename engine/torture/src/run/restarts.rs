//! Ends of the process, and openings.

use std::path::Path;

use stator_engine::io::Faults;
use stator_engine::{Db, Durability, ReadMode};

use super::{DIR, Run};
use crate::check::{Checked, check_all, check_files, check_last, differs};
use crate::damage;
use crate::script::{How, Restart};

/// Up to which commit everything has to be there.
struct Floor {
    now: u64,
    /// If the power goes before the database has been opened again.
    after_power_cut: u64,
    /// If the last group of the log is damaged.
    sealed: u64,
}

impl Run {
    pub(super) fn restart(&mut self, restart: &Restart) -> Checked {
        let left = self.end(restart.how)?;
        let floor = left.now;
        for (number, damage) in restart.damage.iter().enumerate() {
            let state = damage::State {
                model: &self.model,
                past: &self.past,
                options: &restart.options,
                floor,
                sealed: left.sealed.min(floor),
            };
            damage::check(&self.simulation.fork(number as u64), damage, &state)
                .map_err(|seen| format!("with {damage:?}: {seen}"))?;
            self.coverage.damages += 1;
        }
        self.open(restart, &left)
    }

    /// Ends the process. Answers what has to be there afterwards.
    fn end(&mut self, how: How) -> Checked<Floor> {
        let db = self.db.take().ok_or("no database is open")?;
        let published = db.durable_sequence();
        let synced = self.simulation.fault_counts().syncs == 0;
        let by_os = match self.options.durability {
            Durability::Sync => true,
            // What was only with the operating system is lost in a sync that fails.
            Durability::Interval(_) => how == How::Kill && synced && !self.simulation.has_crashed(),
        };
        let mut floor = match by_os {
            true => self.floor.max(self.acknowledged).max(published),
            false => self.floor,
        };
        let mut sealed = match self.options.durability {
            Durability::Sync => self.sealed,
            Durability::Interval(_) => self.opened,
        };
        match how {
            How::Close => {
                self.snapshots.clear();
                let closed = db.close();
                let closed = self.expect("closing", closed)?;
                self.await_all()?;
                if closed.is_some() {
                    floor = self.model.last();
                    sealed = floor;
                }
                // The remains of what the power failure has left.
                if self.simulation.has_crashed() {
                    self.simulation.crash();
                } else {
                    self.simulation.kill();
                }
            }
            How::Kill if self.simulation.has_crashed() => self.simulation.crash(),
            How::Kill => self.simulation.kill(),
            How::Crash(kept) => self.simulation.crash_keeping(kept),
        }
        self.coverage.ends(how);
        check_files(&self.simulation)?;
        self.check_remains()?;
        self.snapshots.clear();
        self.waiting.clear();
        let after_power_cut = match (how, &self.options.durability) {
            (How::Kill, Durability::Interval(_)) => self.floor,
            _ => floor,
        };
        Ok(Floor {
            now: floor,
            after_power_cut,
            sealed,
        })
    }

    /// What is left of the process answers with an error or rightly.
    fn check_remains(&self) -> Checked {
        for held in &self.snapshots {
            let snapshot = &held.snapshot;
            for key in self.model.keys().take(3) {
                let expected = self.model.get(&key, snapshot.sequence());
                if let Ok(found) = snapshot.get(&key, ReadMode::Blocking)
                    && found != expected
                {
                    let of = format!("{key:?} in a snapshot of the process that ended");
                    return Err(differs(&of, &found, &expected));
                }
            }
        }
        Ok(())
    }

    /// Opens the database, with what is to happen meanwhile, until it is open.
    fn open(&mut self, restart: &Restart, left: &Floor) -> Checked {
        let mut floor = left.now;
        self.options = restart.options.clone();
        self.tolerant = false;
        self.short_reads = false;
        self.set_faults(restart.faults);
        if let Some(operations) = restart.crash_after {
            self.tolerant = true;
            self.simulation.crash_after(u64::from(operations));
        }
        let opened = Db::open(self.simulation.env(), Path::new(DIR), self.options.clone());
        self.simulation.set_faults(Faults::default());
        let opened = self.expect("opening", opened)?;
        let db = match opened {
            Some(db) if !self.simulation.has_crashed() => {
                if restart.crash_after.is_none() {
                    self.tolerant = false;
                }
                db
            }
            failed => {
                if self.simulation.has_crashed() {
                    self.simulation.crash_keeping(restart.kept);
                    self.coverage.crashes_while_opening += 1;
                    check_files(&self.simulation)?;
                    floor = left.after_power_cut;
                } else {
                    self.simulation.kill();
                    self.coverage.failed_openings += 1;
                }
                drop(failed);
                self.tolerant = false;
                let again = Db::open(self.simulation.env(), Path::new(DIR), self.options.clone());
                again.map_err(|error| format!("opening: {error}"))?
            }
        };
        let last = db.durable_sequence();
        check_last(last, floor, &self.model)?;
        self.db = Some(db.clone());
        self.model.truncate(last);
        let learnt = self.past.learn(&db, &self.model, self.now_ms());
        learnt.map_err(|seen| format!("after opening: {seen}"))?;
        self.acknowledged = last;
        self.sealed = last;
        self.floor = last;
        self.opened = last;
        match check_all(&db, &self.model) {
            // The power may go while this reads.
            Err(_) if self.simulation.has_crashed() => Ok(()),
            result => result,
        }
    }
}
