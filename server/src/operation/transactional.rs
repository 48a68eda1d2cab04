//! How transactions are refused and cancelled.

use std::collections::BTreeSet;

use crate::{
    operation::respond::TransactionCapacity,
    plan::{
        Rejection,
        capacity::{Consistency, Units, Usage},
        transaction::CONFLICT,
        write::{COLLECTION_FULL, Refusal, Results, Written},
    },
    store::Key,
    wire::{
        Error,
        error::{CancellationCode, CancellationReason},
    },
};

/// What the request's actions become against the tables' keys. Refuses the request for what precedes
/// a transaction, and for an item that is named twice; and cancels the transaction for the rest.
///
/// # Errors
/// `ValidationException` and `TransactionCanceledException`.
pub(super) fn settle<T>(
    planned: Vec<Result<T, Rejection>>,
    key: impl Fn(&T) -> &Key,
) -> Result<Vec<T>, Error> {
    let early = planned
        .iter()
        .filter_map(|one| one.as_ref().err())
        .find(|rejection| rejection.precedes_transaction());
    if let Some(rejection) = early {
        return Err(rejection.clone().into());
    }
    let mut seen = BTreeSet::new();
    let distinct = planned
        .iter()
        .flatten()
        .all(|action| seen.insert(key(action).as_bytes()));
    if !distinct {
        return Err(Rejection::SeveralOperations.into());
    }
    if planned.iter().all(Result::is_ok) {
        return Ok(planned.into_iter().flatten().collect());
    }
    let reasons = planned
        .into_iter()
        .map(|action| match action {
            Ok(_) => CancellationReason::none(),
            Err(rejection) => CancellationReason::validation(rejection.to_string()),
        })
        .collect();
    Err(Error::TransactionCanceled { reasons })
}

/// The cancellation of a transaction in whose way others are.
pub(super) fn conflict(conflicts: &[bool]) -> Error {
    let reason = |conflict: &bool| match conflict {
        true => CancellationReason {
            code: CancellationCode::TransactionConflict,
            message: Some(CONFLICT.into()),
            item: None,
        },
        false => CancellationReason::none(),
    };
    let reasons = conflicts.iter().map(reason).collect();
    Error::TransactionCanceled { reasons }
}

/// What the writes did, if all of them were done. `reason` is why a write stopped the
/// transaction.
///
/// # Errors
/// `TransactionCanceledException`; `ValidationException` for what precedes a transaction and was only
/// found when an update was applied.
pub(super) fn written(
    results: Results,
    reason: impl Fn(usize, Refusal) -> CancellationReason,
) -> Result<Vec<Written>, Error> {
    let early = results.iter().find_map(|result| match result {
        Err(Refusal::Rejected(rejection)) if rejection.precedes_transaction() => Some(rejection),
        _ => None,
    });
    if let Some(rejection) = early {
        return Err(rejection.clone().into());
    }
    if results.iter().all(Result::is_ok) {
        return Ok(results.into_iter().flatten().collect());
    }
    let reasons = results
        .into_iter()
        .enumerate()
        .map(|(place, result)| match result {
            Ok(_) => CancellationReason::none(),
            Err(refusal) => reason(place, refusal),
        })
        .collect();
    Err(Error::TransactionCanceled { reasons })
}

/// Why a write stopped the transaction.
pub(super) fn reason(with_item: bool, refusal: Refusal) -> CancellationReason {
    match refusal {
        Refusal::ConditionFailed(item) => CancellationReason::condition(item.filter(|_| with_item)),
        Refusal::Expression(error) => CancellationReason::validation(error.to_string()),
        Refusal::Rejected(rejection) => CancellationReason::validation(rejection.to_string()),
        Refusal::CollectionFull => CancellationReason {
            code: CancellationCode::ItemCollectionSizeLimitExceeded,
            message: Some(COLLECTION_FULL.into()),
            item: None,
        },
    }
}

/// What it consumes to repeat a write of this size. "Subsequent `TransactWriteItems` calls with the
/// same client token return the number of read capacity units consumed in reading the item" (API
/// reference): a transactional read, by the size that the write was charged by.
pub(super) fn repeated(size: u32) -> TransactionCapacity {
    let mut usage = Usage::new();
    usage.charge_table(Units::read(u64::from(size), Consistency::Transactional));
    TransactionCapacity::Read(usage)
}
