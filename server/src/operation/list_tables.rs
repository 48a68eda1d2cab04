//! `ListTables`.

use super::RequestContext;
use crate::{
    stator::Stator,
    wire::{
        Error,
        shapes::{ListTablesInput, ListTablesOutput},
    },
};

/// Names per page, the most and the default (API reference, `ListTables`).
const PAGE: usize = 100;

/// Lists the names behind `ExclusiveStartTableName`, which need not exist, in the order of their
/// bytes. The last page has no `LastEvaluatedTableName`, also if it is full (DDB-TABLE-012, -379).
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: ListTablesInput,
) -> Result<ListTablesOutput, Error> {
    let limit = input
        .limit
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(PAGE);
    let after = input.exclusive_start_table_name.as_deref();
    let (names, more) = stator
        .catalog()
        .names(&context.namespace, after, limit, context.now_ms);
    let last = names.last().filter(|_| more).cloned();
    Ok(ListTablesOutput {
        table_names: Some(names),
        last_evaluated_table_name: last,
    })
}
