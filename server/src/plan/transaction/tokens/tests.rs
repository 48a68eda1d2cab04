use std::{path::PathBuf, time::Duration};

use super::*;
use crate::store::{Simulation, Storage, StoreOptions};

fn open(simulation: &Simulation) -> Store {
    Store::open(StoreOptions {
        storage: Storage::Env(simulation.env(), PathBuf::from("/data")),
        ..StoreOptions::default()
    })
    .unwrap()
}

fn id(token: &str) -> TokenId {
    let namespace = Namespace::new("000000000000", "us-east-1");
    TokenId::new(Operation::TransactWriteItems, &namespace, token)
}

/// Writes the row of a token, as a transaction does.
fn use_token(tokens: &Tokens, token: &str) -> Key {
    let in_flight = tokens.begin(id(token)).unwrap();
    let row = tokens.row(&in_flight).unwrap();
    let record = Record {
        completed_ms: tokens.store.now_ms(),
        digest: 1,
        sizes: vec![1],
    };
    let mut batch = Batch::new();
    batch.put(row.clone(), record.encode());
    tokens.store.write(batch).unwrap().wait().unwrap();
    row
}

fn is_known(tokens: &Tokens, token: &str) -> bool {
    let in_flight = tokens.begin(id(token)).unwrap();
    let (found, commit) = tokens.find(&in_flight, ReadMode::Blocking).unwrap();
    commit.wait().unwrap();
    found.is_some()
}

fn is_stored(store: &Store, row: &Key) -> bool {
    store.get(row, ReadMode::Blocking).unwrap().is_some()
}

#[test]
fn expired_tokens_go_with_their_keyspace() {
    let simulation = Simulation::new(1);
    let store = open(&simulation);
    let tokens = Tokens::load(store.clone()).unwrap();
    let minutes = |minutes: u64| simulation.advance(Duration::from_secs(60 * minutes));
    let first = use_token(&tokens, "first");
    minutes(9);
    let second = use_token(&tokens, "second");
    assert_eq!(first.keyspace(), second.keyspace());
    minutes(1);
    let third = use_token(&tokens, "third");
    assert_ne!(second.keyspace(), third.keyspace());
    assert!(!is_known(&tokens, "first"), "it has expired");
    assert!(is_known(&tokens, "second") && is_known(&tokens, "third"));
    assert!(is_stored(&store, &first), "it goes with the others");
    minutes(10);
    let fourth = use_token(&tokens, "fourth");
    assert!(!is_stored(&store, &first) && !is_stored(&store, &second));
    assert!(is_stored(&store, &third) && is_stored(&store, &fourth));
}

#[test]
fn tokens_are_found_again_after_opening() {
    let simulation = Simulation::new(2);
    let store = open(&simulation);
    let tokens = Tokens::load(store).unwrap();
    use_token(&tokens, "first");
    simulation.advance(Duration::from_secs(600));
    let row = use_token(&tokens, "second");
    let before = tokens.generations.lock().clone();
    drop(tokens);
    simulation.crash();
    let tokens = Tokens::load(open(&simulation)).unwrap();
    assert_eq!(*tokens.generations.lock(), before);
    assert!(!is_known(&tokens, "first") && is_known(&tokens, "second"));
    // After twenty minutes none of them counts, and opening drops both keyspaces.
    simulation.advance(Duration::from_secs(1200));
    drop(tokens);
    simulation.crash();
    let tokens = Tokens::load(open(&simulation)).unwrap();
    assert_eq!(*tokens.generations.lock(), Generations::default());
    simulation.run_until_idle();
    assert!(!is_stored(&tokens.store, &row));
    assert_eq!(
        tokens
            .store
            .get(&system::token_keyspaces(), ReadMode::Blocking)
            .unwrap(),
        None
    );
}

#[test]
fn the_same_token_elsewhere_is_another() {
    let store = Store::open(StoreOptions::default()).unwrap();
    let tokens = Tokens::load(store).unwrap();
    use_token(&tokens, "x");
    let others = [
        (Operation::ExecuteTransaction, "000000000000", "us-east-1"),
        (Operation::TransactWriteItems, "111111111111", "us-east-1"),
        (Operation::TransactWriteItems, "000000000000", "eu-west-1"),
    ];
    for (operation, account, region) in others {
        let id = TokenId::new(operation, &Namespace::new(account, region), "x");
        let in_flight = tokens.begin(id).unwrap();
        let (found, _commit) = tokens.find(&in_flight, ReadMode::Blocking).unwrap();
        assert_eq!(found, None);
    }
    assert!(is_known(&tokens, "x"));
}

#[test]
fn keyspaces_are_not_dropped_under_a_request_in_progress() {
    let simulation = Simulation::new(3);
    let store = open(&simulation);
    let tokens = Tokens::load(store.clone()).unwrap();
    let row = use_token(&tokens, "first");
    let later_ms = store.now_ms() + 2 * VALID_MS;
    let in_flight = tokens.begin(id("second")).unwrap();
    tokens.row(&in_flight).unwrap();
    tokens.drop_expired(later_ms).unwrap().wait().unwrap();
    assert!(is_stored(&store, &row));
    drop(in_flight);
    tokens.drop_expired(later_ms - 1).unwrap().wait().unwrap();
    assert!(is_stored(&store, &row));
    tokens.drop_expired(later_ms).unwrap().wait().unwrap();
    assert!(!is_stored(&store, &row));
}
