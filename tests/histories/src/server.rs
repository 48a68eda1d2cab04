//! The real binary as a process that is killed, stopped and started again while clients use it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

/// What went wrong with the process or a connection to it.
pub type Outcome<T = ()> = io::Result<T>;

/// One process of `stator serve`.
struct Process {
    child: Child,
    /// Kept, since a server whose stdout is closed could not write to it any more.
    _stdout: BufReader<ChildStdout>,
    log: File,
}

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
        let log = tempfile::tempfile()?;
        let mut child = Command::new(binary())
            .args(["serve", "--port", "0", "--dir"])
            .arg(&self.directory)
            .args(&self.options)
            .stdout(Stdio::piped())
            .stderr(log.try_clone()?)
            .spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut stdout = BufReader::new(stdout);
        let (mut line, mut address) = (String::new(), None);
        while stdout.read_line(&mut line)? > 0 {
            match line.trim().split_once(' ') {
                Some(("endpoint", url)) => {
                    let url = url.trim();
                    address = url.strip_prefix("http://").map(str::to_owned);
                }
                Some(("try", _)) => break,
                _ => {}
            }
            line.clear();
        }
        let mut process = Process {
            child,
            _stdout: stdout,
            log,
        };
        if address.is_none() {
            process.child.wait()?;
            return Err(io::Error::other(format!(
                "it did not start: {}",
                said(&mut process.log)?
            )));
        }
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
        let Some(mut process) = lock(&self.process).take() else {
            return Ok(());
        };
        process.child.kill()?;
        process.child.wait()?;
        let said = said(&mut process.log)?;
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
        let child = process.as_ref().map(|process| &process.child);
        let pid = child.and_then(|child| Pid::from_raw(child.id().cast_signed()));
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

fn said(log: &mut File) -> Outcome<String> {
    let mut said = String::new();
    log.rewind()?;
    log.read_to_string(&mut said)?;
    Ok(said)
}

/// The binary that `STATOR_BINARY` names, or the release build of this tree.
fn binary() -> PathBuf {
    match std::env::var_os("STATOR_BINARY") {
        Some(path) => path.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/release/stator"),
    }
}
