//! Throughput settings of a definition: provisioned capacity, on-demand maximums, warm throughput.

use super::Refusal;
use crate::{
    table::{BillingMode, OnDemandThroughput, WarmThroughput},
    wire::{Error, shapes},
};

/// The largest number that is looked at as a capacity at all; larger ones are out of bounds before
/// any quota is.
const CAPACITY_BOUND: i64 = 1_000_000_000_000;
/// Read and write capacity units per table and per index, of an account whose quotas nobody has
/// raised (developer guide, "Quotas in Amazon DynamoDB").
pub(crate) const TABLE_CAPACITY_LIMIT: i64 = 40_000;
/// Read and write capacity units of all tables of such an account in a Region (ibid.).
pub(crate) const ACCOUNT_CAPACITY_LIMIT: i64 = 80_000;

/// Provisioned capacity as a request gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    pub(crate) read: i64,
    pub(crate) write: i64,
}

impl Capacity {
    /// That of an on-demand table.
    pub(crate) const NONE: Self = Self { read: 0, write: 0 };

    /// Takes the capacity of a request that passed the model's constraints.
    pub(crate) fn of(throughput: &shapes::ProvisionedThroughput) -> Self {
        Self {
            read: throughput.read_capacity_units.unwrap_or_default(),
            write: throughput.write_capacity_units.unwrap_or_default(),
        }
    }

    /// That both numbers can be capacities, of the table or of `index`.
    pub(crate) fn check_bounds(self, index: Option<&str>) -> Result<(), Refusal> {
        for (value, member) in [
            (self.read, "ReadCapacityUnits"),
            (self.write, "WriteCapacityUnits"),
        ] {
            if value > CAPACITY_BOUND {
                let index = index.map(str::to_owned);
                return Err(Refusal::CapacityOutOfBounds {
                    value,
                    member,
                    index,
                });
            }
        }
        Ok(())
    }

    /// That both are within the account's quota for the table or for `index`.
    pub(crate) fn check_quota(self, index: Option<&str>, region: &str) -> Result<(), Error> {
        for (value, member) in [
            (self.read, "ReadCapacityUnits"),
            (self.write, "WriteCapacityUnits"),
        ] {
            if value > TABLE_CAPACITY_LIMIT {
                let (of, per) = match index {
                    Some(index) => (format!(" for index {index}"), "index"),
                    None => (String::new(), "table"),
                };
                return Err(Error::LimitExceeded(
                    format!(
                        "The requested {member}{of}, {value}, is above the per {per} maximum for \
                         the account in {region}. Per {per} maximum: {TABLE_CAPACITY_LIMIT}. Refer \
                         to the Amazon DynamoDB Developer Guide for current limits and how to \
                         request higher limits."
                    )
                    .into(),
                ));
            }
        }
        Ok(())
    }
}

/// On-demand maximums of a request, for the table or for `index`.
///
/// -1, which takes a maximum away, can be sent to UpdateTable (`clearing`) and not to CreateTable
/// (DDB-TABLE-039, -178).
pub(crate) fn check_maximums(
    given: &shapes::OnDemandThroughput,
    index: Option<&str>,
    clearing: bool,
) -> Result<(), Refusal> {
    for (value, member) in maximum_members(given) {
        let valid = value.is_none_or(|value| value > 0 || (clearing && value == -1));
        if !valid {
            let index = index.map(str::to_owned);
            return Err(Refusal::MaximumOutOfRange { member, index });
        }
    }
    Ok(())
}

/// That maximums are within the account's quota.
pub(crate) fn check_maximum_quota(
    given: &shapes::OnDemandThroughput,
    index: Option<&str>,
    region: &str,
) -> Result<(), Error> {
    let quotas = ["TableMaxReadCapacityUnits", "TableMaxWriteCapacityUnits"];
    for ((value, member), quota) in maximum_members(given).into_iter().zip(quotas) {
        if value.is_some_and(|value| value > TABLE_CAPACITY_LIMIT) {
            let of = index.map_or_else(|| "table".to_owned(), |index| format!("index : {index}"));
            return Err(Error::LimitExceeded(
                format!(
                    "Subscriber limit exceeded: Requested {member} for OnDemandThroughput for \
                     {of} exceeds {quota} of the account in region {region}"
                )
                .into(),
            ));
        }
    }
    Ok(())
}

/// Whether no maximum is given.
pub(crate) fn is_empty(given: Option<&shapes::OnDemandThroughput>) -> bool {
    given.and_then(first_maximum).is_none()
}

/// Whether no warm throughput is given.
pub(crate) fn is_cold(given: Option<&shapes::WarmThroughput>) -> bool {
    given.is_none_or(|given| {
        given.read_units_per_second.is_none() && given.write_units_per_second.is_none()
    })
}

/// The first maximum that is given at all, by its name.
pub(crate) fn first_maximum(given: &shapes::OnDemandThroughput) -> Option<&'static str> {
    maximum_members(given)
        .into_iter()
        .find(|(value, _)| value.is_some())
        .map(|(_, member)| member)
}

fn maximum_members(given: &shapes::OnDemandThroughput) -> [(Option<i64>, &'static str); 2] {
    [
        (given.max_read_request_units, "MaxReadRequestUnits"),
        (given.max_write_request_units, "MaxWriteRequestUnits"),
    ]
}

/// `before` with the maximums of a request laid over it, member by member; -1 takes one away
/// (DDB-TABLE-178). `None` if none is left.
pub(crate) fn maximums(
    before: Option<OnDemandThroughput>,
    given: &shapes::OnDemandThroughput,
) -> Option<OnDemandThroughput> {
    let merge = |before: Option<i64>, given: Option<i64>| match given {
        Some(-1) => None,
        Some(given) => Some(given),
        None => before,
    };
    let before = before.unwrap_or_default();
    let after = OnDemandThroughput {
        max_read_units: merge(before.max_read_units, given.max_read_request_units),
        max_write_units: merge(before.max_write_units, given.max_write_request_units),
    };
    (after != OnDemandThroughput::default()).then_some(after)
}

/// Warm throughput at creation: what billing implies, raised to what is given, which must not be
/// less.
pub(crate) fn warm_at_creation(
    given: Option<&shapes::WarmThroughput>,
    billing: BillingMode,
    capacity: Capacity,
    index: Option<&str>,
) -> Result<WarmThroughput, Refusal> {
    let implied = match billing {
        BillingMode::PayPerRequest => WarmThroughput::ON_DEMAND,
        BillingMode::Provisioned => WarmThroughput {
            read_units: capacity.read,
            write_units: capacity.write,
        },
    };
    let Some(given) = given else {
        return Ok(implied);
    };
    let low = |member, capacity| {
        let index = index.map(str::to_owned);
        match billing {
            BillingMode::PayPerRequest => Refusal::WarmBelowInitial { member, index },
            BillingMode::Provisioned => Refusal::WarmBelowCapacity {
                member,
                capacity,
                index,
            },
        }
    };
    let read_units = given.read_units_per_second.unwrap_or(implied.read_units);
    let write_units = given.write_units_per_second.unwrap_or(implied.write_units);
    if read_units < implied.read_units {
        return Err(low("ReadUnitsPerSecond", "ReadCapacityUnits"));
    }
    if write_units < implied.write_units {
        return Err(low("WriteUnitsPerSecond", "WriteCapacityUnits"));
    }
    Ok(WarmThroughput {
        read_units,
        write_units,
    })
}

/// Warm throughput that is raised by a request; lowering it is refused (DDB-TABLE-155, -179).
pub(crate) fn warm_raised(
    before: WarmThroughput,
    given: &shapes::WarmThroughput,
    index: Option<&str>,
) -> Result<WarmThroughput, Refusal> {
    let read_units = given.read_units_per_second.unwrap_or(before.read_units);
    let write_units = given.write_units_per_second.unwrap_or(before.write_units);
    let lower = |member| Refusal::WarmDecrease {
        member,
        index: index.map(str::to_owned),
    };
    if read_units < before.read_units {
        return Err(lower("ReadUnitsPerSecond"));
    }
    if write_units < before.write_units {
        return Err(lower("WriteUnitsPerSecond"));
    }
    Ok(WarmThroughput {
        read_units,
        write_units,
    })
}
