//! Requests by operation: how many, how they were answered, and how long they were in which stage.

use std::{
    array,
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use thread_local::ThreadLocal;

use crate::{
    stopwatch::{STAGES, Spent},
    store::{Latencies, LatencyRecorder},
    wire::Operation,
};

/// How a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// With what was asked for.
    Well,
    /// With an error that is the client's (status 4xx).
    Refused,
    /// With an error that is the server's (status 5xx).
    Failed,
}

impl Answered {
    /// By the status of an answer.
    pub fn with_status(status: u16) -> Self {
        match status {
            500.. => Self::Failed,
            400.. => Self::Refused,
            _ => Self::Well,
        }
    }
}

/// Classes of total times: two for each power of two of nanoseconds, up to 2^36 of them.
const CLASSES: usize = 72;

fn class(total_ns: u64) -> usize {
    let bits = u64::BITS - total_ns.leading_zeros();
    let Some(shift) = bits.checked_sub(2) else {
        return 0;
    };
    // The highest bit and the one behind it.
    let half = (total_ns >> shift) & 1;
    (2 * bits as usize + half as usize - 1).min(CLASSES - 1)
}

/// The largest total time of a class, in nanoseconds.
fn largest(class: usize) -> u64 {
    let (bits, half) = (class.div_ceil(2) as u32, class.is_multiple_of(2));
    let next = 1_u64 << bits.min(62);
    match half {
        true => next - 1,
        false => next - next / 4 - 1,
    }
}

/// What one thread has counted of one operation.
struct Recorder {
    refused: AtomicU64,
    failed: AtomicU64,
    total: LatencyRecorder,
    stages: [LatencyRecorder; STAGES],
    /// By class of the total time: how many, and what they spent in each stage.
    classes: Box<[Class]>,
}

#[derive(Default)]
struct Class {
    count: AtomicU64,
    spent: [AtomicU64; STAGES],
}

/// Adds where only one thread does.
fn add(to: &AtomicU64, value: u64) {
    to.store(to.load(Ordering::Relaxed) + value, Ordering::Relaxed);
}

impl Recorder {
    fn new() -> Box<Self> {
        Box::new(Self {
            refused: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            total: LatencyRecorder::default(),
            stages: array::from_fn(|_| LatencyRecorder::default()),
            classes: (0..CLASSES).map(|_| Class::default()).collect(),
        })
    }

    fn record(&self, spent: &Spent, answered: Answered) {
        let total_ns = spent.iter().sum();
        self.total.record_alone(total_ns);
        let class = self.classes.get(class(total_ns));
        if let Some(class) = class {
            add(&class.count, 1);
        }
        for (place, (recorder, ns)) in self.stages.iter().zip(spent).enumerate() {
            if *ns == 0 {
                continue;
            }
            recorder.record_alone(*ns);
            if let Some(sum) = class.and_then(|class| class.spent.get(place)) {
                add(sum, *ns);
            }
        }
        match answered {
            Answered::Well => {}
            Answered::Refused => add(&self.refused, 1),
            Answered::Failed => add(&self.failed, 1),
        }
    }
}

/// What one thread has counted, by operation. The memory of an operation, some 60 KiB, comes with its
/// first request.
struct Thread {
    operations: Box<[OnceLock<Box<Recorder>>]>,
}

/// What all threads have counted.
#[derive(Default)]
pub struct RequestTimes {
    threads: ThreadLocal<Thread>,
}

impl RequestTimes {
    /// Counts a request that was answered.
    pub fn record(&self, operation: Operation, spent: &Spent, answered: Answered) {
        let thread = self.threads.get_or(|| Thread {
            operations: Operation::ALL.iter().map(|_| OnceLock::new()).collect(),
        });
        if let Some(place) = thread.operations.get(operation as usize) {
            place.get_or_init(Recorder::new).record(spent, answered);
        }
    }

    /// What was counted of each operation that was asked for. Requests that are counted meanwhile may
    /// be in one figure and not in the other.
    pub(super) fn read(&self) -> BTreeMap<&'static str, OperationTimes> {
        let mut all: BTreeMap<&'static str, OperationTimes> = BTreeMap::new();
        for thread in &self.threads {
            for (operation, place) in Operation::ALL.iter().zip(&thread.operations) {
                if let Some(recorder) = place.get() {
                    all.entry(operation.name()).or_default().add(recorder);
                }
            }
        }
        all
    }
}

/// What was counted of one operation.
#[derive(Default)]
pub(super) struct OperationTimes {
    pub(super) refused: u64,
    pub(super) failed: u64,
    pub(super) total: Latencies,
    pub(super) stages: [Latencies; STAGES],
    /// Largest total time of a class that is not empty, how many there are, and what they spent.
    pub(super) classes: BTreeMap<u64, (u64, Spent)>,
}

impl OperationTimes {
    fn add(&mut self, recorder: &Recorder) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.refused += read(&recorder.refused);
        self.failed += read(&recorder.failed);
        self.total.add(&recorder.total.read());
        for (ours, theirs) in self.stages.iter_mut().zip(&recorder.stages) {
            ours.add(&theirs.read());
        }
        for (place, class) in recorder.classes.iter().enumerate() {
            let count = read(&class.count);
            if count == 0 {
                continue;
            }
            let (all, spent) = self.classes.entry(largest(place)).or_default();
            *all += count;
            for (ours, theirs) in spent.iter_mut().zip(&class.spent) {
                *ours += read(theirs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use super::*;
    use crate::stopwatch::Stage;

    #[test]
    fn classes_are_half_a_power_of_two() {
        // Below 4 ns, where nothing is, they are one nanosecond.
        for place in 5..CLASSES {
            let (from, to) = (largest(place - 1) + 1, largest(place));
            assert!(to >= from && to < 2 * from, "{place}: {from} to {to}");
            assert_eq!((class(from), class(to)), (place, place));
        }
        assert_eq!(class(0), 0);
        assert_eq!(class(u64::MAX), CLASSES - 1);
    }

    #[test]
    fn threads_count_apart_and_are_added_up() {
        let times = RequestTimes::default();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 1..=100 {
                        let mut spent = [0; STAGES];
                        spent[Stage::Parse as usize] = 1_000;
                        spent[Stage::Sync as usize] = number * 10_000;
                        let status = if number % 10 == 0 { 400 } else { 200 };
                        times.record(Operation::PutItem, &spent, Answered::with_status(status));
                    }
                    times.record(Operation::GetItem, &[5; STAGES], Answered::Failed);
                });
            }
        });
        let read = times.read();
        assert_eq!(
            read.keys().copied().collect::<Vec<_>>(),
            ["GetItem", "PutItem"]
        );
        let put = &read["PutItem"];
        assert_eq!((put.refused, put.failed, put.total.count()), (40, 0, 400));
        let sums: Duration = put.stages.iter().map(Latencies::sum).sum();
        assert_eq!(sums, put.total.sum());
        assert_eq!(put.stages[Stage::Sync as usize].count(), 400);
        assert_eq!(put.stages[Stage::KeyLock as usize].count(), 0);
        let counted: u64 = put.classes.values().map(|(count, _)| count).sum();
        let spent: u64 = put.classes.values().flat_map(|(_, spent)| spent).sum();
        assert_eq!(counted, 400);
        assert_eq!(u128::from(spent), put.total.sum().as_nanos());
        assert_eq!(read["GetItem"].failed, 4);
    }
}
