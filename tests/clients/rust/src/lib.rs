//! The AWS SDK for Rust against the real binary: starting the one and setting up the other. The
//! tests themselves are under `tests/`.

use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use stator_harness::Process;
use tempfile::TempDir;

/// What a test returns when something went wrong that it does not look into.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A server on a directory that goes when this goes.
pub struct Stator {
    // Before the directory, so that the process has ended when that is removed.
    process: Process,
    directory: TempDir,
}

impl Stator {
    /// Starts a server on an empty directory and returns when it serves.
    ///
    /// # Errors
    /// If the binary is missing or does not start.
    pub fn start() -> Outcome<Self> {
        Self::on(tempfile::tempdir()?)
    }

    fn on(directory: TempDir) -> Outcome<Self> {
        let process = Process::start(directory.path(), &["--region", "eu-central-1"])?;
        Ok(Self { process, directory })
    }

    /// Kills the process as a power failure would and starts another on the same directory.
    ///
    /// # Errors
    /// If the new one does not start.
    pub fn crash(self) -> Outcome<Self> {
        self.process.kill()?;
        Self::on(self.directory)
    }

    /// A client of this server that fails rather than tries again.
    pub fn client(&self) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(self.process.endpoint())
            .credentials_provider(Credentials::new("stator", "stator", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Client::from_conf(config)
    }
}
