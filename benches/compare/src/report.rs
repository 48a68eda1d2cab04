//! The table: medians of the rounds, and how this engine stands to the best of the others.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::measurement::{Measurement, median};
use crate::settings::Settings;
use crate::workload::{DEVICE, WORKLOADS};

/// Our own name among the engines.
const OURS: &str = "stator";

/// The figures that are shown, in their order, and whether more of it is better. What a measurement
/// has besides is only in the JSON.
const FIGURES: [(&str, bool); 15] = [
    ("ops_s", true),
    ("p50_us", false),
    ("p99_us", false),
    ("p999_us", false),
    ("max_us", false),
    ("worst_second_percent", true),
    ("cpu_us_op", false),
    ("peak_mib", false),
    ("written_x", false),
    ("read_amp", false),
    ("write_amp", false),
    ("space_amp", false),
    ("space_amp_max", false),
    ("settle_s", false),
    ("writer_p99_us", false),
];

/// One measurement in a line, while the run goes on.
pub fn line(measurement: &Measurement) -> String {
    let mut line = format!("{:14}", measurement.workload);
    for (name, _) in FIGURES {
        if let Some(figure) = measurement.figures.get(name) {
            // Writing to a string cannot fail.
            let _ = write!(line, " {name} {}", number(*figure));
        }
    }
    line
}

/// All of it. A ratio is ours to the best of the others; `better` says where that is in our favour.
pub fn table(settings: &Settings, measurements: &[Measurement]) -> String {
    let mut engines: Vec<&str> = settings.engines.iter().map(String::as_str).collect();
    engines.push(DEVICE);
    let mut text = format!("{:14} {:21}", "workload", "figure");
    for engine in &engines {
        let _ = write!(text, " {engine:>10}");
    }
    text.push_str("      ratio  to the best of the others\n");
    for workload in WORKLOADS {
        for (name, more_is_better) in FIGURES {
            let figures: Vec<Option<f64>> = engines
                .iter()
                .map(|engine| figure(measurements, engine, workload, name))
                .collect();
            if figures.iter().all(Option::is_none) {
                continue;
            }
            let _ = write!(text, "{workload:14} {name:21}");
            for figure in &figures {
                let _ = write!(text, " {:>10}", figure.map_or("-".to_owned(), number));
            }
            let rivals = engines.iter().zip(&figures);
            let rivals = rivals.filter(|(engine, _)| **engine != OURS && **engine != DEVICE);
            let best = rivals
                .filter_map(|(engine, figure)| Some((*engine, (*figure)?)))
                .reduce(|one, two| match (two.1 > one.1) == more_is_better {
                    true => two,
                    false => one,
                });
            let ours = engines.iter().position(|engine| *engine == OURS);
            let ours = ours.and_then(|at| figures.get(at).copied().flatten());
            if let (Some(ours), Some((engine, best))) = (ours, best)
                && best > 0.0
            {
                let better = match (ours >= best) == more_is_better {
                    true => "better than",
                    false => "worse than",
                };
                let _ = write!(text, " {:>10.2}  {better} {engine}", ours / best);
            }
            text.push('\n');
        }
    }
    let rounds: BTreeSet<usize> = measurements.iter().map(|found| found.round).collect();
    let _ = writeln!(text, "\nmedians of {} rounds", rounds.len());
    text
}

fn figure(measurements: &[Measurement], engine: &str, workload: &str, name: &str) -> Option<f64> {
    let figures: Vec<f64> = measurements
        .iter()
        .filter(|found| found.engine == engine && found.workload == workload)
        .filter_map(|found| found.figures.get(name).copied())
        .collect();
    (!figures.is_empty()).then(|| median(&figures))
}

/// Three digits that count.
fn number(figure: f64) -> String {
    match figure {
        figure if figure >= 100.0 => format!("{figure:.0}"),
        figure if figure >= 10.0 => format!("{figure:.1}"),
        figure => format!("{figure:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Only {
        #[command(flatten)]
        settings: Settings,
    }

    #[test]
    fn the_best_rival_is_the_one_compared_with() {
        let settings = Only::parse_from(["compare"]).settings;
        let mut measurements = Vec::new();
        for (engine, rate, p99) in [
            ("stator", 30.0, 4.0),
            ("fjall", 10.0, 8.0),
            ("redb", 20.0, 2.0),
        ] {
            let mut measurement = Measurement::of(engine, "get");
            measurement.set("ops_s", rate);
            measurement.set("p99_us", p99);
            measurements.push(measurement);
        }
        let table = table(&settings, &measurements);
        let line = |name: &str| {
            let mut lines = table.lines();
            lines.find(|line| line.contains(name)).unwrap().to_owned()
        };
        assert!(line("ops_s").ends_with("1.50  better than redb"), "{table}");
        assert!(line("p99_us").ends_with("2.00  worse than redb"), "{table}");
    }
}
