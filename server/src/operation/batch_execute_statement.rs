//! BatchExecuteStatement: up to 25 PartiQL statements, each by itself: all read or all write.
//!
//! What is wrong with one statement is its own answer, and the others are executed.

use crate::{
    Stator,
    item::Item,
    operation::{
        RequestContext,
        respond::{ReturnCapacity, returns_item_on_failure},
        single_write,
        statement::{self, Prepared, Refused, read, write},
    },
    partiql::{Body, StatementError},
    plan::{
        capacity::{Consistency, Usage},
        key::Origin,
        read as plan_read,
    },
    wire::{
        Error,
        shapes::{
            BatchExecuteStatementInput, BatchExecuteStatementOutput, BatchStatementError,
            BatchStatementRequest, BatchStatementResponse, ConsumedCapacity,
        },
    },
};

/// What became of a statement.
struct Done {
    item: Option<Item>,
    consumed: Option<ConsumedCapacity>,
}

/// Why a statement did not become anything, and whether it came as far as its table.
struct Failed {
    error: Error,
    ran: bool,
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self {
            error: refused.into_error(),
            ran: false,
        }
    }
}

impl Failed {
    fn running(error: Error) -> Self {
        Self { error, ran: true }
    }
}

/// Executes a BatchExecuteStatement request.
///
/// # Errors
/// `ValidationException` for a batch that reads and writes.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: BatchExecuteStatementInput,
) -> Result<BatchExecuteStatementOutput, Error> {
    let capacity = ReturnCapacity::requested(input.return_consumed_capacity.as_deref());
    let requests = input.statements.unwrap_or_default();
    let prepared: Vec<(BatchStatementRequest, Result<Prepared, Refused>)> = requests
        .into_iter()
        .map(|mut request| {
            let parameters = request.parameters.take();
            let text = request.statement.as_deref();
            let prepared = statement::prepare(stator, text, parameters);
            (request, prepared)
        })
        .collect();
    let mut kinds = prepared
        .iter()
        .filter_map(|(_, prepared)| Some(prepared.as_ref().ok()?.statement.is_read()));
    if let Some(first) = kinds.next()
        && kinds.any(|kind| kind != first)
    {
        // The API reference has the rule; no capture has the words.
        return Err(Error::validation(
            "The entire batch must consist of either read statements or write statements, you \
             cannot mix both in one batch.",
        ));
    }
    let (mut responses, mut consumed) = (Vec::with_capacity(prepared.len()), Vec::new());
    for (request, prepared) in prepared {
        let name = prepared.as_ref().ok().map(|prepared| {
            let body = prepared.statement.body();
            write::table_name(body).to_owned()
        });
        let done = match prepared {
            Ok(prepared) => one(stator, context, &request, prepared, capacity).await,
            Err(refused) => Err(refused.into()),
        };
        responses.push(match done {
            Ok(done) => {
                consumed.extend(done.consumed);
                BatchStatementResponse {
                    error: None,
                    table_name: name,
                    item: done.item,
                }
            }
            Err(failed) => BatchStatementResponse {
                error: Some(statement_error(&failed.error)),
                table_name: name.filter(|_| failed.ran),
                item: None,
            },
        });
    }
    Ok(BatchExecuteStatementOutput {
        responses: Some(responses),
        consumed_capacity: (capacity != ReturnCapacity::None).then_some(consumed),
    })
}

async fn one(
    stator: &Stator,
    context: &RequestContext,
    request: &BatchStatementRequest,
    mut prepared: Prepared,
    capacity: ReturnCapacity,
) -> Result<Done, Failed> {
    let statement = prepared.statement.clone();
    let name = write::table_name(statement.body());
    match statement.body() {
        Body::Select(_) => {
            let several = StatementError::BatchKey;
            let single = read::single(stator, context, &mut prepared, several)?;
            let key = single.key.clone().map_err(Refused::from)?;
            let found = plan_read::get(stator.store(), key).await;
            let item = found.map_err(Failed::running)?;
            let consistency = Consistency::requested(request.consistent_read);
            let usage = Usage::of_read(item.as_ref(), consistency);
            Ok(Done {
                consumed: capacity.of(name, &single.table, &usage),
                item: item.map(|item| single.apply(item)),
            })
        }
        Body::Exists(_) => Err(Refused::from(StatementError::Operation("Call")).into()),
        _ => {
            let mut planned = write::plan(stator, context, &mut prepared, Origin::Update)?;
            let write = planned
                .take_write()
                .map_err(|error| Failed::from(Refused::Other(error)))?;
            let on_failure = request.return_values_on_condition_check_failure.as_deref();
            let with_item = returns_item_on_failure(on_failure);
            let written = single_write::run(stator, write, with_item)
                .await
                .map_err(|error| Failed::running(write::error(planned.inserts, error)))?;
            Ok(Done {
                consumed: capacity.of(name, &written.table, &written.usage),
                item: planned.returned(written),
            })
        }
    }
}

/// An error as batches have them: its code is short, and that of the item's is within it.
fn statement_error(error: &Error) -> BatchStatementError {
    let code = match error {
        Error::ConditionalCheckFailed { .. } => "ConditionalCheckFailed",
        Error::DuplicateItem(_) => "DuplicateItem",
        Error::ItemCollectionSizeLimitExceeded(_) => "ItemCollectionSizeLimitExceeded",
        Error::RequestLimitExceeded { .. } => "RequestLimitExceeded",
        Error::ProvisionedThroughputExceeded { .. } => "ProvisionedThroughputExceeded",
        Error::Throttling { .. } => "ThrottlingError",
        Error::TransactionConflict(_) => "TransactionConflict",
        Error::ResourceNotFound(_) => "ResourceNotFound",
        Error::AccessDenied(_) => "AccessDenied",
        Error::InternalServer(_) => "InternalServerError",
        _ => "ValidationError",
    };
    BatchStatementError {
        code: Some(code.to_owned()),
        message: error.message().map(std::borrow::Cow::into_owned),
        item: match error {
            Error::ConditionalCheckFailed { item } => item.clone(),
            _ => None,
        },
    }
}
