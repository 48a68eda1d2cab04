//! `ListGlobalTables`.

use super::RequestContext;
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{ListGlobalTablesInput, ListGlobalTablesOutput},
    },
};

/// Lists nothing: it is about global tables of the version of 2017, which nobody can create any
/// more, in AWS neither.
pub(super) async fn execute(
    _: &Stator,
    _: &RequestContext,
    _: ListGlobalTablesInput,
) -> Result<ListGlobalTablesOutput, Error> {
    Ok(ListGlobalTablesOutput {
        global_tables: Some(Vec::new()),
        last_evaluated_global_table_name: None,
    })
}
