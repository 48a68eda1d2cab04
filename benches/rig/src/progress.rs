//! What is shown while a run goes on: one line, with a live sparkline on a terminal.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::interval::Interval;
use crate::results::Slice;
use crate::text::{number, time};

/// How many seconds the sparkline shows.
const WIDTH: usize = 30;

/// Where there is no terminal, a line comes every so many seconds.
const EVERY: u64 = 10;

/// Shows how a phase goes on.
pub struct Progress {
    what: String,
    total: Duration,
    terminal: bool,
    p99s: VecDeque<u64>,
    shown: bool,
}

impl Progress {
    /// Of a phase that takes `total`, as far as is known.
    pub fn new(what: &str, total: Duration) -> Self {
        Self {
            what: what.to_owned(),
            total,
            terminal: std::io::stderr().is_terminal(),
            p99s: VecDeque::new(),
            shown: false,
        }
    }

    /// A second is over.
    pub fn second(&mut self, slice: &Slice, all: &Interval) {
        self.p99s.push_back(slice.p99);
        if self.p99s.len() > WIDTH {
            self.p99s.pop_front();
        }
        if !self.terminal && !(slice.second + 1).is_multiple_of(EVERY) {
            return;
        }
        let left = self.total.as_secs().saturating_sub(slice.second + 1);
        let left = if self.total > Duration::from_secs(86_000) {
            String::new()
        } else {
            format!("  {left} s left")
        };
        let rate = if slice.count == 0
            && all.warm_up.count() > 0
            && all.kinds.iter().all(|kind| kind.response.count() == 0)
        {
            "warming up".to_owned()
        } else {
            format!("{}/s", number(slice.count))
        };
        let line = format!(
            "{}  {rate}  p50 {}  p99 {}  failed {}{left}",
            self.what,
            time(slice.p50),
            time(slice.p99),
            number(all.failures()),
        );
        let mut stderr = std::io::stderr();
        // Nobody sees it, perhaps.
        let _ = if self.terminal {
            let shown = fitted(&line, &sparkline(&self.p99s), columns());
            write!(stderr, "\r\x1b[K{shown}")
        } else {
            writeln!(stderr, "{line}")
        };
        let _ = stderr.flush();
        self.shown = true;
    }

    /// The phase is over: the line goes.
    pub fn end(&mut self) {
        if self.terminal && self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
            let _ = std::io::stderr().flush();
        }
    }
}

/// The width of the terminal, which may change.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stderr());
    let columns = size.map_or(0, |size| usize::from(size.ws_col));
    // Some terminals do not know it.
    if columns == 0 { 80 } else { columns }
}

/// Line and bars in one line of a terminal, without its last column, where some begin a new one. The
/// newest bars stay.
fn fitted(line: &str, bars: &str, columns: usize) -> String {
    let mut shown: String = line.chars().take(columns.saturating_sub(1)).collect();
    let left = columns.saturating_sub(shown.chars().count() + 3);
    if left > 0 {
        let skipped = bars.chars().count().saturating_sub(left);
        shown.push_str("  ");
        shown.extend(bars.chars().skip(skipped));
    }
    shown
}

/// Bars on a logarithmic scale, from the shortest to the longest.
fn sparkline(values: &VecDeque<u64>) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let logs: Vec<f64> = values
        .iter()
        .map(|value| (*value as f64).max(1.0).ln())
        .collect();
    let seen = || logs.iter().copied().filter(|log| *log > 0.0);
    let low = seen().fold(f64::INFINITY, f64::min);
    let high = seen().fold(f64::NEG_INFINITY, f64::max);
    // Less than a factor of two is no hill.
    let span = (high - low).max(2f64.ln());
    logs.iter()
        .map(|log| {
            let share = ((log - low) / span).clamp(0.0, 0.999);
            let bar = BARS.get((share * 8.0) as usize).copied().unwrap_or('▁');
            if *log > 0.0 { bar } else { ' ' }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hills_are_seen_and_plains_are_flat() {
        let line = |values: &[u64]| sparkline(&values.iter().copied().collect());
        assert_eq!(line(&[1000, 1000, 1010]), "▁▁▁");
        assert_eq!(line(&[0, 1000, 1_000_000]), " ▁█");
        assert_eq!(line(&[]), "");
    }

    #[test]
    fn what_is_shown_fits_into_one_line() {
        assert_eq!(fitted("p99 1 µs", "▁▂▃", 80), "p99 1 µs  ▁▂▃");
        assert_eq!(fitted("p99 1 µs", "▁▂▃", 14), "p99 1 µs  ▁▂▃");
        assert_eq!(fitted("p99 1 µs", "▁▂▃", 13), "p99 1 µs  ▂▃");
        assert_eq!(fitted("p99 1 µs", "▁▂▃", 10), "p99 1 µs");
        assert_eq!(fitted("p99 1 µs", "▁▂▃", 5), "p99 ");
        for columns in 0..20 {
            assert!(fitted("p99 1 µs", "▁▂▃", columns).chars().count() < columns.max(1));
        }
    }
}
