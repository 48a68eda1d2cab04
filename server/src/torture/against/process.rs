//! The real binary as a child process.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::super::Checked;

/// A server that runs, or comes up, or goes down. It does not outlive this.
pub(super) struct Process {
    child: Child,
    banner: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a server on a directory, on a port that is free. What it logs goes to a file.
    pub(super) fn spawn(binary: &Path, data: &Path, log: &Path) -> Checked<Self> {
        let failed = |what: &Path, error: std::io::Error| format!("{}: {error}", what.display());
        let log_file = File::options().create(true).append(true).open(log);
        let mut child = Command::new(binary)
            .args(["serve", "--port", "0", "--durability", "sync"])
            .args(["--clock", "manual:1800000000000", "--dir"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file.map_err(|error| failed(log, error))?)
            .spawn()
            .map_err(|error| failed(binary, error))?;
        let banner = child.stdout.take().ok_or("a child without stdout")?;
        Ok(Self {
            child,
            banner: BufReader::new(banner),
        })
    }

    /// Returns once it serves, with its address.
    pub(super) fn ready(&mut self) -> Checked<SocketAddr> {
        let mut address = None;
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.banner.read_line(&mut line);
            if !read.is_ok_and(|length| length > 0) {
                let status = self.child.wait().map(|status| status.to_string());
                return Err(format!("the server did not start: {status:?}"));
            }
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("endpoint"), Some(url)) => {
                    let at = url.trim_start_matches("http://");
                    address = at.parse().ok();
                }
                (Some("try"), _) => return address.ok_or_else(|| "no endpoint".to_owned()),
                _ => {}
            }
        }
    }

    /// Asks it to come to an end.
    pub(super) fn terminate(&self) {
        let process = rustix::process::Pid::from_child(&self.child);
        // It may be gone already, which is as good.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }

    /// Waits for its end. Whether that was clean.
    pub(super) fn wait(&mut self) -> Checked<bool> {
        let status = self.child.wait().map_err(|error| error.to_string())?;
        Ok(status.success())
    }

    /// Ends it with SIGKILL, and returns when it is gone.
    pub(super) fn kill(&mut self) -> Checked {
        self.child.kill().map_err(|error| error.to_string())?;
        self.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nobody is left whom an error would help.
        let _ = self.kill();
    }
}
