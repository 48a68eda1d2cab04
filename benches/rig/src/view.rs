//! What a run costs the server: the processor time of its process, if the rig has started it, and
//! what it tells of its own work, if it is a Stator.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::breakdown::{Sample, breakdown};
use crate::interval::Interval;
use crate::machine::process_cpu_ns;
use crate::results::ServerView;
use crate::statistics::{Asker, Missing};

/// How often it is asked.
const PERIOD: Duration = Duration::from_secs(1);

/// Watches the server during a run.
pub struct ServerWatch {
    process: Option<(u32, u64)>,
    asking: Option<Asking>,
}

/// A thread that asks for statistics once a second.
struct Asking {
    asker: Asker,
    start: Instant,
    warm_up: Duration,
    samples: Arc<Mutex<Vec<Sample>>>,
    /// Ends the thread when it goes.
    _until: Sender<()>,
}

impl ServerWatch {
    /// Begins with a run. What is not known of the server is left out: its process, what it uses, its
    /// statistics.
    pub fn new(process: Option<u32>, asker: Option<Asker>, warm_up: Duration) -> Self {
        Self {
            process: process.and_then(|process| Some((process, process_cpu_ns(process)?))),
            asking: asker.and_then(|asker| Asking::begin(asker, warm_up)),
        }
    }

    /// What was used and told since, for all that was asked.
    pub fn finish(self, all: &Interval) -> Option<ServerView> {
        let used = self.process.and_then(|(process, before_ns)| {
            let used = process_cpu_ns(process)?.saturating_sub(before_ns);
            Some(used as f64 / 1000.0 / all.requests.max(1) as f64)
        });
        let breakdown = self.asking.and_then(|asking| asking.finish());
        (used.is_some() || breakdown.is_some()).then_some(ServerView {
            cpu_us_per_request: used,
            breakdown,
        })
    }
}

impl Asking {
    fn begin(asker: Asker, warm_up: Duration) -> Option<Self> {
        let start = Instant::now();
        let first = match asker.ask() {
            Ok(statistics) => Sample {
                at: 0.0,
                statistics,
            },
            Err(Missing::Elsewhere) => {
                eprintln!(
                    "this Stator tells its statistics only on its own machine: they are left out"
                );
                return None;
            }
            Err(Missing::Unknown) => return None,
        };
        let samples = Arc::new(Mutex::new(vec![first]));
        let (until, ended) = mpsc::channel::<()>();
        let (theirs, there) = (asker.clone(), Arc::clone(&samples));
        let thread = std::thread::Builder::new().name("rig-statistics".to_owned());
        // The thread is left to itself: it may be waiting for a server that stands still.
        let _ = thread.spawn(move || {
            for moment in moments(warm_up) {
                let left = moment.saturating_sub(start.elapsed());
                match ended.recv_timeout(left) {
                    Err(RecvTimeoutError::Timeout) => {}
                    _ => return,
                }
                if let Ok(statistics) = theirs.ask() {
                    let at = start.elapsed().as_secs_f64();
                    let mut samples = there.lock().unwrap_or_else(PoisonError::into_inner);
                    samples.push(Sample { at, statistics });
                }
            }
        });
        Some(Self {
            asker,
            start,
            warm_up,
            samples,
            _until: until,
        })
    }

    fn finish(self) -> Option<crate::results::Breakdown> {
        let last = self.asker.ask();
        let at = self.start.elapsed().as_secs_f64();
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let mut samples = std::mem::take(&mut *samples);
        // One that came in just now says nothing more.
        if samples.last().is_some_and(|sample| at - sample.at < 0.1) && samples.len() > 2 {
            samples.pop();
        }
        if let Ok(statistics) = last {
            samples.push(Sample { at, statistics });
        }
        breakdown(&samples, self.warm_up.as_secs_f64())
    }
}

/// Once a second, counted from the end of the warm-up.
fn moments(warm_up: Duration) -> impl Iterator<Item = Duration> {
    let first = Duration::from_nanos((warm_up.as_nanos() % PERIOD.as_nanos()) as u64);
    let first = if first.is_zero() { PERIOD } else { first };
    std::iter::successors(Some(first), |moment| moment.checked_add(PERIOD))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_warm_up_is_among_the_moments() {
        for ms in [0, 1, 999, 1000, 1500, 5000] {
            let warm_up = Duration::from_millis(ms);
            let seen: Vec<Duration> = moments(warm_up).take(10).collect();
            assert!(ms == 0 || seen.contains(&warm_up), "{ms}: {seen:?}");
            assert!(seen.windows(2).all(|pair| pair[1] - pair[0] == PERIOD));
            assert!(seen[0] <= PERIOD && !seen[0].is_zero());
        }
    }
}
