//! `stator torture`: crashes and faults on purpose, and whether every promise is kept.
//!
//! Exit codes: 0 when every promise was kept, 1 when one was not, 2 for a command line that makes no
//! sense, 3 when the torture itself could not be carried out.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Map, Value, json};
use stator_torture::{Campaign, Coverage, Finding, Subject, Until, WORKER};

use crate::torture::against::{self, Against, Broken, Report};
use crate::torture::simulation;

/// Time that a torture takes if nobody says how long.
const DURATION: Duration = Duration::from_secs(60);

/// Time between two lines of progress.
const PERIOD: Duration = Duration::from_secs(5);

/// A promise was not kept.
const BROKEN: u8 = 1;

/// It could not be found out whether they are.
const IMPOSSIBLE: u8 = 3;

#[derive(Args, Debug)]
pub(super) struct TortureArguments {
    /// How long: 90s, 10m, 2h [default: 1m without --crash-points]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    duration: Option<Duration>,
    /// How many crashes, each with an opening and a check behind it
    #[arg(long, value_name = "COUNT")]
    crash_points: Option<u64>,
    /// What is simulated; without this, everything in turn
    #[arg(long, value_name = "NAME", value_parser = simulation)]
    simulation: Option<&'static str>,
    /// The first seed, others follow one by one [default: a random one]
    #[arg(long, value_name = "SEED", conflicts_with = "seed")]
    first_seed: Option<u64>,
    /// Threads, each with a simulation of its own [default: one for each core]
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    /// Run what this one seed gives, as a finding says
    #[arg(long, value_name = "SEED", requires = "simulation",
          conflicts_with_all = ["duration", "crash_points", "threads"])]
    seed: Option<u64>,
    /// Of that, run these steps only, for instance 3,8-12
    #[arg(long, value_name = "STEPS", requires = "seed")]
    steps: Option<String>,
    /// Run this binary on an empty directory, with clients that write, and kill it again and again
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["simulation", "threads", "seed"])]
    against: Option<PathBuf>,
    /// With --against: clients that write
    #[arg(long, value_name = "COUNT", default_value_t = 6, requires = "against")]
    clients: usize,
    /// With --against: how long an opening may take, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", requires = "against")]
    max_reopen: Option<u64>,
    /// Say what it came to as one JSON document on stdout
    #[arg(long)]
    json: bool,
}

/// Everything that can be simulated.
fn subjects() -> Vec<Box<dyn Subject>> {
    vec![stator_torture::engine(), simulation::subject()]
}

fn simulation(text: &str) -> Result<&'static str, String> {
    let names: Vec<&'static str> = subjects().iter().map(|subject| subject.name()).collect();
    let found = names.iter().find(|name| **name == text);
    found
        .copied()
        .ok_or_else(|| format!("write {}", names.join(" or ")))
}

/// Reads a time: a number with a unit, or of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => 0,
    };
    let seconds = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    let seconds = seconds.filter(|seconds| *seconds > 0);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "write a time, for instance 90s, 10m or 2h".to_owned())
}

/// Carries it out.
pub(super) fn torture(arguments: &TortureArguments) -> ExitCode {
    let outcome = match (arguments.seed, &arguments.against) {
        (_, Some(directory)) => binary(arguments, directory),
        (Some(seed), None) => replay(arguments, seed),
        (None, None) => campaign(arguments),
    };
    outcome.unwrap_or_else(|sentence| {
        say(&format!("stator: {sentence}"));
        ExitCode::from(IMPOSSIBLE)
    })
}

fn chosen(arguments: &TortureArguments) -> Vec<Box<dyn Subject>> {
    let mut subjects = subjects();
    if let Some(name) = arguments.simulation {
        subjects.retain(|subject| subject.name() == name);
    }
    subjects
}

/// Runs one seed again, in the words of a finding.
fn replay(arguments: &TortureArguments, seed: u64) -> Result<ExitCode, String> {
    let subjects = chosen(arguments);
    let subject = subjects.first().ok_or("there is nothing to simulate.")?;
    quieten("main");
    let steps = arguments.steps.as_deref();
    let (coverage, finding) = match subject.replay(seed, steps) {
        Ok(coverage) => (vec![(subject.name(), coverage)], None),
        Err(finding) => (Vec::new(), Some(finding)),
    };
    Ok(report(arguments, &coverage, finding.as_deref(), None))
}

impl TortureArguments {
    fn first_seed(&self) -> Result<u64, String> {
        let drawn =
            || getrandom::u32().map_err(|error| format!("there is no random seed: {error}."));
        self.first_seed.map_or_else(|| Ok(drawn()?.into()), Ok)
    }

    fn until(&self) -> Until {
        let elapsed = match self.crash_points {
            None => Some(self.duration.unwrap_or(DURATION)),
            Some(_) => self.duration,
        };
        Until {
            elapsed,
            crash_points: self.crash_points,
        }
    }
}

/// Kills this binary again and again, until it is enough or something is lost.
fn binary(arguments: &TortureArguments, directory: &Path) -> Result<ExitCode, String> {
    let against = Against {
        binary: against::own_binary()?,
        directory: against::absolute(directory)?,
        clients: arguments.clients,
        until: arguments.until(),
        seed: arguments.first_seed()?,
        max_reopen: arguments.max_reopen.map(Duration::from_millis),
    };
    say(&format!(
        "torture: seed {}, in {}",
        against.seed,
        against.directory.display()
    ));
    let began = Instant::now();
    let mut said = began;
    let outcome = against::run(&against, &mut |report| {
        if said.elapsed() >= PERIOD {
            said = Instant::now();
            say(&format!(
                "torture: {} s, {} kills, slowest opening {:.0?}",
                began.elapsed().as_secs(),
                report.crash_points(),
                report.reopen(100),
            ));
        }
    });
    let (text, code) = match outcome {
        Ok(report) => (kept(arguments, &report, began.elapsed()), ExitCode::SUCCESS),
        Err(Broken::Impossible(why)) => return Err(why),
        Err(Broken::Promise(why)) => {
            let text = match arguments.json {
                true => json!({"kept": false, "finding": why, "seed": against.seed}).to_string(),
                false => format!("The server does not keep a promise.\n{why}"),
            };
            (text, ExitCode::from(BROKEN))
        }
    };
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(code)
}

fn kept(arguments: &TortureArguments, report: &Report, elapsed: Duration) -> String {
    let milliseconds = |percent| report.reopen(percent).as_secs_f64() * 1000.0;
    let answered: u64 = report.answered.values().sum();
    if arguments.json {
        let document = json!({
            "kept": true,
            "seconds": elapsed.as_secs_f64(),
            "rounds": report.rounds,
            "kills": report.kills,
            "kills_while_opening": report.kills_while_opening,
            "stops": report.stops,
            "answered": report.answered,
            "stream_records": report.records,
            "items": report.items,
            "reopen_ms": {
                "median": milliseconds(50), "p99": milliseconds(99), "slowest": milliseconds(100),
            },
        });
        return document.to_string();
    }
    let kinds: Vec<String> = report
        .answered
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    format!(
        "{} rounds in {} s: {} kills under load, {} while opening, {} stops; {answered} answers ({}); {} \
         records of streams; openings took {:.0} ms in the median, {:.0} at p99, {:.0} at most\n\
         Every promise was kept.",
        report.rounds,
        elapsed.as_secs(),
        report.kills,
        report.kills_while_opening,
        report.stops,
        kinds.join(", "),
        report.records,
        milliseconds(50),
        milliseconds(99),
        milliseconds(100),
    )
}

/// Runs seeds until it is enough, or until one fails.
fn campaign(arguments: &TortureArguments) -> Result<ExitCode, String> {
    let (first_seed, until) = (arguments.first_seed()?, arguments.until());
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = arguments.threads.unwrap_or_else(cores);
    quieten(WORKER);
    say(&format!(
        "torture: seeds from {first_seed}, {threads} at a time"
    ));
    let campaign = Campaign::new(chosen(arguments), first_seed);
    let mut progress = |campaign: &Campaign| {
        say(&format!(
            "torture: {} s, {} crash points, {:.0} a second",
            campaign.elapsed().as_secs(),
            campaign.total().crash_points(),
            campaign.rate(),
        ));
    };
    let found = campaign.run(threads, until, PERIOD, &mut progress).err();
    let rate = Some((campaign.elapsed(), campaign.rate()));
    Ok(report(
        arguments,
        &campaign.coverage(),
        found.as_deref(),
        rate,
    ))
}

/// A panic of what is simulated is a finding, and is reported as one: the usual words for it would
/// only come once for each attempt to make it smaller.
fn quieten(threads: &'static str) {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if !thread.name().is_some_and(|name| name.starts_with(threads)) {
            usual(panic);
        }
    }));
}

/// Says what it came to.
fn report(
    arguments: &TortureArguments,
    coverage: &[(&'static str, Coverage)],
    finding: Option<&Finding>,
    rate: Option<(Duration, f64)>,
) -> ExitCode {
    let mut text = String::new();
    if arguments.json {
        text = document(coverage, finding, rate).to_string();
    } else {
        for (name, coverage) in coverage {
            text.push_str(&format!("{name}: {coverage}\n"));
        }
        match finding {
            Some(finding) => text.push_str(&format!(
                "The {} does not keep a promise.\n{finding}",
                finding.simulation
            )),
            None => text.push_str("Every promise was kept."),
        }
    }
    // A closed stdout is no reason to answer anything else.
    let _ = writeln!(std::io::stdout(), "{text}");
    match finding {
        Some(_) => ExitCode::from(BROKEN),
        None => ExitCode::SUCCESS,
    }
}

fn document(
    coverage: &[(&'static str, Coverage)],
    finding: Option<&Finding>,
    rate: Option<(Duration, f64)>,
) -> Value {
    let finding = finding.map(|finding| {
        json!({
            "simulation": finding.simulation,
            "seed": finding.seed,
            "steps": finding.steps,
            "step": finding.failure.step,
            "message": finding.failure.message,
            "trace": finding.trace.lines().collect::<Vec<_>>(),
            "replay": format!("stator {}", finding.replay()),
        })
    });
    json!({
        "kept": finding.is_none(),
        "finding": finding,
        "seconds": rate.map(|(elapsed, _)| elapsed.as_secs_f64()),
        "crash_points_per_second": rate.map(|(_, rate)| rate),
        "simulations": coverage.iter().map(|(name, met)| met_by(name, met)).collect::<Vec<_>>(),
    })
}

fn met_by(name: &str, met: &Coverage) -> Value {
    let counts = |counts: &mut dyn Iterator<Item = (&'static str, u64)>| -> Value {
        let members = counts.map(|(kind, count)| (kind.to_owned(), json!(count)));
        members.collect::<Map<_, _>>().into()
    };
    json!({
        "simulation": name,
        "runs": met.runs,
        "crash_points": met.crash_points(),
        "power_cuts": met.crashes,
        "power_cuts_while_opening": met.crashes_while_opening,
        "kills": met.kills,
        "closes": met.closes,
        "failed_openings": met.failed_openings,
        "damaged_copies": met.damages,
        "disk_operations": met.disk_operations,
        "faults": counts(&mut met.faults.by_kind().into_iter()),
        "work": counts(&mut met.work.iter().map(|(kind, count)| (*kind, *count))),
    })
}

/// A line on stderr, if it is open.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let read = |text| duration(text).map(|time| time.as_secs());
        assert_eq!(read("90"), Ok(90));
        assert_eq!(read("90s"), Ok(90));
        assert_eq!(read("10m"), Ok(600));
        assert_eq!(read("2h"), Ok(7200));
        for text in ["", "m", "0s", "3d", "-1s", "1.5h", "99999999999999999999h"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_finding_says_how_to_see_it_again() {
        let finding = Finding {
            simulation: "engine",
            seed: 18,
            steps: "3,8-12".to_owned(),
            failure: stator_torture::Failure {
                step: 12,
                message: "an acknowledged write is missing".to_owned(),
            },
            trace: "3 Await\n12 Idle".to_owned(),
        };
        let document = document(&[("engine", Coverage::default())], Some(&finding), None);
        assert_eq!(document["kept"], false);
        let again = "stator torture --simulation engine --seed 18 --steps 3,8-12";
        assert_eq!(document["finding"]["replay"], again);
        assert_eq!(document["simulations"][0]["crash_points"], 0);
        assert!(finding.to_string().ends_with(again));
    }

    #[test]
    fn a_seed_is_run_again_and_a_campaign_ends() {
        let coverage = stator_torture::engine().replay(1, Some("0-20")).unwrap();
        assert_eq!(coverage.runs, 1);
        let campaign = Campaign::new(subjects(), 1);
        let until = Until {
            crash_points: Some(5),
            elapsed: None,
        };
        let mut calls = 0;
        let done = campaign.run(2, until, Duration::from_secs(60), &mut |_| calls += 1);
        assert_eq!(done, Ok(()));
        assert!(campaign.total().crash_points() >= 5 && calls >= 1);
    }
}
