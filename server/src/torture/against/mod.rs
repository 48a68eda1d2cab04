//! The real binary under `kill -9`: rounds of work by several clients over HTTP, each ended at a random
//! moment, and after each opening a comparison with what the clients remember.
//!
//! Every acknowledged write is there. What was not answered is there as a whole or not at all. The
//! indexes are a function of their table, the streams' records come to what the items are, and what is
//! transferred between accounts is neither gained nor lost.
//!
//! The server's clock is one that is driven, and one of the clients drives it: items expire under the
//! load, and not while somebody compares.
//!
//! A seed decides what is written; when the process dies in relation to it, the machine does.

mod accounts;
mod client;
mod connection;
mod process;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stator_torture::{Draw, Until};

use self::client::{Client, Time};
use self::connection::Connection;
use self::process::Process;
use super::observe::{StreamReader, check_indexes, read_items, replay};
use super::tables::{ADDED, Items, TABLES, TTL, as_number, table};
use super::{CallError, Caller, Checked};
use crate::wire::Operation;

/// The longest that clients work before the process is killed.
const LONGEST_ROUND_MS: u32 = 250;

/// How often it is asked whether an index is filled, and how many times before it is taken never to be.
const POLL: Duration = Duration::from_millis(5);
const MOST_POLLS: usize = 4_000;

/// What to do.
#[derive(Clone, Debug)]
pub struct Against {
    /// The binary.
    pub binary: PathBuf,
    /// Where it is to have its data, and a file for its log: made if missing, and empty.
    pub directory: PathBuf,
    /// Clients with items of their own, besides one for transfers and one for clock and indexes.
    pub clients: usize,
    /// When it is enough.
    pub until: Until,
    /// What decides what is written.
    pub seed: u64,
    /// How long an opening may take, from the start of the process until it serves.
    pub max_reopen: Option<Duration>,
}

/// What it came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Openings behind an end, each with a comparison.
    pub rounds: u64,
    /// Processes that were killed while clients worked.
    pub kills: u64,
    /// Processes that were killed while they opened.
    pub kills_while_opening: u64,
    /// Processes that were killed, or ended, while they were coming to rest.
    pub stops: u64,
    /// Requests that were answered, by kind.
    pub answered: BTreeMap<&'static str, u64>,
    /// How long each opening took.
    pub reopens: Vec<Duration>,
    /// Items that were there at the last comparison.
    pub items: usize,
    /// Records of streams that were read.
    pub records: u64,
}

impl Report {
    /// Ends of the process that it was not told of.
    #[must_use]
    pub fn crash_points(&self) -> u64 {
        self.kills + self.kills_while_opening
    }

    /// How long an opening took that was longer than so many in a hundred.
    #[must_use]
    pub fn reopen(&self, percent: usize) -> Duration {
        let mut sorted = self.reopens.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().unwrap_or_default()
    }
}

/// Why it did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A promise was not kept.
    Promise(String),
    /// It could not be carried out.
    Impossible(String),
}

/// Carries it out. `progress` is called after each round.
///
/// # Errors
/// The first promise that is not kept; the directory is left as it is then.
pub fn run(against: &Against, progress: &mut dyn FnMut(&Report)) -> Result<Report, Broken> {
    let mut rig = Rig::new(against).map_err(Broken::Impossible)?;
    let began = Instant::now();
    loop {
        let round = rig.report.rounds;
        rig.round().map_err(|why| {
            let at = against.directory.display();
            Broken::Promise(format!("round {round}: {why}. The data is in {at}."))
        })?;
        progress(&rig.report);
        let until = against.until;
        let is_over = until.elapsed.is_some_and(|most| began.elapsed() >= most)
            || until
                .crash_points
                .is_some_and(|most| rig.report.crash_points() >= most);
        if is_over {
            return Ok(rig.report);
        }
    }
}

/// The clients and what they remember, over all processes.
struct Rig<'a> {
    against: &'a Against,
    data: PathBuf,
    log: PathBuf,
    process: Process,
    /// When it serves, its address.
    address: std::net::SocketAddr,
    clients: Vec<Client>,
    time: Time,
    draw: Draw,
    streams: StreamReader,
    /// What the records that were read come to.
    replayed: Items,
    report: Report,
}

impl<'a> Rig<'a> {
    fn new(against: &'a Against) -> Checked<Self> {
        let directory = &against.directory;
        let failed = |error: std::io::Error| format!("{}: {error}", directory.display());
        std::fs::create_dir_all(directory).map_err(failed)?;
        if std::fs::read_dir(directory)
            .map_err(failed)?
            .next()
            .is_some()
        {
            return Err(format!(
                "{} has something in it: what was written there, nobody remembers",
                directory.display()
            ));
        }
        let (data, log) = (directory.join("data"), directory.join("server.log"));
        let mut process = Process::spawn(&against.binary, &data, &log)?;
        let address = process.ready()?;
        let mut caller = Connection::open(address).map_err(|error| error.to_string())?;
        for table in &TABLES {
            caller.ask(Operation::CreateTable, &table.creation())?;
            caller.ask(Operation::UpdateTimeToLive, &table.expiry(true))?;
        }
        accounts::open(&mut caller)?;
        let clients = 0..against.clients;
        let mut rig = Self {
            against,
            data,
            log,
            process,
            address,
            clients: clients
                .map(|number| Client::new(number, against.seed))
                .collect(),
            time: Time::default(),
            draw: Draw::new(against.seed),
            streams: StreamReader::default(),
            replayed: Items::new(),
            report: Report::default(),
        };
        rig.compare()?;
        Ok(rig)
    }

    /// Work, an end, an opening, and a comparison.
    fn round(&mut self) -> Checked {
        self.work()?;
        if self.draw.one_in(10) {
            let mut process = Process::spawn(&self.against.binary, &self.data, &self.log)?;
            thread::sleep(Duration::from_micros(u64::from(self.draw.below(20_000))));
            process.kill()?;
            self.report.kills_while_opening += 1;
        }
        let began = Instant::now();
        self.process = Process::spawn(&self.against.binary, &self.data, &self.log)?;
        self.address = self.process.ready()?;
        let took = began.elapsed();
        self.report.reopens.push(took);
        if let Some(most) = self.against.max_reopen
            && took > most
        {
            return Err(format!(
                "an opening took {took:?}, and {most:?} are allowed"
            ));
        }
        self.compare()?;
        self.report.rounds += 1;
        Ok(())
    }

    /// Everybody works until the process is gone.
    fn work(&mut self) -> Checked {
        let (address, time, draw) = (self.address, &self.time, &mut self.draw);
        let (mut for_accounts, mut for_driver) = (
            Draw::new(u64::from(draw.below(u32::MAX))),
            Draw::new(u64::from(draw.below(u32::MAX))),
        );
        let (clients, process) = (&mut self.clients, &mut self.process);
        let report = &mut self.report;
        let round = Duration::from_millis(u64::from(1 + draw.below(LONGEST_ROUND_MS)));
        let way = draw.below(20);
        let moment = Duration::from_micros(u64::from(draw.below(20_000)));
        let transfers = thread::scope(|scope| {
            let workers: Vec<_> = clients
                .iter_mut()
                .map(|client| {
                    scope.spawn(move || match Connection::open(address) {
                        Ok(mut caller) => client.work(&mut caller, time),
                        Err(_) => Ok(()),
                    })
                })
                .collect();
            let transfers = scope.spawn(move || match Connection::open(address) {
                Ok(mut caller) => accounts::work(&mut caller, &mut for_accounts),
                Err(_) => Ok(0),
            });
            let driver = scope.spawn(move || match Connection::open(address) {
                Ok(mut caller) => drive(&mut caller, &mut for_driver, time),
                Err(_) => Ok(()),
            });
            thread::sleep(round);
            let ended = match way {
                0..17 => process.kill().map(|()| report.kills += 1),
                17 | 18 => {
                    process.terminate();
                    thread::sleep(moment);
                    process.kill().map(|()| report.stops += 1)
                }
                _ => {
                    process.terminate();
                    report.stops += 1;
                    match process.wait() {
                        Ok(true) => Ok(()),
                        Ok(false) => Err("the server did not stop cleanly".to_owned()),
                        Err(why) => Err(why),
                    }
                }
            };
            let panicked = |_| Err("a client panicked".to_owned());
            for worker in workers {
                worker.join().unwrap_or_else(panicked)?;
            }
            driver.join().unwrap_or_else(panicked)?;
            let transfers = transfers.join();
            let transfers = transfers.unwrap_or_else(|_| Err("a client panicked".to_owned()))?;
            ended.map(|()| transfers)
        })?;
        let answered = &mut self.report.answered;
        *answered.entry("transfers").or_default() += transfers;
        for client in &mut self.clients {
            for (kind, count) in std::mem::take(&mut client.answered) {
                *answered.entry(kind).or_default() += count;
            }
        }
        Ok(())
    }

    /// What is there is what everybody remembers.
    fn compare(&mut self) -> Checked {
        let mut caller = Connection::open(self.address).map_err(|error| error.to_string())?;
        let added = settled_index(&mut caller)?;
        let items = read_items(&mut caller)?;
        for client in &mut self.clients {
            client.settle(&items, &self.time)?;
        }
        accounts::check(&items)?;
        check_indexes(&mut caller, &items, added.then_some(&ADDED))?;
        let records = self.streams.read(&mut caller)?;
        replay(&mut self.replayed, &records, false)?;
        if self.replayed != items {
            return Err("the streams' records do not come to what the items are".into());
        }
        self.report.records += records.len() as u64;
        self.report.items = items.len();
        self.expire(&mut caller)
    }

    /// What is due and was not done when the process ended happens when the clock is next moved.
    fn expire(&mut self, caller: &mut Connection) -> Checked {
        let now_ms = caller.advance(0).map_err(|error| error.to_string())?;
        self.time.at_least_ms.store(now_ms, Ordering::SeqCst);
        self.time.at_most_ms.fetch_max(now_ms, Ordering::SeqCst);
        let items = read_items(caller)?;
        for (key, item) in &items {
            let second = as_number(item, TTL).and_then(|second| u64::try_from(second).ok());
            if second.is_some_and(|second| second * 1000 < now_ms) {
                return Err(format!("{key:?} expired at {second:?}, and it is {now_ms}"));
            }
        }
        for client in &mut self.clients {
            client.settle(&items, &self.time)?;
        }
        Ok(())
    }
}

/// Moves the clock, and adds and drops an index, until the server is gone.
fn drive(caller: &mut Connection, draw: &mut Draw, time: &Time) -> Checked {
    loop {
        let outcome = if draw.one_in(3) {
            let request = table(0).change(&ADDED, draw.one_in(2));
            caller.call(Operation::UpdateTable, &request).map(drop)
        } else {
            let by_ms = u64::from(draw.below(1_500));
            let stands_ms = time.at_least_ms.load(Ordering::SeqCst);
            time.at_most_ms
                .fetch_max(stands_ms + by_ms, Ordering::SeqCst);
            caller.advance(by_ms).map(|now_ms| {
                time.at_least_ms.store(now_ms, Ordering::SeqCst);
            })
        };
        match outcome {
            Ok(()) => {}
            Err(CallError::Gone(_)) => return Ok(()),
            // It is there already, or not, or still being filled.
            Err(CallError::Refused(name, _)) if name != "InternalServerError" => {}
            Err(error) => return Err(format!("clock and indexes: {error}")),
        }
        thread::sleep(POLL);
    }
}

/// Whether the index is there that is not always, once it is known.
fn settled_index(caller: &mut Connection) -> Checked<bool> {
    let request = json!({"TableName": table(0).name});
    for _ in 0..MOST_POLLS {
        let answer = caller.ask(Operation::DescribeTable, &request)?;
        let described = answer.get("Table");
        let indexes = described.and_then(|table| table.get("GlobalSecondaryIndexes"));
        let mut indexes = indexes.and_then(Value::as_array).into_iter().flatten();
        let added = indexes.find(|index| index.get("IndexName") == Some(&json!(ADDED.name)));
        match added.and_then(|index| index.get("IndexStatus")) {
            None => return Ok(false),
            Some(status) if status == "ACTIVE" => return Ok(true),
            Some(_) => thread::sleep(POLL),
        }
    }
    Err("an index that is never filled".into())
}

/// The binary that runs this.
///
/// # Errors
/// If the system does not say which it is.
pub fn own_binary() -> Checked<PathBuf> {
    let own = std::env::current_exe();
    own.map_err(|error| format!("which binary this is, is not known: {error}"))
}

/// A directory as it is given on a command line, from the root.
///
/// # Errors
/// If there is no current directory to go from.
pub fn absolute(directory: &Path) -> Checked<PathBuf> {
    std::path::absolute(directory).map_err(|error| format!("{}: {error}", directory.display()))
}
