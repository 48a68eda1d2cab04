//! ExecuteTransaction: up to 100 PartiQL statements, all of them or nothing: all read, or all write.
//!
//! What is found in a statement refuses the request and says which one it is; what the key schema
//! makes of its key, and what only shows when the item is there, cancels the transaction, as in
//! TransactWriteItems.

use std::sync::Arc;

use crate::{
    Stator,
    operation::{
        RequestContext,
        respond::{ReturnCapacity, TransactionCapacity, returns_item_on_failure},
        statement::{
            self, Prepared,
            read::{self, Single},
            write::{self, Planned},
        },
        transact_write_items::digest,
        transactional,
    },
    partiql::{Body, StatementError},
    plan::{
        Rejection,
        capacity::{Consistency, Usage},
        key::Origin,
        transaction::{self, Outcome, Reads, Token, tokens::TokenId},
        write::{Refusal, Write},
    },
    table::Table,
    wire::{
        Error, Operation,
        error::{CancellationCode, CancellationReason},
        shapes::{ExecuteTransactionInput, ExecuteTransactionOutput, ItemResponse},
    },
};

/// A statement and whether its item is shown if its condition fails.
struct Member {
    prepared: Prepared,
    item_on_failure: bool,
}

/// Executes an ExecuteTransaction request.
///
/// # Errors
/// What a statement breaks, `ResourceNotFoundException`, `TransactionCanceledException`,
/// `TransactionInProgressException`, `IdempotentParameterMismatchException`, and failures of the
/// store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: ExecuteTransactionInput,
) -> Result<ExecuteTransactionOutput, Error> {
    let capacity = ReturnCapacity::requested(input.return_consumed_capacity.as_deref());
    let statements = input.transact_statements.unwrap_or_default();
    let digest = digest::of_statements(&statements);
    let members = statements
        .into_iter()
        .enumerate()
        .map(|(place, one)| {
            let item_on_failure =
                returns_item_on_failure(one.return_values_on_condition_check_failure.as_deref());
            let prepared = statement::prepare(stator, one.statement.as_deref(), one.parameters)
                .map_err(|refused| refused.in_transaction(place))?;
            Ok(Member {
                prepared,
                item_on_failure,
            })
        })
        .collect::<Result<Vec<Member>, Error>>()?;
    let reads = members
        .iter()
        .filter(|one| one.prepared.statement.is_read());
    match reads.count() {
        0 => {
            let token = input.client_request_token.as_deref().map(|token| Token {
                id: TokenId::new(Operation::ExecuteTransaction, &context.namespace, token),
                digest,
            });
            write(stator, context, members, capacity, token).await
        }
        count if count == members.len() => read(stator, context, members, capacity).await,
        // The developer guide has the rule; no capture has the words.
        _ => Err(Error::validation(
            "The entire transaction must consist of either read statements or write statements, \
             you cannot mix both in one transaction.",
        )),
    }
}

async fn read(
    stator: &Stator,
    context: &RequestContext,
    mut members: Vec<Member>,
    capacity: ReturnCapacity,
) -> Result<ExecuteTransactionOutput, Error> {
    let reads = members
        .iter_mut()
        .enumerate()
        .map(|(place, member)| {
            if let Body::Select(select) = member.prepared.statement.body()
                && select.index.is_some()
            {
                let error = StatementError::TransactionIndex;
                return Err(statement::Refused::from(error).in_transaction(place));
            }
            let several = StatementError::TransactionKey;
            read::single(stator, context, &mut member.prepared, several)
                .map_err(|refused| refused.in_transaction(place))
        })
        .collect::<Result<Vec<Single>, Error>>()?;
    let keys = reads.iter().map(|read| read.key.clone()).collect();
    let keys = transactional::settle(keys, |key| key)?;
    let items = match transaction::read(stator.transactions(), stator.store(), keys.into()).await? {
        Reads::Conflict(conflicts) => return Err(transactional::conflict(&conflicts)),
        Reads::Items(items) => items,
    };
    let consumed: Vec<TransactionCapacity> = items
        .iter()
        .map(|item| Usage::of_read(item.as_ref(), Consistency::Transactional))
        .map(TransactionCapacity::Read)
        .collect();
    let consumed = reads.iter().map(|read| &*read.table).zip(&consumed);
    let consumed_capacity = respond(&members, consumed, capacity);
    let responses = reads.iter().zip(items).map(|(read, item)| ItemResponse {
        item: item.map(|item| read.apply(item)),
    });
    Ok(ExecuteTransactionOutput {
        responses: Some(responses.collect()),
        consumed_capacity,
    })
}

async fn write(
    stator: &Stator,
    context: &RequestContext,
    mut members: Vec<Member>,
    capacity: ReturnCapacity,
    token: Option<Token>,
) -> Result<ExecuteTransactionOutput, Error> {
    let origin = Origin::TransactionalUpdate;
    let mut planned = members
        .iter_mut()
        .enumerate()
        .map(|(place, member)| {
            let planned =
                write::plan(stator, context, &mut member.prepared, origin).and_then(|planned| {
                    match planned.returns() {
                        true => Err(StatementError::TransactionReturning.into()),
                        false => Ok(planned),
                    }
                });
            planned.map_err(|refused| refused.in_transaction(place))
        })
        .collect::<Result<Vec<Planned>, Error>>()?;
    let writes: Vec<Result<Write, Rejection>> =
        planned.iter_mut().map(Planned::take_planned).collect();
    let writes: Arc<[Write]> = transactional::settle(writes, |write: &Write| &write.key)?.into();
    let outcome = transaction::write(stator.transactions(), stator.store(), writes, token).await?;
    let consumed: Vec<(Arc<Table>, TransactionCapacity)> = match outcome {
        Outcome::Tried(results) => {
            let reason = |place: usize, refusal| {
                let inserts = planned.get(place).is_some_and(|planned| planned.inserts);
                let with_item = members.get(place).is_some_and(|one| one.item_on_failure);
                reason(inserts, with_item, refusal)
            };
            let written = transactional::written(results, reason)?;
            let consumed = written.into_iter().map(|written| {
                let consumed = TransactionCapacity::Write(written.usage.in_transaction());
                (written.table, consumed)
            });
            consumed.collect()
        }
        Outcome::Conflict(conflicts) => return Err(transactional::conflict(&conflicts)),
        Outcome::Repeated(sizes) => planned
            .iter()
            .zip(sizes)
            .map(|(planned, size)| (Arc::clone(&planned.table), transactional::repeated(size)))
            .collect(),
    };
    let consumed = consumed
        .iter()
        .map(|(table, consumed)| (&**table, consumed));
    Ok(ExecuteTransactionOutput {
        // One of writes has none (tier2/partiql/writeResponses).
        responses: Some(Vec::new()),
        consumed_capacity: respond(&members, consumed, capacity),
    })
}

/// Why a statement stopped the transaction: an INSERT of what is there has a reason of its own.
fn reason(inserts: bool, with_item: bool, refusal: Refusal) -> CancellationReason {
    match refusal {
        Refusal::ConditionFailed(item) if inserts => CancellationReason {
            code: CancellationCode::DuplicateItem,
            message: Some(write::DUPLICATE.into()),
            item: item.filter(|_| with_item),
        },
        other => transactional::reason(with_item, other),
    }
}

fn respond<'a>(
    members: &'a [Member],
    consumed: impl Iterator<Item = (&'a Table, &'a TransactionCapacity)>,
    capacity: ReturnCapacity,
) -> Option<Vec<crate::wire::shapes::ConsumedCapacity>> {
    let names = members
        .iter()
        .map(|member| write::table_name(member.prepared.statement.body()));
    let by_tables = names.zip(consumed);
    capacity.of_transaction(by_tables.map(|(name, (table, consumed))| ((name, table), consumed)))
}
