//! Many clients on few items, while the process is killed and started again, stopped and continued,
//! and connections are reset.
//!
//! A seed decides what each client asks for and when something happens to the process, counted in
//! operations; how the clients meet is the machine's.

mod choice;
mod request;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use self::choice::Kind;
use self::choice::{Choice, Random};
use self::request::{Answered, Request};
use crate::client::{Answer, Connection};
use crate::history::{Call, Key, Operation, Reply};
use crate::server::{Outcome, Server};

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What it is made from.
    pub seed: u64,
    /// Single items, or transactions.
    pub kind: Kind,
    /// Clients at a time.
    pub clients: usize,
    /// How many items there are.
    pub keys: Key,
    /// Operations to be answered, of all clients together.
    pub operations: u64,
    /// How often something happens to the process.
    pub faults: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Run {
    /// Every operation that had an effect, or may have had one, or told something.
    pub history: Vec<Operation>,
    /// How many there were of each sort.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Run {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

/// What the clients share.
struct Shared<'a> {
    plan: Plan,
    server: &'a Server,
    started: Instant,
    answered: AtomicU64,
    over: AtomicBool,
    next_tag: AtomicU64,
}

impl Shared<'_> {
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Runs a plan on an empty directory.
///
/// # Errors
/// If the process panics or does not start again, or answers what no operation may be answered.
pub fn run(plan: Plan, directory: &Path, options: &[&str]) -> Outcome<Run> {
    let server = Server::start(directory, options)?;
    let shared = Shared {
        plan,
        server: &server,
        started: Instant::now(),
        answered: AtomicU64::new(0),
        over: AtomicBool::new(false),
        next_tag: AtomicU64::new(1),
    };
    Client::new(&shared, 0).create_tables()?;
    // When each process was gone, by its number.
    let mut gone = vec![0_u64];
    let mut run = Run::default();
    let (faults, clients) = thread::scope(|scope| {
        let clients: Vec<_> = (0..plan.clients)
            .map(|number| {
                let mut client = Client::new(&shared, number);
                scope.spawn(move || client.go_on().map(|()| client.seen))
            })
            .collect();
        let faults = disturb(&shared, &mut gone, &mut run);
        shared.over.store(true, Ordering::Release);
        if faults.is_err() {
            // Nobody is to wait for a process that does not come.
            let _ = server.end();
        }
        let clients: Vec<_> = clients
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        (faults, clients)
    });
    faults?;
    let mut seen = Vec::new();
    for client in clients {
        let client = client.map_err(|_| std::io::Error::other("a client panicked"))??;
        seen.push(client);
    }
    let mut last = Client::new(&shared, plan.clients);
    last.read_everything()?;
    seen.push(last.seen);
    server.end()?;
    gone.push(shared.now());
    for seen in seen {
        for (what, count) in seen.counts {
            *run.counts.entry(what).or_default() += count;
        }
        for (mut operation, generation) in seen.operations {
            if operation.reply.is_none() {
                operation.ended = gone.get(generation).copied().unwrap_or(u64::MAX);
                run.count("in doubt");
            }
            run.history.push(operation);
        }
    }
    run.history.sort_by_key(|operation| operation.invoked);
    Ok(run)
}

/// Kills, stops, starts, until the clients have done enough.
fn disturb(shared: &Shared<'_>, gone: &mut Vec<u64>, run: &mut Run) -> Outcome {
    let plan = shared.plan;
    let mut random = Random::new(plan.seed, u64::MAX);
    for fault in 1..=plan.faults + 1 {
        let due = plan.operations * fault / (plan.faults + 1);
        while shared.answered.load(Ordering::Acquire) < due {
            if shared.over.load(Ordering::Acquire) {
                // A client has given up, and says why.
                return Ok(());
            }
            thread::sleep(Duration::from_millis(1));
        }
        if fault > plan.faults {
            break;
        }
        if random.one_in(3) {
            run.count("pauses");
            let pause = Duration::from_millis(10 + random.below(60));
            shared.server.pause(|| thread::sleep(pause))?;
        } else {
            run.count("kills");
            shared.server.crash(|| gone.push(shared.now()))?;
        }
    }
    Ok(())
}

/// What a client has seen: operations, and which process they were sent to.
#[derive(Default)]
struct Seen {
    operations: Vec<(Operation, usize)>,
    counts: BTreeMap<&'static str, u64>,
}

struct Client<'a> {
    shared: &'a Shared<'a>,
    number: usize,
    random: Random,
    connection: Option<Connection>,
    seen: Seen,
}

/// What came of one request.
enum Sent {
    Answered(Answer),
    /// It may have been received, by this process.
    Lost(usize),
    /// There is no process any more, or none that it was sent to.
    Never,
}

impl<'a> Client<'a> {
    fn new(shared: &'a Shared<'a>, number: usize) -> Self {
        Client {
            shared,
            number,
            random: Random::new(shared.plan.seed, number as u64),
            connection: None,
            seen: Seen::default(),
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.seen.counts.entry(what).or_default() += 1;
    }

    fn go_on(&mut self) -> Outcome {
        while !self.shared.over.load(Ordering::Acquire) {
            let tag = self.shared.next_tag.fetch_add(1, Ordering::Relaxed);
            let choice = self.random.choice(&self.shared.plan, tag);
            if let Err(error) = self.perform(choice) {
                self.shared.over.store(true, Ordering::Release);
                return Err(error);
            }
        }
        Ok(())
    }

    fn create_tables(&mut self) -> Outcome {
        for body in request::tables() {
            match self.send("CreateTable", &body, false) {
                Sent::Answered((200, _)) => {}
                Sent::Answered(other) => return Err(surprise("CreateTable", &other)),
                Sent::Lost(_) | Sent::Never => return Err(std::io::ErrorKind::NotConnected.into()),
            }
        }
        Ok(())
    }

    fn read_everything(&mut self) -> Outcome {
        for key in 0..self.shared.plan.keys {
            self.perform(Choice::get(key))?;
        }
        Ok(())
    }

    /// Asks for one thing until it is answered or in doubt, and writes down what came of it.
    fn perform(&mut self, choice: Choice) -> Outcome {
        let request = Request::new(&choice, self.shared.plan.keys);
        let invoked = self.shared.now();
        // Whether an earlier try of the same transaction may have happened.
        let mut in_doubt = false;
        loop {
            let reset = choice.reset && !in_doubt;
            match self.send(request.operation, &request.body, reset) {
                Sent::Answered(answer) => {
                    let ended = self.shared.now();
                    match request.read(&answer) {
                        Some(Answered::Reply(reply)) => {
                            self.shared.answered.fetch_add(1, Ordering::AcqRel);
                            self.count(choice.name());
                            if matches!(reply, Reply::Refused(_)) {
                                self.count("refused");
                            }
                            if in_doubt {
                                self.count("repeated");
                            }
                            self.record(choice.call, invoked, ended, Some(reply), 0);
                            return Ok(());
                        }
                        // Nothing has happened, unless it had at the first try.
                        Some(Answered::Conflict) => {
                            self.count("conflicts");
                            if !in_doubt {
                                return Ok(());
                            }
                        }
                        Some(Answered::InProgress) if in_doubt => {}
                        _ => return Err(surprise(request.operation, &answer)),
                    }
                }
                Sent::Lost(_) if choice.token.is_some() => in_doubt = true,
                Sent::Lost(generation) => {
                    if matches!(choice.call, Call::Write(_)) {
                        self.record(choice.call, invoked, u64::MAX, None, generation);
                    }
                    return Ok(());
                }
                Sent::Never if in_doubt => {
                    return Err(std::io::Error::other("a transaction was never repeated"));
                }
                Sent::Never => return Ok(()),
            }
        }
    }

    fn record(
        &mut self,
        call: Call,
        invoked: u64,
        ended: u64,
        reply: Option<Reply>,
        generation: usize,
    ) {
        let operation = Operation {
            client: self.number,
            call,
            invoked,
            ended,
            reply,
        };
        self.seen.operations.push((operation, generation));
    }

    fn send(&mut self, operation: &str, body: &serde_json::Value, reset: bool) -> Sent {
        let mut connection = loop {
            if let Some(connection) = self.connection.take() {
                break connection;
            }
            let Some((address, generation)) = self.shared.server.address() else {
                return Sent::Never;
            };
            // Refused while it is being killed: the next one has another address.
            match Connection::open(&address, generation) {
                Ok(connection) => break connection,
                Err(_) => thread::yield_now(),
            }
        };
        let generation = connection.generation;
        if connection.send(operation, body).is_err() {
            return Sent::Lost(generation);
        }
        if reset {
            self.count("resets");
            // It may be gone already.
            let _ = connection.reset();
            return Sent::Lost(generation);
        }
        match connection.receive() {
            Ok(answer) => {
                self.connection = Some(connection);
                Sent::Answered(answer)
            }
            Err(_) => Sent::Lost(generation),
        }
    }
}

fn surprise(operation: &str, (status, body): &Answer) -> std::io::Error {
    std::io::Error::other(format!("{operation} was answered with {status}: {body}"))
}
