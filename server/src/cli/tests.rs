//! What command lines mean.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;

use super::arguments::{Command, CommandLine, ServeOptions, Storage, translate};
use super::banner::banner;
use crate::http::AllowedOrigins;
use crate::store::{ClockMode, Durability};
use crate::validation::Wording;

fn parse(line: &str) -> Result<ServeOptions, clap::Error> {
    let arguments = std::iter::once("stator")
        .chain(line.split_whitespace())
        .map(Into::into);
    let line = CommandLine::try_parse_from(translate(arguments))?;
    let Command::Serve(arguments) = line.command() else {
        panic!("it does not serve");
    };
    Ok(arguments.options().unwrap())
}

fn options(line: &str) -> ServeOptions {
    parse(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

fn directory(line: &str) -> (PathBuf, Durability) {
    match options(line).storage {
        Storage::Directory(directory, durability) => (directory, durability),
        Storage::Memory => panic!("{line} is in memory"),
    }
}

#[test]
fn serve_is_the_default_and_its_defaults_are_dynamodbs() {
    let bare = options("");
    assert_eq!(bare, options("serve"));
    assert_eq!((bare.port, bare.host), (8000, None));
    assert_eq!(
        (bare.region.as_str(), bare.account.as_str()),
        ("us-east-1", "000000000000")
    );
    assert_eq!(
        (bare.origins, bare.transient_status),
        (AllowedOrigins::Local, Duration::ZERO)
    );
    assert_eq!(bare.wording, Wording::Current);
    assert_eq!((bare.clock, bare.ttl_delay), (ClockMode::System, None));
    let (path, durability) = directory("");
    assert_eq!(path, std::env::current_dir().unwrap().join("stator-data"));
    assert_eq!(durability, Durability::Sync);
}

#[test]
fn our_options_are_read() {
    let all = options("serve --port 9 --host 0.0.0.0 --region eu-west-3 --account 123456789012");
    assert_eq!((all.port, all.host), (9, Some(IpAddr::from([0, 0, 0, 0]))));
    assert_eq!(
        (all.region.as_str(), all.account.as_str()),
        ("eu-west-3", "123456789012")
    );
    assert_eq!(options("--host ::1").host, Some("::1".parse().unwrap()));
    assert_eq!(
        options("--host localhost").host,
        Some(IpAddr::from([127, 0, 0, 1]))
    );
    assert_eq!(
        directory("--dir /x/y --durability interval:250"),
        (
            PathBuf::from("/x/y"),
            Durability::Interval(Duration::from_millis(250))
        )
    );
    assert_eq!(options("--in-memory").storage, Storage::Memory);
    assert_eq!(options("--wording older").wording, Wording::Older);
    assert_eq!(options("").quotas.tables, 2_500);
    assert_eq!(options("--table-quota 7").quotas.tables, 7);
    let manual = |start_ms| ClockMode::Manual { start_ms };
    let delay = options("--ttl-delay 7").ttl_delay;
    assert_eq!(delay, Some(Duration::from_secs(7)));
    assert_eq!(options("--clock manual").clock, manual(None));
    assert_eq!(options("--clock manual:12").clock, manual(Some(12)));
}

#[test]
fn dynamodb_locals_command_lines_run_unchanged() {
    // From its usage notes and the images' own commands.
    let usual = options("-sharedDb -dbPath ./data -port 8123 -optimizeDbBeforeStartup");
    assert_eq!(usual.port, 8123);
    assert!(
        matches!(&usual.storage, Storage::Directory(path, Durability::Sync)
        if path.ends_with(Path::new("data")))
    );
    let memory = options("-inMemory -sharedDb -disableTelemetry -delayTransientStatuses -cors *");
    assert_eq!(memory.storage, Storage::Memory);
    assert_eq!(memory.origins, AllowedOrigins::Any);
    assert!(memory.transient_status > Duration::ZERO);
    assert_eq!(options("--inMemory --port=81").storage, Storage::Memory);
    assert_eq!(options("-port=81").port, 81);
}

#[test]
fn help_and_version_are_asked_for_in_every_spelling() {
    for line in [
        "--version",
        "-version",
        "-V",
        "--help",
        "-help",
        "-h",
        "serve --help",
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 0, "{line}");
    }
    let help = parse("-help").unwrap_err().to_string();
    for option in [
        "--port",
        "--host",
        "--dir",
        "--in-memory",
        "--durability",
        "--region",
    ] {
        assert!(help.contains(option), "{option} is missing in {help}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (line, reason) in [
        ("-inMemory -dbPath x", "cannot be used with"),
        ("--in-memory --durability sync", "cannot be used with"),
        ("-optimizeDbBeforeStartup", "--dir <DIRECTORY>"),
        ("--port 65536", "65536"),
        ("--host example.com", "write an address"),
        ("--durability interval:0", "interval:100"),
        ("--durability interval:-1", "interval:100"),
        ("--durability never", "interval:100"),
        ("--io fast", "write 'auto', 'uring' or 'portable'"),
        ("--in-memory --io uring", "cannot be used with"),
        ("--account 12345678901", "12 digits"),
        ("--wording new", "write 'current' or 'older'"),
        ("--region EU", "lower-case"),
        ("--cors example.com", "is not an origin"),
        ("--frobnicate", "unexpected argument '--frobnicate'"),
        ("frobnicate", "frobnicate"),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(reason), "{line}: {error}");
    }
}

#[test]
fn the_banner_says_where_what_and_how() {
    let local: SocketAddr = "127.0.0.1:8000".parse().unwrap();
    let text = banner(&options("--dir /data"), local);
    for part in [
        "http://127.0.0.1:8000\n",
        "/data\n",
        "sync: what is acknowledged is on disk",
        "aws dynamodb list-tables --region us-east-1 --endpoint-url http://127.0.0.1:8000\n",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(!text.contains("warning"), "{text}");
    assert!(banner(&options("--in-memory"), local).contains("nothing outlives this process"));
    let interval = banner(&options("--durability interval:70"), local);
    assert!(interval.contains("the last 70 ms"), "{interval}");
}

#[test]
fn listening_beyond_this_machine_says_what_it_means() {
    let everywhere = "0.0.0.0:8000".parse().unwrap();
    let text = banner(&options("--host 0.0.0.0"), everywhere);
    assert!(text.contains("http://127.0.0.1:8000"), "{text}");
    assert!(
        text.contains("whoever can reach this port can read and change every table"),
        "{text}"
    );
    let six = banner(&options("--host ::"), "[::]:8000".parse().unwrap());
    assert!(six.contains("http://[::1]:8000"), "{six}");
    let one = banner(
        &options("--host 10.0.0.7"),
        "10.0.0.7:8000".parse().unwrap(),
    );
    assert!(
        one.contains("http://10.0.0.7:8000") && one.contains("warning"),
        "{one}"
    );
}
