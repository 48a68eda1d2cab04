//! The real binary as a process that is killed, stopped and started again while clients use it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};
use stator_harness::Process;

/// What went wrong with the process or a connection to it.
pub type Outcome<T = ()> = io::Result<T>;

/// Where the server is now.
struct Now {
    /// Its `host:port`; none between two processes, and after the last.
    address: Option<String>,
    /// Counts the processes.
    generation: usize,
    over: bool,
}

/// The processes on one directory, one after the other.
pub struct Server {
    directory: PathBuf,
    options: Vec<String>,
    process: Mutex<Option<Process>>,
    now: Mutex<Now>,
    changed: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// Starts the first process, and returns when it serves.
    ///
    /// # Errors
    /// If the binary is missing or does not say where it listens.
    pub fn start(directory: &Path, options: &[&str]) -> Outcome<Server> {
        let server = Server {
            directory: directory.to_owned(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            process: Mutex::new(None),
            now: Mutex::new(Now {
                address: None,
                generation: 0,
                over: false,
            }),
            changed: Condvar::new(),
        };
        server.spawn()?;
        Ok(server)
    }

    fn spawn(&self) -> Outcome {
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        let process = Process::start(&self.directory, &options)?;
        let address = process
            .endpoint()
            .strip_prefix("http://")
            .map(str::to_owned);
        *lock(&self.process) = Some(process);
        let mut now = lock(&self.now);
        now.generation += 1;
        now.address = address;
        self.changed.notify_all();
        Ok(())
    }

    /// `kill -9`, and nothing else. Nothing is done by the process once this returns.
    ///
    /// # Errors
    /// If it had panicked before.
    pub fn kill(&self) -> Outcome {
        lock(&self.now).address = None;
        let Some(process) = lock(&self.process).take() else {
            return Ok(());
        };
        let said = process.kill()?;
        if said.contains("panicked at") {
            return Err(io::Error::other(said));
        }
        Ok(())
    }

    /// `kill -9`, and another process on the same directory. `killed` is called in between.
    ///
    /// # Errors
    /// If it had panicked before, or does not start again.
    pub fn crash(&self, killed: impl FnOnce()) -> Outcome {
        self.kill()?;
        killed();
        self.spawn()
    }

    /// Ends the last process: clients that wait for one give up.
    ///
    /// # Errors
    /// If it had panicked before.
    pub fn end(&self) -> Outcome {
        lock(&self.now).over = true;
        self.changed.notify_all();
        self.kill()
    }

    /// Stops the process with SIGSTOP while `meanwhile` runs.
    ///
    /// # Errors
    /// If there is no process.
    pub fn pause(&self, meanwhile: impl FnOnce()) -> Outcome {
        let process = lock(&self.process);
        let id = process.as_ref().map(|process| process.id().cast_signed());
        let pid = id.and_then(Pid::from_raw);
        let pid = pid.ok_or(io::ErrorKind::NotFound)?;
        kill_process(pid, Signal::STOP)?;
        meanwhile();
        kill_process(pid, Signal::CONT)?;
        Ok(())
    }

    /// Where the server is, and which process it is; waits while there is none. `None` after the
    /// last.
    pub fn address(&self) -> Option<(String, usize)> {
        let mut now = lock(&self.now);
        loop {
            if now.over {
                return None;
            }
            if let Some(address) = &now.address {
                return Some((address.clone(), now.generation));
            }
            now = self
                .changed
                .wait(now)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.end();
    }
}
