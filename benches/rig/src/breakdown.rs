//! The server's own view of a run: what its statistics say at the end less what they said before it.

use crate::results::{Breakdown, EngineView, Moment, ServerOperation, SlowRequests, StageView};
use crate::statistics::{Counted, Engine, OperationTimes, Statistics};

/// The statistics at one moment of a run.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Seconds since the start of the run.
    pub at: f64,
    /// What they were.
    pub statistics: Statistics,
}

/// The part of the requests that count as slow.
const SLOW: f64 = 0.01;

/// What happened between the end of the warm-up, in seconds since the start, and the last sample.
/// Nothing if the server was started anew meanwhile, or there is only one sample.
pub fn breakdown(samples: &[Sample], warm_up: f64) -> Option<Breakdown> {
    let distance = |sample: &Sample| (sample.at - warm_up).abs();
    let first = samples
        .iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)))
        .map(|(place, _)| place)?;
    let samples = samples.get(first..)?;
    let (begin, end) = (samples.first()?, samples.last()?);
    let in_order = samples
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.statistics.uptime_ns < b.statistics.uptime_ns));
    if samples.len() < 2 || !in_order {
        return None;
    }
    let (before, after) = (&begin.statistics, &end.statistics);
    let nothing = OperationTimes::default();
    let operations = after.operations.iter().filter_map(|(name, times)| {
        let before = before.operations.get(name).unwrap_or(&nothing);
        operation(name, times, before, &after.stages)
    });
    let moments = samples.windows(2).filter_map(|pair| match pair {
        [from, to] => Some(moment(from, to, warm_up)),
        _ => None,
    });
    Some(Breakdown {
        version: after.version.clone(),
        seconds: end.at - begin.at,
        stages: after.stages.clone(),
        operations: operations.collect(),
        engine: engine(&before.engine, &after.engine),
        moments: moments.collect(),
    })
}

fn operation(
    name: &str,
    after: &OperationTimes,
    before: &OperationTimes,
    stages: &[String],
) -> Option<ServerOperation> {
    let total = after.total.since(&before.total);
    if total.count == 0 {
        return None;
    }
    let nothing = Counted::default();
    let stage = |stage: &String| {
        let after = after.stages.get(stage).unwrap_or(&nothing);
        let spent = after.since(before.stages.get(stage).unwrap_or(&nothing));
        view(stage, &spent, total.count)
    };
    Some(ServerOperation {
        name: name.to_owned(),
        refused: after.refused.saturating_sub(before.refused),
        failed: after.failed.saturating_sub(before.failed),
        stages: stages.iter().map(stage).collect(),
        slow: slow(after, before, stages.len()),
        total: view("total", &total, total.count),
    })
}

fn view(name: &str, spent: &Counted, requests: u64) -> StageView {
    StageView {
        name: name.to_owned(),
        count: spent.count,
        mean: spent.sum_ns as f64 / requests.max(1) as f64,
        p50: spent.percentile(50.0),
        p99: spent.percentile(99.0),
        p99_9: spent.percentile(99.9),
    }
}

/// What the slowest requests did: the classes of the longest total times, and of the last one that
/// is needed a part.
fn slow(after: &OperationTimes, before: &OperationTimes, stages: usize) -> Option<SlowRequests> {
    let classes: Vec<(u64, u64, Vec<u64>)> = after
        .by_total
        .iter()
        .map(|(at_most, count, spent)| {
            let same = before
                .by_total
                .iter()
                .find(|(other, _, _)| other == at_most);
            let earlier = |place: usize| {
                same.and_then(|(_, _, spent)| spent.get(place).copied())
                    .unwrap_or(0)
            };
            let spent = spent.iter().enumerate();
            let spent = spent.map(|(place, ns)| ns.saturating_sub(earlier(place)));
            let count = count.saturating_sub(same.map_or(0, |(_, count, _)| *count));
            (*at_most, count, spent.collect())
        })
        .filter(|(_, count, _)| *count > 0)
        .collect();
    let all: u64 = classes.iter().map(|(_, count, _)| count).sum();
    let wanted = (all as f64 * SLOW).max(1.0);
    let (mut taken, mut means) = (0.0, vec![0.0; stages]);
    for (_, count, spent) in classes.iter().rev() {
        let part = ((wanted - taken) / *count as f64).min(1.0);
        for (mean, ns) in means.iter_mut().zip(spent) {
            *mean += *ns as f64 * part / wanted;
        }
        taken += *count as f64 * part;
        if part < 1.0 {
            break;
        }
    }
    (all > 0).then_some(SlowRequests {
        share: SLOW,
        count: wanted,
        means,
    })
}

fn engine(before: &Engine, after: &Engine) -> EngineView {
    let since = |pick: fn(&Engine) -> u64| pick(after).saturating_sub(pick(before));
    let groups = after.wal_group_times.since(&before.wal_group_times);
    let wal = since(|engine| engine.wal_bytes);
    let flushed = since(|engine| engine.flushed_bytes);
    let compacted = since(|engine| engine.compaction_written_bytes);
    let (hits, misses) = (
        since(|engine| engine.block_cache_hits),
        since(|engine| engine.block_cache_misses),
    );
    let part = |of: u64, all: u64| (all > 0).then(|| of as f64 / all as f64);
    EngineView {
        commits: since(|engine| engine.commits),
        wal_groups: since(|engine| engine.wal_groups),
        wal_bytes: wal,
        group_write: view("group", &groups, groups.count),
        throttled_commits: since(|engine| engine.throttled_commits),
        delayed_commits: since(|engine| engine.delayed_commits),
        delay_ns: since(|engine| engine.delay_ns),
        flushes: since(|engine| engine.flushes),
        flushed_bytes: flushed,
        compactions: since(|engine| engine.compactions),
        compaction_read_bytes: since(|engine| engine.compaction_read_bytes),
        compaction_written_bytes: compacted,
        write_amplification: part(wal + flushed + compacted, wal),
        block_cache_hit_rate: part(hits, hits + misses),
        level_bytes: after.levels.iter().map(|level| level.bytes).collect(),
    }
}

fn moment(from: &Sample, to: &Sample, warm_up: f64) -> Moment {
    let (before, after) = (&from.statistics, &to.statistics);
    let (old, new) = (&before.engine, &after.engine);
    let nothing = OperationTimes::default();
    let none = Counted::default();
    let mut spent = vec![0_u64; after.stages.len()];
    let mut requests = 0;
    for (name, times) in &after.operations {
        let earlier = before.operations.get(name).unwrap_or(&nothing);
        requests += times.total.count.saturating_sub(earlier.total.count);
        for (sum, stage) in spent.iter_mut().zip(&after.stages) {
            let now = times.stages.get(stage).unwrap_or(&none).sum_ns;
            let then = earlier.stages.get(stage).unwrap_or(&none).sum_ns;
            *sum += now.saturating_sub(then);
        }
    }
    let groups = new.wal_group_times.since(&old.wal_group_times);
    Moment {
        from: from.at - warm_up,
        to: to.at - warm_up,
        requests,
        spent_ns: spent,
        commits: new.commits.saturating_sub(old.commits),
        throttled_commits: new.throttled_commits.saturating_sub(old.throttled_commits),
        delayed_commits: new.delayed_commits.saturating_sub(old.delayed_commits),
        delay_ns: new.delay_ns.saturating_sub(old.delay_ns),
        refuses_writes: new.refuses_writes.is_some(),
        group_p99: groups.percentile(99.0),
        flushed_bytes: new.flushed_bytes.saturating_sub(old.flushed_bytes),
        compaction_written_bytes: new
            .compaction_written_bytes
            .saturating_sub(old.compaction_written_bytes),
        compaction_debt_bytes: new.compaction_debt_bytes,
        memtable_bytes: new.memtable_bytes,
        immutable_memtables: new.immutable_memtables,
        l0_sublevels: new.l0_sublevels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: f64, requests: u64) -> Sample {
        // Each request: 10 µs of one stage, and of every hundredth 1 ms of the other.
        let slow = requests / 100;
        let counted = |count, each: u64| Counted {
            count,
            sum_ns: count * each,
            buckets: vec![(each, count)],
        };
        let stages = [
            ("a", counted(requests, 10_000)),
            ("b", counted(slow, 1_000_000)),
        ];
        let times = OperationTimes {
            total: Counted {
                sum_ns: requests * 10_000 + slow * 1_000_000,
                ..counted(requests, 10_000)
            },
            stages: stages.map(|(name, times)| (name.to_owned(), times)).into(),
            by_total: vec![
                (12_287, requests - slow, vec![(requests - slow) * 10_000, 0]),
                (1_048_575, slow, vec![slow * 10_000, slow * 1_000_000]),
            ],
            ..OperationTimes::default()
        };
        let mut statistics = Statistics {
            uptime_ns: (at * 1e9) as u64 + 5,
            stages: vec!["a".to_owned(), "b".to_owned()],
            ..Statistics::default()
        };
        statistics.operations.insert("GetItem".to_owned(), times);
        statistics.engine.commits = requests;
        statistics.engine.compaction_debt_bytes = requests;
        Sample { at, statistics }
    }

    #[test]
    fn what_was_before_is_left_out_and_stages_add_up() {
        let samples = [
            sample(0.0, 1000),
            sample(1.9, 5000),
            sample(3.0, 6000),
            sample(4.0, 9000),
        ];
        let found = breakdown(&samples, 2.0).unwrap();
        assert!((found.seconds - 2.1).abs() < 1e-9);
        let [operation] = &found.operations[..] else {
            panic!("{:?}", found.operations);
        };
        assert_eq!(
            (operation.name.as_str(), operation.total.count),
            ("GetItem", 4000)
        );
        let means: Vec<f64> = operation.stages.iter().map(|stage| stage.mean).collect();
        assert_eq!(means, [10_000.0, 10_000.0]);
        assert_eq!(operation.total.mean, 20_000.0);
        assert_eq!(operation.stages[1].count, 40);
        let slow = operation.slow.as_ref().unwrap();
        assert_eq!(
            (slow.count, &slow.means[..]),
            (40.0, &[10_000.0, 1_000_000.0][..])
        );
        assert_eq!(found.engine.commits, 4000);
        let moments: Vec<(u64, u64)> = found
            .moments
            .iter()
            .map(|moment| (moment.requests, moment.compaction_debt_bytes))
            .collect();
        assert_eq!(moments, [(1000, 6000), (3000, 9000)]);
        assert!((found.moments[0].from + 0.1).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_made_up() {
        assert!(breakdown(&[], 0.0).is_none());
        assert!(breakdown(&[sample(1.0, 500)], 0.0).is_none());
        // The server was started anew: it counts from zero.
        let mut anew = sample(2.0, 100);
        anew.statistics.uptime_ns = 7;
        assert!(breakdown(&[sample(1.0, 500), anew], 0.0).is_none());
    }
}
