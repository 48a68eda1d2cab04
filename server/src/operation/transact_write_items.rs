//! TransactWriteItems: puts, updates, deletes and checks up to 100 items of one or more tables, all of
//! it or nothing.
//!
//! What is wrong is found in this order (validation-ordering/transactions): the constraints of the
//! model; each action by itself, in the order of the request, its expressions before its item; the
//! tables; the keys; the client token; other transactions; the items. What is found up to the keys
//! refuses the request, what comes later cancels the transaction, and of the keys each in part
//! ([`Rejection::precedes_transaction`](crate::plan::Rejection::precedes_transaction)).

mod action;
pub(super) mod digest;

use std::sync::Arc;

use self::action::Requested;
use crate::{
    Stator,
    operation::{
        RequestContext,
        layer::Layer,
        respond::{ReturnCapacity, TransactionCapacity, collections},
        transactional,
    },
    plan::{
        Rejection, collection,
        transaction::{self, MAX_BYTES, Outcome, Token, tokens::TokenId},
        write::{Write, Written},
    },
    table::Table,
    wire::{
        Error, Operation,
        shapes::{TransactWriteItemsInput, TransactWriteItemsOutput},
    },
};

/// What of the request decides the answer, once the writes are planned.
struct Answer {
    capacity: ReturnCapacity,
    metrics: Option<String>,
}

/// An action and the table that it is about.
type OnTable = (Requested, Arc<Table>);

/// What an action did.
struct Done {
    /// The table as it was then.
    table: Arc<Table>,
    consumed: TransactionCapacity,
    /// Size of the item collection afterwards.
    collection_size: Option<u64>,
}

/// Executes a TransactWriteItems request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, `TransactionCanceledException`,
/// `TransactionInProgressException`, `IdempotentParameterMismatchException`, and failures of the
/// store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: TransactWriteItemsInput,
) -> Result<TransactWriteItemsOutput, Error> {
    let token = token(context, &input);
    let answer = Answer {
        capacity: ReturnCapacity::requested(input.return_consumed_capacity.as_deref()),
        metrics: input.return_item_collection_metrics.clone(),
    };
    let layer = Layer::new(Operation::TransactWriteItems, context.wording);
    let actions = validate(stator, layer, input)?
        .into_iter()
        .map(|action| Ok((stator.table(context, &action.table_name)?, action)))
        .map(|both: Result<_, Error>| both.map(|(table, action)| (action, table)))
        .collect::<Result<Vec<OnTable>, Error>>()?;
    let writes: Arc<[Write]> = plan(&actions)?.into();
    let transactions = stator.transactions();
    let outcome = transaction::write(transactions, stator.store(), writes, token).await?;
    let done: Vec<Done> = match outcome {
        Outcome::Tried(results) => {
            let with_item = |place: usize| {
                let action = actions.get(place);
                action.is_some_and(|(action, _)| action.item_on_failure)
            };
            let reason = |place, refusal| transactional::reason(with_item(place), refusal);
            let written = transactional::written(results, reason)?;
            written.into_iter().map(by_writing).collect()
        }
        Outcome::Conflict(conflicts) => return Err(transactional::conflict(&conflicts)),
        Outcome::Repeated(sizes) => {
            let mut done = Vec::with_capacity(sizes.len());
            for ((action, table), size) in actions.iter().zip(sizes) {
                done.push(repeat(stator, action, table, size).await?);
            }
            done
        }
    };
    Ok(respond(&actions, &done, &answer))
}

/// The client token, with what the request asks for.
fn token(context: &RequestContext, input: &TransactWriteItemsInput) -> Option<Token> {
    let token = input.client_request_token.as_deref()?;
    let actions = input.transact_items.as_deref().unwrap_or_default();
    Some(Token {
        id: TokenId::new(Operation::TransactWriteItems, &context.namespace, token),
        digest: digest::of(actions),
    })
}

/// Checks the request alone.
fn validate(
    stator: &Stator,
    layer: Layer,
    input: TransactWriteItemsInput,
) -> Result<Vec<Requested>, Error> {
    let actions = input
        .transact_items
        .unwrap_or_default()
        .into_iter()
        .map(|item| action::validate(layer, stator.expressions(), item))
        .collect::<Result<Vec<_>, Error>>()?;
    // More is counted when the items are there.
    if actions.iter().map(Requested::size).sum::<usize>() > MAX_BYTES {
        return Err(layer.refuse(Rejection::TransactionSize));
    }
    Ok(actions)
}

/// Checks items and keys against their tables.
fn plan(actions: &[OnTable]) -> Result<Vec<Write>, Error> {
    let planned = actions
        .iter()
        .map(|(action, table)| action.plan(table))
        .collect();
    transactional::settle(planned, |write: &Write| &write.key)
}

fn respond(actions: &[OnTable], done: &[Done], answer: &Answer) -> TransactWriteItemsOutput {
    let both = || {
        let names = actions.iter().map(|(action, _)| action);
        names.zip(done)
    };
    let by_tables =
        both().map(|(action, done)| ((&*action.table_name, &*done.table), &done.consumed));
    let written = both()
        .filter(|(action, _)| action.modifies())
        .map(|(action, done)| {
            let size = done.collection_size;
            (&*action.table_name, &*done.table, &action.item, size)
        });
    TransactWriteItemsOutput {
        consumed_capacity: answer.capacity.of_transaction(by_tables),
        item_collection_metrics: collections(answer.metrics.as_deref(), written),
    }
}

/// What a write did.
fn by_writing(written: Written) -> Done {
    Done {
        collection_size: written.collection_size(),
        consumed: TransactionCapacity::Write(written.usage.in_transaction()),
        table: written.table,
    }
}

/// What it is to repeat a write of this size.
async fn repeat(
    stator: &Stator,
    action: &Requested,
    table: &Arc<Table>,
    size: u32,
) -> Result<Done, Error> {
    Ok(Done {
        table: Arc::clone(table),
        consumed: transactional::repeated(size),
        collection_size: collection::size(stator.store(), table, action.item.as_ref()).await?,
    })
}
