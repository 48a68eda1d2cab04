//! Defects on purpose, for the tests of the tests: each leaves out one thing that keeps items, indexes,
//! streams, tokens and expiry together, and the simulation in `torture/simulation` has to find it.
//!
//! Only builds of the tests have them; in all others the compiler knows that they are off.

crate::store::define_mutants! {
    AnswerDurable "answer-durable" "a write is answered only once it is durable",
    IndexPut "index-put" "an item's entry in an index is in the batch of the item",
    IndexDelete "index-delete" "an entry that an item has no more goes in the batch of the item",
    StreamBatch "stream-batch" "the record of a change is in the batch of the change",
    StreamKept "stream-kept" "a record is kept for a day",
    ExpiryPut "expiry-put" "when an item expires is in the batch of the item",
    ExpiryDelete "expiry-delete" "an item that expires no more, or at another time, is taken out of the index of what expires",
    ExpiryActor "expiry-actor" "the record of an item that has expired says so",
    SweepAll "sweep-all" "everything that is due goes when the clock is moved",
    TransactionWhole "transaction-whole" "a transaction is one batch",
    TokenKept "token-kept" "the token of a transaction is in its batch",
    TokenLoaded "token-loaded" "tokens count over a restart",
    BackfillAll "backfill-all" "an index that is added gets the entries of all items",
    BackfillResumed "backfill-resumed" "an index that is being filled is filled further after a restart",
    CountMarked "count-marked" "before a table changes, the count of its items is marked as inexact",
    PageKey "page-key" "a page begins behind the last key of the one before",
}

#[cfg(test)]
thread_local! {
    static ON: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Switches one on for this thread, which is all of the simulation, or the one that is on off.
#[cfg(test)]
pub(crate) fn switch(to: Option<Mutant>) {
    ON.set(to);
}

/// Whether one is on.
#[cfg(test)]
pub(crate) fn is_on(mutant: Mutant) -> bool {
    ON.get() == Some(mutant)
}

/// Whether one is on: never.
#[cfg(not(test))]
pub(crate) const fn is_on(_: Mutant) -> bool {
    false
}
