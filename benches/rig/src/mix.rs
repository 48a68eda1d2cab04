//! Which operations there are, and in which shares.

use crate::random::Random;

/// What one job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Job {
    /// GetItem of a record that is there.
    Get,
    /// PutItem over a record that is there.
    Put,
    /// PutItem of a new record.
    Insert,
    /// UpdateItem of one field, or of all.
    Update,
    /// GetItem, and then UpdateItem of the same record: latency is that of both.
    ReadModifyWrite,
    /// DeleteItem.
    Delete,
    /// Query from a record on.
    Query,
    /// Scan from a record on.
    Scan,
    /// BatchGetItem.
    BatchGet,
    /// BatchWriteItem of puts.
    BatchWrite,
    /// TransactGetItems.
    TransactGet,
    /// TransactWriteItems of updates.
    TransactWrite,
    /// ExecuteStatement of a SELECT by key.
    Statement,
    /// BatchExecuteStatement of the same.
    BatchStatement,
    /// ExecuteTransaction of the same.
    TransactStatement,
    /// BatchWriteItem of the next records, before the run.
    Load,
}

impl Job {
    /// All that a mix may name, with the operation of DynamoDB that each begins with.
    pub const ALL: [(Self, &'static str, &'static str); 16] = [
        (Self::Get, "get", "GetItem"),
        (Self::Put, "put", "PutItem"),
        (Self::Insert, "insert", "PutItem"),
        (Self::Update, "update", "UpdateItem"),
        (Self::ReadModifyWrite, "read-modify-write", "GetItem"),
        (Self::Delete, "delete", "DeleteItem"),
        (Self::Query, "query", "Query"),
        (Self::Scan, "scan", "Scan"),
        (Self::BatchGet, "batch-get", "BatchGetItem"),
        (Self::BatchWrite, "batch-write", "BatchWriteItem"),
        (Self::TransactGet, "transact-get", "TransactGetItems"),
        (Self::TransactWrite, "transact-write", "TransactWriteItems"),
        (Self::Statement, "statement", "ExecuteStatement"),
        (
            Self::BatchStatement,
            "batch-statement",
            "BatchExecuteStatement",
        ),
        (
            Self::TransactStatement,
            "transact-statement",
            "ExecuteTransaction",
        ),
        (Self::Load, "load", "BatchWriteItem"),
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(job, _, _)| *job == self)
            .map_or("", |(_, name, _)| name)
    }

    /// The operation of DynamoDB that it begins with.
    pub fn operation(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(job, _, _)| *job == self)
            .map_or("", |(_, _, operation)| operation)
    }

    /// The operations that a job of this name asks for, one after the other. A name that is no job's is
    /// an operation's own, as in what was recorded.
    pub fn requests(name: &str) -> Vec<&str> {
        match Self::ALL.iter().find(|(_, known, _)| *known == name) {
            Some((Self::ReadModifyWrite, _, first)) => vec![first, "UpdateItem"],
            Some((_, _, operation)) => vec![operation],
            None => vec![name],
        }
    }

    /// Whether its answer may say that a part of it was not done.
    pub fn is_batch(self) -> bool {
        matches!(self, Self::BatchGet | Self::BatchWrite | Self::Load)
    }

    /// Whether it reads neighbours in key order.
    pub fn needs_sort_key(self) -> bool {
        self == Self::Query
    }

    /// Whether it adds records.
    pub fn inserts(self) -> bool {
        self == Self::Insert
    }
}

/// Jobs with their weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    parts: Vec<(Job, f64)>,
    whole: f64,
}

impl Mix {
    /// Those with a weight above 0, or nothing if there are none.
    pub fn new(parts: impl IntoIterator<Item = (Job, f64)>) -> Option<Self> {
        let parts: Vec<_> = parts
            .into_iter()
            .filter(|(_, weight)| *weight > 0.0)
            .collect();
        let whole: f64 = parts.iter().map(|(_, weight)| weight).sum();
        (whole > 0.0 && whole.is_finite()).then_some(Self { parts, whole })
    }

    /// Nothing but one job.
    pub fn only(job: Job) -> Self {
        Self {
            parts: vec![(job, 1.0)],
            whole: 1.0,
        }
    }

    /// What `text` means: `get=60,put=25,update=10,query=5`. The weights may have any sum.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for part in text.split(',') {
            let (name, weight) = part
                .split_once('=')
                .ok_or_else(|| format!("write '{part}' as NAME=WEIGHT, as in get=60,put=40"))?;
            let wanted = name.trim().replace('_', "-");
            let job = Job::ALL
                .iter()
                .find(|(job, name, _)| *name == wanted && *job != Job::Load)
                .map(|(job, _, _)| *job);
            let Some(job) = job else {
                let known: Vec<&str> = Job::ALL
                    .iter()
                    .filter(|(job, _, _)| *job != Job::Load)
                    .map(|(_, name, _)| *name)
                    .collect();
                return Err(format!(
                    "there is no '{name}'; there are {}",
                    known.join(", ")
                ));
            };
            if parts.iter().any(|(other, _)| *other == job) {
                return Err(format!("'{name}' stands there twice"));
            }
            let weight = weight
                .trim()
                .parse()
                .ok()
                .filter(|weight: &f64| *weight >= 0.0 && weight.is_finite())
                .ok_or_else(|| format!("'{weight}' is no weight"))?;
            parts.push((job, weight));
        }
        Self::new(parts).ok_or_else(|| "some weight has to be above 0".to_owned())
    }

    /// The jobs, each with its share of the whole.
    pub fn shares(&self) -> impl Iterator<Item = (Job, f64)> {
        self.parts
            .iter()
            .map(|(job, weight)| (*job, weight / self.whole))
    }

    /// The share of one job.
    pub fn share(&self, job: Job) -> f64 {
        self.shares()
            .find(|(other, _)| *other == job)
            .map_or(0.0, |(_, share)| share)
    }

    /// Which job is next, by its place in [`Mix::shares`].
    pub fn draw(&self, random: &mut Random) -> (usize, Job) {
        let mut left = random.fraction() * self.whole;
        for (place, (job, weight)) in self.parts.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return (place, *job);
            }
        }
        let last = self.parts.len().saturating_sub(1);
        (last, self.parts.get(last).map_or(Job::Get, |(job, _)| *job))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_drawn_as_given() {
        let mix = Mix::parse("get=60,put=25,update=10,batch_get=5").unwrap();
        let mut random = Random::new(1, 0);
        let mut counts = [0u32; 4];
        for _ in 0..100_000 {
            counts[mix.draw(&mut random).0] += 1;
        }
        for (count, share) in counts.iter().zip([0.6, 0.25, 0.1, 0.05]) {
            assert!(
                (f64::from(*count) / 100_000.0 - share).abs() < 0.006,
                "{counts:?}"
            );
        }
        assert_eq!(mix.share(Job::BatchGet), 0.05);
    }

    #[test]
    fn what_is_no_mix_is_refused() {
        for text in [
            "",
            "get",
            "get=x",
            "get=0",
            "fetch=1",
            "get=1,get=2",
            "load=1",
            "get=-1",
        ] {
            assert!(Mix::parse(text).is_err(), "{text}");
        }
    }
}
