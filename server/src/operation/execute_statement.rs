//! ExecuteStatement: one PartiQL statement.

use crate::{
    Stator,
    operation::{
        RequestContext,
        respond::{ReturnCapacity, returns_item_on_failure},
        single_write,
        statement::{self, Position, Prepared, Refused, read, write},
        transact_write_items::digest,
    },
    partiql::{Body, StatementError},
    plan::{capacity::Consistency, key::Origin},
    wire::{
        Error,
        shapes::{ExecuteStatementInput, ExecuteStatementOutput, ParameterizedStatement},
    },
};

/// Executes an ExecuteStatement request.
///
/// # Errors
/// What the statement breaks, `ResourceNotFoundException`, `ConditionalCheckFailedException`,
/// `DuplicateItemException`, and failures of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    mut input: ExecuteStatementInput,
) -> Result<ExecuteStatementOutput, Error> {
    let same = ParameterizedStatement {
        statement: input.statement.take(),
        parameters: input.parameters.take(),
        return_values_on_condition_check_failure: None,
    };
    let identity = digest::of_statements(std::slice::from_ref(&same));
    let prepared = statement::prepare(stator, same.statement.as_deref(), same.parameters)
        .map_err(Refused::into_error)?;
    match prepared.statement.is_read() {
        true => select(stator, context, input, prepared, identity).await,
        false => change(stator, context, input, prepared).await,
    }
}

async fn select(
    stator: &Stator,
    context: &RequestContext,
    input: ExecuteStatementInput,
    mut prepared: Prepared,
    identity: u128,
) -> Result<ExecuteStatementOutput, Error> {
    let statement = prepared.statement.clone();
    let Body::Select(select) = statement.body() else {
        return Err(StatementError::Operation("Call").into());
    };
    let consistency = Consistency::requested(input.consistent_read);
    let read = read::plan(stator, context, select, &mut prepared, consistency)
        .map_err(Refused::into_error)?;
    let table = read.table().clone();
    // A table that was made anew is another one.
    let identity = identity ^ u128::from(table.keyspace().0);
    let from = input
        .next_token
        .as_deref()
        .map(|token| Position::decode(token, identity))
        .transpose()?;
    let limit = input.limit.and_then(|limit| u64::try_from(limit).ok());
    let rows = read.page(stator, limit, from).await?;
    let capacity = ReturnCapacity::requested(input.return_consumed_capacity.as_deref());
    Ok(ExecuteStatementOutput {
        items: Some(rows.items),
        next_token: rows.next.as_ref().map(|next| next.encode(identity)),
        consumed_capacity: capacity.of(&select.table, &table, &rows.usage),
        last_evaluated_key: rows.next.and_then(Position::into_key),
    })
}

async fn change(
    stator: &Stator,
    context: &RequestContext,
    input: ExecuteStatementInput,
    mut prepared: Prepared,
) -> Result<ExecuteStatementOutput, Error> {
    let statement = prepared.statement.clone();
    if let Body::Exists(_) = statement.body() {
        return Err(StatementError::Operation("Call").into());
    }
    let mut planned =
        write::plan(stator, context, &mut prepared, Origin::Update).map_err(Refused::into_error)?;
    let write = planned.take_write()?;
    let with_item =
        returns_item_on_failure(input.return_values_on_condition_check_failure.as_deref());
    let written = single_write::run(stator, write, with_item)
        .await
        .map_err(|error| write::error(planned.inserts, error))?;
    let capacity = ReturnCapacity::requested(input.return_consumed_capacity.as_deref());
    let name = write::table_name(statement.body());
    let consumed_capacity = capacity.of(name, &written.table, &written.usage);
    Ok(ExecuteStatementOutput {
        items: Some(planned.returned(written).into_iter().collect()),
        next_token: None,
        consumed_capacity,
        last_evaluated_key: None,
    })
}
