//! Throughput settings: billing mode, provisioned units, on-demand maximums, warm throughput.
//!
//! They are kept, validated and described. Enforcing them is not built yet.

use serde::{Deserialize, Serialize};

/// How a table is billed, and therefore which throughput settings it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BillingMode {
    /// Provisioned read and write capacity units.
    #[serde(rename = "PROVISIONED")]
    Provisioned,
    /// On demand.
    #[serde(rename = "PAY_PER_REQUEST")]
    PayPerRequest,
}

impl BillingMode {
    /// DynamoDB's name of the mode.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioned => "PROVISIONED",
            Self::PayPerRequest => "PAY_PER_REQUEST",
        }
    }

    /// The mode with DynamoDB's `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "PROVISIONED" => Some(Self::Provisioned),
            "PAY_PER_REQUEST" => Some(Self::PayPerRequest),
            _ => None,
        }
    }
}

/// Provisioned capacity of a table or a global secondary index, with the dates that
/// `ProvisionedThroughputDescription` shows. On-demand tables have zero units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvisionedThroughput {
    /// `ReadCapacityUnits`.
    pub read_units: i64,
    /// `WriteCapacityUnits`.
    pub write_units: i64,
    /// When either was last raised, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub increased_ms: Option<u64>,
    /// When either was last lowered, Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decreased_ms: Option<u64>,
    /// How often either was lowered on the UTC day of `decreased_ms`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub decreases_that_day: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Milliseconds of a UTC day, the period over which decreases are counted.
const DAY_MS: u64 = 86_400_000;

impl ProvisionedThroughput {
    /// Capacity as first set.
    pub fn new(read_units: i64, write_units: i64) -> Self {
        Self {
            read_units,
            write_units,
            ..Self::default()
        }
    }

    /// `NumberOfDecreasesToday` at `now_ms`.
    pub fn decreases_today(&self, now_ms: u64) -> u32 {
        match self.decreased_ms {
            Some(at) if at / DAY_MS == now_ms / DAY_MS => self.decreases_that_day,
            _ => 0,
        }
    }

    /// Sets new units at `now_ms` and keeps the dates. Raising one and lowering the other counts
    /// as both.
    pub fn change(&mut self, read_units: i64, write_units: i64, now_ms: u64) {
        if read_units > self.read_units || write_units > self.write_units {
            self.increased_ms = Some(now_ms);
        }
        if read_units < self.read_units || write_units < self.write_units {
            self.decreases_that_day = self.decreases_today(now_ms) + 1;
            self.decreased_ms = Some(now_ms);
        }
        self.read_units = read_units;
        self.write_units = write_units;
    }
}

/// Maximums of an on-demand table or index. `None` and -1 both mean that there is none; they are
/// described differently, as they were given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnDemandThroughput {
    /// `MaxReadRequestUnits` per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_read_units: Option<i64>,
    /// `MaxWriteRequestUnits` per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_write_units: Option<i64>,
}

/// Throughput that a table or index is ready to serve at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmThroughput {
    /// `ReadUnitsPerSecond`.
    pub read_units: i64,
    /// `WriteUnitsPerSecond`.
    pub write_units: i64,
}

impl WarmThroughput {
    /// What every on-demand table and index starts with (developer guide, "DynamoDB on-demand
    /// capacity mode", initial throughput).
    pub const ON_DEMAND: Self = Self {
        read_units: 12_000,
        write_units: 4_000,
    };

    /// The higher of both, member by member: warm throughput never falls.
    #[must_use]
    pub fn raised_to(self, read_units: i64, write_units: i64) -> Self {
        Self {
            read_units: self.read_units.max(read_units),
            write_units: self.write_units.max(write_units),
        }
    }
}
