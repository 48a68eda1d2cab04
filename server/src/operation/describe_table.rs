//! `DescribeTable`.

use super::{RequestContext, definition::describe};
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{DescribeTableInput, DescribeTableOutput},
    },
};

pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: DescribeTableInput,
) -> Result<DescribeTableOutput, Error> {
    let table = stator.describe(context, input.table_name.as_deref().unwrap_or_default())?;
    Ok(DescribeTableOutput {
        table: Some(describe(&table, context.now_ms)),
    })
}
