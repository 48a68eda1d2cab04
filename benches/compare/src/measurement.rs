//! What one workload of one engine in one round has shown.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::store::Result;

/// The longest latency that is told apart, in nanoseconds: an hour.
const LONGEST: u64 = 3_600_000_000_000;

/// The figures of one workload, by their names, units last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Measurement {
    pub round: usize,
    pub engine: String,
    pub workload: String,
    pub figures: BTreeMap<String, f64>,
    /// Operations of each second, where that is of interest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<u64>,
}

impl Measurement {
    pub fn of(engine: &str, workload: &str) -> Measurement {
        Measurement {
            engine: engine.to_owned(),
            workload: workload.to_owned(),
            ..Measurement::default()
        }
    }

    pub fn set(&mut self, name: &str, figure: f64) {
        self.figures.insert(name.to_owned(), figure);
    }
}

/// Latencies, and how many operations each second saw.
pub struct Recorder {
    latencies: Histogram<u64>,
    seconds: Vec<u64>,
}

impl Recorder {
    pub fn new() -> Result<Recorder> {
        Ok(Recorder {
            latencies: Histogram::new_with_bounds(1, LONGEST, 3)?,
            seconds: Vec::new(),
        })
    }

    /// An operation took so long, and ended so long after the start of the workload.
    pub fn record(&mut self, latency: Duration, ended: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(LONGEST);
        self.latencies.saturating_record(nanoseconds);
        let second = ended.as_secs() as usize;
        if self.seconds.len() <= second {
            self.seconds.resize(second + 1, 0);
        }
        if let Some(count) = self.seconds.get_mut(second) {
            *count += 1;
        }
    }

    /// Adds what another thread has recorded.
    pub fn add(&mut self, other: &Recorder) -> Result<()> {
        self.latencies.add(&other.latencies)?;
        if self.seconds.len() < other.seconds.len() {
            self.seconds.resize(other.seconds.len(), 0);
        }
        for (sum, count) in self.seconds.iter_mut().zip(&other.seconds) {
            *sum += count;
        }
        Ok(())
    }

    pub fn count(&self) -> u64 {
        self.latencies.len()
    }

    /// The operations of the first whole seconds, of which the workload has so many.
    pub fn series(&self, seconds: u64) -> Vec<u64> {
        let mut series = self.seconds.clone();
        series.resize(seconds as usize, 0);
        series
    }

    /// Sets rate and latencies in a measurement.
    pub fn describe(&self, took: Duration, measurement: &mut Measurement) {
        measurement.set("ops_s", self.count() as f64 / took.as_secs_f64());
        let names = ["p50_us", "p99_us", "p999_us", "max_us"];
        for (name, quantile) in names.into_iter().zip([0.5, 0.99, 0.999, 1.0]) {
            let nanoseconds = self.latencies.value_at_quantile(quantile);
            measurement.set(name, nanoseconds as f64 / 1000.0);
        }
    }
}

/// The median; 0 of nothing.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
    match sorted.len() {
        0 => 0.0,
        len if len % 2 == 1 => at(len / 2),
        len => f64::midpoint(at(len / 2 - 1), at(len / 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }

    #[test]
    fn recorders_add_up() {
        let (mut one, mut two) = (Recorder::new().unwrap(), Recorder::new().unwrap());
        for millisecond in 0..1000_u64 {
            let latency = Duration::from_micros(millisecond + 1);
            one.record(latency, Duration::from_millis(millisecond));
            two.record(latency, Duration::from_millis(millisecond + 1000));
        }
        one.add(&two).unwrap();
        assert_eq!(one.count(), 2000);
        assert_eq!(one.series(3), [1000, 1000, 0]);
        let mut measurement = Measurement::of("a", "b");
        one.describe(Duration::from_secs(2), &mut measurement);
        assert!((measurement.figures["ops_s"] - 1000.0).abs() < 1.0);
        assert!((measurement.figures["p50_us"] - 500.0).abs() < 5.0);
    }
}
