//! What is asked of the endpoint: operations, records, sizes. YCSB's core workloads are presets.

use crate::distribution::{Distribution, ZIPFIAN_CONSTANT};
use crate::item::Size;
use crate::mix::{Job, Mix};
use crate::records::{KeyStyle, Layout};

/// How many neighbours a Query or Scan reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanLength {
    /// At least.
    pub low: u64,
    /// At most.
    pub high: u64,
    /// Short ones are the likelier, in a zipfian way; otherwise all are equally likely.
    pub zipfian: bool,
}

/// All that decides which requests are made; when they are made is no part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The table.
    pub table: String,
    /// The attribute that is its partition key.
    pub partition_key: String,
    /// The attribute that is its sort key, where it has one.
    pub sort_key: String,
    /// Operations.
    pub mix: Mix,
    /// Which records they are for.
    pub distribution: Distribution,
    /// Records at the start.
    pub records: u64,
    /// Fields of an item, besides its key: `field0` and so on.
    pub fields: u64,
    /// Bytes of the fields' values together.
    pub size: Size,
    /// Reads ask for all fields, and not for one.
    pub read_all_fields: bool,
    /// Updates write all fields, and not one.
    pub write_all_fields: bool,
    /// Of Query and Scan.
    pub scan_length: ScanLength,
    /// Reads are strongly consistent.
    pub consistent: bool,
    /// Items in a batch.
    pub batch: usize,
    /// Items in a transaction.
    pub transaction: usize,
    /// Keys in the order of the records' numbers.
    pub ordered: bool,
    /// Digits that the number in a key is filled up to.
    pub digits: usize,
    /// Records per partition key, in a table with a sort key.
    pub partition_size: u64,
    /// Requests that a run of a fixed number of operations makes; for how many records will be
    /// added.
    pub operations: Option<u64>,
}

impl Default for Workload {
    /// YCSB's values where it has one.
    fn default() -> Self {
        Self {
            table: "stator-bench".to_owned(),
            partition_key: "pk".to_owned(),
            sort_key: "sk".to_owned(),
            mix: Mix::only(Job::Get),
            distribution: Distribution::Zipfian(ZIPFIAN_CONSTANT),
            records: 1000,
            fields: 10,
            size: Size::Fixed(1000),
            read_all_fields: true,
            write_all_fields: false,
            scan_length: ScanLength {
                low: 1,
                high: 100,
                zipfian: false,
            },
            consistent: false,
            batch: 25,
            transaction: 4,
            ordered: false,
            digits: 1,
            partition_size: 1000,
            operations: None,
        }
    }
}

/// Mix and distribution of one of YCSB's core workloads (`workloads/workloada` to `workloadf`).
pub fn preset(letter: char) -> Option<(Mix, Distribution)> {
    use Job::{Get, Insert, Query, ReadModifyWrite, Update};
    let zipfian = Distribution::Zipfian(ZIPFIAN_CONSTANT);
    let (parts, distribution): (&[(Job, f64)], _) = match letter.to_ascii_lowercase() {
        'a' => (&[(Get, 0.5), (Update, 0.5)], zipfian),
        'b' => (&[(Get, 0.95), (Update, 0.05)], zipfian),
        'c' => (&[(Get, 1.0)], zipfian),
        'd' => (&[(Get, 0.95), (Insert, 0.05)], Distribution::Latest),
        'e' => (&[(Query, 0.95), (Insert, 0.05)], zipfian),
        'f' => (&[(Get, 0.5), (ReadModifyWrite, 0.5)], zipfian),
        _ => return None,
    };
    Some((Mix::new(parts.iter().copied())?, distribution))
}

impl Workload {
    /// How keys look: partitioned if something in the mix reads neighbours.
    pub fn key_style(&self) -> KeyStyle {
        let partitioned = self.mix.shares().any(|(job, _)| job.needs_sort_key());
        KeyStyle {
            ordered: self.ordered,
            digits: self.digits,
            layout: if partitioned {
                Layout::Partitioned {
                    partitions: self.records.div_ceil(self.partition_size.max(1)).max(1),
                }
            } else {
                Layout::Simple
            },
        }
    }

    /// How many records will be added, roughly: twice what is to be expected, as YCSB takes it.
    /// Without a number of operations to go by, as many as there are.
    pub fn expected_inserts(&self) -> u64 {
        let share = self.mix.share(Job::Insert);
        match self.operations {
            _ if share == 0.0 => 0,
            Some(operations) => (operations as f64 * share * 2.0) as u64,
            None => self.records,
        }
    }
}
