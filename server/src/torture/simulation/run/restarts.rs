//! Ends of the process, and openings.

use stator_torture::How;

use super::Run;
use crate::store::{Faults, Kept};
use crate::torture::Checked;
use crate::torture::simulation::script::Restart;

impl Run {
    pub(super) fn restart(&mut self, restart: &Restart) -> Checked {
        let clean = self.end(restart.how)?;
        self.options = restart.options.clone();
        self.tolerant = false;
        self.doomed = false;
        self.set_faults(restart.faults);
        if let Some(operations) = restart.crash_after {
            self.tolerant = true;
            self.machine.crash_after(u64::from(operations));
        }
        let opened = self.open_once();
        self.machine.set_faults(Faults::default());
        match opened {
            Ok(stator) if !self.machine.has_crashed() => {
                self.stator = Some(stator);
                match self.check() {
                    Err(_) if self.machine.has_crashed() => {}
                    // A read that failed while it was opened has stopped a task.
                    Err(_) if restart.faults.can_fail() => {}
                    checked => {
                        self.tolerant = restart.crash_after.is_some();
                        return checked;
                    }
                }
            }
            Ok(_) => {}
            Err(why) if !self.tolerant => return Err(why),
            Err(_) => {}
        }
        self.stator = None;
        if self.machine.has_crashed() {
            self.machine.crash_keeping(restart.kept);
            self.coverage.crashes_while_opening += 1;
            if !clean {
                self.history.acknowledge_nothing();
            }
        } else {
            self.machine.kill();
            self.coverage.failed_openings += 1;
        }
        self.tolerant = false;
        self.stator = Some(self.open_once()?);
        self.check()
    }

    /// Ends the process. Answers whether what was acknowledged is on the disk.
    fn end(&mut self, how: How) -> Checked<bool> {
        let no_sync_failed = self.machine.fault_counts().syncs == 0;
        let mut on_disk = self.is_synced();
        let mut in_system = on_disk || (no_sync_failed && !self.machine.has_crashed());
        if how == How::Close {
            self.wait_for_all()?;
            self.idle_unless_tolerant()?;
            let closed = self.stator()?.close();
            match closed {
                Ok(()) if !self.machine.has_crashed() => {
                    on_disk = true;
                    in_system = true;
                    if !self.doomed {
                        self.history.acknowledge_all();
                    }
                }
                Err(error) if !self.tolerant => return Err(format!("closing: {error}")),
                _ => in_system = on_disk,
            }
        }
        match how {
            How::Crash(kept) => {
                self.machine.crash_keeping(kept);
                in_system = on_disk;
            }
            _ if self.machine.has_crashed() => {
                self.machine.crash_keeping(Kept::Nothing);
                in_system = on_disk;
            }
            _ => self.machine.kill(),
        }
        self.coverage.ends(how);
        self.in_flight.clear();
        self.stator = None;
        if !in_system {
            self.history.acknowledge_nothing();
        }
        if !on_disk {
            // Switches are made of several commits.
            self.added = None;
            self.expires = None;
        }
        Ok(on_disk)
    }
}
