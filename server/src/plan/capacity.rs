//! Capacity units: what a read or write costs, and who consumed it.
//!
//! The arithmetic is the developer guide's ("Read and write capacity units", "Capacity unit
//! consumption"): reads are billed in steps of 4 KB, writes in steps of 1 KB, an eventually
//! consistent read costs half, a transactional request costs double. Units are counted in halves,
//! so that sums stay exact; they become the wire's floating point number only at the edge.

use std::ops::{Add, AddAssign};

use crate::item::Item;

/// Bytes that one read unit covers.
const READ_UNIT_BYTES: u64 = 4 * 1024;
/// Bytes that one write unit covers.
const WRITE_UNIT_BYTES: u64 = 1024;

/// An amount of read or write capacity, counted in half units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Units(u64);

/// What a read asks for, and therefore what its 4 KB step costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// `ConsistentRead: false`: half a unit per step.
    Eventual,
    /// `ConsistentRead: true`: one unit per step.
    Strong,
    /// `TransactGetItems`: two units per step.
    Transactional,
}

impl Consistency {
    /// The consistency that a `ConsistentRead` member asks for; absent means eventual.
    pub fn requested(consistent_read: Option<bool>) -> Self {
        match consistent_read {
            Some(true) => Self::Strong,
            _ => Self::Eventual,
        }
    }

    fn half_units_per_step(self) -> u64 {
        match self {
            Self::Eventual => 1,
            Self::Strong => 2,
            Self::Transactional => 4,
        }
    }
}

impl Units {
    /// No capacity at all.
    pub const ZERO: Self = Self(0);

    /// The cost of reading `size` bytes as one request. Reading nothing still costs one step:
    /// "if you perform a read operation on an item that does not exist, DynamoDB still consumes
    /// provisioned read throughput".
    pub fn read(size: u64, consistency: Consistency) -> Self {
        let steps = size.div_ceil(READ_UNIT_BYTES).max(1);
        Self(steps.saturating_mul(consistency.half_units_per_step()))
    }

    /// The cost of writing an item of `size` bytes, or of replacing one, where `size` is the larger
    /// of the two. Deleting what does not exist still costs one unit.
    pub fn write(size: u64) -> Self {
        Self(size.div_ceil(WRITE_UNIT_BYTES).max(1).saturating_mul(2))
    }

    /// The same work done inside a transaction: twice the units (one to prepare, one to commit).
    #[must_use]
    pub fn doubled(self) -> Self {
        Self(self.0.saturating_mul(2))
    }

    /// Whether nothing was consumed.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The amount as the wire shows it.
    #[expect(
        clippy::cast_precision_loss,
        reason = "half units of one request stay far below 2^53"
    )]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 2.0
    }
}

impl Add for Units {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// What one request consumed on one table: on the table itself, and on each secondary index, named
/// by its position in the table's definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    table: Units,
    indexes: Vec<(usize, Units)>,
}

impl Usage {
    /// Nothing consumed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reading one item by its key, or finding that there is none.
    pub fn of_read(item: Option<&Item>, consistency: Consistency) -> Self {
        let mut usage = Self::new();
        usage.charge_table(Units::read(item.map_or(0, Item::size) as u64, consistency));
        usage
    }

    /// Adds what the table itself consumed.
    pub fn charge_table(&mut self, units: Units) {
        self.table += units;
    }

    /// Adds what the index at `position` of the table's definition consumed. An index that consumed
    /// nothing is not listed.
    pub fn charge_index(&mut self, position: usize, units: Units) {
        if units.is_zero() {
            return;
        }
        match self.indexes.iter_mut().find(|(at, _)| *at == position) {
            Some((_, sum)) => *sum += units,
            None => self.indexes.push((position, units)),
        }
    }

    /// Adds everything another request part consumed on the same table.
    pub fn merge(&mut self, other: &Self) {
        self.charge_table(other.table);
        for &(position, units) in &other.indexes {
            self.charge_index(position, units);
        }
    }

    /// What the same work consumes inside a transaction: the table's part doubles (one write to
    /// prepare, one to commit), and that of the indexes does not. The developer guide says the one
    /// and is silent on the other, which was measured on AWS (nubo-db/dynoxide, pull request 188).
    #[must_use]
    pub fn in_transaction(mut self) -> Self {
        self.table = self.table.doubled();
        self
    }

    /// What the table itself consumed.
    pub fn table(&self) -> Units {
        self.table
    }

    /// What the indexes consumed, by position in the table's definition.
    pub fn indexes(&self) -> &[(usize, Units)] {
        &self.indexes
    }

    /// The sum over the table and its indexes.
    pub fn total(&self) -> Units {
        self.indexes
            .iter()
            .fold(self.table, |sum, &(_, units)| sum + units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_round_up_to_four_kilobytes() {
        for (size, eventual, strong) in [
            (0, 0.5, 1.0),
            (1, 0.5, 1.0),
            (4096, 0.5, 1.0),
            (4097, 1.0, 2.0),
            (409_600, 50.0, 100.0),
        ] {
            assert_eq!(
                Units::read(size, Consistency::Eventual).as_f64(),
                eventual,
                "{size}"
            );
            assert_eq!(
                Units::read(size, Consistency::Strong).as_f64(),
                strong,
                "{size}"
            );
            assert_eq!(
                Units::read(size, Consistency::Transactional).as_f64(),
                strong * 2.0,
                "{size}"
            );
        }
    }

    #[test]
    fn writes_round_up_to_one_kilobyte() {
        for (size, units) in [
            (0, 1.0),
            (1, 1.0),
            (1024, 1.0),
            (1025, 2.0),
            (409_600, 400.0),
        ] {
            assert_eq!(Units::write(size).as_f64(), units, "{size}");
            assert_eq!(Units::write(size).doubled().as_f64(), units * 2.0, "{size}");
        }
    }

    #[test]
    fn usage_adds_up_per_index() {
        let mut usage = Usage::new();
        usage.charge_table(Units::write(10));
        usage.charge_index(1, Units::write(10));
        usage.charge_index(1, Units::write(2000));
        usage.charge_index(0, Units::ZERO);
        let mut sum = Usage::new();
        sum.merge(&usage);
        sum.merge(&usage);
        assert_eq!(usage.total().as_f64(), 4.0);
        assert_eq!(sum.total().as_f64(), 8.0);
        assert_eq!(usage.indexes(), [(1, Units::write(2048) + Units::write(1))]);
    }
}
