//! `DescribeKinesisStreamingDestination`.

use super::RequestContext;
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{
            DescribeKinesisStreamingDestinationInput, DescribeKinesisStreamingDestinationOutput,
        },
    },
};

/// No table streams to Kinesis, since that cannot be enabled: the list is there and empty
/// (DDB-TABLE-299 of the source named in [`super::definition`]).
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: DescribeKinesisStreamingDestinationInput,
) -> Result<DescribeKinesisStreamingDestinationOutput, Error> {
    let table = stator.describe(context, input.table_name.as_deref().unwrap_or_default())?;
    Ok(DescribeKinesisStreamingDestinationOutput {
        table_name: Some(table.name().to_owned()),
        kinesis_data_stream_destinations: Some(Vec::new()),
    })
}
