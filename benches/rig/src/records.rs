//! The records that there are: how many, and under which keys.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::distribution::hash;

/// How the table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A partition key alone: YCSB's key.
    Simple,
    /// Records are spread over so many partitions by their number; YCSB's key is the sort key. So
    /// a Query reads neighbours in key order, as a scan of YCSB does.
    Partitioned {
        /// Partition keys that there are.
        partitions: u64,
    },
}

/// How keys look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStyle {
    /// Whether keys are in the order of the records' numbers (YCSB's `insertorder=ordered`).
    pub ordered: bool,
    /// Digits that a number is filled up to (YCSB's `zeropadding`).
    pub digits: usize,
    /// Where they stand.
    pub layout: Layout,
}

impl KeyStyle {
    /// Appends the key of a record: `user` and a number.
    pub fn write_name(&self, record: u64, text: &mut Vec<u8>) {
        let number = if self.ordered { record } else { hash(record) };
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(number).as_bytes();
        text.extend_from_slice(b"user");
        for _ in digits.len()..self.digits {
            text.push(b'0');
        }
        text.extend_from_slice(digits);
    }

    /// Appends the partition key of a record in a partitioned table.
    pub fn write_partition(&self, record: u64, partitions: u64, text: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        text.extend_from_slice(b"part");
        text.extend_from_slice(digits.format(record % partitions.max(1)).as_bytes());
    }
}

/// The numbers of the records, shared by all workers: those below `present` have been acknowledged
/// (YCSB's `AcknowledgedCounterGenerator`), so that nothing is asked for that may not be there.
#[derive(Debug)]
pub struct Records {
    next: AtomicU64,
    present: AtomicU64,
    /// From `present` on, which are acknowledged.
    acknowledged: Mutex<VecDeque<bool>>,
}

impl Records {
    /// So many records are there.
    pub fn new(present: u64) -> Self {
        Self {
            next: AtomicU64::new(present),
            present: AtomicU64::new(present),
            acknowledged: Mutex::new(VecDeque::new()),
        }
    }

    /// How many there are: the numbers below.
    pub fn present(&self) -> u64 {
        self.present.load(Ordering::Relaxed)
    }

    /// The number of a record that is to be inserted. It has to be acknowledged, also if it fails:
    /// otherwise none that follows would ever be asked for.
    pub fn claim(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The insert of `record` is over.
    pub fn acknowledge(&self, record: u64) {
        let mut window = self
            .acknowledged
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut present = self.present.load(Ordering::Relaxed);
        let Ok(place) = usize::try_from(record.saturating_sub(present)) else {
            return;
        };
        if window.len() <= place {
            window.resize(place + 1, false);
        }
        if let Some(slot) = window.get_mut(place) {
            *slot = true;
        }
        while window.front() == Some(&true) {
            window.pop_front();
            present += 1;
        }
        self.present.store(present, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_ycsb() {
        let mut style = KeyStyle {
            ordered: false,
            digits: 1,
            layout: Layout::Simple,
        };
        let name = |style: &KeyStyle, record| {
            let mut text = Vec::new();
            style.write_name(record, &mut text);
            String::from_utf8(text).unwrap()
        };
        assert_eq!(name(&style, 0), "user6284781860667377211");
        assert_eq!(name(&style, 1), "user8517097267634966620");
        style.ordered = true;
        assert_eq!(name(&style, 17), "user17");
        style.digits = 6;
        assert_eq!(name(&style, 17), "user000017");
    }

    #[test]
    fn what_is_present_has_no_holes() {
        let records = Records::new(10);
        let claimed: Vec<u64> = (0..4).map(|_| records.claim()).collect();
        assert_eq!(claimed, [10, 11, 12, 13]);
        records.acknowledge(11);
        records.acknowledge(13);
        assert_eq!(records.present(), 10);
        records.acknowledge(10);
        assert_eq!(records.present(), 12);
        records.acknowledge(12);
        assert_eq!(records.present(), 14);
    }
}
