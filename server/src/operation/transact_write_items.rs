//! TransactWriteItems: up to 100 writes and condition checks over any tables, all or nothing.
//!
//! What a request says by itself is checked action by action, in order, before any table is looked
//! up; the first problem is the answer. What is wrong with an action in the light of its table or its
//! item cancels the transaction, with one reason per action (recorded answers:
//! `tests/tier3/validation-ordering/transactions.test.ts` and
//! `tests/tier3/error-messages/transactWriteItems.test.ts` of the conformance reference).

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use crate::{
    Stator,
    expression::{BoundCondition, BoundUpdate},
    item::{Item, MAX_ITEM_SIZE},
    operation::{
        RequestContext, condition,
        layer::{Layer, Parameter},
        respond::{ReturnCapacity, TransactionCapacity, collections, returns_item_on_failure},
        update_item,
    },
    plan::{
        Rejection,
        capacity::{Consistency, Units, Usage},
        key::{self, Origin},
        read,
        token::Token,
        write::{self, Action, Refusal, Write},
    },
    table::Table,
    wire::{
        Error, Operation, ValueInput,
        error::CancellationReason,
        shapes::{TransactWriteItem, TransactWriteItemsInput, TransactWriteItemsOutput},
    },
};

/// The most that the items of one transaction may come to, in bytes (API reference,
/// `TransactWriteItems`: 4 MB).
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// One action, right by itself.
struct Step {
    table_name: String,
    /// The item that is put, or the key of another action.
    item: Item,
    kind: Kind,
    condition: Option<BoundCondition>,
    item_on_failure: bool,
}

enum Kind {
    Put,
    Delete,
    Check,
    Update { update: BoundUpdate, creates: bool },
}

/// Executes a TransactWriteItems request.
///
/// # Errors
/// What the request breaks, `ResourceNotFoundException`, `TransactionCanceledException`,
/// `IdempotentParameterMismatchException`, and failures of the store.
pub(super) async fn execute(
    stator: &Stator,
    context: &RequestContext,
    input: TransactWriteItemsInput,
) -> Result<TransactWriteItemsOutput, Error> {
    let layer = Layer::new(Operation::TransactWriteItems, stator.wording());
    let capacity = ReturnCapacity::requested(input.return_consumed_capacity.as_deref());
    let metrics = input.return_item_collection_metrics;
    let actions = input.transact_items.unwrap_or_default();
    let token = input.client_request_token.map(|token| {
        Token::new(
            &context.namespace,
            &token,
            &parameters(&actions),
            context.now_ms,
        )
    });
    let steps = actions
        .into_iter()
        .map(|action| step(stator, layer, action))
        .collect::<Result<Vec<_>, Error>>()?;
    check_size(&steps)?;
    let tables = steps
        .iter()
        .map(|step| stator.table(context, &step.table_name))
        .collect::<Result<Vec<_>, Error>>()?;
    let writes: Arc<[Write]> = plan(&steps, &tables)?.into();
    let results = match token {
        None => Some(write::run(stator.store(), writes).await?),
        Some(token) => write::run_once(stator.store(), writes, token).await?,
    };
    let consumed = match results {
        Some(results) => written(&steps, results)?,
        None => read_again(stator, &steps, &tables).await?,
    };
    Ok(TransactWriteItemsOutput {
        consumed_capacity: respond(&steps, &tables, capacity, &consumed),
        item_collection_metrics: collections(
            metrics.as_deref(),
            steps
                .iter()
                .zip(&tables)
                .map(|(step, table)| (&*step.table_name, &**table, &step.item)),
        ),
    })
}

/// What two requests with one token must have in common. Items are in their canonical form here, so
/// that the same request is the same whatever its JSON looked like.
fn parameters(actions: &[TransactWriteItem]) -> Vec<u8> {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(text, "{actions:?}");
    text.into_bytes()
}

/// Checks one action by itself: its expressions, then its item or key.
fn step(stator: &Stator, layer: Layer, action: TransactWriteItem) -> Result<Step, Error> {
    match (
        action.condition_check,
        action.put,
        action.delete,
        action.update,
    ) {
        (Some(check), None, None, None) => Ok(Step {
            condition: condition_of(
                stator,
                layer,
                check.condition_expression.as_deref(),
                check.expression_attribute_names,
                check.expression_attribute_values,
            )?,
            table_name: check.table_name.unwrap_or_default(),
            item: layer.item(check.key)?,
            kind: Kind::Check,
            item_on_failure: returns_item_on_failure(
                check.return_values_on_condition_check_failure.as_deref(),
            ),
        }),
        (None, Some(put), None, None) => {
            let condition = condition_of(
                stator,
                layer,
                put.condition_expression.as_deref(),
                put.expression_attribute_names,
                put.expression_attribute_values,
            )?;
            let item = layer.item(put.item)?;
            if item.size() > MAX_ITEM_SIZE {
                return Err(Rejection::ItemSize.into());
            }
            Ok(Step {
                condition,
                table_name: put.table_name.unwrap_or_default(),
                item,
                kind: Kind::Put,
                item_on_failure: returns_item_on_failure(
                    put.return_values_on_condition_check_failure.as_deref(),
                ),
            })
        }
        (None, None, Some(delete), None) => Ok(Step {
            condition: condition_of(
                stator,
                layer,
                delete.condition_expression.as_deref(),
                delete.expression_attribute_names,
                delete.expression_attribute_values,
            )?,
            table_name: delete.table_name.unwrap_or_default(),
            item: layer.item(delete.key)?,
            kind: Kind::Delete,
            item_on_failure: returns_item_on_failure(
                delete.return_values_on_condition_check_failure.as_deref(),
            ),
        }),
        (None, None, None, Some(update)) => update_step(stator, layer, update),
        _ => Err(layer.refuse(Rejection::TransactActions)),
    }
}

fn update_step(
    stator: &Stator,
    layer: Layer,
    action: crate::wire::shapes::Update,
) -> Result<Step, Error> {
    let expressions: [Parameter; 2] = [
        ("UpdateExpression", action.update_expression.is_some()),
        ("ConditionExpression", action.condition_expression.is_some()),
    ];
    let mut placeholders = layer.placeholders(
        action.expression_attribute_names,
        action.expression_attribute_values,
        &expressions,
    )?;
    let cache = stator.expressions();
    // The model requires it.
    let text = action.update_expression.unwrap_or_default();
    let update = cache
        .update(&text)
        .map_err(|error| layer.expression(error))?;
    let bound = update
        .bind(&mut placeholders)
        .map_err(|error| layer.expression(error))?;
    let condition = condition::bind(
        layer,
        cache,
        action.condition_expression.as_deref(),
        &mut placeholders,
    )?;
    layer.check_used(&placeholders)?;
    Ok(Step {
        table_name: action.table_name.unwrap_or_default(),
        item: layer.item(action.key)?,
        kind: Kind::Update {
            creates: update_item::creates(&update),
            update: bound,
        },
        condition,
        item_on_failure: returns_item_on_failure(
            action.return_values_on_condition_check_failure.as_deref(),
        ),
    })
}

fn condition_of(
    stator: &Stator,
    layer: Layer,
    text: Option<&str>,
    names: Option<Vec<(String, String)>>,
    values: Option<Vec<(String, ValueInput)>>,
) -> Result<Option<BoundCondition>, Error> {
    let expressions: [Parameter; 1] = [("ConditionExpression", text.is_some())];
    let mut placeholders = layer.placeholders(names, values, &expressions)?;
    let condition = condition::bind(layer, stator.expressions(), text, &mut placeholders)?;
    layer.check_used(&placeholders)?;
    Ok(condition)
}

fn check_size(steps: &[Step]) -> Result<(), Rejection> {
    let size = |step: &Step| match &step.kind {
        Kind::Update { update, .. } => step.item.size() + update.charge(),
        _ => step.item.size(),
    };
    if steps.iter().map(size).sum::<usize>() > MAX_BYTES {
        return Err(Rejection::TransactionSize);
    }
    Ok(())
}

/// Checks the actions against their tables. No item may be named twice.
fn plan(steps: &[Step], tables: &[Arc<Table>]) -> Result<Vec<Write>, Error> {
    let mut writes = Vec::with_capacity(steps.len());
    let mut seen = BTreeSet::new();
    let mut reasons = Vec::with_capacity(steps.len());
    for (step, table) in steps.iter().zip(tables) {
        match plan_one(step, table)? {
            Ok(write) => {
                if !seen.insert(write.key.as_bytes().to_vec()) {
                    return Err(Rejection::OneItemTwice.into());
                }
                writes.push(write);
                reasons.push(CancellationReason::none());
            }
            Err(reason) => reasons.push(reason),
        }
    }
    if writes.len() < steps.len() {
        return Err(Error::TransactionCanceled { reasons });
    }
    Ok(writes)
}

/// The write of an action, or the reason why it cancels the transaction. An empty key value is none:
/// it is refused as if no transaction were there.
fn plan_one(step: &Step, table: &Arc<Table>) -> Result<Result<Write, CancellationReason>, Error> {
    let checked = match &step.kind {
        Kind::Put => put_key(table, &step.item),
        _ => key::lookup_key(table, step.item.as_ref()),
    };
    let key = match checked {
        Ok(key) => key,
        Err(rejection @ (Rejection::EmptyKey { .. } | Rejection::EmptyIndexKey { .. })) => {
            return Err(rejection.into());
        }
        Err(rejection) => return Ok(Err(CancellationReason::validation(rejection.to_string()))),
    };
    let action = match &step.kind {
        Kind::Put => Action::Put(step.item.clone()),
        Kind::Delete => Action::Delete,
        Kind::Check => Action::Check,
        Kind::Update { update, creates } => {
            let names: Vec<&str> = table
                .key_schema()
                .attributes()
                .map(|key| &*key.name)
                .collect();
            if let Err(error) = update.check_keys(&names) {
                return Ok(Err(CancellationReason::validation(error.to_string())));
            }
            Action::Update {
                key: step.item.clone(),
                update: update.clone(),
                creates: *creates,
            }
        }
    };
    let condition = step.condition.clone();
    Ok(Ok(Write {
        table: Arc::clone(table),
        key,
        condition,
        action,
    }))
}

fn put_key(table: &Table, item: &Item) -> Result<crate::store::Key, Rejection> {
    key::check_item_key(table.key_schema(), item.as_ref())?;
    key::check_index_keys(table, item.as_ref(), None, Origin::Put)?;
    key::primary_key(table, item.as_ref()).ok_or(Rejection::KeyMismatch)
}

/// What each action consumed, or the transaction's cancellation.
fn written(steps: &[Step], results: write::Results) -> Result<Vec<TransactionCapacity>, Error> {
    let mut usages = Vec::with_capacity(steps.len());
    let mut reasons = Vec::with_capacity(steps.len());
    for (step, result) in steps.iter().zip(results) {
        reasons.push(match result {
            Ok(written) => {
                usages.push(TransactionCapacity::Write(written.usage.doubled()));
                CancellationReason::none()
            }
            Err(Refusal::ConditionFailed(item)) => {
                CancellationReason::condition(item.filter(|_| step.item_on_failure))
            }
            Err(Refusal::Rejected(rejection @ Rejection::UpdateEmptyIndexKey { .. })) => {
                return Err(rejection.into());
            }
            Err(Refusal::Rejected(rejection)) => {
                CancellationReason::validation(rejection.to_string())
            }
            Err(Refusal::Expression(error)) => CancellationReason::validation(error.to_string()),
        });
    }
    if usages.len() < steps.len() {
        return Err(Error::TransactionCanceled { reasons });
    }
    Ok(usages)
}

/// A transaction that was done before costs what reading its items costs ("the number of read
/// capacity units consumed in reading the items", API reference).
async fn read_again(
    stator: &Stator,
    steps: &[Step],
    tables: &[Arc<Table>],
) -> Result<Vec<TransactionCapacity>, Error> {
    let keys = steps
        .iter()
        .zip(tables)
        .map(|(step, table)| key::primary_key(table, step.item.as_ref()))
        .collect::<Option<Vec<_>>>()
        .ok_or(Rejection::KeyMismatch)?;
    let items = read::get_many(stator.store(), keys, usize::MAX).await?;
    let usage = |item: Option<Item>| {
        let size = item.as_ref().map_or(0, Item::size);
        let mut usage = Usage::new();
        usage.charge_table(Units::read(size as u64, Consistency::Transactional));
        TransactionCapacity::Read(usage)
    };
    Ok(items.into_iter().map(usage).collect())
}

fn respond(
    steps: &[Step],
    tables: &[Arc<Table>],
    capacity: ReturnCapacity,
    consumed: &[TransactionCapacity],
) -> Option<Vec<crate::wire::shapes::ConsumedCapacity>> {
    let names = steps.iter().map(|step| &*step.table_name);
    let tables = tables.iter().map(|table| &**table);
    capacity.of_transaction(names.zip(tables).zip(consumed))
}
