//! What one worker has seen in one second.

use std::collections::BTreeMap;

use crate::histogram::Times;

/// How a job ended other than well, or what happened to it on the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// An error that the endpoint named.
    Error(String),
    /// An error by which the endpoint asks to slow down.
    Throttled(String),
    /// A batch of which a part was not done.
    Partial,
    /// The connection failed.
    Connection(String),
    /// There was no answer in time.
    TimedOut,
    /// The run ended before it was sent, or before the answer.
    Unfinished,
}

impl Outcome {
    /// The outcome of an answer that is not 200.
    pub fn of(status: u16, name: Option<String>) -> Self {
        let name = name.unwrap_or_else(|| format!("HTTP {status}"));
        let throttled = [
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "RequestLimitExceeded",
            "LimitExceededException",
        ];
        if throttled.contains(&name.as_str()) || status == 429 {
            Self::Throttled(name)
        } else {
            Self::Error(name)
        }
    }

    /// Whether the SDKs would try again.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Throttled(_) | Self::Partial | Self::Connection(_) | Self::TimedOut => true,
            Self::Error(name) => {
                matches!(
                    name.as_str(),
                    "InternalServerError"
                        | "InternalFailure"
                        | "ServiceUnavailable"
                        | "ServiceUnavailableException"
                        | "TransactionInProgressException"
                        | "ReplicatedWriteConflictException"
                ) || name.starts_with("HTTP 5")
            }
            Self::Unfinished => false,
        }
    }

    /// What kind of outcome it is, in one word.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Error(_) => "error",
            Self::Throttled(_) => "throttled",
            Self::Partial => "partial",
            Self::Connection(_) => "connection",
            Self::TimedOut => "timeout",
            Self::Unfinished => "unfinished",
        }
    }

    /// Which one of its class.
    pub fn name(&self) -> &str {
        match self {
            Self::Error(name) | Self::Throttled(name) | Self::Connection(name) => name,
            Self::Partial => "part of a batch was not done",
            Self::TimedOut => "no answer in time",
            Self::Unfinished => "not answered when the run ended",
        }
    }
}

/// What was seen of the jobs of one name.
#[derive(Clone, Debug, Default)]
pub struct KindTimes {
    /// From the intended start to the end of the answer, of those that went well.
    pub response: Times,
    /// From sending to the end of the answer: what a rig that omits waiting would report.
    pub service: Times,
}

/// What one worker has seen in one second.
#[derive(Clone, Debug, Default)]
pub struct Interval {
    /// Whose it is.
    pub worker: usize,
    /// The second, counted from the start of the run.
    pub second: u64,
    /// By the names of the run's jobs, those of the time that is measured.
    pub kinds: Vec<KindTimes>,
    /// From the intended start to the end of jobs that did not go well.
    pub failed: Times,
    /// From the intended start, of jobs of the warm-up.
    pub warm_up: Times,
    /// How jobs ended that did not go well, by the places of their names.
    pub outcomes: BTreeMap<(usize, Outcome), u64>,
    /// Requests that were made again, by why.
    pub retries: BTreeMap<Outcome, u64>,
    /// Connections that were made again.
    pub reconnects: u64,
    /// How much later than intended the rig itself took notice of a start.
    pub lag: Times,
    /// How long the rig was busy between two looks at its sockets.
    pub busy: Times,
    /// Jobs that wait for a connection at the end of the second.
    pub backlog: u64,
    /// Processor time of the worker, in nanoseconds.
    pub cpu_ns: u64,
    /// Requests answered, warm-up and retries included.
    pub requests: u64,
    /// Bytes of the answers.
    pub received: u64,
}

impl Interval {
    /// An empty one.
    pub fn new(second: u64, kinds: usize) -> Self {
        Self {
            second,
            kinds: vec![KindTimes::default(); kinds],
            ..Self::default()
        }
    }

    /// Adds another's, of any second.
    pub fn add(&mut self, other: &Self) {
        for (ours, theirs) in self.kinds.iter_mut().zip(&other.kinds) {
            ours.response.add(&theirs.response);
            ours.service.add(&theirs.service);
        }
        self.failed.add(&other.failed);
        self.warm_up.add(&other.warm_up);
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(outcome.clone()).or_default() += count;
        }
        for (outcome, count) in &other.retries {
            *self.retries.entry(outcome.clone()).or_default() += count;
        }
        self.reconnects += other.reconnects;
        self.lag.add(&other.lag);
        self.busy.add(&other.busy);
        self.backlog += other.backlog;
        self.cpu_ns += other.cpu_ns;
        self.requests += other.requests;
        self.received += other.received;
    }

    /// Makes it an empty one of another second; the memory stays.
    pub fn reset(&mut self, second: u64) {
        self.second = second;
        for kind in &mut self.kinds {
            kind.response.clear();
            kind.service.clear();
        }
        for times in [
            &mut self.failed,
            &mut self.warm_up,
            &mut self.lag,
            &mut self.busy,
        ] {
            times.clear();
        }
        self.outcomes.clear();
        self.retries.clear();
        self.reconnects = 0;
        self.backlog = 0;
        self.cpu_ns = 0;
        self.requests = 0;
        self.received = 0;
    }

    /// Response times of all that went well.
    pub fn response(&self) -> Times {
        let mut all = Times::default();
        for kind in &self.kinds {
            all.add(&kind.response);
        }
        all
    }

    /// Service times of all that went well.
    pub fn service(&self) -> Times {
        let mut all = Times::default();
        for kind in &self.kinds {
            all.add(&kind.service);
        }
        all
    }

    /// Jobs that did not go well.
    pub fn failures(&self) -> u64 {
        self.outcomes.values().sum()
    }
}
