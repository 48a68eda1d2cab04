//! The options, in Stator's spelling and in DynamoDB Local's.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::Failure;
use super::salvage::SalvageArguments;
use super::torture::TortureArguments;
use super::verify::VerifyArguments;
use crate::http::AllowedOrigins;
use crate::operation::Quotas;
use crate::stator::COLLECTION_LIMIT;
use crate::store::{ClockMode, Durability, IoMode};
use crate::validation::Wording;

/// DynamoDB Local's options ("DynamoDB local usage notes" in the developer guide) and what they are
/// called here. It writes them with one dash; its command lines must run unchanged.
const DYNAMODB_LOCAL: &[(&str, &str)] = &[
    ("port", "port"),
    ("inMemory", "in-memory"),
    ("dbPath", "dir"),
    ("sharedDb", "shared-db"),
    ("cors", "cors"),
    ("delayTransientStatuses", "delay-transient-statuses"),
    ("optimizeDbBeforeStartup", "optimize-db-before-startup"),
    ("disableTelemetry", "disable-telemetry"),
    ("version", "version"),
    ("help", "help"),
];

/// How long a table stays in a transient state with `--delay-transient-statuses`: long enough to
/// be seen by whoever polls, short enough for a test to wait for.
const TRANSIENT_STATUS: Duration = Duration::from_secs(1);

/// Rewrites DynamoDB Local's options, with one dash or two, into ours.
pub(super) fn translate(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    arguments
        .into_iter()
        .map(|argument| translated(&argument).unwrap_or(argument))
        .collect()
}

fn translated(argument: &OsString) -> Option<OsString> {
    let text = argument.to_str()?;
    let name = text.strip_prefix("--").or_else(|| text.strip_prefix('-'))?;
    let (name, value) = match name.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (name, None),
    };
    let (_, ours) = DYNAMODB_LOCAL.iter().find(|(theirs, _)| *theirs == name)?;
    Some(match value {
        Some(value) => format!("--{ours}={value}").into(),
        None => format!("--{ours}").into(),
    })
}

/// Amazon DynamoDB on one machine.
#[derive(Debug, Parser)]
#[command(name = "stator", version, args_conflicts_with_subcommands = true)]
pub(super) struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve the tables of one directory (the default)
    Serve(ServeArguments),
    /// Crash Stator on purpose, in a simulation, and check what it has promised
    Torture(TortureArguments),
    /// Measure the latency that an endpoint gives, and where it goes
    Bench(Box<stator_bench::Options>),
    /// Check every checksum and structure of a directory that nobody serves, and write nothing
    Verify(VerifyArguments),
    /// Save what can be read of a damaged directory into a new one, and say what could not
    Salvage(SalvageArguments),
}

#[derive(Args, Debug)]
pub(super) struct ServeArguments {
    /// Port to listen on; 0 takes a free one and says which
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Address to listen on. Without this only programs on this machine can connect; with 0.0.0.0
    /// whoever can reach this machine can read and change every table
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    host: Option<IpAddr>,
    /// Directory that holds the tables; made if it is not there [default: stator-data]
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "in_memory")]
    dir: Option<PathBuf>,
    /// Keep everything in memory, and nothing after the server stops
    #[arg(long)]
    in_memory: bool,
    /// When a write is acknowledged: 'sync' when it is on disk, 'interval:MS' when the operating
    /// system has it, which puts it on disk every MS milliseconds [default: sync]
    #[arg(long, value_name = "sync|interval:MS", value_parser = durability,
          conflicts_with = "in_memory")]
    durability: Option<Durability>,
    /// How files are written: 'uring' through io_uring or not at all, 'portable' by the system calls
    /// that are there everywhere, 'auto' by what measures better
    #[arg(long, value_name = "auto|uring|portable", default_value = "auto", value_parser = io_mode,
          conflicts_with = "in_memory")]
    io: IoMode,
    /// Region in ARNs and in the answer to GET /
    #[arg(long, default_value = "us-east-1", value_parser = region)]
    region: String,
    /// Account in ARNs
    #[arg(long, default_value = "000000000000", value_parser = account)]
    account: String,
    /// Lets in only who signs with a secret of this file, which has the form of ~/.aws/credentials;
    /// without it, any credentials do
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Web pages that may use this server, besides those of this machine: origins separated by
    /// commas, or * for all
    #[arg(long, value_name = "ORIGINS", value_parser = AllowedOrigins::parse)]
    cors: Option<AllowedOrigins>,
    /// Whose words errors have: 'current' are those of most Regions today, 'older' those of all
    /// before June 2026
    #[arg(long, value_name = "current|older", default_value = "current", value_parser = wording)]
    wording: Wording,
    /// Tables stay in CREATING, UPDATING and DELETING for a second
    #[arg(long)]
    delay_transient_statuses: bool,
    /// How many tables there may be: DynamoDB's own quota, unless you have asked it for more
    #[arg(long, value_name = "TABLES", default_value_t = Quotas::default().tables)]
    table_quota: usize,
    /// Bytes that the items of one partition key may have in a table with local secondary indexes,
    /// with their entries in those indexes
    #[arg(long, value_name = "BYTES", default_value_t = COLLECTION_LIMIT)]
    item_collection_limit: u64,
    /// Whose time it is: 'system', or 'manual', which stands until POST /_stator/clock moves it and
    /// starts at the system's time, or with 'manual:MS' at so many milliseconds since 1970
    #[arg(long, value_name = "system|manual|manual:MS", default_value = "system",
          value_parser = clock)]
    clock: ClockMode,
    /// Seconds that expired items stay before they are deleted [default: 60, and 0 with --clock
    /// manual]
    #[arg(long, value_name = "SECONDS")]
    ttl_delay: Option<u32>,
    /// Ends when the process that started it ends, however that is
    #[arg(long, hide = true)]
    with_parent: bool,
    /// Accepted for DynamoDB Local's sake: all credentials and Regions share their tables anyway
    #[arg(long)]
    shared_db: bool,
    /// Accepted for DynamoDB Local's sake: files are compacted all the time
    #[arg(long, requires = "dir")]
    optimize_db_before_startup: bool,
    /// Accepted for DynamoDB Local's sake: nothing is ever reported to anybody
    #[arg(long)]
    disable_telemetry: bool,
}

/// Where the tables are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    Memory,
    Directory(PathBuf, Durability),
}

/// What `stator serve` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServeOptions {
    pub(super) port: u16,
    /// Where to listen; the loopback addresses if nothing is given.
    pub(super) host: Option<IpAddr>,
    pub(super) storage: Storage,
    /// In which way files are written.
    pub(super) io: IoMode,
    pub(super) region: String,
    pub(super) account: String,
    /// The file with the credentials that are let in.
    pub(super) credentials: Option<PathBuf>,
    pub(super) origins: AllowedOrigins,
    /// How long tables stay in transient states.
    pub(super) transient_status: Duration,
    /// Whose words errors have.
    pub(super) wording: Wording,
    /// Bytes that an item collection may have.
    pub(super) item_collection_limit: u64,
    /// Whose time it is.
    pub(super) clock: ClockMode,
    /// How many tables there may be.
    pub(super) quotas: Quotas,
    /// How long expired items stay, if that was given.
    pub(super) ttl_delay: Option<Duration>,
    /// It ends when the process that started it ends.
    pub(super) with_parent: bool,
}

impl CommandLine {
    /// What is to be done.
    pub(super) fn command(self) -> Command {
        self.command.unwrap_or(Command::Serve(self.serve))
    }
}

impl ServeArguments {
    /// The options of the server to run.
    pub(super) fn options(self) -> Result<ServeOptions, Failure> {
        let arguments = self;
        let storage = if arguments.in_memory {
            Storage::Memory
        } else {
            let directory = arguments
                .dir
                .unwrap_or_else(|| PathBuf::from("stator-data"));
            let directory = std::path::absolute(&directory).map_err(|error| {
                Failure(format!(
                    "the directory '{}' can't be used: {error}.",
                    directory.display()
                ))
            })?;
            Storage::Directory(directory, arguments.durability.unwrap_or(Durability::Sync))
        };
        Ok(ServeOptions {
            port: arguments.port,
            host: arguments.host,
            storage,
            io: arguments.io,
            region: arguments.region,
            account: arguments.account,
            credentials: arguments.credentials,
            origins: arguments.cors.unwrap_or_default(),
            transient_status: if arguments.delay_transient_statuses {
                TRANSIENT_STATUS
            } else {
                Duration::ZERO
            },
            wording: arguments.wording,
            item_collection_limit: arguments.item_collection_limit,
            clock: arguments.clock,
            quotas: Quotas {
                tables: arguments.table_quota,
                ..Quotas::default()
            },
            ttl_delay: arguments
                .ttl_delay
                .map(|seconds| Duration::from_secs(seconds.into())),
            with_parent: arguments.with_parent,
        })
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    text.trim_matches(['[', ']']).parse().map_err(|_| {
        "write an address, for instance 127.0.0.1, or 0.0.0.0 for every network".to_owned()
    })
}

fn durability(text: &str) -> Result<Durability, String> {
    let interval = text.strip_prefix("interval:").map(str::parse::<u32>);
    match (text, interval) {
        ("sync", _) => Ok(Durability::Sync),
        (_, Some(Ok(milliseconds @ 1..))) => Ok(Durability::Interval(Duration::from_millis(
            milliseconds.into(),
        ))),
        _ => Err("write 'sync', or for instance 'interval:100' for every 100 ms".to_owned()),
    }
}

fn io_mode(text: &str) -> Result<IoMode, String> {
    match text {
        "auto" => Ok(IoMode::Auto),
        "uring" => Ok(IoMode::Uring),
        "portable" => Ok(IoMode::Portable),
        _ => Err("write 'auto', 'uring' or 'portable'".to_owned()),
    }
}

fn wording(text: &str) -> Result<Wording, String> {
    match text {
        "current" => Ok(Wording::Current),
        "older" => Ok(Wording::Older),
        _ => Err("write 'current' or 'older'".to_owned()),
    }
}

fn clock(text: &str) -> Result<ClockMode, String> {
    let start = text.strip_prefix("manual:").map(str::parse);
    match (text, start) {
        ("system", _) => Ok(ClockMode::System),
        ("manual", _) => Ok(ClockMode::Manual { start_ms: None }),
        (_, Some(Ok(start_ms))) => Ok(ClockMode::Manual {
            start_ms: Some(start_ms),
        }),
        _ => Err("write 'system', 'manual', or for instance 'manual:1767225600000'".to_owned()),
    }
}

fn region(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !text.is_empty() && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("a Region has lower-case letters, digits and dashes, as in eu-central-1".to_owned())
    }
}

fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err("an account is 12 digits".to_owned())
    }
}
