//! HdrHistogram's two text forms: the interval log (`.hlog`) and the percentile table (`.hgrm`),
//! as the Java library writes them and HistogramLogAnalyzer, HdrHistogramVisualizer and the plotter
//! of hdrhistogram.github.io read them.

use std::fmt::Write as _;
use std::time::Duration;

use crate::histogram::Times;

/// An interval log that grows.
#[derive(Clone, Debug)]
pub struct HistogramLog {
    text: String,
}

impl HistogramLog {
    /// A log of a run that began at a time since 1970.
    pub fn new(start: Duration) -> Self {
        let seconds = start.as_secs_f64();
        let mut text = String::from("#[Histogram log format version 1.3]\n");
        let _ = writeln!(text, "#[StartTime: {seconds:.3} (seconds since epoch)]");
        // Seconds in the lines count from here.
        let _ = writeln!(text, "#[BaseTime: {seconds:.3} (seconds since epoch)]");
        text.push_str(
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
        );
        Self { text }
    }

    /// Adds the times of the jobs of one name in one second, if there are any. They are nanoseconds;
    /// the maximum, which is for people, is milliseconds, as usual.
    pub fn add(&mut self, name: &str, second: u64, times: &Times) {
        if times.count() == 0 {
            return;
        }
        let _ = writeln!(
            self.text,
            "Tag={name},{second}.000,1.000,{:.3},{}",
            times.max() as f64 / 1e6,
            times.encoded()
        );
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The percentile table, in milliseconds.
pub fn percentiles(times: &Times) -> String {
    let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    for (quantile, ns, count) in times.curve() {
        let value = ns as f64 / 1e6;
        if quantile < 1.0 {
            let inverse = 1.0 / (1.0 - quantile);
            let _ = writeln!(
                text,
                "{value:12.3} {quantile:2.12} {count:10} {inverse:14.2}"
            );
        } else {
            let _ = writeln!(text, "{value:12.3} {quantile:2.12} {count:10}");
        }
    }
    let (buckets, sub_buckets) = times
        .histogram()
        .map_or((0, 2048), |histogram| (histogram.buckets(), 2048));
    let _ = writeln!(
        text,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]",
        times.mean() / 1e6,
        times.deviation() / 1e6
    );
    let _ = writeln!(
        text,
        "#[Max     = {:12.3}, Total count    = {:12}]",
        times.max() as f64 / 1e6,
        times.count()
    );
    let _ = writeln!(
        text,
        "#[Buckets = {buckets:12}, SubBuckets     = {sub_buckets:12}]"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    fn times() -> Times {
        let mut times = Times::default();
        (1..=1000).for_each(|ms| times.record(ms * 1_000_000));
        times
    }

    #[test]
    fn the_library_reads_the_log() {
        let mut log = HistogramLog::new(Duration::from_millis(1_767_225_600_500));
        log.add("get", 3, &times());
        log.add("put", 3, &Times::default());
        log.add("put", 4, &times());
        let entries: Vec<LogEntry<'_>> = IntervalLogIterator::new(log.text().as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        let intervals: Vec<_> = entries
            .into_iter()
            .filter_map(|entry| match entry {
                LogEntry::Interval(interval) => Some(interval),
                _ => None,
            })
            .collect();
        assert_eq!(intervals.len(), 2);
        assert_eq!(intervals[0].tag().unwrap().as_str(), "get");
        assert_eq!(intervals[1].start_timestamp(), Duration::from_secs(4));
        let bytes = base64_simd::STANDARD
            .decode_to_vec(intervals[0].encoded_histogram())
            .unwrap();
        let histogram: hdrhistogram::Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .unwrap();
        assert_eq!(histogram.len(), 1000);
        assert!((histogram.value_at_quantile(0.5) as f64 / 5e8 - 1.0).abs() < 0.002);
    }

    #[test]
    fn the_percentiles_are_a_table() {
        let text = percentiles(&times());
        let mut lines = text.lines().skip(2);
        let first: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(first.len(), 4);
        assert!(text.contains("1.000000000000       1000\n"), "{text}");
        assert!(text.contains("Total count    =         1000]"), "{text}");
    }
}
