//! Quotas of an account in a Region, over all its tables.
//!
//! What is refused was counted just before. Requests that come at the same moment are not counted
//! against one another: a quota can be passed by as many as do.

use crate::{
    stator::Stator,
    table::{Census, Namespace},
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
