//! The AWS SDK for Rust against the real binary: starting the one and setting up the other. The
//! tests themselves are under `tests/`.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use tempfile::TempDir;

/// What a test returns when something went wrong that it does not look into.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// One process of `stator serve` on a directory that goes when this goes.
pub struct Stator {
    directory: TempDir,
    process: Child,
    /// Kept, since a server whose stdout is closed could not write to it any more.
    _stdout: BufReader<ChildStdout>,
    endpoint: String,
}

impl Stator {
    /// Starts a server on an empty directory and returns when it serves.
    ///
    /// # Errors
    /// If the binary is missing or does not say where it listens.
    pub fn start() -> Outcome<Self> {
        Self::on(tempfile::tempdir()?)
    }

    fn on(directory: TempDir) -> Outcome<Self> {
        let mut process = Command::new(binary())
            .args(["serve", "--port", "0", "--region", "eu-central-1", "--dir"])
            .arg(directory.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().ok_or("no stdout")?;
        let mut stdout = BufReader::new(stdout);
        let (mut line, mut endpoint) = (String::new(), None);
        while stdout.read_line(&mut line)? > 0 {
            match line.trim().split_once(' ') {
                Some(("endpoint", url)) => endpoint = Some(url.trim().to_owned()),
                Some(("try", _)) => break,
                _ => {}
            }
            line.clear();
        }
        let endpoint = endpoint.ok_or("the server said no endpoint")?;
        Ok(Self {
            directory,
            process,
            _stdout: stdout,
            endpoint,
        })
    }

    /// Kills the process as a power failure would and starts another on the same directory.
    ///
    /// # Errors
    /// If the new one does not start.
    pub fn crash(mut self) -> Outcome<Self> {
        self.process.kill()?;
        self.process.wait()?;
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir()?);
        Self::on(directory)
    }

    /// A client of this server that fails rather than tries again.
    pub fn client(&self) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(&self.endpoint)
            .credentials_provider(Credentials::new("stator", "stator", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Client::from_conf(config)
    }
}

impl Drop for Stator {
    fn drop(&mut self) {
        // It may be gone already, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The binary that `STATOR_BINARY` names, or the release build of this tree.
fn binary() -> PathBuf {
    match std::env::var_os("STATOR_BINARY") {
        Some(path) => path.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../target/release/stator"),
    }
}
