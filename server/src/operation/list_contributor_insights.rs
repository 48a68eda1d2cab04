//! `ListContributorInsights`.

use super::RequestContext;
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{ListContributorInsightsInput, ListContributorInsightsOutput},
    },
};

/// Lists nothing: what is disabled is not listed (DDB-TABLE-095 of the source named in
/// [`super::definition`]), and nothing can be enabled.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: ListContributorInsightsInput,
) -> Result<ListContributorInsightsOutput, Error> {
    if let Some(name) = &input.table_name {
        stator.describe(context, name)?;
    }
    Ok(ListContributorInsightsOutput {
        contributor_insights_summaries: Some(Vec::new()),
        next_token: None,
    })
}
