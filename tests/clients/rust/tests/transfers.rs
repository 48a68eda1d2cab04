//! Many clients move units between few items in transactions, while others read all items at once:
//! the counters come to what the clients counted, and nobody ever sees half of a transaction.
//!
//! `STATOR_TRANSFERS` says how many each client tries; what `STATOR_SEED` decides is which items
//! they choose, not how they meet.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, CancellationReason, Get, KeySchemaElement,
    KeyType, ScalarAttributeType, TransactGetItem, TransactWriteItem, Update,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use stator_client_rust::{Outcome, Stator};

const CLIENTS: u64 = 8;
const READERS: u64 = 2;
const ITEMS: u64 = 20;
/// What each client tries, if the environment does not say it: enough that all pairs of items meet.
const TRANSFERS: u64 = 2_000;

fn environment(name: &str) -> Outcome<Option<u64>> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text.parse()?)),
        Err(_) => Ok(None),
    }
}

fn key(item: u64) -> AttributeValue {
    AttributeValue::S(format!("item-{item}"))
}

async fn create(client: &Client) -> Outcome {
    client
        .create_table()
        .table_name("Accounts")
        .attribute_definitions(
            AttributeDefinition::builder()
                .attribute_name("pk")
                .attribute_type(ScalarAttributeType::S)
                .build()?,
        )
        .key_schema(
            KeySchemaElement::builder()
                .attribute_name("pk")
                .key_type(KeyType::Hash)
                .build()?,
        )
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    Ok(())
}

/// Adds `by` to the balance of an item, and one to its counter.
fn update(item: u64, by: i64) -> Outcome<TransactWriteItem> {
    let update = Update::builder()
        .table_name("Accounts")
        .key("pk", key(item))
        .update_expression("ADD balance :by, moves :one")
        .expression_attribute_values(":by", AttributeValue::N(by.to_string()))
        .expression_attribute_values(":one", AttributeValue::N("1".into()))
        .build()?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// Whether a cancellation is about other transactions and nothing else.
fn is_conflict(reasons: &[CancellationReason]) -> bool {
    let mut codes = reasons.iter().filter_map(CancellationReason::code);
    reasons.len() > 1
        && codes.all(|code| matches!(code, "None" | "TransactionConflict"))
        && reasons
            .iter()
            .any(|reason| reason.code() == Some("TransactionConflict"))
}

/// Moves units between random items; counts per item how often it took part in a transaction that
/// succeeded, and how many conflicts there were.
async fn transfer(
    client: Client,
    mut random: ChaCha8Rng,
    count: u64,
) -> Result<(Vec<u64>, u64), String> {
    let mut moves = vec![0; ITEMS as usize];
    let mut conflicts = 0;
    for _ in 0..count {
        let mut below = |bound: u64| random.next_u64() % bound;
        let from = below(ITEMS);
        let to = (from + 1 + below(ITEMS - 1)) % ITEMS;
        let by = 1 + below(9) as i64;
        let updates = [update(from, -by), update(to, by)];
        let mut request = client.transact_write_items();
        for update in updates {
            request = request.transact_items(update.map_err(|error| error.to_string())?);
        }
        match request
            .send()
            .await
            .map_err(|error| error.into_service_error())
        {
            Ok(_) => {
                for (item, moves) in (0..).zip(&mut moves) {
                    *moves += u64::from(item == from || item == to);
                }
            }
            Err(TransactWriteItemsError::TransactionCanceledException(cancelled))
                if is_conflict(cancelled.cancellation_reasons()) =>
            {
                conflicts += 1;
            }
            Err(error) => return Err(DisplayErrorContext(error).to_string()),
        }
    }
    Ok((moves, conflicts))
}

/// Balance and counter of all items, read in one transaction; `None` if others were in its way.
async fn read(client: &Client) -> Result<Option<Vec<(i64, u64)>>, String> {
    let mut request = client.transact_get_items();
    for item in 0..ITEMS {
        let get = Get::builder().table_name("Accounts").key("pk", key(item));
        let get = get.build().map_err(|error| error.to_string())?;
        request = request.transact_items(TransactGetItem::builder().get(get).build());
    }
    let answer = match request
        .send()
        .await
        .map_err(|error| error.into_service_error())
    {
        Ok(answer) => answer,
        Err(TransactGetItemsError::TransactionCanceledException(cancelled))
            if is_conflict(cancelled.cancellation_reasons()) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(DisplayErrorContext(error).to_string()),
    };
    let number = |item: &HashMap<String, AttributeValue>, name: &str| -> i64 {
        let number = item.get(name).and_then(|value| value.as_n().ok());
        number
            .and_then(|text| text.parse().ok())
            .unwrap_or(i64::MIN)
    };
    let states = answer
        .responses()
        .iter()
        .map(|response| match response.item() {
            Some(item) => (number(item, "balance"), number(item, "moves") as u64),
            None => (0, 0),
        });
    Ok(Some(states.collect()))
}

/// Reads until the clients are done; counts the reads that succeeded.
async fn watch(client: Client, done: Arc<AtomicBool>) -> Result<u64, String> {
    let mut reads = 0;
    loop {
        let last = done.load(Ordering::Acquire);
        if let Some(states) = read(&client).await? {
            let sum: i64 = states.iter().map(|(balance, _)| balance).sum();
            let moves: u64 = states.iter().map(|(_, moves)| moves).sum();
            if sum != 0 || !moves.is_multiple_of(2) {
                return Err(format!("half of a transaction: {states:?}"));
            }
            reads += 1;
        }
        if last {
            return Ok(reads);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_add_up_and_no_read_sees_half_of_one() -> Outcome {
    let seed = environment("STATOR_SEED")?.unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
    let count = environment("STATOR_TRANSFERS")?.unwrap_or(TRANSFERS);
    println!("STATOR_SEED={seed}");
    let stator = Stator::start()?;
    create(&stator.client()).await?;
    let begin = Instant::now();
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..READERS)
        .map(|_| tokio::spawn(watch(stator.client(), Arc::clone(&done))))
        .collect();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(client);
            tokio::spawn(transfer(stator.client(), random, count))
        })
        .collect();
    let (mut expected, mut conflicts) = (vec![0; ITEMS as usize], 0);
    for client in clients {
        let (moves, turned_away) = client.await??;
        for (sum, moves) in expected.iter_mut().zip(moves) {
            *sum += moves;
        }
        conflicts += turned_away;
    }
    let took = begin.elapsed();
    done.store(true, Ordering::Release);
    let mut reads = 0;
    for reader in readers {
        reads += reader.await??;
    }
    let states = read(&stator.client())
        .await?
        .ok_or("nobody is left to conflict with")?;
    let found: Vec<u64> = states.iter().map(|(_, moves)| *moves).collect();
    assert_eq!(
        found, expected,
        "what was counted, and what the clients counted"
    );
    let succeeded = expected.iter().sum::<u64>() / 2;
    assert_eq!(succeeded + conflicts, CLIENTS * count);
    assert!(reads > 0, "no read ever succeeded");
    println!("{succeeded} transfers, {conflicts} conflicts, {reads} reads, in {took:?}");
    Ok(())
}
