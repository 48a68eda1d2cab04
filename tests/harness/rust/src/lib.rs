//! One process of the real binary: started, asked where it listens, killed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// One process of `stator serve`; killed when it is dropped.
pub struct Process {
    child: Child,
    /// Kept, since a server whose stdout is closed could not write to it any more.
    stdout: BufReader<ChildStdout>,
    /// What it says on stderr.
    log: File,
    endpoint: String,
}

impl Process {
    /// Starts `stator serve` on a free port with `directory` and these options, and returns when it
    /// serves.
    ///
    /// # Errors
    /// If the binary is missing; if it ends before it serves, with what it said.
    pub fn start(directory: &Path, options: &[&str]) -> io::Result<Self> {
        let log = tempfile::tempfile()?;
        let mut child = Command::new(binary())
            .args(["serve", "--port", "0", "--dir"])
            .arg(directory)
            .args(options)
            .stdout(Stdio::piped())
            .stderr(log.try_clone()?)
            .spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut process = Self {
            child,
            stdout: BufReader::new(stdout),
            log,
            endpoint: String::new(),
        };
        let mut line = String::new();
        while process.stdout.read_line(&mut line)? > 0 {
            match line.trim().split_once(' ') {
                Some(("endpoint", url)) => process.endpoint = url.trim().to_owned(),
                Some(("try", _)) => break,
                _ => {}
            }
            line.clear();
        }
        if process.endpoint.is_empty() {
            let said = process.kill()?;
            return Err(io::Error::other(format!("it did not start: {said}")));
        }
        Ok(process)
    }

    /// Its `http://host:port`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, and nothing else; answers what it had said on stderr. The process does nothing more
    /// once this returns.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn kill(mut self) -> io::Result<String> {
        self.child.kill()?;
        self.child.wait()?;
        let mut said = String::new();
        self.log.rewind()?;
        self.log.read_to_string(&mut said)?;
        Ok(said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary that `STATOR_BINARY` names, or the release build of this tree.
fn binary() -> PathBuf {
    match std::env::var_os("STATOR_BINARY") {
        Some(path) => path.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../target/release/stator"),
    }
}
