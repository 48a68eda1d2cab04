//! `DescribeContinuousBackups`.

use super::RequestContext;
use crate::{
    stator::Stator,
    table::TableStatus,
    wire::{
        Error,
        shapes::{
            ContinuousBackupsDescription, DescribeContinuousBackupsInput,
            DescribeContinuousBackupsOutput, PointInTimeRecoveryDescription,
        },
    },
};

/// Point-in-time recovery cannot be enabled yet, so that it is disabled everywhere.
/// `ContinuousBackupsStatus` says something else: whether it could be enabled, which it can from the
/// time on that a table is ACTIVE (DDB-TABLE-085, -111 of the source named in
/// [`super::definition`]).
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: DescribeContinuousBackupsInput,
) -> Result<DescribeContinuousBackupsOutput, Error> {
    let given = input.table_name.as_deref().unwrap_or_default();
    let (namespace, name) = stator.resolve(context, given);
    let table = stator
        .catalog()
        .find(&namespace, name, context.now_ms)
        .ok_or_else(|| {
            // What has to do with backups has an error of its own for this (DDB-TABLE-098).
            Error::TableNotFound(format!("Table not found: {name}").into())
        })?;
    let status = match table.status(context.now_ms) {
        TableStatus::Creating => "DISABLED",
        TableStatus::Active | TableStatus::Updating | TableStatus::Deleting => "ENABLED",
    };
    Ok(DescribeContinuousBackupsOutput {
        continuous_backups_description: Some(ContinuousBackupsDescription {
            continuous_backups_status: Some(status.to_owned()),
            point_in_time_recovery_description: Some(PointInTimeRecoveryDescription {
                point_in_time_recovery_status: Some("DISABLED".to_owned()),
                ..PointInTimeRecoveryDescription::default()
            }),
        }),
    })
}
