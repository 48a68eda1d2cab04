//! One thread of the rig: a loop over its connections that starts jobs on time and takes the time of
//! their answers.
//!
//! In an open loop the start that counts is the intended one: a job that finds no connection free, or
//! this loop asleep, waits, and its wait is part of its latency. So a server that stands still for a
//! second delays all that would have been asked in it, and not only what was under way.

mod flight;
mod slot;

use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::alarm::{self, Alarm};
use crate::answer::{error_name, is_partial};
use crate::interval::{Interval, Outcome};
use crate::random::Random;
use crate::schedule::Schedule;
use crate::signature::Signer;
use crate::source::Source;
use crate::stream::{Connector, Received};

use flight::{Flight, Timed, Timer};
use slot::{Slot, State};

/// What all workers of a run share.
#[derive(Clone)]
pub struct Rules {
    /// Zero of all times.
    pub start: Instant,
    /// The same moment, in nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// Jobs that are meant to start before this are the warm-up's.
    pub warm_up_ns: u64,
    /// No job is meant to start from then on.
    pub end_ns: u64,
    /// How long after the end answers are waited for.
    pub drain_ns: u64,
    /// How often a request is made again, if its outcome is of that kind.
    pub retries: u32,
    /// How long one answer is waited for.
    pub timeout_ns: u64,
    /// How many names of jobs there are.
    pub kinds: usize,
    /// Somebody wants the run to end.
    pub stop: Arc<AtomicBool>,
}

/// How often time-outs are looked for, and seconds ended, in nanoseconds.
const TICK_NS: u64 = 50_000_000;

/// How long to wait before a connection that was refused is tried again, at first and at most.
const RECONNECT_NS: (u64, u64) = (5_000_000, 500_000_000);

/// The SDKs' waits before a request is made again: up to 25 ms, twice that each time, up to 20 s.
const BACKOFF_NS: (u64, u64) = (25_000_000, 20_000_000_000);

/// Jobs that may wait for a connection: beyond this the endpoint is down, and the rest is counted
/// without being kept.
const MOST_WAITING: usize = 10_000_000;

/// One thread of the rig.
pub struct Worker<S> {
    number: usize,
    rules: Rules,
    source: S,
    /// Nothing in a closed loop.
    schedule: Option<Schedule>,
    signer: Signer,
    connector: Connector,
    poll: Poll,
    alarm: Alarm,
    slots: Vec<Slot>,
    /// Connections without a job, the longest unused first.
    idle: VecDeque<usize>,
    /// Intended starts of jobs that wait for a connection.
    waiting: VecDeque<u64>,
    /// Requests to be made again that wait for a connection.
    again: VecDeque<(Flight, Vec<u8>)>,
    timers: BinaryHeap<Timed>,
    in_flight: usize,
    /// No more jobs are started.
    ended: bool,
    interval: Interval,
    cpu_ns: u64,
    random: Random,
    body: Vec<u8>,
    results: Sender<Interval>,
    recycled: Receiver<Interval>,
}

impl<S: Source> Worker<S> {
    /// Worker number `number`, with so many connections. What it has seen it sends to `results` every second, and
    /// `recycled` gives back the memory.
    ///
    /// # Errors
    /// If the system gives it no poll.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part that the run puts together"
    )]
    pub fn new(
        number: usize,
        rules: Rules,
        source: S,
        schedule: Option<Schedule>,
        signer: Signer,
        connector: Connector,
        connections: usize,
        random: Random,
        results: Sender<Interval>,
        recycled: Receiver<Interval>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        Ok(Self {
            alarm: Alarm::new(&poll)?,
            poll,
            slots: (0..connections).map(|_| Slot::default()).collect(),
            idle: VecDeque::with_capacity(connections),
            waiting: VecDeque::new(),
            again: VecDeque::new(),
            timers: BinaryHeap::new(),
            in_flight: 0,
            ended: false,
            interval: Interval::new(0, rules.kinds),
            cpu_ns: 0,
            random,
            body: Vec::new(),
            number,
            rules,
            source,
            schedule,
            signer,
            connector,
            results,
            recycled,
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.rules.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Runs to the end, which is when nothing is under way any more, or it has waited long enough.
    ///
    /// # Errors
    /// If the poll fails.
    pub fn run(mut self) -> io::Result<()> {
        self.cpu_ns = thread_cpu_ns();
        let mut events = Events::with_capacity(1024);
        for place in 0..self.slots.len() {
            self.connect(place, 0);
        }
        let mut next_tick = 0;
        loop {
            let mut now = self.now();
            if now / 1_000_000_000 != self.interval.second {
                self.hand_over(now / 1_000_000_000);
            }
            if now >= next_tick {
                self.tick(now);
                next_tick = now + TICK_NS;
            }
            self.release(now);
            self.dispatch();
            if self.is_over(now) {
                break;
            }
            let busy_since = now;
            now = self.now();
            self.interval.busy.record(now.saturating_sub(busy_since));
            let wake = self.wake_at(next_tick);
            let time = Duration::from_nanos(wake.saturating_sub(now));
            self.alarm.poll(&mut self.poll, &mut events, time)?;
            for event in events.iter().filter(|event| event.token() != alarm::TOKEN) {
                self.ready(event.token().0);
            }
        }
        self.give_up();
        self.hand_over(self.interval.second + 1);
        Ok(())
    }

    /// When to wake up if nothing comes in.
    fn wake_at(&self, next_tick: u64) -> u64 {
        let mut wake = next_tick;
        if let Some(schedule) = &self.schedule
            && !self.ended
        {
            wake = wake.min(schedule.next());
        }
        if let Some(timer) = self.timers.peek() {
            wake = wake.min(timer.due);
        }
        wake
    }

    fn is_over(&self, now: u64) -> bool {
        let at_rest = self.in_flight == 0
            && self.waiting.is_empty()
            && self.again.is_empty()
            && !self
                .timers
                .iter()
                .any(|timer| matches!(timer.what, Timer::Again(..)));
        self.ended && (at_rest || now >= self.rules.end_ns.saturating_add(self.rules.drain_ns))
    }

    /// Looks at what changes slowly: the end, answers that do not come.
    fn tick(&mut self, now: u64) {
        if self.rules.stop.load(Ordering::Relaxed) && now < self.rules.end_ns {
            self.rules.end_ns = now;
            self.rules.drain_ns = self.rules.drain_ns.min(1_000_000_000);
        }
        for place in 0..self.slots.len() {
            let Some(slot) = self.slots.get(place) else {
                continue;
            };
            if let State::Busy(flight) = &slot.state
                && now.saturating_sub(flight.sent) > self.rules.timeout_ns
            {
                self.fail(place, Outcome::TimedOut);
            }
        }
    }

    /// Lets the jobs whose time has come wait for a connection, and does what timers say.
    fn release(&mut self, now: u64) {
        if let Some(schedule) = &mut self.schedule {
            while !self.ended && schedule.next() <= now {
                let intended = schedule.next();
                if intended >= self.rules.end_ns {
                    self.ended = true;
                    break;
                }
                schedule.advance();
                if intended >= self.rules.warm_up_ns {
                    self.interval.lag.record(now - intended);
                }
                if self.waiting.len() < MOST_WAITING {
                    self.waiting.push_back(intended);
                } else {
                    *self
                        .interval
                        .outcomes
                        .entry((0, Outcome::Unfinished))
                        .or_default() += 1;
                }
            }
        }
        if now >= self.rules.end_ns {
            self.ended = true;
        }
        while self.timers.peek().is_some_and(|timer| timer.due <= now) {
            match self.timers.pop().map(|timer| timer.what) {
                Some(Timer::Connect { place, tries }) => self.connect(place, tries),
                Some(Timer::Again(flight, request)) => self.again.push_back((flight, request)),
                None => {}
            }
        }
    }

    /// Gives jobs to free connections.
    fn dispatch(&mut self) {
        while !self.idle.is_empty() {
            if let Some((flight, request)) = self.again.pop_front() {
                if let Some(slot) = self.take_idle() {
                    self.send_again(slot, flight, request);
                }
                continue;
            }
            let intended = match &self.schedule {
                Some(_) => match self.waiting.pop_front() {
                    Some(intended) => intended,
                    None => return,
                },
                None if self.ended => return,
                None => self.now(),
            };
            self.body.clear();
            let Some(draft) = self.source.draft(&mut self.body) else {
                self.ended = true;
                self.waiting.clear();
                return;
            };
            let Some(place) = self.take_idle() else {
                return;
            };
            let now = self.now();
            let flight = Flight {
                draft,
                intended,
                first_sent: now,
                sent: now,
                tries: 0,
            };
            self.start(place, flight);
        }
    }

    fn take_idle(&mut self) -> Option<usize> {
        self.idle.pop_front()
    }

    /// Signs the body that was drawn, and sends it.
    fn start(&mut self, place: usize, flight: Flight) {
        let unix = (self.rules.start_unix_ns + flight.sent) / 1_000_000_000;
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        slot.request.clear();
        self.signer
            .write(flight.draft.target, &self.body, unix, &mut slot.request);
        self.launch(place, flight);
    }

    fn send_again(&mut self, place: usize, mut flight: Flight, request: Vec<u8>) {
        flight.sent = self.now();
        if let Some(slot) = self.slots.get_mut(place) {
            slot.request = request;
        }
        self.launch(place, flight);
    }

    fn launch(&mut self, place: usize, flight: Flight) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        slot.written = 0;
        slot.incoming.clear();
        slot.state = State::Busy(flight);
        self.in_flight += 1;
        if let Err(error) = slot.send() {
            self.fail(place, connection_failed(&error));
        }
    }

    /// Something can be done on a connection.
    fn ready(&mut self, place: usize) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        match &slot.state {
            State::Down => {}
            State::Connecting { tries } => {
                let tries = *tries;
                match slot.stream.as_mut().map(|stream| stream.is_ready()) {
                    Some(Ok(true)) => {
                        slot.state = State::Idle;
                        self.idle.push_back(place);
                    }
                    Some(Ok(false)) => {}
                    Some(Err(_)) | None => self.connect_later(place, tries + 1),
                }
            }
            State::Idle => match slot.receive() {
                Ok(Received::Nothing) => {}
                // What an idle connection says is that it ends: none is lost by that.
                Ok(_) | Err(_) => {
                    self.idle.retain(|other| *other != place);
                    self.interval.reconnects += 1;
                    self.connect(place, 0);
                }
            },
            State::Busy(_) => self.converse(place),
        }
    }

    /// Goes on with the request and the answer of a connection.
    fn converse(&mut self, place: usize) {
        loop {
            let Some(slot) = self.slots.get_mut(place) else {
                return;
            };
            if !matches!(slot.state, State::Busy(_)) {
                return;
            }
            if let Err(error) = slot.send() {
                return self.fail(place, connection_failed(&error));
            }
            let more = match slot.receive() {
                Ok(Received::Nothing) => return,
                Ok(Received::End) => {
                    let why = "closed before the answer".to_owned();
                    return self.fail(place, Outcome::Connection(why));
                }
                Ok(Received::Bytes { size, more }) => {
                    self.interval.received += size as u64;
                    more
                }
                Err(error) => return self.fail(place, connection_failed(&error)),
            };
            self.digest(place);
            if !more {
                return;
            }
        }
    }

    /// Looks whether the answer is complete, and if so what it says.
    fn digest(&mut self, place: usize) {
        let now = self.now();
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        let State::Busy(flight) = &slot.state else {
            return;
        };
        let (outcome, closes) = match slot.incoming.answer() {
            Ok(None) => return,
            Err(_) => {
                let why = "no answer of HTTP/1.1".to_owned();
                return self.fail(place, Outcome::Connection(why));
            }
            Ok(Some(answer)) => {
                let outcome = if answer.status != 200 {
                    Some(Outcome::of(answer.status, error_name(&answer.body)))
                } else if flight.draft.batch && is_partial(&answer.body) {
                    Some(Outcome::Partial)
                } else {
                    None
                };
                (outcome, answer.closes)
            }
        };
        let mut flight = flight.clone();
        self.interval.requests += 1;
        self.in_flight -= 1;
        let follows = outcome.is_none() && flight.draft.follows;
        if follows && !closes {
            self.body.clear();
            self.source.follow(&mut flight.draft, &mut self.body);
            flight.sent = now;
            return self.start(place, flight);
        }
        match outcome {
            None if follows => {
                // Its connection has gone; another one takes the second request.
                self.body.clear();
                self.source.follow(&mut flight.draft, &mut self.body);
                let unix = (self.rules.start_unix_ns + now) / 1_000_000_000;
                let mut request = Vec::new();
                self.signer
                    .write(flight.draft.target, &self.body, unix, &mut request);
                self.again.push_back((flight, request));
            }
            None => self.succeeded(&flight, now),
            Some(outcome) => self.missed(place, flight, outcome, now),
        }
        if closes {
            self.interval.reconnects += 1;
            self.connect(place, 0);
        } else if let Some(slot) = self.slots.get_mut(place) {
            slot.state = State::Idle;
            slot.incoming.clear();
            self.idle.push_back(place);
        }
    }

    fn succeeded(&mut self, flight: &Flight, now: u64) {
        self.source.over(&flight.draft);
        let response = now.saturating_sub(flight.intended);
        if flight.intended < self.rules.warm_up_ns {
            self.interval.warm_up.record(response);
        } else if let Some(kind) = self.interval.kinds.get_mut(flight.draft.kind) {
            kind.response.record(response);
            kind.service.record(now.saturating_sub(flight.first_sent));
        }
    }

    /// A request did not go well: it is made again later, or counted.
    fn missed(&mut self, place: usize, mut flight: Flight, outcome: Outcome, now: u64) {
        if flight.tries < self.rules.retries && outcome.is_retryable() {
            let longest = BACKOFF_NS
                .0
                .saturating_mul(1 << flight.tries.min(20))
                .min(BACKOFF_NS.1);
            flight.tries += 1;
            *self.interval.retries.entry(outcome).or_default() += 1;
            let request = self
                .slots
                .get_mut(place)
                .map(|slot| std::mem::take(&mut slot.request));
            self.timers.push(Timed {
                due: now + self.random.below(longest),
                what: Timer::Again(flight, request.unwrap_or_default()),
            });
            return;
        }
        self.failed(&flight, outcome, now);
    }

    fn failed(&mut self, flight: &Flight, outcome: Outcome, now: u64) {
        self.source.over(&flight.draft);
        let response = now.saturating_sub(flight.intended);
        if flight.intended < self.rules.warm_up_ns {
            self.interval.warm_up.record(response);
        } else {
            self.interval.failed.record(response);
            let entry = self.interval.outcomes.entry((flight.draft.kind, outcome));
            *entry.or_default() += 1;
        }
    }

    /// The connection of a request has failed, or is given up.
    fn fail(&mut self, place: usize, outcome: Outcome) {
        let now = self.now();
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        if let State::Busy(flight) = std::mem::take(&mut slot.state) {
            self.in_flight -= 1;
            self.missed(place, flight, outcome, now);
        }
        self.interval.reconnects += 1;
        self.connect(place, 0);
    }

    /// Begins a new connection in a place.
    fn connect(&mut self, place: usize, tries: u32) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        slot.disconnect(&self.poll);
        let interest = Interest::READABLE | Interest::WRITABLE;
        let connected = self.connector.connect(place).and_then(|mut stream| {
            let registry = self.poll.registry();
            registry.register(stream.socket(), Token(place), interest)?;
            Ok(stream)
        });
        match connected {
            Ok(stream) => {
                slot.stream = Some(stream);
                slot.state = State::Connecting { tries };
            }
            Err(_) => self.connect_later(place, tries + 1),
        }
    }

    fn connect_later(&mut self, place: usize, tries: u32) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        slot.disconnect(&self.poll);
        let pause = RECONNECT_NS
            .0
            .saturating_mul(1 << tries.min(10))
            .min(RECONNECT_NS.1);
        self.timers.push(Timed {
            due: self.now() + pause,
            what: Timer::Connect { place, tries },
        });
    }

    /// Counts what is not over when the run ends.
    fn give_up(&mut self) {
        let now = self.now();
        let mut left: Vec<Flight> = Vec::new();
        for slot in &mut self.slots {
            if let State::Busy(flight) = std::mem::take(&mut slot.state) {
                left.push(flight);
            }
        }
        left.extend(self.again.drain(..).map(|(flight, _)| flight));
        for timer in std::mem::take(&mut self.timers) {
            if let Timer::Again(flight, _) = timer.what {
                left.push(flight);
            }
        }
        for flight in left {
            self.failed(&flight, Outcome::Unfinished, now);
        }
        // These were never drawn: what they would have been is not known.
        for intended in std::mem::take(&mut self.waiting) {
            if intended >= self.rules.warm_up_ns {
                self.interval.failed.record(now.saturating_sub(intended));
                *self
                    .interval
                    .outcomes
                    .entry((0, Outcome::Unfinished))
                    .or_default() += 1;
            }
        }
    }

    /// Sends what was seen in a second, and begins another.
    fn hand_over(&mut self, second: u64) {
        let cpu_ns = thread_cpu_ns();
        self.interval.cpu_ns = cpu_ns.saturating_sub(self.cpu_ns);
        self.interval.backlog = (self.waiting.len() + self.again.len()) as u64;
        self.interval.worker = self.number;
        self.cpu_ns = cpu_ns;
        let next = match self.recycled.try_recv() {
            Ok(mut interval) => {
                interval.reset(second);
                interval
            }
            Err(_) => Interval::new(second, self.rules.kinds),
        };
        // Nobody listens any more if the run has failed elsewhere.
        let _ = self
            .results
            .send(std::mem::replace(&mut self.interval, next));
    }
}

fn connection_failed(error: &io::Error) -> Outcome {
    Outcome::Connection(match error.kind() {
        io::ErrorKind::Other => error.to_string(),
        kind => kind.to_string(),
    })
}

/// Processor time of this thread.
fn thread_cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}
