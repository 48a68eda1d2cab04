//! The servers that are compared: started here, or named.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use stator_bench::client::{Client, Keys, TABLE_OPERATIONS};
use stator_bench::credentials::Credentials;
use stator_bench::endpoint::Endpoint;
use stator_bench::signature::Signer;
use stator_bench::source::TARGET_PREFIX;
use stator_bench::statistics::Asker;
use stator_bench::stream::Connector;

use crate::requests;

/// What a server is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It does nothing, and answers with as many bytes as an item has.
    NothingOfAnItem,
    /// It does nothing, and answers with two bytes.
    NothingEmpty,
    /// It speaks DynamoDB's protocol.
    Endpoint,
    /// It is this tree's Stator, and verifies signatures.
    Verifying,
}

impl Kind {
    /// Whether it has tables.
    pub(crate) fn is_dynamodb(self) -> bool {
        matches!(self, Self::Endpoint | Self::Verifying)
    }
}

/// A server that is measured.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) connector: Connector,
    host: String,
    /// If it runs on this machine and is known.
    pub(crate) process: Option<u32>,
    /// Where a Stator tells what it does; no other server is asked.
    asker: Option<Asker>,
}

/// All servers. Those that were started end with this.
pub(crate) struct Servers {
    pub(crate) all: Vec<Server>,
    children: Vec<Child>,
    _directories: Vec<tempfile::TempDir>,
}

/// Those that the requests are signed with.
const CREDENTIALS: &str = "[default]\naws_access_key_id = stator\naws_secret_access_key = stator\n";

/// Bytes of a GetItem's answer.
const OF_AN_ITEM: &str = "1250";

impl Servers {
    /// Builds and starts this tree's Stator, starts what does nothing and the other binaries, and fills the
    /// tables of all that speak DynamoDB's protocol.
    pub(crate) fn start(
        endpoints: &[String],
        binaries: &[String],
        serve: &[String],
    ) -> Result<Self, Box<dyn Error>> {
        let mut servers = Self {
            all: Vec::new(),
            children: Vec::new(),
            _directories: Vec::new(),
        };
        let nothing = Path::new(env!("CARGO_BIN_EXE_do_nothing"));
        for (name, kind, bytes) in [
            ("nothing", Kind::NothingOfAnItem, OF_AN_ITEM),
            ("nothing", Kind::NothingEmpty, "2"),
        ] {
            let mut command = Command::new(nothing);
            command.args(["0", bytes]);
            servers.spawn(name, kind, command, |line| {
                let address = line.strip_prefix("listening on ")?;
                Some(format!("http://{address}"))
            })?;
        }
        let own = build()?;
        servers.stator("stator", Kind::Endpoint, &own, serve)?;
        servers.stator("verifying", Kind::Verifying, &own, serve)?;
        for binary in binaries {
            let (name, path) = named(binary)?;
            servers.stator(name, Kind::Endpoint, Path::new(path), serve)?;
        }
        for endpoint in endpoints {
            let (name, rest) = named(endpoint)?;
            let (url, process) = match rest.split_once(',') {
                Some((url, process)) => (url, Some(process.parse()?)),
                None => (rest, None),
            };
            servers.add(name, Kind::Endpoint, url, process)?;
        }
        for server in &servers.all {
            if server.kind.is_dynamodb() {
                server.fill()?;
            }
        }
        Ok(servers)
    }

    fn stator(
        &mut self,
        name: &str,
        kind: Kind,
        path: &Path,
        serve: &[String],
    ) -> Result<(), Box<dyn Error>> {
        let directory = tempfile::Builder::new()
            .prefix("stator-end-to-end-")
            .tempdir()?;
        let mut command = Command::new(path);
        command.args(["serve", "--port", "0", "--with-parent"]);
        command.arg("--dir").arg(directory.path().join("data"));
        command.args(serve);
        if kind == Kind::Verifying {
            let file = directory.path().join("credentials");
            std::fs::write(&file, CREDENTIALS)?;
            command.arg("--credentials").arg(file);
        }
        self._directories.push(directory);
        self.spawn(name, kind, command, |line| {
            let endpoint = line.trim().strip_prefix("endpoint ")?;
            Some(endpoint.trim().to_owned())
        })
    }

    /// Starts a server that says where it listens.
    fn spawn(
        &mut self,
        name: &str,
        kind: Kind,
        mut command: Command,
        endpoint: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Box<dyn Error>> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let process = child.id();
        let stdout = child.stdout.take();
        self.children.push(child);
        let lines = BufReader::new(stdout.ok_or("it has no output")?).lines();
        let url = lines.map_while(Result::ok).find_map(|line| endpoint(&line));
        let url = url.ok_or_else(|| format!("{name} did not start"))?;
        self.add(name, kind, &url, Some(process))
    }

    fn add(
        &mut self,
        name: &str,
        kind: Kind,
        url: &str,
        process: Option<u32>,
    ) -> Result<(), Box<dyn Error>> {
        let endpoint = Endpoint::parse(url)?;
        let connector = Connector::new(&endpoint, None).map_err(|failure| failure.to_string())?;
        let asker = Asker::new(&connector, &endpoint);
        self.all.push(Server {
            name: name.to_owned(),
            kind,
            connector,
            asker: asker.filter(|_| kind.is_dynamodb()),
            host: endpoint.host,
            process,
        });
        Ok(())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Nothing that they hold outlives this.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Server {
    /// Signs for it; requests name operations by their places.
    pub(crate) fn signer<'a>(&self, operations: impl IntoIterator<Item = &'a str>) -> Signer {
        let credentials = Credentials {
            access_key: "stator".to_owned(),
            secret_key: "stator".to_owned(),
            session_token: None,
        };
        let targets = operations
            .into_iter()
            .map(|operation| format!("{TARGET_PREFIX}{operation}"));
        Signer::new(&self.host, "us-east-1", credentials, targets)
    }

    /// How often its log was written to and synced so far, if it tells.
    pub(crate) fn groups(&self) -> Option<u64> {
        let told = self.asker.as_ref()?.ask().ok()?;
        Some(told.engine.wal_groups)
    }

    /// Makes the tables, and puts into them what the workloads expect.
    fn fill(&self) -> Result<(), Box<dyn Error>> {
        let operations = TABLE_OPERATIONS.into_iter().chain(["BatchWriteItem"]);
        let targets = operations
            .clone()
            .map(|operation| format!("{TARGET_PREFIX}{operation}"))
            .collect();
        let signer = self.signer(operations);
        let mut client = Client::new(self.connector.clone(), signer, targets, &self.host);
        for table in [requests::TABLE, requests::SCANNED] {
            let keys = Keys {
                table,
                partition: "pk",
                sort: Some("sk"),
            };
            client
                .prepare_table(&keys)
                .map_err(|failure| failure.to_string())?;
        }
        let target = format!("{TARGET_PREFIX}BatchWriteItem");
        for batch in requests::data() {
            let answer = client.call(&target, &batch);
            if let Err(refusal) = answer.map_err(|failure| failure.to_string())? {
                let (name, message) = (refusal.name, refusal.message);
                return Err(format!("{} took no data: {name}: {message}", self.name).into());
            }
        }
        Ok(())
    }
}

fn named(option: &str) -> Result<(&str, &str), String> {
    let parts = option.split_once('=');
    parts.ok_or_else(|| format!("'{option}' is to be of the form name=…"))
}

/// Builds the release binary of this tree, and says where it is.
fn build() -> Result<PathBuf, Box<dyn Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--quiet",
            "-p",
            "stator",
            "--bin",
            "stator",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !built.success() {
        return Err("stator could not be built".into());
    }
    // Beside the other one: both are of the release profile.
    Ok(Path::new(env!("CARGO_BIN_EXE_do_nothing")).with_file_name("stator"))
}
