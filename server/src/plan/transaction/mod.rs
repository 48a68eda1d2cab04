//! Transactions: write plans and reads of several items that happen as a whole, or not at all.
//!
//! **Serializability** is the store's: a write plan reads, decides and writes under the locks of all
//! its items, taken in one order, and is one atomic batch. A read sees all its items at one sequence
//! number.
//!
//! **Conflicts** are made the way DynamoDB makes them ([`claims`]): an item belongs to one transaction
//! until that is durable, and who meets it there is turned away instead of made to wait.
//!
//! **Client tokens** make a transaction happen once ([`tokens`]): the token's row is in the same
//! batch, so that there is no moment, and no crash, between the two.

pub mod claims;
pub mod token;
pub mod tokens;

use std::sync::Arc;

use self::{
    claims::Claims,
    token::Record,
    tokens::{TokenId, Tokens},
};
use super::{
    Rejection, stored_item,
    write::{self, Actor, Results, Write, Written},
};
use crate::{
    item::Item,
    mutants::{Mutant, is_on},
    stopwatch::{Stage, during},
    store::{Commit, DueWork, EngineError, Fault, Key, Moved, ReadMode, Store, durable},
    wire::Error,
};

/// The most that all items of a transaction come to, in bytes (API reference, `TransactWriteItems`
/// and `TransactGetItems`).
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What an open Stator knows of transactions.
pub struct Transactions {
    /// The items of those in progress.
    pub claims: Claims,
    /// The client tokens.
    pub tokens: Tokens,
}

impl Transactions {
    /// Those of `store`: none is in progress.
    pub fn load(store: Store) -> Result<Self, EngineError> {
        Ok(Self {
            claims: Claims::new(),
            tokens: Tokens::load(store)?,
        })
    }

    /// Turns a write away that is no transaction, if its item is part of one.
    pub fn check_free(&self, key: &Key) -> Result<(), Error> {
        if self.claims.holds(key) {
            return Err(Error::TransactionConflict(CONFLICT.into()));
        }
        Ok(())
    }
}

impl DueWork for Transactions {
    fn name(&self) -> &'static str {
        "the removal of client tokens"
    }

    fn run(&self, moved: Moved) -> Result<(), Fault> {
        self.tokens.drop_expired(moved.to_ms)?.wait()?;
        Ok(())
    }
}

/// DynamoDB's words for a conflict, in the exception and in the reason of a cancellation (API
/// reference, `TransactionCanceledException`).
pub const CONFLICT: &str = "Transaction is ongoing for the item";

/// A client token and the parameters that it came with.
pub struct Token {
    /// The token.
    pub id: TokenId,
    /// Digest of the parameters: the same token with others is a mistake.
    pub digest: u128,
}

/// What became of a write transaction.
pub enum Outcome {
    /// It was tried: one result per write. Unless all of them are `Ok`, nothing was written.
    Tried(Results),
    /// Another transaction is in the way: of which writes.
    Conflict(Vec<bool>),
    /// It was done before, with the same token. The sizes that its writes were charged by.
    Repeated(Vec<u32>),
}

/// Executes a write plan as a transaction, and waits until what is answered is durable.
///
/// # Errors
/// Of the token: `TransactionInProgressException` and `IdempotentParameterMismatchException`;
/// [`Rejection::TransactionSize`]; failures of the store.
pub async fn write(
    transactions: &Arc<Transactions>,
    store: &Store,
    writes: Arc<[Write]>,
    token: Option<Token>,
) -> Result<Outcome, Error> {
    // Token and items are held until the end, and by the work on the store too: that is carried
    // through even if nobody waits for it any more.
    let token = match token {
        None => None,
        Some(Token { id, digest }) => {
            let in_flight = transactions.tokens.begin(id).ok_or_else(in_progress)?;
            let in_flight = Arc::new(in_flight);
            if let Some(found) = find(transactions, store, &in_flight).await? {
                return repeat(found, digest);
            }
            Some((in_flight, digest))
        }
    };
    let keys: Vec<&Key> = writes.iter().map(|write| &write.key).collect();
    let claim = match transactions.claims.claim(&keys) {
        Ok(claim) => Arc::new(claim),
        Err(taken) => return Ok(Outcome::Conflict(taken)),
    };
    let held = (claim, token);
    let (shared, holding) = (Arc::clone(transactions), held.clone());
    let (results, commit) = store
        .run(move |store, mode| {
            let (_, token) = &holding;
            let row = match token {
                Some((in_flight, digest)) => Some((shared.tokens.row(in_flight)?, *digest)),
                None => None,
            };
            execute(store, &writes, row, mode)
        })
        .await?;
    if !is_on(Mutant::AnswerDurable) {
        durable(commit).await?;
    }
    drop(held);
    match results {
        Some(results) => Ok(Outcome::Tried(results)),
        None => Err(Rejection::TransactionSize.into()),
    }
}

/// Executes a plan, and puts the row of its token into the same batch. Nothing may be answered
/// before the commit is durable. No results if the items come to more than [`MAX_BYTES`]; nothing was
/// written then.
fn execute(
    store: &Store,
    writes: &[Write],
    row: Option<(Key, u128)>,
    mode: ReadMode,
) -> Result<(Option<Results>, Commit), Fault> {
    if is_on(Mutant::TransactionWhole)
        && let [first, rest @ ..] = writes
        && !rest.is_empty()
    {
        // Each half by itself, whatever becomes of the other.
        let (half, _) = execute(store, std::slice::from_ref(first), None, mode)?;
        let (rest, commit) = execute(store, rest, row, mode)?;
        let both = half
            .zip(rest)
            .map(|(half, rest)| half.into_iter().chain(rest));
        return Ok((both.map(Iterator::collect), commit));
    }
    let mut transaction = during(Stage::KeyLock, || write::lock(store, writes, mode))?;
    let results = write::evaluate(&transaction, writes)?;
    let size: usize = results.iter().flatten().map(Written::size).sum();
    if size > MAX_BYTES {
        return Ok((None, transaction.commit()?));
    }
    let complete = results.iter().all(Result::is_ok);
    let mut staged = None;
    if complete {
        let actor = Actor::Client;
        staged = Some(write::stage(
            store,
            &mut transaction,
            writes,
            &results,
            actor,
        )?);
        if let Some((key, digest)) = row.filter(|_| !is_on(Mutant::TokenKept)) {
            let sizes = results.iter().flatten().map(Written::size);
            let record = Record {
                completed_ms: store.now_ms(),
                digest,
                sizes: sizes
                    .map(|size| u32::try_from(size).unwrap_or(u32::MAX))
                    .collect(),
            };
            transaction.put(key, record.encode());
        }
    }
    let commit = during(Stage::Commit, || transaction.commit())?;
    drop(staged);
    if complete {
        write::count(writes, &results);
    }
    Ok((Some(results), commit))
}

async fn find(
    transactions: &Arc<Transactions>,
    store: &Store,
    in_flight: &Arc<tokens::InFlight>,
) -> Result<Option<Record>, Error> {
    let (shared, token) = (Arc::clone(transactions), Arc::clone(in_flight));
    let (found, commit) = store
        .run(move |_, mode| during(Stage::EngineRead, || shared.tokens.find(&token, mode)))
        .await?;
    durable(commit).await?;
    Ok(found)
}

fn repeat(found: Record, digest: u128) -> Result<Outcome, Error> {
    if found.digest == digest {
        return Ok(Outcome::Repeated(found.sizes));
    }
    // The API reference's description of the exception; no capture has the text.
    Err(Error::IdempotentParameterMismatch(
        "DynamoDB rejected the request because you retried a request with a different payload but \
         with an idempotent token that was already used."
            .into(),
    ))
}

/// As users of AWS met it (aws/aws-sdk-java-v2, issue 2518).
fn in_progress() -> Error {
    Error::TransactionInProgress("Transaction from previous request is still in progress".into())
}

/// What became of a read transaction.
pub enum Reads {
    /// The items, in the order of their keys, all as they were at one moment.
    Items(Vec<Option<Item>>),
    /// Writes are in the way: of which items.
    Conflict(Vec<bool>),
}

/// Reads items as they are at one moment, which is not before this call.
///
/// An item that is part of a transaction in progress, or has been written and is not durable yet, is
/// in conflict: "An item within a `TransactGetItems` request is part of an ongoing
/// `TransactWriteItems`, `BatchWriteItem`, `PutItem`, `UpdateItem`, or `DeleteItem` request"
/// (developer guide, "Transaction conflict handling in DynamoDB").
///
/// # Errors
/// [`Rejection::TransactionSize`]; failures of the store.
pub async fn read(
    transactions: &Arc<Transactions>,
    store: &Store,
    keys: Arc<[Key]>,
) -> Result<Reads, Error> {
    let shared = Arc::clone(transactions);
    store
        .run(move |store, mode| read_all(store, &shared.claims, &keys, mode))
        .await
}

/// Everything up to `moment` is durable. An item whose newest version is not newer than that is, now
/// that it is looked at, as it was then: if that holds of all of them, they were all so at `moment`.
fn read_all(store: &Store, claims: &Claims, keys: &[Key], mode: ReadMode) -> Result<Reads, Fault> {
    let moment = store.durable_sequence();
    let mut conflicts = vec![false; keys.len()];
    let (mut items, mut size) = (Vec::with_capacity(keys.len()), 0);
    for (key, conflict) in keys.iter().zip(&mut conflicts) {
        if claims.holds(key) {
            *conflict = true;
            continue;
        }
        let transaction = during(Stage::KeyLock, || store.transaction([key], mode))?;
        let item = during(Stage::EngineRead, || transaction.get(key))?;
        let item = item.map(stored_item).transpose()?;
        if transaction.read_sequence() > moment {
            *conflict = true;
            continue;
        }
        size += item.as_ref().map_or(0, Item::size);
        if size > MAX_BYTES {
            return Err(Error::from(Rejection::TransactionSize).into());
        }
        items.push(item);
    }
    if conflicts.contains(&true) {
        return Ok(Reads::Conflict(conflicts));
    }
    Ok(Reads::Items(items))
}
