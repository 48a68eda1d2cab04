//! `DescribeLimits`: the quotas of an account that nobody has raised. AWS answers
//! the same numbers (DDB-TABLE-131 of the source named in [`super::definition`]).

use super::{
    RequestContext,
    definition::throughput::{ACCOUNT_CAPACITY_LIMIT, TABLE_CAPACITY_LIMIT},
};
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{DescribeLimitsInput, DescribeLimitsOutput},
    },
};

pub(super) async fn execute(
    _: &Stator,
    _: &RequestContext,
    _: DescribeLimitsInput,
) -> Result<DescribeLimitsOutput, Error> {
    Ok(DescribeLimitsOutput {
        account_max_read_capacity_units: Some(ACCOUNT_CAPACITY_LIMIT),
        account_max_write_capacity_units: Some(ACCOUNT_CAPACITY_LIMIT),
        table_max_read_capacity_units: Some(TABLE_CAPACITY_LIMIT),
        table_max_write_capacity_units: Some(TABLE_CAPACITY_LIMIT),
    })
}
