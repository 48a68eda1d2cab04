//! How transactions are refused and cancelled.

use std::collections::BTreeSet;

use crate::{
    plan::{Rejection, transaction::CONFLICT},
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
