//! Which record a request is for: the choosers of YCSB's core workloads, number for number.
//!
//! Sources: `ZipfianGenerator`, `ScrambledZipfianGenerator`, `SkewedLatestGenerator`,
//! `HotspotIntegerGenerator`, `ExponentialGenerator` and `CoreWorkload` of YCSB 0.17; the zipfian
//! one is that of Gray et al., "Quickly Generating Billion-Record Synthetic Databases" (1994).

use crate::random::Random;

/// The skew of YCSB's zipfian distributions.
pub const ZIPFIAN_CONSTANT: f64 = 0.99;

/// Over how many ranks the scrambled zipfian distribution is, whatever the number of records: so
/// the popular ones stay popular when records are added.
const SCRAMBLED_RANKS: u64 = 10_000_000_000;

/// How requests are spread over the records.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// All are equally likely.
    Uniform,
    /// Some are far more likely; which ones has nothing to do with their order.
    Zipfian(f64),
    /// The newer, the likelier.
    Latest,
    /// A share of the records gets a share of the requests.
    Hotspot {
        /// Share of the records that are hot.
        records: f64,
        /// Share of the requests that go to them.
        requests: f64,
    },
    /// One after the other, from the first again after the last.
    Sequential,
    /// The newer, the likelier, and falling off exponentially.
    Exponential,
}

impl Distribution {
    /// What `text` means: `uniform`, `zipfian`, `zipfian:0.9`, `latest`, `hotspot`,
    /// `hotspot:0.2,0.8`, `sequential`, `exponential`.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name, Some(argument)),
            None => (text, None),
        };
        let share = |text: &str| {
            let share: Option<f64> = text.parse().ok();
            share
                .filter(|share| (0.0..=1.0).contains(share))
                .ok_or_else(|| format!("{text} is not a share between 0 and 1"))
        };
        match (name, argument) {
            ("uniform", None) => Ok(Self::Uniform),
            ("latest", None) => Ok(Self::Latest),
            ("sequential", None) => Ok(Self::Sequential),
            ("exponential", None) => Ok(Self::Exponential),
            ("zipfian", None) => Ok(Self::Zipfian(ZIPFIAN_CONSTANT)),
            ("zipfian", Some(theta)) => match theta.parse() {
                Ok(theta) if theta > 0.0 && theta < 1.0 => Ok(Self::Zipfian(theta)),
                _ => Err("the skew of a zipfian distribution is above 0 and below 1".to_owned()),
            },
            ("hotspot", None) => Ok(Self::Hotspot {
                records: 0.2,
                requests: 0.8,
            }),
            ("hotspot", Some(shares)) => match shares.split_once(',') {
                Some((records, requests)) => Ok(Self::Hotspot {
                    records: share(records)?,
                    requests: share(requests)?,
                }),
                None => Err("write hotspot:RECORDS,REQUESTS, as in hotspot:0.2,0.8".to_owned()),
            },
            _ => Err(
                "write uniform, zipfian, zipfian:THETA, latest, hotspot, hotspot:RECORDS,REQUESTS, \
                 sequential or exponential"
                    .to_owned(),
            ),
        }
    }
}

/// Ranks from 0 on, the first the most likely. The number of ranks may grow.
#[derive(Clone, Debug)]
pub struct Zipfian {
    theta: f64,
    alpha: f64,
    zeta_two: f64,
    items: u64,
    zeta: f64,
    eta: f64,
}

impl Zipfian {
    /// Over `items` ranks.
    pub fn new(items: u64, theta: f64) -> Self {
        let zeta_two = 1.0 + 0.5f64.powf(theta);
        let mut zipfian = Self {
            theta,
            alpha: 1.0 / (1.0 - theta),
            zeta_two,
            items: 0,
            zeta: 0.0,
            eta: 0.0,
        };
        zipfian.resize(items.max(1));
        zipfian
    }

    fn resize(&mut self, items: u64) {
        // What is added at the end is added up one by one if it is little, as YCSB does.
        let few = items > self.items && items - self.items <= 1000 && self.items > 0;
        self.zeta = if few {
            let added = (self.items + 1..=items).map(|rank| (rank as f64).powf(-self.theta));
            self.zeta + added.sum::<f64>()
        } else {
            zeta(items, self.theta)
        };
        self.items = items;
        self.eta =
            (1.0 - (2.0 / items as f64).powf(1.0 - self.theta)) / (1.0 - self.zeta_two / self.zeta);
    }

    /// A rank below `items`, which may differ from the last time.
    pub fn rank(&mut self, random: &mut Random, items: u64) -> u64 {
        if items != self.items {
            self.resize(items.max(1));
        }
        let fraction = random.fraction();
        let scaled = fraction * self.zeta;
        let rank = if scaled < 1.0 {
            0
        } else if scaled < self.zeta_two {
            1
        } else {
            let share = (self.eta * fraction - self.eta + 1.0).powf(self.alpha);
            (self.items as f64 * share) as u64
        };
        rank.min(self.items - 1)
    }
}

/// The sum of 1 / rank^theta over the first `items` ranks: added up for the first 100,000, and for
/// the rest by the formula of Euler and Maclaurin, whose error is far below that of adding up.
fn zeta(items: u64, theta: f64) -> f64 {
    const ADDED: u64 = 100_000;
    let head: f64 = (1..=items.min(ADDED))
        .map(|rank| (rank as f64).powf(-theta))
        .sum();
    if items <= ADDED {
        return head;
    }
    let (from, to) = (ADDED as f64, items as f64);
    let integral = (to.powf(1.0 - theta) - from.powf(1.0 - theta)) / (1.0 - theta);
    let ends = (to.powf(-theta) - from.powf(-theta)) / 2.0;
    let slopes = theta * (from.powf(-theta - 1.0) - to.powf(-theta - 1.0)) / 12.0;
    head + integral + ends + slopes
}

/// YCSB's hash of a record's number (`Utils.fnvhash64`): spreads ranks over the records, and gives
/// keys that are in no order.
pub fn hash(number: u64) -> u64 {
    const BASIS: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 1_099_511_628_211;
    let hashed = number.to_le_bytes().iter().fold(BASIS, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(PRIME)
    });
    // Java's Math.abs.
    hashed.cast_signed().unsigned_abs()
}

/// Chooses records for one worker.
#[derive(Clone, Debug)]
pub struct Chooser {
    kind: Kind,
    /// Records that were there at the start.
    loaded: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    Uniform,
    Scrambled { ranks: Zipfian, records: u64 },
    Latest(Zipfian),
    Hotspot { hot: u64, requests: f64 },
    Sequential { next: u64 },
    Exponential { gamma: f64 },
}

impl Chooser {
    /// Over `loaded` records, to which about `expected` will be added.
    pub fn new(distribution: Distribution, loaded: u64, expected: u64) -> Self {
        let loaded = loaded.max(1);
        let kind = match distribution {
            Distribution::Uniform => Kind::Uniform,
            Distribution::Zipfian(theta) => Kind::Scrambled {
                ranks: Zipfian::new(SCRAMBLED_RANKS, theta),
                records: loaded + expected,
            },
            Distribution::Latest => Kind::Latest(Zipfian::new(loaded, ZIPFIAN_CONSTANT)),
            Distribution::Hotspot { records, requests } => Kind::Hotspot {
                hot: ((loaded as f64 * records) as u64).clamp(1, loaded),
                requests,
            },
            Distribution::Sequential => Kind::Sequential { next: 0 },
            Distribution::Exponential => Kind::Exponential {
                // 95 % of the requests go to the newest 6/7 of the records, as in YCSB.
                gamma: -(0.05f64).ln() / (loaded as f64 * 0.857_142_857_1),
            },
        };
        Self { kind, loaded }
    }

    /// The number of a record, where `present` are there now: the first `present` numbers.
    pub fn record(&mut self, random: &mut Random, present: u64) -> u64 {
        let last = present.saturating_sub(1);
        match &mut self.kind {
            Kind::Uniform => random.below(self.loaded).min(last),
            Kind::Scrambled { ranks, records } => loop {
                let record = hash(ranks.rank(random, SCRAMBLED_RANKS)) % *records;
                // Numbers that no record has yet are drawn again, so that it stays the same record
                // that is popular.
                if record <= last {
                    return record;
                }
            },
            Kind::Latest(ages) => last - ages.rank(random, present.max(1)).min(last),
            Kind::Hotspot { hot, requests } => {
                let record = if random.fraction() < *requests || *hot == self.loaded {
                    random.below(*hot)
                } else {
                    *hot + random.below(self.loaded - *hot)
                };
                record.min(last)
            }
            Kind::Sequential { next } => {
                let record = *next % self.loaded;
                *next = record + 1;
                record.min(last)
            }
            Kind::Exponential { gamma } => loop {
                let age = (random.exponential() / *gamma) as u64;
                if age <= last {
                    return last - age;
                }
            },
        }
    }

    /// Begins somewhere else than the other workers, where the order is fixed.
    pub fn begin_at(&mut self, record: u64) {
        if let Kind::Sequential { next } = &mut self.kind {
            *next = record;
        }
    }
}

#[cfg(test)]
mod tests;
