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
