//! `DescribeLimits`: the quotas of an account that nobody has raised.

use super::RequestContext;
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{DescribeLimitsInput, DescribeLimitsOutput},
    },
};

/// Read and write capacity units of all tables of an account in a Region (developer guide, "Quotas
/// in Amazon DynamoDB"; AWS answers the same numbers, DDB-TABLE-131 of the source named in
/// `definition::refusal`).
const ACCOUNT: i64 = 80_000;
/// Read and write capacity units per table (ibid.).
const TABLE: i64 = 40_000;

pub(super) async fn execute(
    _: &Stator,
    _: &RequestContext,
    _: DescribeLimitsInput,
) -> Result<DescribeLimitsOutput, Error> {
    Ok(DescribeLimitsOutput {
        account_max_read_capacity_units: Some(ACCOUNT),
        account_max_write_capacity_units: Some(ACCOUNT),
        table_max_read_capacity_units: Some(TABLE),
        table_max_write_capacity_units: Some(TABLE),
    })
}
