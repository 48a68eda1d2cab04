//! The options of `stator bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::distribution::Distribution;
use crate::failure::Failure;
use crate::item::Size;
use crate::mix::Mix;
use crate::properties::Properties;
use crate::schedule::Arrivals;
use crate::workload::{ScanLength, Workload, preset};

/// Measure the latency that an endpoint gives, and where it goes
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Endpoint to measure, as http://127.0.0.1:8000, or 'aws' for DynamoDB itself. Without it a
    /// Stator of its own runs on a temporary directory
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Region; otherwise that of the environment or profile
    #[arg(long)]
    pub region: Option<String>,
    /// Profile of ~/.aws to take credentials and Region from
    #[arg(long)]
    pub profile: Option<String>,
    /// One of YCSB's core workloads, a to f [default: b]
    #[arg(long, value_name = "a..f", value_parser = letter, conflicts_with = "mix")]
    pub workload: Option<char>,
    /// Operations with weights: get, put, insert, update, read-modify-write, delete, query, scan,
    /// batch-get, batch-write, transact-get, transact-write, statement, batch-statement,
    /// transact-statement
    #[arg(long, value_name = "get=60,put=40", value_parser = Mix::parse)]
    pub mix: Option<Mix>,
    /// A property of YCSB, as recordcount=1000; may be given several times
    #[arg(short = 'p', long = "property", value_name = "NAME=VALUE")]
    pub properties: Vec<String>,
    /// A file of such properties
    #[arg(short = 'P', long = "properties", value_name = "FILE")]
    pub property_files: Vec<PathBuf>,
    /// Operations to start a second, whatever the answers do [default: 1000]
    #[arg(long, value_name = "RATE", value_parser = rate, conflicts_with = "closed")]
    pub rate: Option<f64>,
    /// How starts are spread [default: poisson]
    #[arg(long, value_enum, conflicts_with = "closed")]
    pub arrivals: Option<ArrivalsOption>,
    /// Start the next operation of a connection when the last one is answered. This hides what
    /// waits behind a slow answer; it is for finding out how much fits
    #[arg(long)]
    pub closed: bool,
    /// Connections [default: 64]
    #[arg(long, value_name = "CONNECTIONS", value_parser = positive)]
    pub connections: Option<usize>,
    /// Threads of the rig [default: one for every four cores]
    #[arg(long, value_parser = positive)]
    pub threads: Option<usize>,
    /// How long to measure, as 30s or 5m [default: 30s]
    #[arg(long, value_parser = duration)]
    pub duration: Option<Duration>,
    /// End after so many operations
    #[arg(long)]
    pub operations: Option<u64>,
    /// How long to run before measuring [default: 5s]
    #[arg(long, value_parser = duration)]
    pub warm_up: Option<Duration>,
    /// Items to put into the table first [default: 1000]
    #[arg(long, value_parser = count)]
    pub items: Option<u64>,
    /// Bytes of an item's fields: 1000, uniform:100-4000, zipfian:100-4000 or
    /// histogram:100=80,4000=20 [default: 1000]
    #[arg(long, value_name = "SIZE", value_parser = Size::parse)]
    pub item_size: Option<Size>,
    /// Fields of an item [default: 10]
    #[arg(long)]
    pub fields: Option<u64>,
    /// Which items are asked for: uniform, zipfian, zipfian:THETA, latest, hotspot,
    /// hotspot:ITEMS,REQUESTS, sequential or exponential [default: the workload's, or zipfian]
    #[arg(long, value_parser = Distribution::parse)]
    pub distribution: Option<Distribution>,
    /// Items that a Query or Scan reads [default: 1-100]
    #[arg(long, value_name = "LOW-HIGH", value_parser = range)]
    pub scan_length: Option<(u64, u64)>,
    /// Items in a batch [default: 25]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub batch_size: Option<u16>,
    /// Items in a transaction [default: 4]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub transaction_size: Option<u16>,
    /// Items of one partition key, where there is a sort key: with query in the mix [default: 1000]
    #[arg(long, value_parser = count)]
    pub partition_size: Option<u64>,
    /// Ask for strongly consistent reads
    #[arg(long)]
    pub consistent: bool,
    /// Repeats the choices of another run, which says its seed
    #[arg(long)]
    pub seed: Option<u64>,
    /// Make a request again as the SDKs do, at most so often; its latency goes on
    #[arg(long, default_value_t = 0)]
    pub retries: u32,
    /// How long to wait for an answer [default: 60s]
    #[arg(long, value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Find the highest rate at which 99 % of the latencies are at most this
    #[arg(long, value_name = "P99", value_parser = duration, num_args = 0..=1,
          default_missing_value = "10ms", conflicts_with = "closed")]
    pub sweep: Option<Duration>,
    /// Put the items into the table, and stop
    #[arg(long, conflicts_with_all = ["no_load", "sweep"])]
    pub load_only: bool,
    /// Take the table as it is
    #[arg(long)]
    pub no_load: bool,
    /// Table; made if it is not there [default: stator-bench]
    #[arg(long)]
    pub table: Option<String>,
    /// Leave a table that was made
    #[arg(long)]
    pub keep_table: bool,
    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the percentiles in HdrHistogram's text form
    #[arg(long, value_name = "FILE")]
    pub hgrm: Option<PathBuf>,
    /// Write an interval log of HdrHistogram
    #[arg(long, value_name = "FILE")]
    pub hlog: Option<PathBuf>,
    /// Write a report, one HTML file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Put the JSON of earlier runs into the --report, without a run: ratios are to the first
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "report",
          conflicts_with_all = ["endpoint", "json", "hgrm", "hlog", "sweep", "load_only"])]
    pub compare: Vec<PathBuf>,
    /// Be a proxy before the endpoint, and write down what passes
    #[arg(long, value_name = "FILE", requires_all = ["endpoint", "listen"],
          conflicts_with_all = ["compare", "sweep", "load_only"])]
    pub record: Option<PathBuf>,
    /// Where the proxy of --record listens
    #[arg(long, value_name = "ADDRESS:PORT", requires = "record")]
    pub listen: Option<std::net::SocketAddr>,
    /// Play what --record wrote down, at the times at which it came in
    #[arg(long, value_name = "FILE", requires = "endpoint",
          conflicts_with_all = ["record", "compare", "sweep", "load_only", "workload", "mix", "rate",
                                "arrivals", "closed", "duration", "operations"])]
    pub replay: Option<PathBuf>,
    /// How many times as fast to play it [default: 1.0]
    #[arg(long, value_parser = rate, requires = "replay")]
    pub speed: Option<f64>,
    /// Name of the run in its results
    #[arg(long)]
    pub name: Option<String>,
    /// Options of the Stator that runs without --endpoint, as in '-- --durability interval:100'
    #[arg(last = true, value_name = "SERVE OPTIONS")]
    pub server: Vec<String>,
}

/// How starts are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArrivalsOption {
    /// As those of many independent users are
    Poisson,
    /// Evenly
    Constant,
}

/// When jobs start, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Jobs a second; nothing in a closed loop.
    pub rate: Option<f64>,
    /// How they are spread.
    pub arrivals: Arrivals,
    /// Connections.
    pub connections: usize,
    /// Threads of the rig.
    pub threads: usize,
    /// What is measured.
    pub duration: Duration,
    /// What comes before it.
    pub warm_up: Duration,
    /// How long one answer is waited for.
    pub timeout: Duration,
    /// How often a request is made again.
    pub retries: u32,
}

impl Options {
    /// The properties that were given: files in their order, then those of the command line.
    ///
    /// # Errors
    /// If a file cannot be read, or a property is not known.
    pub fn read_properties(&self) -> Result<Properties, Failure> {
        let mut properties = Properties::default();
        for path in &self.property_files {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure(format!("'{}' can't be read: {error}.", path.display()))
            })?;
            properties.add_file(&text).map_err(Failure)?;
        }
        for property in &self.properties {
            properties.add(property).map_err(Failure)?;
        }
        Ok(properties)
    }

    /// The workload: the preset, changed by properties, changed by options.
    ///
    /// # Errors
    /// If a property has a value that makes no sense.
    pub fn workload(&self, properties: &Properties) -> Result<Workload, Failure> {
        let mut workload = Workload::default();
        if let Some((mix, distribution)) = preset(self.workload.unwrap_or('b')) {
            workload.mix = mix;
            workload.distribution = distribution;
        }
        properties.apply(&mut workload).map_err(Failure)?;
        if let Some(mix) = &self.mix {
            workload.mix = mix.clone();
            if !properties.has("requestdistribution") {
                workload.distribution = Workload::default().distribution;
            }
        }
        set(&mut workload.distribution, self.distribution);
        set(&mut workload.records, self.items);
        set(&mut workload.size, self.item_size.clone());
        set(&mut workload.fields, self.fields);
        set(&mut workload.table, self.table.clone());
        set(&mut workload.partition_size, self.partition_size);
        set(&mut workload.batch, self.batch_size.map(usize::from));
        set(
            &mut workload.transaction,
            self.transaction_size.map(usize::from),
        );
        if let Some((low, high)) = self.scan_length {
            workload.scan_length = ScanLength {
                low,
                high,
                ..workload.scan_length
            };
        }
        workload.consistent |= self.consistent;
        if self.operations.is_some() {
            workload.operations = self.operations;
        }
        Ok(workload)
    }

    /// The pace.
    ///
    /// # Errors
    /// If a property has a value that makes no sense.
    pub fn pace(&self, properties: &Properties) -> Result<Pace, Failure> {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let target = properties.rate().map_err(Failure)?;
        let connections = properties.connections().map_err(Failure)?;
        let connections = self.connections.or(connections).unwrap_or(64);
        let seconds = properties.seconds().map_err(Failure)?;
        Ok(Pace {
            rate: (!self.closed).then(|| self.rate.or(target).unwrap_or(1000.0)),
            arrivals: match self.arrivals {
                Some(ArrivalsOption::Constant) => Arrivals::Constant,
                _ => Arrivals::Poisson,
            },
            connections,
            threads: self
                .threads
                .unwrap_or(cores / 4)
                .clamp(1, connections.max(1)),
            duration: self
                .duration
                .or(seconds.map(Duration::from_secs))
                .unwrap_or(Duration::from_secs(30)),
            warm_up: self.warm_up.unwrap_or(Duration::from_secs(5)),
            timeout: self.timeout.unwrap_or(Duration::from_secs(60)),
            retries: self.retries,
        })
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn letter(text: &str) -> Result<char, String> {
    match text.to_ascii_lowercase().trim_start_matches("workload") {
        letter @ ("a" | "b" | "c" | "d" | "e" | "f") => letter.parse().map_err(|_| String::new()),
        _ => Err("YCSB's core workloads are a to f".to_owned()),
    }
}

/// A number a second: `1000`, `2.5k`.
fn rate(text: &str) -> Result<f64, String> {
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1000.0),
        None => (text, 1.0),
    };
    match digits.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate * unit),
        _ => Err("write a number above 0, as 1000 or 10k".to_owned()),
    }
}

/// A number of things: `1000`, `10k`, `2M`.
fn count(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(['k', 'K', 'm', 'M']);
    let unit = match text.get(digits.len()..) {
        Some("k" | "K") => 1000,
        Some("m" | "M") => 1_000_000,
        Some("") => 1,
        _ => 0,
    };
    match digits
        .parse::<u64>()
        .ok()
        .and_then(|count| count.checked_mul(unit))
    {
        Some(count) if count > 0 => Ok(count),
        _ => Err("write a number above 0, as 1000, 10k or 2M".to_owned()),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    let count = count(text)?;
    usize::try_from(count)
        .ok()
        .filter(|count| *count <= 100_000)
        .ok_or_else(|| "that is too many".to_owned())
}

/// A time: `30s`, `500ms`, `5m`, `1h`; a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..).unwrap_or_default() {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" | "" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => f64::NAN,
    };
    let seconds = digits.parse::<f64>().unwrap_or(f64::NAN) * unit;
    if (0.0..1e9).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("write a time as 500ms, 30s, 5m or 1h".to_owned())
    }
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let wrong = || "write two numbers, as 1-100".to_owned();
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (
        count(low).map_err(|_| wrong())?,
        count(high).map_err(|_| wrong())?,
    );
    if low > high {
        Err(wrong())
    } else {
        Ok((low, high))
    }
}

#[cfg(test)]
mod tests;
