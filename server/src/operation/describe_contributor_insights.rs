//! `DescribeContributorInsights`.

use super::RequestContext;
use crate::{
    stator::Stator,
    table::IndexKind,
    wire::{
        Error,
        shapes::{DescribeContributorInsightsInput, DescribeContributorInsightsOutput},
    },
};

/// Contributor Insights cannot be enabled, so that they are disabled for every table and every
/// global secondary index: what was never enabled has no more members than these (DDB-TABLE-089 of
/// the source named in [`super::definition`]).
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: DescribeContributorInsightsInput,
) -> Result<DescribeContributorInsightsOutput, Error> {
    if let Some(name) = &input.index_name {
        check_length(name)?;
    }
    let table = stator.describe(context, input.table_name.as_deref().unwrap_or_default())?;
    if let Some(name) = &input.index_name {
        let index = table.index(name);
        // A local secondary index has none of its own (DDB-TABLE-094).
        index
            .filter(|index| index.kind() == IndexKind::Global)
            .ok_or_else(|| {
                let message = format!(
                    "Requested resource not found: Index: {name} not found for table: {}",
                    table.name()
                );
                Error::ResourceNotFound(message.into())
            })?;
    }
    Ok(DescribeContributorInsightsOutput {
        table_name: Some(table.name().to_owned()),
        index_name: input.index_name,
        contributor_insights_status: Some("DISABLED".to_owned()),
        ..DescribeContributorInsightsOutput::default()
    })
}

/// The length of an index's name, which these operations check in words of their own (DDB-TABLE-457).
fn check_length(name: &str) -> Result<(), Error> {
    if (3..=255).contains(&name.encode_utf16().count()) {
        return Ok(());
    }
    Err(Error::validation(
        "IndexName must be at least 3 characters long and at most 255 characters long",
    ))
}
