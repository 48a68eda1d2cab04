//! Where a worker's requests come from: a workload, the load before it, or a recording.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::body::Bodies;
use crate::distribution::Chooser;
use crate::mix::Job;
use crate::random::Random;
use crate::records::Records;
use crate::workload::Workload;

/// One job, as it was drawn: its first request stands in the buffer that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Under which name it is counted: a place in the names of the run.
    pub kind: usize,
    /// Which operation its request is: a place in the targets of the run.
    pub target: usize,
    /// Whether its answer may say that a part was not done.
    pub batch: bool,
    /// Whether another request follows.
    pub follows: bool,
    /// Whether `record` is one that is being inserted.
    pub inserts: bool,
    /// The record that it is for.
    pub record: u64,
}

/// Where a worker's requests come from.
pub trait Source: Send {
    /// Draws a job and appends its first request's body to `body`; nothing when there are no more.
    fn draft(&mut self, body: &mut Vec<u8>) -> Option<Draft>;

    /// Appends the body of the request that follows, and makes `draft` say which that is.
    fn follow(&mut self, draft: &mut Draft, body: &mut Vec<u8>);

    /// A job is over, well or not.
    fn over(&mut self, draft: &Draft);
}

/// The operations that a workload uses, in the order of their places.
pub const OPERATIONS: [&str; 13] = [
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactGetItems",
    "TransactWriteItems",
    "ExecuteStatement",
    "BatchExecuteStatement",
    "ExecuteTransaction",
];

const UPDATE: usize = 2;

/// What stands before an operation's name in `X-Amz-Target`.
pub const TARGET_PREFIX: &str = "DynamoDB_20120810.";

fn place(operation: &str) -> usize {
    OPERATIONS
        .iter()
        .position(|other| *other == operation)
        .unwrap_or_default()
}

/// So many jobs are left, for all workers together.
#[derive(Debug)]
pub struct Budget(AtomicU64);

impl Budget {
    /// `jobs` of them; nothing is no bound.
    pub fn new(jobs: Option<u64>) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(jobs.unwrap_or(u64::MAX))))
    }

    /// Takes one, if there is one.
    pub fn take(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .is_ok()
    }
}

/// Draws the jobs of a workload.
pub struct Generator {
    workload: Workload,
    bodies: Bodies,
    /// Job and place of its operation, by their places in the mix.
    jobs: Vec<(Job, usize)>,
    chooser: Chooser,
    records: Arc<Records>,
    random: Random,
    budget: Arc<Budget>,
    chosen: Vec<u64>,
}

impl Generator {
    /// One worker's generator.
    pub fn new(
        workload: Workload,
        records: Arc<Records>,
        budget: Arc<Budget>,
        seed: u64,
        worker: u64,
        workers: u64,
    ) -> Self {
        let expected = workload.expected_inserts();
        let loaded = workload.records;
        let mut chooser = Chooser::new(workload.distribution, loaded, expected);
        chooser.begin_at(loaded / workers.max(1) * worker);
        let jobs = workload.mix.shares();
        Self {
            bodies: Bodies::new(workload.clone()),
            jobs: jobs.map(|(job, _)| (job, place(job.operation()))).collect(),
            chooser,
            records,
            random: Random::new(seed, worker),
            budget,
            chosen: Vec::new(),
            workload,
        }
    }

    /// The names under which the jobs are counted.
    pub fn kinds(workload: &Workload) -> Vec<String> {
        let shares = workload.mix.shares();
        shares.map(|(job, _)| job.name().to_owned()).collect()
    }

    fn choose(&mut self) -> u64 {
        self.chooser
            .record(&mut self.random, self.records.present())
    }

    /// Chooses up to `count` different records: fewer if the same ones come again and again.
    fn choose_many(&mut self, count: usize) {
        self.chosen.clear();
        for _ in 0..count.saturating_mul(20) {
            let record = self.choose();
            if !self.chosen.contains(&record) {
                self.chosen.push(record);
            }
            if self.chosen.len() >= count {
                break;
            }
        }
    }
}

impl Source for Generator {
    fn draft(&mut self, body: &mut Vec<u8>) -> Option<Draft> {
        if !self.budget.take() {
            return None;
        }
        let (kind, job) = self.workload.mix.draw(&mut self.random);
        let record = match job {
            Job::Insert => self.records.claim(),
            Job::BatchGet | Job::BatchWrite | Job::BatchStatement | Job::Load => {
                self.choose_many(self.workload.batch);
                0
            }
            Job::TransactGet | Job::TransactWrite | Job::TransactStatement => {
                self.choose_many(self.workload.transaction);
                0
            }
            _ => self.choose(),
        };
        let random = &mut self.random;
        match job {
            Job::Get | Job::ReadModifyWrite => self.bodies.get(random, record, body),
            Job::Put | Job::Insert => self.bodies.put(random, record, body),
            Job::Update => self.bodies.update(random, record, body),
            Job::Delete => self.bodies.delete(record, body),
            Job::Query => self.bodies.query(random, record, body),
            Job::Scan => self.bodies.scan(random, record, body),
            Job::BatchGet => self.bodies.batch_get(random, &self.chosen, body),
            Job::BatchWrite | Job::Load => self.bodies.batch_write(random, &self.chosen, body),
            Job::TransactGet => self.bodies.transact_get(random, &self.chosen, body),
            Job::TransactWrite => self.bodies.transact_write(random, &self.chosen, body),
            Job::Statement => self.bodies.statement(record, body),
            Job::BatchStatement => self.bodies.batch_statement(&self.chosen, body),
            Job::TransactStatement => self.bodies.transact_statement(&self.chosen, body),
        }
        Some(Draft {
            kind,
            target: self.jobs.get(kind).map_or(0, |(_, target)| *target),
            batch: job.is_batch(),
            follows: job == Job::ReadModifyWrite,
            inserts: job.inserts(),
            record,
        })
    }

    fn follow(&mut self, draft: &mut Draft, body: &mut Vec<u8>) {
        draft.follows = false;
        draft.target = UPDATE;
        self.bodies.update(&mut self.random, draft.record, body);
    }

    fn over(&mut self, draft: &Draft) {
        if draft.inserts {
            self.records.acknowledge(draft.record);
        }
    }
}

/// Puts the records that a workload starts with, 25 at a time, one after the other.
pub struct Loader {
    bodies: Bodies,
    next: Arc<AtomicU64>,
    records: u64,
    random: Random,
    chosen: Vec<u64>,
}

impl Loader {
    /// What BatchWriteItem takes at most; of 400 KB each they are below its 16 MB.
    const BATCH: u64 = 25;

    /// One worker's loader; `next` is shared by all.
    pub fn new(workload: Workload, next: Arc<AtomicU64>, seed: u64, worker: u64) -> Self {
        Self {
            records: workload.records,
            bodies: Bodies::new(workload),
            next,
            // Other streams than those of the run itself.
            random: Random::new(seed, worker + (1 << 32)),
            chosen: Vec::new(),
        }
    }
}

impl Source for Loader {
    fn draft(&mut self, body: &mut Vec<u8>) -> Option<Draft> {
        let first = self.next.fetch_add(Self::BATCH, Ordering::Relaxed);
        if first >= self.records {
            return None;
        }
        self.chosen.clear();
        self.chosen
            .extend(first..(first + Self::BATCH).min(self.records));
        self.bodies
            .batch_write(&mut self.random, &self.chosen, body);
        Some(Draft {
            kind: 0,
            target: place("BatchWriteItem"),
            batch: true,
            follows: false,
            inserts: false,
            record: first,
        })
    }

    fn follow(&mut self, _: &mut Draft, _: &mut Vec<u8>) {}

    fn over(&mut self, _: &Draft) {}
}

#[cfg(test)]
mod tests;
