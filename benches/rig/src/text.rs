//! Results for people: the table on the terminal, and how times and rates are written.

use std::fmt::Write as _;

use crate::results::{Breakdown, Latency, Results, ServerOperation, StageView};

/// A time, with three digits that matter.
pub fn time(ns: u64) -> String {
    let ns = ns as f64;
    let (value, unit) = match ns {
        _ if ns < 1e3 => return format!("{ns:.0} ns"),
        _ if ns < 1e6 => (ns / 1e3, "µs"),
        _ if ns < 1e9 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    match value {
        _ if value < 10.0 => format!("{value:.2} {unit}"),
        _ if value < 100.0 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

/// A whole number with commas.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn row(text: &mut String, name: &str, latency: &Latency) {
    let times = [
        latency.p50,
        latency.p90,
        latency.p99,
        latency.p99_9,
        latency.p99_99,
        latency.max,
    ];
    let _ = write!(text, "  {name:<20} {:>12}", number(latency.count));
    for ns in times {
        let shown = if latency.count == 0 {
            "-".to_owned()
        } else {
            time(ns)
        };
        let _ = write!(text, " {shown:>9}");
    }
    text.push('\n');
}

/// The whole table.
pub fn table(results: &Results) -> String {
    let mut text = String::new();
    let rate = match results.offered_rate {
        Some(offered) => format!("{:.0} a second were to start", offered),
        None => "closed loop: latency leaves out what waits behind slow answers".to_owned(),
    };
    let _ = writeln!(
        text,
        "\n{} in {:.1} s: {:.0} a second went well ({rate})",
        number(results.response.count),
        results.seconds,
        results.achieved_rate
    );
    if results.interrupted {
        text.push_str("The run was ended early.\n");
    }
    let _ = writeln!(
        text,
        "\n  {:<20} {:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "latency", "count", "p50", "p90", "p99", "p99.9", "p99.99", "max"
    );
    for operation in &results.operations {
        row(&mut text, &operation.name, &operation.response);
    }
    if results.operations.len() != 1 {
        row(&mut text, "all", &results.response);
    }
    row(&mut text, "all, from sending", &results.service);
    if results.failed.count > 0 {
        row(&mut text, "did not go well", &results.failed);
    }
    if !results.outcomes.is_empty() || !results.retries.is_empty() || results.reconnects > 0 {
        text.push('\n');
    }
    for outcome in &results.outcomes {
        let operation = outcome.operation.as_deref().unwrap_or("-");
        let _ = writeln!(
            text,
            "  {:<20} {:>12} {:<11} {}",
            operation,
            number(outcome.count),
            outcome.class,
            outcome.name
        );
    }
    for retry in &results.retries {
        let _ = writeln!(
            text,
            "  {:<20} {:>12} {:<11} {}",
            "made again",
            number(retry.count),
            retry.class,
            retry.name
        );
    }
    if results.reconnects > 0 {
        let _ = writeln!(
            text,
            "  {:<20} {:>12}",
            "reconnected",
            number(results.reconnects)
        );
    }
    server(&mut text, results);
    sweep(&mut text, results);
    let rig = &results.rig;
    let _ = writeln!(
        text,
        "\nrig: {:.1} µs of processor time a request, {} thread{} busy for {:.0} %, p99 of its own \
         delay {}",
        rig.cpu_us_per_request,
        rig.threads,
        if rig.threads == 1 { "" } else { "s" },
        rig.busy * 100.0,
        time(rig.lag.p99)
    );
    if !rig.valid {
        text.push_str(
            "INVALID: the rig did not keep up, so that these figures are partly its own:\n",
        );
        for complaint in &rig.complaints {
            let _ = writeln!(text, "  {complaint}");
        }
    }
    text
}

fn server(text: &mut String, results: &Results) {
    let Some(server) = &results.server else {
        return;
    };
    if let Some(cpu) = server.cpu_us_per_request {
        let _ = writeln!(text, "\nserver: {cpu:.1} µs of processor time a request");
    }
    if let Some(breakdown) = &server.breakdown {
        stages(text, breakdown);
        engine(text, breakdown);
    }
}

/// Operations that the table has room for: the others are in the JSON and in the report.
const COLUMNS: usize = 4;

/// Where requests were at the server: a stage is a line, an operation two columns.
fn stages(text: &mut String, breakdown: &Breakdown) {
    let mut operations: Vec<&ServerOperation> = breakdown.operations.iter().collect();
    operations.sort_by_key(|operation| std::cmp::Reverse(operation.total.count));
    let more = operations.len().saturating_sub(COLUMNS);
    operations.truncate(COLUMNS);
    if operations.is_empty() {
        return;
    }
    let _ = write!(text, "\n  {:<20}", "at the server");
    for operation in &operations {
        let _ = write!(text, " {:>19}", operation.name);
    }
    let _ = write!(text, "\n  {:<20}", "");
    for _ in &operations {
        let _ = write!(text, " {:>9} {:>9}", "mean", "p99");
    }
    text.push('\n');
    let mut line = |name: &str, pick: &dyn Fn(&ServerOperation) -> Option<StageView>| {
        let stages: Vec<_> = operations.iter().map(|operation| pick(operation)).collect();
        if stages.iter().flatten().all(|stage| stage.count == 0) {
            return;
        }
        let _ = write!(text, "  {name:<20}");
        for stage in stages {
            let stage = stage.unwrap_or_default();
            let (mean, p99) = match stage.count {
                0 => ("-".to_owned(), "-".to_owned()),
                _ => (time(stage.mean as u64), time(stage.p99)),
            };
            let _ = write!(text, " {mean:>9} {p99:>9}");
        }
        text.push('\n');
    };
    for (place, name) in breakdown.stages.iter().enumerate() {
        line(&name.replace('_', " "), &|operation| {
            operation.stages.get(place).cloned()
        });
    }
    line("total", &|operation| Some(operation.total.clone()));
    if more > 0 {
        let _ = writeln!(text, "  and {more} more, in --json and --report");
    }
}

/// What the storage engine did.
fn engine(text: &mut String, breakdown: &Breakdown) {
    let engine = &breakdown.engine;
    if engine.commits > 0 {
        let _ = writeln!(
            text,
            "\nlog: {} commits in {} groups, each p50 {}, p99 {}; {} held back for {} in all, {} \
             throttled",
            number(engine.commits),
            number(engine.wal_groups),
            time(engine.group_write.p50),
            time(engine.group_write.p99),
            number(engine.delayed_commits),
            time(engine.delay_ns),
            number(engine.throttled_commits),
        );
    }
    let debt = breakdown
        .moments
        .iter()
        .map(|moment| moment.compaction_debt_bytes);
    let mut parts = vec![
        format!("{} flushes", number(engine.flushes)),
        format!("{} compactions", number(engine.compactions)),
        format!("debt {} at most", size(debt.max().unwrap_or(0))),
    ];
    if let Some(amplification) = engine.write_amplification {
        parts.push(format!("written {amplification:.1} times"));
    }
    if let Some(rate) = engine.block_cache_hit_rate {
        parts.push(format!("{:.1} % of blocks in the cache", rate * 100.0));
    }
    let _ = writeln!(text, "tree: {}", parts.join(", "));
}

/// A size, with three digits that matter.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let unit = UNITS.get(unit).copied().unwrap_or_default();
    match value {
        _ if unit == "B" => format!("{bytes} B"),
        _ if value < 9.995 => format!("{value:.2} {unit}"),
        _ if value < 99.95 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

fn sweep(text: &mut String, results: &Results) {
    let Some(sweep) = &results.sweep else {
        return;
    };
    let _ = writeln!(
        text,
        "\n  {:>10} {:>10} {:>9} {:>9} {:>9} {:>9}",
        "rate", "achieved", "p50", "p99", "p99.9", "failed"
    );
    for step in &sweep.steps {
        let verdict = match (step.valid, step.kept) {
            (false, _) => "the rig did not keep up",
            (true, true) => "",
            (true, false) => "over",
        };
        let _ = writeln!(
            text,
            "  {:>10.0} {:>10.0} {:>9} {:>9} {:>9} {:>9} {verdict}",
            step.rate,
            step.achieved,
            time(step.p50),
            time(step.p99),
            time(step.p99_9),
            number(step.failures)
        );
    }
    let limit = time(sweep.limit);
    let _ = match sweep.knee {
        Some(knee) => writeln!(text, "\nknee: {knee:.0} a second keep p99 within {limit}"),
        None => writeln!(
            text,
            "\nknee: no rate that was tried keeps p99 within {limit}"
        ),
    };
}

#[cfg(test)]
mod tests {
    use super::{number, size, time};

    #[test]
    fn figures_have_three_digits() {
        assert_eq!(time(950), "950 ns");
        assert_eq!(time(9_500), "9.50 µs");
        assert_eq!(time(95_000), "95.0 µs");
        assert_eq!(time(950_000), "950 µs");
        assert_eq!(time(1_234_567), "1.23 ms");
        assert_eq!(time(61_000_000_000), "61.0 s");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(number(12), "12");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_500), "1.46 KiB");
        assert_eq!(size(64 << 20), "64.0 MiB");
        assert_eq!(size(1 << 40), "1.00 TiB");
    }
}
