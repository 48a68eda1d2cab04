//! Histograms of times, in nanoseconds: three significant digits from 64 ns to an hour.

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};

/// A histogram of nanoseconds. Percentiles of several come from their sum, never from averages.
#[derive(Clone, Debug, Default)]
pub struct Times(Option<Box<Histogram<u64>>>);

/// What a time at most counts as.
const LONGEST_NS: u64 = 3_600_000_000_000;

impl Times {
    /// Adds a time. The memory comes with the first one.
    pub fn record(&mut self, ns: u64) {
        if self.0.is_none() {
            // The bounds are constants that the library takes.
            self.0 = Histogram::new_with_bounds(100, LONGEST_NS, 3)
                .ok()
                .map(Box::new);
        }
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(ns);
        }
    }

    /// Adds all of another.
    pub fn add(&mut self, other: &Self) {
        let Some(theirs) = other.0.as_ref().filter(|theirs| !theirs.is_empty()) else {
            return;
        };
        match &mut self.0 {
            // All have the same bounds, so that this cannot fail.
            Some(ours) => drop(ours.add(theirs.as_ref())),
            None => self.0 = other.0.clone(),
        }
    }

    /// Forgets all; the memory stays.
    pub fn clear(&mut self) {
        if let Some(histogram) = &mut self.0 {
            histogram.reset();
        }
    }

    /// How many times there are.
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, |histogram| histogram.len())
    }

    /// A percentile, 0 if there is nothing; 100 is the maximum.
    pub fn percentile(&self, percentile: f64) -> u64 {
        let quantile = percentile / 100.0;
        self.histogram()
            .map_or(0, |histogram| histogram.value_at_quantile(quantile))
    }

    /// The largest.
    pub fn max(&self) -> u64 {
        self.histogram().map_or(0, Histogram::max)
    }

    /// The smallest.
    pub fn min(&self) -> u64 {
        self.histogram().map_or(0, Histogram::min)
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.histogram().map_or(0.0, Histogram::mean)
    }

    /// The standard deviation.
    pub fn deviation(&self) -> f64 {
        self.histogram().map_or(0.0, Histogram::stdev)
    }

    /// The histogram, if there is anything in it.
    pub fn histogram(&self) -> Option<&Histogram<u64>> {
        self.0.as_deref().filter(|histogram| !histogram.is_empty())
    }

    /// Points of the percentile curve, ever denser towards the end: percentile, time, and how many
    /// are at most that long.
    pub fn curve(&self) -> Vec<(f64, u64, u64)> {
        let Some(histogram) = self.histogram() else {
            return Vec::new();
        };
        histogram
            .iter_quantiles(5)
            .map(|point| {
                let value = point.value_iterated_to();
                let count = histogram.count_between(0, value);
                (point.quantile_iterated_to(), value, count)
            })
            .collect()
    }

    /// How many there are in each of the coarse classes of a heat map: class and count. Sixteen
    /// classes to a factor of ten, from 1 µs on: class c begins at 1 µs × 10^(c/16).
    pub fn classes(&self) -> Vec<(u32, u64)> {
        let mut classes: Vec<(u32, u64)> = Vec::new();
        let Some(histogram) = self.histogram() else {
            return classes;
        };
        for point in histogram.iter_recorded() {
            let class = class(histogram.median_equivalent(point.value_iterated_to()));
            match classes.last_mut() {
                Some((last, count)) if *last == class => *count += point.count_at_value(),
                _ => classes.push((class, point.count_at_value())),
            }
        }
        classes
    }

    /// The histogram as HdrHistogram's libraries write it to text: V2, compressed, in base64.
    pub fn encoded(&self) -> String {
        let empty = Histogram::<u64>::new_with_bounds(100, LONGEST_NS, 3).ok();
        let mut bytes = Vec::new();
        if let Some(histogram) = self.histogram().or(empty.as_ref()) {
            // Into memory, which does not fail.
            let _ = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
        }
        base64_simd::STANDARD.encode_to_string(bytes)
    }
}

/// The class of a heat map that a time belongs to.
fn class(ns: u64) -> u32 {
    let micros = (ns as f64 / 1000.0).max(1.0);
    (micros.log10() * 16.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_have_the_percentiles_of_all() {
        let (mut low, mut high) = (Times::default(), Times::default());
        for ns in 1..=900u64 {
            low.record(ns * 1000);
        }
        for ns in 901..=1000u64 {
            high.record(ns * 1000);
        }
        let mut all = Times::default();
        all.add(&low);
        all.add(&high);
        all.add(&Times::default());
        assert_eq!(all.count(), 1000);
        for (percentile, truth) in [(50.0, 500_000.0), (99.0, 990_000.0), (100.0, 1_000_000.0)] {
            let found = all.percentile(percentile) as f64;
            assert!((found / truth - 1.0).abs() < 0.002, "{percentile}: {found}");
        }
        let counted: u64 = all.classes().iter().map(|(_, count)| count).sum();
        assert_eq!(counted, 1000);
        let curve = all.curve();
        assert_eq!(
            curve.last().map(|(quantile, _, count)| (*quantile, *count)),
            Some((1.0, 1000))
        );
        all.clear();
        assert_eq!((all.count(), all.max(), all.curve().len()), (0, 0, 0));
    }

    #[test]
    fn short_times_are_kept_to_two_percent() {
        for ns in [5_000u64, 9_999, 20_001, 123_456, 7_000_000, 3_000_000_000] {
            let mut times = Times::default();
            times.record(ns);
            let found = times.percentile(50.0) as f64;
            assert!((found / ns as f64 - 1.0).abs() < 0.02, "{ns}: {found}");
        }
        assert_eq!(class(1_000_000), 48);
    }
}
