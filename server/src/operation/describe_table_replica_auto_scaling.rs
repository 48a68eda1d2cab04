//! `DescribeTableReplicaAutoScaling`.

use super::RequestContext;
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{DescribeTableReplicaAutoScalingInput, DescribeTableReplicaAutoScalingOutput},
    },
};

/// It is about global tables, and no table here is one. AWS has the same words for a table without
/// replicas and for none at all (DDB-TABLE-070, -446 of the source named in
/// [`super::definition`]).
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: DescribeTableReplicaAutoScalingInput,
) -> Result<DescribeTableReplicaAutoScalingOutput, Error> {
    let given = input.table_name.as_deref().unwrap_or_default();
    let (_, name) = stator.resolve(context, given);
    let message = format!("Global table with name: '{name}' does not exist.");
    Err(Error::ResourceNotFound(message.into()))
}
