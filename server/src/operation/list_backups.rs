//! `ListBackups`.

use super::RequestContext;
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{ListBackupsInput, ListBackupsOutput},
    },
};

/// Lists nothing, since no backup can be made: neither of a table that exists nor, as in AWS, of one
/// that does not (DDB-TABLE-014 of the source named in [`super::definition`]).
pub(super) async fn execute(
    _: &Stator,
    _: &RequestContext,
    input: ListBackupsInput,
) -> Result<ListBackupsOutput, Error> {
    if let (Some(lower), Some(upper)) = (input.time_range_lower_bound, input.time_range_upper_bound)
        && lower > upper
    {
        return Err(Error::validation(
            "One or more parameter values were invalid: Time range lower bound must be less than \
             or equal to upper bound",
        ));
    }
    Ok(ListBackupsOutput {
        backup_summaries: Some(Vec::new()),
        last_evaluated_backup_arn: None,
    })
}
