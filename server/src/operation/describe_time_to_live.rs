//! `DescribeTimeToLive`.

use super::RequestContext;
use crate::{
    stator::Stator,
    table::TableStatus,
    wire::{
        Error,
        shapes::{DescribeTimeToLiveInput, DescribeTimeToLiveOutput, TimeToLiveDescription},
    },
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: DescribeTimeToLiveInput,
) -> Result<DescribeTimeToLiveOutput, Error> {
    let table = stator.describe(context, input.table_name.as_deref().unwrap_or_default())?;
    let status = table.status(context.now_ms);
    if matches!(status, TableStatus::Creating | TableStatus::Deleting) {
        // DDB-TABLE-442.
        let state = status.name();
        return Err(Error::validation(format!(
            "Cannot describe time to live while table is in {state} state: Current table state is \
             {state}"
        )));
    }
    let (status, attribute) = table.time_to_live(context.now_ms);
    Ok(DescribeTimeToLiveOutput {
        time_to_live_description: Some(TimeToLiveDescription {
            time_to_live_status: Some(status.name().to_owned()),
            attribute_name: attribute.map(str::to_owned),
        }),
    })
}
