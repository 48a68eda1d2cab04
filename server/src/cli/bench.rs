//! `stator bench`: the rig, and the Stator that it measures when no endpoint is named.
//!
//! That one is a process of its own, of the same binary, so that its processor time is known and the
//! rig's is not counted as its. It ends with the rig, however that ends.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use stator_bench::host::{Host, Hosted};

use super::Failure;

/// Runs what the options ask for.
pub(super) fn bench(options: stator_bench::Options) -> Result<(), Failure> {
    stator_bench::bench(options, &OwnBinary).map_err(|failure| Failure(failure.to_string()))
}

/// Starts `stator serve`.
struct OwnBinary;

/// A Stator that ends when this is dropped.
struct Running {
    child: Child,
    endpoint: String,
    options: Vec<String>,
    /// Holds its data, unless it has a directory of somebody else's.
    _directory: tempfile::TempDir,
}

impl Host for OwnBinary {
    fn start(&self, options: &[String]) -> Result<Box<dyn Hosted>, String> {
        let directory = tempfile::Builder::new().prefix("stator-bench-").tempdir();
        let directory = directory.map_err(|error| format!("no temporary directory: {error}."))?;
        let binary = std::env::current_exe()
            .map_err(|error| format!("this program's own file can't be found: {error}."))?;
        let mut command = Command::new(binary);
        command.args(["serve", "--port", "0", "--with-parent"]);
        let has_storage = |option: &String| {
            option == "--in-memory" || option == "--dir" || option.starts_with("--dir=")
        };
        if !options.iter().any(has_storage) {
            command.arg("--dir").arg(directory.path().join("data"));
        }
        command
            .args(options)
            .stdout(Stdio::piped())
            .stdin(Stdio::null());
        // Ctrl-C on a terminal is for the rig alone, which ends its run first.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn();
        let mut child = child.map_err(|error| format!("Stator can't be started: {error}."))?;
        let stdout = child.stdout.take();
        let mut running = Running {
            child,
            endpoint: String::new(),
            options: options.to_vec(),
            _directory: directory,
        };
        let mut lines = BufReader::new(stdout.ok_or("Stator has no output.")?).lines();
        while let Some(Ok(line)) = lines.next() {
            let line = line.trim();
            if let Some(endpoint) = line.strip_prefix("endpoint ") {
                running.endpoint = endpoint.trim().to_owned();
            }
            // The last line of the banner: it serves.
            if line.starts_with("try ") && !running.endpoint.is_empty() {
                return Ok(Box::new(running));
            }
        }
        Err("Stator did not start; see above.".to_owned())
    }
}

impl Hosted for Running {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    fn process(&self) -> Option<u32> {
        Some(self.child.id())
    }

    fn description(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        if self.options.is_empty() {
            return format!("Stator {version} on this machine, on a temporary directory");
        }
        format!(
            "Stator {version} on this machine, {}",
            self.options.join(" ")
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its data goes with it: there is nothing to be closed cleanly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
