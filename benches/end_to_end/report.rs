//! The tables that are printed: medians of all rounds, and ratios.

use std::fmt::Write as _;

use crate::measure::Measured;
use crate::server::{Kind, Server};
use crate::workload::Workload;

/// The medians of one server under one workload.
#[derive(Clone, Copy)]
struct Medians {
    cpu_us: Option<f64>,
    rate: f64,
    p50_us: f64,
    p99_us: f64,
    syncs: Option<f64>,
}

/// What all rounds came to, `measured` by workload and server.
pub(crate) fn report(
    workloads: &[Workload],
    servers: &[&Server],
    measured: &[Vec<Measured>],
) -> String {
    let table = Table {
        workloads,
        servers,
        medians: measured.iter().map(|rounds| medians(rounds)).collect(),
    };
    let mut text = String::from(
        "\nworkload      server        CPU us/request     requests/s   p50 us   p99 us  syncs/request\n",
    );
    for &workload in workloads {
        for (column, server) in servers.iter().enumerate() {
            if let Some(found) = table.at(workload, column) {
                let cpu = found
                    .cpu_us
                    .map_or("-".to_owned(), |cpu| format!("{cpu:.1}"));
                let syncs = found
                    .syncs
                    .map_or(String::new(), |syncs| format!("{syncs:.3}"));
                let _ = writeln!(
                    text,
                    "{:13} {:12} {cpu:>15} {:>14.0} {:>8.0} {:>8.0} {syncs:>14}",
                    workload.name(),
                    server.name,
                    found.rate,
                    found.p50_us,
                    found.p99_us
                );
            }
        }
    }
    for (column, server) in servers.iter().enumerate() {
        if server.kind.is_dynamodb() {
            let _ = writeln!(text, "\n{}", server.name);
            for (what, value, goal) in table.ratios(column) {
                let _ = writeln!(text, "  {what:55} {value:>8.2}   goal {goal}");
            }
        }
    }
    text
}

struct Table<'a> {
    workloads: &'a [Workload],
    servers: &'a [&'a Server],
    medians: Vec<Option<Medians>>,
}

/// What is looked at, what it is, and what it is to be.
type Ratio = (&'static str, f64, &'static str);

impl Table<'_> {
    fn at(&self, workload: Workload, column: usize) -> Option<Medians> {
        let row = self.workloads.iter().position(|other| *other == workload)?;
        *self.medians.get(row * self.servers.len() + column)?
    }

    /// The first server of a kind.
    fn first(&self, kind: Kind, workload: Workload) -> Option<Medians> {
        let column = self.servers.iter().position(|server| server.kind == kind)?;
        self.at(workload, column)
    }

    /// The figures that are to be kept, as far as they were measured.
    fn ratios(&self, column: usize) -> Vec<Ratio> {
        use Workload::{
            BatchGet, Get, Put, PutAlone, Query, Scan, Transact, UpdateHot, UpdateSpread,
        };
        let at = |workload| self.at(workload, column);
        let cpu = |of: Option<Medians>, to: Option<Medians>| Some(of?.cpu_us? / to?.cpu_us?);
        let get_nothing = self.first(Kind::NothingOfAnItem, Get);
        let put_nothing = self.first(Kind::NothingEmpty, Put);
        let scan_rate = || {
            let bytes = Scan.item_bytes()? as f64;
            Some(bytes / at(Scan)?.cpu_us?)
        };
        let verifying = |workload| {
            let verifies = self.servers.get(column)?.kind == Kind::Verifying;
            let without = self.first(Kind::Endpoint, workload).filter(|_| verifies)?;
            Some(at(workload)?.cpu_us? - without.cpu_us?)
        };
        let all: [(&'static str, Option<f64>, &'static str); 14] = [
            (
                "GetItem: CPU, x doing nothing",
                cpu(at(Get), get_nothing),
                "<= 1.35",
            ),
            (
                "GetItem: p99, x doing nothing",
                at(Get)
                    .zip(get_nothing)
                    .map(|(get, nothing)| get.p99_us / nothing.p99_us),
                "<= 2",
            ),
            (
                "PutItem: CPU, x doing nothing",
                cpu(at(Put), put_nothing),
                "<= 2.4",
            ),
            (
                "PutItem: syncs",
                at(Put).and_then(|put| put.syncs),
                "<= 0.15",
            ),
            ("PutItem: p99, us", at(Put).map(|put| put.p99_us), "<= 1200"),
            (
                "PutItem, 1 connection: p99, us",
                at(PutAlone).map(|put| put.p99_us),
                "<= 500",
            ),
            (
                "UpdateItem, one item: throughput, x on many",
                at(UpdateHot)
                    .zip(at(UpdateSpread))
                    .map(|(hot, spread)| hot.rate / spread.rate),
                ">= 0.6",
            ),
            (
                "GetItem: verifying the signature, us of CPU",
                verifying(Get),
                "<= 2",
            ),
            (
                "PutItem: verifying the signature, us of CPU",
                verifying(Put),
                "<= 2",
            ),
            (
                "Query of 25: CPU, x GetItem",
                cpu(at(Query), at(Get)),
                "<= 5",
            ),
            (
                "BatchGetItem of 25: CPU, x GetItem",
                cpu(at(BatchGet), at(Get)),
                "<= 7",
            ),
            (
                "TransactWriteItems of 2: CPU, x PutItem",
                cpu(at(Transact), at(Put)),
                "<= 2.2",
            ),
            (
                "Scan: MB of items for each second of CPU",
                scan_rate(),
                ">= 400",
            ),
            (
                "UpdateItem on many: CPU, x PutItem",
                cpu(at(UpdateSpread), at(Put)),
                "-",
            ),
        ];
        all.into_iter()
            .filter_map(|(what, value, goal)| Some((what, value?, goal)))
            .collect()
    }
}

fn medians(rounds: &[Measured]) -> Option<Medians> {
    let of = |figure: fn(&Measured) -> f64| median(rounds.iter().map(figure).collect());
    let cpu: Option<Vec<f64>> = rounds.iter().map(|one| one.cpu_us).collect();
    Some(Medians {
        cpu_us: cpu.and_then(median),
        rate: of(|one| one.rate)?,
        p50_us: of(|one| one.p50_us)?,
        p99_us: of(|one| one.p99_us)?,
        syncs: median(rounds.iter().filter_map(|one| one.syncs).collect()),
    })
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
