//! When jobs are meant to start.

use std::collections::VecDeque;

use crate::random::Random;

/// How the starts of an open loop are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Independent of one another, as those of many users are.
    Poisson,
    /// Evenly.
    Constant,
}

/// The starts of one worker, in nanoseconds since the start of the run.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// By a rate.
    Paced(Box<Paced>),
    /// At times that are known, in their order.
    Listed(VecDeque<u64>),
}

/// Starts by a rate.
#[derive(Clone, Debug)]
pub struct Paced {
    arrivals: Arrivals,
    gap_ns: f64,
    next_ns: f64,
    random: Random,
}

impl Schedule {
    /// Of worker number `worker` of `workers`, which together start `rate` jobs a second.
    pub fn new(arrivals: Arrivals, rate: f64, seed: u64, worker: u64, workers: u64) -> Self {
        let workers = workers.max(1) as f64;
        let gap_ns = 1e9 * workers / rate.max(1e-6);
        let mut paced = Paced {
            arrivals,
            gap_ns,
            // Evenly also among the workers.
            next_ns: gap_ns * (worker as f64 / workers),
            random: Random::new(seed, worker + (2 << 32)),
        };
        if arrivals == Arrivals::Poisson {
            // Many Poisson processes make one: each begins by itself.
            paced.next_ns = paced.random.exponential() * gap_ns;
        }
        Self::Paced(Box::new(paced))
    }

    /// When the next job is meant to start; never, if there is none.
    pub fn next(&self) -> u64 {
        match self {
            Self::Paced(paced) => paced.next_ns as u64,
            Self::Listed(starts) => starts.front().copied().unwrap_or(u64::MAX),
        }
    }

    /// Goes on to the one after it.
    pub fn advance(&mut self) {
        match self {
            Self::Paced(paced) => {
                paced.next_ns += match paced.arrivals {
                    Arrivals::Poisson => paced.random.exponential() * paced.gap_ns,
                    Arrivals::Constant => paced.gap_ns,
                }
            }
            Self::Listed(starts) => {
                starts.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(arrivals: Arrivals, workers: u64) -> Vec<u64> {
        let mut starts = Vec::new();
        for worker in 0..workers {
            let mut schedule = Schedule::new(arrivals, 10_000.0, 4, worker, workers);
            while schedule.next() < 10_000_000_000 {
                starts.push(schedule.next());
                schedule.advance();
            }
        }
        starts.sort_unstable();
        starts
    }

    #[test]
    fn constant_arrivals_are_even_also_over_workers() {
        for workers in [1, 3] {
            let starts = starts(Arrivals::Constant, workers);
            assert!(
                (99_999..=100_002).contains(&starts.len()),
                "{}",
                starts.len()
            );
            let gaps = starts.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(
                gaps.into_iter()
                    .all(|gap| (99_990..=100_010).contains(&gap))
            );
        }
    }

    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread() {
        for workers in [1, 3] {
            let starts = starts(Arrivals::Poisson, workers);
            let count = starts.len() as f64;
            // Five standard deviations.
            assert!((count - 100_000.0).abs() < 1600.0, "{count}");
            let above = starts
                .windows(2)
                .filter(|pair| pair[1] - pair[0] > 200_000)
                .count();
            assert!((above as f64 / count - (-2.0f64).exp()).abs() < 0.01);
        }
    }
}
