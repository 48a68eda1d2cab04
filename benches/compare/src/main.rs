//! The same workloads on this engine, RocksDB, fjall and redb, in interleaved rounds, as a table of
//! ratios. `benches/README.md` says what is measured, and how.
//!
//! Every engine runs in a process of its own, so that memory and CPU are its own: this program calls
//! itself, once per round, group of workloads and engine, and reads what that prints.

mod keys;
mod measurement;
mod report;
mod settings;
mod store;
mod usage;
mod workload;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, Subcommand};

use keys::Source;
use measurement::Measurement;
use settings::Settings;
use store::Result;
use workload::{DEVICE, Group, Run};

#[derive(Parser)]
#[command(about = "Compares this engine with RocksDB, fjall and redb.")]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Write every measurement to this file too, a JSON object to a line.
    #[arg(long)]
    json: Option<PathBuf>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// One process's part of a run; the program calls itself with it.
    #[command(hide = true)]
    Part {
        /// The settings, as JSON.
        settings: String,
        engine: String,
        group: Group,
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.part {
        Some(Part::Part {
            settings,
            engine,
            group,
            dir,
        }) => part(settings, engine, *group, dir),
        None => compare(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Does a group of workloads on one engine, and prints a line for each.
fn part(settings: &str, engine: &str, group: Group, dir: &Path) -> Result<()> {
    let settings: Settings = serde_json::from_str(settings)?;
    usage::confine(settings.cores)?;
    fs::create_dir_all(dir)?;
    let report = |measurement: Measurement| -> Result<()> {
        println!("{}", serde_json::to_string(&measurement)?);
        Ok(())
    };
    let source = Source::new(settings.value_size);
    let run = Run {
        engine,
        dir,
        settings: &settings,
        source,
        own_memory: usage::resident_memory()?,
        report: &report,
    };
    run.group(group)
}

/// The whole run.
fn compare(arguments: &Arguments) -> Result<()> {
    let settings = arguments.settings.clone().resolved();
    let root = match &settings.dir {
        Some(dir) => tempfile::Builder::new()
            .prefix("stator-compare-")
            .tempdir_in(dir)?,
        None => tempfile::Builder::new()
            .prefix("stator-compare-")
            .tempdir()?,
    };
    let mut measurements = Vec::new();
    for round in 1..=settings.rounds {
        for group in Group::ALL {
            if !group.is_needed(&settings) {
                continue;
            }
            for engine in order(&settings, round, group) {
                eprintln!(
                    "round {round} of {}: {engine}, {}",
                    settings.rounds,
                    group.name()
                );
                let dir = root.path().join(store_of(engine, group));
                let mut found = in_a_process(&settings, engine, group, &dir)?;
                found.iter_mut().for_each(|found| found.round = round);
                measurements.append(&mut found);
                if group != Group::Write {
                    fs::remove_dir_all(&dir)?;
                }
            }
        }
        for engine in &settings.engines {
            let left = root.path().join(store_of(engine, Group::Write));
            if left.exists() {
                fs::remove_dir_all(left)?;
            }
        }
        if let Some(path) = &arguments.json {
            let lines: Result<Vec<String>> = measurements
                .iter()
                .map(|measurement| Ok(serde_json::to_string(measurement)? + "\n"))
                .collect();
            fs::write(path, lines?.concat())?;
        }
    }
    print!("{}", report::table(&settings, &measurements));
    Ok(())
}

/// Which engines do a group, in which order: each round begins with another one.
fn order(settings: &Settings, round: usize, group: Group) -> Vec<&str> {
    let mut engines: Vec<&str> = settings.engines.iter().map(String::as_str).collect();
    if !engines.is_empty() {
        let places = (round - 1) % engines.len();
        engines.rotate_left(places);
    }
    if group == Group::Commit {
        engines.insert(0, DEVICE);
    }
    engines
}

/// Where an engine keeps what a group works on: what is written is what is read.
fn store_of(engine: &str, group: Group) -> String {
    match group {
        Group::Commit => format!("{engine}-commit"),
        Group::Write | Group::Read => engine.to_owned(),
    }
}

fn in_a_process(
    settings: &Settings,
    engine: &str,
    group: Group,
    dir: &Path,
) -> Result<Vec<Measurement>> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("part")
        .arg(serde_json::to_string(settings)?)
        .args([engine, group.name()])
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut measurements = Vec::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let measurement: Measurement = serde_json::from_str(&line?)?;
            eprintln!("  {}", report::line(&measurement));
            measurements.push(measurement);
        }
    }
    let status = child.wait()?;
    match status.success() {
        true => Ok(measurements),
        false => Err(format!("{engine}, {}: {status}", group.name()).into()),
    }
}
