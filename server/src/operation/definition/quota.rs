//! Quotas of an account in a Region, over all its tables.
//!
//! Each is looked at twice: early, where its refusal stands among the others of a request, and again
//! when the change is about to be made ([`admits`]), with what has been promised to requests that came
//! at the same moment.

use super::throughput::ACCOUNT_CAPACITY_LIMIT;
use crate::{
    stator::Stator,
    store::Fault,
    table::{Census, Namespace, Record},
    wire::Error,
};

/// How many tables an account may have in a Region, and how many of them may be on their way at a
/// time. The defaults are those of an account for which nobody has asked for more (developer guide,
/// "Quotas in Amazon DynamoDB"; API reference, `LimitExceededException`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Tables.
    pub tables: usize,
    /// Tables that are being created, updated or deleted at a time.
    pub changing: usize,
    /// Tables with secondary indexes that are being created at a time.
    pub creating_indexed: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            tables: 2_500,
            changing: 500,
            creating_indexed: 250,
        }
    }
}

/// That one more table can be created in `namespace`.
///
/// # Errors
/// `LimitExceededException`.
pub(crate) fn check_creation(
    stator: &Stator,
    namespace: &Namespace,
    indexed: bool,
    now_ms: u64,
) -> Result<(), Error> {
    let more = Census {
        tables: 1,
        creating_indexed: usize::from(indexed),
        changing: 1,
        ..Census::default()
    };
    check_now(stator, namespace, more, now_ms)
}

/// That the account can have the provisioned capacity of `after` in place of that of `before`, which
/// is that of the table until now.
///
/// # Errors
/// `LimitExceededException`.
pub(crate) fn check_capacity(
    stator: &Stator,
    namespace: &Namespace,
    before: Option<&Record>,
    after: &Record,
    now_ms: u64,
) -> Result<(), Error> {
    let capacity = |record: &Record| {
        let (read_units, write_units) = record.provisioned();
        Census {
            read_units,
            write_units,
            ..Census::default()
        }
    };
    let before = before.map_or_else(Census::default, capacity);
    check_now(stator, namespace, capacity(after).beyond(before), now_ms)
}

/// That one more table of `namespace` can be changed or deleted.
///
/// # Errors
/// `LimitExceededException`.
pub(crate) fn check_change(
    stator: &Stator,
    namespace: &Namespace,
    now_ms: u64,
) -> Result<(), Error> {
    // Tables are on their way only where that is to be seen for a while.
    if stator.table_state_delay_ms() == 0 {
        return Ok(());
    }
    let more = Census {
        changing: 1,
        ..Census::default()
    };
    check_now(stator, namespace, more, now_ms)
}

/// The check of a change that is about to be made; see [`crate::table::Catalog::change_within`].
pub(crate) fn admits(
    stator: &Stator,
    namespace: &Namespace,
) -> impl FnOnce(Census, Census) -> Result<(), Fault> {
    let (quotas, region) = (stator.quotas(), namespace.region.clone());
    move |there, more| Ok(check(quotas, &region, there, more)?)
}

fn check_now(
    stator: &Stator,
    namespace: &Namespace,
    more: Census,
    now_ms: u64,
) -> Result<(), Error> {
    if more == Census::default() {
        return Ok(());
    }
    let there = stator.catalog().census(namespace, now_ms);
    check(stator.quotas(), &namespace.region, there, more)
}

/// That there can be `more` beside what is `there`. The words are those of users' reports, with
/// today's numbers: hashicorp/terraform-provider-aws#2274 quotes that of too many tables,
/// hashicorp/terraform#16525 that of indexed ones; and DDB-TABLE-443 that of capacity.
fn check(quotas: Quotas, region: &str, there: Census, more: Census) -> Result<(), Error> {
    let exceeds = |there: usize, more: usize, limit: usize| more > 0 && there + more > limit;
    let exceeded = |what: String| {
        Err(Error::LimitExceeded(
            format!("Subscriber limit exceeded: {what}").into(),
        ))
    };
    if exceeds(there.tables, more.tables, quotas.tables) {
        let limit = quotas.tables;
        return exceeded(format!("There is a limit of {limit} tables per subscriber"));
    }
    let (limit, indexed) = (quotas.creating_indexed, more.creating_indexed);
    if exceeds(there.creating_indexed, indexed, limit) {
        return exceeded(
            "You have exceeded the maximum number of indexed tables that can be created \
             simultaneously"
                .to_owned(),
        );
    }
    if exceeds(there.changing, more.changing, quotas.changing) {
        let limit = quotas.changing;
        return exceeded(format!(
            "Only {limit} tables can be created, updated, or deleted simultaneously"
        ));
    }
    for (member, reserved, more) in [
        ("ReadCapacityUnits", there.read_units, more.read_units),
        ("WriteCapacityUnits", there.write_units, more.write_units),
    ] {
        if more > 0 && reserved + more > ACCOUNT_CAPACITY_LIMIT {
            return Err(Error::LimitExceeded(
                format!(
                    "This request would have caused the {member} limit to be exceeded for the \
                     account in {region}. Current {member} reserved by the account: {reserved}. \
                     Limit: {ACCOUNT_CAPACITY_LIMIT}. Requested: {more}. Refer to the Amazon \
                     DynamoDB Developer Guide for current limits and how to request higher limits."
                )
                .into(),
            ));
        }
    }
    Ok(())
}
