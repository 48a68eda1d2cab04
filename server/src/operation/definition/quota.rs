//! Quotas of an account in a Region, over all its tables.
//!
//! What is refused was counted just before. Requests that come at the same moment are not counted
//! against one another: a quota can be passed by as many as do.

use super::throughput::ACCOUNT_CAPACITY_LIMIT;
use crate::{
    stator::Stator,
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
/// `LimitExceededException`. The words are those of users' reports, with today's numbers:
/// hashicorp/terraform-provider-aws#2274 quotes that of too many tables, hashicorp/terraform#16525
/// that of indexed ones.
pub(crate) fn check_creation(
    stator: &Stator,
    namespace: &Namespace,
    indexed: bool,
    now_ms: u64,
) -> Result<(), Error> {
    let quotas = stator.quotas();
    let census = stator.catalog().census(namespace, now_ms);
    if census.tables >= quotas.tables {
        let limit = quotas.tables;
        return Err(exceeded(format!(
            "There is a limit of {limit} tables per subscriber"
        )));
    }
    if indexed && census.creating_indexed >= quotas.creating_indexed {
        return Err(exceeded(
            "You have exceeded the maximum number of indexed tables that can be created \
             simultaneously"
                .to_owned(),
        ));
    }
    check(quotas, census)
}

/// That the account can have the provisioned capacity of `after` in place of that of `before`, which
/// is that of the table until now (DDB-TABLE-443).
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
    let before = before.map_or((0, 0), Record::provisioned);
    let after = after.provisioned();
    let more = (after.0 - before.0, after.1 - before.1);
    if more.0 <= 0 && more.1 <= 0 {
        return Ok(());
    }
    let census = stator.catalog().census(namespace, now_ms);
    for (member, reserved, more) in [
        ("ReadCapacityUnits", census.read_units, more.0),
        ("WriteCapacityUnits", census.write_units, more.1),
    ] {
        if more > 0 && reserved + more > ACCOUNT_CAPACITY_LIMIT {
            return Err(Error::LimitExceeded(
                format!(
                    "This request would have caused the {member} limit to be exceeded for the \
                     account in {}. Current {member} reserved by the account: {reserved}. Limit: \
                     {ACCOUNT_CAPACITY_LIMIT}. Requested: {more}. Refer to the Amazon DynamoDB \
                     Developer Guide for current limits and how to request higher limits.",
                    namespace.region
                )
                .into(),
            ));
        }
    }
    Ok(())
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
    check(stator.quotas(), stator.catalog().census(namespace, now_ms))
}

fn check(quotas: Quotas, census: Census) -> Result<(), Error> {
    if census.changing < quotas.changing {
        return Ok(());
    }
    let limit = quotas.changing;
    Err(exceeded(format!(
        "Only {limit} tables can be created, updated, or deleted simultaneously"
    )))
}

fn exceeded(what: String) -> Error {
    Error::LimitExceeded(format!("Subscriber limit exceeded: {what}").into())
}
